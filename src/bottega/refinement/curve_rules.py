"""Rules about the two curves: what the training examples know, what validation knows, and how both went.

Losses are measured in units of the *chance loss*, that of always giving the frequencies of the classes.
"""

import math
from statistics import NormalDist

import numpy as np

from bottega.evaluation.wording import count, percent, points
from bottega.refinement.progress import (
    against_rival,
    epochs_since_least,
    held_back,
    is_falling,
    last_fall,
    left,
    p_rival,
    rival_is_better,
    third,
    travelled,
    unfinished,
    whole,
)
from bottega.refinement.reading import Reading
from bottega.refinement.significance import mean_above, means_differ
from bottega.refinement.symptoms import COUNTED, Symptom

__all__ = [
    "best_epoch_is_last",
    "not_yet_converged",
    "overfitting",
    "plateau",
    "underfitting",
]

GAP = 0.05  # accuracy on training examples less that on validation
WORSE = 1.5  # times as many mistakes on validation
PROVED_GAP = 0.05  # of the chance loss, between the two losses: what has to be beyond chance
RISEN = 0.15  # of the chance loss, since its least: validation loss that grows
SLIGHT = 0.03  # of the chance loss, over the last third of the epochs
NO_GAIN = 0.01  # of the chance loss: less is no improvement
WASTED = (30, 0.6)  # epochs at least, and their share of all
ANNEALED = ("one-cycle", "cosine")  # schedules that end at a rate of about 0: the last epochs improve by plan
HALF, PROVED_HALF = 0.5, 0.4  # of the chance loss is left


def overfitting(reading: Reading) -> Symptom | None:
    """Much better on what it was trained on, or a validation loss that grows while the training loss falls."""
    return _gap(reading) or _risen(reading)


def _gap(reading: Reading) -> Symptom | None:
    train, val, proved = reading.train, reading.val, PROVED_GAP * reading.chance_loss
    if reading.gap < GAP or 1 - val.accuracy < WORSE * (1 - train.accuracy):
        return None
    p = means_differ(val.losses, train.losses, n_effective=(val.n_effective, train.n_effective), beyond=proved)
    low, high = _gap_interval(reading)
    return Symptom(
        "overfitting",
        p,
        f"since epoch {_parting(reading):g}: {percent(train.accuracy)} on training examples, {percent(val.accuracy)} "
        f"on validation, a gap of {points(reading.gap, low, high)} (95 % interval "
        f"{points(low, low, high, unit=False)} … {points(high, low, high, unit=False)})",
        f"it knows its {count(reading.n_train)} training examples by heart better than the rule behind them",
        "more examples help most; then augmentation, dropout, weight decay, or a smaller network",
    )


def _risen(reading: Reading) -> Symptom | None:
    """A loss that grows does no harm where patience ended the training and the best epoch was kept."""
    losses, fit = reading.series("val_loss"), reading.series("fit_loss")
    at = int(losses.argmin())
    rise = (losses[-max(1, len(losses) // 5) :].mean() - losses[at]) / reading.chance_loss
    if reading.stopped == "patience" or rise < RISEN or len(losses) - at < 4 or not fit[-1] < fit[at]:
        return None
    error = float(reading.val.losses.std()) / math.sqrt(max(1.0, reading.val.n_effective))
    p = 1 - NormalDist().cdf(rise * reading.chance_loss / error) if error > 0 else COUNTED
    return Symptom(
        "overfitting",
        p,
        f"since epoch {reading.history[at].epoch:g} the validation loss grows from {losses[at]:.3g} to "
        f"{losses[-1]:.3g} while that of training examples falls to {fit[-1]:.2g}",
        "the later epochs learn the training examples by heart and make wrong answers surer",
        "stop earlier (patience), or augmentation, dropout, weight decay, more examples",
        "medium",
    )


def underfitting(reading: Reading) -> Symptom | None:
    """Not even the training examples are answered well, and not for want of time."""
    if reading.gap >= GAP:
        return None
    train = f"{percent(reading.train.accuracy)} of the training examples are answered right"
    meaning = "the network is too small, or held back too much, for what there is to learn"
    change = "a wider or deeper network, less dropout and weight decay, weaker augmentation"
    if rate := held_back(reading):
        change = f"less dropout: {whole(rate)} of the units are left out in each step, and half is much already"
    if rival_is_better(reading):
        seen = f"{train}, and {reading.rival} does better on validation: {against_rival(reading)}"
        return Symptom("underfitting", p_rival(reading), seen, meaning, change)
    remaining = float(reading.train.losses.mean()) / reading.chance_loss
    if reading.rival_accuracy is not None or remaining < HALF:
        return None
    p = mean_above(reading.train.losses, PROVED_HALF * reading.chance_loss, n_effective=reading.train.n_effective)
    seen = f"{train}; {whole(min(1.0, remaining))} of the loss of guessing is left"
    return Symptom("underfitting", p, seen, meaning, change, "low")


def not_yet_converged(reading: Reading) -> Symptom | None:
    """The training ended while both losses were still coming down."""
    meaning = "it was stopped while it was still learning"
    change = f"more epochs: {2 * math.ceil(reading.epochs)} or more, with patience to stop it in time"
    if held_back(reading):  # more of the same wouldn't mend it
        return None
    if unfinished(reading):
        evidence = (
            f"{count(reading.history[-1].step)} steps in {reading.epochs:g} epochs could move the weights by "
            f"{whole(travelled(reading))} of their size; {left(reading)}"
        )
        return Symptom("not yet converged", COUNTED, evidence, meaning, change)
    if not is_falling(reading):
        return None
    _, p = last_fall(reading, "val_loss")
    evidence = (
        f"the validation loss was still falling when epoch {reading.epochs:g} ended, in the last third from "
        f"{third(reading, 'val_loss'):.3g} to {reading.history[-1].val_loss:.3g}"
    )
    return Symptom("not yet converged", p, evidence, meaning, change)


def best_epoch_is_last(reading: Reading) -> Symptom | None:
    """The best epoch was the last one, at a rate that was still high: the next might have been better yet."""
    is_last = reading.best_epoch == reading.epochs and epochs_since_least(reading) == 0
    fall, p = last_fall(reading, "val_loss")
    if not is_last or fall < SLIGHT or reading.stopped not in ("epochs", "time"):
        return None
    if reading.settings.get("schedule", "one-cycle") in ANNEALED:
        return None
    return Symptom(
        "best epoch is the last",
        p,
        f"epoch {reading.epochs:g} of {reading.epochs:g} has the best score and the least validation loss",
        "it might have gone on to improve",
        f"be patient: {2 * math.ceil(reading.epochs)} epochs",
        "medium",
    )


def plateau(reading: Reading) -> Symptom | None:
    """Many epochs that changed nothing, with nobody there to stop."""
    if reading.stopped != "epochs" or reading.settings.get("patience", 0) is not None:
        return None
    losses = reading.series("val_loss")
    wobble = float(np.diff(losses[len(losses) // 2 :]).std()) / math.sqrt(2) if len(losses) > 4 else 0.0
    since = int(np.argmax(losses <= losses.min() + max(NO_GAIN * reading.chance_loss, wobble)))
    wasted = len(losses) - 1 - since
    least_epochs, least_share = WASTED
    if wasted < least_epochs or wasted < least_share * len(losses):
        return None
    return Symptom(
        "plateau",
        COUNTED,
        f"since epoch {reading.history[since].epoch:g} of {reading.epochs:g} the validation loss hasn't come down: "
        f"{losses[since]:.3g} then, {losses.min():.3g} at best after it",
        "the later epochs cost time and gave nothing",
        "patience (10 epochs) stops it by itself",
        "medium",
    )


def _parting(reading: Reading) -> float:
    """The first epoch from which on validation loss stays above that of training examples by more than is slight."""
    apart = reading.series("val_loss") - reading.series("fit_loss") > GAP * reading.chance_loss
    last_near = np.flatnonzero(~apart)
    return reading.history[min(len(apart) - 1, last_near[-1] + 1 if len(last_near) else 0)].epoch


def _gap_interval(reading: Reading) -> tuple[float, float]:
    """95 % interval of the gap (Agresti and Caffo 2000)."""
    middle, variance = 0.0, 0.0
    for sign, part in ((1, reading.train), (-1, reading.val)):
        n = part.n_effective
        share = (part.accuracy * n + 1) / (n + 2)
        middle += sign * share
        variance += share * (1 - share) / (n + 2)
    half = NormalDist().inv_cdf(0.975) * math.sqrt(variance)
    return max(-1.0, middle - half), min(1.0, middle + half)
