"""A split by time: later examples judge what was learned from earlier ones."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bottega.data.splits import TEST_SHARE, VAL_SHARE, Split

__all__ = ["by_time"]


def by_time(divided: Split, moments: NDArray[np.float64]) -> Split:
    """The latest 15 % become the test part, the 15 % before them validation; equal moments stay together.

    Args:
        divided: the split by content, whose halves of the validation part are drawn anew by rank.
        moments: (N,) of each example, ascending with time; NaN (no date) trains.
    Returns:
        A split whose test part is held out, however small it is: folds would learn from the future.
    """
    known = np.sort(moments[np.isfinite(moments)])
    part = np.full(len(moments), "train", dtype="<U5")
    if len(known):
        test_from = known[min(len(known) - 1, round((1 - TEST_SHARE) * len(known)))]
        val_from = known[min(len(known) - 1, round((1 - TEST_SHARE - VAL_SHARE) * len(known)))]
        part[moments >= val_from] = "val"
        part[moments >= test_from] = "test"
    half = np.full(len(moments), "", dtype="<U9")
    inside = np.flatnonzero(part == "val")
    half[inside] = np.where(divided.unit[inside] * 2**20 % 1 < 0.5, "select", "calibrate")
    note = "split by time: the latest rows are the test part, the rows before them validation"
    return replace(divided, part=part, half=half, small=False, by_rank=False, source="held-out", notes=(note,))
