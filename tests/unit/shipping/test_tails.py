"""Every fitted form as operators in ONNX Runtime, against numpy and scikit-learn on digits."""

import numpy as np
import numpy.typing as npt
import pytest
from onnxruntime import InferenceSession
from scipy.special import log_softmax
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.neighbors import KNeighborsClassifier

from bottega.evaluation.baselines import N_TREES, NEAREST_LEVELS, fit_forest, fit_majority, fit_nearest
from bottega.evaluation.forms import Constant, Forest, Form, Nearest, Perceptron, Softmax
from bottega.shipping.tails import LEAST_SHARE, tail_model

Floats = npt.NDArray[np.float32]
KINDS = (Constant, Softmax, Perceptron, Nearest, Forest)
N_FIT = 900


@pytest.fixture(scope="module")
def digits() -> tuple[Floats, npt.NDArray[np.int64]]:
    x, y = load_digits(return_X_y=True)
    return (x / 16).astype(np.float32), y.astype(np.int64)


@pytest.fixture(scope="module")
def forms(digits: tuple[Floats, npt.NDArray[np.int64]]) -> dict[type, Form]:
    x, y = digits[0][:N_FIT], digits[1][:N_FIT]
    rng = np.random.default_rng(0)

    def some(*shape: int) -> Floats:
        return rng.normal(size=shape).astype(np.float32)

    mean, scale = x.mean(0), np.maximum(x.std(0), 0.1)
    return {
        Constant: fit_majority(y, 10),
        Softmax: Softmax(mean, scale, some(64, 10), some(10)),
        Perceptron: Perceptron(mean, scale, some(64, 32), some(32), some(32, 10), some(10)),
        Nearest: fit_nearest(x, y, 10, 64),
        Forest: fit_forest(x, y, 10, seed=2, threads=1),
    }


def ask(form: Form, x: Floats) -> Floats:
    session = InferenceSession(tail_model(form, x.shape[1], 10), providers=["CPUExecutionProvider"])
    logits: Floats = session.run(["logits"], {"x": x})[0]
    return logits


def test_constant(forms: dict[type, Form], digits: tuple[Floats, npt.NDArray[np.int64]]) -> None:
    logits = ask(forms[Constant], digits[0][:7])
    assert logits.shape == (7, 10)
    np.testing.assert_allclose(np.exp(logits).sum(1), 1, rtol=1e-6)


@pytest.mark.parametrize("kind", [Softmax, Perceptron])
def test_layers(kind: type, forms: dict[type, Form], digits: tuple[Floats, npt.NDArray[np.int64]]) -> None:
    form, x = forms[kind], digits[0].astype(np.float64)
    assert isinstance(form, (Softmax, Perceptron))
    inputs = (x - form.mean) / form.scale
    if isinstance(form, Perceptron):
        inputs = np.maximum(inputs @ form.hidden + form.hidden_bias, 0)
    np.testing.assert_allclose(ask(form, digits[0]), inputs @ form.weight + form.bias, atol=2e-4, rtol=1e-5)


def test_nearest(forms: dict[type, Form], digits: tuple[Floats, npt.NDArray[np.int64]]) -> None:
    x, y = digits
    reference = KNeighborsClassifier(1, algorithm="brute").fit(np.rint(x[:N_FIT] * NEAREST_LEVELS), y[:N_FIT])
    distances, _ = reference.kneighbors(np.rint(x * NEAREST_LEVELS), n_neighbors=2)
    clear = distances[:, 0] < distances[:, 1]  # among equals either may be meant
    assert clear.mean() > 0.9
    found = ask(forms[Nearest], x).argmax(1)
    assert np.array_equal(found[clear], reference.predict(np.rint(x * NEAREST_LEVELS))[clear])
    assert np.array_equal(found[:N_FIT], y[:N_FIT])  # each kept thumbnail finds itself


def test_nearest_sees_the_thumbnail_alone(
    forms: dict[type, Form], digits: tuple[Floats, npt.NDArray[np.int64]]
) -> None:
    wider = np.hstack([digits[0], np.full((len(digits[0]), 3), 9, np.float32)])
    assert np.array_equal(ask(forms[Nearest], wider), ask(forms[Nearest], digits[0]))


def test_the_first_of_equal_neighbours_answers() -> None:
    twice = Nearest(np.full((2, 64), NEAREST_LEVELS, np.float32), np.eye(10, dtype=np.float32)[[1, 0]])
    assert ask(twice, np.ones((1, 64), np.float32)).argmax() == 1


def test_forest_on_every_row(forms: dict[type, Form], digits: tuple[Floats, npt.NDArray[np.int64]]) -> None:
    x, y = digits
    reference = RandomForestClassifier(N_TREES, min_samples_leaf=3, random_state=2).fit(x[:N_FIT], y[:N_FIT])
    shares = reference.predict_proba(x)
    logits = ask(forms[Forest], x)
    np.testing.assert_allclose(np.exp(logits), np.maximum(shares, LEAST_SHARE), atol=2e-6)
    assert log_softmax(logits, axis=1).min() > np.log(LEAST_SHARE) - 0.01  # unlikely, not impossible


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_is_a_row_of_a_batch(
    kind: type, forms: dict[type, Form], digits: tuple[Floats, npt.NDArray[np.int64]]
) -> None:
    x = digits[0][N_FIT : N_FIT + 40]
    together = ask(forms[kind], x)
    alone = np.concatenate([ask(forms[kind], x[i : i + 1]) for i in range(40)])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    np.testing.assert_allclose(ask(forms[kind], x[::-1].copy()), together[::-1], atol=1e-5)
    assert ask(forms[kind], x[:0]).shape == (0, 10)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_form_gives_the_same_bytes(kind: type, forms: dict[type, Form]) -> None:
    assert tail_model(forms[kind], 64, 10) == tail_model(forms[kind], 64, 10)
