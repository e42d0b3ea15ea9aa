"""The forms of tables as operators; each takes and gives what `evaluation.table_forms` says."""

from collections.abc import Callable
from typing import Any

import numpy as np
from onnx import TensorProto

from bottega.data.graph import GraphBuilder
from bottega.evaluation.table_forms import Dense, Kernel, Linear, Neighbours, TableNetwork, Trees, Unfolding
from bottega.shipping.trees import add_trees

__all__ = ["LEAST_SHARE", "TABLE_TAILS", "add_dense"]

LEAST_SHARE = 1e-4  # a class that no tree or neighbour voted for is unlikely, not impossible
FARTHEST = 20.0  # standard deviations; beyond that a number is only "very large", and infinite ones stay finite
VOTE = 6.0  # steepness: at a margin of 1 a pair of classes votes as good as wholly for one


def add_dense(g: GraphBuilder, stage: Dense, x: str) -> str:
    """Encoded float32 [N, D] -> dense float32 [N, width]."""
    parts = []
    if len(stage.number):
        numbers = g.op("Gather", x, g.constant(stage.number, np.int64), axis=1)
        filled = g.op("Where", g.op("IsNaN", numbers), g.constant(stage.fill), numbers)
        standard = g.op("Div", g.op("Sub", filled, g.constant(stage.mean)), g.constant(stage.scale))
        parts.append(g.op("Max", g.op("Min", standard, g.constant(FARTHEST)), g.constant(-FARTHEST)))
    if len(stage.marked):
        marked = g.op("Gather", x, g.constant(stage.marked, np.int64), axis=1)
        parts.append(g.op("Cast", g.op("IsNaN", marked), to=TensorProto.FLOAT))
    if len(stage.category):
        codes = g.op("Gather", x, g.constant(stage.category, np.int64), axis=1)
        parts.append(g.op("Cast", g.op("Equal", codes, g.constant(stage.code)), to=TensorProto.FLOAT))
    return parts[0] if len(parts) == 1 else g.op("Concat", *parts, axis=1)


def _linear(g: GraphBuilder, form: Linear, x: str) -> str:
    return g.op("Gemm", x, g.constant(form.weight), g.constant(form.bias))


def _neighbours(g: GraphBuilder, form: Neighbours, x: str) -> str:
    half_squares = np.square(form.points.astype(np.float64)).sum(1) / 2
    nearness = g.op("Sub", g.op("MatMul", x, g.constant(form.points.T)), g.constant(half_squares))  # (N, M)
    _, nearest = g.ops("TopK", nearness, g.constant([form.k], np.int64), n_outputs=2, axis=1)
    answers = g.op("Gather", g.constant(form.answers), nearest, axis=0)  # (N, k) -> (N, k, C)
    mean = g.op("ReduceMean", answers, g.constant([1], np.int64), keepdims=0)
    return g.op("Log", g.op("Max", mean, g.constant(LEAST_SHARE))) if form.is_share else mean


def _kernel(g: GraphBuilder, form: Kernel, x: str) -> str:
    half_squares = np.square(form.vectors.astype(np.float64)).sum(1) / 2
    axis = g.constant([1], np.int64)
    own = g.op("Mul", g.op("ReduceSumSquare", x, axis, keepdims=1), g.constant(0.5))  # (N, 1)
    product = g.op("MatMul", x, g.constant(form.vectors.T))  # (N, S)
    distance = g.op("Sub", g.op("Add", own, g.constant(half_squares)), product)
    nearness = g.op("Exp", g.op("Mul", g.op("Max", distance, g.constant(0.0)), g.constant(-2 * form.gamma)))
    # Thousands of terms as large as C cancel here, so they are summed in double.
    wide = g.op("MatMul", g.op("Cast", nearness, to=TensorProto.DOUBLE), g.constant(form.weight, np.float64))
    decisions = g.op("Add", g.op("Cast", wide, to=TensorProto.FLOAT), g.constant(form.bias))
    if not len(form.pairs):
        return decisions
    first, second = (np.eye(form.n_classes, dtype=np.float32)[form.pairs[:, side]] for side in (0, 1))  # (P, C) each
    if form.n_classes == 2:
        return g.op("MatMul", decisions, g.constant(first - second))
    # Each pair votes for one of its classes, and near its border for both a little: no row hangs on a rounding error.
    votes = g.op("Sigmoid", g.op("Mul", decisions, g.constant(VOTE)))
    others = g.op("MatMul", g.op("Sub", g.constant(1.0), votes), g.constant(second))
    return g.op("Add", g.op("MatMul", votes, g.constant(first)), others)


def _trees(g: GraphBuilder, form: Trees, x: str) -> str:
    sums = add_trees(g, form, x)
    return g.op("Log", g.op("Max", sums, g.constant(LEAST_SHARE))) if form.is_share else sums


def _table_network(g: GraphBuilder, form: TableNetwork, x: str) -> str:
    x = _squashed(g, form, x)
    rows = g.op("Unsqueeze", x, g.constant([0], np.int64))  # (N, I) -> (1, N, I), members come first
    for before, weight, after, bias in zip(form.before, form.weight, form.after, form.bias, strict=True):
        rows = g.op("Mul", rows, g.constant(before[:, None]))  # -> (k, N, I)
        rows = g.op("Mul", g.op("MatMul", rows, g.constant(weight)), g.constant(after[:, None]))
        rows = g.op("Relu", g.op("Add", rows, g.constant(bias[:, None])))
    members = g.op("Add", g.op("MatMul", rows, g.constant(form.head)), g.constant(form.head_bias[:, None]))
    first = g.constant([0], np.int64)
    if not form.is_share:
        return g.op("ReduceMean", members, first, keepdims=0)
    if len(form.head) == 1:
        return g.op("Squeeze", members, first)
    mean = g.op("ReduceMean", g.op("Softmax", members, axis=2), first, keepdims=0)  # (k, N, C) -> (N, C)
    return g.op("Log", g.op("Max", mean, g.constant(1e-7)))


def _squashed(g: GraphBuilder, form: TableNetwork, x: str) -> str:
    """Numbers squashed, and unfolded where the network does so; the rest as it is."""
    if form.n_number == 0:
        return x
    axis, cut, end = g.constant([1], np.int64), [form.n_number], [np.iinfo(np.int64).max]
    numbers = g.op("Slice", x, g.constant([0], np.int64), g.constant(cut, np.int64), axis)
    rest = g.op("Slice", x, g.constant(cut, np.int64), g.constant(end, np.int64), axis)
    third = g.op("Mul", numbers, g.constant(1 / 3))
    squashed = g.op("Div", numbers, g.op("Sqrt", g.op("Add", g.op("Mul", third, third), g.constant(1.0))))
    if form.unfolding is not None:
        squashed = g.op("Flatten", _unfolded(g, form.unfolding, squashed), axis=1)
    return g.op("Concat", squashed, rest, axis=1)


def _unfolded(g: GraphBuilder, unfolding: Unfolding, x: str) -> str:
    """(N, P) -> (N, P, E)."""
    number = g.op("Unsqueeze", x, g.constant([2], np.int64))  # (N, P, 1)
    parts = [number]
    if unfolding.frequency.size:
        wave = g.op("Mul", number, g.constant(2 * np.pi * unfolding.frequency.astype(np.float64)))  # (N, P, F)
        parts += [g.op("Cos", wave), g.op("Sin", wave)]
    if unfolding.slope.size:
        step = g.op("Add", g.op("Mul", number, g.constant(unfolding.slope)), g.constant(unfolding.offset))
        parts.append(g.op("Max", g.op("Min", step, g.constant(unfolding.high)), g.constant(unfolding.low)))
    basis = g.op("Transpose", g.op("Concat", *parts, axis=2), perm=[1, 0, 2])  # -> (P, N, 1 + 2 F + B)
    layer = g.op("Transpose", g.op("MatMul", basis, g.constant(unfolding.weight)), perm=[1, 0, 2])
    unfolded = g.op("Add", layer, g.constant(unfolding.bias))
    return g.op("Relu", unfolded) if unfolding.relu else unfolded


TABLE_TAILS: dict[type, Callable[[GraphBuilder, Any, str], str]] = {
    Linear: _linear,
    Neighbours: _neighbours,
    Kernel: _kernel,
    Trees: _trees,
    TableNetwork: _table_network,
}
