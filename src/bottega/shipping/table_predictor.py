"""Ask a model of a table: rows as mappings, data frames or a file in, answers out. No torch, no training code."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bottega.data.table_like import (
    Cells,
    cells_of_frame,
    cells_of_records,
    is_frame,
    read_like,
    require_columns,
)
from bottega.errors import BottegaError
from bottega.evaluation.costs import Costs
from bottega.problem.table import ColumnSpec
from bottega.shipping.model_file import TableCard
from bottega.shipping.predictor import Answer, Model, engine_errors

__all__ = ["MAX_TEXTS", "Answered", "TableModel", "ask_rows"]

MAX_ROWS = 4096  # at once; what a kernel or neighbours make of them stays within memory
MAX_TEXTS = 64  # at once: a file makes megabytes of each long text
Answered = dict[str, npt.NDArray[Any]]
"""label, probabilities, sure; or value, lower, upper: an array each."""


class TableModel(Model):
    """A model of rows: call it with a mapping from columns to values, a list of them, a data frame or a file."""

    @property
    def columns(self) -> tuple[ColumnSpec, ...]:
        """What it takes."""
        return tuple(one for one in self.card.inputs if isinstance(one, ColumnSpec))

    @property
    def table(self) -> TableCard:
        """Target, columns that are not used, and the promise of the intervals."""
        if self.card.table is None:
            raise BottegaError(found="a model of a table without its facts", expected="a whole card", fix="train again")
        return self.card.table

    @property
    def costs(self) -> Costs | None:
        """By which its labels are chosen; None where the most probable one is said."""
        return None if self.table.costs is None else Costs(self.table.costs)

    @property
    def known(self) -> tuple[str, ...]:
        """Columns that rows may have beside those it takes."""
        return (self.table.target, *self.table.unused)

    def __call__(self, x: Any) -> Any:
        """Answer for one row, or for each of several.

        Args:
            x: a mapping from columns to values; a list of them; a frame of polars or pandas; the path of a table.
        Returns:
            One Answer for a mapping, else a list in the same order.
        Raises:
            BottegaError: a column is missing or strange, or a cell is of another kind, by row and column.
        Example:
            >>> model({"age": 39, "education": "Bachelors"}).label  # doctest: +SKIP
            '<=50K'
        """
        if isinstance(x, Mapping):
            return self.answers(["row 1"], cells_of_records([x], self.columns, self.known))[0]
        if isinstance(x, (str, os.PathLike)):
            return self.answers(*self.read(x))
        records = _records(x)
        names = [f"row {number + 1}" for number in range(len(records))]
        return self.answers(names, cells_of_records(records, self.columns, self.known))

    def read(self, path: str | os.PathLike[str]) -> tuple[list[str], Cells]:
        """Names and cells of the rows of a file: any table that training reads, or JSON."""
        if os.fspath(path).lower().endswith(".json"):
            records = _parsed(Path(path))
            return [f"row {i + 1}" for i in range(len(records))], cells_of_records(records, self.columns, self.known)
        table = read_like(path, self.columns)
        require_columns(table.frame.columns, self.columns, self.known, table.name)
        return [f"row {number}" for number in table.rows.tolist()], cells_of_frame(table.frame, self.columns)

    def answers(self, names: Sequence[str], cells: Cells) -> list[Answer]:
        """Answers for cells by column, (N,) each, under these names."""
        return self.told(names, self.predict_batch(cells))

    def told(self, names: Sequence[str], found: Answered) -> list[Answer]:
        """What the graph found, row by row, under these names."""
        if "value" in found:
            rows = zip(names, *(found[key].tolist() for key in ("value", "lower", "upper")), strict=True)
            return [Answer(name, None, {}, None, value, lower, upper) for name, value, lower, upper in rows]
        lines = zip(names, found["label"], found["probabilities"].tolist(), found["sure"].tolist(), strict=True)
        return [
            Answer(name, str(label), dict(zip(self.labels, shares, strict=True)), sure)
            for name, label, shares, sure in lines
        ]

    def predict_batch(self, cells: Cells) -> Answered:
        """Run rows, in batches of bounded memory.

        Args:
            cells: (N,) by column: floats with NaN, or strings with "" where missing.
        """
        return ask_rows(self._session, cells, self.columns, [one.name for one in self.card.outputs])


def ask_rows(
    session: Any, cells: Mapping[str, npt.NDArray[Any]], columns: Sequence[ColumnSpec], outputs: list[str]
) -> Answered:
    """Run rows through a session whose inputs are these columns; outputs by name."""
    n = len(next(iter(cells.values()))) if cells else 0
    parts = []
    most = MAX_TEXTS if any(one.kind == "text" for one in columns) else MAX_ROWS
    for start in range(0, max(n, 1), most):
        inputs = {}
        for one in columns:
            values = cells[one.column][start : start + most]
            with np.errstate(over="ignore"):  # beyond float32 is infinite there too
                inputs[one.name] = values.astype(np.float32 if one.dtype == "float32" else object)
        with engine_errors(f"the model cannot answer {min(n, most)} rows"):
            parts.append(session.run(outputs, inputs))
    return {name: np.concatenate(column) for name, column in zip(outputs, zip(*parts, strict=True), strict=True)}


def _parsed(path: Path) -> list[Any]:
    """The rows of a JSON file: a list of objects, or one."""
    try:
        found = json.loads(path.read_text("utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise BottegaError(
            found=f"{str(path)!r} cannot be read: {reason}",
            expected="JSON: a list of objects, each with a value for each column; or one object",
            fix="check the file",
        ) from error
    return found if isinstance(found, list) else [found]


def _records(x: Any) -> list[Mapping[str, Any]]:
    if is_frame(x):
        module = type(x).__module__.partition(".")[0]
        found: list[Mapping[str, Any]] = x.to_dicts() if module == "polars" else x.to_dict("records")
        return found
    if isinstance(x, (list, tuple)):
        return list(x)
    raise BottegaError(
        found=f"a {type(x).__name__}",
        expected="a mapping from columns to values, a list of them, a data frame, or the path of a table",
        fix="model({'column': value, ...})",
    )
