"""Which columns tell each other: shuffled on its own, either looks unimportant, since the other stands in for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bottega.problem.table import ColumnSpec

__all__ = ["TOGETHER", "ColumnGroup", "association", "column_groups", "in_order_of_time"]

TOGETHER = 0.8  # from this association on, two columns are shuffled together

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class ColumnGroup:
    """Columns that are shuffled together; `weakest` is the association of the two that are the least alike."""

    columns: tuple[str, ...]
    weakest: float | None = None


def column_groups(
    cells: Mapping[str, NDArray[Any]], columns: Sequence[ColumnSpec], *, at: float = TOGETHER
) -> tuple[ColumnGroup, ...]:
    """Put columns together of which every two are associated at least so much; most are alone.

    Args:
        cells: (N,) by column: floats with NaN, or strings with "" where missing.
        at: the least association, in (0, 1].
    Returns:
        Groups in the order of their first column. Complete linkage: no chain of middling links ties distant columns.
    """
    seen = [_seen(cells[one.column], one) for one in columns]
    link = _links(seen)
    groups = [[i] for i in range(len(columns))]
    pairs = np.argwhere(np.triu(link, 1) >= at)
    for i, j in sorted(map(tuple, pairs.tolist()), key=lambda pair: -link[pair]):
        first, second = (next(group for group in groups if k in group) for k in (i, j))
        if first is not second and link[np.ix_(first, second)].min() >= at:
            groups.remove(second)
            first.extend(second)
    return tuple(_group(sorted(group), link, columns) for group in sorted(groups, key=min))


def _links(seen: "Sequence[_Seen]") -> Numbers:
    """(C, C) the association of every two columns; those of numbers in one product, since there may be thousands."""
    link = np.eye(len(seen))
    numbers = [i for i, one in enumerate(seen) if one.ranks is not None]
    if numbers:
        ranks = np.stack([one.ranks for one in seen if one.ranks is not None])  # (C, N)
        size = np.linalg.norm(ranks, axis=1, keepdims=True)
        ranks = ranks / np.where(size > 0, size, 1)
        link[np.ix_(numbers, numbers)] = np.abs(ranks @ ranks.T)
    among = set(numbers)
    for i, j in combinations(range(len(seen)), 2):
        if i not in among or j not in among:
            link[i, j] = link[j, i] = association(seen[i], seen[j])
    np.fill_diagonal(link, 1)
    return link


def _group(members: list[int], link: Numbers, columns: Sequence[ColumnSpec]) -> ColumnGroup:
    weakest = float(link[np.ix_(members, members)].min()) if len(members) > 1 else None
    return ColumnGroup(tuple(columns[i].column for i in members), weakest)


@dataclass(frozen=True)
class _Seen:
    """A column as ranks around 0 (a missing one is 0), or as codes of its categories."""

    ranks: Numbers | None
    codes: NDArray[np.int64] | None


def _seen(cells: NDArray[Any], one: ColumnSpec) -> _Seen:
    if one.kind == "category":
        known = {level: number for number, level in enumerate(one.levels)} | {"": -1}  # as the model tells them apart
        codes = [known.get(cell, len(one.levels)) for cell in cells.tolist()]
        return _Seen(None, np.unique(codes, return_inverse=True)[1].reshape(-1))
    if one.kind == "text":  # tells of no other column by its order
        return _Seen(np.zeros(len(cells)), None)
    values = in_order_of_time(cells, one.format) if one.kind == "date" else cells.astype(np.float64)
    there = ~np.isnan(values)
    _, place, counts = np.unique(values[there], return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - (counts - 1) / 2  # equal values share the mean of their ranks
    ranks = np.zeros(len(values))
    if there.any():
        ranks[there] = middle[place.reshape(-1)] - middle[place.reshape(-1)].mean()
    return _Seen(ranks, None)


def in_order_of_time(cells: NDArray[Any], format: str) -> Numbers:
    """Dates as numbers that ascend with time; NaN where missing or no date."""
    return np.array([_moment(cell, format) for cell in cells.tolist()])


def _moment(cell: str, format: str) -> float:
    try:
        found = datetime.strptime(cell, format)
    except ValueError:
        return float("nan")
    return found.toordinal() + (found.hour * 3600 + found.minute * 60 + found.second) / 86400


def association(first: _Seen, second: _Seen) -> float:
    """How much two columns tell of each other, 0 to 1, corrected for what chance would give.

    Returns:
        Two numbers: Spearman's rank correlation without its sign. A number and a category: the root of ε² on ranks.
        Two categories: Cramér's V.
    Source: Spearman 1904; Kelley 1935, "An unbiased correlation ratio measure"; Bergsma 2013, "A bias-correction for
        Cramér's V and Tschuprow's T".
    """
    if first.ranks is not None and second.ranks is not None:
        size = float(np.linalg.norm(first.ranks) * np.linalg.norm(second.ranks))
        return abs(float(first.ranks @ second.ranks)) / size if size > 0 else 0.0
    if first.codes is not None and second.codes is not None:
        return _cramer(first.codes, second.codes)
    numbers, codes = (first, second) if first.ranks is not None else (second, first)
    if numbers.ranks is None or codes.codes is None:
        return 0.0
    return _ratio(numbers.ranks, codes.codes)


def _ratio(ranks: Numbers, codes: NDArray[np.int64]) -> float:
    counts = np.bincount(codes)
    n, k, whole = len(ranks), len(counts), float(ranks @ ranks)
    if whole <= 0 or n <= k or k < 2:
        return 0.0
    sums = np.bincount(codes, weights=ranks)
    between = float((sums**2 / np.maximum(counts, 1)).sum())
    return float(np.sqrt(max(0.0, 1 - (whole - between) / whole * (n - 1) / (n - k))))


def _cramer(first: NDArray[np.int64], second: NDArray[np.int64]) -> float:
    n, rows, columns = len(first), int(first.max()) + 1, int(second.max()) + 1
    if min(rows, columns) < 2 or n < 2:
        return 0.0
    table = np.bincount(first * columns + second, minlength=rows * columns).reshape(rows, columns)
    expected = np.outer(table.sum(1), table.sum(0)) / n
    phi = float(((table - expected) ** 2 / np.maximum(expected, 1e-300)).sum()) / n
    phi = max(0.0, phi - (rows - 1) * (columns - 1) / (n - 1))
    least = min(rows - (rows - 1) ** 2 / (n - 1), columns - (columns - 1) ** 2 / (n - 1)) - 1
    return float(min(1.0, np.sqrt(phi / least))) if least > 0 else 0.0
