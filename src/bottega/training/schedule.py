"""The learning rate over a training: pure functions of how far it has come and of how it went."""

import math
from collections.abc import Sequence

__all__ = ["factor_at", "plateau_factor"]

START, END = 0.04, 1e-3  # of the highest rate, at the first and at the last step
PLATEAU_FACTOR = 0.3
PLATEAU_EPOCHS = 4  # without a better loss, before the rate is lowered
LEAST_GAIN = 1e-3  # of the loss, relative: less is no improvement


def factor_at(schedule: str, progress: float, warm_up: float) -> float:
    """The rate at a step as a share of the highest.

    Args:
        schedule: "one-cycle" (cosine up, cosine down), "cosine" (straight up, cosine down), "constant" or "plateau"
            (straight up, then level).
        progress: steps done over all steps, in [0, 1).
        warm_up: share of the steps over which the rate rises.
    Source: Smith 2018 (one cycle); Loshchilov and Hutter 2017 (cosine).
    Example:
        >>> [round(factor_at("cosine", at, 0.0), 2) for at in (0.0, 0.5, 1.0)]
        [1.0, 0.5, 0.0]
    """
    if progress < warm_up:
        share = progress / warm_up
        rise = (1 - math.cos(math.pi * share)) / 2 if schedule == "one-cycle" else share
        return START + (1 - START) * rise
    if schedule in ("constant", "plateau"):
        return 1.0
    share = (progress - warm_up) / (1 - warm_up)
    return END + (1 - END) * (1 + math.cos(math.pi * share)) / 2


def plateau_factor(losses: Sequence[float]) -> float:
    """How far "plateau" has lowered the rate, read from the validation losses so far.

    A function of the history alone: a resumed training needs no state for it.

    Example:
        >>> plateau_factor([1.0, 0.9, 0.9, 0.9, 0.9, 0.9])
        0.3
    """
    factor, best, n_waiting = 1.0, math.inf, 0
    for loss in losses:
        if loss < best * (1 - LEAST_GAIN):
            best, n_waiting = loss, 0
            continue
        n_waiting += 1
        if n_waiting == PLATEAU_EPOCHS:
            factor, n_waiting = factor * PLATEAU_FACTOR, 0
    return factor
