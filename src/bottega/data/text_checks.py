"""What may make a score on texts untrue, or a text useless: found without training anything."""

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from bottega.data.text_characters import MAX_CHARACTERS, fold, is_letter
from bottega.data.texts import TextSet, differ
from bottega.errors import BottegaError
from bottega.problem.records import Suspect

__all__ = ["MIN_TEXTS", "require_trainable_texts", "text_suspects", "words_of"]

MIN_TEXTS = 20
MIN_DIFFERENT = 5  # copies are kept together: of fewer, no fold would be left to learn from
FEW = 80  # of one class: leaves about 12 for the test part
IMBALANCE = 5.0
SAMPLE = 20_000  # texts that are searched for telling words
COMMON = {"word": 0.9, "opening": 0.5}  # share of a class's texts that have it; a class may well have a word of its own
ELSEWHERE = 0.01  # share of the other texts that it may stand in
FEWEST_TELLING = 10  # texts of a class, under which a word tells by chance
OPENING = 3  # words
TRAIN = 0.7  # share of the texts that a split by lot trains on
LENGTH_ALONE = 0.9  # balanced accuracy of the length alone
_BROKEN = re.compile("[ÃÂ][\u0080-\u00bf]|â€|Ã[ƒ‚]|ï»¿|\ufffd|[ÐÑ][\u0080-\u00bf]|ï¿½")


def words_of(text: str) -> list[str]:
    """Words as the models see them.

    Example:
        >>> words_of("It's 5 o'clock")
        ['it', 's', '5', 'o', 'clock']
    """
    return "".join(character if is_letter(character) else " " for character in fold(text)).split()


def text_suspects(texts: TextSet, groups: npt.NDArray[np.int64], hashes: npt.NDArray[np.uint8]) -> tuple[Suspect, ...]:
    """Everything that is worth a look, the gravest first.

    Args:
        groups: (N,) equal for near duplicates.
        hashes: (N, 32) of the contents.
    """
    known = np.array([i for i, label in enumerate(texts.labels) if label is not None], np.int64)
    counts = Counter(str(texts.labels[i]) for i in known)
    same = np.unique(np.ascontiguousarray(hashes).view("V32")[:, 0], return_inverse=True)[1].reshape(-1)
    found = _across_parts(texts, groups) + _conflicts(texts, same, known)
    if len(counts) > 1:
        found += _telling(texts, known, counts) + _length(texts, known)
    return tuple(found + _duplicates(texts, same, groups) + _broken(texts) + _empty(texts) + _long(texts)
                 + _imbalance(counts) + _few(counts))  # fmt: skip


def require_trainable_texts(texts: TextSet, suspects: Sequence[Suspect] = ()) -> None:
    """Refuse what no training can use.

    Raises:
        BottegaError: no target, too few texts, one class, a label that never repeats, only empty texts, or copies.
    """
    labels = Counter(label for label in texts.labels if label is not None)
    n = sum(labels.values())
    stop: tuple[str, str, str] | None = None
    if texts.target is None:
        stop = "texts without a target", "the column of the labels", "name it with --target"
    elif n < MIN_TEXTS:
        stop = (
            f"{n} texts with a label",
            f"at least {MIN_TEXTS}, hundreds for a result that means something",
            "add texts" if n else "fill in labels, or name another column with --target",
        )
    elif len(labels) < 2:
        stop = f"one class, {next(iter(labels))!r}", "at least two classes", "add texts of another class"
    elif max(labels.values()) == 1 or len(labels) > n / 2:
        stop = (
            f"{len(labels):,} different labels for {n:,} texts",
            "labels that repeat",
            "choose another --target: this column looks like a text or a name",
        )
    elif not any(text.strip() for text in texts.texts):
        stop = "only empty texts", "texts with something in them", "name another column with --text"
    elif not differ(texts.texts, MIN_DIFFERENT):
        stop = (
            f"fewer than {MIN_DIFFERENT} different texts, but for case, numbers and punctuation",
            f"at least {MIN_DIFFERENT}, so that some can be kept for the test",
            "add texts that aren't copies, or name another column with --text",
        )
    if stop is not None:
        told = [{"kind": s.kind, "where": s.where, "evidence": s.evidence, "fix": s.fix} for s in suspects]
        raise BottegaError(found=stop[0], expected=stop[1], fix=stop[2], where=texts.name, suspects=told)


def _across_parts(texts: TextSet, groups: npt.NDArray[np.int64]) -> list[Suspect]:
    if not any(texts.parts):
        return []
    seen = {int(group) for group, part in zip(groups, texts.parts, strict=True) if part != "test"}
    again = [i for i, part in enumerate(texts.parts) if part == "test" and int(groups[i]) in seen]
    n_test = sum(part == "test" for part in texts.parts)
    if not again:
        return []
    evidence = (
        f"{len(again):,} of {n_test:,} test texts ({100 * (len(again) / n_test):.1f} %) stand in train or val too, "
        f"but for case, numbers and punctuation ({texts.names[again[0]]})"
    )
    return [Suspect("leak", "parts", evidence, "take them out of train")]


def _conflicts(texts: TextSet, same: npt.NDArray[np.int64], known: npt.NDArray[np.int64]) -> list[Suspect]:
    answers: dict[int, set[str]] = {}
    for i in known.tolist():
        answers.setdefault(int(same[i]), set()).add(str(texts.labels[i]))
    split = {content for content, labels in answers.items() if len(labels) > 1}
    rows = [i for i in known.tolist() if int(same[i]) in split]
    if not rows:
        return []
    first = [i for i in rows if same[i] == same[rows[0]]]
    other = next(i for i in first if texts.labels[i] != texts.labels[first[0]])
    evidence = (
        f"{_texts(len(split), 'stands', 'stand')} under several labels: "
        f"{texts.names[first[0]]} is {texts.labels[first[0]]!r}, "
        f"{texts.names[other]} is {texts.labels[other]!r}"
    )
    return [Suspect("conflict", "labels", evidence, "decide which label is right, or take them out")]


def _telling(texts: TextSet, known: npt.NDArray[np.int64], counts: Counter[str]) -> list[Suspect]:
    """Words, and openings, that stand in most texts of one class and in hardly any other."""
    step = max(1, len(known) // SAMPLE)
    rows = known[::step].tolist()
    n_of = Counter(str(texts.labels[i]) for i in rows)
    holding: dict[str, Counter[str]] = {label: Counter() for label in counts}
    opening: dict[str, Counter[str]] = {label: Counter() for label in counts}
    total: Counter[str] = Counter()
    begun: Counter[str] = Counter()
    for i in rows:
        words, label = words_of(texts.texts[i][:MAX_CHARACTERS]), str(texts.labels[i])
        holding[label].update(set(words))
        total.update(set(words))
        begin = " ".join(words[:OPENING])
        opening[label][begin] += 1
        begun[begin] += 1
    found: list[Suspect] = []
    for label, n in n_of.items():
        for what, of_class, of_all in (("word", holding, total), ("opening", opening, begun)):
            pick = _most_telling(of_class[label], of_all, COMMON[what], n, len(rows))
            if pick is None or (what == "opening" and found and repr(label) in found[-1].where):
                continue
            here, there = of_class[label][pick], of_all[pick] - of_class[label][pick]
            named = " (the label itself)" if pick in words_of(label) else ""
            evidence = (
                f"the {what} {pick!r}{named} stands in {100 * (here / n):.0f} % of the texts of {label!r} "
                f"and in {there:,} of the {len(rows) - n:,} others"
            )
            fix = "if it was put there with the label, take it out of the texts"
            found.append(Suspect("leak", f"texts of {label!r}", evidence, fix))
    return found[:5]


def _most_telling(here: Counter[str], everywhere: Counter[str], common: float, n: int, n_all: int) -> str | None:
    most = max(here, key=lambda word: (2 * here[word] - everywhere[word], word), default=None)
    if not most or n < FEWEST_TELLING or here[most] < common * n:
        return None
    return most if everywhere[most] - here[most] <= ELSEWHERE * (n_all - n) else None


def _length(texts: TextSet, known: npt.NDArray[np.int64]) -> list[Suspect]:
    """The best threshold on the length alone, each class against the others."""
    lengths = np.array([len(texts.texts[i]) for i in known])
    labels = np.array([str(texts.labels[i]) for i in known])
    order = np.argsort(lengths, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(lengths[order]) > 0, True))  # where a threshold may stand
    best, which = 0.0, ""
    for label in np.unique(labels).tolist():
        inside = (labels == label)[order]
        n, n_in = len(inside), int(inside.sum())
        if n_in < FEWEST_TELLING:
            continue
        below = np.cumsum(inside)[ends]
        score = (below / n_in + 1 - (ends + 1 - below) / max(1, n - n_in)) / 2
        top = float(np.maximum(score, 1 - score).max())
        if top > best:
            best, which = top, label
    if best < LENGTH_ALONE:
        return []
    evidence = f"the number of characters alone tells {which!r} from the others with a balanced accuracy of {best:.2f}"
    return [Suspect("shortcut", "length", evidence, "check that the classes were cut or collected alike")]


def _duplicates(texts: TextSet, same: npt.NDArray[np.int64], groups: npt.NDArray[np.int64]) -> list[Suspect]:
    n, n_exact, n_near = len(texts), len(np.unique(same)), len(np.unique(groups))
    if n_near == n:
        return []
    sizes = np.bincount(groups)
    leak = float((sizes * (1 - (1 - TRAIN) ** np.maximum(sizes - 1.0, 0))).sum() / n)  # one of the others is there
    i, j = next(_repeated(groups))
    but_for = "but for case, numbers and punctuation"
    if n_exact == n:
        told = f"{n - n_near:,} of {n:,} texts repeat an earlier one {but_for}"
    else:
        told = f"{n - n_exact:,} of {n:,} texts repeat an earlier one"
        told += f", {n_exact - n_near:,} more do {but_for}" if n_near < n_exact else ""
    evidence = (
        f"{told} ({texts.names[i]} and {texts.names[j]}): split by lot, a model knows {100 * leak:.1f} % "
        "of its test texts"
    )
    fix = "take the copies out" if any(texts.parts) else "nothing: copies are kept on one side of the split"
    return [Suspect("duplicates", "texts", evidence, fix)]


def _repeated(groups: npt.NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Pairs of neighbours of one group."""
    order = np.argsort(groups, kind="stable").tolist()
    return ((i, j) for i, j in pairwise(order) if groups[i] == groups[j])


def _broken(texts: TextSet) -> list[Suspect]:
    rows = [i for i, text in enumerate(texts.texts) if _BROKEN.search(text)]
    if not rows:
        return []
    some = ", ".join(texts.names[i] for i in rows[:3])
    shown = _BROKEN.search(texts.texts[rows[0]])
    evidence = (
        f"{_texts(len(rows), 'looks', 'look')} wrongly decoded, as in {shown.group()!r} ({some})" if shown else ""
    )
    return [Suspect("encoding", "texts", evidence, "save the file as UTF-8, from where it was still right")]


def _empty(texts: TextSet) -> list[Suspect]:
    rows = [i for i, text in enumerate(texts.texts) if not text.strip()]
    if not rows:
        return []
    some = ", ".join(texts.names[i] for i in rows[:3])
    evidence = f"{len(rows):,} of {len(texts):,} texts are empty ({some})"
    return [Suspect("empty", "texts", evidence, "take them out, unless an empty text is what you will be asked")]


def _long(texts: TextSet) -> list[Suspect]:
    rows = [i for i, text in enumerate(texts.texts) if len(text) > MAX_CHARACTERS]
    if not rows:
        return []
    longest = max(len(text) for text in texts.texts)
    many = _texts(len(rows), "is", "are")
    evidence = f"{many} longer than {MAX_CHARACTERS:,} characters, up to {longest:,}: the rest isn't read"
    return [Suspect("long", "texts", evidence, "cut them into parts, if what matters stands late")]


def _texts(n: int, verb: str, verbs: str) -> str:
    """`1 text stands`, `2 texts stand`."""
    return f"1 text {verb}" if n == 1 else f"{n:,} texts {verbs}"


def _imbalance(counts: Counter[str]) -> list[Suspect]:
    if len(counts) < 2:
        return []
    (most, n_most), (least, n_least) = counts.most_common()[0], counts.most_common()[-1]
    if n_most < IMBALANCE * n_least:
        return []
    share = n_most / sum(counts.values())
    evidence = (
        f"{most!r} has {n_most:,} texts, {least!r} {n_least:,}: always saying {most!r} is {100 * share:.0f} % right"
    )
    return [Suspect("imbalance", least, evidence, "read balanced accuracy and each class's recall beside the score")]


def _few(counts: Counter[str]) -> list[Suspect]:
    few = sorted((n, label) for label, n in counts.items() if n < FEW)
    if not few:
        return []
    n, label = few[0]
    others = f", and {len(few) - 1} more {'has' if len(few) == 2 else 'have'} under {FEW}" if len(few) > 1 else ""
    n_test = max(1, math.floor(0.15 * n))
    evidence = f"{label!r} has {n} text{'s' * (n != 1)}, about {n_test} for the test part{others}"
    return [Suspect("few", label, evidence, f"add texts of {label!r} first")]
