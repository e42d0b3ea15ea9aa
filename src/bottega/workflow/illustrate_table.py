"""The evidence of a report on a table: counts, curves and the largest errors, gathered from a finished run."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from bottega.evaluation.evidence import Confusion, Evidence, Miss, Mistake, Values
from bottega.workflow.illustrate import (
    Use,
    chosen_point,
    coverage_points,
    reliability_bins,
    shared_evidence,
    table_of_answers,
)
from bottega.workflow.table_trial import LookedTable
from bottega.workflow.trial import Trial

__all__ = ["gather_rows"]

N_MISTAKES = 12
N_POINTS = 400  # of the plot of predicted against true


def gather_rows(trial: Trial[LookedTable], use: Use) -> Evidence:
    """Collect what the report shows beside the record."""
    tested = trial.judged.tested
    rows, found = tested.rows[tested.once], tested.predictions[tested.once]
    if tested.ends is not None:
        return replace(shared_evidence(trial, use), values=_values(trial, rows, found))
    return class_evidence(trial, use, trial.looked.names)


def class_evidence(trial: Trial[Any], use: Use, names: Sequence[str]) -> Evidence:
    """What the report shows of classes where the examples are no pictures.

    Args:
        names: (N,) of the examples, as the list of mistakes shows them.
    """
    looked, material, judged = trial.looked, trial.material, trial.judged
    tested = judged.tested
    rows, probabilities = tested.rows[tested.once], tested.predictions[tested.once]
    y, groups = material.y[rows], material.groups[rows]
    said = material.said(probabilities)
    sureness = probabilities[np.arange(len(rows)), said]
    wrong = np.flatnonzero(said != y)
    wrong = wrong[np.argsort(-sureness[wrong], kind="stable")][:N_MISTAKES]
    labels, _, matrix = table_of_answers(material, rows, probabilities)
    return replace(
        shared_evidence(trial, use),
        confusion=Confusion.from_matrix(labels, matrix.tolist()),
        mistakes=tuple(
            Mistake(None, looked.labels[i], looked.classes[int(said[place])], float(sureness[place]), names[i])
            for place, i in zip(wrong.tolist(), rows[wrong].tolist(), strict=True)
        ),
        reliability=reliability_bins(y, probabilities, groups),
        ece=judged.metrics.get("ece"),
        coverage=coverage_points(y, probabilities, groups, said),
        chosen_coverage=chosen_point(judged),
    )


def _values(trial: Trial[LookedTable], rows: npt.NDArray[np.int64], values: npt.NDArray[np.float64]) -> Values:
    looked, tested = trial.looked, trial.judged.tested
    truth = looked.y[rows]
    ends = np.zeros((len(rows), 2)) if tested.ends is None else tested.ends[tested.once]
    shown = np.unique(np.linspace(0, len(rows) - 1, min(len(rows), N_POINTS)).astype(np.int64))
    farthest = np.argsort(-np.abs(truth - values), kind="stable")[:N_MISTAKES]
    return Values(
        target=looked.look.task.target or "",
        points=tuple((float(truth[i]), float(values[i])) for i in shown),
        misses=tuple(
            Miss(looked.names[int(rows[i])], float(truth[i]), float(values[i]), float(ends[i, 0]), float(ends[i, 1]))
            for i in farthest
        ),
    )
