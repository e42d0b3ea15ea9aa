"""How the cells of a column are spread over a few bins: what a file keeps of training, and new rows are counted by."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from bottega.problem.table import ColumnSummary

__all__ = ["bin_counts", "summary_of"]

N_BINS = 10  # tenths: fine enough for a shift, too coarse to tell one row's number
DIGITS = 6  # of an edge, and of a share


def summary_of(cells: npt.NDArray[Any], kind: str, levels: Sequence[str]) -> ColumnSummary | None:
    """How cells are spread; None for a date (new rows are later, and that is no news) and for no cells.

    Args:
        cells: (N,) floats with NaN, or strings with "" where missing.
        kind: number, category or date.
        levels: of a category.
    Example:
        >>> summary_of(np.array([1.0, 1.0, 2.0, np.nan]), "number", ())
        ColumnSummary(n=4, edges=(1.0, 2.0), shares=(0.5, 0.25, 0.0), missing=0.25)
    """
    if kind not in ("number", "category") or not len(cells):
        return None
    edges = _edges(cells) if kind == "number" else ()
    counts = bin_counts(cells, edges, levels if kind == "category" else None)
    shares = [round(float(count), DIGITS) for count in counts / len(cells)]
    return ColumnSummary(len(cells), edges, tuple(shares[:-1]), shares[-1])


def bin_counts(cells: npt.NDArray[Any], edges: Sequence[float], levels: Sequence[str] | None) -> npt.NDArray[np.int64]:
    """Cells in each bin, the missing ones last.

    Args:
        cells: (N,) as of `summary_of`.
        edges: of a number.
        levels: of a category, with one bin more for all others; None for a number.
    Returns:
        (len(edges) + 2,) or (len(levels) + 2,).
    """
    if levels is None:
        there = cells[~np.isnan(cells)]
        bins = np.searchsorted(np.asarray(edges, np.float64), there, side="left")
        return np.append(np.bincount(bins, minlength=len(edges) + 1), len(cells) - len(there))
    place = {level: number for number, level in enumerate(levels)} | {"": len(levels) + 1}
    bins = np.array([place.get(cell, len(levels)) for cell in cells.tolist()], np.int64)
    return np.bincount(bins, minlength=len(levels) + 2)


def _edges(cells: npt.NDArray[Any]) -> tuple[float, ...]:
    """The tenths of the numbers that are there; each different number where there are few."""
    there = cells[np.isfinite(cells)].astype(np.float64)
    if not len(there):
        return ()
    few = np.unique(there)
    found = few if len(few) <= N_BINS else np.quantile(there, np.arange(1, N_BINS) / N_BINS)
    return tuple(sorted({float(f"{edge:.{DIGITS}g}") for edge in found}))
