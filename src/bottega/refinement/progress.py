"""How far a training came: what the rules about steps and those about curves both ask.

Losses are measured in units of the *chance loss*, that of always giving the frequencies of the classes. Updates are
the change of a step over the size of the weights, read from the layers.
"""

import math
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from bottega.evaluation.wording import NARROW_SPACE, percent
from bottega.refinement.reading import Reading
from bottega.refinement.significance import at_most, falling

__all__ = [
    "POOR",
    "against_rival",
    "epochs_since_least",
    "fastest_update",
    "held_back",
    "is_falling",
    "last_fall",
    "left",
    "p_rival",
    "peak_update",
    "rival_is_better",
    "third",
    "travelled",
    "unfinished",
    "whole",
]

POOR = 0.1  # of the chance loss left: what a fault of the steps costs at least, to be worth a word
STILL_FALLING = 0.06  # of the chance loss, over the last third of the epochs
CLEARLY_BETTER = 0.05  # of a rival's accuracy
HEAVY_DROPOUT = 0.6  # of the units; 0.2 to 0.5 are usual (Srivastava et al. 2014)

Numbers = NDArray[np.float64]


def unfinished(reading: Reading) -> bool:
    """Whether the weights had no time to go far, and much is left to learn."""
    return reading.stopped in ("epochs", "time") and reading.unlearnt > 2 * POOR and travelled(reading) < 1


def held_back(reading: Reading) -> float:
    """The share of units that dropout leaves out, where it is more than any training can do with; else 0."""
    rate = float(reading.settings.get("dropout") or 0.0)
    return rate if rate >= HEAVY_DROPOUT else 0.0


def is_falling(reading: Reading) -> bool:
    """Whether both losses were still coming down when the training ended."""
    falls = min(last_fall(reading, name)[0] for name in ("val_loss", "fit_loss"))
    near_end = epochs_since_least(reading) <= 0.15 * len(reading.history)
    return reading.stopped in ("epochs", "time") and falls >= STILL_FALLING and near_end


def last_fall(reading: Reading, name: str) -> tuple[float, float]:
    """How far a loss fell over the last third of the epochs, in units of the chance loss, and its p.

    The p is the smaller one of two: of the fall beside the spread of the losses of single examples, and of the slope
    beside the wobble of the curve. One shows where epochs are few, the other where validation is small.
    """
    losses = reading.series(name)
    fall = third(reading, name) - float(losses[-1])
    answers = reading.val if name == "val_loss" else reading.train
    error = float(answers.losses.std()) * math.sqrt(2 / max(1.0, answers.n_effective))
    p = 1 - NormalDist().cdf(fall / error) if error > 0 else 1.0
    return fall / reading.chance_loss, min(1.0, 2 * min(p, falling(losses[-max(4, len(losses) // 3 + 1) :])))


def third(reading: Reading, name: str) -> float:
    """The loss where the last third of the epochs begins; before the first epoch that of knowing nothing."""
    losses = reading.series(name)
    return reading.chance_loss if len(losses) < 2 else float(losses[-1 - max(1, len(losses) // 3)])


def epochs_since_least(reading: Reading) -> int:
    """Lines of the history after the one with the least validation loss."""
    losses = reading.series("val_loss")
    return len(losses) - 1 - int(losses.argmin())


def travelled(reading: Reading) -> float:
    """How far the steps could have carried the weights, in units of their size; infinite where it wasn't read."""
    updates = _median_update(reading)
    steps = np.diff([0, *(epoch.step for epoch in reading.history)])
    return float(updates @ steps) if len(updates) and np.isfinite(updates).all() else math.inf


def peak_update(reading: Reading) -> float:
    """The update of the median layer in its wildest epoch; NaN where it wasn't read."""
    updates = _median_update(reading)
    return float(np.nanmax(updates)) if np.isfinite(updates).any() else math.nan


def fastest_update(reading: Reading) -> float:
    """The largest update of any layer in any epoch; NaN where it wasn't read."""
    values = [values for values in reading.layer_series("update").values() if np.isfinite(values).any()]
    return float(np.nanmax(np.stack(values))) if values else math.nan


def left(reading: Reading) -> str:
    """What is left to learn: "96 % of the loss of guessing is left"."""
    return f"{whole(min(1.0, reading.unlearnt))} of the loss of guessing is left"


def whole(share: float) -> str:
    """A share that needs no decimals: "96 %", and "under 1 %" where there is little."""
    return f"under 1{NARROW_SPACE}%" if 0 < share < 0.01 else f"{100 * share:.0f}{NARROW_SPACE}%"


def rival_is_better(reading: Reading) -> bool:
    """Whether a simple rival is ahead by more than matters, and more than chance."""
    ahead = reading.rival_accuracy is not None and reading.rival_accuracy - reading.val.accuracy >= CLEARLY_BETTER
    return ahead and p_rival(reading) < 0.01


def p_rival(reading: Reading) -> float:
    """One-sided p that the network isn't behind the rival."""
    n = reading.val.n_effective
    return at_most(reading.val.accuracy * n, n, (reading.rival_accuracy or 0.0) - CLEARLY_BETTER / 2)


def against_rival(reading: Reading) -> str:
    """Both accuracies, the rival's first: "98 % against 90 %"."""
    return f"{percent(reading.rival_accuracy or 0.0)} against {percent(reading.val.accuracy)}"


def _median_update(reading: Reading) -> Numbers:
    """(E,) of the median layer."""
    layers = reading.layer_series("update")
    return np.median(np.stack(list(layers.values())), axis=0) if layers else np.zeros(0)
