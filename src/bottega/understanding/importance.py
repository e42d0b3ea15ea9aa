"""What a model's answers lose when columns are shuffled: permutation importance, with an interval and a verdict."""

from collections.abc import Callable, Iterator, Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from bottega.evaluation.choice import holm
from bottega.evaluation.intervals import Scorer, bootstrap, clusters, difference_interval, percentile
from bottega.evaluation.metrics import Metric
from bottega.problem.records import Score
from bottega.problem.understanding_records import Driver
from bottega.understanding.association import ColumnGroup
from bottega.understanding.rows import AskedRows, replaced

__all__ = ["N_REPEATS", "N_RESAMPLES", "importance", "movement"]

N_REPEATS = 5
N_RESAMPLES = 400  # the end of an interval then wavers by a thirtieth of its width; all columns share the draws
STILL = 0.001  # of the spread of all answers: who moves them less, moves nothing

Numbers = NDArray[np.float64]
Integers = NDArray[np.int64]


def importance(
    rows: AskedRows,
    groups: Sequence[ColumnGroup],
    metric: Metric,
    *,
    seed: int,
    tell: Callable[[int], None] = lambda _: None,
) -> tuple[Driver, ...]:
    """How much worse the metric gets when the cells of columns are shuffled among the rows.

    The interval is that of the mean over shufflings, by drawing rows (groups of rows) with replacement, paired: the
    same draws score the answers as they are. A shuffled row counts as often as both of its halves were drawn, its own
    and that of the row that lent the cells: else it would be as if other rows could not have lent others.

    Args:
        rows: with their targets.
        groups: of columns, each shuffled as one.
        tell: called with the number of groups done.
    Returns:
        The most important first. `measurable`: above 0 beyond chance, Holm's correction over the groups.
    Source: Breiman 2001, "Random forests"; Fisher, Rudin and Dominici 2019, "All models are wrong, but many are
        useful" (model reliance, a U-statistic of pairs of rows).
    """
    if rows.y is None:
        raise ValueError("rows without a target: movement() needs none")
    scorers = [metric.prepare(rows.y, rows.predictions(rows.ask(rows.cells)))]
    for order, answers in _shuffled(rows, groups, seed, tell):
        scorers.append(_of_pairs(metric.prepare(rows.y, rows.predictions(answers)), order))
    cells, ones = clusters(rows.groups, len(rows), rows.weights), np.ones(len(rows))
    sign = 1.0 if metric.higher_is_better else -1.0
    losses = _losses(np.array([[scorer(ones) for scorer in scorers]]), len(groups), sign)[0]
    samples = _losses(bootstrap(scorers, cells, seed, n_resamples=N_RESAMPLES), len(groups), sign)
    found, p_values = [], []
    for group, loss, sample in zip(groups, losses.tolist(), samples.T, strict=True):
        drawn = sample[np.isfinite(sample)]  # a draw without one of two classes has no such score
        low, high = difference_interval(metric, loss, drawn, cells.n_groups, cells.n_worth)
        spread = float(drawn.std()) if len(drawn) else 0.0
        p_values.append(1 - NormalDist().cdf(loss / spread) if spread > 0 else 1.0)
        found.append(Driver(group.columns, _score(rows, loss, low, high, cells.n_groups), False, group.weakest))
    return _ranked(
        found, [beyond and one.importance.low > 0 for beyond, one in zip(holm(p_values), found, strict=True)]
    )


def movement(
    rows: AskedRows, groups: Sequence[ColumnGroup], *, seed: int, tell: Callable[[int], None] = lambda _: None
) -> tuple[Driver, ...]:
    """How far answers move when the cells of columns are shuffled, where there is no target to score them by.

    Returns:
        The mean distance to the answer as it was: of values, in their unit; of probabilities, half the sum of the
        differences over the classes. `measurable`: a thousandth of the spread of all answers at least.
    """
    before = rows.ask(rows.cells)
    spread = 1.0 if rows.labels else float(before.std())
    cells, ones = clusters(rows.groups, len(rows)), np.ones(len(rows))
    scorers = [
        _of_pairs(_mean_of(_distance(before, answers, is_class=bool(rows.labels))), order)
        for order, answers in _shuffled(rows, groups, seed, tell)
    ]
    means = np.array([scorer(ones) for scorer in scorers]).reshape(-1, N_REPEATS).mean(1)
    samples = bootstrap(scorers, cells, seed, n_resamples=N_RESAMPLES).reshape(N_RESAMPLES, -1, N_REPEATS).mean(2)
    found = []
    for group, mean, sample in zip(groups, means.tolist(), samples.T, strict=True):
        low, high = percentile(sample, cells.n_groups) if cells.n_groups > 1 else (float("nan"), float("nan"))
        found.append(Driver(group.columns, _score(rows, mean, low, high, cells.n_groups), False, group.weakest))
    return _ranked(found, [one.importance.score > STILL * spread for one in found])


def _shuffled(
    rows: AskedRows, groups: Sequence[ColumnGroup], seed: int, tell: Callable[[int], None]
) -> Iterator[tuple[Integers, Numbers]]:
    """For each group N_REPEATS times the order that was drawn, and the answers; a group's columns keep together."""
    for place, group in enumerate(groups):
        rng = np.random.default_rng([seed, place, 0x73687566])
        for _ in range(N_REPEATS):
            order = rng.permutation(len(rows))
            lent = {name: rows.cells[name][order] for name in group.columns}
            yield order, rows.ask(replaced(rows.cells, group.columns, lent))
        tell(place + 1)


def _of_pairs(scorer: Scorer, order: Integers) -> Scorer:
    """Rows that borrowed cells from the rows in `order`: each counts as often as both were drawn."""

    def of_pairs(weights: Numbers) -> float:
        both = weights * weights[order]
        return scorer(both) if both.any() else float("nan")

    return of_pairs


def _losses(scores: Numbers, n_groups: int, sign: float) -> Numbers:
    """(B, 1 + n_groups · N_REPEATS) scores to (B, n_groups) mean losses."""
    after: Numbers = scores[:, 1:].reshape(len(scores), n_groups, N_REPEATS).mean(2)
    lost: Numbers = sign * (scores[:, :1] - after)
    return lost


def _distance(before: Numbers, after: Numbers, *, is_class: bool) -> Numbers:
    gaps: Numbers = np.abs(after - before).sum(1)
    return gaps / 2 if is_class else gaps


def _mean_of(values: Numbers) -> Scorer:
    def scorer(weights: Numbers) -> float:
        return float(weights @ values / weights.sum())

    return scorer


def _score(rows: AskedRows, value: float, low: float, high: float, n_groups: int) -> Score:
    return Score(len(rows), value, low, high, True, n_groups)


def _ranked(found: Sequence[Driver], measurable: Sequence[bool]) -> tuple[Driver, ...]:
    drivers = [
        Driver(one.columns, one.importance, is_measurable, one.association)
        for one, is_measurable in zip(found, measurable, strict=True)
    ]
    return tuple(sorted(drivers, key=lambda one: (-one.importance.score, one.columns)))
