"""The heads, on scikit-learn's digits: the softmax layer is the reference's, the perceptron learns, seeds decide."""

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from bottega.evaluation.forms import Perceptron, Softmax
from bottega.training.head import STRENGTHS, fit_perceptron, fit_softmax, softmax_path

Floats = npt.NDArray[np.float64]
Rows = tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]


@pytest.fixture(scope="module")
def digits() -> Rows:
    x, y = load_digits(return_X_y=True)
    return x.astype(np.float32), y.astype(np.int64)


def blown_up(x: npt.NDArray[np.float32], n_columns: int) -> npt.NDArray[np.float32]:
    """As many columns as a pretrained network gives."""
    rng = np.random.default_rng(0)
    return np.maximum(x @ rng.normal(size=(x.shape[1], n_columns)), 0).astype(np.float32)


@pytest.fixture
def wide(digits: Rows) -> Rows:
    """Fewer rows than columns."""
    return blown_up(digits[0][:200], 300), digits[1][:200]


def answers(form: Softmax | Perceptron, x: npt.NDArray[np.float32]) -> Floats:
    """Probabilities, in float64."""
    inputs = (x.astype(np.float64) - form.mean) / form.scale
    if isinstance(form, Perceptron):
        inputs = np.maximum(inputs @ form.hidden + form.hidden_bias, 0)
    logits = inputs @ form.weight + form.bias
    odds = np.exp(logits - logits.max(1, keepdims=True))
    probabilities: Floats = odds / odds.sum(1, keepdims=True)
    return probabilities


def objective(probabilities: Floats, y: npt.NDArray[np.int64], weight: Floats, strength: float) -> float:
    return float(-np.log(probabilities[np.arange(len(y)), y]).mean() + strength * np.square(weight).sum())


@pytest.mark.parametrize("strength", [0.1, 0.01, 0.001])
@pytest.mark.parametrize("which", ["digits", "wide"])
def test_softmax_is_logistic_regression(which: str, strength: float, request: pytest.FixtureRequest) -> None:
    x, y = (rows[:700] for rows in request.getfixturevalue(which))
    ours = fit_softmax(x, y, 10, strength)
    scaled = StandardScaler().fit_transform(x.astype(np.float64))
    reference = LogisticRegression(C=1 / (2 * strength * len(y)), tol=1e-8, max_iter=5000).fit(scaled, y)
    theirs = reference.predict_proba(scaled)
    best = objective(theirs, y, reference.coef_, strength)
    assert objective(answers(ours, x), y, ours.weight.astype(np.float64), strength) <= best * 1.0005
    np.testing.assert_allclose(answers(ours, x), theirs, atol=0.02)
    assert (answers(ours, x).argmax(1) == theirs.argmax(1)).mean() > 0.995


def test_a_path_ends_where_each_single_fit_ends(digits: Rows) -> None:
    x, y = digits[0][:600], digits[1][:600]
    path = list(softmax_path(x, y, 10, STRENGTHS))
    assert len(path) == len(STRENGTHS)
    for layer, strength in zip(path[::3], STRENGTHS[::3], strict=True):
        np.testing.assert_allclose(answers(layer, x), answers(fit_softmax(x, y, 10, strength), x), atol=0.02)
    sizes = [float(np.square(layer.weight).sum()) for layer in path]
    assert sizes == sorted(sizes)  # a weaker penalty lets the weights grow


def test_class_weights_are_repeated_rows(digits: Rows) -> None:
    x, y = digits[0][:400], digits[1][:400]
    weights = np.ones(10, np.float32)
    weights[3] = 4
    weighted = fit_softmax(x, y, 10, 0.01, weights / weights[y].mean())
    times = np.where(y == 3, 4, 1)
    scaler = StandardScaler().fit(x.astype(np.float64))  # standardisation looks at each example once
    scaled = np.repeat(scaler.transform(x.astype(np.float64)), times, axis=0)
    repeated = np.repeat(y, times)
    reference = LogisticRegression(C=1 / (2 * 0.01 * len(repeated)), tol=1e-8, max_iter=5000).fit(scaled, repeated)
    theirs = reference.predict_proba(scaler.transform(x.astype(np.float64)))
    np.testing.assert_allclose(answers(weighted, x), theirs, atol=0.02)


def test_a_constant_column_does_no_harm(digits: Rows) -> None:
    x, y = digits
    assert (x.std(0) == 0).any()  # the corners of the digits
    for form in (fit_softmax(x, y, 10, 0.01), fit_perceptron(x, y, 10, seed=0)):
        assert all(np.isfinite(array).all() for array in vars(form).values())


def test_a_class_without_examples_is_unlikely(digits: Rows) -> None:
    x, y = digits[0][digits[1] != 9][:300], digits[1][digits[1] != 9][:300]
    assert answers(fit_softmax(x, y, 10, 0.01), x)[:, 9].max() < 0.05


def test_perceptron_learns(digits: Rows) -> None:
    x, y = blown_up(digits[0], 1000), digits[1]
    form = fit_perceptron(x[:1200], y[:1200], 10, seed=3)
    assert (answers(form, x[1200:]).argmax(1) == y[1200:]).mean() > 0.9


def test_the_seed_decides_and_nothing_else(digits: Rows) -> None:
    x, y = digits[0][:300], digits[1][:300]
    first = fit_perceptron(x, y, 10, seed=3)
    second, other = fit_perceptron(x, y, 10, seed=3), fit_perceptron(x, y, 10, seed=4)
    for name, array in vars(first).items():
        assert array.tobytes() == getattr(second, name).tobytes()
    assert first.weight.tobytes() != other.weight.tobytes()
    once, again = fit_softmax(x, y, 10, 0.01), fit_softmax(x, y, 10, 0.01)
    assert once.weight.tobytes() == again.weight.tobytes()


def test_inputs_are_left_as_they_were(digits: Rows) -> None:
    x, y = digits[0][:200].copy(), digits[1][:200].copy()
    fit_softmax(x, y, 10, 0.01)
    fit_perceptron(x, y, 10, seed=0)
    np.testing.assert_array_equal(x, digits[0][:200])
    np.testing.assert_array_equal(y, digits[1][:200])
