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
    "Kind",
    "LinearLayer",
    "TermCounts",
    "WordCounts",
    "count_terms",
    "fit_bayes",
    "fit_logistic",
    "fit_svm",
    "fit_terms",
    "side_by_side",
]

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]
Kind = Literal["words", "tokens", "runs"]
MIN_ROWS = 2  # a term of one text teaches nothing about others
MAX_TERMS = 60_000  # of one kind: the most frequent; the file holds a weight of each for each class
ABSENT = -20.0  # score of a class that none of the rows has
EMPTY = np.zeros(0, np.int64)


@dataclass(frozen=True)
class WordCounts:
    """Words, or tokens, and pairs of them.

    Attributes:
        single, pairs: sparse (N, G) counts, columns numbered as they sort.
        keys: (G,) see `data.text_terms`.
        pair_words: (G, 2) columns of `single`.
    """

    single: Any
    pairs: Any
    keys: Integers
    pair_words: Integers

    def of(self, rows: Integers) -> "WordCounts":
        """Those of some rows."""
        return WordCounts(self.single[rows], self.pairs[rows], self.keys, self.pair_words)


@dataclass(frozen=True)
class TermCounts:
    """Every term of every text; all rows are counted, which of the terms matter is learned from some of them.

    Attributes:
        runs: sparse (N, G) counts, columns numbered as they sort.
        run_keys: (G,) see `data.text_terms`.
    """

    words: WordCounts
    tokens: WordCounts
    runs: Any
    run_keys: Integers

    def of(self, rows: Integers) -> "TermCounts":
        """Those of some rows."""
        return TermCounts(self.words.of(rows), self.tokens.of(rows), self.runs[rows], self.run_keys)

    def named(self, kind: Kind) -> WordCounts:
        """The counts of words or of tokens."""
        return self.words if kind == "words" else self.tokens


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
            found = counts.named(self.terms.kind)
            x = sparse.hstack([found.single[rows][:, self.columns], found.pairs[rows][:, self.pair_columns]])
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


def count_terms(keys: Iterable[Sequence[Integers]]) -> TermCounts:
    """Count the terms of texts.

    Args:
        keys: (n, W), (n, T) and (n, R) keys of words, tokens and runs, chunk by chunk in the order of the rows, 0 or
            less for none.
    """
    words, tokens, runs = _WordCounting(), _WordCounting(), _Counting()
    for of_words, of_tokens, of_runs in keys:
        words.add(of_words)
        tokens.add(of_tokens)
        runs.add(of_runs, of_runs > 0)
    run_keys, run_counts = runs.together()
    return TermCounts(words.together(), tokens.together(), run_counts, run_keys)


class _Counting:
    """Sparse counts that grow chunk by chunk: at no time is there a number for each occurrence of all texts."""

    def __init__(self) -> None:
        self.keys: list[Integers] = []  # of each chunk, as they sort
        self.counts: list[Any] = []

    def add(self, keys: Integers, there: npt.NDArray[np.bool_]) -> Integers:
        """Count the keys (n, W) where they are `there`; what is returned is the column of each of these."""
        from scipy import sparse

        found, column = np.unique(keys[there], return_inverse=True)
        column = column.reshape(-1)
        ones = np.ones(len(column), np.float32)
        counts = sparse.csr_array((ones, (np.nonzero(there)[0], column)), shape=(len(keys), len(found)))
        counts.sum_duplicates()
        self.keys.append(found)
        self.counts.append(counts)
        return column.astype(np.int64)

    def together(self) -> tuple[Integers, Any]:
        """All keys as they sort, and the counts (N, G) of each."""
        from scipy import sparse

        keys = np.unique(np.concatenate([EMPTY, *self.keys]))
        parts = zip(self.keys, self.counts, strict=True)
        columns = [np.searchsorted(keys, own).astype(np.int32)[one.indices] for own, one in parts]
        lengths = np.concatenate([EMPTY, *(np.diff(one.indptr) for one in self.counts)])
        starts = np.concatenate([[0], np.cumsum(lengths)])
        starts = starts.astype(np.int32 if starts[-1] <= np.iinfo(np.int32).max else np.int64)
        data = np.concatenate([np.zeros(0, np.float32), *(one.data for one in self.counts)])
        indices = np.concatenate([np.zeros(0, np.int32), *columns])
        return keys, sparse.csr_array((data, indices, starts), shape=(len(lengths), len(keys)))


class _WordCounting:
    """Words and the pairs of neighbours, both counted as they come."""

    def __init__(self) -> None:
        self.single, self.pairs = _Counting(), _Counting()

    def add(self, keys: Integers) -> None:
        """Count a chunk (n, W) of words in their order."""
        there = keys > 0
        number = np.zeros(keys.shape, np.int64)
        number[there] = self.single.add(keys, there)
        both = there[:, :-1] & there[:, 1:]
        self.pairs.add(number[:, :-1] * max(1, len(self.single.keys[-1])) + number[:, 1:], both)

    def together(self) -> WordCounts:
        """All of them; pairs are named by the columns of their words."""
        keys, single = self.single.together()
        n_words = max(1, len(keys))
        for i, (own, pairs) in enumerate(zip(self.single.keys, self.pairs.keys, strict=True)):
            first, second = np.searchsorted(keys, own)[np.stack(np.divmod(pairs, max(1, len(own))))]
            self.pairs.keys[i] = first * n_words + second  # sorts as before
        pairs, counts = self.pairs.together()
        return WordCounts(single, counts, keys, np.stack(np.divmod(pairs, n_words), axis=1))


def fit_terms(counts: TermCounts, rows: Integers, kind: Kind) -> FittedTerms:
    """Choose the terms that two of the rows have, at most 60,000, and weigh them by their rarity.

    Args:
        rows: of the training texts.
    Source: idf as in scikit-learn: ln((1 + n) / (1 + rows with the term)) + 1.
    """
    if kind == "runs":
        columns, n_rows = _frequent(counts.runs[rows])
        return FittedTerms(Terms("runs", counts.run_keys[columns], EMPTY, len(columns), _idf(n_rows, len(rows))),
                           columns, EMPTY)  # fmt: skip
    found = counts.named(kind)
    words, n_words = _frequent(found.single[rows])
    pairs, n_pairs = _frequent(found.pairs[rows])
    needed = np.setdiff1d(found.pair_words[pairs], words)
    known = np.concatenate([words, needed])
    number = np.zeros(len(found.keys), np.int64)
    number[known] = np.arange(len(known))
    both = pair_keys(*number[found.pair_words[pairs]].T) if len(pairs) else EMPTY
    idf = _idf(np.concatenate([n_words, n_pairs]), len(rows))
    return FittedTerms(Terms(kind, found.keys[known], both, len(words), idf), words, pairs)


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
