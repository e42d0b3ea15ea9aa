"""Tables for the tests of `look`: bundled real ones, and frames turned into what the checks work on."""

from pathlib import Path
from typing import Any

import polars as pl
from sklearn import datasets

from bottega.data.table_checks import task_of
from bottega.data.table_links import View
from bottega.data.tables import Table, read_table
from bottega.problem.table import TableChoices


def bundled(name: str) -> pl.DataFrame:
    """A data set that scikit-learn carries, its target last, class names in words."""
    bundle = getattr(datasets, f"load_{name}")()
    frame = pl.DataFrame(bundle.data, schema=list(bundle.feature_names))
    names = getattr(bundle, "target_names", None)
    answers = bundle.target if names is None else [str(names[i]) for i in bundle.target]
    return frame.with_columns(pl.Series("target", answers))


def table_of(frame: pl.DataFrame, folder: Path, **choices: Any) -> Table:
    """The frame as a CSV that was read again, as a user's would be."""
    path = folder / "data.csv"
    frame.write_csv(path)
    return read_table(path, TableChoices(**choices))


def view_of(table: Table) -> View:
    """What the checks are given."""
    task = task_of(table)
    return View(table, task.classes if task.kind == "classification" else ())
