"""When a costly candidate is worth its time."""

import re

import numpy as np
import pytest

from bottega.evaluation.metrics import METRICS
from bottega.workflow.enough import nothing_to_gain

Y = np.arange(400) % 2


def answers(n_wrong: int, sureness: float = 0.9) -> np.ndarray:
    said = Y.copy()
    said[:n_wrong] = 1 - said[:n_wrong]
    return np.where(said[:, None] == np.arange(2), sureness, 1 - sureness)


@pytest.mark.parametrize(
    ("n_wrong", "margin", "is_tried"),
    [(0, None, False), (8, None, False), (9, None, True), (1, 0.0, True), (39, 0.05, False)],
)
def test_half_of_what_is_missing_against_the_margin(n_wrong: int, margin: float | None, is_tried: bool) -> None:
    why = nothing_to_gain({"words": answers(n_wrong)}, Y, METRICS["accuracy"], margin)
    assert (why is None) == is_tried


def test_the_reason_names_the_candidate_and_what_is_missing() -> None:
    why = nothing_to_gain({"words": answers(4), "baseline": answers(200)}, Y, METRICS["accuracy"], None)
    assert why is not None
    assert re.match(r"not tried: words is 1\.0 points short of a perfect accuracy on validation", why)
    assert why.endswith("--preset accurate tries it")


def test_the_least_log_loss_is_the_one_to_beat() -> None:
    """Not the highest score: the one that would be chosen."""
    found = {"sure and often wrong": answers(20, 0.9), "hardly sure": answers(2, 0.51)}
    assert nothing_to_gain(found, Y, METRICS["accuracy"], None) is None


def test_where_nobody_knows_what_is_perfect_all_is_tried() -> None:
    assert nothing_to_gain({"words": answers(0)}, Y, METRICS["log_loss"], None) is None
    assert nothing_to_gain({}, Y, METRICS["accuracy"], None) is None
