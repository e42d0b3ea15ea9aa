"""Intervals hold what they promise, on rows that set nothing."""

import numpy as np
import pytest

from bottega.evaluation.conformal import cv_plus, split_conformal


def test_coverage_is_what_was_promised_over_many_draws():
    held = []
    for seed in range(300):
        rng = np.random.default_rng(seed)
        errors = rng.standard_t(3, 60)
        interval = split_conformal(errors[:40], np.zeros(40), coverage=0.8)
        held.append(np.mean(np.abs(errors[40:]) <= interval.reach))
    assert np.mean(held) == pytest.approx(np.ceil(41 * 0.8) / 41, abs=0.01)


def test_on_the_logarithm_large_values_get_wide_intervals():
    rng = np.random.default_rng(0)
    values = np.exp(rng.normal(5, 1, 2000))
    y = values * np.exp(rng.normal(0, 0.2, 2000))
    interval = split_conformal(y[:1000], values[:1000], log=True)
    lower, upper = interval.around(values[1000:])
    assert np.mean((lower <= y[1000:]) & (y[1000:] <= upper)) == pytest.approx(0.9, abs=0.03)
    assert interval.reach == pytest.approx(0.33, abs=0.03)
    np.testing.assert_allclose(upper / values[1000:], values[1000:] / lower)


def test_too_few_rows_promise_nothing():
    interval = split_conformal(np.zeros(8), np.zeros(8), coverage=0.9)
    assert interval.reach == np.inf
    assert interval.around(np.array([1.0]))[0] == -np.inf
    assert split_conformal(np.ones(8), np.ones(8), log=True).around(np.array([1.0]))[1] == np.inf
    assert cv_plus(np.zeros((2, 2)), np.zeros(8, np.int64), np.zeros(8))[1].tolist() == [np.inf, np.inf]


def test_cv_plus_covers_where_each_fold_has_its_own_model():
    held = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        y = rng.normal(size=80)
        fold = np.arange(50) % 5
        means = np.array([y[:50][fold != k].mean() for k in range(5)])
        lower, upper = cv_plus(np.tile(means, (30, 1)), fold, np.abs(y[:50] - means[fold]), coverage=0.8)
        held.append(np.mean((lower <= y[50:]) & (y[50:] <= upper)))
    assert np.mean(held) == pytest.approx(0.8, abs=0.03)


def test_cv_plus_of_one_fold_is_split_conformal():
    y = np.random.default_rng(0).normal(size=30)
    lower, upper = cv_plus(np.array([[2.0]]), np.zeros(30, np.int64), np.abs(y), coverage=0.8)
    interval = split_conformal(y, np.zeros(30), coverage=0.8)
    assert [lower[0], upper[0]] == pytest.approx([2 - interval.reach, 2 + interval.reach])
