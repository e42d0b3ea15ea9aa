"""Which columns drive a model's answers and how, within a stretch of time: importance, and the first ones' effects."""

from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from bottega.evaluation.intervals import interval
from bottega.evaluation.metrics import Metric
from bottega.problem.records import Progress
from bottega.problem.understanding_records import Driver, Drivers, Effect
from bottega.understanding.association import column_groups
from bottega.understanding.dependence import N_POINTS, effect_of, grid_of
from bottega.understanding.importance import N_REPEATS, N_RESAMPLES, importance, movement
from bottega.understanding.rows import STEPS, AskedRows, measure_pace, replaced

__all__ = ["find_drivers"]

N_EFFECTS = 4
FOR_SHUFFLING = 0.7  # of the time; the rest is for the effects

Numbers = NDArray[np.float64]


def find_drivers(
    rows: AskedRows,
    *,
    metric: Metric | None,
    seconds: float,
    n_rows: int | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Drivers:
    """Rank columns by what answers lose without them, and draw how answers go with the first ones.

    Args:
        metric: what is judged, each row counted once; None where the rows have no target.
        seconds: about what it may take; fewer rows are used where more would take longer.
        n_rows: rows to use, whatever the time.
        seed: of rows and shufflings.
    """
    n = len(rows)
    sample = rows.drawn(n_rows or STEPS[0], seed)
    groups = column_groups(sample.cells, sample.columns)
    pace = measure_pace(sample, partial(_judge, metric))
    if n_rows is None:
        sample = sample.drawn(pace.shuffled(N_REPEATS * len(groups) + 1, FOR_SHUFFLING * seconds), seed)

    def tell(done: int) -> None:
        if progress is not None:
            progress("shuffling columns", done, len(groups))

    score = None
    if metric is None or sample.y is None:
        found = movement(sample, groups, seed=seed, tell=tell)
    else:
        metric = metric.under(None, sample.weights)
        found = importance(sample, groups, metric, seed=seed, tell=tell)
        answers = sample.predictions(sample.ask(sample.cells))
        score = interval(metric, sample.y, answers, sample.groups, seed)
    few = sample.drawn(pace.followed(N_EFFECTS * N_POINTS, (1 - FOR_SHUFFLING) * seconds), seed)
    name = None if score is None or metric is None else metric.name
    return Drivers(n, len(sample), name, score, N_REPEATS, found, _effects(few, found, seed))


def _judge(metric: Metric | None, rows: AskedRows, answers: Numbers) -> None:
    """What one answer of all rows goes through in the resampling."""
    if metric is not None and rows.y is not None:
        scorer, weights = metric.prepare(rows.y, rows.predictions(answers)), np.ones(len(rows))
        for _ in range(N_RESAMPLES):
            scorer(weights)


def _effects(rows: AskedRows, found: Sequence[Driver], seed: int) -> tuple[Effect, ...]:
    """Of the strongest column of each of the first groups; a column with one value has no effect to draw."""
    effects: list[Effect] = []
    for driver in [one for one in found if one.measurable]:
        if len(effects) == N_EFFECTS:
            break
        column = _strongest(rows, driver.columns, seed)
        grid = grid_of(rows.cells[column], rows.column(column))
        if len(grid) > 1:
            effects.append(effect_of(rows, column, grid))
    return tuple(effects)


def _strongest(rows: AskedRows, columns: tuple[str, ...], seed: int) -> str:
    """The column of a group that moves answers most on its own."""
    if len(columns) == 1:
        return columns[0]
    order = np.random.default_rng([seed, 0x6F6E65]).permutation(len(rows))
    answers = rows.ask(rows.cells)
    moved = [
        float(np.abs(rows.ask(replaced(rows.cells, (name,), {name: rows.cells[name][order]})) - answers).mean())
        for name in columns
    ]
    return columns[int(np.argmax(moved))]
