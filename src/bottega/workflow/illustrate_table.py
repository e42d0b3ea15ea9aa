"""The evidence of a report on a table: counts, curves and the largest errors, gathered from a finished run."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from bottega.evaluation.evidence import Confusion, Evidence, Miss, Mistake, Values
from bottega.workflow.illustrate import Use, chosen_point, coverage_points, reliability_bins, table_of_answers
from bottega.workflow.table_trial import LookedTable
from bottega.workflow.trial import Trial

__all__ = ["gather_rows"]

N_MISTAKES = 12
N_POINTS = 400  # of the plot of predicted against true


def gather_rows(trial: Trial[LookedTable], use: Use) -> Evidence:
    """Collect what the report shows beside the record."""
    looked, judged = trial.looked, trial.judged
    metric, tested = trial.options.metric, judged.tested
    rows, found = tested.rows[tested.once], tested.predictions[tested.once]
    shared = Evidence(
        data_name=looked.name,
        n_pictures=len(looked.names),
        noun="row",
        n_per_class=looked.look.n_per_class,
        naive=judged.naive,
        grouped=judged.metrics[metric],
        without_twins=judged.metrics.get(f"{metric}_without_twins"),
        snippets=use.snippets,
        reproduce=use.reproduce,
        versions=use.versions,
        recipe=use.recipe,
        model_file=use.model_file,
        prepared=use.prepared,
        values=_values(trial, rows, found) if tested.ends is not None else None,
    )
    return shared if tested.ends is not None else _of_classes(trial, shared, rows, found)


def _of_classes(
    trial: Trial[LookedTable], shared: Evidence, rows: npt.NDArray[np.int64], probabilities: npt.NDArray[np.float64]
) -> Evidence:
    material, judged = trial.material, trial.judged
    y, groups = material.y[rows], material.groups[rows]
    labels, _, matrix = table_of_answers(material, rows, probabilities)
    return replace(
        shared,
        confusion=Confusion.from_matrix(labels, matrix.tolist()),
        mistakes=tuple(_mistakes(trial, rows, probabilities)),
        reliability=reliability_bins(y, probabilities, groups),
        ece=judged.metrics.get("ece"),
        coverage=coverage_points(y, probabilities, groups),
        chosen_coverage=chosen_point(judged),
    )


def _mistakes(
    trial: Trial[LookedTable], rows: npt.NDArray[np.int64], probabilities: npt.NDArray[np.float64]
) -> list[Mistake]:
    """The surest wrong answers, by the number of their row."""
    looked = trial.looked
    said, sureness = probabilities.argmax(1), probabilities.max(1)
    wrong = np.flatnonzero(said != trial.material.y[rows])
    wrong = wrong[np.argsort(-sureness[wrong], kind="stable")][:N_MISTAKES]
    return [
        Mistake(
            picture=None,
            truth=looked.labels[int(rows[place])],
            answer=looked.classes[int(said[place])],
            probability=float(sureness[place]),
            name=looked.names[int(rows[place])],
        )
        for place in wrong.tolist()
    ]


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
