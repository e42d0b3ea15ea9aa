"""`look` at a table: its columns, the task, what is linked with the target, what may make a score untrue."""

from collections import Counter
from pathlib import Path
from typing import Any

from bottega.data.table_checks import require_trainable_table, target_values, task_of
from bottega.data.table_duplicates import Conflicts, Duplicates, find_conflicts, find_duplicates, same_columns
from bottega.data.table_facts import column_facts
from bottega.data.table_links import Link, View, measure_links
from bottega.data.table_suspects import table_suspects
from bottega.data.tables import LONG_CELLS, Table, read_table
from bottega.errors import BottegaError
from bottega.evaluation.look_page import write_page
from bottega.problem.records import LookRecord, Progress, Task, Twin
from bottega.problem.table import TableChoices
from bottega.workflow.question import merged, read_question, write_question
from bottega.workflow.refusal import with_refusal

__all__ = ["look_at_table", "table_record", "write_look"]

PAGE = "look.html"
MAX_TWINS = 1000  # groups that the record lists; the facts count them all


def look_at_table(data: str, choices: TableChoices, *, progress: Progress | None = None) -> LookRecord:
    """Look at a table.

    Args:
        data: path, `file.db::table`, or `-`.
        choices: what the user stated.
    Raises:
        BottegaError: it cannot be read as a table.
    """
    choices = merged(choices, read_question(data))
    table = read_table(data, choices, progress=progress)
    record = table_record(table, progress=progress)
    return with_refusal(record, lambda: require_trainable_table(table, record.task))


def write_look(record: LookRecord, data: str, choices: TableChoices, folder: Path | None = None) -> list[str]:
    """Write `bottega.toml` with the question and `look.html` with the plots.

    Args:
        choices: as stated with this look; what the file had before is kept.
    Returns:
        The names of both files.
    Raises:
        BottegaError: these data are no table, came from standard input, or the folder holds another question.
    """
    if record.task.modality != "tables" or data == "-":
        raise BottegaError(
            found="--write for what is no table in a file",
            expected="a table, whose columns a bottega.toml can name",
            fix="leave --write out",
        )
    question = write_question(record, data, merged(choices, read_question(data, folder)), folder)
    page = (folder or Path()) / PAGE
    write_page(record, page)
    return [question.name, page.name]


def table_record(table: Table, *, progress: Progress | None = None) -> LookRecord:
    """The record of a table that was read already."""
    task = task_of(table)
    view = View(table, task.classes if task.kind == "classification" else ())
    if progress is not None and len(table) * len(table.columns) > LONG_CELLS:
        progress("looking at links and copies", 0, None)
    links = measure_links(view) if task.kind is not None else ()
    duplicates, conflicts, same = find_duplicates(table), None, same_columns(table)
    if task.kind is not None:
        conflicts = find_conflicts(view)
    suspects = table_suspects(view, task, links, (duplicates, conflicts, same))
    return LookRecord(
        task=task,
        n_examples=view.n_rows if table.target is not None else len(table),
        n_per_class=_per_class(table, task),
        rejected=(),
        twins=_twins(table, task, duplicates),
        suspects=suspects,
        estimate_seconds=None,
        facts=_facts(table, links, (duplicates, conflicts)),
    )


def _per_class(table: Table, task: Task) -> dict[str, int]:
    if task.kind != "classification":
        return {}
    counts = Counter(
        {str(k): int(n) for k, n in target_values(table, task).drop_nulls().alias("value").value_counts().iter_rows()}
    )
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _twins(table: Table, task: Task, duplicates: Duplicates) -> tuple[Twin, ...]:
    groups = duplicates.groups[:MAX_TWINS]
    named = table.target is not None and task.kind == "classification"
    answers = target_values(table, task).to_list() if named else [None] * len(table)
    return tuple(
        Twin("exact", tuple(f"row {table.rows[i]}" for i in rows), tuple(str(answers[i] or "") for i in rows))
        for rows in groups
    )


def _facts(table: Table, links: tuple[Link, ...], found: tuple[Duplicates, Conflicts | None]) -> dict[str, Any]:
    """What the page and the terminal show beside the task: docs/tables.md names every key."""
    duplicates, conflicts = found
    of = {link.column: link for link in links}
    reading = table.reading
    return {
        "name": table.name,
        "source": reading.format,
        "n_rows": len(table),
        "n_columns": len(table.columns),
        "guessed": table.guessed,
        "reading": {
            "format": reading.format,
            "n_bytes": reading.n_bytes,
            "delimiter": reading.delimiter,
            "encoding": reading.encoding,
            "header": reading.header,
            "notes": list(reading.notes),
        },
        "columns": [column_facts(table, column, of.get(column.name)) for column in table.columns],
        "duplicates": {
            "n_groups": duplicates.n_groups,
            "n_rows": duplicates.n_rows,
            "n_extra": duplicates.n_extra,
            "n_near": duplicates.n_near,
            "near_column": duplicates.near_column,
            "naive_leak": duplicates.naive_leak,
        },
        "conflicts": None
        if conflicts is None
        else {"n_groups": conflicts.n_groups, "n_rows": conflicts.n_rows, "bound": conflicts.bound},
    }
