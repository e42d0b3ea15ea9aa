"""The few tests that the rules use, each giving the p of having seen as much by chance; numpy and the standard library.

Checked against SciPy in tests/unit/refinement/test_significance.py.
"""

import math
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

__all__ = ["at_least", "at_most", "falling", "holm", "mean_above", "means_differ", "share_difference"]

Numbers = NDArray[np.float64]


def at_least(n_seen: float, n: float, share: float) -> float:
    """P(X ≥ n_seen) of n independent trials that each succeed with probability `share`.

    Numbers of examples that groups are worth are rounded.

    Example:
        >>> round(at_least(9, 10, 0.5), 4)
        0.0107
    """
    k, n = round(n_seen), round(n)
    if k <= 0:
        return 1.0
    if share <= 0 or k > n:
        return 0.0
    if share >= 1:
        return 1.0
    counts = np.arange(k, n + 1)
    log_terms = [math.lgamma(n + 1) - math.lgamma(i + 1) - math.lgamma(n - i + 1) for i in counts]
    logs = np.array(log_terms) + counts * math.log(share) + (n - counts) * math.log1p(-share)
    return float(min(1.0, np.exp(logs).sum()))


def at_most(n_seen: float, n: float, share: float) -> float:
    """P(X ≤ n_seen) of n independent trials that each succeed with probability `share`.

    Example:
        >>> round(at_most(0, 30, 0.1), 4)
        0.0424
    """
    return at_least(round(n) - round(n_seen), n, 1 - share)


def share_difference(first: float, n_first: float, second: float, n_second: float, *, beyond: float = 0.0) -> float:
    """One-sided p that the first share isn't larger than the second by more than `beyond`.

    The shares are drawn towards one half by one success and one failure each, so that 20 of 20 isn't certainty.

    Source: Agresti and Caffo 2000, "Simple and effective confidence intervals for proportions and differences".
    """
    shares, variances = [], 0.0
    for share, n in ((first, n_first), (second, n_second)):
        drawn = (share * n + 1) / (n + 2)
        shares.append(drawn)
        variances += drawn * (1 - drawn) / (n + 2)
    return _above((shares[0] - shares[1] - beyond) / math.sqrt(variances))


def mean_above(values: Numbers, bound: float, *, n_effective: float | None = None) -> float:
    """One-sided p that the mean of what the values were drawn from isn't above `bound`: Student's test.

    Args:
        n_effective: independent values that they are worth; None for all of them.
    """
    n = len(values) if n_effective is None else n_effective
    if n < 2 or len(values) < 2:
        return 1.0
    error = float(values.std(ddof=1)) / math.sqrt(n)
    distance = float(values.mean()) - bound
    if error == 0:
        return 0.0 if distance > 0 else 1.0
    return _student(distance / error, n - 1)


def means_differ(larger: Numbers, smaller: Numbers, *, n_effective: tuple[float, float], beyond: float = 0.0) -> float:
    """One-sided p that the first mean isn't above the second by more than `beyond`, whatever their spreads.

    Args:
        n_effective: independent values that each is worth.
    Source: Welch 1947, "The generalization of Student's problem when several different population variances are
        involved".
    """
    pairs = list(zip((larger, smaller), n_effective, strict=True))
    if any(n < 2 or len(values) < 2 for values, n in pairs):
        return 1.0
    errors = [float(values.var(ddof=1)) / n for values, n in pairs]
    distance = float(larger.mean() - smaller.mean()) - beyond
    if sum(errors) == 0:
        return 0.0 if distance > 0 else 1.0
    degrees = sum(errors) ** 2 / sum(error**2 / (n - 1) for error, (_, n) in zip(errors, pairs, strict=True))
    return _student(distance / math.sqrt(sum(errors)), degrees)


def falling(values: Numbers) -> float:
    """One-sided p that a series doesn't fall: Student's test of the slope of a straight line through it.

    Fewer than four values prove nothing.
    """
    n = len(values)
    if n < 4 or not np.isfinite(values).all():
        return 1.0
    x = np.arange(n) - (n - 1) / 2
    slope = float(x @ values / (x @ x))
    left = values - values.mean() - slope * x
    error = math.sqrt(float(left @ left) / (n - 2) / float(x @ x))
    if error == 0:
        return 0.0 if slope < 0 else 1.0
    return _student(-slope / error, n - 2)


def holm(p_values: Sequence[float], n_rules: int, level: float) -> list[bool]:
    """Which findings stand when the chance of even one false one among `n_rules` is held at `level`.

    Rules that found nothing count as asked too, with a p of 1.

    Example:
        >>> holm([0.004, 0.0001], 5, 0.01)
        [False, True]

    Source: Holm 1979, "A simple sequentially rejective multiple test procedure".
    """
    stands = [False] * len(p_values)
    for n_before, number in enumerate(np.argsort(p_values, kind="stable")):
        if p_values[number] > level / (n_rules - n_before):
            break
        stands[number] = True
    return stands


def _above(z: float) -> float:
    return 0.5 * math.erfc(z / math.sqrt(2))


def _student(t: float, degrees: float) -> float:
    """P(T ≥ t), by the normal deviate that is as rare.

    Source: Wallace 1959, "Bounds on normal approximations to Student's and the chi-square distributions".
    """
    z = (8 * degrees + 1) / (8 * degrees + 3) * math.sqrt(degrees * math.log1p(t * t / degrees))
    return NormalDist().cdf(-math.copysign(z, t))
