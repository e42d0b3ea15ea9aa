"""Views of texts: what is slow is made once, and only when it is asked for."""

import numpy as np
import pytest

from bottega.data.text_codes import coded_texts
from bottega.workflow.text_views import TextViews

CODES = coded_texts([np.array([[5, 6], [7, 0]], np.uint16)], np.arange(2))
FEATURES = np.array([[1, 2], [3, 4]], np.float32)


def test_features_are_made_once_when_the_first_candidate_asks() -> None:
    asked = []

    def describe() -> np.ndarray:
        asked.append(1)
        return FEATURES

    views = TextViews(CODES, lambda: np.ones((2, 3), np.uint16), describe, np.array([[8], [9]], np.float32))
    assert list(views) == ["codes", "pieces", "sentence", "codes and sentence"]
    assert len(views) == 4
    assert "sentence" in views
    assert views["codes"] is CODES
    assert not asked
    assert views["sentence"].tolist() == [[1, 2, 8], [3, 4, 9]]
    assert views["codes and sentence"][np.array([1])].matrix().tolist() == [[7, 3, 4, 9]]
    assert views["pieces"].shape == (2, 3)
    assert views.described is FEATURES
    assert asked == [1]


def test_without_a_network_there_are_the_columns_alone() -> None:
    views = TextViews(CODES, beside=FEATURES)
    assert list(views) == ["codes", "sentence", "codes and sentence"]
    assert views["sentence"] is FEATURES


def test_codes_alone() -> None:
    views = TextViews(CODES)
    assert list(views) == ["codes"]
    with pytest.raises(KeyError):
        views["sentence"]
