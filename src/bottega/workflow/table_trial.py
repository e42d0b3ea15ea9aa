"""The rows of a table as a training sees them: looked at, divided, their targets as numbers."""

import hashlib
from collections import Counter
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
from bottega.data.table_checks import require_trainable_table, target_values
from bottega.data.table_content import cell_words, table_digests
from bottega.data.table_weights import row_weights, worth
from bottega.data.tables import Table, read_table
from bottega.data.time_split import by_time
from bottega.errors import BottegaError, found_in
from bottega.problem.records import LookRecord, Progress, Rejected
from bottega.problem.table import column_named
from bottega.workflow.look_table import table_record
from bottega.workflow.options import TrainOptions
from bottega.workflow.table_options import PARTS, TableOptions, part_files
from bottega.workflow.trial import in_folds, numbered

__all__ = ["LookedTable", "look_at_rows", "read_parts"]

SPLIT_COLUMN = "split"
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class LookedTable:
    """The rows of a run that have a target, in the order of their contents.

    Attributes:
        table: all of it, as it was read.
        taken: (N,) cells by column, of what a model may be given.
        y: (N,) class indices, -1 for a label that only the test part has; or values.
        groups: (N,) equal for rows of one content, or of one value of the group column.
        moments: (N,) of the time column; empty without one.
        places: (N,) where each row stands in the table.
        weights: (N,) how much each row counts; None for all the same.
    """

    table: Table
    taken: TableCells
    look: LookRecord
    split: Split
    names: tuple[str, ...]
    labels: tuple[str, ...]
    classes: tuple[str, ...]
    y: npt.NDArray[Any]
    groups: Integers
    hashes: npt.NDArray[np.uint8]
    fingerprint: str
    moments: npt.NDArray[np.float64]
    places: Integers
    weights: npt.NDArray[np.float64] | None = None
    noun = "row"
    is_varied = False

    @property
    def name(self) -> str:
        """Of the data."""
        return self.table.name

    @property
    def n_per_part(self) -> dict[str, int]:
        """Rows in each part of the split."""
        return {part: int((self.split.part == part).sum()) for part in PART_NAMES}

    @property
    def facts(self) -> dict[str, Any]:
        """How rows were kept together or apart."""
        choices = self.table.choices
        stated: dict[str, Any] = {"group_column": choices.group, "time_column": choices.time_column}
        if self.weights is not None:
            worths = {part: round(worth(self.weights[self.split.part == part]), 1) for part in PART_NAMES}
            stated |= {"weight_column": choices.weight, "worth": worths}
        return {key: value for key, value in stated.items() if value is not None}

    @property
    def is_value(self) -> bool:
        """Whether the target is a number rather than a class."""
        return not self.classes


def look_at_rows(data: str, options: TrainOptions, *, progress: Progress | None) -> LookedTable:
    """Read a table and divide its rows; nothing is learned yet.

    Raises:
        BottegaError: it cannot be opened, or no training can use it.
    """
    stated = options.table or TableOptions()
    table, given = read_parts(data, stated, progress)
    look = table_record(table, progress=progress)
    require_trainable_table(table, look.task, look.suspects)
    values = target_values(table, look.task)
    kept = np.flatnonzero(values.is_not_null().to_numpy())
    taken = cells_of(table, texts=stated.features)
    digests, whole = _digests(table, taken)
    is_value = look.task.kind == "regression"
    texts = values.to_list()
    by_row = _weights(table, kept)
    order = sorted(kept.tolist(), key=lambda i: (digests[i], texts[i], given[i] or "", by_row.get(i, 1.0), i))
    rows = np.array(order, np.int64)
    labels = tuple("" if is_value else str(texts[i]) for i in order)
    hashes = np.frombuffer(b"".join(digests[i] for i in order), np.uint8).reshape(-1, 32)
    groups = _groups(table, rows, hashes)
    parts = [given[i] for i in order]
    moments = _moments(table, rows)
    divided = _divided(hashes, labels, groups, moments, parts, options)
    if stated.targets and divided.source != "cv":
        divided = _shared(table, digests, given, rows, options)
    fitted = np.arange(len(order)) if divided.source == "cv" else np.flatnonzero(divided.part != "test")
    classes = () if is_value else _in_order(look.task.classes, {labels[i] for i in fitted})
    index = {name: number for number, name in enumerate(classes)}
    y = (
        np.array([float(texts[i]) for i in order])
        if is_value
        else np.array([index.get(label, -1) for label in labels], np.int64)
    )
    return LookedTable(
        table=table,
        taken=replace(
            taken,
            cells={name: cells[rows] for name, cells in taken.cells.items()},
            texts={name: cells[rows] for name, cells in taken.texts.items()},
        ),
        look=replace(look, n_per_part={}, rejected=_without_target(table, kept)),
        split=divided,
        names=tuple(_names(table, rows, given)),
        labels=labels,
        classes=classes,
        y=y,
        groups=groups,
        hashes=hashes,
        fingerprint=_fingerprint([whole[i] for i in order], [_marked(texts[i], by_row.get(i)) for i in order], parts),
        moments=moments,
        places=rows,
        weights=np.array([by_row[i] for i in order]) if by_row else None,
    )


def _digests(table: Table, taken: TableCells) -> tuple[list[bytes], list[bytes]]:
    """Of each row what divides the rows, and all that was read of it.

    Texts only tell rows apart that are alike in everything else: so the parts are the same as where no text is read,
    but for such rows.
    """
    plain = table_digests(table.frame, list(taken.cells))
    if not taken.texts:
        return plain, plain
    whole = table_digests(table.frame, [*taken.cells, *taken.texts])
    n_texts = Counter(of_cells for of_cells, _ in set(zip(plain, whole, strict=True)))
    return [one if n_texts[one] == 1 else other for one, other in zip(plain, whole, strict=True)], whole


def _divided(
    hashes: npt.NDArray[np.uint8],
    labels: Sequence[str],
    groups: Integers,
    moments: npt.NDArray[np.float64],
    parts: Sequence[str | None],
    options: TrainOptions,
) -> Split:
    """The split of rows by content, by time where a time column is stated, or in the folds that were asked for."""
    divided = split(hashes, labels, groups, given=parts, split_seed=options.split_seed)
    if len(moments) and not any(parts):
        return by_time(divided, moments)
    return divided if options.cv is None else in_folds(divided, options.cv, "row")


def _shared(
    table: Table, digests: Sequence[bytes], given: Sequence[str | None], rows: Integers, options: TrainOptions
) -> Split:
    """One split of every row that has one of several targets, without a look at any of them; of it these rows.

    Args:
        digests: of each row of the table, its targets left out.
        rows: those that have the target which is trained now.
    """
    targets = () if options.table is None else options.table.targets
    there = [np.flatnonzero(table.frame[target].is_not_null().to_numpy()) for target in targets]
    has_one = np.unique(np.concatenate([rows, *there])).tolist()
    order = sorted(has_one, key=lambda i: (digests[i], given[i] or "", i))
    everyone = np.array(order, np.int64)
    hashes = np.frombuffer(b"".join(digests[i] for i in order), np.uint8).reshape(-1, 32)
    groups, moments = _groups(table, everyone, hashes), _moments(table, everyone)
    whole = _divided(hashes, [""] * len(order), groups, moments, [given[i] for i in order], options)
    place = {row: number for number, row in enumerate(order)}
    here = np.array([place[row] for row in rows.tolist()], np.int64)
    return replace(
        whole,
        part=whole.part[here],
        half=whole.half[here],
        unit=whole.unit[here],
        group_names=whole.group_names[here],
        notes=(*whole.notes, f"divided once for {len(targets)} targets, by what is in the other columns"),
    )


def _weights(table: Table, kept: Integers) -> dict[int, float]:
    """How much each row counts, by its place in the table; empty where all count the same."""
    name = table.choices.weight
    return {} if name is None else dict(zip(kept.tolist(), row_weights(table, name, kept).tolist(), strict=True))


def _marked(text: Any, weight: float | None) -> str:
    """A target as the fingerprint holds it: with the weight of its row."""
    return str(text) if weight is None else f"{text}\0{weight!r}"


def read_parts(data: str, stated: TableOptions, progress: Progress | None) -> tuple[Table, list[str | None]]:
    """The table with its given parts under each other, and the part of each row."""
    files = part_files(data)
    stated_files = {"val": stated.val, "test": stated.test}
    if files and any(stated_files.values()):
        raise BottegaError(
            found=f"--test or --val with a folder that has its parts: {', '.join(files)}",
            expected="the parts in one way",
            fix="leave --test and --val out",
        )
    files |= {part: path for part, path in stated_files.items() if path is not None}
    table = read_table(files.pop("train", data), stated.choices, progress=progress)
    if Path(data).is_dir():
        table = replace(table, name=Path(data).resolve().name)
    table, given = _split_column(table, stated)
    for part, path in files.items():
        if any(given):
            raise BottegaError(
                found=f"a column {stated.split_column or SPLIT_COLUMN!r} that names parts, and --{part} {path!r}",
                expected="the parts in one way",
                fix=f"--ignore {stated.split_column or SPLIT_COLUMN}, or leave --{part} out",
            )
    for part, path in files.items():
        other = _read_as(path, table)
        given += [part] * len(other)
        table = replace(
            table, frame=pl.concat([table.frame, other.frame]), rows=np.concatenate([table.rows, other.rows])
        )
    return table, given


def _read_as(path: str, table: Table) -> Table:
    """Another file of the same columns, each read as the kind that it has in the first."""
    kinds = {"yes/no": "category", "constant": "text"}
    types = {}
    for column in table.columns:
        kind = kinds.get(column.kind, column.kind)
        if table.frame[column.name].dtype.is_numeric():
            kind = "number"
        types[column.name] = f"date:{column.format}" if column.kind == "date" and column.format else kind
    choices = replace(table.choices, types=types)
    other = read_table(path, choices)
    strange = [name for name in other.frame.columns if name not in table.frame.columns]
    if strange:
        raise BottegaError(
            found=f"the column {found_in(strange)} in {Path(path).name}, which the training part does not have",
            expected=f"the same columns: {found_in(table.frame.columns)}",
            fix="take the column out, or rename it",
            where=Path(path).name,
        )
    frame = other.frame.select(table.frame.columns).cast(
        dict(zip(table.frame.columns, table.frame.dtypes, strict=True))
    )
    return replace(other, frame=frame)


def _split_column(table: Table, stated: TableOptions) -> tuple[Table, list[str | None]]:
    """Parts that a column names; such a column is no feature."""
    names = table.frame.columns
    name = stated.split_column
    if name is not None:
        column_named(name, names, table.name)
    else:
        name = next((one for one in names if one.strip().lower() == SPLIT_COLUMN), None)
        if name is None or name == table.choices.target or name in table.choices.ignore:
            return table, [None] * len(table)
    words = [None if cell is None else str(cell).strip().lower() for cell in table.frame[name].to_list()]
    strange = sorted({word for word in words if word is not None and word not in PARTS})
    if strange or not any(words):
        if stated.split_column is None:
            return table, [None] * len(table)  # a column that happens to be called so
        raise BottegaError(
            found=f"{found_in(strange) or 'no value'} in the column {name!r}",
            expected="train, val (or dev) and test",
            fix="name the parts so, or leave --split-column out",
            where=f"{table.name}, column {name!r}",
        )
    columns = tuple(replace(one, role="ignored") if one.name == name else one for one in table.columns)
    return replace(table, columns=columns), [None if word is None else PARTS[word] for word in words]


def _groups(table: Table, rows: Integers, hashes: npt.NDArray[np.uint8]) -> Integers:
    """Rows of one content are one group; so are rows of one value of the group column, and what both connect."""
    same = np.unique(hashes.view("V32")[:, 0], return_inverse=True)[1].reshape(-1).astype(np.int64)
    if table.choices.group is None:
        return numbered(same)
    words = cell_words(table.frame[table.choices.group])[rows]
    stated = np.unique(words, axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)
    found = stated
    for _ in range(len(rows)):  # until nothing moves: copies in two groups make them one
        least = np.full(same.max() + 1, len(rows), np.int64)
        np.minimum.at(least, same, found)
        of_group = np.full(stated.max() + 1, len(rows), np.int64)
        np.minimum.at(of_group, stated, least[same])
        joined = of_group[stated]
        if np.array_equal(joined, found):
            break
        found = joined
    if len(np.unique(found)) < 2:
        raise BottegaError(
            found=f"one group of rows by the column {table.choices.group!r}",
            expected="several groups, so that some can be kept for the test",
            fix="leave --group out, or name another column",
        )
    return numbered(found)


def _moments(table: Table, rows: Integers) -> npt.NDArray[np.float64]:
    """The time column as numbers that ascend with time; empty without one."""
    name = table.choices.time_column
    if name is None:
        return np.zeros(0)
    series = table.frame[name]
    if not series.dtype.is_temporal() and not series.dtype.is_numeric():
        raise BottegaError(
            found=f"a time column {name!r} of {table.column(name).kind} cells",
            expected="dates, or numbers that ascend with time",
            fix=f"--type '{name}=date:%Y-%m-%d' with the format of its cells",
            where=f"{table.name}, column {name!r}",
        )
    return series.cast(pl.Int64 if series.dtype.is_temporal() else pl.Float64).cast(pl.Float64).to_numpy()[rows]


def _in_order(classes: Sequence[str], seen: set[str]) -> tuple[str, ...]:
    """The classes outside the test part, in the order of the task: numbers by size."""
    return tuple(name for name in classes if name in seen)


def _names(table: Table, rows: Integers, given: Sequence[str | None]) -> list[str]:
    """`row 17` as the file counts; with the part before it where there are several files."""
    numbers = table.rows[rows].tolist()
    if len(np.unique(table.rows)) == len(table.rows):
        return [f"row {number}" for number in numbers]
    return [f"{given[i] or 'train'} row {number}" for i, number in zip(rows.tolist(), numbers, strict=True)]


def _without_target(table: Table, kept: Integers) -> tuple[Rejected, ...]:
    left_out = np.setdiff1d(np.arange(len(table)), kept)
    return tuple(Rejected(f"row {table.rows[i]}", "no target") for i in left_out.tolist())


def _fingerprint(digests: Sequence[bytes], texts: Sequence[str], parts: Sequence[str | None]) -> str:
    lines = sorted(
        digest + text.encode("utf-8", "surrogateescape") + b"\0" + (part or "").encode()
        for digest, text, part in zip(digests, texts, parts, strict=True)
    )
    return hashlib.sha256(b"".join(lines)).hexdigest()
