"""Rules about the answers on validation: how many there are, which class never comes, which two are mixed up."""

import math
from statistics import NormalDist

import numpy as np

from bottega.evaluation.intervals import wilson
from bottega.evaluation.wording import count, count_of, number, percent, percent_range, plural, points, visible
from bottega.refinement.reading import Answers, Reading
from bottega.refinement.significance import at_least, at_most, mean_above
from bottega.refinement.symptoms import COUNTED, Symptom

__all__ = ["dominating_confusion", "miscalibration", "never_predicted", "noisy_validation"]

WIDE = 0.10  # half of the interval of the accuracy
GOOD_WIDTH = 0.05
KNOWN = 0.5  # accuracy on the other classes: what a network that knows little answers says nothing about one class
HARDLY_EVER = 0.2  # of as often as the class occurs
MOST_OF_ERROR = 0.4  # of the mistakes, between two classes
COSTLY = 0.03  # of all answers
GUESSED = 0.6  # right, of the examples of two classes that got one of the two: hardly better than a coin
TOLD_APART = 0.75
TOO_SURE, TOO_MODEST = 0.10, 0.20  # stated confidence and the share that is right; smooth targets are modest by plan
SLIGHTLY_OFF = 0.05


def noisy_validation(reading: Reading) -> Symptom | None:
    """Validation is too small to tell one epoch, or one network, from another."""
    n, share = reading.val.n_effective, reading.val.accuracy
    low, high = wilson(share * n, n)
    if (high - low) / 2 < WIDE:
        return None
    scores = reading.series("val_score")
    jump = float(np.abs(np.diff(scores)).mean()) if len(scores) > 1 else 0.0
    moves = points(jump) if reading.metric == "accuracy" else number(jump)
    jumps = f"; it moves by {moves} from one epoch to the next" if jump > 0 else ""
    return Symptom(
        "noisy validation",
        COUNTED,
        f"{percent(share)} right of {plural(reading.val.n, 'validation example')}: the true value is anywhere in "
        f"{percent_range(low, high)}{jumps}",
        "which epoch is best, and whether a change helped, is decided by luck",
        f"about {count(_needed(share, n))} validation examples give ± {100 * GOOD_WIDTH:g} points; or --cv 5",
    )


def _needed(share: float, n: float) -> int:
    """Independent examples for an interval of ± GOOD_WIDTH; the share drawn towards one half, as n is small."""
    z = NormalDist().inv_cdf(0.975)
    drawn = (share * n + 2) / (n + 4)
    needed = z * z * drawn * (1 - drawn) / GOOD_WIDTH**2
    return 10 * math.ceil(needed / 10)


def never_predicted(reading: Reading) -> Symptom | None:
    """A class that validation holds and that is (next to) never answered."""
    val = reading.val
    found: list[tuple[float, int, int, int]] = []
    worth = val.n_effective / val.n
    for number_ in range(len(reading.classes)):
        n_true, n_named = int((val.y == number_).sum()), int((val.named == number_).sum())
        if n_named <= HARDLY_EVER * n_true and n_true > 0:
            p = at_most(n_named * worth, val.n_effective, n_true / val.n / 2)
            if n_named == 0 and not (reading.train.y == number_).any():  # what it never saw it can't answer
                p = min(p, at_most(0, reading.train.n_effective, n_true / val.n))
            p *= len(reading.classes)
            found.append((min(1.0, p), number_, n_true, n_named))
    never = [number_ for _, number_, _, _ in found]
    others = ~np.isin(val.y, never)
    if not found or len(found) > len(reading.classes) / 2 or val.right[others].sum() <= KNOWN * others.sum():
        return None
    p, first, n_true, n_named = min(found)
    more = f" ({plural(len(found) - 1, 'other class', 'other classes')} likewise)" if len(found) > 1 else ""
    n_seen = round(float((reading.train.y == first).mean()) * reading.n_train)
    seen = f"about {count(n_seen)}" if n_seen else "none"
    return Symptom(
        "a class that is never predicted",
        p,
        f"{visible(reading.classes[first])} is {count_of(n_named, val.n)} answers on validation, where {count(n_true)} "
        f"examples are of that class{more}; training has {seen} of it",
        "it is too rare in training, or looks like another one",
        "add examples of it, or class weights; judge by balanced accuracy",
    )


def dominating_confusion(reading: Reading) -> Symptom | None:
    """Two classes, mixed up with each other, are most of the error."""
    n_classes, val = len(reading.classes), reading.val
    if n_classes < 3:
        return None
    table = confusion(val, n_classes)
    np.fill_diagonal(table, 0)
    pairs = np.triu(table + table.T)
    first, second = (int(at) for at in np.unravel_index(pairs.argmax(), pairs.shape))
    n_pair, n_wrong, n_pairs = int(pairs.max()), int(table.sum()), n_classes * (n_classes - 1) // 2
    n_told = int(((val.y == val.named) & np.isin(val.y, (first, second))).sum())
    worth = val.n_effective / val.n
    others = ~np.isin(val.y, (first, second))
    if n_pair < COSTLY * val.n or val.right[others].sum() <= KNOWN * others.sum():
        return None
    if n_pair >= max(MOST_OF_ERROR, min(0.8, 2 / n_pairs)) * n_wrong:
        p = at_least(n_pair * worth, n_wrong * worth, min(0.5, 1.5 / n_pairs)) * n_pairs
    elif n_told < GUESSED * (n_told + n_pair) and n_pair > 1.5 * n_wrong / n_pairs:
        p = at_most(n_told * worth, (n_told + n_pair) * worth, TOLD_APART) * n_pairs
    else:
        return None
    names = visible(reading.classes[first]), visible(reading.classes[second])
    return Symptom(
        "confusion of two classes",
        min(1.0, p),
        f"{count_of(n_pair, n_wrong)} mistakes on validation are between {names[0]} and {names[1]}: "
        f"{count(int(table[first, second]))} one way, {count(int(table[second, first]))} the other",
        "either the inputs don't show the difference, or their labels were given at random",
        f"look at the examples of {names[0]} and {names[1]} and mend their labels; else more of both, or one class",
    )


def confusion(answers: Answers, n_classes: int) -> "np.typing.NDArray[np.int64]":
    """(C, C) counts, true class by answered class, of the labels that training saw."""
    known = answers.y >= 0
    cells = answers.y[known] * n_classes + answers.named[known]
    return np.bincount(cells, minlength=n_classes**2).reshape(n_classes, n_classes)


def miscalibration(reading: Reading) -> Symptom | None:
    """Probabilities that promise more, or less, than the answers hold."""
    val = reading.val
    off = val.confidence - val.right
    mean = float(off.mean())
    if -TOO_MODEST < mean < TOO_SURE:
        return None
    p = mean_above(np.sign(mean) * off, SLIGHTLY_OFF, n_effective=val.n_effective)
    losses = reading.series("val_loss")
    at = int(losses.argmin())
    drift = (
        f"; the validation loss has grown since epoch {reading.history[at].epoch:g}"
        if mean > 0 and at < len(losses) - 3
        else ""
    )
    return Symptom(
        "calibration drift",
        p,
        f"answers are stated with {percent(float(val.confidence.mean()))} on average and "
        f"{percent(val.accuracy)} are right: {points(abs(mean))} too {'sure' if mean > 0 else 'modest'}{drift}",
        "the order of the answers may be right, but the probabilities can't be taken at their word",
        "calibrate (the shipped file is); "
        + ("stop earlier" if mean > 0 else "less label smoothing, dropout or mixup"),
        "medium",
    )
