"""Trees in ONNX Runtime answer as scikit-learn's own: missing values, categories, codes that no training row had."""

import numpy as np
import pytest
from onnxruntime import InferenceSession
from scipy.special import softmax
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)

from bottega.evaluation.forms import form_bytes
from bottega.evaluation.table_models import N_TREES, Rows, fit_boosting, fit_forest
from bottega.shipping.table_tails import LEAST_SHARE
from bottega.shipping.tails import tail_model
from table_material import mixed

BOOSTING = {
    "learning_rate": 0.1, "max_leaf_nodes": 31, "min_samples_leaf": 3, "l2_regularization": 0.0, "max_features": 1.0,
    "n_iterations": 25,
}  # fmt: skip
N_FIT = 250


def answers(form, x, n):
    return InferenceSession(tail_model(form, x.shape[1], n)).run(None, {"x": x})[0].astype(np.float64)


def rows(name):
    """Encoded rows; those behind `N_FIT` have codes that training never had, too."""
    table = mixed(name)
    x, n_codes = table.encoded().copy(), table.prepared.n_codes
    rng = np.random.default_rng(1)
    for column in np.flatnonzero(n_codes):
        x[N_FIT - 100 :, column] = rng.integers(0, n_codes[column], len(x) - N_FIT + 100)
        seen = x[: min(N_FIT, len(table.y) - 30), column]
        seen[seen == 1] = 2
    return x, table.y, n_codes, min(N_FIT, len(table.y) - 30)


@pytest.mark.parametrize("name", ["two classes", "three classes", "values"])
def test_a_forest_is_exact(name):
    x, y, _, n = rows(name)
    setting = {"min_samples_leaf": 1, "max_features": 0.5}
    n_classes = None if name == "values" else int(y.max()) + 1
    form = fit_forest(x[:n], y[:n], setting, n_classes=n_classes, seed=5, threads=1)
    kind = RandomForestRegressor if n_classes is None else RandomForestClassifier
    forest = kind(N_TREES, random_state=5, **setting).fit(x[:n], y[:n])
    if n_classes is None:
        np.testing.assert_allclose(answers(form, x, 1)[:, 0], forest.predict(x), rtol=2e-6)
    else:
        expected = np.maximum(forest.predict_proba(x), LEAST_SHARE)
        np.testing.assert_allclose(np.exp(answers(form, x, n_classes)), expected, atol=2e-6)


@pytest.mark.parametrize("name", ["two classes", "three classes", "values"])
def test_boosting_is_exact(name):
    x, y, n_codes, n = rows(name)
    n_classes = None if name == "values" else int(y.max()) + 1
    fitted = fit_boosting(Rows(x[:n], y[:n]), n_codes, BOOSTING, n_classes=n_classes, seed=5)
    kind = HistGradientBoostingRegressor if n_classes is None else HistGradientBoostingClassifier
    setting = {name: value for name, value in BOOSTING.items() if name != "n_iterations"}
    model = kind(**setting, max_iter=25, early_stopping=False, categorical_features=n_codes > 0, random_state=5)
    model.fit(x[:n], y[:n])
    assert len(fitted.trees.column) > 1  # tests on categories
    if n_classes is None:
        np.testing.assert_allclose(answers(fitted.trees, x, 1)[:, 0], model.predict(x), rtol=2e-6)
    else:
        np.testing.assert_allclose(softmax(answers(fitted.trees, x, n_classes), 1), model.predict_proba(x), atol=2e-6)


def test_boosting_stops_at_the_best_iteration_of_a_validation_part():
    x, y, n_codes, n = rows("two classes")
    stopped = fit_boosting(Rows(x[:n], y[:n]), n_codes, BOOSTING, n_classes=2, seed=5, val=Rows(x[n:], y[n:]))
    again = fit_boosting(
        Rows(x[:n], y[:n]), n_codes, {**BOOSTING, "n_iterations": stopped.n_iterations}, n_classes=2, seed=5
    )
    np.testing.assert_array_equal(answers(stopped.trees, x, 2), answers(again.trees, x, 2))
    chances = softmax(answers(stopped.trees, x[n:], 2), 1)
    assert stopped.loss == pytest.approx(-np.log(chances[np.arange(len(y) - n), y[n:]]).mean(), rel=1e-4)


def test_a_class_that_these_rows_lack_is_nearly_impossible():
    x, y, n_codes, _ = rows("three classes")
    few = y != 1
    for form in (
        fit_boosting(Rows(x[few], y[few]), n_codes, BOOSTING, n_classes=3, seed=0).trees,
        fit_forest(x[few], y[few], {"min_samples_leaf": 1, "max_features": 0.5}, n_classes=3, seed=0, threads=1),
    ):
        chances = softmax(answers(form, x, 3), 1)
        assert chances[:, 1].max() < 1e-2
        assert (chances.argmax(1) == y)[few].mean() > 0.9


def test_thresholds_lie_between_the_values_that_they_part():
    x = np.array([[1.0], [1 + 3 * 2.0**-23]] * 20, np.float32)
    y = np.array([0, 1] * 20)
    form = fit_forest(x, y, {"min_samples_leaf": 1, "max_features": 1.0}, n_classes=2, seed=0, threads=1)
    assert (answers(form, x, 2).argmax(1) == y).all()
    assert form_bytes(form) > 0
