"""Rows with somebody who answers for them, whose ways are known: a weighted sum of columns, or its logistic."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from bottega.problem.table import ColumnSpec
from bottega.understanding.rows import AskedRows, Cells

COLOURS = ("blue", "green", "red")
WORTH = {"blue": -1.0, "green": 0.0, "red": 1.0, "": 0.0}


def spec(name: str, cells: npt.NDArray[Any]) -> ColumnSpec:
    """A number, or a category with the levels that are there."""
    if cells.dtype != object:
        return ColumnSpec(name, "number", "float32", name)
    return ColumnSpec(name, "category", "string", name, levels=tuple(sorted({cell for cell in cells if cell})))


def known_rows(
    cells: Cells,
    weights: Mapping[str, float],
    *,
    labels: tuple[str, ...] = (),
    noise: float = 0.5,
    seed: int = 0,
) -> AskedRows:
    """Rows whose answer is the weighted sum of their columns (a missing number counts as 0, a colour by its worth).

    Args:
        labels: two, for probabilities by the logistic of the sum; none for values.
        noise: standard deviation of what the true values have beside the answer.
    """

    def ask(asked: Cells) -> npt.NDArray[np.float64]:
        total = np.zeros(len(next(iter(asked.values()))))
        for name, weight in weights.items():
            column = asked[name]
            if column.dtype == object:
                total += weight * np.array([WORTH[cell] for cell in column.tolist()])
            else:
                total += weight * np.nan_to_num(column)
        if not labels:
            return total[:, None]
        second = 1 / (1 + np.exp(-total))
        return np.stack([1 - second, second], axis=1)

    rng = np.random.default_rng([seed, 1])
    n = len(next(iter(cells.values())))
    answers = ask(cells)
    y = (rng.random(n) < answers[:, 1]).astype(np.int64) if labels else answers[:, 0] + noise * rng.normal(size=n)
    columns = tuple(spec(name, column) for name, column in cells.items())
    return AskedRows(ask, cells, columns, labels, "answer", np.arange(n), y)


def drawn_cells(n: int, seed: int = 0) -> Cells:
    """Two numbers, a near copy of the first, noise, and a colour of which some are missing."""
    rng = np.random.default_rng(seed)
    first = rng.normal(size=n)
    colours = np.array([*COLOURS, ""], object)[rng.choice(4, n, p=[0.3, 0.3, 0.3, 0.1])]
    return {
        "first": first,
        "second": rng.normal(size=n),
        "copy": first + 0.05 * rng.normal(size=n),
        "noise": rng.normal(size=n),
        "colour": colours,
    }
