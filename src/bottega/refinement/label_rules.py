"""Rules about the labels and the split: random, permuted, noisy, leaked, or easier on one side."""

import numpy as np
from numpy.typing import NDArray

from bottega.evaluation.intervals import wilson
from bottega.evaluation.wording import count, percent, percent_range, plural, points, visible
from bottega.refinement.answer_rules import confusion
from bottega.refinement.progress import whole
from bottega.refinement.reading import Reading
from bottega.refinement.significance import at_least, at_most, mean_above, share_difference
from bottega.refinement.symptoms import Symptom

__all__ = ["label_noise", "permuted_targets", "random_labels", "too_good", "validation_better"]

LEARNT = 0.05  # of the chance loss: the least that real labels give to validation
PROVED_LEARNT = 0.3  # of it: so much would be learnt of labels that are worth a training
FITTED = 0.95  # of the chance loss is left on training examples: above it nothing was learnt at all
KNOWN = 0.8  # of it is left: below it the training examples are known
PERMUTED = 0.10  # of the answers that another order of the classes makes right
FAR_BELOW = 0.5  # of the rarest class's share: guessing never does so badly
ORDINARY_ERROR = 0.05  # of a model that is good, but not impossibly so
NO_LOSS = 0.003  # of the chance loss, left on validation
BETTER = 0.05
SUREST = 0.3  # of the validation answers
NOISE = 0.05
PROVED_NOISE = 0.02
FLAT = 0.75  # error of the surest over the error of all: where labels are right, the surest are hardly wrong
ABOVE_CHANCE = 0.3  # of the way from guessing to perfect


def random_labels(reading: Reading) -> Symptom | None:
    """Validation stays at guessing, whatever training learns."""
    val = reading.val
    least = float(reading.series("val_loss").min()) / reading.chance_loss
    known = at_least(val.accuracy * val.n_effective, val.n_effective, reading.chance_accuracy) < 0.001
    rival_knows = (reading.rival_accuracy or 0.0) > reading.chance_accuracy + BETTER
    if least < 1 - LEARNT or known or rival_knows:
        return None
    learns = reading.unlearnt < FITTED
    p = mean_above(val.losses, (1 - PROVED_LEARNT) * reading.chance_loss, n_effective=val.n_effective)
    seen = f"training examples are learnt (loss {reading.history[-1].fit_loss:.3g})" if learns else "nothing is learnt"
    also = f"; nor does {reading.rival}" if reading.rival_accuracy is not None else ""
    return Symptom(
        "labels look random",
        p,
        f"{seen}, but the validation loss never comes below {least * reading.chance_loss:.3g}, and knowing only how "
        f"frequent the classes are gives {reading.chance_loss:.3g}{also}",
        "what is learnt of one example doesn't hold for another: the labels have nothing to do with the inputs",
        "check that inputs and labels are in the same order, and that the inputs hold what the label is about",
        "high" if learns and reading.rival_accuracy is not None else "medium",
    )


def permuted_targets(reading: Reading) -> Symptom | None:
    """Validation would be right if its classes were numbered in another order."""
    return _mapped(reading) or _below_guessing(reading)


def _mapped(reading: Reading) -> Symptom | None:
    """The order is found on each half of validation and tried on the other."""
    val, n_classes = reading.val, len(reading.classes)
    known = np.flatnonzero(val.y >= 0)
    if len(known) < 10:
        return None
    y, named = val.y[known], val.named[known]
    mapped = np.empty(len(known), dtype=np.int64)
    halves = np.empty(len(known), dtype=np.bool_)
    halves[np.argsort(y, kind="stable")] = np.arange(len(known)) % 2 == 0  # each class in both
    for half in (halves, ~halves):
        table = np.bincount(y[half] * n_classes + named[half], minlength=n_classes**2).reshape(n_classes, n_classes)
        mapped[~half] = _order(table)[y[~half]]
    n_gained, n_lost = int(((mapped == named) & (y != named)).sum()), int(((mapped != named) & (y == named)).sum())
    worth, order, train = val.n_effective / val.n, _order(confusion(val, n_classes)), reading.train
    right_so_too = float((order[train.y] == train.named)[train.y >= 0].mean())  # a network that knows nothing yet
    if n_gained - n_lost < PERMUTED * len(known) or right_so_too > train.accuracy - PERMUTED:
        return None
    moved = [f"{visible(reading.classes[i])} → {visible(reading.classes[to])}" for i, to in enumerate(order) if i != to]
    renamed = "; ".join(moved[:3] + ["…"] * (len(moved) > 3))
    return Symptom(
        "wrong or permuted targets",
        at_least(n_gained * worth, (n_gained + n_lost) * worth, 0.5),
        f"{percent(val.accuracy)} of the validation answers are right as they are, "
        f"{percent(float((mapped == named).mean()))} if the classes are renamed: {renamed}",
        "training and validation number their classes differently, or labels were exchanged",
        "make one list of classes for all parts and look at a few labels of each part",
    )


def _below_guessing(reading: Reading) -> Symptom | None:
    """Learning makes validation worse than guessing."""
    score, floor = reading.history[-1].val_score, _rarest(reading)
    if reading.metric != "accuracy" or score > FAR_BELOW * floor or reading.unlearnt > KNOWN:
        return None
    n = reading.val.n_effective
    return Symptom(
        "wrong or permuted targets",
        at_most(score * n, n, floor),
        f"after the last epoch {percent(reading.history[-1].fit_score)} of the training examples are right and only "
        f"{percent(score)} of validation, where guessing gives {percent(floor)}",
        "training and validation number their classes differently, or labels were exchanged",
        "make one list of classes for all parts and look at a few labels of each part",
    )


def _rarest(reading: Reading) -> float:
    """Share of the rarest class of validation: guessing is right at least so often."""
    counts = np.bincount(reading.val.y[reading.val.y >= 0], minlength=len(reading.classes))
    return float(counts.min() / reading.val.n)


def _order(table: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each true class the answer that stands for it, each answer once: the largest shares first."""
    shares = table / np.maximum(table.sum(1, keepdims=True), 1)
    order = np.arange(len(table))
    free = np.ones_like(shares, dtype=bool)
    for _ in range(len(table)):
        first, second = np.unravel_index(np.where(free, shares, -1.0).argmax(), shares.shape)
        order[first] = second
        free[first, :] = free[:, second] = False
    return order


def too_good(reading: Reading) -> Symptom | None:
    """No mistake and no doubt on validation: more than data usually allow."""
    val = reading.val
    left = float(val.losses.mean()) / reading.chance_loss if len(val.losses) else 1.0
    if left > NO_LOSS or reading.train.accuracy < 1 - ORDINARY_ERROR:
        return None
    n = val.n_effective
    return Symptom(
        "too good to be true",
        at_most((1 - val.accuracy) * n, n, ORDINARY_ERROR),
        f"{plural(int((~val.right).sum()), 'mistake')} on {plural(val.n, 'validation example')}, and "
        f"{whole(left)} of the loss of guessing is left",
        "the inputs may hold the answer (a name, a mark, a column made after the fact), or validation was trained on",
        "look for twins across the parts, and for what the network looks at; leave that out and train again",
        "low",
    )


def validation_better(reading: Reading) -> Symptom | None:
    """Better on validation than on the examples that it was trained on, both without dropout and augmentation."""
    train, val = reading.train, reading.val
    if -reading.gap < BETTER:
        return None
    p = share_difference(val.accuracy, val.n_effective, train.accuracy, train.n_effective)
    return Symptom(
        "validation better than train",
        p,
        f"{percent(val.accuracy)} on validation, {percent(train.accuracy)} on training examples, both in evaluation "
        f"mode: {points(-reading.gap)} the wrong way round",
        "validation is easier than training: many training labels are wrong, or the split isn't by chance",
        "look at training labels that it contradicts, split at random (by groups), and look for twins across the parts",
    )


def label_noise(reading: Reading) -> Symptom | None:
    """Answers are wrong as often where it is surest: then it's the labels.

    A model that errs knows where: its surest answers are hardly ever wrong. Labels that are wrong by chance are wrong
    everywhere alike, and the error of the surest answers estimates their share from above.

    Source: after Northcutt et al. 2021, "Confident learning": labels that contradict a confident model are suspects.
    """
    val = reading.val
    n_surest = round(SUREST * val.n)
    if n_surest < 10:
        return None
    surest = np.argsort(-val.confidence, kind="stable")[:n_surest]
    error, error_of_all = float((~val.right[surest]).mean()), 1 - val.accuracy
    knows = (val.accuracy - reading.chance_accuracy) / max(1e-9, 1 - reading.chance_accuracy)
    if error < NOISE or error < FLAT * error_of_all or knows < ABOVE_CHANCE:
        return None
    n = n_surest * val.n_effective / val.n
    low, high = wilson(error * n, n)
    return Symptom(
        "label noise",
        at_least(error * n, n, PROVED_NOISE),
        f"of the {count(n_surest)} surest answers on validation {percent(error)} contradict the label "
        f"({percent(error_of_all)} of all): up to about so many labels may be wrong ({percent_range(low, high)})",
        "where labels are right, the surest answers hardly ever fail",
        "look at the surest mistakes first and mend their labels; label smoothing, fewer epochs",
        "medium",
    )
