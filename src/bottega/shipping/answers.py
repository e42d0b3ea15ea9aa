"""The end of every graph: from scores to label, probabilities and `sure`; from a value to its interval."""

import math
from collections.abc import Sequence

import numpy as np
from onnx import TensorProto

from bottega.data.graph import GraphBuilder
from bottega.evaluation.conformal import Interval
from bottega.evaluation.costs import Costs

__all__ = ["add_labels", "add_values"]


def add_labels(
    g: GraphBuilder,
    scores: str,
    labels: Sequence[str],
    *,
    temperature: float,
    threshold: float | None,
    costs: Costs | None = None,
    known: str | None = None,
) -> None:
    """Close a classifier: `label` string [N], `probabilities` float32 [N, C], `sure` bool [N].

    Args:
        scores: float32 [N, C].
        temperature: scores are divided by it before the softmax.
        threshold: of `sure`; None when nothing is sure.
        costs: by which the label is chosen; None for the most probable one.
        known: bool [N], false where the input says nothing to the model, and so nothing is sure; None where all do.
    """
    probabilities = g.op("Softmax", g.op("Div", scores, g.constant(temperature)), axis=1)
    if costs is None:
        best = g.op("ArgMax", probabilities, axis=1, keepdims=0)  # -> (N,)
        own = g.op("ReduceMax", probabilities, g.constant([1], np.int64), keepdims=0)
    else:
        expected = g.op("MatMul", probabilities, g.constant(costs.table))  # (N, C) x (C, C) -> (N, C)
        column = g.op("ArgMin", expected, axis=1, keepdims=1)  # -> (N, 1)
        flat = g.constant([-1], np.int64)
        best = g.op("Reshape", column, flat)
        own = g.op("Reshape", g.op("GatherElements", probabilities, column, axis=1), flat)
    label = g.op("Gather", g.constant(list(labels)), best, axis=0)
    sure = g.op("GreaterOrEqual", own, g.constant(2.0 if threshold is None else threshold))
    if known is not None:
        sure = g.op("And", sure, known)
    g.output(label, "label", TensorProto.STRING, ["N"])
    g.output(probabilities, "probabilities", TensorProto.FLOAT, ["N", len(labels)])
    g.output(sure, "sure", TensorProto.BOOL, ["N"])


def add_values(g: GraphBuilder, values: str, interval: Interval) -> None:
    """Close a regression: `value`, `lower`, `upper` float32 [N].

    Args:
        values: float32 [N, 1].
    """
    value = g.op("Reshape", values, g.constant([-1], np.int64))
    if interval.scale == "plain":
        reach = g.constant(min(interval.reach, float(np.finfo(np.float32).max)))
        lower, upper = g.op("Sub", value, reach), g.op("Add", value, reach)
    else:
        factor, shift = g.constant(math.exp(min(interval.reach, 80.0))), g.constant(interval.shift)
        whole = g.op("Add", value, shift)
        lower, upper = (g.op("Sub", g.op(kind, whole, factor), shift) for kind in ("Div", "Mul"))
    for name, end in (("value", value), ("lower", lower), ("upper", upper)):
        g.output(end, name, TensorProto.FLOAT, ["N"])
