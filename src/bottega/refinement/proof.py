"""Whether a change helps: the same examples, the same seeds, with it and without it."""

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bottega.evaluation.intervals import Measure, difference, t_quantile
from bottega.problem.records import Score

__all__ = ["paired_gain"]


def paired_gain(
    metric: Measure,
    y: NDArray[Any],
    changed: Sequence[NDArray[Any]],
    unchanged: Sequence[NDArray[Any]],
    groups: NDArray[Any] | None = None,
    *,
    n_compared: int = 1,
) -> Score:
    """How much better the changed answers are, with an interval over examples and seeds.

    Half the interval over examples (the mean over the seeds) and half the one over seeds (Student's, of the gain of
    each seed) add up in squares; the sum is a little too wide, since what example and seed do together is in both.

    Args:
        y: (N,) class indices.
        changed, unchanged: (N, C) answers, one for each seed, in the same order of seeds.
        groups: (N,) equal for examples that belong together; None when all are independent.
        n_compared: changes that are tried beside each other: all their intervals hold together in 95 % of cases.
    Returns:
        The gain, positive where the change is better; with one seed the luck of the seed isn't in the interval.
    Source: Bonferroni for several changes; the paired bootstrap is that of `evaluation.intervals.difference`.
    Example:
        >>> from bottega.evaluation.metrics import METRICS
        >>> right, wrong = np.eye(2)[[0, 1] * 50], np.eye(2)[[0, 0] * 50]
        >>> gain = paired_gain(METRICS["accuracy"], np.array([0, 1] * 50), [right] * 3, [wrong] * 3)
        >>> gain.score, gain.low > 0.3
        (0.5, True)
    """
    n_seeds, sign = len(changed), 1.0 if metric.higher_is_better else -1.0
    examples = np.arange(len(y)) if groups is None else groups
    whole = difference(
        metric, np.tile(y, n_seeds), np.concatenate(changed), np.concatenate(unchanged), np.tile(examples, n_seeds)
    )
    share = 1 - 0.025 / n_compared
    wider = NormalDist().inv_cdf(share) / NormalDist().inv_cdf(0.975)
    by_seed = [
        _value(metric, y, first) - _value(metric, y, second) for first, second in zip(changed, unchanged, strict=True)
    ]
    luck = 0.0
    if n_seeds > 1:
        luck = t_quantile(share, n_seeds - 1) * float(np.std(by_seed, ddof=1)) / math.sqrt(n_seeds)
    value = whole.score
    below, above = (math.hypot(wider * abs(value - end), luck) for end in (whole.low, whole.high))
    ends = sorted((sign * (value - below), sign * (value + above)))
    low, high = (max(-1.0, ends[0]), min(1.0, ends[1])) if metric.is_share else ends
    return Score(len(y), sign * value, low, high, True, whole.n_groups)


def _value(metric: Measure, y: NDArray[Any], answers: NDArray[Any]) -> float:
    return float(metric.prepare(y, answers)(np.ones(len(y))))
