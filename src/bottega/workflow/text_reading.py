"""Which of DATA are texts, which columns stand beside them, and how they are read."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path

from bottega.data.table_cells import TableCells, cells_of
from bottega.data.table_names import is_text_folder
from bottega.data.tables import Table, read_table
from bottega.data.texts import MIN_WORDS, TextSet, read_text_folder, text_column, texts_of
from bottega.errors import BottegaError
from bottega.problem.records import Progress
from bottega.problem.table import TableChoices, column_named
from bottega.workflow.table_options import TableOptions, part_files
from bottega.workflow.table_trial import read_parts

__all__ = ["ReadTexts", "found_text_column", "holds_texts", "read_texts"]

HEAD_BYTES = 65_536
DELIMITED = (".csv", ".tsv", ".txt", ".tab")
PLAIN = (".parquet", ".pq", ".jsonl", ".ndjson")  # read quickly; of other files `--text` says that they hold texts
NOTHING = TableCells({}, {}, {}, {})


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
    for column in zip_longest(*rows, fillvalue=""):  # the last row may be cut off
        n_words = [len(cell.split()) for cell in column if cell.strip()]
        if n_words and sum(n_words) >= MIN_WORDS * len(n_words):
            return True
    return False


def read_texts(data: str, stated: TableOptions, *, progress: Progress | None = None) -> ReadTexts:
    """Read the texts of DATA, and what is learned from beside them.

    Raises:
        BottegaError: no column looks like texts, a column isn't there, is named twice, or holds something else.
    """
    if is_text_folder(data):
        _refuse_columns(data, stated)
        return ReadTexts(read_text_folder(data), None, NOTHING, ())
    if stated.choices.time_column is not None:
        raise BottegaError(
            found=f"--time-column {stated.choices.time_column!r} for texts",
            expected="parts drawn by content, or given: texts are not split by time yet",
            fix="name the parts with --split-column or --test",
        )
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
    choices = stated.choices
    named = {"--text": stated.text, "--also": stated.also, "--target": choices.target, "--group": choices.group}
    named |= {"--time-column": choices.time_column, "--split-column": stated.split_column}
    for flag, value in named.items():
        if value:
            raise BottegaError(
                found=f"{flag} {value if isinstance(value, str) else value[0]!r} for {data!r}, a folder of text files",
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
        if not stated.also and stated.choices.group is None:
            return columns, ()
    table = read_table(part_files(data).get("train", data), stated.choices)
    if stated.text:
        columns = _split(stated.text, table)
        texts_of(table, columns)  # refuses a column that isn't there, or of numbers
    also = tuple(column_named(name, table.frame.columns, table.name) for name in _split(stated.also, table))
    uses = [("text", name) for name in columns] + [("also", name) for name in also]
    if stated.choices.target is not None:
        uses.append(("target", stated.choices.target))
    if stated.choices.group is not None:
        uses.append(("group", stated.choices.group))
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
