"""Fits side by side: none of them changes what the others, or the process, warn of."""

import warnings
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import numpy as np
import pytest
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.svm import LinearSVC

from bottega.evaluation.text_models import _fitted, fit_bayes, fit_logistic, fit_svm

X, Y = np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([0, 0, 1, 1])


def test_a_fit_that_ends_first_leaves_the_other_as_quiet_as_before() -> None:
    """The first to begin ends first; the second warns afterwards, which would be an error here."""
    begun, both, ended = Event(), Event(), Event()

    def first() -> Any:
        begun.set()
        assert both.wait(10)
        return LinearSVC(dual=False).fit(X, Y)

    def second() -> Any:
        both.set()
        assert ended.wait(10)
        warnings.warn("not there yet", ConvergenceWarning, stacklevel=1)
        return LinearSVC(dual=False).fit(X, Y)

    before = list(warnings.filters)
    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(_fitted, first, 2)
        assert begun.wait(10)
        other = pool.submit(_fitted, second, 2)
        one.result()
        ended.set()
        layer = other.result()
    np.testing.assert_array_equal(layer.weight, one.result().weight)
    assert list(warnings.filters) == before


def test_a_class_that_is_absent_is_never_said() -> None:
    layer = _fitted(lambda: LinearSVC(dual=False).fit(X, 2 * Y), 3)
    scores = layer.scores(X)
    assert scores.shape == (4, 3)
    assert not (scores.argmax(1) == 1).any()


@pytest.mark.parametrize("fit", [fit_bayes, fit_logistic, fit_svm])
def test_without_a_term_the_most_frequent_class_is_said(fit: Any) -> None:
    layer = fit(sparse.csr_array((4, 0)), np.array([0, 2, 2, 2]), 3, 1.0)
    assert layer.weight.shape == (0, 3)
    assert layer.scores(sparse.csr_array((2, 0))).argmax(1).tolist() == [2, 2]
    assert layer.bias.argmin() == 1  # of which there was none
