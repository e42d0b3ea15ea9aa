"""Rows for a model whose columns are known: read from a file, a data frame or records, refused by row and column."""

import datetime
import math
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bottega.data.table_summary import summary_of
from bottega.errors import BottegaError, found_in, nearest_name
from bottega.problem.table import MISSING_CODES, ColumnSpec, TableChoices

if TYPE_CHECKING:
    import polars as pl

    from bottega.data.tables import Table

__all__ = [
    "Cells",
    "cells_of_frame",
    "cells_of_records",
    "column_specs",
    "is_frame",
    "read_like",
    "require_columns",
    "share_unknown",
]

Cells = dict[str, npt.NDArray[Any]]


def column_specs(table: "Table", prepared: Any, cells: Mapping[str, npt.NDArray[Any]]) -> tuple[ColumnSpec, ...]:
    """What a file must know to read new rows as the rows of this table were read.

    Args:
        prepared: the `TablePreparation` fitted on it.
        cells: (N,) of the training rows by column.
    """
    specs = []
    for one in prepared.columns:
        column = table.column(one.name)
        dtype = "float32" if one.kind == "number" else "string"
        written = column.format if one.kind == "date" else ""
        missing = _codes(table, one.name)
        rare = share_unknown(cells[one.name], one.levels) if one.kind == "category" else 0.0
        place = one.input_name, one.kind, dtype, one.name
        summary = summary_of(cells[one.name], one.kind, one.levels)
        specs.append(ColumnSpec(*place, one.levels, one.format, written, missing, round(rare, 6), summary))
    texts = prepared.text_inputs.items()
    return (*specs, *(ColumnSpec(own, "text", "string", name, missing=_codes(table, name)) for name, own in texts))


def _codes(table: "Table", name: str) -> tuple[str, ...]:
    """What stands for a missing cell of a column, beside an empty one."""
    own = table.choices.missing_in.get(name)
    codes = own if own is not None else (*MISSING_CODES, *table.choices.missing)
    return tuple(dict.fromkeys(code for code in (*codes, *table.column(name).missing) if code))


def share_unknown(cells: npt.NDArray[Any], levels: Sequence[str]) -> float:
    """Share of the cells that hold a category which is none of these levels."""
    known = {*levels, ""}
    return float(np.mean([cell not in known for cell in cells.tolist()])) if len(cells) else 0.0


def read_like(
    data: str | os.PathLike[str], columns: Sequence[ColumnSpec], target: Mapping[str, str] | None = None
) -> "Table":
    """Read a table whose columns are known; the others are read as they come.

    Args:
        target: kind by column of what else must be read as stated.
    Raises:
        BottegaError: it cannot be opened, a column is missing, or a cell is of another kind, by row and column.
    """
    from bottega.data.tables import read_table

    kinds = {one.column: f"date:{one.written}" if one.written else one.kind for one in columns}
    codes = {one.column: one.missing for one in columns}
    choices = TableChoices(types={**kinds, **(target or {})}, missing_in=codes, ignore=())
    try:
        return read_table(data, choices)
    except BottegaError as error:
        if "--type" not in error.expected:
            raise
        raise BottegaError(
            found=error.found,
            expected=error.expected.partition(", as --type")[0] + ", as in training",
            fix="mend the cells, or leave them empty: they then count as missing",
            where=error.where,
        ) from error


def require_columns(names: Sequence[str], columns: Sequence[ColumnSpec], known: Sequence[str], where: str = "") -> None:
    """Refuse a table that lacks a column, or has one that training didn't have.

    Args:
        known: columns that may be there and are not used: the target, and those that training left out.
    """
    wanted = [one.column for one in columns]
    absent = [name for name in wanted if name not in names]
    if absent:
        near = nearest_name(absent[0], [name for name in names if name not in wanted])
        raise BottegaError(
            found=f"no column {found_in(absent)}",
            expected=f"the columns that the model was trained on: {found_in(wanted)}",
            fix=f"rename {near!r} to {absent[0]!r}" if near else "add the column; empty cells count as missing",
            where=where or None,
        )
    strange = [name for name in names if name not in wanted and name not in known]
    if strange:
        near = nearest_name(strange[0], wanted)
        raise BottegaError(
            found=f"the column {found_in(strange)}, which training did not have",
            expected=f"the columns that the model was trained on: {found_in(wanted)}",
            fix=f"is it {near!r}? It is there already" if near else "take the column out",
            where=where or None,
        )


def cells_of_frame(frame: "pl.DataFrame", columns: Sequence[ColumnSpec]) -> Cells:
    """The cells that a model takes, from a frame that `read_like` typed."""
    import polars as pl

    cells: Cells = {}
    for one in columns:
        series = frame[one.column]
        if one.kind == "number":
            cells[one.column] = series.cast(pl.Float64).fill_null(math.nan).to_numpy()
            continue
        text = series.dt.strftime(one.format) if one.kind == "date" else series.cast(pl.String)
        cells[one.column] = np.array(text.fill_null("").to_list(), dtype=object)
    return cells


def is_frame(value: Any) -> bool:
    """Whether it is a data frame of polars or pandas."""
    return hasattr(value, "columns") and hasattr(value, "to_dict") and type(value).__module__.split(".")[0] in (
        "polars", "pandas",
    )  # fmt: skip


def cells_of_records(
    records: Sequence[Mapping[str, Any]], columns: Sequence[ColumnSpec], known: Sequence[str] = (), noun: str = "row"
) -> Cells:
    """The cells that a model takes, from records of plain values; polars is not needed.

    Raises:
        BottegaError: a column is missing or strange, or a value is of another kind, by row and column.
    """
    for number, record in enumerate(records):
        if not isinstance(record, Mapping):
            raise BottegaError(
                found=f"a {type(record).__name__} for a row",
                expected="a mapping from columns to values",
                fix=f"model({{{', '.join(f'{one.column!r}: ...' for one in columns[:3])}}})",
                where=f"{noun} {number + 1:,}",
            )
        require_columns([*record], columns, known, f"{noun} {number + 1:,}")
    cells: Cells = {}
    for one in columns:
        cell = {"number": _number, "date": _date}.get(one.kind, _category)
        values = [cell(record[one.column], one, f"{noun} {i + 1:,}") for i, record in enumerate(records)]
        cells[one.column] = np.array(values, dtype=np.float64 if one.kind == "number" else object)
    return cells


def _is_missing(value: Any, one: ColumnSpec) -> bool:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return True
    if not isinstance(value, str):
        return type(value).__name__ in ("NAType", "NaTType")
    text = value.strip()
    return not text or text in one.missing


def _number(value: Any, one: ColumnSpec, where: str) -> float:
    if _is_missing(value, one):
        return math.nan
    if isinstance(value, str):
        try:
            number = float(value)
        except ValueError:
            raise _wrong(value, one, "a number", where) from None
    elif isinstance(value, (bool, int, float, np.integer, np.floating, np.bool_)):
        number = float(value)
    else:
        raise _wrong(value, one, "a number", where)
    if f"{number:g}" in one.missing:  # -999 and its kin
        return math.nan
    if not math.isfinite(number):
        raise _wrong(value, one, "a finite number", where)
    return number


def _category(value: Any, one: ColumnSpec, where: str) -> str:
    if _is_missing(value, one):
        return ""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if isinstance(value, (int, float, np.integer, np.floating)):
        return f"{int(value)}" if float(value).is_integer() else f"{value}"
    raise _wrong(value, one, "a text", where)


def _date(value: Any, one: ColumnSpec, where: str) -> str:
    if _is_missing(value, one):
        return ""
    if isinstance(value, (datetime.date, datetime.datetime)):
        return value.strftime(one.format)
    for format_ in (one.format, one.written):
        try:
            return datetime.datetime.strptime(str(value).strip(), format_).strftime(one.format)
        except ValueError:
            continue
    raise _wrong(value, one, f"a date like {one.written or one.format}", where)


def _wrong(value: Any, one: ColumnSpec, expected: str, where: str) -> BottegaError:
    shown = repr(value) if len(repr(value)) <= 60 else repr(value)[:57] + "…"
    return BottegaError(
        found=f"{shown} in the column {one.column!r}",
        expected=f"{expected}, as in training",
        fix="mend the cell, or leave it empty: it then counts as missing",
        where=f"{where}, column {one.column!r}",
    )
