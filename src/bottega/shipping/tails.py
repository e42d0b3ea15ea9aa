"""The last part of a model's graph: from prepared vectors to one score for each class, for every fitted form."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from onnx import TensorProto

from bottega.data.graph import GraphBuilder
from bottega.data.table_features import add_features
from bottega.evaluation.baselines import NEAREST_LEVELS
from bottega.evaluation.forms import Constant, Forest, Form, Graph, Nearest, Perceptron, Softmax
from bottega.evaluation.table_forms import Dense, Mixture, Rescaled, Staged, Widened
from bottega.shipping.table_tails import LEAST_SHARE, TABLE_TAILS, add_dense

__all__ = ["add_tail", "dense_model", "tail_model"]


def add_tail(g: GraphBuilder, form: Form, x: str) -> str:
    """Add the operators of `form`.

    Args:
        x: float32 [N, D], the vectors it was fitted on; [N, C, H, W] for a network of layers.
    Returns:
        Scores before the softmax, float32 [N, C].
    """
    return _TAILS[type(form)](g, form, x)


def tail_model(form: Form, n_inputs: int | Sequence[int | str], n_classes: int) -> bytes:
    """A model of the tail alone: `x` float32 [N, D] -> `logits` float32 [N, C].

    Args:
        n_inputs: D; or the shape of one example, where the form takes pictures, or texts of any length.
    """
    g = GraphBuilder()
    x = g.input("x", TensorProto.FLOAT, ["N", *([n_inputs] if isinstance(n_inputs, int) else n_inputs)])
    g.output(add_tail(g, form, x), "logits", TensorProto.FLOAT, ["N", n_classes])
    return g.model()


def dense_model(stage: Dense, n_inputs: int) -> bytes:
    """A model of the dense stage alone: `x` float32 [N, D] -> `z` float32 [N, width]."""
    g = GraphBuilder()
    x = g.input("x", TensorProto.FLOAT, ["N", n_inputs])
    g.output(add_dense(g, stage, x), "z", TensorProto.FLOAT, ["N", stage.width])
    return g.model()


def _constant(g: GraphBuilder, form: Constant, x: str) -> str:
    n = g.op("Shape", x, start=0, end=1)
    shape = g.op("Concat", n, g.constant([len(form.logits)], np.int64), axis=0)
    return g.op("Expand", g.constant(form.logits[None]), shape)


def _standardised(g: GraphBuilder, form: Softmax | Perceptron, x: str) -> str:
    return g.op("Div", g.op("Sub", x, g.constant(form.mean)), g.constant(form.scale))


def _softmax(g: GraphBuilder, form: Softmax, x: str) -> str:
    return g.op("Gemm", _standardised(g, form, x), g.constant(form.weight), g.constant(form.bias))


def _perceptron(g: GraphBuilder, form: Perceptron, x: str) -> str:
    hidden = g.op("Gemm", _standardised(g, form, x), g.constant(form.hidden), g.constant(form.hidden_bias))
    return g.op("Gemm", g.op("Relu", hidden), g.constant(form.weight), g.constant(form.bias))


def _nearest(g: GraphBuilder, form: Nearest, x: str) -> str:
    n_thumbnail = form.thumbnails.shape[1]
    ends = g.constant([n_thumbnail], np.int64)
    thumbnail = g.op("Slice", x, g.constant([0], np.int64), ends, g.constant([1], np.int64))
    rounded = g.op("Round", g.op("Mul", thumbnail, g.constant(float(NEAREST_LEVELS))))
    product = g.op("MatMul", rounded, g.constant(form.thumbnails.T))  # (N, 768) x (768, K) -> (N, K)
    half_squares = np.square(form.thumbnails.astype(np.float64)).sum(1) / 2
    nearest = g.op("ArgMax", g.op("Sub", product, g.constant(half_squares)), axis=1, keepdims=0)  # -> (N,)
    return g.op("Gather", g.constant(form.logits), nearest, axis=0)


def _forest(g: GraphBuilder, form: Forest, x: str) -> str:
    n_classes = form.leaf.shape[1]
    is_leaf = form.feature < 0
    leaves, classes = np.nonzero(is_leaf[:, None] & (form.leaf > 0))
    shares = g.op(
        "TreeEnsembleRegressor",
        x,
        domain="ai.onnx.ml",
        n_targets=n_classes,
        nodes_treeids=form.tree.tolist(),
        nodes_nodeids=form.node.tolist(),
        nodes_featureids=np.where(is_leaf, 0, form.feature).tolist(),
        nodes_modes=["LEAF" if leaf else "BRANCH_LEQ" for leaf in is_leaf],
        nodes_values=form.threshold.tolist(),
        nodes_truenodeids=form.left.tolist(),
        nodes_falsenodeids=form.right.tolist(),
        target_treeids=form.tree[leaves].tolist(),
        target_nodeids=form.node[leaves].tolist(),
        target_ids=classes.tolist(),
        target_weights=form.leaf[leaves, classes].tolist(),
    )
    return g.op("Log", g.op("Max", shares, g.constant(LEAST_SHARE)))


def _staged(g: GraphBuilder, form: Staged, x: str) -> str:
    return add_tail(g, form.head, add_dense(g, form.stage, x))


def _widened(g: GraphBuilder, form: Widened, x: str) -> str:
    return add_tail(g, form.head, add_features(g, form.features, x, form.n_seen))


def _rescaled(g: GraphBuilder, form: Rescaled, x: str) -> str:
    answer = add_tail(g, form.form, x)
    value = g.op("Add", g.op("Mul", answer, g.constant(form.scale)), g.constant(form.mean))
    if not form.log:
        return value
    return g.op("Sub", g.op("Exp", g.op("Min", value, g.constant(form.most))), g.constant(form.shift))


def _mixture(g: GraphBuilder, form: Mixture, x: str) -> str:
    parts = []
    for one, weight in zip(form.forms, form.weights, strict=True):
        answer = add_tail(g, one, x)
        answer = g.op("Softmax", answer, axis=1) if form.is_share else answer
        parts.append(g.op("Mul", answer, g.constant(weight)))
    mean = parts[0] if len(parts) == 1 else g.op("Sum", *parts)
    return g.op("Log", g.op("Max", mean, g.constant(1e-7))) if form.is_share else mean


def _graph(g: GraphBuilder, form: Graph, x: str) -> str:
    return g.include(form.data, {"x": x})[0]


_TAILS: dict[type, Callable[[GraphBuilder, Any, str], str]] = {
    Constant: _constant,
    Softmax: _softmax,
    Perceptron: _perceptron,
    Nearest: _nearest,
    Forest: _forest,
    Graph: _graph,
    Staged: _staged,
    Widened: _widened,
    Rescaled: _rescaled,
    Mixture: _mixture,
    **TABLE_TAILS,
}
