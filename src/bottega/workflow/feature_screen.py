"""A first look at many made features: which of them have to do with what is to be explained."""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["Screen"]

Floats = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.float64]
N_BINS = 12
PROMISING = 3.0  # standard normal: what chance alone exceeds for one idea in 740
ALIKE = 0.98  # correlation from which on two ideas are one


class Screen:
    """Ideas cut into bins once, to be held against one thing after the other.

    The rows are cut into twelve bins of equal size by each idea, missing ones into another; what the bins explain is
    measured against what as many bins explain by chance.

    Args:
        values: (N, F) of the ideas, NaN where missing.
        parents: (F,) columns that each idea is made of; () where it is made of none of x.
        x: (N, D) those columns.
    """

    def __init__(self, values: Floats, parents: Sequence[Sequence[int]], x: Floats) -> None:
        self.values = values
        self.parents = parents
        self._bins = list(_binned(values))
        self._column_bins = list(_binned(x))

    def first_for(self, residual: Numbers, n: int, used: Sequence[int]) -> list[int]:
        """The places of the ideas that explain most of a residual (N, C), no two of them alike."""
        strength = np.array([_strength(_share(bins, residual), bins) for bins in self._bins])
        return self._first(strength, strength >= PROMISING, n, used)

    def first_beyond_parents(self, target: Numbers, n: int, used: Sequence[int]) -> list[int]:
        """The places of the ideas that explain most of a target (N, C) beyond what any of their columns explains."""
        of_columns = [_share(bins, target) for bins in self._column_bins]
        shares = [_share(bins, target) for bins in self._bins]
        best = [max((of_columns[i] for i in own), default=0.0) for own in self.parents]
        beyond = np.array(shares) - np.array(best)
        strength = np.array([_strength(share, bins) for share, bins in zip(shares, self._bins, strict=True)])
        return self._first(beyond, (strength >= PROMISING) & (beyond > 0), n, used)

    def _first(self, rank: Numbers, is_open: npt.NDArray[np.bool_], n: int, used: Sequence[int]) -> list[int]:
        found: list[int] = []
        for place in np.argsort(-rank, kind="stable").tolist():
            if len(found) == n:
                break
            if is_open[place] and place not in used and not any(self._alike(place, other) for other in found):
                found.append(place)
        return found

    def _alike(self, first: int, second: int) -> bool:
        """Whether they say the same even to a linear model, where both are known: a ÷ b and b ÷ a don't."""
        both = np.isfinite(self.values[:, first]) & np.isfinite(self.values[:, second])
        pair = self.values[both][:, [first, second]].astype(np.float64)
        if len(pair) < 3 or (pair.min(0) == pair.max(0)).any():
            return False
        return bool(abs(np.corrcoef(pair[:, 0], pair[:, 1])[0, 1]) > ALIKE)


def _binned(values: Floats) -> Iterator[npt.NDArray[np.int64]]:
    for column in values.T:
        known = np.isfinite(column)
        if not known.any():
            yield np.zeros(len(column), np.int64)
            continue
        edges = np.unique(np.quantile(column[known], np.linspace(0, 1, N_BINS + 1)[1:-1]))
        yield np.where(known, np.searchsorted(edges, column, side="right"), N_BINS)


def _share(bins: npt.NDArray[np.int64], target: Numbers) -> float:
    """Share of the variance that the means of the bins explain, of the part of which they explain most."""
    counts = np.maximum(np.bincount(bins), 1)
    best = 0.0
    for part in (target - target.mean(0)).T:
        whole = float(np.square(part).sum())
        if whole > 0:
            best = max(best, float((np.square(np.bincount(bins, weights=part)) / counts).sum()) / whole)
    return best


def _strength(share: float, bins: npt.NDArray[np.int64]) -> float:
    """How far a share lies beyond chance, as a standard normal.

    Source: Wilson and Hilferty 1931, "The distribution of chi-square".
    """
    degrees = len(np.unique(bins)) - 1
    if degrees < 1:
        return -np.inf
    chi_square = share * (len(bins) - 1)
    return float(((chi_square / degrees) ** (1 / 3) - (1 - 2 / (9 * degrees))) / np.sqrt(2 / (9 * degrees)))
