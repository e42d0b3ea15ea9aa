"""What predicted values are worth, and whether their intervals hold what they promise; each with N and interval."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bottega.evaluation.intervals import Scorer, interval, proportion
from bottega.evaluation.metrics import METRICS, Metric
from bottega.problem.records import Score

__all__ = ["PINBALL", "coverage_by_group", "score_values"]

Numbers = NDArray[np.float64]
LEAST_FOR_MAPE = 0.05  # of the median size: where true values come nearer to 0 than that, a share of them says nothing


def score_values(
    y: Numbers,
    values: Numbers,
    ends: tuple[Numbers, Numbers],
    *,
    coverage: float,
    groups: NDArray[np.int64] | None = None,
    seed: int = 0,
    weights: Numbers | None = None,
) -> dict[str, Score]:
    """Every metric of values, with 95 % intervals; `mape` only where it makes sense.

    Args:
        y, values: (N,) true and predicted.
        ends: (N,), (N,) lower and upper ends of the prediction intervals.
        coverage: that these promise.
        groups: (N,) equal for examples that belong together; None when all are independent.
        weights: (N,) how much each example counts; None for all the same. Coverage counts rows, as its promise does.
    Returns:
        rmse, mae, r2, mape, pinball (mean of both ends), coverage and width (mean, in the target's unit).
    """
    found = {
        name: interval(metric.under(None, weights), y, values, groups, seed)
        for name, metric in METRICS.items()
        if metric.kind == "regression"
    }
    size = np.abs(y)
    if len(y) == 0 or size.min() < LEAST_FOR_MAPE * np.median(size):
        found.pop("mape", None)
    lower, upper = ends
    both = np.stack([lower, upper], axis=1)
    finite = bool(np.isfinite(both).all())
    if finite:
        pinball = replace(PINBALL, prepare=_pinball_of(coverage))
        found["pinball"] = interval(pinball.under(None, weights), y, both, groups, seed)
        found["width"] = interval(_WIDTH.under(None, weights), y, both, groups, seed)
    found["coverage"] = proportion((lower <= y) & (y <= upper), groups)
    return found


def coverage_by_group(
    y: Numbers, ends: tuple[Numbers, Numbers], names: Sequence[str], groups: NDArray[np.int64] | None = None
) -> dict[str, Score]:
    """What share of each group's rows its intervals held: the promise is for all rows together, not for each."""
    lower, upper = ends
    held = (lower <= y) & (y <= upper)
    of = np.array(names)
    return {
        str(name): proportion(held[of == name], None if groups is None else groups[of == name])
        for name in np.unique(of)
    }


def _mean(losses: Numbers) -> Scorer:
    def scorer(weights: Numbers) -> float:
        total = float(weights.sum())
        return float(weights @ losses) / total if total > 0 else float("nan")

    return scorer


def _pinball_of(coverage: float):  # type: ignore[no-untyped-def]
    """The mean pinball loss of both ends as quantiles.

    Source: Koenker and Bassett 1978, "Regression quantiles".
    """
    levels = np.array([(1 - coverage) / 2, (1 + coverage) / 2])

    def prepare(y: Numbers, ends: Numbers) -> Scorer:
        gaps = y[:, None] - ends
        return _mean(np.maximum(levels * gaps, (levels - 1) * gaps).mean(1))

    return prepare


def _width(_: Numbers, ends: Numbers) -> Scorer:
    return _mean(ends[:, 1] - ends[:, 0])


PINBALL = Metric("pinball", False, "regression", _pinball_of(0.9), "the target's own unit; 0 is perfect")
_WIDTH = Metric("width", False, "regression", _width, "the target's own unit")
