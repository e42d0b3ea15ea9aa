"""Count the cells of every row of delimited text in one pass over its bytes, and refuse rows that don't fit."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from bottega.errors import BottegaError

__all__ = ["MAX_RECORD_BYTES", "NAMES", "Shape", "count_cells", "refuse_ragged"]

MAX_RECORD_BYTES = 16 * 2**20  # of one row: a line without an end must not fill the memory
CHUNK_BYTES = 8 * 2**20
NAMES = {"\t": "tab", ";": "semicolon", "|": "bar", ",": "comma"}
_QUOTE, _NEWLINE, _RETURN = 34, 10, 13
_SHOWN = 5  # rows that are named; the others are counted

Bytes = npt.NDArray[np.uint8]
Places = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Ragged:
    """A row with another number of cells than the first."""

    record: int
    n_cells: int
    begin: int  # first byte, and the one after the last
    end: int


@dataclass(frozen=True)
class Shape:
    """What was counted.

    Attributes:
        n_cells: of the first row.
        blank: records without a byte.
        ragged: the first few of `n_ragged`.
        lone_quote: record and byte of the first quote that neither opens nor closes a cell, or stays open at the end.
    """

    n_cells: int
    n_records: int
    blank: tuple[int, ...]
    n_ragged: int
    ragged: tuple[Ragged, ...]
    lone_quote: tuple[int, int] | None


@dataclass
class _Count:
    """What is carried from one chunk to the next."""

    n_cells: int = 0
    n_records: int = 0
    begun: int = 0  # first byte of the open record
    marks: int = 0  # delimiters in it so far
    inside: int = 0  # 1 within quotes
    opened: int = 0  # byte of the quote that opened last
    blank: list[int] = field(default_factory=list)
    n_ragged: int = 0
    ragged: list[Ragged] = field(default_factory=list)
    lone: int | None = None  # byte of the first misplaced quote


def count_cells(text: bytes, delimiter: str, quoted: bool, name: str) -> Shape:
    """Count rows and their cells; delimiters and line ends within quotes count as text.

    Args:
        quoted: whether quotes mean anything in this text.
        name: of the file, for messages.
    Raises:
        BottegaError: a row without an end.
    """
    data, count = np.frombuffer(text, np.uint8), _Count()
    for start in range(0, len(text), CHUNK_BYTES):
        chunk = data[start : start + CHUNK_BYTES]
        ends, marks = chunk == _NEWLINE, chunk == ord(delimiter)
        if quoted and (count.inside or (chunk == _QUOTE).any()):
            outside = _outside(data, start, chunk, ord(delimiter), count)
            ends, marks = ends & outside, marks & outside
        _add(data, start, np.flatnonzero(ends), np.flatnonzero(marks), count)
        if start + len(chunk) - count.begun > MAX_RECORD_BYTES:
            raise _too_long(count.n_records + 1, name)
    if count.begun < len(text):  # a last row without a line end
        count.n_cells = count.n_cells or count.marks + 1
        if count.marks + 1 != count.n_cells:
            count.n_ragged += 1
            count.ragged.append(Ragged(count.n_records, count.marks + 1, count.begun, len(text)))
        count.n_records += 1
    lone = count.lone if count.lone is not None else count.opened if count.inside else None
    at = None if lone is None else (text.count(b"\n", 0, lone), lone)
    return Shape(count.n_cells, count.n_records, tuple(count.blank), count.n_ragged, tuple(count.ragged[:_SHOWN]), at)


def _outside(data: Bytes, start: int, chunk: Bytes, mark: int, count: _Count) -> npt.NDArray[np.bool_]:
    """Where the chunk lies outside quotes; remembers the first quote that stands where none may."""
    quotes = chunk == _QUOTE
    open_ = ((np.cumsum(quotes, dtype=np.int32) + count.inside) & 1).astype(bool)
    at = np.flatnonzero(quotes) + start
    opens = open_[at - start]
    if count.lone is None:
        before = np.where(at > 0, data[at - 1], _NEWLINE)
        after = np.where(at + 1 < len(data), data[np.minimum(at + 1, len(data) - 1)], _NEWLINE)
        fits = np.where(
            opens, np.isin(before, (mark, _NEWLINE, _QUOTE)), np.isin(after, (mark, _NEWLINE, _RETURN, _QUOTE))
        )
        if not fits.all():
            i = int(np.argmin(fits))
            opener = int(at[i - 1]) if i else count.opened
            count.lone = int(at[i]) if opens[i] else opener  # what closes where none may was opened by mistake
    if opens.any():
        count.opened = int(at[opens][-1])
    count.inside = int(open_[-1])
    return ~open_


def _add(data: Bytes, start: int, ends: Places, marks: Places, count: _Count) -> None:
    """Count the records that end in this chunk, and the delimiters of the one that stays open."""
    if len(ends) == 0:
        count.marks += len(marks)
        return
    so_far = np.searchsorted(marks, ends)
    cells = np.diff(so_far, prepend=0) + 1
    cells[0] += count.marks
    begins = np.concatenate(([count.begun], start + ends + 1))
    lengths = start + ends - begins[:-1]
    empty = (lengths == 0) | ((lengths == 1) & (data[begins[:-1]] == _RETURN))
    if count.n_cells == 0 and not empty.all():
        count.n_cells = int(cells[~empty][0])
    count.blank += (count.n_records + np.flatnonzero(empty)).tolist()
    wrong = np.flatnonzero((cells != count.n_cells) & ~empty)
    count.n_ragged += len(wrong)
    for i in wrong[:_SHOWN].tolist():
        count.ragged.append(Ragged(count.n_records + i, int(cells[i]), int(begins[i]), int(begins[i + 1])))
    count.marks = len(marks) - int(so_far[-1])
    count.begun = int(begins[-1])
    count.n_records += len(ends)


def refuse_ragged(text: bytes, shape: Shape, delimiter: str, name: str) -> None:
    """Refuse rows of different length and quotes out of place.

    Raises:
        BottegaError: which rows, and how many cells each has.
    """
    if shape.lone_quote is not None:
        line, at = shape.lone_quote
        begin = text.rfind(b"\n", 0, at) + 1
        column = text.count(delimiter.encode(), begin, at) + 1
        raise BottegaError(
            found=f"a lone quote: {_shown(text, begin, len(text))}",
            expected='quotes in pairs around a whole cell, and "" for a quote inside',
            fix="close, double or remove the quote",
            where=f"{name}, line {line + 1:,}, column {column}",
        )
    if shape.n_ragged == 0:
        return
    first = shape.ragged[0]
    raise BottegaError(
        found=f"{_rows(shape.ragged, shape.n_ragged)}, where the first row has {shape.n_cells}: "
        f"{_shown(text, first.begin, first.end)}",
        expected=f"{shape.n_cells} cells in each row, split by {NAMES.get(delimiter, repr(delimiter))}",
        fix="mend the rows; a cell that holds the delimiter needs quotes around it",
        where=f"{name}, row {first.record + 1:,}",
    )


def _rows(ragged: Sequence[Ragged], n_ragged: int) -> str:
    shown = ", ".join(
        f"row {one.record + 1:,} has {one.n_cells} {'cell' if one.n_cells == 1 else 'cells'}" for one in ragged
    )
    return shown + (f" and {n_ragged - len(ragged):,} more rows differ" if n_ragged > len(ragged) else "")


def _shown(text: bytes, begin: int, end: int) -> str:
    """The start of a row, by `repr`."""
    line = text[begin : min(end, begin + 60)].decode("utf-8", "replace").split("\n")[0].rstrip("\r")
    return repr(line)


def _too_long(row: int, name: str) -> BottegaError:
    return BottegaError(
        found=f"a row of more than {MAX_RECORD_BYTES / 2**20:.0f} MB",
        expected="rows that end with a line break",
        fix="check that the file is a table and that its quotes are closed",
        where=f"{name}, row {row:,}",
    )
