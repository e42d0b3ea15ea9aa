"""Dense rows and the models on them, in ONNX Runtime against scikit-learn."""

import numpy as np
import pytest
from onnxruntime import InferenceSession
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC, SVR

from bottega.evaluation import table_models
from bottega.evaluation.table_models import fit_dense, fit_kernel, fit_neighbours, ridge_path
from bottega.shipping.table_tails import FARTHEST, LEAST_SHARE
from bottega.shipping.tails import dense_model, tail_model
from table_material import mixed

N_FIT = 120
SOFT = {"C": 1.0, "gamma": 1.0}


def run(graph, x):
    return InferenceSession(graph).run(None, {"x": x})[0]


def answers(form, z, n):
    return run(tail_model(form, z.shape[1], n), z).astype(np.float64)


def dense(name):
    table = mixed(name)
    x = table.encoded()
    return run(dense_model(fit_dense(x[:N_FIT], table.prepared.n_codes), x.shape[1]), x), table.y


def test_the_dense_matrix_is_what_scikit_learns_pipeline_makes():
    table = mixed("two classes")
    x, n_codes = table.encoded(), table.prepared.n_codes
    numbers, categories = np.flatnonzero(n_codes == 0), np.flatnonzero(n_codes)
    pipeline = ColumnTransformer([
        ("numbers", make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numbers),
        ("marks", SimpleImputer(strategy="median", add_indicator=True), numbers),
        ("categories", OneHotEncoder(sparse_output=False, handle_unknown="ignore"), categories),
    ])  # fmt: skip
    expected = pipeline.fit(x[:N_FIT]).transform(x)
    n = len(numbers)
    expected = np.concatenate([expected[:, :n], expected[:, 2 * n :]], axis=1)
    stage = fit_dense(x[:N_FIT], n_codes)
    found = run(dense_model(stage, x.shape[1]), x)
    assert found.shape == (len(x), stage.width)
    np.testing.assert_allclose(found, expected, atol=2e-5)


def test_infinite_missing_and_constant_numbers_make_finite_rows():
    x = np.array([[1, 5, np.nan], [2, 5, np.nan], [np.nan, 5, np.nan], [3, 5, np.nan]], np.float32)
    stage = fit_dense(x, np.zeros(3, np.int64))
    assert stage.number.tolist() == [0, 1]  # the third says nothing
    odd = np.array([[np.inf, np.nan, np.inf], [-np.inf, 3e38, 0], [-0.0, -3e38, np.nan]], np.float32)
    z = run(dense_model(stage, 3), odd)
    assert np.isfinite(z).all()
    assert np.abs(z).max() == FARTHEST


def test_ridge_is_scikit_learns():
    z, y = dense("values")
    y = (y - y.mean()) / y.std()
    for strength, form in zip((1.0, 0.01), ridge_path(z[:N_FIT], y[:N_FIT], (1.0, 0.01)), strict=True):
        expected = Ridge(alpha=strength * N_FIT).fit(z[:N_FIT].astype(np.float64), y[:N_FIT]).predict(z)
        np.testing.assert_allclose(answers(form, z, 1)[:, 0], expected, atol=2e-5)


@pytest.mark.parametrize("name", ["two classes", "three classes", "values"])
def test_neighbours_are_scikit_learns(name):
    z, y = dense(name)
    n_classes = None if name == "values" else int(y.max()) + 1
    form = fit_neighbours(z[:N_FIT], y[:N_FIT], 7, n_classes=n_classes, seed=0)
    if n_classes is None:
        expected = KNeighborsRegressor(7).fit(z[:N_FIT], y[:N_FIT]).predict(z)
        np.testing.assert_allclose(answers(form, z, 1)[:, 0], expected, rtol=1e-5)
    else:
        expected = KNeighborsClassifier(7).fit(z[:N_FIT], y[:N_FIT]).predict_proba(z)
        found = answers(form, z, n_classes)
        np.testing.assert_allclose(np.exp(found), np.maximum(expected, LEAST_SHARE), atol=1e-5)


def test_neighbours_are_looked_for_among_a_bounded_number_of_rows(monkeypatch):
    monkeypatch.setattr(table_models, "MAX_POINTS", 50)
    z, y = dense("two classes")
    form = fit_neighbours(z, y, 60, n_classes=2, seed=0)
    assert len(form.points) == form.k == 50
    again = fit_neighbours(z, y, 60, n_classes=2, seed=0)
    np.testing.assert_array_equal(form.points, again.points)


@pytest.mark.parametrize("name", ["two classes", "three classes"])
def test_the_support_vector_machine_takes_scikit_learns_sides(name):
    z, y = dense(name)
    n_classes = int(y.max()) + 1
    form = fit_kernel(z[:N_FIT], y[:N_FIT], {"C": 10.0, "gamma": 1.0}, n_classes=n_classes)
    machine = SVC(C=10.0, gamma=form.gamma, decision_function_shape="ovo").fit(z[:N_FIT], y[:N_FIT])
    found = answers(form, z, n_classes)
    if n_classes == 2:
        np.testing.assert_allclose((found[:, 1] - found[:, 0]) / 2, machine.decision_function(z), atol=1e-4)
    assert (found.argmax(1) == machine.predict(z)).mean() > 0.98


def test_the_support_vector_machine_for_values_is_scikit_learns():
    z, y = dense("values")
    y = (y - y.mean()) / y.std()
    form = fit_kernel(z[:N_FIT], y[:N_FIT], {"C": 10.0, "gamma": 1.0}, n_classes=None)
    expected = SVR(C=10.0, gamma=form.gamma, epsilon=0.05).fit(z[:N_FIT], y[:N_FIT]).predict(z)
    np.testing.assert_allclose(answers(form, z, 1)[:, 0], expected, atol=1e-4)


@pytest.mark.parametrize("name", ["two classes", "values"])
def test_whole_weights_are_as_good_as_repeated_rows(name):
    z, y = dense(name)
    times = np.random.default_rng(0).integers(1, 4, len(y))
    again, weights = np.repeat(np.arange(len(y)), times), times.astype(float)
    n_classes, n = (None, 1) if name == "values" else (2, 2)
    pairs = [
        (
            fit_kernel(z[again], y[again], SOFT, n_classes=n_classes),
            fit_kernel(z, y, SOFT, n_classes=n_classes, weights=weights),
        )
    ]
    if n_classes is None:
        pairs.append((ridge_path(z[again], y[again], [0.1])[0], ridge_path(z, y, [0.1], weights)[0]))
    for repeated, weighed in pairs:
        expected = answers(repeated, z, n)
        assert np.corrcoef(expected.ravel(), answers(weighed, z, n).ravel())[0, 1] > 0.999
