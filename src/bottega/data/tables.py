"""Open a table: from a path or standard input to typed columns, each with the reason for its type."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import polars as pl

from bottega.data.table_formats import MAX_CELLS, read_excel, read_json_lines, read_parquet, read_sqlite
from bottega.data.table_numbers import find_format
from bottega.data.table_rows import MAX_RECORD_BYTES
from bottega.data.table_text import Grid, read_text
from bottega.data.table_types import typed_column
from bottega.errors import BottegaError, nearest_name
from bottega.problem.records import Progress
from bottega.problem.table import Column, Reading, TableChoices, column_named

__all__ = ["LONG_CELLS", "MAX_FILE_BYTES", "Table", "read_table"]

MAX_FILE_BYTES = 2 * 2**30  # it is held in memory whole, with its cells beside it
LONG_CELLS = 2_000_000  # beyond which there is something to wait for
_TARGETS = ("target", "label", "class", "y", "outcome")  # names that say themselves what is to be predicted
_EXPECTED = "a CSV, TSV, Parquet, JSON lines, .xlsx or SQLite file, or - for standard input"


@dataclass(frozen=True)
class Table:
    """Typed columns of one table.

    Attributes:
        frame: Float64 for numbers and numeric yes/no, Datetime (microseconds) for dates, else String; null is missing.
        columns: one for each column of `frame`, in the order of the file.
        rows: (n,) number of each row in the file, the header counted as a spreadsheet does.
        choices: what the user stated, with the target that was found.
        guessed: why this target, where the user named none.
    """

    name: str
    frame: pl.DataFrame
    columns: tuple[Column, ...]
    reading: Reading
    rows: npt.NDArray[np.int64]
    choices: TableChoices
    guessed: str = ""

    def __len__(self) -> int:
        return self.frame.height

    def column(self, name: str) -> Column:
        """The column of that name."""
        return next(one for one in self.columns if one.name == name)

    def role(self, role: str) -> tuple[Column, ...]:
        """The columns that are used as `role`: feature, target, ignored, group, time, weight."""
        return tuple(one for one in self.columns if one.role == role)

    @property
    def features(self) -> tuple[Column, ...]:
        """Columns that a model may be given: neither constant nor an identifier, and used for nothing else."""
        kept = [one for one in self.columns if one.role in ("feature", "time")]
        return tuple(one for one in kept if one.kind not in ("constant", "identifier"))

    @property
    def target(self) -> Column | None:
        """The column to be predicted."""
        return next(iter(self.role("target")), None)


def read_table(
    data: str | os.PathLike[str], choices: TableChoices | None = None, *, progress: Progress | None = None
) -> Table:
    """Read a table and find out what its columns are.

    Args:
        data: a path, `file.db::table`, `book.xlsx::sheet`, or `-` for standard input.
        choices: what the user stated; the rest is inferred.
    Raises:
        BottegaError: it cannot be opened, rows don't fit, or a stated column or type doesn't.
    Example:
        >>> table = read_table("wine.csv", TableChoices(target="quality"))  # doctest: +SKIP
        >>> table.column("quality").kind  # doctest: +SKIP
        'number'
    """
    choices = choices or TableChoices()
    name, grid = _open(os.fspath(data))
    names = grid.frame.columns
    for stated in choices.names():
        column_named(stated, names, name)
    if grid.frame.height * grid.frame.width > MAX_CELLS:
        raise BottegaError(
            found=f"{grid.frame.height:,} rows of {grid.frame.width:,} columns",
            expected=f"at most {MAX_CELLS:,} cells",
            fix="draw some of the rows at random",
            where=name,
        )
    guessed = ""
    if choices.target is None and (found := _guess_target(names)) is not None:
        choices, guessed = replace(choices, target=found), "its name says so"
    decimal_comma = _decimal_comma(grid)
    columns, series = [], []
    for done, column in enumerate(names):
        if progress is not None and grid.frame.height * len(names) > LONG_CELLS:
            progress("reading columns", done, len(names))
        strings = grid.frame.drop_in_place(column)  # they go when the column's values are there
        found_column, values = typed_column(strings, grid.rows, choices, decimal_comma=decimal_comma)
        columns.append(found_column)
        series.append(values.rename(column))
    return Table(name, pl.DataFrame(series), tuple(columns), grid.reading, grid.rows, choices, guessed)


def _guess_target(names: Sequence[str]) -> str | None:
    """A column whose name says that it is the target."""
    lower = {name.strip().lower(): name for name in names}
    return next((lower[name] for name in _TARGETS if name in lower), None)


def _decimal_comma(grid: Grid) -> bool | None:
    """What the columns that leave no doubt say about the comma; a semicolon between cells counts for a decimal one."""
    votes = []
    for series in grid.frame.iter_columns():
        if isinstance(series.dtype, pl.String):
            some = series.head(1000).str.strip_chars().drop_nulls()
            some = some.filter(some.str.contains(r"\d,\d"))
            written = find_format(some, decimal_comma=None) if len(some) else None
            if written is not None and written.sure:
                votes.append(written.decimal == ",")
    if votes:
        return sum(votes) * 2 > len(votes)
    return True if grid.reading.delimiter == ";" else None


def _open(data: str) -> tuple[str, Grid]:
    if data == "-":
        return "standard input", _by_content(_read(sys.stdin.buffer, "standard input"), "standard input")
    text, _, part = data.partition("::")
    path = Path(text)
    if not path.exists():
        raise _missing(path)
    suffix = path.suffix.lower()
    if suffix in (".db", ".sqlite", ".sqlite3", ".db3"):
        return path.stem, read_sqlite(path, part or None)
    if not path.is_file():
        raise BottegaError(found=f"{text!r}, which is no file", expected=_EXPECTED, fix="give one file")
    if path.stat().st_size > MAX_FILE_BYTES:
        raise BottegaError(
            found=f"a file of {path.stat().st_size / 1e9:.1f} GB",
            expected=f"at most {MAX_FILE_BYTES / 1e9:.1f} GB, which is held in memory",
            fix="draw some of the rows at random",
            where=path.name,
        )
    with path.open("rb") as file:
        content = _read(file, path.name, is_text=suffix in (".csv", ".tsv", ".txt", ".tab"))
    if suffix in (".parquet", ".pq"):
        return path.stem, read_parquet(content, path.name)
    if suffix in (".jsonl", ".ndjson"):
        return path.stem, read_json_lines(content, path.name)
    if suffix in (".xlsx", ".xlsm", ".xls", ".ods"):
        return path.stem, read_excel(content, path.name, part or None)
    return path.stem, _by_content(content, path.name)


def _read(file: BinaryIO, name: str, *, is_text: bool = False) -> bytes:
    """The whole file, refused early where its first line doesn't end."""
    head = file.read(MAX_RECORD_BYTES + 1)
    if is_text and len(head) > MAX_RECORD_BYTES and b"\n" not in head and b"\r" not in head:
        raise BottegaError(
            found=f"a first line of more than {MAX_RECORD_BYTES / 2**20:.0f} MB",
            expected="rows that end with a line break",
            fix="check that the file is a table",
            where=f"{name}, row 1",
        )
    rest = file.read(MAX_FILE_BYTES + 1 - len(head))
    if len(head) + len(rest) > MAX_FILE_BYTES:
        raise BottegaError(
            found=f"more than {MAX_FILE_BYTES / 1e9:.1f} GB",
            expected="what fits into memory",
            fix="draw some of the rows at random",
            where=name,
        )
    return head + rest if rest else head


def _by_content(data: bytes, name: str) -> Grid:
    """Read what has no telling suffix by its first bytes."""
    if data.startswith(b"PAR1"):
        return read_parquet(data, name)
    if data.startswith(b"PK\x03\x04"):
        return read_excel(data, name, None)
    if data.startswith(b"SQLite format 3"):
        raise BottegaError(
            found="an SQLite database", expected="its path, file.db::table", fix="give the path", where=name
        )
    if data.lstrip()[:1] == b"{":
        return read_json_lines(data, name)
    return read_text(data, name)


def _missing(path: Path) -> BottegaError:
    try:
        beside = [entry.name for entry in path.parent.iterdir()]
    except OSError:
        beside = []
    near = nearest_name(path.name, beside)
    return BottegaError(
        found=f"nothing at {str(path)!r}",
        expected=_EXPECTED,
        fix=f"did you mean {near!r}?" if near else "check the spelling and the working directory",
    )
