"""The simple rivals that always run: a network that doesn't beat them isn't worth its weight.

They see what `data.preparation.plain` sees, a thumbnail of 16 x 16 pixels and a histogram of 64 colours.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bottega.evaluation.forms import Constant, Forest, Nearest

__all__ = ["fit_forest", "fit_majority", "fit_nearest"]

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]
N_TREES = 60  # a rival must be honest, not perfect: its time grows with every tree
NEAREST_LEVELS = 63  # thumbnails are rounded to 6 bits: squares of 768 of them stay below 2^24, exact in float32
LEAVE_ONE_OUT_ROWS = 2000  # enough to know how often the nearest neighbour is right to a point


def fit_majority(y: Integers, n_classes: int, weights: NDArray[np.float64] | None = None) -> Constant:
    """The frequency of each class, with one example added to each so that none is impossible.

    Args:
        weights: (N,) how much each example counts; None for all the same.
    """
    counts = np.bincount(y, None if weights is None else weights / weights.mean(), n_classes) + 1.0
    return Constant(np.log(counts / counts.sum()).astype(np.float32))


def fit_nearest(plain: Floats, y: Integers, n_classes: int, n_thumbnail: int) -> Nearest:
    """Keep all thumbnails; each answers its own label, as surely as neighbours were right among themselves.

    Args:
        plain: (N, 832), of which the first `n_thumbnail` are the thumbnail, 0 … 1.
    """
    thumbnails = np.rint(plain[:, :n_thumbnail] * NEAREST_LEVELS).astype(np.float32)
    right = (_share_right(thumbnails, y) * len(y) + 1) / (len(y) + n_classes)  # never quite certain
    right = max(right, 1 / n_classes)  # a neighbour that is wrong more often than chance tells nothing
    wrong = (1 - right) / max(n_classes - 1, 1)
    logits = np.full((len(y), n_classes), np.log(wrong), np.float32)
    logits[np.arange(len(y)), y] = np.log(right)
    return Nearest(thumbnails, logits)


def _share_right(thumbnails: Floats, y: Integers) -> float:
    """How often the nearest other thumbnail has the same label, on evenly spread rows."""
    if len(y) < 2:
        return 0.0
    rows = np.unique(np.linspace(0, len(y) - 1, min(len(y), LEAVE_ONE_OUT_ROWS)).astype(np.int64))
    half_squares = np.square(thumbnails).sum(1) / 2
    n_right = 0
    for chunk in np.array_split(rows, max(1, len(rows) // 256)):
        nearness = thumbnails[chunk] @ thumbnails.T - half_squares  # (chunk, N), greatest where nearest
        nearness[np.arange(len(chunk)), chunk] = -np.inf
        n_right += int((y[nearness.argmax(1)] == y[chunk]).sum())
    return n_right / len(rows)


def fit_forest(plain: Floats, y: Integers, n_classes: int, *, seed: int, threads: int) -> Forest:
    """Fit scikit-learn's random forest and write its trees out.

    Thresholds become the largest float32 that isn't above the fitted float64, so that float32 inputs take the very
    same branches.
    """
    from sklearn.ensemble import RandomForestClassifier

    forest = RandomForestClassifier(N_TREES, min_samples_leaf=3, n_jobs=threads, random_state=seed % 2**32)
    forest.fit(plain, y)
    parts = [_tree(number, estimator.tree_) for number, estimator in enumerate(forest.estimators_)]
    tree, node, feature, threshold, left, right, shares = (
        np.concatenate(column) for column in zip(*parts, strict=True)
    )
    leaf = np.zeros((len(shares), n_classes), np.float32)
    leaf[:, forest.classes_] = shares / N_TREES
    return Forest(tree, node, feature, threshold, left, right, leaf)


def _tree(number: int, tree: Any) -> tuple[NDArray[Any], ...]:
    """One fitted tree as columns, in the order of `Forest`'s attributes."""
    n_nodes = tree.node_count
    threshold = tree.threshold.astype(np.float32)
    too_high = threshold.astype(np.float64) > tree.threshold
    threshold[too_high] = np.nextafter(threshold[too_high], np.float32(-np.inf))
    shares = tree.value[:, 0, :] / tree.value[:, 0, :].sum(1, keepdims=True)
    is_leaf = tree.children_left < 0
    return (
        np.full(n_nodes, number, np.int64),
        np.arange(n_nodes, dtype=np.int64),
        np.where(is_leaf, -1, tree.feature).astype(np.int64),
        np.where(is_leaf, np.float32(0), threshold),
        np.where(is_leaf, 0, tree.children_left).astype(np.int64),
        np.where(is_leaf, 0, tree.children_right).astype(np.int64),
        shares,
    )
