"""The simple rivals as they are fitted; tests/unit/shipping/test_tails.py asks them through the operators that ship."""

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier

from bottega.evaluation.baselines import N_TREES, NEAREST_LEVELS, fit_forest, fit_majority, fit_nearest
from bottega.evaluation.forms import Forest, form_bytes

Rows = tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]


@pytest.fixture(scope="module")
def digits() -> Rows:
    x, y = load_digits(return_X_y=True)
    return (x / 16).astype(np.float32), y.astype(np.int64)


def walk(forest: Forest, x: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Class shares of every row, tree by tree and node by node."""
    starts = np.flatnonzero(forest.node == 0)
    shares = np.zeros((len(x), forest.leaf.shape[1]))
    for start in starts:
        at = np.full(len(x), start)
        while (forest.feature[at] >= 0).any():
            inner = forest.feature[at] >= 0
            below = x[np.arange(len(x)), forest.feature[at]] <= forest.threshold[at]
            child = np.where(below, forest.left[at], forest.right[at]) + start
            at = np.where(inner, child, at)
        shares += forest.leaf[at]
    return shares


def test_majority_knows_the_frequencies() -> None:
    form = fit_majority(np.array([0, 0, 0, 2]), 4)
    assert np.exp(form.logits) == pytest.approx([4 / 8, 1 / 8, 2 / 8, 1 / 8])  # none is impossible


def test_nearest_keeps_thumbnails_as_whole_numbers(digits: Rows) -> None:
    x, y = digits[0][:500], digits[1][:500]
    form = fit_nearest(np.hstack([x, np.ones((500, 5), np.float32)]), y, 10, 64)
    assert form.thumbnails.shape == (500, 64)
    assert np.array_equal(form.thumbnails, np.rint(x * NEAREST_LEVELS))
    assert np.array_equal(form.logits.argmax(1), y)
    np.testing.assert_allclose(np.exp(form.logits).sum(1), 1, rtol=1e-6)
    distances = np.square(form.thumbnails[:, None] - form.thumbnails[None]).sum(2) + np.diag(np.full(500, np.inf))
    right = (y[distances.argmin(1)] == y).mean()
    assert np.exp(form.logits.max()) == pytest.approx((500 * right + 1) / 510, abs=0.005)  # as sure as it was right


def test_nearest_with_one_example() -> None:
    form = fit_nearest(np.zeros((1, 64), np.float32), np.array([1]), 2, 64)
    assert np.exp(form.logits[0]) == pytest.approx([0.5, 0.5])  # nothing is known of how often it is right


def test_forest_is_scikit_learns_on_every_row(digits: Rows) -> None:
    x, y = digits
    rng = np.random.default_rng(0)
    x = (x + rng.normal(0, 1e-3, x.shape)).astype(np.float32)  # thresholds fall between float32 numbers
    forest = fit_forest(x[:600], y[:600], 10, seed=5, threads=2)
    reference = RandomForestClassifier(N_TREES, min_samples_leaf=3, random_state=5).fit(x[:600], y[:600])
    np.testing.assert_allclose(walk(forest, x), reference.predict_proba(x), atol=1e-6)


def test_forest_on_its_own_thresholds(digits: Rows) -> None:
    """The float32 number nearest to a threshold goes left exactly when it does in scikit-learn's float64."""
    rng = np.random.default_rng(0)
    x, y = (digits[0][:300] + rng.normal(0, 1e-3, (300, 64))).astype(np.float32), digits[1][:300]
    forest = fit_forest(x, y, 10, seed=0, threads=1)
    reference = RandomForestClassifier(N_TREES, min_samples_leaf=3, random_state=0).fit(x, y)
    threshold = np.concatenate([tree.tree_.threshold for tree in reference.estimators_])
    inner = np.flatnonzero(forest.feature >= 0)
    assert (threshold[inner].astype(np.float32) > threshold[inner]).any()
    probes = np.repeat(x, 10, axis=0)
    picked = rng.choice(inner, len(probes))
    probes[np.arange(len(probes)), forest.feature[picked]] = threshold[picked].astype(np.float32)
    np.testing.assert_allclose(walk(forest, probes), reference.predict_proba(probes), atol=1e-6)


def test_forest_leaves_a_place_for_a_class_without_examples(digits: Rows) -> None:
    y = digits[1][:200] % 3 * 2  # 0, 2, 4
    forest = fit_forest(digits[0][:200], y, 6, seed=0, threads=1)
    assert forest.leaf.shape[1] == 6
    assert forest.leaf[:, [1, 3, 5]].sum() == 0
    assert walk(forest, digits[0][:200]).sum(1) == pytest.approx(1)


def test_the_number_of_threads_changes_nothing(digits: Rows) -> None:
    forests = [fit_forest(digits[0][:300], digits[1][:300], 10, seed=1, threads=n) for n in (1, 2)]
    for name, array in vars(forests[0]).items():
        assert np.array_equal(array, getattr(forests[1], name)), name
    assert form_bytes(forests[0]) == sum(array.nbytes for array in vars(forests[0]).values())
