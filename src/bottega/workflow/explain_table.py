"""`explain` on a table: read it as the model's columns want, and ask the file."""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from bottega.data.table_content import table_digests
from bottega.data.table_like import Cells, cells_of_frame, read_like, require_columns
from bottega.data.table_links import labels as as_labels
from bottega.data.table_weights import frame_weights
from bottega.errors import BottegaError, nearest_name
from bottega.evaluation.metrics import METRICS, Metric, metric_named
from bottega.problem.records import Progress
from bottega.problem.understanding_records import Drivers, RowAnswer, Words
from bottega.shipping.predictor import Model
from bottega.shipping.table_predictor import Answered, TableModel
from bottega.understanding.drivers import find_drivers
from bottega.understanding.row_answer import explain_row
from bottega.understanding.rows import FEWEST_ROWS, AskedRows, most_probable
from bottega.workflow.table_options import part_files

__all__ = ["Explained", "answers_of", "explain_table", "place_of", "table_metric"]

SECONDS = 20.0  # about what shuffling may take
ENOUGH_NEW = 100  # rows that training did not see, to use these alone

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Explained:
    """What `explain` found; one of the three is there."""

    target: str
    notes: tuple[str, ...]
    drivers: Drivers | None = None
    row: RowAnswer | None = None
    words: Words | None = None


def table_metric(model: Model, name: str | None) -> Metric:
    """The metric that is judged: one of the model's task.

    Raises:
        BottegaError: no metric of this name judges such a model.
    """
    known = [one.name for one in METRICS.values() if one.kind == model.card.task]
    if name is None or name in known:
        costs = model.costs if isinstance(model, TableModel) else None
        return metric_named(name or model.card.metric).under(costs)
    near = nearest_name(name, known)
    raise BottegaError(
        found=f"--metric {name!r} for a model of {'classes' if model.labels else 'values'}",
        expected=f"one of {', '.join(known)}",
        fix=f"--metric {near or known[0]}",
    )


def explain_table(
    model: Model,
    data: str,
    *,
    row: int | None,
    metric: Metric,
    n_rows: int | None,
    seed: int,
    progress: Progress | None,
) -> Explained:
    """Which columns drive the answers; or, with `row`, what drove that row's.

    Raises:
        BottegaError: a column is missing or strange, too few rows, or no row of this number.
    """
    if not isinstance(model, TableModel):
        raise TypeError(f"{type(model).__name__} has no columns")
    path = part_files(data).get("test", data)
    if progress is not None:
        progress("reading rows", 0, None)
    read = _read(model, path)
    if len(read.names) < FEWEST_ROWS:
        raise BottegaError(
            found=f"{len(read.names)} row{'' if len(read.names) == 1 else 's'}",
            expected=f"{FEWEST_ROWS} rows at least: a row is compared with what others hold",
            fix="give it the table that the row comes from, or the rows that the model was tested on",
            where=os.path.basename(path),
        )
    target = model.table.target
    if row is not None:
        place = place_of(row, read.names, path)
        return Explained(target, (), row=explain_row(read.rows, place, read.names[place], seed=seed))
    kept, notes = _kept(model, read)
    if len(kept) < FEWEST_ROWS:
        raise BottegaError(
            found=f"{len(kept)} row{'' if len(kept) == 1 else 's'} with a value of {target!r}",
            expected=f"{FEWEST_ROWS} rows at least with one, or a table without this column",
            fix=f"fill {target!r} in, or leave the column out to see how far answers move",
            where=os.path.basename(path),
        )
    rows = read.rows.only(kept)
    judged = None if rows.y is None else metric
    found = find_drivers(rows, metric=judged, seconds=SECONDS, n_rows=n_rows, seed=seed, progress=progress)
    return Explained(target, notes, drivers=found)


def place_of(row: int, names: list[str], path: str) -> int:
    """Where the row stands that is called by this number.

    Raises:
        BottegaError: there is none.
    """
    name = f"row {row}"
    if name in names:
        return names.index(name)
    raise BottegaError(
        found=f"no {name}",
        expected=f"one of {names[0]} to {names[-1]}" if names else "a file with rows",
        fix="count as the file does: the header of a CSV is row 1",
        where=os.path.basename(path),
    )


@dataclass(frozen=True)
class _Read:
    """The rows of a file.

    Attributes:
        scored: (N,) whether a row has a target; None where no row has one.
        hashes: (N, 32) of their contents.
    """

    rows: AskedRows
    names: list[str]
    scored: npt.NDArray[np.bool_] | None
    hashes: npt.NDArray[np.uint8]


def _read(model: TableModel, path: str) -> _Read:
    """The rows of a table; of JSON, which may come without a frame, without their targets."""
    if path.lower().endswith(".json"):
        names, cells = model.read(path)
        return _Read(
            _rows(model, cells, np.arange(len(names)), None), names, None, np.zeros((len(names), 32), np.uint8)
        )
    target, is_class = model.table.target, model.card.task == "classification"
    table = read_like(path, model.columns)
    frame = table.frame
    require_columns(frame.columns, model.columns, model.known, table.name)
    truth = None
    if target in frame.columns:
        if not is_class and not frame[target].dtype.is_numeric():
            frame = read_like(path, model.columns, {target: "number"}).frame
        truth = as_labels(frame[target]) if is_class else frame[target].cast(pl.Float64)
        truth = None if truth.null_count() == len(truth) else truth
    hashes = np.frombuffer(b"".join(table_digests(frame, [one.column for one in model.columns])), np.uint8)
    hashes = hashes.reshape(-1, 32)
    groups = np.unique(hashes.view("V32")[:, 0], return_inverse=True)[1].reshape(-1) if len(frame) else np.zeros(0, int)
    index = {label: number for number, label in enumerate(model.labels)}
    y: npt.NDArray[Any] | None = None
    if truth is not None:
        y = np.array([index.get(str(one), -1) for one in truth.to_list()]) if is_class else truth.to_numpy()
    weights = None if model.table.weight is None else frame_weights(frame, model.table.weight)
    rows = replace(_rows(model, cells_of_frame(frame, model.columns), groups, y), weights=weights)
    names = [f"row {number}" for number in table.rows.tolist()]
    return _Read(rows, names, None if truth is None else truth.is_not_null().to_numpy(), hashes)


def _rows(model: TableModel, cells: Cells, groups: npt.NDArray[np.int64], y: npt.NDArray[Any] | None) -> AskedRows:
    said = most_probable if model.costs is None else model.costs.answers
    ask, target = answers_of(model.predict_batch), model.table.target
    return AskedRows(ask, cells, model.columns, model.labels, target, groups, y, said)


def answers_of(predict: Callable[[Cells], Answered]) -> Callable[[Cells], Numbers]:
    """Answers as a matrix: probabilities (n, n_classes), or values (n, 1)."""

    def ask(cells: Cells) -> Numbers:
        found = predict(cells)
        answers: Numbers = found["probabilities"] if "probabilities" in found else found["value"][:, None]
        return answers

    return ask


def _kept(model: TableModel, read: _Read) -> tuple[npt.NDArray[np.int64], tuple[str, ...]]:
    """Rows to be shuffled: those with a target, and of these the ones that training did not see where there are enough.

    What a model knows by heart is lost by shuffling any column, so that rows of training make all of them look
    important.
    """
    if read.scored is None:
        return np.arange(len(read.names)), ()
    notes, kept = [], read.scored
    if not kept.all():
        notes.append(f"{int((~kept).sum()):,} rows without a target were left out")
    if model.card.filter is not None:
        seen = model.card.filter.contains(read.hashes) & kept
        n_new = int(kept.sum() - seen.sum())
        if seen.any() and n_new >= ENOUGH_NEW:
            notes.append(f"the model was trained on {seen.sum():,} of these rows: only the {n_new:,} others were used")
            kept = kept & ~seen
        elif seen.any():
            share = f"{100 * seen.sum() / kept.sum():.3g} %"
            notes.append(f"the model was trained on {share} of these rows: what it knows by heart looks important too")
    return np.flatnonzero(kept), tuple(notes)
