"""What a model of texts ends with, as one graph: term by term the weights are gathered and added up."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
import numpy.typing as npt
from onnx import TensorProto

from bottega.data.graph import GraphBuilder
from bottega.data.text_characters import TextPreparation
from bottega.data.text_terms import Terms, add_tf_idf
from bottega.evaluation.forms import Softmax
from bottega.shipping.tails import add_tail

__all__ = ["TermWeights", "any_of", "sum_graph", "text_scores_graph"]

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class TermWeights:
    """Terms, and the `weight` (n_terms, C) of each for each class."""

    terms: Terms
    weight: Floats


def text_scores_graph(
    prepared: TextPreparation, blocks: Sequence[TermWeights], bias: Floats, head: Softmax | None = None
) -> bytes:
    """A linear layer on weighted counts, and on sentence features where there is a head for them.

    Args:
        blocks: each counted and brought to length 1 by itself.
        bias: (C,).
        head: on the last D columns of x.
    Returns:
        `x` float32 [N, L], codes of characters, or [N, L + D] with sentence features -> `logits` float32 [N, C], and
        `known` bool [N]: whether a text has one of the terms.
    """
    g = GraphBuilder()
    x = codes = g.input("x", TensorProto.FLOAT, ["N", "L"])
    scores, known = [], []
    if head is not None:
        end = -len(head.mean)
        codes, features = _columns(g, x, 0, end), _columns(g, x, end, np.iinfo(np.int64).max)
        scores.append(add_tail(g, head, features))
    codes = g.op("Cast", codes, to=TensorProto.INT64)
    for block in blocks:
        places, values = add_tf_idf(g, prepared, block.terms, codes)
        first = g.op("ReduceMin", places, g.constant([1], np.int64), keepdims=0)
        known.append(g.op("Less", first, g.constant(block.terms.n_terms, np.int64)))
        none = np.zeros((1, len(bias)), np.float32)
        weights = g.op("Gather", g.constant(np.concatenate([block.weight, none])), places)  # (N, P) -> (N, P, C)
        row = g.op("Unsqueeze", values, g.constant([1], np.int64))  # (N, 1, P)
        scores.append(g.op("Squeeze", g.op("MatMul", row, weights), g.constant([1], np.int64)))
    total = g.op("Sum", *scores, g.constant(bias))
    g.output(total, "logits", TensorProto.FLOAT, ["N", len(bias)])
    g.output(any_of(g, known), "known", TensorProto.BOOL, ["N"])
    return g.model()


def sum_graph(graphs: Sequence[bytes]) -> bytes:
    """The scores of several graphs added up.

    Args:
        graphs: each `x` float32 [N, L] -> `logits` float32 [N, C], `known` bool [N].
    Returns:
        The same; known is what one of them knows.
    """
    g = GraphBuilder()
    x = g.input("x", TensorProto.FLOAT, ["N", "L"])
    scores, known = zip(*(g.include(data, {"x": x}) for data in graphs), strict=True)
    g.output(g.op("Sum", *scores), "logits", TensorProto.FLOAT, ["N", "C"])
    g.output(any_of(g, known), "known", TensorProto.BOOL, ["N"])
    return g.model()


def any_of(g: GraphBuilder, flags: Sequence[str]) -> str:
    """Whether one of several is true: bool [N] each."""
    return reduce(lambda first, second: g.op("Or", first, second), flags)


def _columns(g: GraphBuilder, x: str, start: int, end: int) -> str:
    return g.op("Slice", x, *(g.constant([value], np.int64) for value in (start, end, 1)))
