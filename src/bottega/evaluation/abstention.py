"""When an answer is sure: the lowest confidence from which on the model keeps the promise that was asked for."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bottega.evaluation.intervals import effective_n, proportion, wilson
from bottega.problem.records import Score

__all__ = ["Coverage", "Sure", "coverage_curve", "sure_threshold"]

SURE_AT = 0.95
ALPHA = 0.05  # chance that the promise is made though the truth is below it
N_STARTS = 3  # where one unlucky mistake among the surest must not decide all
N_STEPS = 50  # thresholds tried on the way down; more would add chances to stop, not to gain

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Sure:
    """The threshold of `sure`, and what it promises.

    Attributes:
        threshold: an answer is sure when its probability is at least this; infinite when nothing is sure.
        coverage: share of the calibrate half that is sure.
        accuracy: of those, with its plain 95 % interval; NaN when nothing is sure.
        lower_bound: what the accuracy is above, with 95 % confidence after all thresholds that were tried.
        sure_at: the accuracy that was asked for.
        why: one sentence.
    """

    threshold: float
    coverage: float
    accuracy: Score
    lower_bound: float
    sure_at: float
    why: str


@dataclass(frozen=True)
class Coverage:
    """Accuracy of the answers that remain as the model is asked to be surer, from all of them to the surest few.

    Attributes:
        threshold: (K,) lowest probability that is answered.
        coverage: (K,) share of examples answered, descending.
        accuracy: (K,) share of those that are right.
        low: (K,) lower end of its 95 % interval.
        high: (K,) upper end.
    """

    threshold: tuple[float, ...]
    coverage: tuple[float, ...]
    accuracy: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


def sure_threshold(
    y: NDArray[Any],
    probabilities: NDArray[Any],
    groups: NDArray[Any] | None = None,
    *,
    sure_at: float = SURE_AT,
    said: NDArray[Any] | None = None,
) -> Sure:
    """Find the lowest threshold at which accuracy is proved to be at least `sure_at`.

    Thresholds are tried from the strictest downwards, and the first that fails ends the descent, so that trying many
    needs no correction; three descents start at different places and share the 5 % between them.

    Args:
        y: (N,) class indices of the calibrate half; -1 (a label that training never saw) is always wrong.
        probabilities: (N, C) calibrated.
        groups: (N,) equal for examples that belong together; None when all are independent.
        sure_at: in (0, 1).
        said: (N,) the answers; None for the most probable ones.
    Source: Angelopoulos et al. 2021, "Learn then test" (fixed sequence testing with several starts).
    """
    if not 0 < sure_at < 1:
        raise ValueError(f"sure_at is {sure_at}: a share between 0 and 1 is needed")
    answers = _Answers(y, probabilities, groups, said)
    level = 1 - 2 * ALPHA / N_STARTS  # a two-sided interval has half of its misses below
    fewest = answers.first_that_could_pass(sure_at, level)
    found: tuple[int, float] | None = None
    if fewest is not None:
        for start in (fewest * 2**number for number in range(N_STARTS)):
            for end in answers.ends(start):
                bound = answers.score(end, level).low
                if bound < sure_at:
                    break
                if found is None or end >= found[0]:
                    found = end, bound
    if found is None:
        return Sure(
            math.inf, 0.0, Score(0, math.nan, 0.0, 1.0, True, 0), 0.0, sure_at, answers.why_not(sure_at, fewest)
        )
    end, bound = found
    score = answers.score(end, 0.95)
    threshold = float(answers.confidence[end - 1])
    why = (
        f"answers with a probability of {threshold:.3g} or more are right at least {_percent(sure_at)} of the time, "
        f"with 95 % confidence: {int(answers.right[:end].sum())} of the {end} that showed it were"
    )
    return Sure(threshold, end / answers.n, score, bound, sure_at, why)


def coverage_curve(
    y: NDArray[Any],
    probabilities: NDArray[Any],
    groups: NDArray[Any] | None = None,
    *,
    n_points: int = 50,
    said: NDArray[Any] | None = None,
) -> Coverage:
    """Accuracy against the share of examples answered.

    Each interval is for its own point; reading the best point off the curve needs `sure_threshold`.

    Source: El-Yaniv and Wiener 2010, "On the foundations of noise-free selective classification".
    """
    answers = _Answers(y, probabilities, groups, said)
    wanted = np.unique(np.ceil(np.linspace(0, 1, n_points + 1)[1:] * answers.n).astype(np.int64))
    ends = sorted({answers.whole(int(end)) for end in wanted if end > 0}, reverse=True)
    scores = [answers.score(end, 0.95) for end in ends]
    return Coverage(
        threshold=tuple(float(answers.confidence[end - 1]) for end in ends),
        coverage=tuple(end / answers.n for end in ends),
        accuracy=tuple(score.score for score in scores),
        low=tuple(score.low for score in scores),
        high=tuple(score.high for score in scores),
    )


class _Answers:
    """The answers in order of confidence, the surest first."""

    def __init__(
        self,
        y: NDArray[Any],
        probabilities: NDArray[Any],
        groups: NDArray[Any] | None,
        said: NDArray[Any] | None = None,
    ) -> None:
        self.n = len(y)
        if said is None:
            said = np.argmax(probabilities, axis=1) if self.n else np.zeros(0, np.int64)
        confidence = probabilities[np.arange(self.n), said] if self.n else np.zeros(0)
        order = np.argsort(-confidence, kind="stable")
        self.confidence: Numbers = confidence[order].astype(np.float64)
        right = said == np.asarray(y)
        self.right: NDArray[np.bool_] = right[order]
        self.groups = None if groups is None else np.asarray(groups)[order]

    def whole(self, end: int) -> int:
        """The smallest number of answers that holds the first `end` and leaves no equal confidence out."""
        return int(np.searchsorted(-self.confidence, -self.confidence[end - 1], side="right"))

    def score(self, end: int, level: float) -> Score:
        """Accuracy of the first `end` answers."""
        return proportion(self.right[:end], None if self.groups is None else self.groups[:end], level=level)

    def first_that_could_pass(self, sure_at: float, level: float) -> int | None:
        """The fewest answers that would pass if all were right; which depends on no label."""
        low, high = 1, self.n + 1
        while low < high:
            middle = (low + high) // 2
            groups = None if self.groups is None else self.groups[:middle]
            n = effective_n(groups, middle)
            passes = wilson(n, n, level=level)[0] >= sure_at
            low, high = (low, middle) if passes else (middle + 1, high)
        return low if low <= self.n else None

    def ends(self, start: int) -> Iterator[int]:
        """Numbers of answers to test, from the strictest on; they depend on no label."""
        step = max(1, self.n // N_STEPS)
        last = 0
        for end in (*range(start, self.n, step), self.n):
            if end >= start and (whole := self.whole(end)) > last:
                last = whole
                yield whole

    def why_not(self, sure_at: float, fewest: int | None) -> str:
        """Why nothing is sure."""
        if fewest is None:
            return (
                f"nothing is sure: {self.n} examples can't show an accuracy of {_percent(sure_at)}, "
                "even if every answer were right"
            )
        return (
            f"nothing is sure: even among the surest answers accuracy isn't proved to be {_percent(sure_at)} "
            f"({int(self.right[:fewest].sum())} of the first {fewest} are right)"
        )


def _percent(share: float) -> str:
    return f"{100 * share:g} %"
