"""The frozen records of `curve`: how the score grows with the number of training examples."""

from dataclasses import dataclass

from bottega.problem.records import Score

__all__ = ["CurvePoint", "CurveRecord", "LawRecord"]


@dataclass(frozen=True)
class CurvePoint:
    """One number of training examples, and what came of it.

    Attributes:
        n: training examples; where several parts were drawn, their mean.
        score: mean over the draws, with the 95 % interval for other test examples.
        scores: of each draw.
        seconds: of all its trainings.
    """

    n: int
    score: Score
    scores: tuple[float, ...]
    seconds: float


@dataclass(frozen=True)
class LawRecord:
    """error = floor + scale · n^-rate, fitted to the points; the error is 1 − score where higher is better."""

    floor: float
    scale: float
    rate: float


@dataclass(frozen=True)
class CurveRecord:
    """What `bottega curve` measured and what it expects.

    Attributes:
        candidate: that was trained at each size.
        metric: that it was scored by.
        n_test: examples that scored it, the same for every size.
        source: of the test examples: held-out, given, or cv for folds.
        points: from the fewest examples to all.
        law: that the points follow.
        doubled: the score to expect with twice the examples, `n` of them, with its range (docs/statistics.md).
        gain: what that is above the fitted score of all examples, positive is better.
        is_told: whether the interval of the gain is away from nothing, or too small to matter.
        sentence: what a reader may repeat.
        stopped: the sizes that `--time` left no room for, as a sentence; "" for none.
    """

    candidate: str
    metric: str
    n_test: int
    source: str
    points: tuple[CurvePoint, ...]
    law: LawRecord
    doubled: Score
    gain: Score
    is_told: bool
    sentence: str
    stopped: str
    seconds: float
