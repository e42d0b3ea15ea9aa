"""The evidence on texts: what resembles a mistake, by words or by features."""

import numpy as np

from bottega.data.text_characters import fit_text_preparation
from bottega.evaluation.evidence import TextPart
from bottega.evaluation.report_texts import SHOWN
from bottega.workflow.illustrate_texts import _cut, similarity_of
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


def test_a_long_text_is_cut_around_the_words_that_count() -> None:
    parts = [TextPart(f"word{i:03}", 0.0, space=i > 0) for i in range(200)]
    parts[150] = TextPart("parcel", 0.5, space=True)
    shown = _cut(parts)
    assert (shown[0].text, shown[-1].text) == ("…", "…")
    assert TextPart("parcel", 0.5, space=True) in shown
    assert sum(len(part.text) + part.space for part in shown[1:-1]) <= SHOWN
    first = parts.index(shown[1])
    assert list(shown[1:-1]) == parts[first : first + len(shown) - 2]
    assert 10 < 150 - first < len(shown) - 12  # in the middle


def test_where_no_word_counts_a_long_text_is_cut_behind_its_beginning() -> None:
    parts = [TextPart(f"word{i:03}", 0.0, space=i > 0) for i in range(200)]
    shown = _cut(parts)
    assert (shown[0].text, shown[-1].text) == ("word000", "…")
    assert _cut([TextPart("x" * 1000, 0.3)]) == (TextPart("x" * SHOWN, 0.3),)
    assert _cut([]) == ()
    assert _cut(parts[:3]) == tuple(parts[:3])
