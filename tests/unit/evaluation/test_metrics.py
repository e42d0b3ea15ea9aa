import math

import numpy as np
import pytest
from sklearn import metrics as reference

from bottega.evaluation.calibration import fit_temperature
from bottega.evaluation.metrics import METRICS, score_all


@pytest.fixture(autouse=True)
def fewer_resamples(monkeypatch):
    monkeypatch.setattr("bottega.evaluation.intervals.N_RESAMPLES", 300)


NAMES = {
    "accuracy", "balanced_accuracy", "roc_auc", "average_precision", "log_loss", "brier", "f1_macro", "ece",
    "rmse", "mae", "r2", "mape",
}  # fmt: skip


def answers(n=400, n_classes=3, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, n_classes, n)
    logits = rng.normal(size=(n, n_classes)).round(1)  # rounded, so that equal scores happen
    logits[np.arange(n), y] += 1
    probabilities = np.exp(logits)
    return y, probabilities / probabilities.sum(axis=1, keepdims=True), rng.integers(0, 4, n).astype(float)


def one_vs_rest(y, probabilities, weights, function):
    of_class = [function(y == c, probabilities[:, c], sample_weight=weights) for c in range(probabilities.shape[1])]
    return float(np.mean(of_class))


REFERENCES = {
    "accuracy": lambda y, p, w: reference.accuracy_score(y, p.argmax(1), sample_weight=w),
    "balanced_accuracy": lambda y, p, w: reference.balanced_accuracy_score(y, p.argmax(1), sample_weight=w),
    "f1_macro": lambda y, p, w: reference.f1_score(y, p.argmax(1), average="macro", sample_weight=w),
    "log_loss": lambda y, p, w: reference.log_loss(y, p, sample_weight=w),
    "brier": lambda y, p, w: reference.brier_score_loss(
        y, p if p.shape[1] > 2 else p[:, 1], sample_weight=w, labels=list(range(p.shape[1]))
    ),
}
RANKED = {"roc_auc": reference.roc_auc_score, "average_precision": reference.average_precision_score}
VALUED = {
    "rmse": reference.root_mean_squared_error,
    "mae": reference.mean_absolute_error,
    "r2": reference.r2_score,
    "mape": reference.mean_absolute_percentage_error,
}


def test_the_names_are_the_documented_ones():
    assert set(METRICS) == NAMES
    assert all(name == metric.name and metric.unit for name, metric in METRICS.items())


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("n_classes", [2, 5])
@pytest.mark.parametrize("name", REFERENCES)
def test_agrees_with_scikit_learn(name, n_classes, weighted):
    y, probabilities, weights = answers(n_classes=n_classes)
    weights = weights if weighted else None
    assert METRICS[name].function(y, probabilities, weights) == pytest.approx(
        REFERENCES[name](y, probabilities, weights), abs=1e-12
    )


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", RANKED)
def test_ranking_agrees_with_scikit_learn(name, weighted):
    for n_classes in (2, 4):
        y, probabilities, weights = answers(n_classes=n_classes)
        weights = weights if weighted else None
        expected = (
            RANKED[name](y, probabilities[:, 1], sample_weight=weights)
            if n_classes == 2
            else one_vs_rest(y, probabilities, weights, RANKED[name])
        )
        assert METRICS[name].function(y, probabilities, weights) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", VALUED)
def test_regression_agrees_with_scikit_learn(name, weighted):
    rng = np.random.default_rng(0)
    y, weights = rng.normal(3, 2, 200), rng.integers(0, 4, 200) if weighted else None
    values = y + rng.normal(size=200)
    expected = VALUED[name](y, values, sample_weight=weights)
    assert METRICS[name].function(y, values, weights) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name", sorted(NAMES - {"ece"}))  # its bins are those of the examples, not of their copies
def test_a_weight_is_a_number_of_copies(name):
    metric = METRICS[name]
    if metric.kind == "classification":
        y, predictions, weights = answers()
    else:
        rng = np.random.default_rng(0)
        y, weights = rng.normal(3, 2, 200), rng.integers(0, 4, 200)
        predictions = y + rng.normal(size=200)
    copies = np.repeat(np.arange(len(y)), weights.astype(int))
    assert metric.function(y, predictions, weights) == pytest.approx(metric.function(y[copies], predictions[copies]))


def test_ece_by_hand():
    confidence = np.repeat([0.6, 0.9], 50)
    probabilities = np.stack([confidence, 1 - confidence], axis=1)
    y = np.array([0] * 40 + [1] * 10 + [0] * 40 + [1] * 10)  # right 80 % where .6 was said, 80 % where .9 was
    assert METRICS["ece"].function(y, probabilities) == pytest.approx((0.2 + 0.1) / 2)


def test_a_label_that_training_never_saw_is_a_mistake():
    y, probabilities, _ = answers()
    unseen = np.concatenate([y, [-1] * 100])
    more = np.concatenate([probabilities, probabilities[:100]])
    value = {name: metric.function(unseen, more) for name, metric in METRICS.items() if metric.kind != "regression"}
    before = {name: METRICS[name].function(y, probabilities) for name in value}
    assert value["accuracy"] == pytest.approx(before["accuracy"] * 400 / 500)
    assert value["balanced_accuracy"] == pytest.approx(before["balanced_accuracy"] * 3 / 4)
    assert value["f1_macro"] == pytest.approx(reference.f1_score(unseen, more.argmax(1), average="macro"))
    for name in ("log_loss", "brier", "roc_auc", "average_precision"):
        assert value[name] == pytest.approx(before[name])


def test_scores_that_are_not_defined_are_nan():
    one_class = np.zeros(10, dtype=int)
    probabilities = np.full((10, 2), 0.5)
    assert math.isnan(METRICS["roc_auc"].function(one_class, probabilities))
    assert math.isnan(METRICS["r2"].function(np.ones(5), np.zeros(5)))
    assert math.isnan(METRICS["accuracy"].function(np.zeros(0, dtype=int), np.zeros((0, 2))))
    assert math.isnan(METRICS["log_loss"].function(np.array([-1, -1]), np.full((2, 2), 0.5)))
    scores = score_all(one_class, probabilities)
    assert math.isnan(scores["roc_auc"].score)
    assert math.isnan(scores["roc_auc"].low)
    assert scores["accuracy"].score == 1.0


@pytest.mark.parametrize("with_groups", [False, True])
def test_every_score_comes_with_its_interval(with_groups):
    y, probabilities, _ = answers()
    groups = np.arange(400) // 4 if with_groups else None
    scores = score_all(y, probabilities, groups)
    assert set(scores) == {name for name, metric in METRICS.items() if metric.kind == "classification"}
    for name, score in scores.items():
        assert score.low < score.score < score.high or name == "ece"
        assert score.n == 400
        assert score.n_groups == (100 if with_groups else 400)
        assert score.higher_is_better == METRICS[name].higher_is_better
    values = score_all(np.arange(50.0), np.arange(50.0) + np.tile([1.0, -2.0], 25))
    assert set(values) == {"rmse", "mae", "r2", "mape"}
    assert values["rmse"].low < math.sqrt(2.5) < values["rmse"].high


def test_the_same_seed_gives_the_same_intervals():
    y, probabilities, _ = answers(100, n_classes=2)
    first, again, other = (score_all(y, probabilities, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first["log_loss"] != other["log_loss"]


def test_float32_certainty_does_not_break_log_loss():
    y = np.array([0, 1])
    probabilities = np.array([[1.0, 0.0], [1.0, 0.0]], dtype=np.float32)
    assert METRICS["log_loss"].function(y, probabilities) == pytest.approx(-math.log(np.finfo(np.float32).eps) / 2)
    assert fit_temperature(np.log(probabilities + 1e-9), y) == 1.0
