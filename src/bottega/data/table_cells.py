"""From a table that was read to the cells that the preparation takes, column by column."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from shlex import quote
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from bottega.data.dates import date_parts
from bottega.data.table_preparation import Kind
from bottega.data.tables import Table
from bottega.errors import BottegaError
from bottega.problem.table import Column

__all__ = ["TableCells", "cells_of"]

UNREAD = "free text: its words are only read with --features"
DAY, MOMENT = "%Y-%m-%d", "%Y-%m-%d %H:%M:%S"


@dataclass(frozen=True)
class TableCells:
    """What `data.table_preparation.fit_preparation` takes, of the columns that a model is given.

    Attributes:
        cells: (N,) by column: floats with NaN, or strings with "" where missing.
        formats: of the date columns, as the cells are written.
        left_out: columns that no model is given, and why.
        texts: (N,) by column, strings with "" where missing, of those whose words may be read.
    """

    cells: dict[str, npt.NDArray[Any]]
    kinds: dict[str, Kind]
    formats: dict[str, str]
    left_out: dict[str, str]
    texts: dict[str, npt.NDArray[Any]] = field(default_factory=dict)

    @property
    def everything(self) -> dict[str, npt.NDArray[Any]]:
        """Cells by column, with those of texts."""
        return self.cells | self.texts


def cells_of(table: Table, features: Sequence[Column] | None = None, *, texts: bool = False) -> TableCells:
    """Take the feature columns of a table apart; free text is left out, and said.

    Args:
        features: columns that may be used; by default all that can be.
        texts: whether cells of free text are wanted too.
    Raises:
        BottegaError: no column is left.
    """
    found = TableCells({}, {}, {}, {})
    for column in table.features if features is None else features:
        series = table.frame[column.name]
        if column.kind == "text":
            found.left_out[column.name] = UNREAD
            if texts:
                found.texts[column.name] = _strings(series.cast(pl.String))
        elif column.kind == "date":
            found.formats[column.name] = format_ = _format(column, series)
            found.kinds[column.name] = "date"
            found.cells[column.name] = _strings(series.dt.strftime(format_))
        elif series.dtype.is_numeric():
            found.kinds[column.name] = "number"
            found.cells[column.name] = series.cast(pl.Float64).fill_null(np.nan).to_numpy()
        else:
            found.kinds[column.name] = "category"
            found.cells[column.name] = _strings(series.cast(pl.String))
    if not found.cells:
        read = "--type COL=category for a column that was taken for something else"
        raise BottegaError(
            found=f"no column to learn from in {table.name}" + (" but texts" if found.left_out else ""),
            expected="at least one column of numbers, categories or dates beside the target",
            fix=f"--text {quote(','.join(found.left_out))} learns from the words" if found.left_out else read,
        )
    return found


def _format(column: Column, series: pl.Series) -> str:
    """The user's own way to write the date where the graph can read it; else year first."""
    try:
        date_parts(column.format)
    except BottegaError:
        is_day = bool((series.dt.truncate("1d") == series).all())  # a missing one counts for both
        return DAY if is_day else MOMENT
    return column.format


def _strings(series: pl.Series) -> npt.NDArray[Any]:
    return np.array(series.fill_null("").to_list(), dtype=object)
