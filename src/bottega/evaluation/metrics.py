"""The numbers that models are judged by, each as a function that can be weighted and so resampled.

A label that training never saw has class index -1: it counts as a mistake wherever answers are counted, and is left
out where only a probability of the true class would do (log_loss, brier, roc_auc, average_precision).
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bottega.evaluation.calibration import N_BINS, equal_mass_bins, expected_error
from bottega.evaluation.costs import Costs
from bottega.evaluation.intervals import Scorer, interval
from bottega.problem.records import Score

__all__ = ["MEAN_COST", "METRICS", "Metric", "metric_named", "score_all"]

Numbers = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Metric:
    """One way to judge predictions.

    Attributes:
        name: the key in records.
        higher_is_better: the direction.
        kind: what it judges.
        prepare: `prepare(y, predictions) -> scorer`; `scorer(weights (N,)) -> float`, NaN where it isn't defined.
            What doesn't depend on the weights is done once, since a bootstrap asks thousands of times.
        unit: how to read a value.
        is_share: values lie in [0, 1] and 1 is perfect.
        right: `right(y, predictions)` (N,) bool, where the metric is the share of these and all count the same.
        is_of_answers: it judges what is said, not how probable that is.
        row_weights: (N,) how much each example counts; None for all the same.
    """

    name: str
    higher_is_better: bool
    kind: Literal["classification", "regression"]
    prepare: Callable[[Any, Any], Scorer]
    unit: str
    is_share: bool = False
    right: Callable[[Any, Any], NDArray[np.bool_]] | None = None
    is_of_answers: bool = False
    row_weights: Numbers | None = None

    def under(self, costs: Costs | None, weights: Numbers | None = None) -> "Metric":
        """The same metric where answers are chosen by cost, or examples count differently.

        Args:
            costs: None for the most probable answer.
            weights: (N,) of the very examples that it will be asked about.
        """
        metric = self
        if costs is not None and self.name == MEAN_COST.name:
            metric = replace(self, prepare=costs.mean_cost)
        elif costs is not None and self.is_of_answers:
            right = None if self.right is None else lambda y, p: costs.answers(p) == y
            metric = replace(self, prepare=lambda y, p: self.prepare(y, costs.told(p)), right=right)
        if weights is None:
            return metric

        def prepare(y: Any, predictions: Any) -> Scorer:
            scorer = metric.prepare(y, predictions)
            return lambda counts: scorer(counts * weights)

        return replace(metric, prepare=prepare, right=None, row_weights=weights)

    def function(self, y: NDArray[Any], predictions: NDArray[Any], weights: NDArray[Any] | None = None) -> float:
        """The metric.

        Args:
            y: (N,) class indices (-1: a label that training never saw), or values.
            predictions: (N, C) probabilities, or (N,) values.
            weights: (N,) how often each example counts; None for once.
        """
        if len(y) == 0:
            return math.nan
        ones = np.ones(len(y)) if weights is None else np.asarray(weights, dtype=np.float64)
        return self.prepare(np.asarray(y), np.asarray(predictions))(ones)


def score_all(
    y: NDArray[Any],
    predictions: NDArray[Any],
    groups: NDArray[Any] | None = None,
    *,
    seed: int = 0,
    costs: Costs | None = None,
    weights: Numbers | None = None,
) -> dict[str, Score]:
    """Every metric of the kind, with 95 % intervals.

    Args:
        y: (N,) class indices (-1: a label that training never saw), or values.
        predictions: (N, C) probabilities, or (N,) values.
        groups: (N,) equal for examples that belong together; None when all are independent.
        seed: of the resampling.
        costs: by which answers are chosen; then the mean cost is scored too.
        weights: (N,) how much each example counts; None for all the same.
    Returns:
        Scores by metric name; NaN where a metric isn't defined on these examples.
    """
    kind = "classification" if predictions.ndim == 2 else "regression"
    measured: Mapping[str, Metric] = METRICS if costs is None else {**METRICS, MEAN_COST.name: MEAN_COST}
    return {
        name: interval(metric.under(costs, weights), y, predictions, groups, seed)
        for name, metric in measured.items()
        if metric.kind == kind
    }


def metric_named(name: str) -> "Metric":
    """One of METRICS, or the mean cost, which is measured where costs are stated."""
    return MEAN_COST if name == MEAN_COST.name else METRICS[name]


def _mean_of(values: Numbers, finish: Callable[[float], float] = float) -> Scorer:
    def scorer(weights: Numbers) -> float:
        total = float(weights.sum())
        return finish(float(weights @ values) / total) if total > 0 else math.nan

    return scorer


def _right(y: Integers, probabilities: Numbers) -> NDArray[np.bool_]:
    return np.asarray(np.argmax(probabilities, axis=1) == y)


def _accuracy(y: Integers, probabilities: Numbers) -> Scorer:
    return _mean_of(_right(y, probabilities).astype(np.float64))


def _balanced_accuracy(y: Integers, probabilities: Numbers) -> Scorer:
    right = (np.argmax(probabilities, axis=1) == y).astype(np.float64)
    cells = y + 1  # all labels that training never saw are one class, and never right

    def scorer(weights: Numbers) -> float:
        n_true = np.bincount(cells, weights=weights)
        n_right = np.bincount(cells, weights=weights * right)
        present = n_true > 0
        return float((n_right[present] / n_true[present]).mean()) if present.any() else math.nan

    return scorer


def _f1_macro(y: Integers, probabilities: Numbers) -> Scorer:
    n_cells = probabilities.shape[1] + 1
    answers = np.argmax(probabilities, axis=1) + 1
    cells = y + 1
    right = (answers == cells).astype(np.float64)

    def scorer(weights: Numbers) -> float:
        n_named = np.bincount(cells, weights, n_cells) + np.bincount(answers, weights, n_cells)
        n_right = np.bincount(cells, weights * right, n_cells)
        present = n_named > 0
        return float((2 * n_right[present] / n_named[present]).mean()) if present.any() else math.nan

    return scorer


def _log_loss(y: Integers, probabilities: Numbers) -> Scorer:
    known = y >= 0
    smallest = np.finfo(probabilities.dtype if probabilities.dtype.kind == "f" else np.float64).eps
    chosen = probabilities[np.arange(len(y)), np.where(known, y, 0)].astype(np.float64)
    losses = -np.log(np.clip(chosen, smallest, 1.0))
    return _only(known, _mean_of(losses[known]))


def _brier(y: Integers, probabilities: Numbers) -> Scorer:
    known = y >= 0
    truth = np.zeros(probabilities.shape)
    truth[known, y[known]] = 1.0
    # two classes by tradition: half the sum, which is the square of one class's error
    scale = 0.5 if probabilities.shape[1] == 2 else 1.0
    losses = scale * ((probabilities - truth) ** 2).sum(axis=1)
    return _only(known, _mean_of(losses[known]))


def _roc_auc(y: Integers, probabilities: Numbers) -> Scorer:
    return _mean_over_classes(y, probabilities, _area)


def _average_precision(y: Integers, probabilities: Numbers) -> Scorer:
    return _mean_over_classes(y, probabilities, _step_precision)


def _ece(y: Integers, probabilities: Numbers) -> Scorer:
    answers = np.argmax(probabilities, axis=1)
    confidence = probabilities[np.arange(len(y)), answers].astype(np.float64)
    right = (answers == y).astype(np.float64)
    bins = equal_mass_bins(confidence, N_BINS)
    return lambda weights: expected_error(confidence, right, bins, weights)


def _rmse(y: Numbers, values: Numbers) -> Scorer:
    return _mean_of((values - y).astype(np.float64) ** 2, math.sqrt)


def _mae(y: Numbers, values: Numbers) -> Scorer:
    return _mean_of(np.abs(values - y).astype(np.float64))


def _mape(y: Numbers, values: Numbers) -> Scorer:
    smallest = np.finfo(np.float64).eps  # a true value of 0 makes the score huge, and so visible
    return _mean_of(np.abs(values - y) / np.maximum(np.abs(y), smallest))


def _r2(y: Numbers, values: Numbers) -> Scorer:
    errors = (values - y).astype(np.float64) ** 2

    def scorer(weights: Numbers) -> float:
        total = float(weights.sum())
        if total <= 0:
            return math.nan
        spread = float(weights @ (y - float(weights @ y) / total) ** 2)
        return 1 - float(weights @ errors) / spread if spread > 0 else math.nan

    return scorer


def _only(known: NDArray[np.bool_], scorer: Scorer) -> Scorer:
    """Leave out the labels that training never saw."""
    return scorer if known.all() else lambda weights: scorer(weights[known])


def _mean_over_classes(
    y: Integers, probabilities: Numbers, one: Callable[[NDArray[np.bool_], Numbers], Scorer]
) -> Scorer:
    """One class against the rest, averaged over classes; of two classes the second alone."""
    known = y >= 0
    truth, scores = y[known], probabilities[known]
    classes = range(scores.shape[1]) if scores.shape[1] > 2 else range(scores.shape[1] - 1, scores.shape[1])
    scorers = [one(truth == c, scores[:, c].astype(np.float64)) for c in classes if (truth == c).any()]

    def mean(weights: Numbers) -> float:
        values = np.array([scorer(weights) for scorer in scorers])
        values = values[np.isfinite(values)]  # a class that a resample doesn't have
        return float(values.mean()) if len(values) else math.nan

    return _only(known, mean)


def _area(positive: NDArray[np.bool_], scores: Numbers) -> Scorer:
    """Share of (positive, negative) pairs in the right order, equal scores half.

    Source: Hanley and McNeil 1982, "The meaning and use of the area under a ROC curve".
    """
    cells = np.unique(scores, return_inverse=True)[1].reshape(-1)
    is_positive = positive.astype(np.float64)

    def scorer(weights: Numbers) -> float:
        all_ = np.bincount(cells, weights=weights)
        ups = np.bincount(cells, weights=weights * is_positive)
        downs = all_ - ups
        pairs = float(ups.sum() * downs.sum())
        below = np.cumsum(downs) - downs / 2
        return float(ups @ below) / pairs if pairs > 0 else math.nan

    return scorer


def _step_precision(positive: NDArray[np.bool_], scores: Numbers) -> Scorer:
    """Precision at each recall step, weighted by the step; no interpolation.

    Source: Davis and Goadrich 2006, "The relationship between precision-recall and ROC curves".
    """
    cells = np.unique(-scores, return_inverse=True)[1].reshape(-1)  # the highest score first
    is_positive = positive.astype(np.float64)

    def scorer(weights: Numbers) -> float:
        ups = np.bincount(cells, weights=weights * is_positive)
        n_called = np.cumsum(np.bincount(cells, weights=weights))
        total = float(ups.sum())
        called = n_called > 0
        precision = np.cumsum(ups)[called] / n_called[called]
        return float(ups[called] @ precision) / total if total > 0 else math.nan

    return scorer


_NATS = "nats; 0 is perfect"
_SHARE = "share; 1 is perfect"
_TARGET = "the target's own unit; 0 is perfect"

METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("accuracy", True, "classification", _accuracy, "share of right answers", True, _right, True),
        Metric(
            "balanced_accuracy", True, "classification", _balanced_accuracy, "mean recall of a class", True, None, True
        ),
        Metric("roc_auc", True, "classification", _roc_auc, "share of pairs in the right order", is_share=True),
        Metric("average_precision", True, "classification", _average_precision, _SHARE, is_share=True),
        Metric("log_loss", False, "classification", _log_loss, _NATS),
        Metric("brier", False, "classification", _brier, "squared error of probabilities; 0 is perfect"),
        Metric("f1_macro", True, "classification", _f1_macro, _SHARE, is_share=True, is_of_answers=True),
        Metric("ece", False, "classification", _ece, "mean gap between confidence and accuracy; 0 is perfect"),
        Metric("rmse", False, "regression", _rmse, _TARGET),
        Metric("mae", False, "regression", _mae, _TARGET),
        Metric("r2", True, "regression", _r2, "share of the variance explained; can be negative"),
        Metric("mape", False, "regression", _mape, "share of the true value; 0 is perfect"),
    )
}

MEAN_COST = Metric(
    "mean_cost",
    False,
    "classification",
    lambda y, p: _mean_of((~_right(y, p)).astype(np.float64)),  # until costs are stated, each mistake costs 1
    "in the unit of the stated costs, a row; 0 is perfect",
    is_of_answers=True,
)
