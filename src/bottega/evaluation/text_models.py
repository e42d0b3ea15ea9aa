"""Classical models of texts: terms counted row by row, weighted, and a linear layer fitted on the sparse rows.

The counts come from the operators that ship (`data.text_terms.keys_graph`); scikit-learn fits, and what it learned is
kept as plain arrays.
"""

import warnings
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from threading import Lock
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from bottega.data.text_terms import Terms, pair_keys

__all__ = [
    "FittedTerms",
    "LinearLayer",
    "TermCounts",
    "count_terms",
    "fit_bayes",
    "fit_logistic",
    "fit_svm",
    "fit_terms",
    "side_by_side",
]

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]
MIN_ROWS = 2  # a term of one text teaches nothing about others
MAX_TERMS = 60_000  # of one kind: the most frequent; the file holds a weight of each for each class
ABSENT = -20.0  # score of a class that none of the rows has
EMPTY = np.zeros(0, np.int64)


@dataclass(frozen=True)
class TermCounts:
    """Every term of every text; all rows are counted, which of the terms matter is learned from some of them.

    Attributes:
        words, pairs, runs: sparse (N, G) counts, columns numbered as they sort.
        word_keys, run_keys: (G,) see `data.text_terms`.
        pair_words: (G, 2) columns of `words`.
    """

    words: Any
    pairs: Any
    runs: Any
    word_keys: Integers
    run_keys: Integers
    pair_words: Integers


@dataclass(frozen=True)
class FittedTerms:
    """Terms that were chosen on some rows, and the columns of the counts where they stand."""

    terms: Terms
    columns: Integers  # of words, or of runs
    pair_columns: Integers

    def matrix(self, counts: TermCounts, rows: Integers) -> Any:
        """Sparse (n, n_terms), weighted and of length 1: the numbers that the operators of `terms` give."""
        from scipy import sparse  # type: ignore[import-untyped]

        if self.terms.kind == "runs":
            x = counts.runs[rows][:, self.columns]
        else:
            x = sparse.hstack([counts.words[rows][:, self.columns], counts.pairs[rows][:, self.pair_columns]])
        x = x.tocsr().astype(np.float64)
        amounts = 1 + np.log(x.data) if self.terms.is_logarithmic else x.data
        x.data = amounts * self.terms.idf[x.indices]
        lengths = np.sqrt(np.asarray(x.multiply(x).sum(axis=1)).ravel())
        return sparse.diags_array(1 / np.maximum(lengths, 1e-12)) @ x


def side_by_side(blocks: Sequence[FittedTerms], counts: TermCounts, rows: Integers) -> Any:
    """The matrices of several kinds of terms as one."""
    from scipy import sparse

    x = sparse.hstack([block.matrix(counts, rows) for block in blocks]).tocsr()
    short = [part.astype(np.int32) for part in (x.indices, x.indptr)]  # liblinear takes no others
    return sparse.csr_array((x.data, *short), shape=x.shape)


@dataclass(frozen=True)
class LinearLayer:
    """`weight` (D, C), `bias` (C,)."""

    weight: Floats
    bias: Floats

    def scores(self, x: Any) -> npt.NDArray[np.float64]:
        """(N, C) of sparse rows."""
        found: npt.NDArray[np.float64] = np.asarray(x @ self.weight) + self.bias
        return found


def count_terms(keys: Iterable[tuple[Integers, Integers]]) -> TermCounts:
    """Count the terms of texts.

    Args:
        keys: (n, W) and (n, R) keys of words and runs, chunk by chunk in the order of the rows, 0 or less for none.
    """
    words, runs, firsts, seconds = [], [], [], []
    n = 0
    for of_words, of_runs in keys:
        words.append(_occurrences(of_words, n))
        runs.append(_occurrences(of_runs, n))
        both = (of_words[:, :-1] > 0) & (of_words[:, 1:] > 0)
        firsts.append(np.stack([np.nonzero(both)[0] + n, of_words[:, :-1][both]]))
        seconds.append(of_words[:, 1:][both])
        n += len(of_words)
    word_keys, word_counts = _matrix(np.concatenate(words, axis=1), n)
    run_keys, run_counts = _matrix(np.concatenate(runs, axis=1), n)
    row, first = np.concatenate(firsts, axis=1)
    numbers = np.searchsorted(word_keys, np.stack([first, np.concatenate(seconds)]))
    n_words = max(1, len(word_keys))
    pairs, pair_counts = _matrix(np.stack([row, numbers[0] * n_words + numbers[1]]), n)
    pair_words = np.stack(np.divmod(pairs, n_words), axis=1)
    return TermCounts(word_counts, pair_counts, run_counts, word_keys, run_keys, pair_words)


def _occurrences(keys: Integers, start: int) -> Integers:
    """(2, M) row and key of each occurrence."""
    there = keys > 0
    return np.stack([np.nonzero(there)[0] + start, keys[there]])


def _matrix(occurrences: Integers, n: int) -> tuple[Integers, Any]:
    from scipy import sparse

    keys, column = np.unique(occurrences[1], return_inverse=True)
    ones = np.ones(len(column), np.float32)
    return keys, sparse.csr_array((ones, (occurrences[0], column.reshape(-1))), shape=(n, len(keys)))


def fit_terms(counts: TermCounts, rows: Integers, kind: Literal["words", "runs"]) -> FittedTerms:
    """Choose the terms that two of the rows have, at most 60,000, and weigh them by their rarity.

    Args:
        rows: of the training texts.
    Source: idf as in scikit-learn: ln((1 + n) / (1 + rows with the term)) + 1.
    """
    if kind == "runs":
        columns, n_rows = _frequent(counts.runs[rows])
        return FittedTerms(Terms("runs", counts.run_keys[columns], EMPTY, len(columns), _idf(n_rows, len(rows))),
                           columns, EMPTY)  # fmt: skip
    words, n_words = _frequent(counts.words[rows])
    pairs, n_pairs = _frequent(counts.pairs[rows])
    needed = np.setdiff1d(counts.pair_words[pairs], words)
    known = np.concatenate([words, needed])
    number = np.zeros(len(counts.word_keys), np.int64)
    number[known] = np.arange(len(known))
    both = pair_keys(*number[counts.pair_words[pairs]].T) if len(pairs) else EMPTY
    idf = _idf(np.concatenate([n_words, n_pairs]), len(rows))
    return FittedTerms(Terms("words", counts.word_keys[known], both, len(words), idf), words, pairs)


def _frequent(x: Any) -> tuple[Integers, Integers]:
    """The columns that enough rows have, and how many have each."""
    n_rows = np.bincount(x.indices, minlength=x.shape[1])
    kept = np.flatnonzero(n_rows >= MIN_ROWS)
    if not len(kept):
        kept = np.flatnonzero(n_rows)
    if len(kept) > MAX_TERMS:
        kept = np.sort(kept[np.argsort(-n_rows[kept], kind="stable")[:MAX_TERMS]])
    return kept, n_rows[kept]


def _idf(n_rows: Integers, n: int) -> Floats:
    weights: Floats = (np.log((1 + n) / (1 + n_rows)) + 1).astype(np.float32)
    return weights


def fit_bayes(x: Any, y: Integers, n_classes: int, strength: float) -> LinearLayer:
    """Naive Bayes with multinomial counts; `strength` is added to every count."""
    from sklearn.naive_bayes import MultinomialNB

    if not x.shape[1]:
        return _shares(y, n_classes)
    model = MultinomialNB(alpha=strength).fit(x, y)
    weights, prior = model.feature_log_prob_, model.class_log_prior_
    # about their mean: the softmax doesn't see it, and a class that is absent stays below the others
    return _spread(model.classes_, weights - weights.mean(0), prior - prior.mean(), n_classes)


def fit_logistic(x: Any, y: Integers, n_classes: int, strength: float) -> LinearLayer:
    """Logistic regression; `strength` is scikit-learn's C."""
    from sklearn.linear_model import LogisticRegression

    if not x.shape[1]:
        return _shares(y, n_classes)
    return _fitted(lambda: LogisticRegression(C=strength, max_iter=200).fit(x, y), n_classes)


def fit_svm(x: Any, y: Integers, n_classes: int, strength: float) -> LinearLayer:
    """A linear support vector machine, each class against the others; `strength` is scikit-learn's C."""
    from sklearn.svm import LinearSVC

    if not x.shape[1]:
        return _shares(y, n_classes)
    # the dual form is quicker, but draws from one generator for the whole process: fits side by side would differ
    return _fitted(lambda: LinearSVC(C=strength, dual=False, max_iter=400).fit(x, y), n_classes)


def _shares(y: Integers, n_classes: int) -> LinearLayer:
    """What can be said of texts without a single term, as where all of them are empty: how frequent each class is."""
    classes, counts = np.unique(y, return_counts=True)
    return _spread(classes, np.zeros((len(classes), 0)), np.log(counts / len(y)), n_classes)


class _Quietly:
    """No word about convergence, until the last of several fits side by side has ended.

    What is warned of is a setting of the whole process: if each fit restored it, the others would go on aloud.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._n_inside = 0
        self._settings = ExitStack()

    def __enter__(self) -> None:
        from sklearn.exceptions import ConvergenceWarning

        with self._lock:
            self._n_inside += 1
            if self._n_inside == 1:
                self._settings.enter_context(warnings.catch_warnings())
                warnings.simplefilter("ignore", ConvergenceWarning)  # nearly there is as good: validation judges

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._n_inside -= 1
            if self._n_inside == 0:
                self._settings.close()


_QUIETLY = _Quietly()


def _fitted(fit: Callable[[], Any], n_classes: int) -> LinearLayer:
    from threadpoolctl import threadpool_limits

    # on rows this sparse a second thread is waited for longer than it works, many times longer on a busy machine
    with threadpool_limits(1), _QUIETLY:
        model = fit()
    coefficients, bias = model.coef_, model.intercept_
    if len(model.classes_) == 2:
        coefficients, bias = np.stack([-coefficients[0], coefficients[0]]) / 2, np.stack([-bias[0], bias[0]]) / 2
    return _spread(model.classes_, coefficients, bias, n_classes)


def _spread(classes: Integers, coefficients: Any, bias: Any, n_classes: int) -> LinearLayer:
    """A row for each class, those that were not there too."""
    weights = np.zeros((coefficients.shape[1], n_classes), np.float32)
    weights[:, classes] = coefficients.T
    all_bias = np.full(n_classes, ABSENT, np.float32)
    all_bias[classes] = bias
    return LinearLayer(weights, all_bias)
