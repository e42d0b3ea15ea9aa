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
from bottega.errors import BottegaError, found_in
from bottega.evaluation.metrics import score_all
from bottega.evaluation.regression import score_values
from bottega.problem.records import EvaluateRecord, Progress, Rejected, Score, Suspect
from bottega.problem.table import ColumnSpec, column_named
from bottega.shipping.table_predictor import Answered, TableModel
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
    progress: Progress | None,
) -> EvaluateRecord:
    """Score a model of a table.

    Args:
        data: a table with the target's column; of a folder of parts, the test part.
        bars: what the interval's lower end must reach, and its upper end stay under.
    Raises:
        BottegaError: a column is missing or strange, a cell is of another kind, no row has a target.
    """
    path = part_files(os.fspath(data)).get("test", os.fspath(data))
    target, is_class = model.table.target, model.card.task == "classification"
    if progress is not None:
        progress("reading rows", 0, None)
    table = read_like(path, model.columns, {} if is_class else {target: "number"})
    column_named(target, table.frame.columns, table.name)
    require_columns(table.frame.columns, model.columns, model.known, table.name)
    truth = as_labels(table.frame[target]) if is_class else table.frame[target]
    kept = np.flatnonzero(truth.is_not_null().to_numpy())
    if not len(kept):
        raise BottegaError(
            found=f"{len(table):,} rows, none of them with a value in {target!r}",
            expected="rows with their target, to compare answers with",
            fix="bottega predict answers for rows without a target",
            where=table.name,
        )
    frame = table.frame[kept]
    cells = cells_of_frame(frame, model.columns)
    answered = model.predict_batch(cells)
    digests = b"".join(table_digests(frame, [one.column for one in model.columns]))
    hashes = np.frombuffer(digests, np.uint8).reshape(-1, 32)
    groups = np.unique(hashes.view("V32")[:, 0], return_inverse=True)[1].reshape(-1)
    suspects: list[Suspect] = []
    seen = None if model.card.filter is None else model.card.filter.contains(hashes)
    texts = [str(value) for value in truth.to_list()]
    left_out = np.setdiff1d(np.arange(len(table)), kept)
    rejected = tuple(Rejected(f"row {table.rows[i]}", "no target") for i in left_out.tolist())
    judge = _Judge(model, answered, [texts[i] for i in kept.tolist()], groups)
    metrics = judge.scores(np.ones(len(kept), bool))
    score = metrics[metric]
    unseen = None
    if seen is not None and seen.any():
        suspects.append(leak_of(seen, os.fspath(data), "row"))
        if not seen.all():
            unseen = judge.scores(~seen).get(metric)
    return EvaluateRecord(
        n=len(kept),
        metric=metric,
        score=float(score.score),
        low=float(score.low),
        high=float(score.high),
        metrics=metrics,
        per_class=judge.per_class(),
        passed=passed(score, *bars),
        seen_in_training=float(seen.mean()) if seen is not None else math.nan,
        rejected=rejected,
        suspects=(*suspects, *judge.unknown(), *_unknown_categories(cells, model.columns)),
        confusion=judge.confusion(),
        labels=model.labels,
        unseen=unseen,
    )


class _Judge:
    """Answers beside the truth: of classes or of values.

    Args:
        texts: (N,) true labels, or values as text.
        groups: (N,) equal for rows of one content.
    """

    def __init__(self, model: TableModel, answered: Answered, texts: Sequence[str], groups: npt.NDArray[Any]) -> None:
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
        if self.model.labels:
            return score_all(y, self.answered["probabilities"][rows], groups)
        value, lower, upper = (self.answered[key][rows].astype(np.float64) for key in ("value", "lower", "upper"))
        coverage = self.model.table.coverage or 0.9
        return score_values(y, value, (lower, upper), coverage=coverage, groups=groups)

    def per_class(self) -> dict[str, dict[str, Any]]:
        """Of each label: N, precision and recall."""
        if not self.model.labels:
            return {}
        return per_class_of(self.y, self.answered["probabilities"], self.groups, self.model.labels)

    def confusion(self) -> tuple[tuple[int, ...], ...]:
        """Counts [truth][answer]."""
        if not self.model.labels:
            return ()
        return confusion_of(self.y, self.answered["probabilities"], len(self.model.labels))

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
