"""What may make a score on these pictures untrue: told as suspects, with evidence and a way out."""

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from bottega.data.layout import UNLABELLED
from bottega.data.profile import ImageSet
from bottega.data.shortcuts import shortcuts
from bottega.errors import BottegaError, found_in
from bottega.problem.records import Suspect

__all__ = ["find_suspects", "labelled", "require_trainable"]

FEW = 80  # of one class: leaves about 12 for the test part
TEST_SHARE = 0.15
IMBALANCE = 5.0  # largest class by smallest
MAX_CLASSES = 1000
_Z = 1.959964  # 95 % of a normal distribution


def labelled(images: ImageSet) -> npt.NDArray[np.int64]:
    """Indices of the pictures that have a class and may be trained or tested on."""
    pairs = zip(images.labels, images.parts, strict=True)
    return np.array([i for i, (label, part) in enumerate(pairs) if label is not None and part != UNLABELLED], np.int64)


def find_suspects(images: ImageSet) -> tuple[Suspect, ...]:
    """Everything that is suspect, worst first: conflicts, leaks, shortcuts, then what is scarce or unequal."""
    chosen = labelled(images)
    counts = Counter(str(images.labels[i]) for i in chosen)
    found: list[Suspect] = []
    found += _conflicts(images)
    found += _twins_across_parts(images)
    found += _labels_only_in_test(images, chosen)
    if len(counts) >= 2:
        found += shortcuts(images, chosen)
    found += _subfolders(images, chosen)
    found += _few(counts)
    found += _imbalance(counts)
    return tuple(found)


def require_trainable(images: ImageSet) -> None:
    """Refuse what no training can use, with everything that was found on the way.

    Raises:
        BottegaError: no pictures, none readable, none with a class, one class, a class of one picture, over 1,000
            classes, or more classes than half of the pictures.
    """
    chosen = labelled(images)
    counts = Counter(str(images.labels[i]) for i in chosen)
    stop = _untrainable(images, counts)
    if stop is None:
        return
    found, expected, fix = stop
    raise BottegaError(
        found=found,
        expected=expected,
        fix=fix,
        rejected=[{"path": r.path, "reason": r.reason} for r in images.rejected],
        suspects=[
            {"kind": s.kind, "where": s.where, "evidence": s.evidence, "fix": s.fix} for s in find_suspects(images)
        ],
    )


def _untrainable(images: ImageSet, counts: Counter[str]) -> tuple[str, str, str] | None:
    two = "pictures of at least two classes, one folder each"
    if len(images) == 0 and not images.rejected:
        return f"no picture in {images.name!r}", two, "put at least 20 pictures of each class in a folder of its own"
    if len(images) == 0:
        first = images.rejected[0]
        n = len(images.rejected)
        found = f"none of {n:,} files in {images.name!r} can be used; {first.path!r}: {first.reason}"
        return found, two, "`bottega look` on it lists each file with its reason"
    if not counts:
        found = f"{len(images):,} pictures in {images.name!r}, none with a class"
        return found, two, "sort them into one folder a class"
    if len(counts) == 1:
        only = next(iter(counts))
        below = sorted({(s or "").partition("/")[0] for s in images.subfolders} - {""})
        fix = f"add a folder for what is not {only!r}"
        if len(below) >= 2:
            fix = f"if {found_in(below)} are the classes, give the folder {only!r} itself"
        n = sum(counts.values())
        return f"one class, {only!r}, with {n:,} picture{'' if n == 1 else 's'}", two, fix
    n_pictures, n_classes = sum(counts.values()), len(counts)
    if max(counts.values()) == 1:
        found = f"{n_classes:,} classes with one picture each"
        return found, "at least two pictures in a class, 20 for a result that means something", "add pictures"
    if n_classes > MAX_CLASSES:
        return f"{n_classes:,} classes", f"at most {MAX_CLASSES:,}", "join classes, or train on some of the folders"
    if 2 * n_classes > n_pictures:
        found = f"{n_classes:,} classes for {n_pictures:,} pictures"
        return found, "at least two pictures a class on average", "add pictures, or join classes"
    lone = sorted(label for label, n in counts.items() if n == 1)
    if lone:  # it could be learned or tested, never both
        found = f"{'one class' if len(lone) == 1 else f'{len(lone):,} classes'} with a single picture: {found_in(lone)}"
        expected = "at least two pictures in each class, 20 for a result that means something"
        return found, expected, "add pictures of it, or take its folder out"
    return None


def _conflicts(images: ImageSet) -> list[Suspect]:
    conflicts = [twin for twin in images.twins if twin.is_conflict]
    suspects = []
    for kind in ("exact", "near"):
        some = [twin for twin in conflicts if twin.kind == kind]
        if not some:
            continue
        alike = "the same picture" if kind == "exact" else "nearly the same picture"
        first = some[0]
        pairs = found_in([f"{m} ({label})" for m, label in zip(first.members, first.labels, strict=True)], limit=3)
        times = f"{len(some):,} times" if len(some) > 1 else "once"
        evidence = f"{times}, {alike} has different labels: {pairs}"
        suspects.append(Suspect("conflict", first.members[0], evidence, "decide on one label, or remove the pictures"))
    return suspects


def _twins_across_parts(images: ImageSet) -> list[Suspect]:
    parts = np.array([part or "" for part in images.parts])
    suspects = []
    for later, earlier in (("test", ("train", "val")), ("val", ("train",))):
        inside = parts == later
        if not inside.any():
            continue
        seen = np.unique(images.twin_groups[np.isin(parts, earlier)])
        leaked = np.flatnonzero(inside & np.isin(images.twin_groups, seen))
        if len(leaked):
            evidence = (
                f"{len(leaked):,} of {int(inside.sum()):,} {later} pictures have a twin in {' or '.join(earlier)}, "
                f"for instance {images.names[leaked[0]]!r}"
            )
            fix = f"remove them from {later}, or give no parts and let groups of twins stay together"
            suspects.append(Suspect("leak", f"part {later}", evidence, fix))
    return suspects


def _labels_only_in_test(images: ImageSet, chosen: npt.NDArray[np.int64]) -> list[Suspect]:
    in_test = {str(images.labels[i]) for i in chosen if images.parts[i] == "test"}
    elsewhere = {str(images.labels[i]) for i in chosen if images.parts[i] != "test"}
    alone = sorted(in_test - elsewhere)
    if not alone:
        return []
    evidence = f"{found_in(alone)} only in the test part: no model can learn them, each counts as an error"
    return [Suspect("drift", "part test", evidence, "add such pictures to train, or remove them from test")]


def _subfolders(images: ImageSet, chosen: npt.NDArray[np.int64]) -> list[Suspect]:
    folders = {(images.labels[i], images.subfolders[i]) for i in chosen if images.subfolders[i]}
    if not folders:
        return []
    example = next(images.names[i] for i in chosen if images.subfolders[i])
    inside = sum(1 for i in chosen if images.subfolders[i])
    evidence = (
        f"{inside:,} pictures lie in {len(folders):,} folders below their class, for instance {example!r}: if each is "
        "one subject or one session, pictures of it on both sides of the split flatter the score"
    )
    top = "[^/]+/" * (2 if images.parts[chosen[0]] else 1)
    fix = f"if so, --group-by '^({top}[^/]+)/'"
    return [Suspect("group", "folders below the class", evidence, fix)]


def _few(counts: Counter[str]) -> list[Suspect]:
    few = sorted((n, label) for label, n in counts.items() if n < FEW)
    if not few:
        return []
    n, label = few[0]
    n_test = max(1, round(n * TEST_SHARE))
    right = round(0.9 * n_test)
    low, high = _wilson(right, n_test)
    share = f"{100 * right / n_test:.0f} % right means {100 * low:.0f} … {100 * high:.0f} %"
    tests = "1 test picture" if n_test == 1 else f"{n_test} test pictures"
    pictures = "1 picture" if n == 1 else f"{n} pictures"
    others = [f"{other!r} ({m})" for m, other in few[1:]]
    also = f"; under {FEW} too: {_listed(others, 3)}" if others else ""
    evidence = f"{label!r} has {pictures}, about {tests}, where {share}{also}"
    return [Suspect("few", label, evidence, f"add pictures of {label!r} first: four times as many halve the interval")]


def _listed(names: Sequence[str], limit: int) -> str:
    """At most `limit` of them, and how many were left out."""
    rest = len(names) - limit
    return ", ".join(names[:limit]) + (f" and {rest} more" if rest > 0 else "")


def _wilson(n_right: int, n: int) -> tuple[float, float]:
    """95 % interval of a proportion (Wilson 1927)."""
    p, z2 = n_right / n, _Z * _Z / n
    middle = (p + z2 / 2) / (1 + z2)
    half = _Z * math.sqrt(p * (1 - p) / n + z2 / (4 * n)) / (1 + z2)
    return max(0.0, middle - half), min(1.0, middle + half)


def _imbalance(counts: Counter[str]) -> list[Suspect]:
    if len(counts) < 2:
        return []
    ranked: Sequence[tuple[str, int]] = counts.most_common()
    (most, n_most), (least, n_least) = ranked[0], ranked[-1]
    if n_most < IMBALANCE * n_least:
        return []
    share = 100 * n_most / sum(counts.values())
    evidence = f"{most!r} has {n_most:,} pictures, {least!r} {n_least:,}: always saying {most!r} is {share:.0f} % right"
    return [Suspect("imbalance", least, evidence, "read balanced accuracy and each class's recall beside the score")]
