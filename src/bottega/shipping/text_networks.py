"""Networks of texts as operators, from codes of characters to scores; stock ones, and no loops but the LSTM's own."""

import numpy as np
from onnx import TensorProto

from bottega.data.graph import GraphBuilder
from bottega.data.text_characters import TextPreparation
from bottega.data.text_tokens import PADDING, Vocabulary, add_known, add_tokens
from bottega.evaluation.text_forms import Filters, Recurrent, TextNetwork

__all__ = ["text_network_graph"]

OUTSIDE = -2.0  # below what a tanh gives


def text_network_graph(prepared: TextPreparation, vocabulary: Vocabulary, form: TextNetwork) -> bytes:
    """A network, and whether it has seen one of a text's words.

    Returns:
        `x` float32 [N, L], codes of characters -> `logits` float32 [N, C], `known` bool [N].
    """
    g = GraphBuilder()
    codes = g.op("Cast", g.input("x", TensorProto.FLOAT, ["N", "L"]), to=TensorProto.INT64)
    tokens = add_tokens(g, prepared, vocabulary, codes)
    inside = g.op("Cast", g.op("Greater", tokens, g.constant(PADDING, np.int64)), to=TensorProto.FLOAT)  # (N, T)
    n = g.op("ReduceSum", inside, g.constant([1], np.int64), keepdims=1)  # (N, 1)
    n = g.op("Max", n, g.constant(1.0))
    x = g.op("Gather", g.constant(form.embedding), tokens)  # (N, T, E)
    if form.body is None:
        total = g.op("ReduceSum", x, g.constant([1], np.int64), keepdims=0)  # the padding's embedding is 0
        x = g.op("Div", total, n)
    elif isinstance(form.body, Filters):
        x = _filtered(g, form.body, x)
    else:
        x = _read(g, form.body, x, inside, n)
    logits = g.op("Gemm", x, g.constant(form.weight), g.constant(form.bias))
    g.output(logits, "logits", TensorProto.FLOAT, ["N", len(form.bias)])
    g.output(add_known(g, tokens), "known", TensorProto.BOOL, ["N"])
    return g.model()


def _filtered(g: GraphBuilder, body: Filters, x: str) -> str:
    """(N, T, E) -> (N, 3 F)."""
    longest = max(weight.shape[2] for weight in body.weight)
    x = g.op("Transpose", g.op("Pad", x, g.constant([0, 0, 0, 0, longest, 0], np.int64)), perm=[0, 2, 1])
    found = []
    for weight, bias in zip(body.weight, body.bias, strict=True):
        answers = g.op("Relu", g.op("Conv", x, g.constant(weight), g.constant(bias)))
        found.append(g.op("ReduceMax", answers, g.constant([2], np.int64), keepdims=0))
    return g.op("Concat", *found, axis=1)


def _read(g: GraphBuilder, body: Recurrent, x: str, inside: str, n: str) -> str:
    """(N, T, E) -> (N, 2 H)."""
    length = g.op("Squeeze", g.op("Cast", n, to=TensorProto.INT32), g.constant([1], np.int64))
    weights = (g.constant(body.weight), g.constant(body.recurrence), g.constant(body.bias))
    n_units = body.recurrence.shape[2]
    by_time = g.op("Transpose", x, perm=[1, 0, 2])  # (T, N, E)
    states = g.op("LSTM", by_time, *weights, length, direction="bidirectional", hidden_size=n_units)  # (T, 2, N, H)
    first = g.op("Pad", g.op("Slice", inside, *(g.constant([v], np.int64) for v in (1, np.iinfo(np.int64).max, 1))),
                 g.constant([0, 1, 0, 0], np.int64), g.constant(1.0))  # fmt: skip
    outside = g.op("Mul", g.op("Sub", g.constant(1.0), first), g.constant(OUTSIDE))  # an empty text has one token
    by_text = g.op("Transpose", outside, perm=[1, 0])
    lowered = g.op("Add", states, g.op("Unsqueeze", by_text, g.constant([1, 3], np.int64)))
    largest = g.op("ReduceMax", lowered, g.constant([0], np.int64), keepdims=0)  # (2, N, H)
    return g.op("Flatten", g.op("Transpose", largest, perm=[1, 0, 2]), axis=1)
