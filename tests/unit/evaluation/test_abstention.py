import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.evaluation.abstention import coverage_curve, sure_threshold
from bottega.evaluation.intervals import proportion


def answers(confidence, right):
    """Two-class probabilities whose answers (always class 1) have a confidence and are right or wrong."""
    confidence, right = np.asarray(confidence, dtype=float), np.asarray(right, dtype=bool)
    return np.where(right, 1, 0), np.stack([1 - confidence, confidence], axis=1)


def calibrated(n, seed, *, low=0.5):
    """Answers that are right exactly as often as they say."""
    rng = np.random.default_rng(seed)
    confidence = rng.uniform(low, 1, n)
    return answers(confidence, rng.random(n) < confidence)


def test_sure_answers_keep_the_promise():
    y, probabilities = calibrated(4000, 0)
    sure = sure_threshold(y, probabilities)
    kept = probabilities[:, 1] >= sure.threshold
    assert 0.9 < sure.threshold < 0.96  # a perfect oracle, which knows the truth, would take .90
    assert sure.coverage == kept.mean()
    assert sure.accuracy.n == kept.sum()
    assert sure.accuracy.score == y[kept].mean()
    assert sure.lower_bound >= 0.95
    assert f"probability of {sure.threshold:.3g} or more are right at least 95 % of the time" in sure.why


def test_the_promise_is_broken_no_more_often_than_said():
    """The true accuracy above threshold t is (1 + t) / 2 here, since answers are right as often as they say."""
    results = [sure_threshold(*calibrated(1000, seed), sure_at=0.9) for seed in range(200)]
    broken = [sure.threshold < math.inf and (1 + sure.threshold) / 2 < 0.9 for sure in results]
    assert np.mean(broken) <= 0.05
    assert np.mean([sure.threshold < math.inf for sure in results]) > 0.8  # and it doesn't just refuse


def test_all_is_sure_where_all_is_right():
    sure = sure_threshold(*answers(np.linspace(0.6, 1, 500), np.ones(500)))
    assert sure.coverage == 1.0
    assert sure.threshold == pytest.approx(0.6)


def test_too_few_examples_are_never_sure():
    sure = sure_threshold(*answers(np.linspace(0.6, 1, 30), np.ones(30)))
    assert sure.threshold == math.inf
    assert sure.coverage == 0
    assert sure.why == "nothing is sure: 30 examples can't show an accuracy of 95 %, even if every answer were right"
    assert sure_threshold(np.zeros(0, dtype=int), np.zeros((0, 2))).threshold == math.inf


def test_a_model_that_is_wrong_where_it_is_surest_is_never_sure():
    confidence = np.linspace(0.5, 1, 2000)
    sure = sure_threshold(*answers(confidence, confidence < 0.8))
    assert sure.threshold == math.inf
    assert "even among the surest answers accuracy isn't proved to be 95 % (0 of the first" in sure.why


def test_one_unlucky_mistake_does_not_decide_all():
    right = np.ones(1000, dtype=bool)
    right[-10] = False  # the tenth surest
    sure = sure_threshold(*answers(np.linspace(0.5, 1, 1000), right))
    assert sure.coverage == 1.0


def test_a_threshold_below_one_that_failed_is_not_tried():
    right = np.ones(1500, dtype=bool)
    right[-170:-150] = False  # the model is blind here; further down it could pass again, by its easy cases
    confidence = np.linspace(0.5, 1, 1500)
    sure = sure_threshold(*answers(confidence, right))
    assert 0 < sure.coverage < 0.12
    assert proportion(right).low > 0.95


def test_copies_do_not_make_it_sure():
    confidence, right = np.repeat(np.linspace(0.6, 1, 40), 20), np.ones(800)
    assert sure_threshold(*answers(confidence, right)).coverage == 1.0
    assert sure_threshold(*answers(confidence, right), np.repeat(np.arange(40), 20)).threshold == math.inf


def test_labels_that_training_never_saw_are_mistakes():
    y, probabilities = answers(np.full(400, 0.9), np.ones(400))
    y[:100] = -1
    assert sure_threshold(y, probabilities).threshold == math.inf


@settings(max_examples=25, deadline=None)
@given(order=st.randoms(use_true_random=False))
def test_equal_confidences_stay_together_in_any_order(order):
    y, probabilities = answers(np.repeat([0.7, 0.8, 0.9], 200), np.tile([True] * 99 + [False], 6))
    rows = list(range(600))
    order.shuffle(rows)
    sure = sure_threshold(y[rows], probabilities[rows])
    assert sure == sure_threshold(y, probabilities)
    assert sure.threshold in (0.7, 0.8, 0.9)


@pytest.mark.parametrize("sure_at", [0.0, 1.0, 95.0])
def test_an_impossible_promise_is_refused(sure_at):
    with pytest.raises(ValueError, match="a share between 0 and 1 is needed"):
        sure_threshold(*answers([0.9], [True]), sure_at=sure_at)


def test_the_curve_goes_from_all_answers_to_the_surest():
    y, probabilities = calibrated(2000, 0)
    curve = coverage_curve(y, probabilities)
    assert curve.coverage[0] == 1.0
    assert curve.accuracy[0] == pytest.approx(np.mean(y))
    assert list(curve.coverage) == sorted(curve.coverage, reverse=True)
    assert list(curve.threshold) == sorted(curve.threshold)
    assert curve.accuracy[-1] > 0.95
    assert all(low <= score <= high for low, score, high in zip(curve.low, curve.accuracy, curve.high, strict=True))
    assert len(curve.coverage) == 50
    assert coverage_curve(np.zeros(0, dtype=int), np.zeros((0, 2))).coverage == ()
