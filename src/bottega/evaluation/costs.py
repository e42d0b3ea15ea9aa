"""What wrong answers cost, where they don't all cost the same: the cheapest answer, and the mean cost of answers."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Costs"]

Numbers = NDArray[np.float64]
Integers = NDArray[np.int64]
Scorer = Callable[[Numbers], float]


@dataclass(frozen=True)
class Costs:
    """The cost of each answer for each true class; the cheapest answer is said, and not the most probable one.

    Attributes:
        matrix: (C, C) rows are true classes, columns answers; none is negative.
    Source: Elkan 2001, "The foundations of cost-sensitive learning".
    """

    matrix: tuple[tuple[float, ...], ...]

    @property
    def table(self) -> Numbers:
        """The matrix as an array (C, C)."""
        return np.array(self.matrix, np.float64)

    @property
    def threshold(self) -> float | None:
        """Of two classes: from which probability on the second one is said; None for more."""
        if len(self.matrix) != 2:
            return None
        (right_first, alarm), (miss, right_second) = self.matrix
        return (alarm - right_first) / (alarm - right_first + miss - right_second)

    def answers(self, probabilities: NDArray[Any]) -> Integers:
        """(N,) the answer with the least expected cost, the first of equals.

        Args:
            probabilities: (N, C) calibrated.
        Example:
            >>> Costs(((0, 1), (20, 0))).answers(np.array([[0.96, 0.04], [0.94, 0.06]])).tolist()
            [0, 1]
        """
        return np.asarray((probabilities @ self.table).argmin(axis=1), dtype=np.int64)

    def told(self, probabilities: NDArray[Any]) -> Numbers:
        """(N, C) 1 for the answer that is said, 0 for the others: what a metric of answers has to judge."""
        return np.eye(len(self.matrix))[self.answers(probabilities)]

    def mean_cost(self, y: Integers, probabilities: Numbers) -> Scorer:
        """The scorer of the mean cost; labels that training never saw have no stated cost and are left out."""
        return self.mean_cost_of(y, self.answers(probabilities))

    def mean_cost_of(self, y: Integers, said: Integers) -> Scorer:
        """The same for answers (N,) that were come by in another way."""
        known = y >= 0
        each = np.where(known, self.table[np.where(known, y, 0), said], 0.0)

        def scorer(weights: Numbers) -> float:
            total = float(weights[known].sum())
            return float(weights @ each) / total if total > 0 else math.nan

        return scorer
