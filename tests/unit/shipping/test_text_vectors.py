"""Vectors of words by operators, beside the same in plain numpy."""

import numpy as np
import pytest

from bottega.data.text_characters import fit_text_preparation
from bottega.data.text_tokens import Vocabulary, fit_vocabulary
from bottega.evaluation.forms import Softmax
from bottega.shipping.text_vectors import vector_features_graph, vector_scores_graph
from bottega.workflow.text_features import character_codes, token_keys
from text_material import TORTURE, made_up_texts, run

TEXTS = [*made_up_texts(60)[0], *TORTURE]
PREPARED = fit_text_preparation(TEXTS)
CODES = character_codes(TEXTS, PREPARED)
KEYS = token_keys(CODES, PREPARED)
VOCABULARY = fit_vocabulary([KEYS[:60]], pairs=False)
ROWS = np.random.default_rng(0).normal(-1, 1, (len(VOCABULARY.keys), 5)).astype(np.float32)


def by_hand(vocabulary: Vocabulary, rows: np.ndarray) -> np.ndarray:
    place = {key: number for number, key in enumerate(vocabulary.keys.tolist())}
    found = []
    for keys in KEYS[:, : vocabulary.length]:
        known = rows[[place[key] for key in keys.tolist() if key in place]]
        found.append(np.concatenate([known.mean(0), known.max(0)]) if len(known) else np.zeros(2 * rows.shape[1]))
    return np.array(found)


def test_mean_and_largest_of_the_words_that_have_a_vector() -> None:
    (found,) = run(vector_features_graph(PREPARED, VOCABULARY, ROWS), codes=CODES.numbers())
    expected = by_hand(VOCABULARY, ROWS)
    np.testing.assert_allclose(found, expected, atol=1e-6, rtol=0)
    assert (expected[:, 5:] < 0).any()  # the largest may be negative: neither padding nor unknown words raise it
    assert (expected == 0).all(1).any()


def test_a_text_alone_gets_the_numbers_that_it_gets_among_others() -> None:
    graph = vector_features_graph(PREPARED, VOCABULARY, ROWS)
    (together,) = run(graph, codes=CODES[:8].numbers())
    for i in range(8):
        alone = run(graph, codes=CODES[i : i + 1].numbers())[0][0]
        np.testing.assert_allclose(alone, together[i], atol=1e-6, rtol=0)


@pytest.mark.parametrize("n_words", [0, 1])
def test_nearly_no_word_has_a_vector(n_words: int) -> None:
    few = Vocabulary(VOCABULARY.keys[:n_words], VOCABULARY.pairs, VOCABULARY.length)
    (found,) = run(vector_features_graph(PREPARED, few, ROWS[:n_words]), codes=CODES.numbers())
    np.testing.assert_allclose(found, by_hand(few, ROWS[:n_words]), atol=1e-6, rtol=0)


def test_a_layer_on_them() -> None:
    rng = np.random.default_rng(1)
    mean, scale, bias = rng.normal(size=10), rng.uniform(1, 2, 10), rng.normal(size=3)
    weight = rng.normal(size=(10, 3))
    head = Softmax(*(part.astype(np.float32) for part in (mean, scale, weight, bias)))
    found, known = run(vector_scores_graph(PREPARED, VOCABULARY, ROWS, head), x=CODES.matrix())
    expected = (by_hand(VOCABULARY, ROWS) - mean) / scale @ weight + bias
    np.testing.assert_allclose(found, expected, atol=1e-5, rtol=0)
    assert known.tolist() == by_hand(VOCABULARY, ROWS).any(1).tolist()
