"""Everything in a table that may make a score untrue, each with its evidence and what to do."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import polars as pl

from bottega.data.table_duplicates import Conflicts, Duplicates
from bottega.data.table_leaks import find_leaks
from bottega.data.table_links import Link, View
from bottega.data.table_order import find_order
from bottega.data.table_windows import find_windows, windows_suspects
from bottega.data.tables import Table
from bottega.errors import found_in
from bottega.problem.records import Suspect, Task

__all__ = ["table_suspects"]

FEW = 80  # of one class: leaves about 12 for the test part
IMBALANCE = 5.0
NEARLY = 0.995  # of the rows have one value
TOP_CODE = 0.001  # of the rows stand at one value far above all others
MAX_EXACT = 2**24  # beyond it a 32-bit float, which a model computes with, skips whole numbers


def table_suspects(
    view: View,
    task: Task,
    links: Sequence[Link],
    found: tuple[Duplicates, Conflicts | None, Sequence[tuple[str, str, str]]],
) -> tuple[Suspect, ...]:
    """All suspects, worst first: leaks, windows, conflicts, copies, time and groups, then single columns.

    Args:
        links: of each feature with the target.
        found: copies of rows, contradictions, columns that say the same.
    """
    duplicates, conflicts, same = found
    table = view.table
    windows = find_windows(view)
    suspects = find_leaks(view, links, beside=() if windows is None else windows.explained)
    suspects += windows_suspects(view, windows)
    suspects += _conflicts(table, conflicts, task)
    suspects += _copies(table, duplicates)
    suspects += find_order(view)
    suspects += _target(table)
    suspects += _weights(view)
    suspects += _cells(table)
    suspects += _identifiers(table)
    suspects += _constants(table)
    suspects += _same(same)
    suspects += _classes(view, task)
    return tuple(suspects)


def _conflicts(table: Table, conflicts: Conflicts | None, task: Task) -> list[Suspect]:
    if conflicts is None or table.target is None:
        return []
    one, other = (f"row {table.rows[i]:,}" for i in conflicts.example)
    how = f"{conflicts.n_rows:,} rows have the same features as another one and a different {table.target.name!r}"
    if task.kind == "classification":
        bound = f"no model can be more than {100 * conflicts.bound:.1f} % right on these rows"
    else:
        bound = f"no model can have an RMSE under {conflicts.bound:.3g} on these rows"
    fix = "columns are missing that would tell them apart, or some answers are wrong"
    return [Suspect("conflict", f"{one} and {other}", f"{how}, {one} and {other} for instance: {bound}", fix)]


def _copies(table: Table, duplicates: Duplicates) -> list[Suspect]:
    if not duplicates.n_extra:
        return []
    n = len(table)
    first = duplicates.groups[0]
    shown = " and ".join(f"{table.rows[i]:,}" for i in first[:2])
    verb = "repeats" if duplicates.n_extra == 1 else "repeat"
    how = (
        f"{duplicates.n_extra:,} of {n:,} rows ({100 * duplicates.n_extra / n:.1f} %) {verb} an earlier one "
        f"(rows {shown}): split by lot, a model knows {100 * duplicates.naive_leak:.1f} % of its test rows"
    )
    fix = "copies are kept on one side of the split; if they are mistakes, remove them"
    return [Suspect("duplicates", f"rows {shown}", how, fix)]


def _target(table: Table) -> list[Suspect]:
    target = table.target
    if target is None or not target.n_missing:
        return []
    how = f"{target.n_missing:,} of {len(table):,} rows have no {target.name!r}"
    return [Suspect("target", target.name, how, "they are left out of training and testing")]


def _weights(view: View) -> list[Suspect]:
    """Rows that count for nothing, and classes of which none counts."""
    name = view.table.choices.weight
    if name is None or not view.frame[name].dtype.is_float():
        return []
    nothing = view.numbers(name) == 0
    if not nothing.any():
        return []
    how = f"{int(nothing.sum()):,} of {len(nothing):,} rows weigh 0 in {name!r}: they count for nothing"
    if view.target is not None and view.target.n_classes:
        counts = np.bincount(view.target.values[~nothing].astype(np.int64), minlength=view.target.n_classes)
        if unlearnt := [one for one, n in zip(view.target.classes, counts, strict=True) if n == 0]:
            how += f", and with them every row of {found_in(unlearnt)}"
    return [Suspect("weight", name, how, "if that is not meant, mend the weights or leave --weight out")]


def _cells(table: Table) -> list[Suspect]:
    """Cells that are not of their column's kind, or beyond what a model can compute with."""
    found = []
    for column in table.columns:
        if column.role == "ignored":
            continue
        if column.n_unreadable:
            shown = ", ".join(f"row {row:,} {cell!r}" for row, cell in column.unreadable[:3])
            noun = "number" if column.kind in ("number", "yes/no") else column.kind
            cells = "cell is" if column.n_unreadable == 1 else "cells are"
            how = f"{column.n_unreadable:,} {cells} no {noun}: {shown}; counted as missing"
            found.append(Suspect("mixed", column.name, f"{column.name!r}: {how}", "mend them, or state its --type"))
        if column.n_infinite:
            shown = ", ".join(f"{row:,}" for row in column.infinite[:3])
            rows = "1 row" if column.n_infinite == 1 else f"{column.n_infinite:,} rows"
            how = f"{column.name!r} is infinite in {rows}: {shown}"
            found.append(Suspect("infinite", column.name, how, "mend the rows: no model can compute with infinity"))
        if column.kind in ("category", "identifier", "yes/no"):
            found += _units(table, column.name)
        found += _large_numbers(table, column.name, whole=column.whole and column.role == "feature")
        found += _top_code(table, column.name, column.kind == "number" and column.role == "feature")
    return found


def _units(table: Table, name: str) -> list[Suspect]:
    """Numbers that were read as words because their units differ."""
    series = table.frame[name].drop_nulls()
    if series.dtype != pl.String or len(series) == 0:
        return []
    units = series.str.extract(r"^[-+]?\d[\d.,]*\s*([a-zA-Zµ°%$€£]{1,8})$", 1)
    if units.count() < 0.95 * len(series) or units.drop_nulls().n_unique() < 2:
        return []
    counts = units.drop_nulls().alias("value").value_counts(sort=True).head(3)
    shown = ", ".join(f"{unit} {n:,}" for unit, n in counts.iter_rows())
    how = f"{name!r} has numbers with different units ({shown}), read as words"
    return [Suspect("units", name, how, "write all cells in one unit")]


def _large_numbers(table: Table, name: str, *, whole: bool) -> list[Suspect]:
    if not whole or table.column(name).kind != "number":
        return []
    series = table.frame[name]
    most = series.abs().max()
    if not isinstance(most, float) or most <= MAX_EXACT or not np.isfinite(most):
        return []
    lost = series.n_unique() - series.cast(pl.Float32).n_unique()
    if lost < 0.01 * len(series):
        return []
    how = f"{name!r} has whole numbers beyond 2^24, of which {lost:,} become equal in the 32 bits of a model"
    return [Suspect("precision", name, how, f"if they name things: --type {name}=category, or --ignore {name}")]


def _top_code(table: Table, name: str, is_number: bool) -> list[Suspect]:
    """One value far above all others, in many rows: a ceiling, or a code for something else."""
    if not is_number or table.column(name).n_distinct < 20:
        return []
    series = table.frame[name].drop_nulls()
    most = series.max()
    rest = series.filter(series < most)
    n_top = len(series) - len(rest)
    below, least = rest.max(), rest.min()
    if n_top < max(3, TOP_CODE * len(series)) or not isinstance(most, float) or not isinstance(below, float):
        return []
    if not isinstance(least, float) or not np.isfinite(most) or most - below <= below - least:
        return []
    how = f"{name!r} is {most:g} in {n_top:,} rows and at most {below:g} in all others: a ceiling, or a code"
    return [Suspect("code", name, how, f"if it stands for a missing value: --missing '{name}={most:g}'")]


def _identifiers(table: Table) -> list[Suspect]:
    names = [one.name for one in table.columns if one.kind == "identifier" and one.role == "feature"]
    if not names:
        return []
    how = f"{found_in(names)} {'names' if len(names) == 1 else 'name'} the rows: nothing to learn for new ones"
    return [Suspect("identifier", names[0], how, "kept out of the model; if it means something, state its --type")]


def _constants(table: Table) -> list[Suspect]:
    columns = [one for one in table.columns if one.role == "feature"]
    names = [one.name for one in columns if one.kind == "constant"]
    found = []
    if names:
        how = f"{found_in(names)} {'has' if len(names) == 1 else 'have'} one value in every row, or none"
        found.append(Suspect("constant", names[0], how, "kept out of the model"))
    nearly = [one.name for one in columns if one.kind not in ("constant", "identifier") and _is_nearly(table, one.name)]
    if nearly:
        how = f"{found_in(nearly)}: one value, or none, in over {100 * NEARLY:g} % of the rows"
        found.append(Suspect("constant", nearly[0], how, "of little use, and its rare values can't be judged"))
    return found


def _is_nearly(table: Table, name: str) -> bool:
    column = table.column(name)
    if len(table) < 200 or column.n_distinct > 0.01 * len(table):
        return False
    most = int(table.frame[name].alias("value").value_counts()["count"].max() or 0)  # type: ignore[arg-type]
    return most >= NEARLY * len(table)


def _same(pairs: Sequence[tuple[str, str, str]]) -> list[Suspect]:
    if not pairs:
        return []
    one, other, how = pairs[0]
    more = f"; {len(pairs) - 1} more such pairs" if len(pairs) > 2 else ""
    if len(pairs) == 2:
        more = f"; {pairs[1][0]!r} and {pairs[1][1]!r} too"
    text = f"{one!r} and {other!r} say the same ({how}){more}"
    return [Suspect("redundant", f"{one} and {other}", text, "harmless to the score; importance is shared among them")]


def _classes(view: View, task: Task) -> list[Suspect]:
    """Classes with few rows, and one class that outnumbers another."""
    if task.kind != "classification" or view.target is None:
        return []
    scale = view.n_rows / max(1, len(view.rows))
    counts = Counter(dict.fromkeys(view.target.classes, 0))
    for i, n in enumerate(np.bincount(view.target.values.astype(np.int64), minlength=view.target.n_classes)):
        counts[view.target.classes[i]] = round(float(n) * scale)
    ranked = counts.most_common()
    (most, n_most), (least, n_least) = ranked[0], ranked[-1]
    found = []
    few = sorted((n, label) for label, n in counts.items() if n < FEW)
    if few:
        others = "another class" if len(few) == 2 else f"{len(few) - 1} other classes"
        rest = f"; {others} under {FEW} too" if len(few) > 1 else ""
        rows = "1 row" if few[0][0] == 1 else f"{few[0][0]} rows"
        how = f"{few[0][1]!r} has {rows}, about {max(1, round(few[0][0] * 0.15))} to test on{rest}"
        found.append(Suspect("few", few[0][1], how, "add rows of it, or join classes"))
    if n_most >= IMBALANCE * max(1, n_least):
        share = 100 * n_most / max(1, sum(counts.values()))
        how = f"{most!r} has {n_most:,} rows, {least!r} {n_least:,}: always saying {most!r} is {share:.0f} % right"
        found.append(
            Suspect("imbalance", least, how, "read balanced accuracy and each class's recall beside the score")
        )
    return found
