"""The rows that a model is asked about, and how many of them a stretch of time allows."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bottega.problem.table import ColumnSpec
from bottega.problem.understanding_records import Cell

__all__ = ["FEWEST_ROWS", "AskedRows", "Cells", "Pace", "measure_pace", "most_probable", "plain", "replaced"]

Cells = dict[str, NDArray[Any]]
Numbers = NDArray[np.float64]
STEPS = (8000, 4000, 2000, 1000, 500, 250, 125)  # rows: coarse, so that the same machine takes the same number again
FEW_STEPS = (200, 100, 50, 25)
N_TIMED = 64
FEWEST_ROWS = 20  # to be shuffled, or to lend a row their cells


def most_probable(answers: Numbers) -> NDArray[np.int64]:
    """Class indices (n,) of probabilities (n, n_classes)."""
    return np.asarray(answers.argmax(1), np.int64)


@dataclass(frozen=True)
class AskedRows:
    """Rows with whoever answers for them.

    Attributes:
        ask: cells of n rows to (n, n_classes) probabilities, or (n, 1) values.
        cells: (N,) by column: floats with NaN, or strings with "" where missing.
        labels: () for values.
        said: answers (n, n_classes) to class indices (n,), where the answer isn't the most probable class.
        groups: (N,) equal for rows that belong together.
        y: (N,) class indices (-1: a label that training never saw) or values; None without a target.
        weights: (N,) how much each row counts in a score; None for all the same.
    """

    ask: Callable[[Cells], Numbers]
    cells: Cells
    columns: tuple[ColumnSpec, ...]
    labels: tuple[str, ...]
    target: str
    groups: NDArray[np.int64]
    y: NDArray[Any] | None = None
    said: Callable[[Numbers], NDArray[np.int64]] = most_probable
    weights: Numbers | None = None

    def __len__(self) -> int:
        return len(self.groups)

    def only(self, rows: NDArray[np.int64]) -> "AskedRows":
        """Some of them."""
        cells = {name: column[rows] for name, column in self.cells.items()}
        y, weights = (None if one is None else one[rows] for one in (self.y, self.weights))
        return replace(self, cells=cells, groups=self.groups[rows], y=y, weights=weights)

    def drawn(self, at_most: int, seed: int) -> "AskedRows":
        """So many of them, by lot."""
        if len(self) <= at_most:
            return self
        return self.only(np.sort(np.random.default_rng([seed, 0x726F7773]).choice(len(self), at_most, replace=False)))

    def column(self, name: str) -> ColumnSpec:
        """What the model knows of a column."""
        return next(one for one in self.columns if one.column == name)

    def predictions(self, answers: Numbers) -> Numbers:
        """Answers as metrics take them: (n, n_classes), or (n,) of values."""
        return answers if self.labels else answers[:, 0]


@dataclass(frozen=True)
class Pace:
    """How long one answer takes, and what is done with it, in seconds."""

    asking: float
    judging: float

    def shuffled(self, n_asked: int, seconds: float) -> int:
        """How many rows can be answered so often, and judged, within the time."""
        return _step(STEPS, seconds / max((self.asking + self.judging) * n_asked, 1e-9))

    def followed(self, n_asked: int, seconds: float) -> int:
        """How many rows can be answered so often within the time."""
        return _step(FEW_STEPS, seconds / max(self.asking * n_asked, 1e-9))


def _step(steps: tuple[int, ...], n: float) -> int:
    return next((step for step in steps if step <= n), steps[-1])


def measure_pace(rows: AskedRows, judge: Callable[[AskedRows, Numbers], object]) -> Pace:
    """Ask a few rows, and judge as many answers as there are rows.

    Args:
        judge: what will be done with each answer of all rows.
    """
    few = rows.only(np.arange(min(N_TIMED, len(rows))))
    answers = rows.ask(few.cells)  # the first call also prepares the engine
    began = time.perf_counter()
    rows.ask(few.cells)
    asking = (time.perf_counter() - began) / max(1, len(few))
    like_all = np.resize(answers, (len(rows), answers.shape[1]))
    began = time.perf_counter()
    judge(rows, like_all)
    return Pace(asking, (time.perf_counter() - began) / max(1, len(rows)))


def replaced(cells: Cells, columns: tuple[str, ...], others: Cells) -> Cells:
    """Rows with the cells of some columns taken from others, (N,) each."""
    return cells | {name: others[name] for name in columns}


def plain(value: Any) -> Cell:
    """A cell as a record holds it."""
    if isinstance(value, str):
        return value or None
    number = float(value)
    return None if np.isnan(number) else number
