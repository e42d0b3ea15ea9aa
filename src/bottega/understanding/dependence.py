"""How answers go with one column when nothing else changes: partial dependence, and single rows beside it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bottega.problem.table import ColumnSpec
from bottega.problem.understanding_records import Effect, EffectPoint
from bottega.understanding.association import in_order_of_time
from bottega.understanding.rows import AskedRows, plain

__all__ = ["N_POINTS", "effect_of", "grid_of"]

N_SHOWN = 24  # rows that are drawn one by one
N_POINTS = 11
MOST_VALUES = 24  # different numbers of which each is tried: the hours of a day
ENDS = (0.02, 0.98)  # quantiles: beyond them few rows say how the model goes on

Numbers = NDArray[np.float64]


def grid_of(cells: NDArray[Any], one: ColumnSpec) -> list[Any]:
    """The cells that are tried in a column: values that occur in it, and the missing one where it occurs.

    Returns:
        Numbers and dates at even quantiles, ascending (all of them where there are few); categories that the
        model knows, the most frequent first; last NaN or "" where some cell is missing. No texts: each is its own.
    """
    if one.kind == "text":
        return []
    missing = np.isnan(cells) if one.kind == "number" else cells == ""
    there = cells[~missing]
    last: list[Any] = [cells[missing][0]] if missing.any() else []
    if one.kind == "category":
        known = there[np.isin(there.astype(str), one.levels)] if one.levels else there
        names, counts = np.unique(known.astype(str), return_counts=True)
        return [*names[np.argsort(-counts, kind="stable")][:N_POINTS].tolist(), *last]
    if one.kind == "date":
        there = there[np.argsort(in_order_of_time(there, one.format), kind="stable")]
        places = np.linspace(ENDS[0], ENDS[1], N_POINTS) * (len(there) - 1)
        return [*dict.fromkeys(there[places.round().astype(int)].tolist() if len(there) else []), *last]
    few = np.unique(there)
    if len(few) > MOST_VALUES:
        even = np.linspace(ENDS[0], ENDS[1], N_POINTS)
        different, few = few, np.unique(np.quantile(there, even, method="nearest"))
        if len(few) < N_POINTS // 2:  # nearly all cells hold one number: the others have to be looked for
            few = np.union1d(few, np.quantile(different, even, method="nearest"))
    return [*few.tolist(), *last]


def effect_of(rows: AskedRows, column: str, grid: Sequence[Any], *, label: int | None = None) -> Effect:
    """Put each cell of the grid into a column of all rows, and ask.

    Args:
        rows: all of them are asked, at each point.
        label: class index whose probability is told; by default the second of two, of more the one that moves most.
    Returns:
        Means over the rows (partial dependence), and up to 24 of the rows one by one.
    Source: Friedman 2001, "Greedy function approximation"; Goldstein et al. 2015, "Peeking inside the black box" (ICE).
    """
    one, n = rows.column(column), len(rows)
    tried = np.repeat(np.array(grid, np.float64 if one.kind == "number" else object), n)
    repeated = {name: np.tile(cells, len(grid)) for name, cells in rows.cells.items()}
    answers = rows.ask(repeated | {column: tried}).reshape(len(grid), n, -1).astype(np.float64)  # (points, rows, K)
    means = answers.mean(1)  # (points, K)
    if label is None:
        label = 1 if len(rows.labels) == 2 else int(np.argmax(np.ptp(means, axis=0)))
    shown = np.unique(np.linspace(0, n - 1, min(n, N_SHOWN)).astype(np.int64))
    points = tuple(
        EffectPoint(plain(cell), float(mean[label]), tuple(single[shown, label].tolist()))
        for cell, mean, single in zip(grid, means, answers, strict=True)
    )
    name = rows.labels[label] if rows.labels else None
    what = rows.target if name is None else f"probability of {name!r}"
    return Effect(column, one.kind, what, name, points, n)
