"""Rules about the steps: too large, too small, too few, and what they do to the layers.

Losses are measured in units of the *chance loss*, that of always giving the frequencies of the classes. Updates are
the change of a step over the size of the weights, read from the layers.
"""

import math

import numpy as np

from bottega.evaluation.wording import NARROW_SPACE, count, plural
from bottega.refinement.progress import (
    POOR,
    against_rival,
    fastest_update,
    is_falling,
    left,
    p_rival,
    peak_update,
    rival_is_better,
    unfinished,
    whole,
)
from bottega.refinement.reading import Reading
from bottega.refinement.significance import at_least
from bottega.refinement.symptoms import COUNTED, Symptom

__all__ = [
    "batch_too_big",
    "dead_units",
    "exploding_gradients",
    "rate_too_high",
    "rate_too_low",
    "saturated_units",
    "vanishing_gradients",
]

LARGE_UPDATE = 0.05  # of the weights in one step, of the median layer: ten times the usual thousandths
SMALL_UPDATE = 5e-4  # of the fastest layer
RISE = 0.05  # of the chance loss from one epoch to the next: no wobble of a converged loss
SURELY = 0.01
GROWN = 1.2  # times the chance loss: worse than knowing nothing
USUAL_RISES = 0.05  # share of epochs in which a healthy loss may rise so much
BEGUN_BADLY = 5.0  # times the chance loss: what sensible weights never begin with
LARGE_GRADIENT = 100.0  # norm over all weights; about 1 where weights and inputs have their usual sizes
VANISHED = 1e-3  # gradient of the first layer over that of the last
IDLE = 0.5  # share of the units of a layer, dead or saturated
MUCH = 0.3  # of the chance loss left
STUCK = 0.9  # of the chance loss left: next to nothing was learnt
FEW_STEPS = 8  # an epoch


def exploding_gradients(reading: Reading) -> Symptom | None:
    """Enormous gradients from the first steps on, though the steps themselves aren't large."""
    begun, norm = reading.series("train_loss")[0] / reading.chance_loss, float(reading.series("gradient_norm").max())
    if reading.unlearnt < POOR and not rival_is_better(reading):
        return None
    if norm < LARGE_GRADIENT or begun < BEGUN_BADLY or peak_update(reading) >= LARGE_UPDATE:
        return None
    return Symptom(
        "exploding gradients",
        COUNTED,
        f"the norm of the gradient reaches {norm:,.0f} (about 1 is usual), and the loss of the first epoch is "
        f"{begun:,.0f} times that of guessing",
        "the weights or the inputs are far too large: each layer makes the numbers larger",
        "scale the inputs to 0 ± 1, start from the usual initial weights, add normalisation layers, clip the gradient",
    )


def rate_too_high(reading: Reading) -> Symptom | None:
    """Steps so large that the loss jumps, grows or never comes down."""
    peak, harm = peak_update(reading), _harm(reading)
    if harm is None or peak < LARGE_UPDATE:
        return None
    seen, p, is_a_jump = harm
    if math.isfinite(peak):
        seen = f"at a rate of {_rate(reading)} a step changes the weights by up to {whole(peak)}; {seen}"
    elif not is_a_jump:  # other faults, too, keep a loss high
        return None
    return Symptom(
        "learning rate too high",
        p,
        seen,
        "the steps jump over the valley instead of going down into it",
        "divide the learning rate by 10; leave it out, and a range test finds one",
    )


def _harm(reading: Reading) -> tuple[str, float, bool] | None:
    """What large steps did, with its p, and whether the loss itself jumped; None where they did no harm."""
    losses, peak = reading.series("train_loss") / reading.chance_loss, peak_update(reading)
    worst = float(losses[1:].max(initial=0.0))
    n_rises = int((np.diff(reading.series("fit_loss")) > RISE * reading.chance_loss).sum())
    p_rises = at_least(n_rises, len(losses) - 1, USUAL_RISES)
    if worst > GROWN:
        return f"the loss grows to {worst:.1f} times that of guessing", COUNTED, False
    if reading.unlearnt > STUCK and math.isfinite(peak):
        return left(reading), COUNTED, False
    if n_rises > 1 and p_rises < SURELY:
        return f"the loss jumps up in {n_rises} of {len(losses) - 1} epochs", p_rises, True
    if reading.unlearnt > STUCK or (reading.unlearnt > POOR and peak > 2 * LARGE_UPDATE):
        return left(reading), COUNTED, False
    if rival_is_better(reading):
        return f"{reading.rival} does better: {against_rival(reading)}", p_rival(reading), False
    return None


def _rate(reading: Reading) -> str:
    """The highest of the schedule, as it was taken."""
    return f"{reading.series('learning_rate').max():.2g}"


def rate_too_low(reading: Reading) -> Symptom | None:
    """Steps so small that the weights hardly leave where they began."""
    fastest = fastest_update(reading)
    if not fastest < SMALL_UPDATE or reading.unlearnt < MUCH:
        return None
    return Symptom(
        "learning rate too low",
        COUNTED,
        f"at a rate of {_rate(reading)} no layer changes by more than "
        f"{100 * fastest:.2g}{NARROW_SPACE}% in a step; after {reading.epochs:g} epochs {left(reading)}",
        "the steps are too small to get anywhere in this time",
        "multiply the learning rate by 10; leave it out, and a range test finds one",
    )


def vanishing_gradients(reading: Reading) -> Symptom | None:
    """The first layer is told next to nothing."""
    gradients = [values[0] for values in reading.layer_series("gradient").values()]
    names = list(reading.layer_series("gradient"))
    if len(names) < 3 or not gradients[-1] > 0 or (reading.unlearnt < POOR and not rival_is_better(reading)):
        return None
    ratio = gradients[0] / gradients[-1]
    if not ratio < VANISHED:
        return None
    return Symptom(
        "vanishing gradients",
        COUNTED,
        f"in the first epoch the gradient of layer {names[0]} is {_power(ratio)} of that of layer {names[-1]}",
        "the first layers can't learn: on its way to them the gradient is lost, layer by layer",
        "ReLU instead of sigmoid or tanh, normalisation layers, residual connections, or fewer layers",
    )


def saturated_units(reading: Reading) -> Symptom | None:
    """Hidden sigmoids or tanhs that stay at the ends of their range."""
    shares = {name: values[-1] for name, values in list(reading.layer_series("saturated").items())[:-1]}
    name = max(shares, key=lambda one: np.nan_to_num(shares[one], nan=-1.0), default=None)
    if name is None or not shares[name] >= IDLE:
        return None
    return Symptom(
        "saturated units",
        COUNTED,
        f"{whole(float(shares[name]))} of the answers of layer {name} are at the flat ends of their range",
        "there the slope is next to 0, so that nothing before that layer learns",
        "scale the inputs to 0 ± 1, start from smaller weights, or take ReLU instead of sigmoid or tanh",
    )


def dead_units(reading: Reading) -> Symptom | None:
    """Units that answer nothing to every example."""
    shares = {name: values[-1] for name, values in reading.layer_series("dead").items()}
    name = max(shares, key=lambda one: np.nan_to_num(shares[one], nan=-1.0), default=None)
    if name is None or not shares[name] >= IDLE:
        return None
    return Symptom(
        "dead units",
        COUNTED,
        f"{whole(float(shares[name]))} of the units of layer {name} answer 0 to every example of the probe",
        "a ReLU that is never above 0 gets no gradient and never comes back: the layer is narrower than it looks",
        "a smaller learning rate, the usual initial weights and biases of 0, a normalisation layer, or leaky ReLU",
    )


def batch_too_big(reading: Reading) -> Symptom | None:
    """So few steps an epoch that the epochs end before much is learnt."""
    has_time = not unfinished(reading) and not (is_falling(reading) and reading.unlearnt > POOR)
    if reading.steps_per_epoch > FEW_STEPS or reading.epochs < 5 or has_time:
        return None
    size = reading.settings.get("batch_size")
    batch = f"batches of {count(size)}" if isinstance(size, int) else "the batches"
    return Symptom(
        "batch too big",
        COUNTED,
        f"{batch} make {plural(round(reading.steps_per_epoch), 'step')} an epoch from {count(reading.n_train)} "
        f"examples, {count(reading.history[-1].step)} in all; {left(reading)}",
        "a network learns by steps, and there were too few of them",
        f"a batch of {count(max(1, min(32, reading.n_train // 20)))}, or many more epochs",
    )


def _power(value: float) -> str:
    """A tiny ratio as a reader says it: "1 / 30,000"."""
    return "none" if value <= 0 else f"1 / {float(f'{1 / value:.1g}'):,.0f}"
