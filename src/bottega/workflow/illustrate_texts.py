"""The evidence of a report on texts: which words drove each mistake, and the training texts that lie nearest."""

import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from bottega.data.text_characters import MAX_CHARACTERS, UNSPACED
from bottega.evaluation.evidence import NearText, TextMistake, TextPart
from bottega.evaluation.report_texts import SHOWN, WEAK
from bottega.evaluation.text_models import TermCounts, fit_terms
from bottega.evaluation.wording import opening
from bottega.shipping.text_predictor import TextModel
from bottega.workflow.text_trial import LookedTexts
from bottega.workflow.trial import Trial

__all__ = ["Similarity", "similarity_of", "text_mistakes"]

N_MISTAKES = 12
N_NEAREST = 2
N_ASKED = 40  # shortened versions of a text at once
ASKED_CHARACTERS = 8_000  # of all of them: so much is a few seconds with a sentence network, for all mistakes
FEWEST_ASKED = 8
REFINED = 3  # of the heaviest runs of words, taken apart
SHOWN_NEAR = 160
BLOCK = 4096  # texts compared at once
_WORD = re.compile(rf"[{UNSPACED}]{{1,2}}|[^\s{UNSPACED}]+")

Integers = npt.NDArray[np.int64]
Similarity = Callable[[Integers, Integers], npt.NDArray[np.float64]]
"""How alike texts are: rows (n,) and others (M,) -> (n, M), the larger the more."""


def text_mistakes(
    trial: Trial[LookedTexts], model: TextModel | None, similarity: Similarity
) -> tuple[TextMistake, ...]:
    """The surest wrong answers on the test part.

    Args:
        model: the file, to be asked again without this and that word; None where none shipped: nothing is marked.
    """
    looked, tested, material = trial.looked, trial.judged.tested, trial.material
    rows, shares = tested.rows[tested.once], tested.predictions[tested.once]
    said, sureness = shares.argmax(1), shares.max(1)
    wrong = np.flatnonzero(said != material.y[rows])
    wrong = wrong[np.argsort(-sureness[wrong], kind="stable")][:N_MISTAKES]
    nearest = _nearest(trial, rows[wrong], similarity)
    found = []
    for place, near in zip(wrong.tolist(), nearest, strict=True):
        i, answer = int(rows[place]), int(said[place])
        parts, flip = _weighed(looked, i, answer, model)
        found.append(
            TextMistake(
                parts=_cut(parts),
                truth=looked.labels[i],
                answer=looked.classes[answer],
                probability=float(sureness[place]),
                name=looked.names[i],
                flip=flip,
                nearest=tuple(
                    NearText(opening(looked.texts[j], SHOWN_NEAR), looked.labels[j], looked.names[j]) for j in near
                ),
            )
        )
    return tuple(found)


def similarity_of(counts: TermCounts, features: npt.NDArray[np.float32] | None) -> Similarity:
    """By sentence features where there are any, else by the words that two texts share, the rarer the more.

    Args:
        counts: of the terms of all texts.
        features: (N, D) of all texts.
    """

    def alike(rows: Integers, others: Integers) -> npt.NDArray[np.float64]:
        if features is None:
            fitted = fit_terms(counts, others, "words")
            shared: npt.NDArray[np.float64] = (fitted.matrix(counts, rows) @ fitted.matrix(counts, others).T).toarray()
            return shared
        centre = features.mean(0)
        own = features[rows] - centre
        parts = [_cosines(own, features[others[i : i + BLOCK]] - centre) for i in range(0, len(others), BLOCK)]
        return np.concatenate(parts, axis=1)

    return alike


def _cosines(own: npt.NDArray[np.float32], theirs: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    lengths = np.linalg.norm(own, axis=1)[:, None] * np.linalg.norm(theirs, axis=1)[None, :]
    found: npt.NDArray[np.float64] = (own @ theirs.T / np.maximum(lengths, 1e-12)).astype(np.float64)
    return found


def _nearest(trial: Trial[LookedTexts], rows: Integers, similarity: Similarity) -> list[list[int]]:
    """Of each row, the training texts that resemble it most; on small data those outside its group."""
    material = trial.material
    everyone = np.arange(len(material.y))
    seen = np.setdiff1d(everyone, trial.judged.tested.rows)
    others = seen if len(seen) else everyone
    if not len(rows):
        return []
    alike = similarity(rows, others)
    if not len(seen):
        alike[material.groups[rows][:, None] == material.groups[others][None, :]] = -np.inf
    ranked = np.argsort(-alike, axis=1, kind="stable")[:, :N_NEAREST]
    return [
        [int(others[j]) for j in places if np.isfinite(values[j]) and values[j] > 0]
        for places, values in zip(ranked.tolist(), alike, strict=True)
    ]


def _weighed(
    looked: LookedTexts, i: int, answer: int, model: TextModel | None
) -> tuple[list[TextPart], tuple[str, str] | None]:
    """The words of a text with what each does to the answer; and the one without which another would be given."""
    inputs = looked.read.inputs
    cells = [str(looked.cells[name][i])[:MAX_CHARACTERS] for name in inputs]  # what lies behind isn't read
    words = [(c, *match.span()) for c, cell in enumerate(cells) for match in _WORD.finditer(cell)]
    parts = [cells[c][start:end] for c, start, end in words]
    spaced = [k > 0 and (words[k][0] != words[k - 1][0] or words[k][1] > words[k - 1][2]) for k in range(len(words))]
    weights = np.zeros(len(words))
    flip: tuple[str, str] | None = None
    if model is not None and words:
        asker = _Asker(looked, i, cells, words, model)
        weights, flip = asker.weigh(answer)
    marked = zip(parts, weights.tolist(), spaced, strict=True)
    return [TextPart(part, weight, space) for part, weight, space in marked], flip


class _Asker:
    """Asks the file for one text without some of its words.

    Args:
        cells: the text, column by column.
        words: column, start and end of each.
    """

    def __init__(
        self,
        looked: LookedTexts,
        i: int,
        cells: list[str],
        words: list[tuple[int, int, int]],
        model: TextModel,
    ) -> None:
        self.looked = looked
        self.i = i
        self.cells = cells
        self.words = words
        self.model = model
        n_characters = sum(map(len, cells))
        self.n_asked = int(np.clip(ASKED_CHARACTERS // max(1, n_characters), FEWEST_ASKED, N_ASKED))

    def weigh(self, answer: int) -> tuple[npt.NDArray[np.float64], tuple[str, str] | None]:
        """How much the probability of the answer falls without each word; runs of words where there are many."""
        weights = np.zeros(len(self.words))
        whole = self._ask([range(0)])[0]
        runs = _runs(range(len(self.words)), self.n_asked)
        shares = self._ask(runs)
        for run, fallen in zip(runs, whole[answer] - shares[:, answer], strict=True):
            weights[run.start : run.stop] = fallen
        if len(runs) < len(self.words):  # the heaviest runs are taken apart
            heavy = sorted(runs, key=lambda run: -weights[run.start])[:REFINED]
            runs = [part for run in heavy for part in _runs(run, self.n_asked)]
            shares = self._ask(runs)
            for run, fallen in zip(runs, whole[answer] - shares[:, answer], strict=True):
                weights[run.start : run.stop] = fallen
        place = int(np.argmin(shares[:, answer]))
        other = int(shares[place].argmax())
        if other == answer:
            return weights, None
        return weights, (self._words(runs[place]), self.looked.classes[other])

    def _words(self, run: range) -> str:
        return " ".join(self.cells[c][start:end] for c, start, end in self.words[run.start : run.stop])

    def _ask(self, runs: Sequence[range]) -> npt.NDArray[np.float64]:
        """(n, C) probabilities without each of these runs of words."""
        variants = [self._without(run) for run in runs]
        cells: dict[str, npt.NDArray[Any]] = {}
        for one in self.model.columns:
            cells[one.column] = np.repeat(self.looked.cells[one.column][self.i : self.i + 1], len(runs))
        for c, name in enumerate(self.looked.read.inputs):
            cells[name] = np.array([variant[c] for variant in variants], dtype=object)
        found: npt.NDArray[np.float64] = self.model.predict_batch(cells)["probabilities"].astype(np.float64)
        return found

    def _without(self, run: range) -> list[str]:
        kept = list(self.cells)
        for c, start, end in reversed(self.words[run.start : run.stop]):
            kept[c] = f"{kept[c][:start]} {kept[c][end:]}"
        return kept


def _runs(words: range, n_most: int) -> list[range]:
    """As many runs of neighbours, of about one length."""
    ends = np.linspace(words.start, words.stop, min(len(words), n_most) + 1).round().astype(int).tolist()
    return [range(start, end) for start, end in pairwise(ends)]


def _cut(parts: Sequence[TextPart]) -> tuple[TextPart, ...]:
    """At most so many characters: the stretch whose words count most, with what stands around it."""
    ends = np.cumsum([0, *(len(part.text) + 1 for part in parts)])
    if ends[-1] <= SHOWN:
        return tuple(parts)
    worth = np.cumsum([0.0, *(part.weight if part.weight >= WEAK else 0.0 for part in parts)])
    stops = np.maximum(np.searchsorted(ends, ends[:-1] + SHOWN, "right") - 1, np.arange(len(parts)) + 1)
    inside = worth[stops] - worth[:-1]
    equals = np.flatnonzero(inside >= inside.max() - 1e-9)
    start = int(equals[len(equals) // 2]) if worth[-1] > 0 else 0
    best = range(start, int(stops[start]))
    before = [TextPart("…", 0.0)] if best.start else []
    after = [TextPart("…", 0.0, space=True)] if best.stop < len(parts) else []
    kept = [TextPart(part.text[:SHOWN], part.weight, part.space) for part in parts[best.start : best.stop]]
    return (*before, *kept, *after)
