"""Texts with their labels: from the columns of a table, or from a folder with one sub-folder of .txt files a class."""

import hashlib
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bottega.data.layout import arrange
from bottega.data.table_links import labels as shown
from bottega.data.tables import Table
from bottega.data.text_characters import fold
from bottega.data.text_files import SUFFIX, UnreadableTextError, read_text_file
from bottega.errors import BottegaError, found_in, nearest_name
from bottega.problem.records import Rejected

__all__ = [
    "TextSet",
    "bare",
    "differ",
    "digests",
    "joined",
    "read_text_folder",
    "text_column",
    "text_groups",
    "texts_of",
]

MIN_WORDS = 5  # a cell on average: of what is taken for a text without being named
MAX_CLASSES = 200
_SPACES = re.compile(r"\s+")
_NO_LETTERS = re.compile(r"[\W\d_]+")


@dataclass(frozen=True)
class TextSet:
    """Texts row by row, as they were read.

    Attributes:
        labels: None where there is none.
        parts: train, val, test, or None where the source names no parts.
        names: of each text, as a person finds it again: `row 17`, or its path.
        cells: (N,) of each of the columns.
        columns: that were joined, line by line; () for files.
        target: the column of the labels; "class" for folders.
        source: how it was read: CSV, JSON lines, folder, ...
        rejected: what could not be read.
    """

    name: str
    texts: tuple[str, ...]
    labels: tuple[str | None, ...]
    parts: tuple[str | None, ...]
    names: tuple[str, ...]
    columns: tuple[str, ...]
    target: str | None
    source: str
    rejected: tuple[Rejected, ...] = ()
    notes: tuple[str, ...] = ()
    cells: tuple[tuple[str, ...], ...] = ()

    def __len__(self) -> int:
        return len(self.texts)


def text_column(table: Table) -> str | None:
    """The one column of long texts in a table that is otherwise about labels; None where the table isn't like that.

    A table with other columns than texts, parts and identifiers is a table: its text is one column among others.
    """
    target = table.target
    if target is None or target.kind in ("text", "identifier", "constant") or target.n_distinct > MAX_CLASSES:
        return None
    features = [one for one in table.features if one.name.strip().lower() != "split"]
    if len(features) != 1 or features[0].kind != "text":
        return None
    cells = table.frame[features[0].name].drop_nulls().head(1000).to_list()
    words = sum(len(cell.split()) for cell in cells)
    return features[0].name if words >= MIN_WORDS * max(1, len(cells)) else None


def texts_of(table: Table, columns: Sequence[str], parts: Sequence[str | None] | None = None) -> TextSet:
    """The texts of a table.

    Args:
        columns: whose cells are joined, in this order, one a line.
        parts: of each row, where the source names parts.
    Raises:
        BottegaError: a column isn't there, or holds numbers or dates.
    """
    for name in columns:
        if name not in table.frame.columns:
            near = nearest_name(name, table.frame.columns)
            raise BottegaError(
                found=f"no column {name!r}",
                expected=f"a column of texts: {found_in(table.frame.columns)}",
                fix=f"--text {near!r}" if near else "name one of these with --text",
                where=table.name,
            )
        kind = table.column(name).kind
        if kind in ("number", "date"):
            raise BottegaError(
                found=f"a column {name!r} of {kind}s, given as text",
                expected="a column of texts",
                fix=f"name another with --text, or leave --text out to train on {name!r} as a column of a table",
                where=table.name,
            )
    cells = tuple(tuple(cell or "" for cell in table.frame[name].to_list()) for name in columns)
    target = table.target
    values = shown(table.frame[target.name]).to_list() if target is not None else [None] * len(table)
    reading = table.reading
    given = tuple(parts) if parts is not None else (None,) * len(table)
    names = tuple(f"row {row}" for row in table.rows.tolist())
    if len(set(names)) < len(names):  # several files
        names = tuple(f"{part or 'train'} {name}" for part, name in zip(given, names, strict=True))
    notes = reading.notes + (("the texts are joined from " + ", ".join(columns),) if len(columns) > 1 else ())
    return TextSet(
        table.name,
        joined(cells),
        tuple(values),
        given,
        names,
        tuple(columns),
        target.name if target is not None else None,
        reading.format,
        notes=notes,
        cells=cells,
    )


def joined(cells: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """The columns of each row as one text, a line each; an empty cell is an empty line, as inside the file.

    Example:
        >>> joined([("a title", ""), ("its body", "another")])
        ('a title\\nits body', '\\nanother')
    """
    return tuple("\n".join(row) for row in zip(*cells, strict=True))


def read_text_folder(data: str | os.PathLike[str]) -> TextSet:
    """Read a folder with one sub-folder a class, below folders of parts where there are such.

    A file that isn't UTF-8 is read as Windows-1252, and told; one that is too large, or can't be read, is listed.
    """
    root = Path(data)
    found = sorted(path.relative_to(root).as_posix() for path in root.rglob(f"*{SUFFIX}") if path.is_file())
    layout = arrange(found)
    kept, texts, rejected, foreign = [], [], list(layout.rejected), []
    for entry in layout.entries:
        try:
            text, is_utf8 = read_text_file(root / entry.name)
        except UnreadableTextError as error:
            rejected.append(Rejected(entry.name, error.reason))
            continue
        kept.append(entry)
        texts.append(text)
        foreign += [] if is_utf8 else [entry.name]
    notes = (*layout.notes, *([f"not UTF-8, read as Windows-1252: {found_in(foreign)}"] if foreign else []))
    return TextSet(
        root.resolve().name,
        tuple(texts),
        tuple(entry.label for entry in kept),
        tuple(entry.part for entry in kept),
        tuple(entry.name for entry in kept),
        (),
        "class",
        "folder",
        tuple(rejected),
        notes,
        (tuple(texts),),
    )


def digests(texts: Sequence[str]) -> npt.NDArray[np.uint8]:
    """(N, 32) SHA-256 of each text, with each run of white space as one space and none at the ends.

    Example:
        >>> same = digests(["a  b", " a\\nb ", "A b"])
        >>> bool((same[0] == same[1]).all()), bool((same[0] == same[2]).all())
        (True, False)
    """
    found = [hashlib.sha256(_SPACES.sub(" ", text).strip().encode("utf-8", "surrogatepass")) for text in texts]
    return np.frombuffer(b"".join(one.digest() for one in found), np.uint8).reshape(-1, 32)


def bare(text: str) -> str:
    """What is left of a text without case, numbers and punctuation: what near duplicates have in common.

    Example:
        >>> bare("Call 0800-123 NOW!!") == bare("call 0900 456: now")
        True
    """
    return _NO_LETTERS.sub(" ", fold(text)).strip()


def text_groups(texts: Sequence[str]) -> npt.NDArray[np.int64]:
    """(N,) equal for texts that are the same without case, numbers and punctuation, numbered as they appear.

    Texts of which nothing is left are together only where they are the same.
    """
    number: dict[str, int] = {}
    return np.array([number.setdefault(_group(text), len(number)) for text in texts], np.int64)


def differ(texts: Iterable[str], n: int) -> bool:
    """Whether there are so many different texts among them, near duplicates counted once; no more are read.

    Example:
        >>> differ(["Call 1!", "call 22"], 2), differ(["yes", "no"], 2)
        (False, True)
    """
    found: set[str] = set()
    for text in texts:
        found.add(_group(text))
        if len(found) >= n:
            return True
    return False


def _group(text: str) -> str:
    return bare(text) or "\0" + _SPACES.sub(" ", text).strip()
