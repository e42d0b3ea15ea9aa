"""A learning rate for a network and its data, found by trying rates from tiny to far too large on a few batches."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["RangeTest", "n_range_steps", "run_range_test"]

SHARE = 0.05  # of all steps, at most
MOST_STEPS, LEAST_STEPS = 100, 12  # more teach nothing; fewer jump over the good rates
SPANS = {"adamw": (1e-5, 0.03), "adam": (1e-5, 0.03), "sgd": (1e-4, 10.0)}  # a third of the end is the most there is
DEFAULTS = {"adamw": 2e-3, "adam": 2e-3, "sgd": 0.05}  # where a training is too short for a test
MEMORY = 0.8  # of the running mean of the losses
DIVERGED = 2.0  # times the least loss so far


@dataclass(frozen=True)
class RangeTest:
    """What was tried and chosen; for the record and its picture.

    Attributes:
        rates: (n,) ascending; none where no test was run.
        losses: (n,) running mean of the training loss at each.
        chosen: the highest rate of the schedule.
        why: one sentence.
    """

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    chosen: float
    why: str

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> "RangeTest":
        """From what `dataclasses.asdict` wrote as JSON."""
        return cls(tuple(facts["rates"]), tuple(facts["losses"]), facts["chosen"], facts["why"])


def n_range_steps(n_steps: int) -> int:
    """How many steps of a training of `n_steps` the test may cost; 0 when that is too few to learn from."""
    n = min(MOST_STEPS, int(SHARE * n_steps))
    return n if n >= LEAST_STEPS else 0


def run_range_test(step: Callable[[int, float], float], n_steps: int, optimiser: str) -> RangeTest:
    """Train a few steps at rising rates and choose one.

    The rate at which the loss was least is already on the edge; the one at which it fell fastest is on the safe side.
    Their geometric mean, at most a third of the first, is chosen.

    Args:
        step: takes the number of the step and the rate, trains one batch, and gives its loss; may give NaN.
        n_steps: from `n_range_steps`.
        optimiser: decides the span, and the rate where there is no test.
    Source: Smith 2017, "Cyclical learning rates for training neural networks".
    """
    default = DEFAULTS[optimiser]
    if n_steps == 0:
        return RangeTest((), (), default, f"{default:g}: the usual rate, as the training is too short for a range test")
    low, high = SPANS[optimiser]
    rates: list[float] = []
    losses: list[float] = []
    mean = 0.0
    for number in range(n_steps):
        rate = low * (high / low) ** (number / (n_steps - 1))
        loss = step(number, rate)
        if not math.isfinite(loss):
            break
        mean = MEMORY * mean + (1 - MEMORY) * loss
        rates.append(rate)
        losses.append(mean / (1 - MEMORY ** (number + 1)))
        if losses[-1] > DIVERGED * min(losses):
            break
    return _chosen(rates, losses, default)


def _chosen(rates: list[float], losses: list[float], default: float) -> RangeTest:
    tried = tuple(rates), tuple(losses)
    least = int(np.argmin(losses)) if losses else 0
    if least < 3 or losses[least] > 0.98 * losses[0]:
        return RangeTest(*tried, default, f"{default:g}: the usual rate, as no rate lowered the loss in the range test")
    steepest = int(np.argmin(np.gradient(np.array(losses[: least + 1]))))
    chosen = min(math.sqrt(rates[least] * rates[steepest]), rates[least] / 3)
    chosen = float(f"{chosen:.2g}")  # more digits would pretend
    why = f"{chosen:g}: the loss fell fastest at {rates[steepest]:.2g} and was least at {rates[least]:.2g}"
    return RangeTest(*tried, chosen, why)
