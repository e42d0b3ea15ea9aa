"""Read the rows of word2vec binary, word2vec text, GloVe and fastText `.vec`, a block of words at a time."""

import re
import warnings
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from bottega.errors import BottegaError
from bottega.vectors.sources import Source, opened

__all__ = ["Block", "Met", "read_blocks"]

PIECE_BYTES = 16 << 20
MAX_WORD_BYTES = 4096  # a "word" longer than this is a misread row
MAX_ODD_ROWS = 0.05  # share of rows that may look misread
LETTERS_FROM = 1e15  # four small letters, read as one number, are more than this
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f]")


@dataclass(frozen=True)
class Block:
    """Some words in the order of the file.

    Attributes:
        words: UTF-8, without line ends.
        rows: (n, D) float32 as they were written.
    """

    words: list[bytes]
    rows: NDArray[np.float32]


@dataclass
class Met:
    """What was met on the way that the user should know of."""

    n_bad_utf8: int = 0
    n_with_space: int = 0
    examples: list[str] = field(default_factory=list)


def read_blocks(source: Source, limit: int | None, n_in_block: int, met: Met) -> Iterator[Block]:
    """Read all words or the first `limit`; all blocks but the last have `n_in_block`.

    Args:
        source: as from `open_source`.
        limit: with one, what follows is nobody's business; without one, the header must be true.
        n_in_block: words to a block.
        met: is filled on the way.
    Raises:
        BottegaError: the file ends before the words that its header promises, goes on behind them, or a row has
            another width, a number that is none, or no finite value.
    """
    n_words = source.n_words if limit is None else min(limit, source.n_words)
    with opened(source.path, source.member) as stream:
        if source.has_header:
            stream.readline()
        read = _binary if source.kind == "binary" else _text
        ahead = yield from _cleaned(read(stream, source, n_words, n_in_block), met)
        if limit is None and source.has_header:
            _refuse_rest(ahead + stream.read(1 << 16), source)


def _cleaned(blocks: Generator[Block, None, bytes], met: Met) -> Generator[Block, None, bytes]:
    while True:
        try:
            block = next(blocks)
        except StopIteration as stop:
            return bytes(stop.value)
        yield Block(_clean(block.words, met), block.rows)


def _binary(stream: BinaryIO, source: Source, n_words: int, n_in_block: int) -> Generator[Block, None, bytes]:
    """The rows; what was read ahead of them is returned."""
    row_bytes = 4 * source.n_dims
    buffer, place, done = b"", 0, 0
    while done < n_words:
        n = min(n_in_block, n_words - done)
        words: list[bytes] = []
        starts: list[int] = []
        scan = place
        while len(words) < n:
            end = buffer.find(b" ", scan, scan + MAX_WORD_BYTES)
            if end < 0 or end + 1 + row_bytes > len(buffer):
                _refuse_long_word(end, len(buffer) - scan, source, done + len(words))
                piece = stream.read(max(PIECE_BYTES, n * row_bytes))
                if not piece:
                    _refuse_garbled(words, _rows_at(starts, buffer, source.n_dims), source)
                    raise _truncated(source, done + len(words), buffer[scan:].strip() == b"")
                shift = place
                buffer = buffer[place:] + piece
                place, scan = 0, scan - shift
                starts = [start - shift for start in starts]
                continue
            words.append(buffer[scan:end])
            starts.append(end + 1)
            scan = end + 1 + row_bytes
        rows = _rows_at(starts, buffer, source.n_dims)
        _refuse_garbled(words, rows, source)
        yield Block(words, rows)
        place, done = scan, done + n
    return buffer[place:]


def _rows_at(starts: list[int], buffer: bytes, n_dims: int) -> NDArray[np.float32]:
    """Every byte is a possible start of a row: an overlapping view, from which the real ones are picked."""
    window = np.dtype((np.void, 4 * n_dims))
    n_places = max(0, len(buffer) - window.itemsize + 1)
    rows = np.ndarray((n_places,), window, buffer, strides=(1,))[np.array(starts, dtype=np.int64)]
    return rows.view(np.dtype("<f4")).reshape(len(starts), n_dims)


def _text(stream: BinaryIO, source: Source, n_words: int, n_in_block: int) -> Generator[Block, None, bytes]:
    done, first_line = 0, 2 if source.has_header else 1
    while done < n_words:
        lines = list(islice(stream, min(n_in_block, n_words - done)))
        while lines and not lines[-1].strip():
            lines.pop()
        if not lines:
            raise _truncated(source, done, at_end_of_row=True)
        yield _parsed(lines, source, first_line + done)
        done += len(lines)
    return b""


def _parsed(lines: list[bytes], source: Source, first_line: int) -> Block:
    n_dims = source.n_dims
    words, numbers = [], []
    for i, line in enumerate(lines):
        row = line.rstrip(b" \r\n\t")
        if row.count(b" ") == n_dims:
            word, _, rest = row.partition(b" ")
        else:  # tabs, a word with spaces, or a row of another width
            *head, rest = _split_off(row, n_dims, source, first_line + i)
            word = b" ".join(head)
        words.append(word)
        numbers.append(rest)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            flat = np.fromstring(b" ".join(numbers), dtype=np.float32, sep=" ")
        except (DeprecationWarning, ValueError):  # numpy stops at what is no number, and once only warned
            flat = np.zeros(0, np.float32)
    if len(flat) != len(lines) * n_dims:
        flat = np.stack([_one_row(rest, source, first_line + i) for i, rest in enumerate(numbers)])
    return Block(words, flat.reshape(len(lines), n_dims))


def _split_off(line: bytes, n_dims: int, source: Source, number: int) -> list[bytes]:
    fields = line.split()
    n_numbers = len(fields) - 1
    if n_numbers < n_dims:
        raise _uneven(source, number, max(n_numbers, 0))
    if n_numbers > n_dims and _is_number(fields[-n_dims - 1]) and not _is_number(fields[0]):
        raise _uneven(source, number, n_numbers)  # one number too many is no word with a space
    return [*fields[:-n_dims], b" ".join(fields[-n_dims:])]


def _is_number(field: bytes) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True


def _one_row(rest: bytes, source: Source, number: int) -> NDArray[np.float32]:
    """The numbers of one line, or an error that names the line."""
    fields = rest.split()
    wrong = next((field for field in fields if not _is_number(field)), None)
    if wrong is not None or len(fields) != source.n_dims:
        shown = repr((wrong or rest)[:40].decode("utf-8", "backslashreplace"))
        raise BottegaError(
            found=f"{shown} where a number should be",
            expected=f"a word and {source.n_dims} numbers",
            fix=_mend(source, number),
            where=f"{source.name}, line {number}",
        )
    return np.array([float(field) for field in fields], dtype=np.float32)


def _clean(words: list[bytes], met: Met) -> list[bytes]:
    """Line ends taken off, bytes that are no UTF-8 written as `\\xe9`."""
    joined = b"\n".join(words)
    if joined.count(b"\n") != len(words) - 1 or b"\r" in joined:
        words = [word.strip(b"\r\n").replace(b"\n", b"\\n").replace(b"\r", b"\\r") for word in words]
        joined = b"\n".join(words)
    try:
        joined.decode("utf-8")
    except UnicodeDecodeError:
        cleaned = [word.decode("utf-8", "backslashreplace").encode() for word in words]
        changed = [new for old, new in zip(words, cleaned, strict=True) if old != new]
        met.n_bad_utf8 += len(changed)
        met.examples += [word.decode() for word in changed[: 3 - len(met.examples)]]
        words = cleaned
    if b" " in joined:
        met.n_with_space += sum(b" " in word for word in words)
    return words


def _refuse_long_word(end: int, n_left: int, source: Source, done: int) -> None:
    if end < 0 and n_left >= MAX_WORD_BYTES:
        raise BottegaError(
            found=f"no word after the first {done:,}: {MAX_WORD_BYTES:,} bytes without a space",
            expected=f"a word, a space, and {source.n_dims} numbers of 4 bytes",
            fix="fetch the file again, or check the second number of its header",
            where=source.name,
        )


def _refuse_rest(rest: bytes, source: Source) -> None:
    if rest.strip():
        raise BottegaError(
            found=f"more behind the {source.n_words:,} words that the header promises",
            expected="as many words as the header says",
            fix=f"mend the first line, or read those alone: --limit {source.n_words}",
            where=source.name,
        )


def _truncated(source: Source, n_whole: int, at_end_of_row: bool) -> BottegaError:
    ends = "the file ends" if at_end_of_row else "the file breaks off"
    whole = f"read the whole ones alone: --limit {n_whole}" if n_whole > 1 else "fetch it again"
    return BottegaError(
        found=f"{ends} after {n_whole:,} of {source.n_words:,} words",
        expected="as many words as the header says" if source.has_header else "no empty lines between the words",
        fix=f"fetch it again, or {whole}" if n_whole > 1 else whole,
        where=source.name,
    )


def _uneven(source: Source, number: int, n_numbers: int) -> BottegaError:
    return BottegaError(
        found=f"{n_numbers} number{'s' * (n_numbers != 1)}",
        expected=f"{source.n_dims}, as {'the first line says' if source.has_header else 'in most lines'}",
        fix=_mend(source, number),
        where=f"{source.name}, line {number}",
    )


def _mend(source: Source, number: int) -> str:
    n_before = number - 1 - source.has_header
    return f"mend the line, or read only those before it: --limit {n_before}" if n_before > 1 else "mend the line"


def _refuse_garbled(words: list[bytes], rows: NDArray[np.float32], source: Source) -> None:
    """Rows of another width than the header says: numbers are read as words, or words as numbers."""
    last = rows[:, -1]
    n_odd = int(np.count_nonzero((np.abs(last) > LETTERS_FROM) & np.isfinite(last)))
    if _CONTROL.search(b"".join(words)):
        n_odd = max(n_odd, sum(_CONTROL.search(word) is not None for word in words))
    if n_odd > max(2, MAX_ODD_ROWS * len(words)):
        raise BottegaError(
            found=f"{n_odd:,} of {len(words):,} rows where letters and numbers are mixed up",
            expected=f"words between rows of {source.n_dims} numbers, as the header says",
            fix="fetch the file again, or mend the second number of its first line",
            where=source.name,
        )
