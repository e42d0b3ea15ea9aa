"""Vectors of a text's words as operators: their mean, and the largest value of each number."""

import numpy as np
import numpy.typing as npt
from onnx import TensorProto

from bottega.data.graph import GraphBuilder
from bottega.data.text_characters import TextPreparation
from bottega.data.text_tokens import N_SPECIAL_TOKENS, Vocabulary, add_known, add_tokens
from bottega.evaluation.forms import Softmax
from bottega.shipping.tails import add_tail

__all__ = ["vector_features_graph", "vector_scores_graph"]

Floats = npt.NDArray[np.float32]
LOWEST = -1e30  # below any number of a vector


def vector_features_graph(prepared: TextPreparation, vocabulary: Vocabulary, rows: Floats) -> bytes:
    """The numbers alone: `codes` uint16 [N, L] -> `features` float32 [N, 2 D].

    Args:
        vocabulary: of the words that have a vector.
        rows: (K, D) their vectors.
    """
    g = GraphBuilder()
    codes = g.op("Cast", g.input("codes", TensorProto.UINT16, ["N", "L"]), to=TensorProto.INT64)
    found = _add_features(g, rows, add_tokens(g, prepared, vocabulary, codes))
    g.output(found, "features", TensorProto.FLOAT, ["N", 2 * rows.shape[1]])
    return g.model()


def vector_scores_graph(prepared: TextPreparation, vocabulary: Vocabulary, rows: Floats, head: Softmax) -> bytes:
    """With a layer on them, and whether a text has a word that has a vector.

    Returns:
        `x` float32 [N, L], codes of characters -> `logits` float32 [N, C], `known` bool [N].
    """
    g = GraphBuilder()
    codes = g.op("Cast", g.input("x", TensorProto.FLOAT, ["N", "L"]), to=TensorProto.INT64)
    tokens = add_tokens(g, prepared, vocabulary, codes)
    scores = add_tail(g, head, _add_features(g, rows, tokens))
    g.output(scores, "logits", TensorProto.FLOAT, ["N", len(head.bias)])
    g.output(add_known(g, tokens), "known", TensorProto.BOOL, ["N"])
    return g.model()


def _add_features(g: GraphBuilder, rows: Floats, tokens: str) -> str:
    """Mean and largest over the words that have a vector, zeros where none has: [N, T] -> [N, 2 D]."""
    special = np.zeros((N_SPECIAL_TOKENS, rows.shape[1]), np.float32)
    found = g.op("Gather", g.constant(np.concatenate([special, rows])), tokens)  # (N, T, D)
    known = g.op("GreaterOrEqual", tokens, g.constant(N_SPECIAL_TOKENS, np.int64))
    words = g.constant([1], np.int64)
    n = g.op("ReduceSum", g.op("Cast", known, to=TensorProto.FLOAT), words, keepdims=1)  # (N, 1)
    mean = g.op("Div", g.op("ReduceSum", found, words, keepdims=0), g.op("Max", n, g.constant(1.0)))
    there = g.op("Unsqueeze", known, g.constant([2], np.int64))
    largest = g.op("ReduceMax", g.op("Where", there, found, g.constant(LOWEST)), words, keepdims=0)
    largest = g.op("Where", g.op("Greater", n, g.constant(0.0)), largest, g.constant(0.0))
    return g.op("Concat", mean, largest, axis=1)
