"""How much each row of a table counts, by a column of it."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import polars as pl

from bottega.data.tables import Table
from bottega.errors import BottegaError

__all__ = ["frame_weights", "row_weights", "worth"]

LARGEST = 1e12  # of the largest weight of a table, and of its inverse

Numbers = npt.NDArray[np.float64]


def row_weights(table: Table, name: str, rows: npt.NDArray[np.int64]) -> Numbers:
    """The weights of these rows (M,), as they stand in the column.

    Raises:
        BottegaError: the column holds no numbers, one is missing, negative or infinite, all are 0, or the largest is
            too large or too small to be computed with.
    """
    series = table.frame[name]
    if not series.dtype.is_numeric():
        raise BottegaError(
            found=f"a weight column {name!r} of {table.column(name).kind} cells",
            expected="a number of 0 or more in each row",
            fix="name another column with --weight",
            where=f"{table.name}, column {name!r}",
        )
    weights: Numbers = series.cast(pl.Float64).fill_null(np.nan).to_numpy()[rows].astype(np.float64)
    _require_weights(weights, name, lambda i: f"{table.name}, row {table.rows[rows[i]]}, column {name!r}")
    return weights


def frame_weights(frame: pl.DataFrame, name: str) -> Numbers | None:
    """The weights of new rows (N,); None where they have no such column.

    Raises:
        BottegaError: as `row_weights`.
    """
    if name not in frame.columns:
        return None
    weights: Numbers = frame[name].cast(pl.Float64, strict=False).fill_null(np.nan).to_numpy().astype(np.float64)
    _require_weights(weights, name, lambda i: f"labelled row {i + 1}, column {name!r}")
    return weights


def _require_weights(weights: Numbers, name: str, place: Callable[[int], str]) -> None:
    bad = np.flatnonzero(~(np.isfinite(weights) & (weights >= 0)))
    if len(bad):
        first = weights[bad[0]]
        rest = "" if len(bad) == 1 else f", and {len(bad) - 1:,} more such rows"
        raise BottegaError(
            found=f"{'no weight' if np.isnan(first) else f'the weight {first:g}'}{rest}",
            expected="a number of 0 or more in each row",
            fix="give the row a weight, or take it out",
            where=place(int(bad[0])),
        )
    if not weights.any():
        raise BottegaError(
            found=f"the weight 0 in every row, in {name!r}", expected="rows that count", fix="leave --weight out"
        )
    if not 1 / LARGEST <= weights.max() <= LARGEST:
        raise BottegaError(
            found=f"weights of at most {weights.max():g}, in {name!r}",
            expected=f"a largest weight between {1 / LARGEST:g} and {LARGEST:g}, as 32 bits can add them up",
            fix="divide all of them by the largest: only their ratios count",
        )


def worth(weights: Numbers) -> float:
    """How many rows of equal weight these are worth for a mean.

    Example:
        >>> worth(np.array([1.0, 1.0, 2.0, 0.0]))
        2.6666666666666665

    Source: Kish 1965, "Survey Sampling".
    """
    total = float(np.square(weights).sum())
    return float(weights.sum() ** 2 / total) if total > 0 else 0.0
