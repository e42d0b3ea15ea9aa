"""What words say of a target: the regression that scikit-learn fits, in numbers that add up exactly."""

import numpy as np
from sklearn.linear_model import Ridge

from bottega.data.word_scores import fit_word_scores

N, K = 300, 40


def drawn(seed=0):
    """(N, T) numbers of words, each once a row, and how much each of them adds to the target."""
    rng = np.random.default_rng(seed)
    words = np.array([rng.permutation(K)[:8] + 1 for _ in range(N)])
    words[rng.random(words.shape) < 0.3] = 0
    return words, rng.normal(size=K + 1)


def said(table, words):
    return table[words, 0].sum(1) / np.sqrt(np.maximum(table[words, 1].sum(1), 1e-12))


def matrix(table, words):
    x = np.zeros((len(words), K + 1))
    np.put_along_axis(x, words, np.sqrt(table[words, 1]), axis=1)
    x[:, 0] = 0
    return x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12)


def test_it_is_ridge_regression_on_inverse_frequencies_of_length_1():
    words, worth = drawn()
    y = worth[words].sum(1) + 5
    table = fit_word_scores(words, y, K).astype(np.float64)
    x = matrix(table, words)
    expected = Ridge(alpha=1.0).fit(x, y)
    np.testing.assert_allclose(said(table, words), x @ expected.coef_, atol=1e-3)
    assert np.corrcoef(said(table, words), y)[0, 1] > 0.9


def test_sums_are_exact_in_every_order():
    words, worth = drawn(1)
    table = fit_word_scores(words, 1e6 * worth[words].sum(1), K).astype(np.float64)
    assert np.array_equal(table[words].sum(1), table[words[:, ::-1]].sum(1))


def test_rare_words_and_none_say_nothing():
    words = np.array([[1, 2], [1, 0], [1, 3], [1, 3]])
    table = fit_word_scores(words, np.array([0.0, 0.0, 1.0, 1.0]), 3)
    assert not table[[0, 2]].any()
    assert table[3, 0] > 0 > table[1, 0] - table[3, 0]
    assert not fit_word_scores(np.zeros((4, 2), np.int64), np.arange(4.0), 3).any()
    assert not fit_word_scores(words, np.ones(4), 3)[:, 0].any()
