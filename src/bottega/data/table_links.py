"""How much each column alone says about the target, measured on rows that it was not fitted on."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from bottega.data.table_content import codes_of
from bottega.data.tables import Table

__all__ = ["Link", "Target", "View", "explained", "measure_links"]

MAX_ROWS = 50_000  # drawn from larger tables; the intervals say what that costs
MAX_BINS = 48
SHRINK = 1.0  # rows of the overall mean that are added to each bin, so that a bin of one row doesn't parrot it
_Z = 1.959964

Codes = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Link:
    """What one column explains of the target.

    Attributes:
        share: of the squared error of a guess without any column that is removed; 1 is all, 0 nothing. It is R² for a
            number, the Brier skill score for classes.
        low, high: 95 % interval.
        missing_share: the same for the bare fact that the cell is missing.
    """

    column: str
    share: float
    low: float
    high: float
    n: int
    missing_share: float = 0.0
    missing_low: float = 0.0


@dataclass(frozen=True)
class Target:
    """The target of the rows that have one.

    Attributes:
        values: (n,) numbers, or class indices.
        classes: (k,) labels; empty for a number.
    """

    values: Floats
    classes: tuple[str, ...]

    @property
    def n_classes(self) -> int:
        """0 for a number."""
        return len(self.classes)


class View:
    """The rows of a table that have a target, at most 50,000 of them, with what several checks need of each column.

    Args:
        classes: labels of a classification, () for a number.
    """

    def __init__(self, table: Table, classes: tuple[str, ...]) -> None:
        self.table = table
        column = table.target
        rows = np.arange(len(table))
        if column is not None:
            there = table.frame[column.name].is_not_null()
            if table.frame[column.name].dtype.is_float():
                there &= table.frame[column.name].is_finite().fill_null(False)
            rows = np.flatnonzero(there.to_numpy())
        self.n_rows = len(rows)
        if len(rows) > MAX_ROWS:
            rows = np.sort(np.random.default_rng(0).choice(rows, MAX_ROWS, replace=False))
        self.rows = rows
        self.frame = table.frame if len(rows) == len(table) else table.frame[rows]
        self.fold = np.random.default_rng(1).integers(0, 2, len(rows))
        self.target = None if column is None else _target(self.frame[column.name], classes)

    def numbers(self, name: str) -> Floats:
        """Cells as float64, NaN where missing; a date in seconds."""
        series = self.frame[name]
        if series.dtype.is_temporal():
            return series.cast(pl.Int64).cast(pl.Float64).to_numpy() / 1e6
        return series.to_numpy()

    def codes(self, name: str) -> tuple[Codes, int]:
        """Each cell's bin, 0 for a missing one, and how many bins there are."""
        series = self.frame[name]
        if series.dtype.is_numeric() or series.dtype.is_temporal():
            return _bins(self.numbers(name))
        codes, names = codes_of(series)
        return codes, len(names) + 1

    @cached_property
    def numeric(self) -> tuple[str, ...]:
        """Features that are numbers."""
        features = self.table.features
        return tuple(one.name for one in features if self.frame[one.name].dtype.is_float())


def _target(series: pl.Series, classes: tuple[str, ...]) -> Target:
    if not classes:
        return Target(series.cast(pl.Float64, strict=False).to_numpy(), ())
    text = labels(series)
    values = text.replace_strict(list(classes), list(range(len(classes))), default=None, return_dtype=pl.Float64)
    return Target(values.to_numpy(), classes)


def labels(series: pl.Series) -> pl.Series:
    """Cells as the label that is shown: 1 rather than 1.0."""
    if series.dtype.is_float():
        whole = (series == series.round()).all()
        return series.cast(pl.Int64 if whole else pl.Float64, strict=False).cast(pl.String)
    return series.cast(pl.String)


def _bins(values: Floats) -> tuple[Codes, int]:
    """Bins of about equal size; bin 0 holds what is missing."""
    there = np.isfinite(values)
    some = values[there]
    n_bins = min(MAX_BINS, max(4, math.isqrt(len(some))))
    edges = np.unique(np.quantile(some, np.linspace(0, 1, n_bins + 1)[1:-1])) if len(some) else np.zeros(0)
    codes = np.where(there, np.searchsorted(edges, values, side="left") + 1, 0)
    return codes, len(edges) + 2


def measure_links(view: View) -> tuple[Link, ...]:
    """What each feature alone explains of the target, the strongest first."""
    if view.target is None or len(view.rows) < 4 or np.ptp(view.target.values) == 0:
        return ()
    found = []
    for column in view.table.features:
        codes, n_bins = view.codes(column.name)
        share, low, high = explained(codes, n_bins, view.target, view.fold)
        if not view.target.n_classes and view.frame[column.name].dtype.is_float():
            share, low, high = max((share, low, high), _linear(view.numbers(column.name), view.target.values))
        missing, missing_low = 0.0, 0.0
        if 0 < column.n_missing < len(view.table):
            missing, missing_low, _ = explained((codes == 0).astype(np.int64), 2, view.target, view.fold)
        found.append(Link(column.name, share, low, high, len(codes), missing, missing_low))
    return tuple(sorted(found, key=lambda link: -link.share))


def explained(codes: Codes, n_bins: int, target: Target, fold: Codes) -> tuple[float, float, float]:
    """The share of the squared error that the bins remove, each half of the rows judged by the other half.

    Args:
        codes: (n,) bin of each row, below `n_bins`.
        fold: (n,) 0 or 1.
    Returns:
        The share, and its 95 % interval by the delta method for a ratio of means.
    """
    cell = codes * 2 + fold
    if target.n_classes:
        return _classes_explained(cell, n_bins, target)
    y = target.values
    counts = np.bincount(cell, minlength=2 * n_bins).reshape(-1, 2)
    sums = np.bincount(cell, weights=y, minlength=2 * n_bins).reshape(-1, 2)
    overall = sums.sum(0) / np.maximum(counts.sum(0), 1)
    means = ((sums + SHRINK * overall) / (counts + SHRINK))[:, ::-1].ravel()  # of the other half
    errors = (y - means[cell]) ** 2
    naive = (y - overall[1 - fold]) ** 2
    return _ratio(errors, naive, np.ones(len(y)))


def _classes_explained(cell: Codes, n_bins: int, target: Target) -> tuple[float, float, float]:
    k = target.n_classes
    label = target.values.astype(np.int64)
    counts = np.bincount(cell * k + label, minlength=2 * n_bins * k).reshape(n_bins, 2, k)
    totals = counts.sum(0)  # (2, k)
    prior = totals / np.maximum(totals.sum(1, keepdims=True), 1)
    shares = (counts + SHRINK * prior) / (counts.sum(2, keepdims=True) + SHRINK)
    shares, prior = shares[:, ::-1], prior[::-1]  # of the other half
    errors = 1 - 2 * shares + (shares**2).sum(2, keepdims=True)  # (n_bins, 2, k): |one-hot - shares|²
    naive = np.broadcast_to(1 - 2 * prior + (prior**2).sum(1, keepdims=True), errors.shape)
    return _ratio(errors.ravel(), naive.ravel(), counts.ravel().astype(np.float64))


def _ratio(errors: Floats, naive: Floats, weights: Floats) -> tuple[float, float, float]:
    whole = float((weights * naive).sum())
    if whole <= 0:
        return 0.0, 0.0, 0.0
    left = float((weights * errors).sum()) / whole
    spread = math.sqrt(float((weights * (errors - left * naive) ** 2).sum())) / whole
    return 1 - left, 1 - left - _Z * spread, min(1.0, 1 - left + _Z * spread)


def _linear(x: Floats, y: Floats) -> tuple[float, float, float]:
    """Squared correlation with Fisher's interval: finer than bins where the link is a straight line."""
    there = np.isfinite(x)
    n = int(there.sum())
    if n < 0.8 * len(x) or n < 8 or np.ptp(x[there]) == 0:
        return -1.0, -1.0, -1.0
    r = float(np.corrcoef(x[there], y[there])[0, 1])
    if not math.isfinite(r):
        return -1.0, -1.0, -1.0
    z, half = math.atanh(min(abs(r), 1 - 1e-12)), _Z / math.sqrt(n - 3)
    return r * r, math.tanh(max(0.0, z - half)) ** 2, math.tanh(z + half) ** 2
