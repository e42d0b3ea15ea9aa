"""The networks that a table gets, as plans; the standard library only, so that their names cost nothing to know."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["TABLE_PLANS", "Layout", "TablePlan"]


@dataclass(frozen=True)
class TablePlan:
    """What a network of a table is made of; `k` perceptrons share most of their weights.

    Attributes:
        unfolding: what each number becomes first: itself, waves (sines of learned frequencies), or steps
            (piecewise-linear between quantiles).
        n_embedding: numbers that one number is unfolded to.
    """

    unfolding: Literal["none", "waves", "steps"]
    n_embedding: int
    k: int
    width: int
    depth: int
    dropout: float
    learning_rate: float


@dataclass(frozen=True)
class Layout:
    """The columns of the dense matrix: numbers first, then groups that belong to one column each."""

    n_number: int
    groups: tuple[int, ...]


TABLE_PLANS = {
    "MLP": TablePlan("none", 1, 1, 256, 2, 0.1, 2e-3),
    "MLP on waves": TablePlan("waves", 8, 1, 192, 2, 0.1, 2e-3),
    "TabM": TablePlan("steps", 8, 4, 128, 2, 0.1, 4e-3),
}
