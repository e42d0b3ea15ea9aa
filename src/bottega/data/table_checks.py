"""The target of a table as it is asked for, and the refusal of what no training can use."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from bottega.data.table_links import labels
from bottega.data.tables import Table
from bottega.errors import BottegaError, found_in
from bottega.problem.records import Suspect, Task
from bottega.problem.table import table_task

__all__ = ["require_trainable_table", "target_classes", "target_values", "task_of"]

MAX_CLASSES = 1000
MIN_ROWS = 20


def target_classes(table: Table) -> tuple[str, ...]:
    """Different values of the target as text, sorted (numbers by size); () where it has none."""
    target = table.target
    if target is None or target.n_distinct == 0:
        return ()
    values = table.frame[target.name].drop_nulls()
    return tuple(labels(values.unique().sort()).to_list())


def task_of(table: Table) -> Task:
    """The task that the target asks for."""
    target = table.target
    n_rows = len(table) - (target.n_missing if target is not None else 0)
    classes = target_classes(table) if target is not None and target.n_distinct <= MAX_CLASSES else ()
    return table_task(target, n_rows, classes, time_column=table.choices.time_column)


def target_values(table: Table, task: Task) -> pl.Series:
    """The target row by row, null where it is missing: labels as strings, numbers as Float64."""
    if table.target is None:
        raise BottegaError(
            found="a table without a target", expected="the column to be predicted", fix="name it with --target"
        )
    series = table.frame[table.target.name]
    return labels(series) if task.kind == "classification" else series


def require_trainable_table(table: Table, task: Task, suspects: Sequence[Suspect] = ()) -> None:
    """Refuse what no training can use, with row and column.

    Raises:
        BottegaError: no target, one value in it, nothing that repeats, infinite numbers, a class with a single row, no
            feature, fewer than 20 rows.
    """
    stop = _untrainable(table, task)
    if stop is None:
        return
    found, expected, fix, where = stop
    raise BottegaError(
        found=found,
        expected=expected,
        fix=fix,
        where=where,
        suspects=[{"kind": s.kind, "where": s.where, "evidence": s.evidence, "fix": s.fix} for s in suspects],
    )


def _untrainable(table: Table, task: Task) -> tuple[str, str, str, str | None] | None:
    target = table.target
    if target is None:
        return "no target", "the column to be predicted", f"--target {table.columns[-1].name}, for instance", table.name
    where = f"{table.name}, column {target.name!r}"
    n = len(table) - target.n_missing
    if n < MIN_ROWS:
        rows = "1 row" if n == 1 else f"{n:,} rows"
        return (
            f"{rows} with a target",
            f"at least {MIN_ROWS}, hundreds for a result that means something",
            "add rows",
            where,
        )
    if task.kind is None:
        return (
            task.why.removeprefix("undecided: "),
            "a target that differs between rows and repeats",
            "choose another --target",
            where,
        )
    if not table.features or all(one.role == "time" for one in table.features):
        return "no column to predict from", "at least one besides the target", "ignore fewer columns", table.name
    for column in (target, *table.features):
        if column.n_infinite:
            rows = ", ".join(f"{row:,}" for row in column.infinite)
            fix = f"mend the rows, or count it as missing: --missing '{column.name}=inf'"
            return (
                f"infinite numbers in {column.name!r}, rows {rows}",
                "finite numbers, at most 3.4e+38: a model computes in 32 bits",
                fix,
                f"{table.name}, row {column.infinite[0]:,}",
            )
    if task.kind == "classification":
        counts = target_values(table, task).drop_nulls().alias("value").value_counts()
        lone = sorted(str(label) for label, count in counts.iter_rows() if count == 1)
        if lone:
            one = counts.height
            row = int(table.rows[np.flatnonzero((labels(table.frame[target.name]) == lone[0]).fill_null(False))[0]])
            found = f"{len(lone)} of {one} classes with a single row: {found_in(lone)}"
            return found, "at least two rows in each class", "add rows, or take them out", f"{where}, row {row:,}"
    return None
