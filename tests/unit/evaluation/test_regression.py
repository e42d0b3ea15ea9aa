"""Scores of values and of their intervals, against scikit-learn on diabetes."""

import numpy as np
import pytest
from sklearn import metrics
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LinearRegression

from bottega.evaluation.regression import coverage_by_group, score_values


@pytest.fixture(scope="module")
def answered():
    x, y = load_diabetes(return_X_y=True)
    values = LinearRegression().fit(x[:300], y[:300]).predict(x[300:])
    return y[300:], values, (values - 90, values + 90)


def test_each_score_is_scikit_learns(answered):
    y, values, ends = answered
    found = score_values(y, values, ends, coverage=0.9)
    expected = {
        "rmse": metrics.root_mean_squared_error(y, values),
        "mae": metrics.mean_absolute_error(y, values),
        "r2": metrics.r2_score(y, values),
        "mape": metrics.mean_absolute_percentage_error(y, values),
        "coverage": np.mean(np.abs(y - values) <= 90),
        "width": 180,
        "pinball": np.mean(
            [metrics.mean_pinball_loss(y, end, alpha=a) for end, a in zip(ends, (0.05, 0.95), strict=True)]
        ),
    }
    assert {name: score.score for name, score in found.items()} == pytest.approx(expected)
    assert all(score.n == len(y) and score.low <= score.score <= score.high for score in found.values())
    assert not found["pinball"].higher_is_better


def test_a_share_of_nearly_nothing_is_not_told(answered):
    y, values, ends = answered
    assert "mape" not in score_values(y - y.min(), values, ends, coverage=0.9)


def test_endless_intervals_have_a_coverage_but_no_width(answered):
    y, values, _ = answered
    found = score_values(y, values, (values - np.inf, values + np.inf), coverage=0.9)
    assert found["coverage"].score == 1
    assert not {"width", "pinball"} & set(found)


def test_the_promise_is_measured_in_each_group(answered):
    y, _, ends = answered
    names = ["high" if value > 150 else "low" for value in y]
    found = coverage_by_group(y, ends, names)
    assert sum(score.n for score in found.values()) == len(y)
    assert found["high"].score != found["low"].score
