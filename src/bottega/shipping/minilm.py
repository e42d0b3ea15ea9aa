"""The sentence network as a graph, written straight from the published weights: no exporter, no torch."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import TensorProto

from bottega.data.graph import GraphBuilder
from bottega.models.sentence import N_HEADS, N_LAYERS, NORM_EPSILON, WIDTH

__all__ = ["Tensors", "minilm_classifier_graph", "minilm_graph", "minilm_states_graph", "pieces_graph"]

Tensors = Mapping[str, npt.NDArray[Any]]
Floats = npt.NDArray[np.float32]
MASKED = -1e9  # added to the scores of what stands behind a text's end


def minilm_graph(weights: Tensors, layers: Sequence[int] = (N_LAYERS,)) -> bytes:
    """Write the network.

    Args:
        weights: the published state, by name.
        layers: whose outputs are described, each by the mean over a text's pieces; 0 is the embedding.
    Returns:
        `pieces` int64 [N, T] (0 behind the end) -> `features` float32 [N, 384 x layers].
    Raises:
        KeyError: the weights are of another network (a bug or a changed package, not the user's input).
    """
    writer = _Writer(weights)
    g = writer.g
    pieces = g.input("pieces", TensorProto.INT64, ["N", "T"])
    features = writer.means(pieces, layers)
    g.output(features, "features", TensorProto.FLOAT, ["N", WIDTH * len(layers)])
    return g.model()


def minilm_states_graph(weights: Tensors, layer: int) -> bytes:
    """What a layer makes of each piece: `pieces` int64 [N, T] -> `states` float32 [N, T, 384]."""
    writer = _Writer(weights)
    g = writer.g
    pieces = g.input("pieces", TensorProto.INT64, ["N", "T"])
    *_, x = writer.layers(pieces, layer)
    g.output(x, "states", TensorProto.FLOAT, ["N", "T", WIDTH])
    return g.model()


def minilm_classifier_graph(weights: Tensors, head: Floats, bias: Floats) -> bytes:
    """The network with a linear layer on the mean of its last layer.

    Args:
        weights: the state by its published names, of which some were trained on.
        head, bias: (384, C), (C,).
    Returns:
        `x` float32 [N, T], pieces as numbers, 0 behind the end -> `logits` float32 [N, C].
    """
    writer = _Writer(weights)
    g = writer.g
    x = g.op("Cast", g.input("x", TensorProto.FLOAT, ["N", "T"]), to=TensorProto.INT64)
    used = g.op("ReduceMax", g.op("Cast", g.op("Greater", x, g.constant(0, np.int64)), to=TensorProto.INT64),
                g.constant([0], np.int64), keepdims=0)  # fmt: skip
    longest = g.op("ReduceSum", used, keepdims=1)  # the batch's own; what stands behind it costs time alone
    pieces = g.op("Slice", x, g.constant([0], np.int64), longest, g.constant([1], np.int64))
    logits = g.op("Gemm", writer.means(pieces, (N_LAYERS,)), g.constant(head), g.constant(bias))
    g.output(logits, "logits", TensorProto.FLOAT, ["N", len(bias)])
    return g.model()


def pieces_graph() -> bytes:
    """The pieces themselves, for a form that reads them: `pieces` int64 [N, T] -> `x` float32 [N, T]."""
    g = GraphBuilder()
    x = g.op("Cast", g.input("pieces", TensorProto.INT64, ["N", "T"]), to=TensorProto.FLOAT)
    g.output(x, "x", TensorProto.FLOAT, ["N", "T"])
    return g.model()


class _Writer:
    """Adds the parts of the network to one graph, by the names of the published weights."""

    def __init__(self, weights: Tensors) -> None:
        self.g = GraphBuilder()
        self.weights = weights
        self.split = self.g.constant([0, 0, N_HEADS, WIDTH // N_HEADS], np.int64)
        self.join = self.g.constant([0, 0, WIDTH], np.int64)

    def means(self, pieces: str, layers: Sequence[int]) -> str:
        """Layers, each by the mean over a text's pieces: int64 (N, T) -> (N, 384 x layers)."""
        g = self.g
        share = g.op("Unsqueeze", self._inside(pieces), g.constant([2], np.int64))  # (N, T, 1)
        n = g.op("ReduceSum", share, g.constant([1], np.int64), keepdims=0)  # (N, 1)
        found = []
        for layer, x in enumerate(self.layers(pieces, max(layers))):
            if layer in layers:
                total = g.op("ReduceSum", g.op("Mul", x, share), g.constant([1], np.int64), keepdims=0)
                found.append(g.op("Div", total, n))
        return found[0] if len(found) == 1 else g.op("Concat", *found, axis=1)

    def layers(self, pieces: str, last: int) -> Iterator[str]:
        """The embedding (N, T, 384) and what each layer makes of it."""
        g = self.g
        outside = g.op("Mul", g.op("Sub", g.constant(1.0), self._inside(pieces)), g.constant(MASKED))
        mask = g.op("Unsqueeze", outside, g.constant([1, 2], np.int64))  # (N, 1, 1, T)
        x = self.embed(pieces)
        yield x
        for layer in range(last):
            x = self.layer(f"encoder.layer.{layer}.", x, mask)
            yield x

    def _inside(self, pieces: str) -> str:
        """(N, T) 1 before a text's end."""
        return self.g.op("Cast", self.g.op("Greater", pieces, self.g.constant(0, np.int64)), to=TensorProto.FLOAT)

    def embed(self, pieces: str) -> str:
        """Piece, place and sentence: int64 (N, T) -> (N, T, 384)."""
        g, at = self.g, "embeddings."
        words = g.op("Gather", g.constant(self.weights[f"{at}word_embeddings.weight"]), pieces)
        places = self.weights[f"{at}position_embeddings.weight"] + self.weights[f"{at}token_type_embeddings.weight"][0]
        n = g.op("Shape", pieces, start=1, end=2)
        place = g.op("Slice", g.constant(places), g.constant([0], np.int64), n, g.constant([0], np.int64))
        return self.norm(f"{at}LayerNorm", g.op("Add", words, place))

    def layer(self, at: str, x: str, mask: str) -> str:
        """One layer of the encoder; (N, T, 384) stays."""
        g = self.g
        attended = self.dense(f"{at}attention.output.dense", self.attend(f"{at}attention.self.", x, mask))
        x = self.norm(f"{at}attention.output.LayerNorm", g.op("Add", x, attended))
        inner = g.op("Gelu", self.dense(f"{at}intermediate.dense", x))
        return self.norm(f"{at}output.LayerNorm", g.op("Add", x, self.dense(f"{at}output.dense", inner)))

    def attend(self, at: str, x: str, mask: str) -> str:
        """Each piece gathers from the others, head by head."""
        g = self.g
        query = self._heads(self.dense(f"{at}query", x, scale=(WIDTH // N_HEADS) ** -0.5), [0, 2, 1, 3])
        key = self._heads(self.dense(f"{at}key", x), [0, 2, 3, 1])
        value = self._heads(self.dense(f"{at}value", x), [0, 2, 1, 3])
        scores = g.op("Add", g.op("MatMul", query, key), mask)  # (N, H, T, T)
        gathered = g.op("MatMul", g.op("Softmax", scores, axis=3), value)  # (N, H, T, 32)
        return g.op("Reshape", g.op("Transpose", gathered, perm=[0, 2, 1, 3]), self.join)

    def dense(self, name: str, x: str, *, scale: float = 1.0) -> str:
        g = self.g
        weight, bias = (self.weights[f"{name}.{part}"] * np.float32(scale) for part in ("weight", "bias"))
        return g.op("Add", g.op("MatMul", x, g.constant(weight.T)), g.constant(bias))

    def norm(self, name: str, x: str) -> str:
        weight, bias = (self.g.constant(self.weights[f"{name}.{part}"]) for part in ("weight", "bias"))
        return self.g.op("LayerNormalization", x, weight, bias, axis=-1, epsilon=NORM_EPSILON)

    def _heads(self, x: str, perm: list[int]) -> str:
        return self.g.op("Transpose", self.g.op("Reshape", x, self.split), perm=perm)
