"""`evaluate` on a table: score a model file on rows that have their target, and say what makes the score untrue."""

import math
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from bottega.data.table_content import table_digests
from bottega.data.table_like import Cells, cells_of_frame, read_like, require_columns, share_unknown
from bottega.data.table_links import labels as as_labels
from bottega.data.table_names import is_text_folder
from bottega.data.table_weights import frame_weights
from bottega.errors import BottegaError, found_in
from bottega.evaluation.metrics import score_all
from bottega.evaluation.regression import score_values
from bottega.problem.records import EvaluateRecord, Progress, Rejected, Score, Suspect
from bottega.problem.table import ColumnSpec, column_named
from bottega.shipping.table_predictor import Answered, TableModel
from bottega.shipping.text_predictor import TextModel
from bottega.understanding.drift import find_drift
from bottega.workflow.labelled_texts import Labelled, labelled_files
from bottega.workflow.scores import confusion_of, leak_of, passed, per_class_of, unknown_labels_of
from bottega.workflow.table_options import part_files

__all__ = ["evaluate_rows"]

SHOWN = 3  # of the categories that training did not know
BEYOND_CHANCE = 3.0  # standard errors of a share


def evaluate_rows(
    model: TableModel,
    data: str | os.PathLike[str],
    *,
    metric: str,
    bars: tuple[float | None, float | None],
    by: str | None = None,
    progress: Progress | None = None,
) -> EvaluateRecord:
    """Score a model of a table.

    Args:
        data: a table with the target's column; of a folder of parts, the test part.
        bars: what the interval's lower end must reach, and its upper end stay under.
        by: a column whose values are scored one by one.
    Raises:
        BottegaError: a column is missing or strange, a cell is of another kind, no row has a target.
    """
    if progress is not None:
        progress("reading rows", 0, None)
    is_folder = isinstance(model, TextModel) and is_text_folder(data)
    if is_folder and by is not None:
        raise BottegaError(
            found=f"--by {by!r} for a folder of text files",
            expected="a column of a table",
            fix="leave --by out: classes are scored",
        )
    read = labelled_files(model, data) if is_folder else _labelled_rows(model, data, by)
    frame = read.frame
    cells = cells_of_frame(frame, model.columns)
    answered = model.predict_batch(cells)
    digests = b"".join(table_digests(frame, [one.column for one in model.columns]))
    hashes = np.frombuffer(digests, np.uint8).reshape(-1, 32)
    groups = np.unique(hashes.view("V32")[:, 0], return_inverse=True)[1].reshape(-1)
    suspects = list(read.suspects)
    seen = None if model.card.filter is None else model.card.filter.contains(hashes)
    weights = None if model.table.weight is None else frame_weights(frame, model.table.weight)
    if model.table.weight is not None and weights is None:
        suspects.append(_unweighted(model.table.weight))
    judge = _Judge(model, answered, read.labels, groups, weights)
    metrics = judge.scores(np.ones(len(frame), bool))
    score = metrics[metric]
    unseen, fresh = None, np.ones(len(frame), bool)
    if seen is not None and seen.any():
        suspects.append(leak_of(seen, os.fspath(data), "text" if isinstance(model, TextModel) else "row"))
        if not seen.all():
            fresh = ~seen
            unseen = judge.scores(fresh).get(metric)
    return EvaluateRecord(
        n=len(frame),
        metric=metric,
        score=float(score.score),
        low=float(score.low),
        high=float(score.high),
        metrics=metrics,
        per_class=judge.per_class(),
        passed=passed(score, *bars),
        seen_in_training=float(seen.mean()) if seen is not None else math.nan,
        rejected=read.rejected,
        suspects=(*suspects, *judge.unknown(), *_unknown_categories(cells, model.columns)),
        confusion=judge.confusion(),
        labels=model.labels,
        unseen=unseen,
        by_column=by,
        by=None if by is None else judge.by(as_labels(frame[by]).fill_null("").to_list(), fresh, metric),
        drift=find_drift(cells, model.columns, groups),
    )


def _labelled_rows(model: TableModel, data: str | os.PathLike[str], by: str | None) -> Labelled:
    """The rows of a table that have a target; of a folder of parts, those of the test part."""
    path = part_files(os.fspath(data)).get("test", os.fspath(data))
    target, is_class = model.table.target, model.card.task == "classification"
    table = read_like(path, model.columns, {} if is_class else {target: "number"})
    column_named(target, table.frame.columns, table.name)
    known = model.known if by is None else (*model.known, column_named(by, table.frame.columns, table.name))
    require_columns(table.frame.columns, model.columns, known, table.name)
    truth = as_labels(table.frame[target]) if is_class else table.frame[target]
    kept = np.flatnonzero(truth.is_not_null().to_numpy())
    if not len(kept):
        raise BottegaError(
            found=f"{len(table):,} rows, none of them with a value in {target!r}",
            expected="rows with their target, to compare answers with",
            fix="bottega predict answers for rows without a target",
            where=table.name,
        )
    left_out = np.setdiff1d(np.arange(len(table)), kept)
    rejected = tuple(Rejected(f"row {table.rows[i]}", "no target") for i in left_out.tolist())
    return Labelled(table.frame[kept], tuple(str(value) for value in truth[kept].to_list()), rejected)


def _unweighted(name: str) -> Suspect:
    evidence = f"there is no column {name!r}: each row counts the same here, and did not in training"
    return Suspect("weight", name, evidence, f"add the column {name!r} to compare this score with training's")


class _Judge:
    """Answers beside the truth: of classes or of values.

    Args:
        texts: (N,) true labels, or values as text.
        groups: (N,) equal for rows of one content.
        weights: (N,) how much each row counts; None for all the same.
    """

    def __init__(
        self,
        model: TableModel,
        answered: Answered,
        texts: Sequence[str],
        groups: npt.NDArray[Any],
        weights: npt.NDArray[np.float64] | None,
    ) -> None:
        self.weights = weights
        self.model = model
        self.answered = answered
        self.texts = texts
        self.groups = groups
        index = {label: number for number, label in enumerate(model.labels)}
        self.y: npt.NDArray[Any] = (
            np.array([index.get(text, -1) for text in texts]) if model.labels else np.array(texts, np.float64)
        )

    def scores(self, rows: npt.NDArray[np.bool_]) -> dict[str, Score]:
        """Every metric on some of the rows."""
        y, groups = self.y[rows], self.groups[rows]
        weights = None if self.weights is None else self.weights[rows]
        if self.model.labels:
            shares = self.answered["probabilities"][rows]
            return score_all(y, shares, groups, costs=self.model.costs, weights=weights)
        value, lower, upper = (self.answered[key][rows].astype(np.float64) for key in ("value", "lower", "upper"))
        coverage = self.model.table.coverage or 0.9
        return score_values(y, value, (lower, upper), coverage=coverage, groups=groups, weights=weights)

    def by(self, values: Sequence[str], fresh: npt.NDArray[np.bool_], metric: str) -> dict[str, Score]:
        """The metric of each of these values on some of the rows, where it has one."""
        cells = np.array(values, dtype=object)
        here = sorted(set(cells[fresh].tolist()))
        found = {value: self.scores((cells == value) & fresh).get(metric) for value in here}
        return {value: one for value, one in found.items() if one is not None and math.isfinite(one.score)}

    def per_class(self) -> dict[str, dict[str, Any]]:
        """Of each label: N, precision and recall."""
        if not self.model.labels:
            return {}
        return per_class_of(self.y, self._told(), self.groups, self.model.labels)

    def confusion(self) -> tuple[tuple[int, ...], ...]:
        """Counts [truth][answer]."""
        if not self.model.labels:
            return ()
        return confusion_of(self.y, self._told(), len(self.model.labels))

    def _told(self) -> npt.NDArray[Any]:
        """(N, C) whose largest is the answer: probabilities, or 1 for the cheapest answer where costs choose it."""
        shares: npt.NDArray[Any] = self.answered["probabilities"]
        return shares if self.model.costs is None else self.model.costs.told(shares)

    def unknown(self) -> list[Suspect]:
        """Labels that the model never saw."""
        return unknown_labels_of(self.texts, self.model.labels, "row") if self.model.labels else []


def _unknown_categories(cells: Cells, columns: Sequence[ColumnSpec]) -> list[Suspect]:
    """Columns with more categories that the model does not know than training had, beyond chance."""
    found = []
    for one in columns:
        if one.kind != "category":
            continue
        n, share = len(cells[one.column]), share_unknown(cells[one.column], one.levels)
        spread = math.sqrt(one.rare * (1 - one.rare) / n)
        if share <= one.rare + BEYOND_CHANCE * spread:
            continue
        names = sorted({str(cell) for cell in cells[one.column].tolist()} - {*one.levels, ""})
        count = f"{round(share * n):,} of {n:,} cells of {one.column!r} ({100 * share:.3g} %)"
        usual = f"in training {100 * one.rare:.3g} %"
        evidence = f"{count} hold a category that the model does not know, {usual}: {found_in(names[:SHOWN])}"
        found.append(Suspect("unknown category", one.column, evidence, "check the spelling, or train with such rows"))
    return found
