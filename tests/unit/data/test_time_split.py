"""A split by time: no later row teaches about an earlier one."""

import numpy as np

from bottega.data.splits import split
from bottega.data.time_split import by_time


def divided(n: int):
    hashes = np.random.default_rng(0).integers(0, 256, (n, 32), dtype=np.uint8)
    return split(hashes, [""] * n, np.arange(n))


def test_the_latest_rows_are_the_test_part() -> None:
    moments = np.random.default_rng(1).permutation(2000).astype(float)
    found = by_time(divided(2000), moments)
    parts = {part: moments[found.rows(part)] for part in ("train", "val", "test")}
    assert parts["train"].max() < parts["val"].min()
    assert parts["val"].max() < parts["test"].min()
    assert [len(parts[part]) for part in ("train", "val", "test")] == [1400, 300, 300]
    halves = len(found.rows("val", "select")), len(found.rows("val", "calibrate"))
    assert sum(halves) == 300
    assert min(halves) > 110


def test_equal_moments_stay_together_and_rows_without_a_date_train() -> None:
    moments = np.repeat(np.arange(20.0), 50)
    moments[::10] = np.nan
    found = by_time(divided(1000), moments)
    for moment in range(20):
        assert len(set(found.part[moments == moment])) == 1
    assert set(found.part[np.isnan(moments)]) == {"train"}


def test_small_data_are_not_dealt_into_folds() -> None:
    assert divided(100).source == "cv"
    assert by_time(divided(100), np.arange(100.0)).source == "held-out"
