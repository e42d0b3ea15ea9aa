"""The texts of a run as a training sees them: read, looked at, divided."""

import csv
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from bottega.data.splits import PARTS as PART_NAMES
from bottega.data.splits import Split, split
from bottega.data.table_cells import TableCells, cells_of
from bottega.data.table_content import table_digests
from bottega.data.table_like import Cells
from bottega.data.table_names import is_text_folder
from bottega.data.tables import Table, read_table
from bottega.data.text_characters import MAX_CHARACTERS
from bottega.data.text_checks import require_trainable_texts
from bottega.data.texts import (
    MIN_WORDS,
    TextSet,
    digests,
    read_text_folder,
    text_column,
    text_groups,
    texts_of,
)
from bottega.errors import BottegaError
from bottega.problem.records import LookRecord, Progress, Rejected
from bottega.problem.table import TableChoices, column_named
from bottega.workflow.look_texts import text_record
from bottega.workflow.options import TrainOptions
from bottega.workflow.refusal import with_refusal
from bottega.workflow.table_options import TableOptions, part_files
from bottega.workflow.table_trial import read_parts
from bottega.workflow.trial import in_folds, numbered

__all__ = [
    "LookedTexts",
    "ReadTexts",
    "found_text_column",
    "holds_texts",
    "look_at_text_data",
    "look_at_texts",
    "read_texts",
]

HEAD_BYTES = 65_536
DELIMITED = (".csv", ".tsv", ".txt", ".tab")
PLAIN = (".parquet", ".pq", ".jsonl", ".ndjson")  # read quickly; of other files `--text` says that they hold texts
NOTHING = TableCells({}, {}, {}, {})
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class ReadTexts:
    """What DATA hold.

    Attributes:
        table: that the texts are from; None for a folder of files.
        also: cells of the columns that are learned from beside the texts.
        columns: of the table, but for the target.
    """

    texts: TextSet
    table: Table | None
    also: TableCells
    columns: tuple[str, ...]

    @property
    def inputs(self) -> tuple[str, ...]:
        """The columns of texts; a file is one, `text`."""
        return self.texts.columns or ("text",)


@dataclass(frozen=True)
class LookedTexts:
    """The labelled texts of a run, in the order of their contents.

    Attributes:
        texts: as much of each as is read.
        y: (N,) class indices, -1 for a label that only the test part has.
        groups: (N,) equal for texts that are the same without case, numbers and punctuation.
        read: as it was read, all of it.
        cells, frame: the columns of texts, and those that are learned from beside them, as a model takes them and as
            they were read.
    """

    source: TextSet
    texts: tuple[str, ...]
    look: LookRecord
    split: Split
    names: tuple[str, ...]
    labels: tuple[str, ...]
    classes: tuple[str, ...]
    y: Integers
    groups: Integers
    hashes: npt.NDArray[np.uint8]
    fingerprint: str
    read: ReadTexts
    cells: Cells
    frame: pl.DataFrame
    noun = "text"
    is_varied = False

    @property
    def name(self) -> str:
        """Of the data."""
        return self.source.name

    @property
    def n_per_part(self) -> dict[str, int]:
        """Texts in each part of the split."""
        return {part: int((self.split.part == part).sum()) for part in PART_NAMES}

    @property
    def facts(self) -> dict[str, Any]:
        """How texts were kept together."""
        return {"twins": "the same without case, numbers and punctuation"}


def holds_texts(data: str, stated: TableOptions) -> bool:
    """Whether DATA is taken for texts rather than for a table: it was said, or a table has nothing else.

    A stated type, time column or group is about the columns of a table.
    """
    if stated.text or stated.also or is_text_folder(data):
        return True
    choices = stated.choices
    if choices.types or choices.time_column is not None or choices.group is not None:
        return False
    return found_text_column(data, choices) is not None


def found_text_column(data: str, choices: TableChoices) -> str | None:
    """The column of texts in a table that asks for nothing else; None where the table is another kind.

    Whether there may be one is seen in the first lines, so that other tables are not read twice.
    """
    path = Path(part_files(data).get("train", data))
    suffix = path.suffix.lower()
    if not path.is_file() or suffix not in (*DELIMITED, *PLAIN):
        return None
    if suffix in DELIMITED and not _may_hold_texts(path):
        return None
    return text_column(read_table(path, choices))


def _may_hold_texts(path: Path) -> bool:
    with path.open("rb") as file:
        lines = file.read(HEAD_BYTES).decode("utf-8-sig", "replace").splitlines()
    delimiter = max(",;\t", key=lines[0].count) if lines else ","
    try:
        rows = [row for row in csv.reader(lines[1:200], delimiter=delimiter) if row]
    except csv.Error:
        return True
    n_words = [sum(len(cell.split()) for cell in column) for column in zip(*rows, strict=False)]
    return any(n >= MIN_WORDS * len(rows) for n in n_words)


def read_texts(data: str, stated: TableOptions, *, progress: Progress | None = None) -> ReadTexts:
    """Read the texts of DATA, and what is learned from beside them.

    Raises:
        BottegaError: no column looks like texts, a column isn't there, is named twice, or holds something else.
    """
    if is_text_folder(data):
        _refuse_columns(data, stated)
        return ReadTexts(read_text_folder(data), None, NOTHING, ())
    columns, also = _columns(data, stated)
    choices = replace(
        stated.choices,
        types={**stated.choices.types, **dict.fromkeys(columns, "text")},
        missing_in={**stated.choices.missing_in, **dict.fromkeys(columns, ())},  # `None` and `-` are texts too
    )
    table, given = read_parts(data, replace(stated, choices=choices), progress)
    target = table.target.name if table.target is not None else None
    return ReadTexts(
        texts_of(table, columns, given),
        table,
        cells_of(table, [table.column(name) for name in also]) if also else NOTHING,
        tuple(one for one in table.frame.columns if one != target),
    )


def _refuse_columns(data: str, stated: TableOptions) -> None:
    named = [*stated.text, *stated.also]
    if named:
        flag = "--text" if stated.text else "--also"
        raise BottegaError(
            found=f"{flag} {named[0]!r} for {data!r}, a folder of text files",
            expected="columns stated for a table",
            fix=f"leave {flag} out",
        )


def _columns(data: str, stated: TableOptions) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The columns of texts, and those beside them; each is there and is what it was taken for."""
    if not stated.text:
        ignored = replace(stated.choices, ignore=(*stated.choices.ignore, *stated.also))
        found = found_text_column(data, ignored)
        if found is None:
            raise BottegaError(
                found=f"no column of {data!r} that alone looks like texts",
                expected="the name of the column of the texts",
                fix="--text COL",
            )
        columns: tuple[str, ...] = (found,)
        if not stated.also:
            return columns, ()
    table = read_table(part_files(data).get("train", data), stated.choices)
    if stated.text:
        columns = _split(stated.text, table)
        texts_of(table, columns)  # refuses a column that isn't there, or of numbers
    also = tuple(column_named(name, table.frame.columns, table.name) for name in _split(stated.also, table))
    uses = [("text", name) for name in columns] + [("also", name) for name in also]
    if stated.choices.target is not None:
        uses.append(("target", stated.choices.target))
    _require_one_use(uses)
    for name in also:
        if table.column(name).kind == "text":
            raise BottegaError(
                found=f"a column {name!r} of texts beside the texts",
                expected="numbers, categories or dates",
                fix=f"--text {','.join((*columns, name))} joins it to them",
                where=table.name,
            )
    return columns, also


def _split(names: Sequence[str], table: Table) -> tuple[str, ...]:
    """`a,b` as two columns, unless one is called so."""
    found: list[str] = []
    for name in names:
        found += [name] if name in table.frame.columns else [part.strip() for part in name.split(",") if part.strip()]
    return tuple(found)


def _require_one_use(uses: Sequence[tuple[str, str]]) -> None:
    seen: dict[str, str] = {}
    for use, name in uses:
        if name in seen:
            twice = f"as {seen[name]} twice" if seen[name] == use else f"as {seen[name]} and as {use}"
            raise BottegaError(
                found=f"the column {name!r} {twice}",
                expected="one use for a column: texts, columns beside them, their labels",
                fix=f"name another with --{use}, or leave it out there",
            )
        seen[name] = use


def look_at_text_data(data: str, stated: TableOptions, *, progress: Progress | None = None) -> LookRecord:
    """The record of `bottega look` at texts.

    Raises:
        BottegaError: they cannot be read.
    """
    read = read_texts(data, stated, progress=progress)
    record = text_record(read.texts, tuple(read.also.kinds))
    return with_refusal(record, lambda: require_trainable_texts(read.texts))


def look_at_texts(data: str, options: TrainOptions, *, progress: Progress | None) -> LookedTexts:
    """Read texts and divide them; nothing is learned yet.

    Raises:
        BottegaError: they cannot be read, or no training can use them.
    """
    stated = options.table or TableOptions()
    read = read_texts(data, stated, progress=progress)
    source = read.texts
    look = text_record(source, tuple(read.also.kinds))
    require_trainable_texts(source, look.suspects)
    every_hash, every_group = digests(source.texts), text_groups(source.texts)
    known = [i for i, label in enumerate(source.labels) if label is not None]
    keys = [(every_hash[i].tobytes(), str(source.labels[i]), source.parts[i] or "", i) for i in known]
    order = [key[-1] for key in sorted(keys)]
    labels = tuple(str(source.labels[i]) for i in order)
    parts = [source.parts[i] for i in order]
    hashes, groups = every_hash[order], numbered(every_group[order])
    cells = {name: np.array(values, object)[order] for name, values in zip(read.inputs, source.cells, strict=True)}
    cells |= {name: values[order] for name, values in read.also.cells.items()}
    frame = pl.DataFrame({"text": source.texts}) if read.table is None else read.table.frame
    frame = frame.select(list(cells))[order]
    divided = split(hashes, labels, groups, given=parts, split_seed=options.split_seed)
    divided = divided if options.cv is None else in_folds(divided, options.cv, "text")
    fitted = range(len(order)) if divided.source == "cv" else np.flatnonzero(divided.part != "test").tolist()
    classes = tuple(sorted({labels[i] for i in fitted}))
    index = {name: number for number, name in enumerate(classes)}
    left_out = tuple(Rejected(source.names[i], "no target") for i, label in enumerate(source.labels) if label is None)
    return LookedTexts(
        source=source,
        texts=tuple(source.texts[i][:MAX_CHARACTERS] for i in order),
        look=replace(look, n_per_part={}, rejected=(*look.rejected, *left_out)),
        split=divided,
        names=tuple(source.names[i] for i in order),
        labels=labels,
        classes=classes,
        y=np.array([index.get(label, -1) for label in labels], np.int64),
        groups=groups,
        hashes=hashes,
        fingerprint=_fingerprint(_contents(hashes, frame.select(list(read.also.kinds))), labels, parts),
        read=read,
        cells=cells,
        frame=frame,
    )


def _contents(hashes: npt.NDArray[np.uint8], beside: pl.DataFrame) -> list[bytes]:
    """Of each text, and of the cells beside it where there are such."""
    if not beside.width:
        return [digest.tobytes() for digest in hashes]
    return [digest.tobytes() + one for digest, one in zip(hashes, table_digests(beside, beside.columns), strict=True)]


def _fingerprint(contents: Sequence[bytes], labels: Sequence[str], parts: Sequence[str | None]) -> str:
    lines = sorted(
        content + label.encode("utf-8", "surrogateescape") + b"\0" + (part or "").encode()
        for content, label, part in zip(contents, labels, parts, strict=True)
    )
    return hashlib.sha256(b"".join(lines)).hexdigest()
