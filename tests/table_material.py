"""Breast cancer and diabetes as tables of mixed columns: some numbers missing, some told in words, some dates."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine

from bottega.data.table_preparation import Kind, TablePreparation, encoder_graph, fit_preparation, graph_inputs
from bottega.workflow.features import engine

WORDS = np.array(["low", "rather low", "middle", "rather high", "hoch", "très haut"], dtype=object)


@dataclass(frozen=True)
class MixedTable:
    cells: Mapping[str, npt.NDArray[Any]]
    kinds: Mapping[str, Kind]
    y: npt.NDArray[Any]
    prepared: TablePreparation

    def encoded(self, cells: Mapping[str, npt.NDArray[Any]] | None = None) -> npt.NDArray[np.float32]:
        inputs = graph_inputs(self.prepared, self.cells if cells is None else cells)
        x: npt.NDArray[np.float32] = engine(encoder_graph(self.prepared), threads=1).run(None, inputs)[0]
        return x


@cache
def mixed(name: str, n: int = 400) -> MixedTable:
    """The first `n` rows, shuffled.

    Args:
        name: "two classes", "three classes" or "values".
    """
    load = {"two classes": load_breast_cancer, "three classes": load_wine, "values": load_diabetes}[name]
    data, y = load(return_X_y=True)
    rng = np.random.default_rng(0)
    rows = rng.permutation(len(y))[:n]
    data, y = data[rows, :8].astype(np.float32).astype(np.float64), y[rows]
    cells: dict[str, npt.NDArray[Any]] = {}
    kinds: dict[str, Kind] = {}
    for column in range(6):
        values = data[:, column].copy()
        if column % 2:
            values[rng.random(len(y)) < 0.15] = np.nan
        cells[f"number {column}"], kinds[f"number {column}"] = values, "number"
    for column in (6, 7):
        rank = np.argsort(np.argsort(data[:, column])) * len(WORDS) // len(y)
        words = WORDS[rank]
        words[rng.random(len(y)) < 0.1] = ""
        cells[f"words_{column}"], kinds[f"words_{column}"] = words, "category"
    days = np.datetime64("2019-11-20") + rng.integers(0, 900, len(y)).astype("timedelta64[D]")
    cells["label"], kinds["label"] = days.astype(str).astype(object), "date"  # named like an output of the graph
    return MixedTable(cells, kinds, y, fit_preparation(cells, kinds, np.arange(len(y))))


def awkward(table: MixedTable) -> dict[str, npt.NDArray[Any]]:
    """Rows that nobody trained on: empty, unseen, huge, negative zero, infinite, look-alikes, dates that are none."""
    numbers = [np.nan, 1e38, -1e38, 0.0, -0.0, np.inf, -np.inf, 1e-45, 3.4e38, 1e300]
    words = ["", "low", "Low", " low", "lоw", "low\u200b", "très haut", "tre\u0300s haut", "x" * 5000, "\x00"]
    dates = [
        "",
        "2020-02-29",
        "2020-2-9",
        "2020-13-01",
        "0000-01-01",
        "9999-12-31",
        "gestern",
        "2020-02-29 ",
        "２０２０-01-01",
        "-",
    ]
    cells = {"number": np.array(numbers), "category": np.array(words, object), "date": np.array(dates, object)}
    return {name: np.roll(cells[kind], place) for place, (name, kind) in enumerate(table.kinds.items())}
