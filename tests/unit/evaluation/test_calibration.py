import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from bottega.evaluation.calibration import apply_temperature, equal_mass_bins, fit_temperature, reliability
from bottega.evaluation.metrics import METRICS


def drawn(n=3000, n_classes=4, seed=0):
    """Logits and labels drawn from their own softmax, so that they are calibrated by construction."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2, (n, n_classes))
    probabilities = apply_temperature(logits, 1.0)
    y = (probabilities.cumsum(axis=1) < rng.random((n, 1))).sum(axis=1)
    return logits, y


@pytest.mark.parametrize("true", [0.3, 1.0, 2.5, 8.0])
def test_the_temperature_is_found(true):
    logits, y = drawn()
    temperature = fit_temperature(logits * true, y)
    assert temperature == pytest.approx(true, rel=0.06)
    best = minimize_scalar(
        lambda t: METRICS["log_loss"].function(y, apply_temperature(logits * true, t)),
        bounds=(0.05, 20), method="bounded", options={"xatol": 1e-9},
    )  # fmt: skip
    assert temperature == pytest.approx(best.x, rel=5e-3)  # the example more that Platt adds moves it a little


def test_log_probabilities_do_as_well_as_logits():
    logits, y = drawn()
    as_logs = np.log(apply_temperature(logits * 3, 1.0))
    assert fit_temperature(as_logs, y) == pytest.approx(fit_temperature(logits * 3, y), rel=1e-8)


def test_calibration_shrinks_the_error_and_moves_no_answer():
    logits, y = drawn()
    before, after = apply_temperature(logits * 4, 1.0), apply_temperature(logits * 4, fit_temperature(logits * 4, y))
    assert METRICS["ece"].function(y, after) < 0.3 * METRICS["ece"].function(y, before)
    assert (before.argmax(axis=1) == after.argmax(axis=1)).all()


def test_the_temperature_stays_in_bounds():
    logits, _ = drawn(200)
    all_right = apply_temperature(logits, fit_temperature(logits, logits.argmax(axis=1)))
    assert 0.9 < all_right.max(axis=1).mean() < 0.999  # 200 of 200 is not certainty
    assert fit_temperature(logits, logits.argmin(axis=1)) == pytest.approx(20.0, rel=1e-6)
    assert 0.05 <= fit_temperature(np.zeros((50, 3)), np.zeros(50, dtype=int)) <= 20  # nothing to learn from
    huge = fit_temperature(logits * 1e6, logits.argmax(axis=1))
    assert 0.05 <= huge <= 20


def test_few_or_unknown_labels_change_nothing():
    logits, y = drawn(200)
    assert fit_temperature(logits[:19] * 5, y[:19]) == 1.0
    more = np.concatenate([logits, logits[:50]]) * 3
    assert fit_temperature(more, np.concatenate([y, [-1] * 50])) == pytest.approx(fit_temperature(logits * 3, y))


def test_the_reliability_curve_lies_on_the_diagonal_when_calibrated():
    logits, y = drawn(20_000)
    curve = reliability(y, apply_temperature(logits, 1.0))
    assert len(curve.n) == 10
    assert sum(curve.n) == 20_000
    assert max(curve.n) - min(curve.n) <= 1
    assert list(curve.confidence) == sorted(curve.confidence)
    inside = [low <= said <= high for low, said, high in zip(curve.low, curve.confidence, curve.high, strict=True)]
    assert sum(inside) >= 8
    assert curve.ece < 0.02
    overconfident = reliability(y, apply_temperature(logits, 0.3))
    assert overconfident.ece > 0.1
    assert overconfident.accuracy[3] < overconfident.confidence[3]


def test_bins_of_few_examples_are_merged():
    logits, y = drawn(25)
    assert len(reliability(y, apply_temperature(logits, 1.0)).n) == 2
    assert reliability(np.zeros(0, dtype=int), np.zeros((0, 3))).n == ()


def test_groups_widen_the_intervals_of_the_curve():
    logits, y = drawn(200)
    probabilities = apply_temperature(logits, 1.0)
    copies, groups = np.repeat(np.arange(200), 5), np.repeat(np.arange(200), 5)
    loose = reliability(y[copies], probabilities[copies], n_bins=4)
    tight = reliability(y[copies], probabilities[copies], groups, n_bins=4)
    assert tight.high[0] - tight.low[0] > 1.5 * (loose.high[0] - loose.low[0])


def test_equal_confidences_share_a_bin():
    bins = equal_mass_bins(np.array([0.5] * 30 + [0.9] * 30 + [0.7] * 5), 10)
    assert len(set(bins[:30])) == 1
    assert len(set(bins[30:60])) == 1
    assert bins[0] < bins[60] < bins[30]
    assert set(bins) == set(range(len(set(bins))))
