"""`evaluate`: score a model file on labelled examples, and say what makes the score untrue."""

import math
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from bottega.errors import BottegaError, nearest_name
from bottega.problem.records import EvaluateRecord, Progress, Suspect
from bottega.workflow.extras import missing_extra
from bottega.workflow.scores import confusion_of, leak_of, passed, per_class_of, unknown_labels_of

if TYPE_CHECKING:
    from bottega.data.profile import ImageSet
    from bottega.shipping.bloom import Bloom
    from bottega.shipping.predictor import Model, PictureModel

__all__ = ["evaluate"]

CHUNK = 64  # pictures decoded at once
UNKNOWN = -1  # class index of a label that the model never saw: always an error
SEED = 0  # of the resampling: the same data give the same interval


def evaluate(
    model: "Model | str | os.PathLike[str]",
    data: str | os.PathLike[str],
    *,
    metric: str | None = None,
    at_least: float | None = None,
    at_most: float | None = None,
    by: str | None = None,
    progress: Progress | None = None,
) -> EvaluateRecord:
    """Score a model on labelled pictures, or on the rows of a table.

    The part `test` is scored where the data have one, else everything that has a label; near twins count as one group
    in every interval. A label that the model doesn't know is an error in the score, and a suspect.

    Args:
        model: a loaded model, or the path of its file; of several targets one of its `targets`.
        data: a folder with one sub-folder a class, a zip or tar of one, `.npz`, CSV, or a built-in name; a table with
            the target's column for a model of a table.
        metric: what is judged; the metric that the model was trained for by default.
        at_least: the bar that the lower end of the interval must reach.
        at_most: the bar that the upper end must stay under.
        by: a column of a table, which the model need not know: the score of each of its values is told too.
        progress: called as pictures are read and answered.
    Returns:
        EvaluateRecord; `passed` tells whether the bars were met, and is None where none was stated.
    Raises:
        BottegaError: no labelled picture can be read, or no metric has this name.
    """
    from bottega.data.profile import profile
    from bottega.data.sources import open_source
    from bottega.evaluation.metrics import MEAN_COST, METRICS, score_all
    from bottega.shipping.predictor import Model, PictureModel, load

    if metric is not None:
        _check_metric(metric, [*METRICS, MEAN_COST.name])
    model = _of_one(model if isinstance(model, Model) else load(model))
    metric = metric or model.card.metric
    known = [name for name, one in METRICS.items() if one.kind == model.card.task]
    has_costs = model.card.table is not None and model.card.table.costs is not None
    _check_metric(metric, [*known, MEAN_COST.name] if has_costs else known)
    _check_bars(metric, at_least, at_most)
    if not isinstance(model, PictureModel):
        return _on_rows(model, data, metric, (at_least, at_most), by, progress)
    if by is not None:
        raise BottegaError(
            found=f"--by {by!r} for pictures", expected="a column of a table", fix="leave --by out: classes are scored"
        )
    images = profile(open_source(data), progress=progress)
    rows, suspects = _scored_rows(images)
    names = [images.labels[i] or "" for i in rows]
    y = np.array([_index(model.labels, name) for name in names], np.int64)
    probabilities = _answers(model, images, rows, progress)
    groups = np.asarray(images.twin_groups)[rows]
    metrics = score_all(y, probabilities, groups, seed=SEED)
    score = metrics[metric]
    suspects += unknown_labels_of(names, model.labels)
    seen = _seen(model.card.filter, np.asarray(images.hashes)[rows])
    unseen = None
    if seen is not None and seen.any():
        suspects.append(leak_of(seen, os.fspath(data)))
        if not seen.all():
            unseen = score_all(y[~seen], probabilities[~seen], groups[~seen], seed=SEED).get(metric)
    return EvaluateRecord(
        n=len(rows),
        metric=metric,
        score=float(score.score),
        low=float(score.low),
        high=float(score.high),
        metrics=metrics,
        per_class=per_class_of(y, probabilities, groups, model.labels),
        passed=passed(score, at_least, at_most),
        seen_in_training=float(seen.mean()) if seen is not None else math.nan,
        rejected=tuple(images.rejected),
        suspects=tuple(suspects),
        confusion=confusion_of(y, probabilities, len(model.labels)),
        labels=model.labels,
        unseen=unseen,
    )


def _of_one(model: "Model") -> "Model":
    """The model; one of several targets is refused."""
    if model.card.task != "several":
        return model
    from bottega.shipping.targets_predictor import of_target

    return of_target(model, None)


def _on_rows(
    model: "Model",
    data: str | os.PathLike[str],
    metric: str,
    bars: tuple[float | None, float | None],
    by: str | None,
    progress: Progress | None,
) -> EvaluateRecord:
    from bottega.shipping.table_predictor import TableModel

    try:
        from bottega.workflow.evaluate_table import evaluate_rows
    except ModuleNotFoundError as error:
        if (missing := missing_extra(error)) is not None:
            raise missing from error
        raise
    if not isinstance(model, TableModel):
        raise TypeError(f"{type(model).__name__} can't be scored")
    return evaluate_rows(model, data, metric=metric, bars=bars, by=by, progress=progress)


def _scored_rows(images: "ImageSet") -> tuple[list[int], list[Suspect]]:
    """Which pictures are scored, and a remark when those aren't all."""
    labelled = [i for i, label in enumerate(images.labels) if label is not None]
    test = [i for i in labelled if images.parts[i] == "test"]
    rows = test or labelled
    if not rows:
        raise BottegaError(
            found=f"{len(images):,} readable pictures in {images.name!r}, none of them with a label",
            expected="a folder with one sub-folder for each class",
            fix="bottega predict answers for pictures without labels",
            rejected=[{"path": r.path, "reason": r.reason} for r in images.rejected],
        )
    if not test or len(test) == len(labelled):
        return rows, []
    evidence = f"the part 'test' was scored: {len(test):,} of {len(labelled):,} labelled pictures"
    return rows, [Suspect("part", "test", evidence, "name the folder of another part to score that one")]


def _answers(
    model: "PictureModel", images: "ImageSet", rows: Sequence[int], progress: Progress | None
) -> npt.NDArray[np.float32]:
    """Probabilities (N, n_classes), a bounded number of pictures in memory at a time."""
    probabilities = np.empty((len(rows), len(model.labels)), np.float32)
    for start in range(0, len(rows), CHUNK):
        part = rows[start : start + CHUNK]
        probabilities[start : start + len(part)] = model.predict_batch([images.pixels(i) for i in part])[1]
        if progress is not None:
            progress("evaluate", start + len(part), len(rows))
    return probabilities


def _index(labels: Sequence[str], name: str) -> int:
    return labels.index(name) if name in labels else UNKNOWN


def _check_metric(name: str, known: Sequence[str]) -> None:
    if name in known:
        return
    near = nearest_name(name, known)
    raise BottegaError(
        found=f"no metric {name!r} for {'values' if 'rmse' in known and 'accuracy' not in known else 'classes'}",
        expected=f"one of {', '.join(known)}",
        fix=f"did you mean {near!r}?" if near else f"--metric {known[0]}",
    )


def _check_bars(metric: str, at_least: float | None, at_most: float | None) -> None:
    """A bar is a value that the metric can have, on the side that the metric is judged from."""
    from bottega.evaluation.metrics import metric_named
    from bottega.workflow.options import UNBOUNDED

    higher, top = metric_named(metric).higher_is_better, math.inf if metric in UNBOUNDED else 1.0
    right = "--at-least" if higher else "--at-most"
    for flag, bar in (("--at-least", at_least), ("--at-most", at_most)):
        if bar is None:
            continue
        if flag != right:
            direction = f"{'higher' if higher else 'lower'} is better"
            raise BottegaError(
                found=f"{flag} {bar!r} with {metric}, of which {direction}",
                expected=f"{right} for {metric}",
                fix=f"{right} {bar!r}",
            )
        if not 0 <= bar <= top:
            raise BottegaError(
                found=f"{flag} {bar!r}",
                expected=f"{metric} as a number from 0{f' to {top:g}' if math.isfinite(top) else ''}",
                fix=f"{flag} {bar / 100:g}" if 1 < bar <= 100 else f"{flag} 0.9",
            )


def _seen(bloom: "Bloom | None", hashes: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_] | None:
    return None if bloom is None else bloom.contains(np.ascontiguousarray(hashes, dtype=np.uint8))
