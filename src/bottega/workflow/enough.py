"""Whether a candidate that costs much could still gain enough to be worth it: docs/statistics.md, "Enough"."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from bottega.evaluation.choice import default_margin
from bottega.evaluation.metrics import METRICS, Metric

__all__ = ["LITTLE_LEFT", "nothing_to_gain"]

LITTLE_LEFT = "half of that is within the margin"  # by which such a reason is known
ROUNDING = 1e-9
HOPED = 0.5  # share of what is missing that a better candidate may be hoped to add


def nothing_to_gain(
    predictions: Mapping[str, npt.NDArray[np.float64]],
    y: npt.NDArray[np.int64],
    metric: Metric,
    margin: float | None,
) -> str | None:
    """Why a costly candidate isn't tried; None where it is.

    Args:
        predictions: (N, C) probabilities of the candidates so far, on the examples that choose.
        y: (N,) class indices of these.
        metric: what is judged; only of a share is it known what is perfect.
        margin: differences inside it don't matter; None for the usual one.
    """
    if not metric.is_share or not predictions:
        return None
    losses = {name: METRICS["log_loss"].function(y, found) for name, found in predictions.items()}
    best = min(losses, key=lambda name: losses[name])
    missing = 1 - metric.function(y, predictions[best])
    width = default_margin(metric, 1 - missing) if margin is None else margin
    if width <= 0 or not HOPED * missing <= width + ROUNDING:
        return None
    return (
        f"not tried: {best} is {100 * missing:.1f} points short of a perfect {metric.name} on validation, "
        f"and {LITTLE_LEFT} of {100 * width:g}; --preset accurate tries it"
    )
