"""CSV and its kin as rows of strings: encoding, delimiter, quotes and header found out, every row's cells counted."""

import codecs
import csv
import io
import re
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import polars as pl

from bottega.data.table_rows import NAMES, Shape, count_cells, refuse_ragged
from bottega.errors import BottegaError
from bottega.problem.table import Reading

__all__ = ["Grid", "MAX_COLUMNS", "check_columns", "read_text"]

MAX_COLUMNS = 2000  # one input of the model file each
CHUNK_BYTES = 8 * 2**20
SAMPLE_ROWS, SAMPLE_BYTES = 200, 2**18
DELIMITERS = ("\t", ";", "|", ",")  # the rarer inside cells first: where two split all rows alike, that one is meant
_NUMBER = re.compile(r"[-+]?[\d.,'\s]*\d[\d.,]*\s*([eE][-+]?\d+)?%?|[-+]?(inf|nan)", re.IGNORECASE)
_SAVE = "save it as CSV (UTF-8) in the program it came from"


@dataclass(frozen=True)
class Grid:
    """Cells as they were read, before anything is known of their kinds.

    Attributes:
        frame: columns of strings, or typed ones where the format has types.
        rows: (n,) number of each row as the file counts them, the header included.
    """

    frame: pl.DataFrame
    reading: Reading
    rows: npt.NDArray[np.int64]


def read_text(data: bytes, name: str) -> Grid:
    """Read delimited text.

    Args:
        data: the whole file.
        name: of the file, for messages.
    Raises:
        BottegaError: with row and column: NUL bytes, two encodings in one file, rows of different length, a lone quote,
            names that stand twice, too many columns, no row.
    """
    text, encoding, notes = _as_utf8(data, name)
    text, delimiter, stated = _delimiter(text)
    if stated:
        notes.append(f"the first line states the delimiter {NAMES.get(delimiter, repr(delimiter))}")
    quoted = _is_quoted(text, delimiter)
    if not quoted and b'"' in text:
        notes.append("quotes are part of the cells: none opens a cell")
    shape = count_cells(text, delimiter, quoted, name)
    refuse_ragged(text, shape, delimiter, name)
    _refuse_wide(shape.n_cells, name)
    frame = pl.read_csv(
        text,
        has_header=False,
        infer_schema=False,
        separator=delimiter,
        quote_char='"' if quoted else None,
        raise_if_empty=False,
    )
    if frame.height != shape.n_records or frame.width != shape.n_cells:
        raise BottegaError(
            found=f"{shape.n_records:,} rows by their line ends, {frame.height:,} by their quotes",
            expected="quotes that open at the start of a cell and close at its end",
            fix="double a quote inside a quoted cell",
            where=name,
        )
    grid = _with_header(frame, shape, (encoding, delimiter, len(data)), notes, name)
    return replace(grid, rows=grid.rows + 1) if stated else grid


def _with_header(frame: pl.DataFrame, shape: Shape, how: tuple[str, str, int], notes: list[str], name: str) -> Grid:
    """Names from the first row when it is a header, and blank rows left out."""
    encoding, delimiter, n_bytes = how
    kept = np.ones(frame.height, dtype=bool)
    kept[list(shape.blank)] = False
    between = shape.blank[: len(shape.blank) - _n_trailing(shape)]
    if between:
        shown = ", ".join(f"{i + 1:,}" for i in between[:5])
        notes.append(f"{len(between):,} blank {'row' if len(between) == 1 else 'rows'} left out: {shown}")
    rows = np.flatnonzero(kept) + 1
    frame = frame if kept.all() else frame.filter(pl.Series(kept))
    if frame.height == 0:
        raise BottegaError(found="no row", expected="a header and rows of data", fix="check the file", where=name)
    first = [str(cell or "").strip() for cell in frame.row(0)]
    header = _is_header(first, frame)
    if header:
        names, unnamed = _named(first)
        check_columns(names, name)
        if unnamed:
            notes.append(f"{unnamed:,} columns without a name: called by their place, {_first_unnamed(first)!r}")
        frame, rows = frame.slice(1), rows[1:]
    else:
        names = [f"column_{i + 1}" for i in range(frame.width)]
        notes.append("no header: the first row is data; columns are called by their place, 'column_1'")
    if frame.height == 0:
        raise BottegaError(
            found="a header without rows", expected="rows of data below it", fix="check the file", where=name
        )
    frame.columns = names
    format_ = "TSV" if delimiter == "\t" else "CSV"
    return Grid(frame, Reading(format_, n_bytes, delimiter, encoding, header, tuple(notes)), rows)


def _n_trailing(shape: Shape) -> int:
    n = 0
    while n < len(shape.blank) and shape.blank[-1 - n] == shape.n_records - 1 - n:
        n += 1
    return n


def _first_unnamed(first: list[str]) -> str:
    return f"column_{first.index('') + 1}"


def _named(first: list[str]) -> tuple[list[str], int]:
    return [cell or f"column_{i + 1}" for i, cell in enumerate(first)], sum(not cell for cell in first)


def check_columns(names: list[str], where: str) -> None:
    """Refuse more columns than a model may take, and a header in which a name stands twice.

    Raises:
        BottegaError: how many, or which name and where it stands.
    """
    _refuse_wide(len(names), where)
    places: dict[str, list[int]] = {}
    for i, name in enumerate(names, 1):
        places.setdefault(name, []).append(i)
    twice = {name: at for name, at in places.items() if len(at) > 1}
    if twice:
        name, at = next(iter(twice.items()))
        more = f"; {len(twice) - 1} more such names" if len(twice) > 1 else ""
        raise BottegaError(
            found=f"the name {name!r} stands over the columns {', '.join(map(str, at))}{more}",
            expected="a different name over each column",
            fix="rename one of them",
            where=f"{where}, row 1",
        )


def _refuse_wide(n_columns: int, where: str) -> None:
    if n_columns > MAX_COLUMNS:
        raise BottegaError(
            found=f"{n_columns:,} columns",
            expected=f"at most {MAX_COLUMNS:,}, each one an input of the model",
            fix="keep the columns that may matter; a long row of one kind is a series or a picture",
            where=where,
        )


def _is_header(first: list[str], frame: pl.DataFrame) -> bool:
    """Whether the first row names the columns: words over numbers, or words that recur in no row below."""
    if frame.height == 1:
        return not any(_NUMBER.fullmatch(cell) for cell in first)
    body = frame.slice(1, SAMPLE_ROWS)
    numeric = [_mostly_numbers(body[:, i]) for i in range(frame.width)]
    if any(below and cell and not _NUMBER.fullmatch(cell) for cell, below in zip(first, numeric, strict=True)):
        return True
    if any(numeric):
        return False
    recurs = [cell != "" and cell in set(body[:, i].to_list()) for i, cell in enumerate(first)]
    return not any(recurs) and len(set(first)) == len(first)


def _mostly_numbers(column: pl.Series) -> bool:
    cells = [cell for cell in column.to_list() if cell and cell.strip() and cell.strip() not in ("?", "NA", "None")]
    return bool(cells) and sum(_NUMBER.fullmatch(cell.strip()) is not None for cell in cells) >= 0.9 * len(cells)


def _as_utf8(data: bytes, name: str) -> tuple[bytes, str, list[str]]:
    """The text as UTF-8, the name of its encoding, and what is to be said."""
    for mark, encoding in (
        (codecs.BOM_UTF8, "UTF-8"),
        (codecs.BOM_UTF16_LE, "UTF-16"),
        (codecs.BOM_UTF16_BE, "UTF-16"),
    ):
        if not data.startswith(mark):
            continue
        said = [f"{encoding} with a byte order mark, which is left out"]
        if encoding == "UTF-8":
            data = data[len(mark) :]
            break
        try:
            return _unix(data.decode("utf-16").encode()), encoding, said
        except UnicodeDecodeError as error:
            raise _undecodable(data, error.start, "UTF-16", name) from error
    else:
        said = []
    _refuse_nul(data, name)
    wrong = _first_invalid(data)
    if wrong is None:
        return _unix(data), "UTF-8", said
    if re.search(rb"[\xc3-\xf4][\x80-\xbf]", data):  # some letters are UTF-8, so that others are not
        raise _undecodable(data, wrong, "UTF-8 as elsewhere in the file", name)
    try:
        return _unix(data.decode("cp1252").encode()), "Windows-1252", [*said, "not UTF-8: read as Windows-1252"]
    except UnicodeDecodeError:
        return _unix(data.decode("latin-1").encode()), "Latin-1", [*said, "not UTF-8: read as Latin-1"]


def _unix(text: bytes) -> bytes:
    """Lines that end with a carriage return alone (old Macs) end with a newline."""
    return text.replace(b"\r", b"\n") if b"\n" not in text and b"\r" in text else text


def _first_invalid(data: bytes) -> int | None:
    """Place of the first byte that is no UTF-8."""
    if data.isascii():
        return None
    decoder = codecs.getincrementaldecoder("utf-8")()
    for start in range(0, len(data), CHUNK_BYTES):
        pending = len(decoder.getstate()[0])
        try:
            decoder.decode(data[start : start + CHUNK_BYTES], final=start + CHUNK_BYTES >= len(data))
        except UnicodeDecodeError as error:
            return start - pending + error.start
    return None


def _refuse_nul(data: bytes, name: str) -> None:
    at = data.find(b"\0")
    if at < 0:
        return
    halves = data[:2000:2], data[1:2000:2]
    odd = any(half.count(0) > 0.4 * len(half) for half in halves)  # every other byte of Western text in UTF-16
    raise BottegaError(
        found="UTF-16 without its byte order mark" if odd else "a NUL byte, which no text has",
        expected="text in UTF-8",
        fix=_SAVE,
        where=_place(data, at, name),
    )


def _undecodable(data: bytes, at: int, expected: str, name: str) -> BottegaError:
    return BottegaError(
        found=f"the bytes {data[at : at + 4]!r}, which are of another encoding",
        expected=expected,
        fix=_SAVE,
        where=_place(data, at, name),
    )


def _place(data: bytes, at: int, name: str) -> str:
    """Row and column of a byte, as far as lines and delimiters tell."""
    start = data.rfind(b"\n", 0, at) + 1
    sample = data[: min(len(data), SAMPLE_BYTES)].decode("latin-1")
    delimiter = _best_delimiter(sample).encode()
    row, column = data.count(b"\n", 0, at) + 1, data.count(delimiter, start, at) + 1
    return f"{name}, row {row:,}, column {column}"


def _delimiter(text: bytes) -> tuple[bytes, str, bool]:
    """The text without a line that states the delimiter, the delimiter, and whether it was stated."""
    stated = re.match(rb"sep=(.)\r?\n", text)
    if stated:
        return text[stated.end() :], stated.group(1).decode(), True
    sample = text[:SAMPLE_BYTES].decode("utf-8", "ignore")
    if len(text) > SAMPLE_BYTES:
        sample = sample[: sample.rfind("\n") + 1] or sample
    return text, _best_delimiter(sample), False


def _best_delimiter(sample: str) -> str:
    """The one that splits the most rows into as many cells as the first; a comma where none splits any."""
    best, best_share = ",", 0.0
    for delimiter in DELIMITERS:
        counts = []
        try:
            for row in csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter):
                if row:
                    counts.append(len(row))
                if len(counts) == SAMPLE_ROWS:
                    break
        except csv.Error:  # a cell beyond the limit of the csv module: the count so far decides
            pass
        if counts and counts[0] > 1:
            share = counts.count(counts[0]) / len(counts)
            if share > best_share:
                best, best_share = delimiter, share
    return best


def _is_quoted(text: bytes, delimiter: str) -> bool:
    """Whether any cell begins with a quote."""
    return text.startswith(b'"') or b'\n"' in text or delimiter.encode() + b'"' in text
