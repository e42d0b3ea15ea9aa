import math
import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.evaluation.intervals import (
    bootstrap,
    clusters,
    difference,
    effective_n,
    examples_for_half_the_interval,
    interval,
    nadeau_bengio,
    proportion,
    t_quantile,
    wilson,
)
from bottega.evaluation.metrics import METRICS

ACCURACY = METRICS["accuracy"]


def certain(right):
    """Probabilities and class indices whose answers are right where `right` says so."""
    right = np.asarray(right, dtype=bool)
    return np.where(right, 1, 0), np.tile([0.2, 0.8], (len(right), 1))


def test_wilson_gives_the_textbook_numbers():
    assert wilson(236, 261) == pytest.approx((0.862, 0.934), abs=5e-4)
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)  # Newcombe 1998, table 1
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=1e-4)
    assert wilson(29, 29) == pytest.approx((0.8830, 1.0), abs=1e-4)
    assert wilson(0, 0) == (0.0, 1.0)


@given(n=st.integers(1, 10_000), share=st.floats(0, 1))
def test_wilson_holds_its_own_score_and_stays_on_the_scale(n, share):
    low, high = wilson(share * n, n)
    assert 0 <= low <= share + 1e-12
    assert share - 1e-12 <= high <= 1
    assert low < high


def test_independent_answers_get_wilson():
    y, probabilities = certain([1] * 236 + [0] * 25)
    score = interval(ACCURACY, y, probabilities, None)
    assert (score.low, score.high) == wilson(236, 261)
    assert score == interval(ACCURACY, y, probabilities, np.arange(261))
    assert (score.n, score.n_groups) == (261, 261)


def test_copies_add_no_certainty():
    right = np.array([1] * 80 + [0] * 20, dtype=bool)
    single = proportion(right)
    copied = proportion(np.repeat(right, 10), np.repeat(np.arange(100), 10))
    assert copied.n == 1000
    assert copied.n_groups == 100
    assert copied.low == pytest.approx(single.low, abs=0.005)
    assert copied.high == pytest.approx(single.high, abs=0.005)


def test_groups_that_do_not_matter_cost_next_to_nothing():
    rng = np.random.default_rng(0)
    right = rng.random(4000) < 0.8
    loose, single = proportion(right, rng.integers(0, 1000, 4000)), proportion(right)
    assert loose.high - loose.low == pytest.approx(single.high - single.low, rel=0.1)


def test_a_perfect_score_is_as_sure_as_its_groups():
    right = np.ones(1000, dtype=bool)
    score = proportion(right, np.repeat(np.arange(50), 20))
    assert (score.low, score.high) == pytest.approx(wilson(50, 50))
    right[0] = False
    assert proportion(right, np.repeat(np.arange(50), 20)).low <= score.low  # one mistake promises no more than none
    none = proportion(~np.ones(1000, dtype=bool), np.repeat(np.arange(50), 20))
    assert (none.low, none.high) == pytest.approx(wilson(0, 50))


def test_one_group_says_nothing():
    score = proportion(np.array([True] * 9 + [False]), np.zeros(10))
    assert (score.low, score.high) == (0.0, 1.0)
    empty = proportion(np.zeros(0, dtype=bool))
    assert math.isnan(empty.score)


def test_a_proportion_by_bootstrap_and_by_formula_agree():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(300), 5)
    right = rng.random(1500) < np.repeat(rng.beta(4, 1, 300), 5)
    y, probabilities = certain(right)
    as_bootstrap = interval(replace(ACCURACY, right=None), y, probabilities, groups)
    as_formula = interval(ACCURACY, y, probabilities, groups)
    assert as_bootstrap.low == pytest.approx(as_formula.low, abs=0.003)
    assert as_bootstrap.high == pytest.approx(as_formula.high, abs=0.003)


@pytest.mark.parametrize("correlation", [0.1, 0.5])
@pytest.mark.parametrize("share", [0.8, 0.97])
def test_the_truth_is_inside_as_often_as_said(share, correlation):
    rng = np.random.default_rng(0)
    strength = (1 - correlation) / correlation
    hits = 0
    for _ in range(400):
        groups = np.repeat(np.arange(60), rng.integers(1, 8, 60))
        shares = rng.beta(share * strength, (1 - share) * strength, 60)
        score = proportion(rng.random(len(groups)) < shares[groups], groups)
        hits += score.low <= share <= score.high
    assert hits / 400 > 0.92  # a percentile bootstrap gets 0.79 at the worst of these


def test_a_mean_by_bootstrap_agrees_with_the_theory():
    rng = np.random.default_rng(0)
    y = rng.normal(0, 1, 400)
    score = interval(METRICS["mae"], y, np.zeros(400))
    error = 1.96 * np.abs(y).std() / math.sqrt(400)
    assert score.low == pytest.approx(score.score - error, abs=0.01)
    assert score.high == pytest.approx(score.score + error, abs=0.01)


def test_resamples_take_groups_whole():
    seen = []
    cells = clusters(np.array([5, 5, 7, 7, 7, 9]), 6)
    bootstrap([lambda weights: float(seen.append(weights) or 0)], cells, 0, n_resamples=50)
    for weights in seen:
        assert weights[0] == weights[1]
        assert weights[2] == weights[3] == weights[4]
        assert weights[0] + weights[2] + weights[5] == 3
    assert len({tuple(weights) for weights in seen}) > 5


def test_a_paired_difference_sees_more_than_two_intervals():
    rng = np.random.default_rng(0)
    hard = rng.random(1000) < 0.3  # what both get wrong
    y, _ = certain(np.ones(1000))
    first = np.where(hard[:, None], [0.9, 0.1], [0.1, 0.9])
    second = first.copy()
    second[np.flatnonzero(~hard)[:25]] = [0.9, 0.1]
    score = difference(ACCURACY, y, first, second)
    assert score.score == pytest.approx(0.025)
    assert 0.01 < score.low < score.score < score.high < 0.04
    apart = [interval(ACCURACY, y, p) for p in (first, second)]
    assert apart[0].low < apart[1].high
    assert difference(ACCURACY, y, second, first).score == pytest.approx(-0.025)


@pytest.mark.parametrize(("n", "floor"), [(30, 0.1135), (400, 0.0095)])
def test_agreement_on_few_examples_proves_little(n, floor):
    y, probabilities = certain(np.ones(n))
    score = difference(ACCURACY, y, probabilities, probabilities)
    assert score.score == 0
    assert (score.low, score.high) == pytest.approx((-floor, floor), abs=1e-4)


def test_a_difference_without_spread_is_open():
    y, probabilities = certain(np.ones(5))
    assert difference(ACCURACY, y, probabilities, probabilities, np.zeros(5)).low == -1.0
    assert math.isnan(difference(METRICS["mae"], np.ones(5), np.ones(5), np.zeros(5), np.zeros(5)).low)


def test_effective_n():
    assert effective_n(None, 10) == 10
    assert effective_n(np.repeat(np.arange(5), 4), 20) == pytest.approx(5)
    assert 1 < effective_n([0] * 90 + list(range(1, 11)), 100) < 2  # nearly all in one group
    assert effective_n(None, 0) == 0


def test_nadeau_bengio_is_wider_than_the_naive_error():
    differences = [0.01, 0.02, 0.03, 0.015, 0.025]
    mean, error, low, high = nadeau_bengio(differences, 80, 20)
    assert mean == pytest.approx(0.02)
    assert error == pytest.approx(np.std(differences, ddof=1) * math.sqrt(1 / 5 + 20 / 80))
    assert high - mean == pytest.approx(2.776 * error, rel=0.003)
    assert low == pytest.approx(2 * mean - high)
    with pytest.raises(ValueError, match="1 differences: at least 2 resamples"):
        nadeau_bengio([0.1], 80, 20)


@pytest.mark.parametrize(
    ("degrees", "expected"), [(1, 12.706), (2, 4.303), (3, 3.182), (4, 2.776), (10, 2.228), (100, 1.984)]
)
def test_t_quantiles(degrees, expected):
    assert t_quantile(0.975, degrees) == pytest.approx(expected, rel=0.01)
    assert t_quantile(0.975, 0) == math.inf


@settings(max_examples=30)
@given(n=st.integers(50, 5000), share=st.floats(0.05, 0.95))
def test_examples_for_half_the_interval_do_halve_it(n, share):
    low, high = wilson(share * n, n)
    score = proportion(np.zeros(1, dtype=bool))
    more = examples_for_half_the_interval(replace(score, n=n, score=share, low=low, high=high))
    ends = wilson(share * (n + more), n + more)
    assert ends[1] - ends[0] == pytest.approx((high - low) / 2, rel=0.01)


def test_examples_for_half_an_interval_of_another_kind():
    score = interval(METRICS["mae"], np.arange(50.0), np.zeros(50))
    assert examples_for_half_the_interval(score, is_share=False) == 150


def test_groups_of_another_length_are_refused():
    with pytest.raises(ValueError, match="3 group numbers for 4 examples"):
        clusters([1, 2, 3], 4)


def test_ten_thousand_examples_are_resampled_in_time():
    y, probabilities = certain(np.arange(10_000) % 5 > 0)
    start = time.perf_counter()
    interval(replace(ACCURACY, right=None), y, probabilities, np.arange(10_000) // 3)
    assert time.perf_counter() - start < 2
