"""scikit-learn's trees as plain arrays that answer float32 rows exactly as the fitted ones do.

Thresholds become the largest float32 that isn't above the fitted float64: for a float32 x both tests are the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bottega.evaluation.table_forms import Trees

__all__ = ["boosting_trees", "forest_trees"]

Integers = NDArray[np.int64]
GOES_LEFT = np.float32(-0.5)  # a test on a category is -1 or 0
BITS = 32  # of a word in scikit-learn's sets of categories


def forest_trees(estimators: Sequence[Any], n_features: int, *, classes: Integers | None, n_outputs: int) -> Trees:
    """A forest: the mean of its trees.

    Args:
        estimators: fitted trees, with `tree_`.
        classes: class index of each column of a leaf's shares; None where leaves hold a value.
    """
    parts: list[_Nodes] = []
    leaves, outputs, values, start = [], [], [], 0
    for number, estimator in enumerate(estimators):
        tree = estimator.tree_
        is_leaf = tree.children_left < 0
        parts.append(_Nodes.of_forest(number, tree, is_leaf))
        answers = tree.value[is_leaf, 0, :]
        answers = answers if classes is None else answers / answers.sum(1, keepdims=True)
        row, column = np.nonzero(answers)
        leaves.append(start + np.flatnonzero(is_leaf)[row])
        outputs.append(column if classes is None else classes[column])
        values.append(answers[row, column] / len(estimators))
        start += tree.node_count
    base = np.zeros(n_outputs)
    return _joined(parts, leaves, outputs, values, base, _Tests(n_features, 0), is_share=classes is not None)


def boosting_trees(model: Any, n_codes: Integers, n_iterations: int, *, is_class: bool) -> Trees:
    """The first iterations of a HistGradientBoosting model, as scores before the softmax or as values.

    Args:
        model: fitted on encoded columns, those with codes as its categorical features.
        n_codes: (D,) codes of each column; 0 for a number.
    """
    reader = _Boosting(model, n_codes)
    per_iteration = model.n_trees_per_iteration_
    shift = 1 if is_class and per_iteration == 1 else 0  # one score for two classes speaks for the second
    parts: list[_Nodes] = []
    leaves, outputs, values, start = [], [], [], 0
    for iteration in model._predictors[:n_iterations]:
        for output, predictor in enumerate(iteration):
            nodes = predictor.nodes
            is_leaf = nodes["is_leaf"].astype(bool)
            parts.append(reader.nodes(len(parts), predictor, is_leaf))
            leaves.append(start + np.flatnonzero(is_leaf))
            outputs.append(np.full(int(is_leaf.sum()), output + shift))
            values.append(nodes["value"][is_leaf])
            start += len(nodes)
    base = np.concatenate([np.zeros(shift), np.ravel(model._baseline_prediction)])
    return _joined(parts, leaves, outputs, values, base, reader.tests, is_share=False)


@dataclass(frozen=True)
class _Nodes:
    tree: Integers
    node: Integers
    feature: Integers
    threshold: NDArray[np.float32]
    missing_left: NDArray[np.bool_]
    left: Integers
    right: Integers

    @classmethod
    def of_forest(cls, number: int, tree: Any, is_leaf: NDArray[np.bool_]) -> "_Nodes":
        return cls(
            np.full(tree.node_count, number, np.int64),
            np.arange(tree.node_count, dtype=np.int64),
            np.where(is_leaf, -1, tree.feature).astype(np.int64),
            np.where(is_leaf, np.float32(0), _below(tree.threshold)),
            tree.missing_go_to_left.astype(bool) & ~is_leaf,
            np.where(is_leaf, 0, tree.children_left).astype(np.int64),
            np.where(is_leaf, 0, tree.children_right).astype(np.int64),
        )


class _Boosting:
    """Reads HistGradientBoosting's nodes: it moves categorical columns first and codes them anew, without gaps."""

    def __init__(self, model: Any, n_codes: Integers) -> None:
        categorical = np.flatnonzero(n_codes)
        self.order = np.concatenate([categorical, np.flatnonzero(n_codes == 0)])
        self.seen: list[Integers] = []
        if len(categorical):
            encoder = model._preprocessor.named_transformers_["encoder"]
            self.seen = [codes.astype(np.int64) for codes in encoder.categories_]
        self.tests = _Tests(len(n_codes), int(n_codes.max(initial=0)))

    def nodes(self, number: int, predictor: Any, is_leaf: NDArray[np.bool_]) -> _Nodes:
        nodes = predictor.nodes
        missing_left = nodes["missing_go_to_left"].astype(bool) & ~is_leaf
        feature = np.where(is_leaf, -1, self.order[np.where(is_leaf, 0, nodes["feature_idx"])])
        threshold = np.where(is_leaf, np.float32(0), _below(nodes["num_threshold"]))
        for place in np.flatnonzero(nodes["is_categorical"].astype(bool) & ~is_leaf):
            bits = predictor.raw_left_cat_bitsets[nodes["bitset_idx"][place]]
            test = self._test(int(nodes["feature_idx"][place]), bits, bool(missing_left[place]))
            feature[place], threshold[place] = self.tests.n_features + test, GOES_LEFT
        left, right = (np.where(is_leaf, 0, nodes[side]).astype(np.int64) for side in ("left", "right"))
        tree = np.full(len(nodes), number, np.int64)
        return _Nodes(tree, np.arange(len(nodes)), feature.astype(np.int64), threshold, missing_left, left, right)

    def _test(self, place: int, bits: NDArray[np.uint32], missing_left: bool) -> int:
        """The number of a test: which codes go left; codes that training didn't see go where missing ones go."""
        goes_left = np.full(self.tests.width, missing_left)
        dense = np.arange(len(self.seen[place]))
        goes_left[self.seen[place]] = (bits[dense // BITS] >> (dense % BITS).astype(np.uint32)) & 1 == 1
        return self.tests.number(int(self.order[place]), goes_left)


class _Tests:
    """The different tests on categories, numbered as they come."""

    def __init__(self, n_features: int, width: int) -> None:
        self.n_features = n_features
        self.width = width
        self.known: dict[tuple[int, bytes], int] = {}
        self.goes_left: list[NDArray[np.bool_]] = []

    def number(self, column: int, goes_left: NDArray[np.bool_]) -> int:
        key = (column, goes_left.tobytes())
        if key not in self.known:
            self.known[key] = len(self.known)
            self.goes_left.append(goes_left)
        return self.known[key]


def _joined(
    parts: Sequence[_Nodes],
    leaves: Sequence[Integers],
    outputs: Sequence[Integers],
    values: Sequence[NDArray[np.float64]],
    base: NDArray[np.float64],
    tests: "_Tests",
    *,
    is_share: bool,
) -> Trees:
    columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in _Nodes.__annotations__}
    column = np.array([column for column, _ in tests.known], np.int64)
    goes_left = np.array(tests.goes_left, bool).reshape(len(column), tests.width)
    order = np.argsort(column, kind="stable")  # the operators put the tests of one column side by side
    rank = np.argsort(order)
    is_test = columns["feature"] >= tests.n_features
    columns["feature"][is_test] = tests.n_features + rank[columns["feature"][is_test] - tests.n_features]
    return Trees(
        **columns,
        leaf=np.concatenate(leaves).astype(np.int64),
        output=np.concatenate(outputs).astype(np.int64),
        value=np.concatenate(values).astype(np.float32),
        base=base.astype(np.float32),
        column=column[order],
        goes_left=goes_left[order],
        is_share=is_share,
    )


def _below(threshold: NDArray[np.float64]) -> NDArray[np.float32]:
    """The largest float32 that isn't above."""
    near = threshold.astype(np.float32)
    too_high = near.astype(np.float64) > threshold
    near[too_high] = np.nextafter(near[too_high], np.float32(-np.inf))
    return near
