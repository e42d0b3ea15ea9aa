from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from bottega.data.text_characters import TextPreparation, codes_graph, fit_text_preparation
from bottega.data.text_terms import Terms, keys_graph, pair_keys
from text_material import matrix_graph, run

TEXTS = ["the cat sat", "the mat, the cat!", "a", ""]
NONE = np.zeros(0, np.int64)


def keys_of(prepared: TextPreparation, texts: list[str]) -> list[npt.NDArray[np.int64]]:
    return run(keys_graph(prepared), codes=run(codes_graph(prepared), text=texts)[0])  # type: ignore[return-value]


def answers(prepared: TextPreparation, terms: Terms, texts: list[str]) -> npt.NDArray[np.float32]:
    """(N, n_terms) weighted counts."""
    return run(matrix_graph(prepared, terms), text=texts)[0]  # type: ignore[return-value]


def word_terms(prepared: TextPreparation) -> Terms:
    """the, cat by themselves; sat for the pair `cat sat` only."""
    the, cat, sat = keys_of(prepared, ["the cat sat"])[0][0, :3]
    pairs = pair_keys(np.array([0, 1]), np.array([1, 2]))
    return Terms("words", np.array([the, cat, sat]), pairs, 2, np.array([1, 2, 3, 4], np.float32))


def test_words_and_pairs_are_counted() -> None:
    prepared = fit_text_preparation(TEXTS)
    terms = replace(word_terms(prepared), idf=np.ones(4, np.float32), is_logarithmic=False)
    counts = np.array([[1, 1, 1, 1], [2, 1, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0], [2, 2, 2, 0]])
    expected = counts / np.maximum(np.linalg.norm(counts, axis=1, keepdims=True), 1)
    np.testing.assert_allclose(answers(prepared, terms, [*TEXTS, "THE  cat\nThe-cat"]), expected, rtol=1e-6)


def test_weights_are_logarithmic_times_idf_and_of_length_one() -> None:
    prepared = fit_text_preparation(TEXTS)
    x = answers(prepared, word_terms(prepared), TEXTS)
    expected = np.array([1 + np.log(2), 2, 3, 0])
    np.testing.assert_allclose(x[1], expected / np.linalg.norm(expected), rtol=1e-6)
    assert not x[2:].any()


def test_equal_words_have_one_key_and_others_have_others() -> None:
    words = [f"{a}{b}{c}{d}" for a in "abcdé" for b in "abcd9" for c in "abcd_" for d in ("", "a", "b", "字")]
    keys = keys_of(fit_text_preparation(words), [" ".join(words), " ".join(words).upper(), "-".join(words)])[0]
    assert len(np.unique(keys[0, : len(words)])) == len(words)
    assert (keys[0] == keys[1]).all()
    assert (keys[0] == keys[2]).all()
    assert (keys[0, : len(words)] > 0).all()


@pytest.mark.parametrize(("n", "is_word"), [(126, True), (127, True), (128, False), (5000, False)])
def test_a_word_of_more_than_127_characters_is_none(n: int, is_word: bool) -> None:
    key = keys_of(fit_text_preparation(["q"]), ["q" * n])[0][0, 0]
    assert (key > 0) == is_word


def test_tokens_are_words_and_signs_whatever_their_digits() -> None:
    prepared = fit_text_preparation(["at 12:30, or 9_b"])
    tokens = keys_of(prepared, ["at 12:30", "at 09:31 ", "at 1:30", "at12:30", "at 9_b", "at 1_b"])[1]
    found = [row[row > 0].tolist() for row in tokens]
    assert [len(one) for one in found] == [4, 4, 4, 3, 2, 2]
    assert found[0] == found[1] != found[2]
    assert found[0][2] == found[2][2] == found[3][1]
    assert found[4] == found[5]


def test_runs_stay_between_white_space() -> None:
    prepared = fit_text_preparation(["ab", "b"])
    runs = keys_of(prepared, ["ab  b", "ab", "b", "a b"])[2]
    found = [set(row[row != 0].tolist()) for row in runs]
    assert found[0] == found[1] | found[2]
    assert len(found[1]) == 3 + 2 + 1  # " a", "ab", "b "; " ab", "ab "; " ab "
    assert len(found[2]) == 2 + 1
    assert not found[3] >= found[1]


def test_unknown_letters_are_no_known_term() -> None:
    prepared = fit_text_preparation(["cat"])
    terms = Terms("words", keys_of(prepared, ["cat"])[0][0, :1], NONE, 1, np.ones(1, np.float32))
    assert answers(prepared, terms, ["cat", "caт", "ca", "cats"]).ravel().tolist() == [1, 0, 0, 0]


def test_a_model_without_terms_answers_with_no_columns() -> None:
    prepared = fit_text_preparation(["cat"])
    for kind in ("words", "runs"):
        terms = Terms(kind, NONE, NONE, 0, np.zeros(0, np.float32))  # type: ignore[arg-type]
        assert answers(prepared, terms, ["cat"]).shape == (1, 0)


def test_no_rows() -> None:
    prepared = fit_text_preparation(TEXTS)
    assert answers(prepared, word_terms(prepared), []).shape == (0, 4)
