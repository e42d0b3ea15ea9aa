"""The evidence on texts: what resembles a mistake, by words or by features."""

import numpy as np

from bottega.data.text_characters import fit_text_preparation
from bottega.workflow.illustrate_texts import similarity_of
from bottega.workflow.text_features import character_codes, term_counts

TEXTS = [
    "the parcel came late and broken",
    "a broken parcel and late again",
    "what a lovely warm shop this is",
    "lovely people in a warm shop",
    "nothing of it here",
]


def test_by_words_the_texts_with_the_same_rare_words_are_nearest() -> None:
    prepared = fit_text_preparation(TEXTS)
    counts = term_counts(character_codes(TEXTS, prepared), prepared)
    alike = similarity_of(counts, None)(np.array([0, 2]), np.array([1, 3, 4]))
    assert alike.argmax(1).tolist() == [0, 1]
    assert alike[0, 2] < 0.1


def test_by_features_the_mean_of_all_does_not_count() -> None:
    prepared = fit_text_preparation(TEXTS)
    counts = term_counts(character_codes(TEXTS, prepared), prepared)
    features = np.array([[10, 1], [10, 1.2], [10, -1], [10, -1.2], [10, 0]], np.float32)
    alike = similarity_of(counts, features)(np.array([0, 2]), np.array([1, 3, 4]))
    assert alike.argmax(1).tolist() == [0, 1]
    assert alike[0, 1] < 0
