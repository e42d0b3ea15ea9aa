"""Prediction intervals with a stated coverage, from errors on rows that the model hasn't seen.

The guarantee is marginal: over all rows together, when new rows come as the old ones did. It says nothing about any
one group of rows; what each group got is measured.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["COVERAGE", "Interval", "cv_plus", "split_conformal"]

Numbers = NDArray[np.float64]
Integers = NDArray[np.int64]
COVERAGE = 0.9


@dataclass(frozen=True)
class Interval:
    """How far an interval reaches from a value.

    Attributes:
        reach: added and subtracted; infinite where the rows are too few for the coverage.
        scale: "plain" in the target's unit; "log": on its logarithm, so that large values get wide intervals.
        shift: is added to a value before the logarithm.
        coverage: share of new rows that it promises to hold.
        n: rows that set it.
        guarantee: "split": at least `coverage`; "cv": no proof for one final model, see `cv_plus`.
    """

    reach: float
    scale: Literal["plain", "log"]
    shift: float
    coverage: float
    n: int
    guarantee: Literal["split", "cv"]

    def around(self, values: Numbers) -> tuple[Numbers, Numbers]:
        """Lower and upper ends (N,), (N,)."""
        if self.scale == "plain":
            return values - self.reach, values + self.reach
        factor = math.exp(self.reach) if self.reach < math.log(np.finfo(np.float64).max) else math.inf
        whole = values + self.shift
        return whole / factor - self.shift, whole * factor - self.shift


def split_conformal(
    y: Numbers,
    values: Numbers,
    *,
    coverage: float = COVERAGE,
    log: bool = False,
    shift: float = 0.0,
    out_of_fold: bool = False,
) -> Interval:
    """The reach that holds `coverage` of calibration rows and one more.

    Args:
        y, values: (N,) true and predicted, on rows that neither fitted nor chose the model.
        log: measure errors on the logarithm of y + shift; where the model was fitted so.
        out_of_fold: the values are from the models of the folds, not from the one that ships.
    Source: Vovk, Gammerman and Shafer 2005; Lei et al. 2018, "Distribution-free predictive inference for regression".
    Example:
        >>> interval = split_conformal(np.arange(19.0), np.zeros(19), coverage=0.9)
        >>> interval.reach, interval.n
        (17.0, 19)
    """
    if log:
        smallest = np.finfo(np.float64).tiny
        errors = np.abs(np.log(np.maximum(y + shift, smallest)) - np.log(np.maximum(values + shift, smallest)))
    else:
        errors = np.abs(y - values)
    n = len(errors)
    rank = math.ceil((n + 1) * coverage)
    reach = float(np.sort(errors)[rank - 1]) if rank <= n else math.inf
    return Interval(
        reach, "log" if log else "plain", shift if log else 0.0, coverage, n, "cv" if out_of_fold else "split"
    )


def cv_plus(
    by_fold: Numbers, fold: Integers, errors: Numbers, *, coverage: float = COVERAGE
) -> tuple[Numbers, Numbers]:
    """Intervals from the models of all folds: each training row's error around what its fold's model says.

    Args:
        by_fold: (N, K) what the model of each fold answers on the new rows.
        fold: (M,) the fold of each training row; its model hasn't seen the row.
        errors: (M,) how far off that model was.
    Returns:
        Lower and upper ends (N,), (N,); they hold at least 1 - 2 (1 - coverage) for sure, and mostly `coverage`.
    Source: Barber et al. 2021, "Predictive inference with the jackknife+".
    """
    n = len(errors)
    rank = math.ceil((n + 1) * coverage)
    if rank > n:
        return np.full(len(by_fold), -np.inf), np.full(len(by_fold), np.inf)
    centres = by_fold[:, fold]  # (N, K) -> (N, M)
    upper = np.partition(centres + errors, rank - 1, axis=1)[:, rank - 1]
    lower = np.partition(centres - errors, n - rank, axis=1)[:, n - rank]
    return lower, upper
