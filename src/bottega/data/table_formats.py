"""Tables that are no CSV: Parquet, JSON lines, Excel sheets, SQLite tables."""

import io
import json
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from bottega.data.table_text import Grid, check_columns
from bottega.errors import BottegaError, found_in, nearest_name
from bottega.problem.table import Reading

__all__ = ["MAX_CELLS", "read_excel", "read_json_lines", "read_parquet", "read_sqlite"]

MAX_CELLS = 200_000_000  # 16 bytes each while they are strings
MAX_UNPACKED_BYTES = 2 * 2**30  # of an Excel file, which is a zip


def read_parquet(data: bytes, name: str) -> Grid:
    """Read a Parquet file.

    Raises:
        BottegaError: it is none, or too large.
    """
    try:
        lazy = pl.scan_parquet(io.BytesIO(data))
        n_rows = int(lazy.select(pl.len()).collect().item())
        n_columns = len(lazy.collect_schema())
        _refuse_large(n_rows, n_columns, name)
        frame = lazy.collect()
    except pl.exceptions.PolarsError as error:
        raise _broken("Parquet", error, name) from error
    return _grid(frame, Reading("Parquet", len(data)), name)


def read_json_lines(data: bytes, name: str) -> Grid:
    """Read one JSON object a line; a key that a line lacks is a missing value.

    Raises:
        BottegaError: a line that is no object, by its number.
    """
    try:
        frame = pl.read_ndjson(io.BytesIO(data), infer_schema_length=None)
    except pl.exceptions.PolarsError as error:
        raise _wrong_line(data, name) or _broken("JSON lines", error, name) from error
    _refuse_large(frame.height, frame.width, name)
    lines = [i for i, line in enumerate(data.split(b"\n"), 1) if line.strip()]
    rows = lines if len(lines) == frame.height else range(1, frame.height + 1)
    return _grid(frame, Reading("JSON lines", len(data)), name, rows)


def _wrong_line(data: bytes, name: str) -> BottegaError | None:
    for number, line in enumerate(data.split(b"\n"), 1):
        try:
            value = json.loads(line) if line.strip() else {}
        except (ValueError, RecursionError) as error:
            found = f"a line that is no JSON: {line[:60].decode('utf-8', 'replace')!r} ({error})"
        else:
            if isinstance(value, dict):
                continue
            found = f"a line that is no object: {line[:60].decode('utf-8', 'replace')!r}"
        return BottegaError(
            found=found,
            expected='one object a line, {"age": 39, "income": "high"}',
            fix="mend the line",
            where=f"{name}, row {number:,}",
        )
    return None


def read_excel(data: bytes, name: str, sheet: str | None) -> Grid:
    """Read a sheet of an Excel workbook; the first one unless another is named.

    Raises:
        BottegaError: no workbook, no such sheet, unpacked too large, or the package that reads it is missing.
    """
    _refuse_bomb(data, name)
    try:
        import fastexcel
    except ModuleNotFoundError as error:
        raise BottegaError(
            found="an Excel file, and the package 'fastexcel' is not installed",
            expected="what reads Excel, which the extra [tables] brings",
            fix="pip install 'bottega[tables]'",
        ) from error
    try:
        book = fastexcel.read_excel(data)
        if sheet is not None and sheet not in book.sheet_names:
            raise _no_such("sheet", sheet, book.sheet_names, name)
        chosen = book.sheet_names[0] if sheet is None else sheet
        frame = book.load_sheet(chosen).to_polars()
    except fastexcel.FastExcelError as error:
        raise _broken("Excel", error, name) from error
    others = [one for one in book.sheet_names if one != chosen]
    notes = (f"the sheet {chosen!r}; others: {found_in(others)} (name one with {name}::SHEET)",) if others else ()
    return _grid(frame, Reading("Excel", len(data), notes=notes), name, range(2, frame.height + 2))


def _refuse_bomb(data: bytes, name: str) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            unpacked = sum(item.file_size for item in archive.infolist())
    except zipfile.BadZipFile as error:
        raise _broken("Excel", error, name) from error
    if unpacked > MAX_UNPACKED_BYTES:
        raise BottegaError(
            found=f"an Excel file that unpacks to {unpacked / 1e9:.1f} GB",
            expected=f"at most {MAX_UNPACKED_BYTES / 1e9:.1f} GB",
            fix="save the sheet as CSV (UTF-8)",
            where=name,
        )


def read_sqlite(path: Path, table: str | None) -> Grid:
    """Read one table or view of an SQLite database, without writing to it.

    Raises:
        BottegaError: no database, no table named, or no such table.
    """
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as base:
            query = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%'"
            names = [str(row[0]) for row in base.execute(query)]
            if table is None and len(names) == 1:
                table = names[0]
            if table is None:
                raise BottegaError(
                    found=f"a database with {len(names)} tables: {found_in(names) or 'none'}",
                    expected=f"one of them, {path.name}::TABLE",
                    fix=f"give {path.name}::{names[0]}" if names else "give a database that has a table",
                )
            if table not in names:
                raise _no_such("table", table, names, path.name)
            quoted = '"' + table.replace('"', '""') + '"'
            n_rows = int(base.execute(f"SELECT count(*) FROM {quoted}").fetchone()[0])
            cursor = base.execute(f"SELECT * FROM {quoted}")
            columns = [str(item[0]) for item in cursor.description]
            _refuse_large(n_rows, len(columns), path.name)
            cells = list(zip(*cursor, strict=True))
    except sqlite3.Error as error:
        raise _broken("SQLite", error, path.name) from error
    check_columns(columns, path.name)
    frame = pl.DataFrame({name: _series(column) for name, column in zip(columns, cells, strict=bool(cells))})
    return _grid(frame, Reading("SQLite", path.stat().st_size, notes=(f"the table {table!r}",)), path.name)


def _series(cells: tuple[Any, ...]) -> pl.Series:
    """Cells of one kind as they are; SQLite may mix kinds in a column, which become strings."""
    kinds = {type(cell) for cell in cells if cell is not None}
    if bytes in kinds:
        return pl.Series([[0]] * len(cells))  # a list: left out below as no single value
    if kinds <= {int, float}:
        return pl.Series(cells, dtype=pl.Float64 if float in kinds else pl.Int64, strict=False)
    return pl.Series([None if cell is None else str(cell) for cell in cells], dtype=pl.String)


def _grid(frame: pl.DataFrame, reading: Reading, name: str, rows: Any = None) -> Grid:
    if frame.height == 0 or frame.width == 0:
        raise BottegaError(found="no row", expected="rows of data", fix="check the file", where=name)
    check_columns(frame.columns, name)
    nested = [column for column, kind in frame.schema.items() if kind.is_nested() or kind in (pl.Binary, pl.Object)]
    if nested:
        said = f"{len(nested):,} columns left out, whose cells are lists or objects: {found_in(nested)}"
        reading = Reading(reading.format, reading.n_bytes, notes=(*reading.notes, said))
        frame = frame.drop(nested)
    numbers = np.arange(1, frame.height + 1) if rows is None else np.asarray(rows)
    return Grid(frame, reading, numbers.astype(np.int64))


def _refuse_large(n_rows: int, n_columns: int, name: str) -> None:
    if n_rows * n_columns > MAX_CELLS:
        raise BottegaError(
            found=f"{n_rows:,} rows of {n_columns:,} columns",
            expected=f"at most {MAX_CELLS:,} cells",
            fix="draw some of the rows at random",
            where=name,
        )


def _no_such(what: str, wanted: str, names: list[str], where: str) -> BottegaError:
    near = nearest_name(wanted, names)
    return BottegaError(
        found=f"no {what} {wanted!r}",
        expected=f"one of {found_in(names)}",
        fix=f"did you mean {near!r}?" if near else f"give {where}::{names[0] if names else what.upper()}",
        where=where,
    )


def _broken(format_: str, error: BaseException, name: str) -> BottegaError:
    said = " ".join(str(error).split())[:200]
    return BottegaError(
        found=f"what cannot be read as {format_}: {said}",
        expected=f"a file in {format_}",
        fix="save it again in the program it came from, or as CSV (UTF-8)",
        where=name,
    )
