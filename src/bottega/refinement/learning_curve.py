"""Would more data help: nested parts of the training examples, and the power law that their scores follow.

Source: Cortes et al. 1993, "Learning curves: asymptotic values and rate of convergence"; Hestness et al. 2017, "Deep
learning scaling is predictable, empirically".
"""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Doubling", "PowerLaw", "doubling", "fit_power_law", "nested_parts", "shares_of"]

Numbers = NDArray[np.float64]
Integers = NDArray[np.int64]

MOST_HALVINGS = 5
FEWEST_POINTS = 4  # of a law with three numbers
FEWEST_EXAMPLES = 10  # in the smallest part
FEWEST_PER_CLASS = 2
RATES = np.geomspace(0.05, 2.0, 48)  # measured ones lie between 0.07 and 0.35 for networks, 0.5 to 1 in theory
LEVEL = 0.95  # of the resamples; what the range holds of the truth is less (docs/statistics.md)


def shares_of(n: int, n_classes: int) -> list[float]:
    """The parts to be trained on, as ascending shares of `n` examples, the last one all of them.

    Example:
        >>> shares_of(1600, 10)
        [0.03125, 0.0625, 0.125, 0.25, 0.5, 1.0]
    """
    fewest = max(FEWEST_EXAMPLES, FEWEST_PER_CLASS * n_classes)
    halvings = math.log2(max(n / fewest, 1.0))
    n_steps = min(MOST_HALVINGS, max(FEWEST_POINTS - 1, math.floor(halvings)))
    ratio = 2.0 ** min(1.0, halvings / n_steps)
    return [ratio**-step for step in range(n_steps, -1, -1)]


def nested_parts(y: Integers, group_names: NDArray[np.uint8], shares: Sequence[float], *, seed: int) -> list[Integers]:
    """Rows of growing parts: each adds rows to the one before and swaps none.

    Every class has its share of each part, and at least one group; a group is in or out as a whole.

    Args:
        y: (N,) class indices.
        group_names: (N, 32), equal for rows that belong together.
        shares: ascending, in (0, 1].
        seed: another one deals another order.
    Returns:
        Sorted row numbers for each share; all rows for a share of 1.
    """
    salt = seed.to_bytes(8, "little")
    keys = [hashlib.sha256(salt + name.tobytes()).digest() for name in group_names]
    reached = np.empty(len(y))  # the share of its class that is in when a row's group is
    for label in np.unique(y):
        rows = np.flatnonzero(y == label)
        order = sorted(rows.tolist(), key=lambda row: (keys[row], row))
        n_before = -1
        for place, row in enumerate(order):
            first = place == 0 or keys[row] != keys[order[place - 1]]
            n_before = place if first else n_before
            reached[row] = n_before / len(order)
    whole: dict[bytes, float] = {}  # a group with several labels is in as soon as one of them asks for it
    for row, key in enumerate(keys):
        whole[key] = min(whole.get(key, 1.0), float(reached[row]))
    at = np.array([whole[key] for key in keys])
    return [np.flatnonzero(at < share) for share in shares]


@dataclass(frozen=True)
class PowerLaw:
    """error(n) = floor + scale · n^-rate."""

    floor: float
    scale: float
    rate: float

    def at(self, n: float) -> float:
        """The error of `n` training examples."""
        return self.floor + self.scale * math.pow(n, -self.rate)


def fit_power_law(n: Numbers, error: Numbers) -> PowerLaw:
    """The law with the least squared residuals, each in proportion to its error.

    Args:
        n: (K,) training examples.
        error: (K,) from 0 for perfect, upwards.
    Example:
        >>> law = fit_power_law(np.array([100.0, 200, 400, 800]), 0.02 + 3 / np.array([100.0, 200, 400, 800]))
        >>> round(law.floor, 2), round(law.rate, 1)
        (0.02, 1.0)
    """
    floor, scale, rate = _fit(n, error[None])
    return PowerLaw(float(floor[0]), float(scale[0]), float(rate[0]))


def _fit(n: Numbers, errors: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """(B,) floors, scales and rates of (B, K) errors: for each rate on a grid, two numbers that are not negative."""
    unit = n / n.max()
    weights = 1 / np.maximum(errors.mean(0), 1e-6)
    best = np.full(len(errors), np.inf)
    floor, scale, rate = np.zeros(len(errors)), np.zeros(len(errors)), np.full(len(errors), RATES[0])
    total = weights.sum()
    mean = errors @ weights / total
    for one in RATES:
        x = unit**-one
        middle = float(x @ weights) / total
        spread = float(weights @ (x - middle) ** 2)
        b = np.maximum(((errors - mean[:, None]) * weights) @ (x - middle) / spread, 0.0)
        a = mean - b * middle
        b = np.where(a < 0, (errors * weights) @ x / float(weights @ x**2), b)
        a = np.maximum(a, 0.0)
        cost = ((errors - a[:, None] - b[:, None] * x) ** 2) @ weights
        better = cost < best - 1e-15
        best = np.where(better, cost, best)
        floor, scale, rate = np.where(better, a, floor), np.where(better, b, scale), np.where(better, one, rate)
    return floor, scale * n.max() ** rate, rate


@dataclass(frozen=True)
class Doubling:
    """What twice the examples would give.

    Attributes:
        error: the measured one of all examples less the gain, with its range (low, high).
        gain: fall of the law's error from all examples to twice as many, with its range.
    """

    law: PowerLaw
    error: tuple[float, float, float]
    gain: tuple[float, float, float]


def doubling(n: Numbers, errors: Numbers, sample: Numbers, *, luck: float, n_draws: int, seed: int) -> Doubling:
    """Extrapolate to twice the largest number of examples.

    The range is that of the mean gain, over other test examples (the resamples) and other training examples: each
    resample is moved by as much as draws of one size lie apart, or the points lie beside the law, whichever is more.
    Both are taken in proportion to the error. A single training adds luck of its own.

    Args:
        n: (K,) training examples, ascending.
        errors: (K,), each a mean over `n_draws` draws but the last, of which there is one: all examples.
        sample: (B, K) errors on resampled test examples.
        luck: standard deviation of a single draw's error, as a share of the error.
        seed: of the moves.
    """
    law = fit_power_law(n, errors)
    scale = np.maximum(errors, 1e-6)
    fitted = np.array([law.at(one) for one in n])
    beside = math.sqrt(float((((errors - fitted) / scale) ** 2).sum()) / max(len(n) - 3, 1))
    rng = np.random.default_rng([seed, 0x6C6177])
    of_a_point = np.full(len(n), max(luck / math.sqrt(n_draws), beside))
    of_a_point[-1] = max(luck, beside)
    moved = sample + rng.normal(size=sample.shape) * of_a_point * scale
    floor, factor, rate = _fit(n, np.maximum(moved, 0.0))
    most = float(n.max())
    now, then = (floor + factor * k**-rate for k in (most, 2 * most))
    gains = now - then
    tails = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)
    gain = law.at(most) - law.at(2 * most)
    low, high = (float(end) for end in np.quantile(gains, tails))
    error = max(float(errors[-1]) - gain, 0.0)
    least, largest = np.quantile(np.maximum(sample[:, -1] - gains, 0.0), tails)
    return Doubling(
        law, (error, min(float(least), error), max(float(largest), error)), (gain, min(low, gain), max(high, gain))
    )
