"""How far a score may be from the truth: 95 % intervals that respect groups, small numbers and the ends of the scale.

Every rule here is written in plain words, with its source, in docs/statistics.md.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from bottega.problem.records import Score

__all__ = [
    "Measure",
    "bootstrap",
    "clusters",
    "difference",
    "difference_interval",
    "effective_n",
    "examples_for_half_the_interval",
    "interval",
    "nadeau_bengio",
    "percentile",
    "proportion",
    "resamples_for",
    "t_quantile",
    "unseen_share",
    "wilson",
]

LEVEL = 0.95
N_RESAMPLES = 2000
FEWEST_RESAMPLES = 200  # a standard error from 200 resamples is itself good to 5 %
WORK = 200_000_000  # numbers touched in one bootstrap, about 2 s: costly metrics get fewer resamples

Numbers = NDArray[np.float64]
Integers = NDArray[np.int64]
Scorer = Callable[[Numbers], float]
"""`scorer(weights (N,)) -> float`: the metric with each example counted that many times."""


class Measure(Protocol):
    """What an interval needs to know of a metric; `metrics.Metric` is one."""

    @property
    def name(self) -> str:
        """The key in records."""

    @property
    def higher_is_better(self) -> bool:
        """The direction."""

    @property
    def is_share(self) -> bool:
        """Whether values lie in [0, 1] with 1 for perfect, as shares do."""

    @property
    def prepare(self) -> Callable[[Any, Any], Scorer]:
        """`prepare(y, predictions)` gives the scorer of these examples."""

    @property
    def right(self) -> Callable[[Any, Any], Any] | None:
        """`right(y, predictions)` (N,) bool, where the metric is the share of these; else None."""

    @property
    def row_weights(self) -> Numbers | None:
        """(N,) how much each example counts; None for all the same."""


@dataclass(frozen=True)
class _Clusters:
    """Which group each example is in, how much it counts, and how unequal the groups are."""

    index: Integers  # (N,) in [0, n_groups)
    n_groups: int
    weights: Numbers | None = None  # (N,); None for all the same

    @property
    def n(self) -> int:
        return len(self.index)

    @property
    def are_single(self) -> bool:
        return self.n_groups == self.n

    @property
    def n_worth(self) -> float:
        """Independent examples that these are worth at worst; Kish 1965, as in `effective_n`."""
        sizes = np.bincount(self.index, weights=self.weights).astype(np.float64)
        total = float((sizes**2).sum())
        return float(sizes.sum() ** 2 / total) if total > 0 else 0.0


def clusters(
    groups: NDArray[Any] | Sequence[Any] | None, n: int, weights: NDArray[np.float64] | None = None
) -> _Clusters:
    """Number the groups; None makes each example a group of its own."""
    if groups is None:
        return _Clusters(np.arange(n), n, weights)
    names, index = np.unique(np.asarray(groups), return_inverse=True)
    if len(index) != n:
        raise ValueError(f"{len(index)} group numbers for {n} examples: one each is needed")
    return _Clusters(index.reshape(-1), len(names), weights)


def wilson(n_right: float, n: float, *, level: float = LEVEL) -> tuple[float, float]:
    """Wilson's score interval of a proportion; never outside [0, 1], never of width zero.

    Args:
        n_right: successes; may be a fraction where `n` is an effective number.
        n: trials.
        level: share of such intervals that contain the truth.
    Source: Wilson 1927, "Probable inference, the law of succession, and statistical inference"; Brown, Cai and
        DasGupta 2001, "Interval estimation for a binomial proportion".

    Example:
        >>> [round(end, 3) for end in wilson(236, 261)]
        [0.862, 0.934]
    """
    if n <= 0:
        return 0.0, 1.0
    z = NormalDist().inv_cdf(0.5 + level / 2)
    share = n_right / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(max(share * (1 - share), 0.0) / n + z * z / (4 * n * n))
    low = 0.0 if share <= 0 else max(0.0, middle - half)
    high = 1.0 if share >= 1 else min(1.0, middle + half)
    return low, high


def effective_n(
    groups: NDArray[Any] | Sequence[Any] | None, n: int, weights: NDArray[np.float64] | None = None
) -> float:
    """Number of independent examples that groups are worth at worst: as if all of a group were copies.

    Args:
        weights: (n,) how much each example counts; None for all the same.
    Source: Kish 1965, "Survey Sampling", with an intra-group correlation of 1.
    """
    return clusters(groups, n, weights).n_worth if n else 0.0


def proportion(right: NDArray[Any], groups: NDArray[Any] | None = None, *, level: float = LEVEL) -> Score:
    """Share of right answers with its interval: Wilson on the number of examples that the groups are worth.

    Args:
        right: (N,) truth values.
        groups: (N,) equal for examples that belong together; None when all are independent.
        level: share of such intervals that contain the truth.
    """
    values = np.asarray(right, dtype=np.float64)
    cells = clusters(groups, len(values))
    if cells.n == 0:
        return Score(0, math.nan, 0.0, 1.0, True, 0)
    mean = float(values.mean())
    if cells.are_single:
        low, high = wilson(values.sum(), cells.n, level=level)
        return Score(cells.n, mean, low, high, True, cells.n_groups)
    # the variance that resampling whole groups tends to, without the resampling
    residuals = np.bincount(cells.index, weights=values - mean, minlength=cells.n_groups)
    variance = float((residuals**2).sum()) / cells.n**2
    low, high = _share_interval(mean, variance, cells, level)
    return Score(cells.n, mean, low, high, True, cells.n_groups)


def interval(
    metric: Measure,
    y: NDArray[Any],
    predictions: NDArray[Any],
    groups: NDArray[Any] | None = None,
    seed: int = 0,
) -> Score:
    """One metric with its 95 % interval, by the rule that suits it.

    Args:
        metric: what is measured.
        y: (N,) class indices, -1 for a label that training never saw; or (N,) values.
        predictions: (N, C) probabilities, or (N,) values.
        groups: (N,) equal for examples that belong together; None when all are independent.
        seed: of the resampling.
    Returns:
        A share by Wilson on the effective number of examples, anything else by a cluster bootstrap.
        NaN, with NaN ends, where the metric isn't defined (one class only, no example).
    """
    cells = clusters(groups, len(y), metric.row_weights)
    if metric.right is not None:
        return proportion(metric.right(np.asarray(y), predictions) if cells.n else np.zeros(0), groups)
    scorer = metric.prepare(np.asarray(y), np.asarray(predictions))
    return interval_of(metric, scorer, cells, seed, n_columns=_n_columns(metric, predictions))


def interval_of(metric: Measure, scorer: Scorer, cells: _Clusters, seed: int, *, n_columns: int = 1) -> Score:
    """The interval of a scorer that is already prepared; `n_columns` is its cost beside a plain mean."""
    value = scorer(np.ones(cells.n)) if cells.n else math.nan
    if math.isnan(value) or cells.n_groups < 2:
        low, high = (math.nan, math.nan) if math.isnan(value) or not metric.is_share else (0.0, 1.0)
        return Score(cells.n, value, low, high, metric.higher_is_better, cells.n_groups)
    sample = bootstrap([scorer], cells, seed, n_resamples=resamples_for(cells.n * n_columns))[:, 0]
    sample = sample[np.isfinite(sample)]  # a resample without one of two classes has no such score
    if metric.is_share:
        low, high = _share_interval(value, float(sample.var()), cells, LEVEL)
    else:
        low, high = percentile(sample, cells.n_groups)
    return Score(cells.n, value, low, high, metric.higher_is_better, cells.n_groups)


def bootstrap(
    scorers: Sequence[Scorer], cells: _Clusters, seed: int, *, n_resamples: int = N_RESAMPLES
) -> NDArray[np.float64]:
    """Draw whole groups with replacement and score each draw, all scorers on the same draws.

    Args:
        scorers: (S,) prepared metrics.
        cells: the groups, from `clusters`.
        seed: of the drawing.
        n_resamples: B.
    Returns:
        (B, S) scores.
    Source: Davison and Hinkley 1997, "Bootstrap Methods and their Application".
    """
    rng = np.random.default_rng([seed, 0x626F6F74])
    values = np.empty((n_resamples, len(scorers)))
    for row in range(n_resamples):
        drawn = rng.integers(0, cells.n_groups, cells.n_groups, dtype=np.int32)
        counts = np.bincount(drawn, minlength=cells.n_groups).astype(np.float64)
        weights = counts[cells.index]
        for column, scorer in enumerate(scorers):
            values[row, column] = scorer(weights)
    return values


def percentile(sample: Numbers, n_groups: int, *, level: float = LEVEL) -> tuple[float, float]:
    """Quantiles of a bootstrap sample, a little further out where groups are few.

    Source: Hesterberg 2015, "What teachers should know about the bootstrap" (the expanded percentile).
    """
    if len(sample) == 0:
        return math.nan, math.nan
    reach = math.sqrt(n_groups / (n_groups - 1)) * t_quantile(0.5 + level / 2, n_groups - 1)
    tail = NormalDist().cdf(-reach)
    low, high = np.quantile(sample, [tail, 1 - tail])
    return float(low), float(high)


def difference(
    metric: Measure,
    y: NDArray[Any],
    first: NDArray[Any],
    second: NDArray[Any],
    groups: NDArray[Any] | None = None,
    *,
    seed: int = 0,
) -> Score:
    """First minus second on the same examples, with the 95 % interval of the difference.

    Pairing takes out what both find hard, so it sees differences that two separate intervals hide.

    Args:
        metric: what is measured.
        y: (N,) class indices or values.
        first: predictions of the one candidate, (N, C) or (N,).
        second: predictions of the other.
        groups: (N,) equal for examples that belong together; None when all are independent.
        seed: of the resampling.
    """
    cells = clusters(groups, len(y), metric.row_weights)
    scorers = [metric.prepare(np.asarray(y), np.asarray(predictions)) for predictions in (first, second)]
    ones = np.ones(cells.n)
    value = scorers[0](ones) - scorers[1](ones) if cells.n else math.nan
    sample = np.zeros(0)
    if not math.isnan(value) and cells.n_groups > 1:
        n_resamples = resamples_for(cells.n * 2 * _n_columns(metric, first))
        both = bootstrap(scorers, cells, seed, n_resamples=n_resamples)
        sample = both[:, 0] - both[:, 1]
    low, high = difference_interval(metric, value, sample[np.isfinite(sample)], cells.n_groups, cells.n_worth)
    return Score(cells.n, value, low, high, metric.higher_is_better, cells.n_groups)


def difference_interval(
    metric: Measure, value: float, sample: Numbers, n_groups: int, n_effective: float
) -> tuple[float, float]:
    """The 95 % interval of a paired difference from its bootstrap sample, never narrower than N allows."""
    if len(sample) == 0 or n_groups < 2:
        return (-1.0, 1.0) if metric.is_share else (math.nan, math.nan)
    low, high = percentile(sample, n_groups)
    if metric.is_share:
        floor = unseen_share(n_effective)
        low, high = max(-1.0, min(low, value - floor)), min(1.0, max(high, value + floor))
    return low, high


def unseen_share(n: float, *, level: float = LEVEL) -> float:
    """The largest share of cases that n examples may have failed to show: Wilson's bound at 0 of n.

    A resampling can only repeat what it was given: two models that agree on 30 examples differ by 0 in every
    resample, yet may differ on one in nine. No difference of shares is called narrower than this.
    """
    z = NormalDist().inv_cdf(0.5 + level / 2)
    return z * z / (n + z * z)


def resamples_for(work: int) -> int:
    """How many resamples `work` numbers each leave time for."""
    return int(np.clip(WORK // max(work, 1), FEWEST_RESAMPLES, N_RESAMPLES))


def nadeau_bengio(differences: NDArray[Any], n_train: float, n_test: float) -> tuple[float, float, float, float]:
    """Mean difference over resamples of the same data, with its standard error and 95 % interval.

    Training parts of resamples overlap, so that their differences aren't independent; the plain standard error is
    far too small.

    Args:
        differences: (J,) one candidate minus the other, for each resample or fold.
        n_train: examples that each resample trained on.
        n_test: examples that each resample was tested on.
    Returns:
        Mean, corrected standard error, low, high.
    Source: Nadeau and Bengio 2003, "Inference for the generalization error".
    """
    values = np.asarray(differences, dtype=np.float64)
    if len(values) < 2:
        raise ValueError(f"{len(values)} differences: at least 2 resamples are needed")
    mean = float(values.mean())
    error = math.sqrt((1 / len(values) + n_test / n_train) * float(values.var(ddof=1)))
    reach = t_quantile(0.975, len(values) - 1) * error
    return mean, error, mean - reach, mean + reach


def examples_for_half_the_interval(score: Score, *, is_share: bool = True) -> int:
    """How many more examples of the same kind would halve the interval.

    Args:
        score: a score with its interval.
        is_share: whether the score lies in [0, 1]; otherwise widths shrink with the square root.
    Returns:
        Examples to add to `score.n`.

    Example:
        >>> low, high = wilson(236, 261)
        >>> examples_for_half_the_interval(Score(261, 236 / 261, low, high))
        774
    """
    width = score.high - score.low
    if not is_share or not math.isfinite(width) or width <= 0:
        return 3 * score.n
    return math.ceil(score.n * (_n_for_width(score.score, width / 2) / _n_for_width(score.score, width) - 1))


def t_quantile(share: float, degrees: float) -> float:
    """Quantile of Student's t, for `share` > 0.5; good to 1 % from three degrees of freedom up, exact for one and two.

    Source: Abramowitz and Stegun 1964, 26.7.5 (expansion in 1 / degrees).
    """
    if degrees < 1:
        return math.inf
    if degrees < 2:
        return math.tan(math.pi * (share - 0.5))
    if degrees < 3:
        return (2 * share - 1) / math.sqrt(2 * share * (1 - share))
    z = NormalDist().inv_cdf(share)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(term / degrees**power for power, term in enumerate(terms, start=1))


def _share_interval(value: float, variance: float, cells: _Clusters, level: float) -> tuple[float, float]:
    """Wilson on the number of independent examples that would have this variance.

    Source: Korn and Graubard 1998, "Confidence intervals for proportions with small expected number of positive
    counts estimated from survey data"; Franco et al. 2019 on Wilson's interval with it.
    """
    if cells.n_groups < 2:
        return 0.0, 1.0
    worst = cells.n_worth
    spread = value * (1 - value)
    if spread <= 1e-12 or variance <= 0:
        return wilson(value * worst, worst, level=level)  # nothing to learn from: each group may be copies of one
    z, t = NormalDist().inv_cdf(0.5 + level / 2), t_quantile(0.5 + level / 2, cells.n_groups - 1)
    shrink = (cells.n_groups - 1) / cells.n_groups * (z / t) ** 2  # few groups say little about their own variance
    n = min(spread / variance * shrink, cells.n)
    low, high = wilson(value * n, n, level=level)
    # one mistake must not promise more than none: a perfect score on these groups is the limit
    return min(low, wilson(worst, worst, level=level)[0]), max(high, wilson(0.0, worst, level=level)[1])


def _n_for_width(value: float, width: float) -> float:
    """Trials for which Wilson's interval has a width, by bisection."""
    low, high = 1e-3, 1e12
    for _ in range(200):
        middle = math.sqrt(low * high)
        ends = wilson(value * middle, middle)
        low, high = (middle, high) if ends[1] - ends[0] > width else (low, middle)
    return high


def _n_columns(metric: Measure, predictions: NDArray[Any]) -> int:
    """Ranking metrics go over the examples once for each class."""
    ranks = metric.name in ("roc_auc", "average_precision")
    return 4 * max(1, predictions.shape[1] if predictions.shape[1] > 2 else 1) if ranks and predictions.ndim > 1 else 1
