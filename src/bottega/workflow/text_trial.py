"""The texts of a run as a training sees them: read, looked at, divided."""

import csv
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bottega.data.splits import PARTS as PART_NAMES
from bottega.data.splits import Split, split
from bottega.data.table_names import is_text_folder
from bottega.data.tables import read_table
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
from bottega.problem.table import TableChoices
from bottega.workflow.look_texts import text_record
from bottega.workflow.options import TrainOptions
from bottega.workflow.table_options import TableOptions, part_files
from bottega.workflow.table_trial import read_parts
from bottega.workflow.trial import in_folds, numbered

__all__ = ["LookedTexts", "found_text_column", "holds_texts", "look_at_text_data", "look_at_texts", "read_texts"]

HEAD_BYTES = 65_536
DELIMITED = (".csv", ".tsv", ".txt", ".tab")
PLAIN = (".parquet", ".pq", ".jsonl", ".ndjson")  # read quickly; of other files `--text` says that they hold texts
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class LookedTexts:
    """The labelled texts of a run, in the order of their contents.

    Attributes:
        y: (N,) class indices, -1 for a label that only the test part has.
        groups: (N,) equal for texts that are the same without case, numbers and punctuation.
        unused: columns of the table that are neither text nor target.
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
    unused: tuple[str, ...]
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
    if stated.text is not None or is_text_folder(data):
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


def read_texts(
    data: str, stated: TableOptions, column: str | None = None, *, progress: Progress | None = None
) -> tuple[TextSet, tuple[str, ...]]:
    """Read the texts of DATA; and the columns that are neither text nor target.

    Args:
        column: of the texts; None to find it.
    Raises:
        BottegaError: no column looks like texts, or the column holds numbers.
    """
    if is_text_folder(data):
        return read_text_folder(data), ()
    column = column or found_text_column(data, stated.choices)
    if column is None:
        raise BottegaError(
            found=f"no column of {data!r} that alone looks like texts",
            expected="the name of the column of the texts",
            fix="--text COL",
        )
    if column == stated.choices.target:
        raise BottegaError(
            found=f"the column {column!r} as text and as target",
            expected="texts in one column, their labels in another",
            fix="name another with --text or --target",
        )
    of_numbers = read_table(part_files(data).get("train", data), stated.choices)
    texts_of(of_numbers, [column])  # refuses a column that isn't there, or of numbers
    choices = replace(
        stated.choices,
        types={**stated.choices.types, column: "text"},
        missing_in={**stated.choices.missing_in, column: ()},  # `None` and `-` are texts too
    )
    table, given = read_parts(data, replace(stated, choices=choices), progress)
    used = (column, table.target.name if table.target is not None else "")
    return texts_of(table, [column], given), tuple(one for one in table.frame.columns if one not in used)


def look_at_text_data(data: str, stated: TableOptions, *, progress: Progress | None = None) -> LookRecord:
    """The record of `bottega look` at texts.

    Raises:
        BottegaError: they cannot be read.
    """
    return text_record(read_texts(data, stated, stated.text, progress=progress)[0])


def look_at_texts(data: str, options: TrainOptions, *, progress: Progress | None) -> LookedTexts:
    """Read texts and divide them; nothing is learned yet.

    Raises:
        BottegaError: they cannot be read, or no training can use them.
    """
    stated = options.table or TableOptions()
    source, unused = read_texts(data, stated, stated.text, progress=progress)
    look = text_record(source)
    require_trainable_texts(source, look.suspects)
    every_hash, every_group = digests(source.texts), text_groups(source.texts)
    known = [i for i, label in enumerate(source.labels) if label is not None]
    keys = [(every_hash[i].tobytes(), str(source.labels[i]), source.parts[i] or "", i) for i in known]
    order = [key[-1] for key in sorted(keys)]
    labels = tuple(str(source.labels[i]) for i in order)
    parts = [source.parts[i] for i in order]
    hashes, groups = every_hash[order], numbered(every_group[order])
    divided = split(hashes, labels, groups, given=parts, split_seed=options.split_seed)
    divided = divided if options.cv is None else in_folds(divided, options.cv, "text")
    fitted = range(len(order)) if divided.source == "cv" else np.flatnonzero(divided.part != "test").tolist()
    classes = tuple(sorted({labels[i] for i in fitted}))
    index = {name: number for number, name in enumerate(classes)}
    left_out = tuple(Rejected(source.names[i], "no target") for i, label in enumerate(source.labels) if label is None)
    return LookedTexts(
        source=source,
        texts=tuple(source.texts[i] for i in order),
        look=replace(look, n_per_part={}, rejected=(*look.rejected, *left_out)),
        split=divided,
        names=tuple(source.names[i] for i in order),
        labels=labels,
        classes=classes,
        y=np.array([index.get(label, -1) for label in labels], np.int64),
        groups=groups,
        hashes=hashes,
        fingerprint=_fingerprint(hashes, labels, parts),
        unused=unused,
    )


def _fingerprint(hashes: npt.NDArray[np.uint8], labels: Sequence[str], parts: Sequence[str | None]) -> str:
    lines = sorted(
        digest.tobytes() + label.encode("utf-8", "surrogateescape") + b"\0" + (part or "").encode()
        for digest, label, part in zip(hashes, labels, parts, strict=True)
    )
    return hashlib.sha256(b"".join(lines)).hexdigest()
