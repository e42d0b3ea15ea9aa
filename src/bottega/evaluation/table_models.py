"""The classical candidates of a table, fitted with numpy and scikit-learn, as plain arrays.

`x` is the encoded matrix of `data.table_preparation`, float32 (N, D) with NaN; `z` is the dense one of `Dense`.
`y` is (N,) class indices where `n_classes` is given, and standardised values where it is None.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bottega.evaluation.table_forms import Dense, Kernel, Linear, Neighbours, Trees
from bottega.evaluation.trees import boosting_trees, forest_trees

__all__ = ["Boosting", "Rows", "fit_boosting", "fit_dense", "fit_forest", "fit_kernel", "fit_neighbours", "ridge_path"]

Floats = NDArray[np.float32]
Numbers = NDArray[np.float64]
Integers = NDArray[np.int64]
MAX_POINTS = 20_000  # rows that neighbours are looked for among: the file holds them
N_TREES = 100  # scikit-learn's default
MAX_ITERATIONS = 600
NO_GAIN = 20  # iterations without a better validation loss


class Rows(NamedTuple):
    """What is fitted on, or validated on: (N, D), (N,), and how much each row counts (N,), None for all the same."""

    x: Floats
    y: NDArray[Any]
    weights: Numbers | None = None


def fit_dense(x: Floats, n_codes: Integers) -> Dense:
    """Learn what stands in for missing numbers, the means and scales, and which codes there are."""
    numbers = [column for column in np.flatnonzero(n_codes == 0) if np.isfinite(x[:, column]).any()]
    fill, mean, scale = (np.zeros(len(numbers), np.float32) for _ in range(3))
    for place, column in enumerate(numbers):
        values = x[:, column].astype(np.float64)
        known = np.isfinite(values)
        fill[place] = np.median(values[known])
        values = np.where(known, values, fill[place])
        mean[place], spread = values.mean(), values.std()
        scale[place] = spread if spread > 1e-6 * max(1.0, abs(mean[place])) else 1.0
    pairs = [(c, code) for c in np.flatnonzero(n_codes) for code in np.unique(x[:, c])]
    return Dense(
        number=np.array(numbers, np.int64),
        fill=fill,
        mean=mean,
        scale=scale,
        marked=np.array([column for column in numbers if np.isnan(x[:, column]).any()], np.int64),
        category=np.array([column for column, _ in pairs], np.int64),
        code=np.array([code for _, code in pairs], np.float32),
    )


def ridge_path(z: Floats, y: Numbers, strengths: Sequence[float], row_weights: Numbers | None = None) -> list[Linear]:
    """Ridge regression for each strength: mean squared error + strength x sum of squared weights.

    Args:
        row_weights: (N,) how much each row counts in the mean; None for all the same.
    Source: Hoerl and Kennard 1970; all strengths from one eigendecomposition.
    """
    if row_weights is None:
        centre, level = z.mean(0, dtype=np.float64), float(y.mean())
        wide = z.astype(np.float64) - centre
        side, n = wide.T, float(len(z))
    else:
        share = row_weights / row_weights.sum()
        centre, level = share @ z, float(share @ y)
        wide = z.astype(np.float64) - centre
        side, n = wide.T * share, 1.0
    values, vectors = np.linalg.eigh(side @ wide / n)
    slope = vectors.T @ (side @ (y - level) / n)
    found = []
    for strength in strengths:
        weight = vectors @ (slope / (np.maximum(values, 0) + strength))
        bias = np.array([level - centre @ weight])
        found.append(Linear(weight[:, None].astype(np.float32), bias.astype(np.float32)))
    return found


def fit_neighbours(z: Floats, y: NDArray[Any], k: int, *, n_classes: int | None, seed: int) -> Neighbours:
    """Keep the rows, at most 20,000 of them drawn at random."""
    if len(z) > MAX_POINTS:
        rows = np.sort(np.random.default_rng(seed).choice(len(z), MAX_POINTS, replace=False))
        z, y = z[rows], y[rows]
    answers = y[:, None] if n_classes is None else np.eye(n_classes)[y]
    return Neighbours(z, answers.astype(np.float32), min(k, len(z)), is_share=n_classes is not None)


def fit_forest(
    x: Floats,
    y: NDArray[Any],
    setting: dict[str, Any],
    *,
    n_classes: int | None,
    seed: int,
    threads: int,
    weights: Numbers | None = None,
) -> Trees:
    """scikit-learn's random forest; missing numbers go where training says, codes are taken for numbers.

    Args:
        weights: (N,) how much each row counts; None for all the same.
        setting: `min_samples_leaf`, `max_features` of scikit-learn.
    """
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    kind = RandomForestRegressor if n_classes is None else RandomForestClassifier
    forest = kind(
        N_TREES,
        min_samples_leaf=setting["min_samples_leaf"],
        max_features=setting["max_features"],
        n_jobs=threads,
        random_state=seed % 2**32,
    )
    forest.fit(_finite(x), y, weights)
    classes = None if n_classes is None else forest.classes_
    return forest_trees(forest.estimators_, x.shape[1], classes=classes, n_outputs=n_classes or 1)


@dataclass(frozen=True)
class Boosting:
    """Fitted gradient boosting: its trees, how many iterations were kept, its validation loss where there was one."""

    trees: Trees
    n_iterations: int
    loss: float


def fit_boosting(
    rows: Rows,
    n_codes: Integers,
    setting: dict[str, Any],
    *,
    n_classes: int | None,
    seed: int,
    val: Rows | None = None,
) -> Boosting:
    """scikit-learn's histogram gradient boosting, stopped at the best iteration of a validation part.

    Args:
        setting: `learning_rate`, `max_leaf_nodes`, `min_samples_leaf`, `l2_regularization`, `max_features` of
            scikit-learn; `n_iterations` where there is no validation part; `most_iterations` where they are limited.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
    from threadpoolctl import threadpool_limits

    kind = HistGradientBoostingRegressor if n_classes is None else HistGradientBoostingClassifier
    names = ("learning_rate", "max_leaf_nodes", "min_samples_leaf", "l2_regularization", "max_features")
    model = kind(
        **{name: setting[name] for name in names},
        max_iter=setting["n_iterations"] if val is None else setting.get("most_iterations", MAX_ITERATIONS),
        early_stopping=val is not None,
        n_iter_no_change=NO_GAIN,
        categorical_features=n_codes > 0 if n_codes.any() else None,
        random_state=seed % 2**32,
    )
    with threadpool_limits(1, user_api="openmp"):  # its sums change in the last bit with the number of threads
        x, y, weights = rows
        if val is None:
            model.fit(_finite(x), y, weights)
            return Boosting(_spread(model, n_codes, model.n_iter_, n_classes), model.n_iter_, np.nan)
        known = np.ones(len(val.y), bool) if n_classes is None else np.isin(val.y, y)
        val_weights = None if val.weights is None else val.weights[known]
        held = {"X_val": _finite(val.x[known]), "y_val": val.y[known], "sample_weight_val": val_weights}
        model.fit(_finite(x), y, weights, **held)
    best = max(1, int(np.argmax(model.validation_score_)))
    return Boosting(_spread(model, n_codes, best, n_classes), best, -float(model.validation_score_[best]))


def fit_kernel(
    z: Floats, y: NDArray[Any], setting: dict[str, Any], *, n_classes: int | None, weights: Numbers | None = None
) -> Kernel:
    """scikit-learn's support vector machine with a radial kernel, one machine for each pair of classes.

    Args:
        weights: (N,) how much each row counts, above 0; None for all the same.
        setting: `C`, and `gamma` as a multiple of 1 / (columns x their variance).
    """
    from sklearn.svm import SVC, SVR

    gamma = setting["gamma"] / max(z.shape[1] * float(z.var()), 1e-9)
    if n_classes is None:
        model = SVR(C=setting["C"], gamma=gamma, epsilon=0.05, cache_size=500).fit(z, y, weights)
        weight = model.dual_coef_.T
        return _kernel(z[model.support_], gamma, weight, model.intercept_, np.zeros((0, 2)), 1)
    model = SVC(C=setting["C"], gamma=gamma, cache_size=500, decision_function_shape="ovo").fit(z, y, weights)
    pairs, weight = _pairs(model)
    sign = -1.0 if len(model.classes_) == 2 else 1.0  # of two classes scikit-learn turns the decision round
    found = model.classes_[pairs]
    return _kernel(z[model.support_], gamma, sign * weight, sign * model.intercept_, found, n_classes)


def _kernel(vectors: Floats, gamma: float, weight: Numbers, bias: Numbers, pairs: NDArray[Any], n: int) -> Kernel:
    return Kernel(vectors, gamma, weight.astype(np.float32), bias.astype(np.float32), pairs.astype(np.int64), n)


def _pairs(model: Any) -> tuple[Integers, Numbers]:
    """Weights (S, P) of each pair's machine, from libsvm's table (C - 1, S).

    Source: scikit-learn's user guide, "Multi-class classification" of support vector machines.
    """
    ends = np.cumsum(model.n_support_)
    spans = [slice(end - n, end) for end, n in zip(ends, model.n_support_, strict=True)]
    pairs = np.array([(i, j) for i in range(len(spans)) for j in range(i + 1, len(spans))], np.int64)
    weight = np.zeros((len(model.support_), len(pairs)))
    for place, (i, j) in enumerate(pairs):
        weight[spans[i], place] = model.dual_coef_[j - 1, spans[i]]
        weight[spans[j], place] = model.dual_coef_[i, spans[j]]
    return pairs, weight


def _spread(model: Any, n_codes: Integers, n_iterations: int, n_classes: int | None) -> Trees:
    """The trees, with answers for every class that there is; training may not have seen all of them."""
    trees = boosting_trees(model, n_codes, n_iterations, is_class=n_classes is not None)
    if n_classes is None or len(model.classes_) == n_classes:
        return trees
    base = np.full(n_classes, -10.0, np.float32)  # a class that these rows don't have
    base[model.classes_] = trees.base
    return Trees(**{**vars(trees), "base": base, "output": model.classes_[trees.output].astype(np.int64)})


def _finite(x: Floats) -> Floats:
    """Infinite numbers as very large ones: scikit-learn refuses them, and no threshold lies beyond."""
    limit = np.finfo(np.float32).max
    return np.clip(x, -limit, limit)
