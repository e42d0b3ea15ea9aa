"""Which columns of new rows are not spread as they were in training, chance held over all columns together."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bottega.data.table_like import share_unknown
from bottega.data.table_summary import bin_counts
from bottega.evaluation.choice import holm
from bottega.evaluation.intervals import LEVEL, effective_n
from bottega.problem.drift import ColumnDrift, Drift
from bottega.problem.table import ColumnSpec, ColumnSummary

__all__ = ["MATTERS", "chi_square_above", "find_drift"]

MATTERS = 0.05  # of the rows: among many rows a smaller shift is beyond chance too, and no news
FEWEST_EXPECTED = 5.0  # rows in a cell of the chi-square test: Cochran 1954
POWER = 0.8

Numbers = NDArray[np.float64]


def find_drift(
    cells: Mapping[str, NDArray[Any]], columns: Sequence[ColumnSpec], groups: NDArray[np.int64]
) -> Drift | None:
    """Compare new rows with what a model's file knows of its training, column by column.

    Args:
        cells: (N,) by column: floats with NaN, or strings with "" where missing.
        columns: of the model, with their summaries.
        groups: (N,) equal for rows of one content: a row that stands there ten times is one piece of news.
    Returns:
        None where the file holds no summary: it is older, or all columns are dates.
    Source: the chi-square test of homogeneity over the bins of the summary (Pearson 1911; cells pooled after Cochran
        1954), with Holm's correction (1979) over the columns; the distance is total variation.
    """
    known = [(one, one.summary) for one in columns if one.summary is not None]
    if not known or not len(groups):
        return None
    n = effective_n(groups, len(groups))
    found = [_compare(cells[one.column], one, summary, n) for one, summary in known]
    beyond = holm([one.p for one in found])
    found = [
        replace(one, moved=is_beyond and one.distance >= MATTERS) for one, is_beyond in zip(found, beyond, strict=True)
    ]
    compared = {one.column for one, _ in known}
    return Drift(
        n=len(groups),
        n_independent=n,
        rate=round(1 - LEVEL, 6),
        smallest=_smallest(n, min(summary.n for _, summary in known), len(known)),
        columns=tuple(sorted(found, key=lambda one: (not one.moved, -one.distance, one.column))),
        left_out=tuple(one.column for one in columns if one.column not in compared),
    )


def _compare(cells: NDArray[Any], one: ColumnSpec, summary: ColumnSummary, n: float) -> ColumnDrift:
    levels = one.levels if one.kind == "category" else None
    counts = bin_counts(cells, summary.edges, levels)
    new, old = counts / len(cells), np.array([*summary.shares, summary.missing])
    order = np.arange(len(new)) if levels is None else np.append(np.argsort(-old[:-1], kind="stable"), len(new) - 1)
    cell = _pooled(new[order], old[order], n, summary.n)
    pooled_new, pooled_old = (np.bincount(cell, weights=shares[order]) for shares in (new, old))
    middle = (n * pooled_new + summary.n * pooled_old) / (n + summary.n)
    there = middle > 0
    gaps = (pooled_new - pooled_old)[there]
    statistic = n * summary.n / (n + summary.n) * float((gaps**2 / middle[there]).sum())
    return ColumnDrift(
        column=one.column,
        distance=float(np.abs(gaps).sum() / 2),
        p=chi_square_above(statistic, int(there.sum()) - 1),
        moved=False,
        evidence=_evidence(new, old, one, summary),
        unknown=share_unknown(cells, one.levels) if levels is not None else None,
    )


def _pooled(new: Numbers, old: Numbers, n_new: float, n_old: float) -> NDArray[np.int64]:
    """The cell of the test that each bin goes into: neighbours together until both sides expect enough rows there."""
    middle = (n_new * new + n_old * old) / (n_new + n_old)
    least = min(n_new, n_old)
    cell, cells, held = 0, [], 0.0
    for share in middle.tolist():
        cells.append(cell)
        held += least * share
        if held >= FEWEST_EXPECTED:
            cell, held = cell + 1, 0.0
    return np.minimum(np.array(cells, np.int64), max(0, cell - 1))  # what is left over joins the last whole cell


def _evidence(new: Numbers, old: Numbers, one: ColumnSpec, summary: ColumnSummary) -> str:
    """Where the shares differ most: at one edge of a number, in one level of a category, in the missing cells."""
    if one.kind == "category":
        names = [*(repr(level) for level in one.levels), "a category that training did not know", "missing"]
        place = int(np.argmax(np.abs(new - old)))
        return _shares(names[place], new[place], old[place])
    below_new, below_old = np.cumsum(new[:-1]), np.cumsum(old[:-1])
    gaps = np.abs(below_new - below_old)[:-1]
    if not len(gaps) or abs(new[-1] - old[-1]) > gaps.max():
        return _shares("missing", new[-1], old[-1])
    place = int(np.argmax(gaps))
    return _shares(f"at most {summary.edges[place]:g}", below_new[place], below_old[place])


def _shares(what: str, new: float, old: float) -> str:
    return f"{what}: {100 * new:.3g} % of the rows, in training {100 * old:.3g} %"


def _smallest(n_new: float, n_old: float, n_columns: int) -> float:
    """The total variation, spread evenly over the cells, that the test shows four times out of five.

    Source: Cohen 1988, "Statistical power analysis", chapter 7: the test's noncentrality is 4 d² n n' / (n + n').
    """
    both = n_new * n_old / (n_new + n_old)
    cells = max(2, min(10, int(min(n_new, n_old) / FEWEST_EXPECTED)))
    needed = _noncentrality(cells - 1, (1 - LEVEL) / n_columns)
    return min(1.0, max(MATTERS, math.sqrt(needed / (4 * both))))


def _noncentrality(degrees: int, level: float) -> float:
    """How far off the null a chi-square test must be to fire at this level with the stated power.

    Source: Abdel-Aty 1954, "Approximate formulae for the percentage points of the non-central chi-square".
    """
    bound = _bisected(lambda x: chi_square_above(x, degrees) - level, 0.0, 1000.0)

    def missed(shift: float) -> float:
        mean = degrees + shift
        spread = 2 * (degrees + 2 * shift) / (9 * mean**2)
        return NormalDist(1 - spread, math.sqrt(spread)).cdf((bound / mean) ** (1 / 3)) - (1 - POWER)

    return _bisected(missed, 0.0, 1000.0)


def _bisected(falling: Any, low: float, high: float) -> float:
    """Where a falling function is 0."""
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if falling(middle) > 0 else (low, middle)
    return (low + high) / 2


def chi_square_above(x: float, degrees: int) -> float:
    """P(χ² ≥ x), by its finite sum for a whole number of degrees of freedom; 1 for none.

    Example:
        >>> round(chi_square_above(3.841459, 1), 4), round(chi_square_above(18.307, 10), 4)
        (0.05, 0.05)

    Source: Abramowitz and Stegun 1964, 26.4.4 and 26.4.5.
    """
    if degrees < 1 or x <= 0:
        return 1.0
    half = x / 2
    odd = degrees % 2
    total = math.erfc(math.sqrt(half)) if odd else 0.0
    for i in range((degrees - odd) // 2):
        power = i + 0.5 * odd
        total += math.exp(power * math.log(half) - half - math.lgamma(power + 1))
    return min(1.0, total)
