"""Same as last time: what a split by time must beat."""

import numpy as np
import pytest

from bottega.workflow.candidates import Material
from bottega.workflow.judge import Tested as Answers
from bottega.workflow.last_value import last_value

N = 200


def material(y: np.ndarray, classes: tuple[str, ...] = ()) -> Material:
    names = np.random.default_rng(0).integers(0, 256, (N, 32), dtype=np.uint8)
    return Material({}, y, np.arange(N), names, [""] * N, classes)


def answered(predictions: np.ndarray) -> Answers:
    return Answers(np.arange(150, N), predictions, np.zeros(50, bool), {}, 50)


def test_a_walk_is_hard_to_beat() -> None:
    walk = np.cumsum(np.random.default_rng(0).normal(size=N))
    found = last_value(material(walk), answered(np.full(50, walk[:150].mean())), np.arange(float(N)), metric="rmse")
    assert found is not None
    assert found.test.score == pytest.approx(np.sqrt(np.mean(np.diff(walk)[149:] ** 2)))
    assert found.difference.low > 0  # the mean is worse
    assert found.val is None


def test_order_is_by_time_and_not_by_row() -> None:
    moments = np.random.default_rng(1).permutation(N).astype(float)
    y = moments * 2.0
    rows = np.argsort(moments)[150:]
    one = Answers(rows, y[rows], np.zeros(50, bool), {}, 50)
    found = last_value(material(y), one, moments, metric="mae")
    assert found is not None
    assert found.test.score == pytest.approx(2.0)


def test_classes_are_repeated_too() -> None:
    y = np.arange(N) // 10 % 2
    shares = np.tile([0.5, 0.5], (50, 1))
    found = last_value(material(y, ("down", "up")), answered(shares), np.arange(float(N)), metric="accuracy")
    assert found is not None
    assert found.test.score == 0.9


def test_a_test_part_that_nothing_precedes_has_no_last_value() -> None:
    one = Answers(np.arange(50), np.zeros(50), np.zeros(50, bool), {}, 50)
    assert last_value(material(np.zeros(N)), one, np.arange(float(N)), metric="rmse") is None
