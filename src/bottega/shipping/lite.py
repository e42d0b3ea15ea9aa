"""EfficientNet-Lite as a graph, written straight from the published weights: no exporter, no torch."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import TensorProto

from bottega.data.graph import GraphBuilder
from bottega.models.lite import (
    LITE,
    N_HEAD,
    NORM_EPSILON,
    SQUARE_FLOOR,
    LiteBlock,
    LiteShape,
    fold_norm,
    lite_blocks,
    lower_shape,
    n_lower,
    same_padding,
)

__all__ = ["finetuned_graph", "lite_graph", "lower_graph"]

Array = npt.NDArray[Any]
Weights = Mapping[str, Array]


def lite_graph(name: str, weights: Weights) -> bytes:
    """Write a pretrained describer of pictures: for each level the mean and the root mean square of every channel.

    The last level alone knows ImageNet's classes; the levels before it know strokes, textures and parts, which is what
    drawings and close-ups need.
    Source: Tan & Le 2019, "EfficientNet"; the Lite variants drop squeeze-and-excitation, use ReLU6, and keep stem, head
    and the repeats of the first and last stage unscaled.
    Batch norms are folded into the convolutions, ReLU6 is a Clip, and the uneven padding is part of each convolution.

    Args:
        name: a key of `models.lite.LITE`.
        weights: the published state, by name; its classifier (`_fc.*`) is not used.
    Returns:
        `x` float32 [N, 3, size, size], about -1 … 1 -> `features` float32 [N, n_features].
    Raises:
        KeyError: the weights are of another network (a bug or a changed package, not the user's input).
    """
    shape = LITE[name]
    writer = _Writer(weights)
    x = writer.g.input("x", TensorProto.FLOAT, ["N", 3, shape.size, shape.size])
    flat, n_features = writer.body(x, shape, shape.size)
    writer.g.output(flat, "features", TensorProto.FLOAT, ["N", n_features])
    return writer.g.model()


def lower_graph(name: str, weights: Weights, side: int) -> bytes:
    """Write the blocks that stay as published when the others learn on.

    Args:
        name: a key of `models.lite.LITE`.
        weights: the published state, by name.
        side: of the square pictures, pixels.
    Returns:
        `x` float32 [N, 3, side, side], about -1 … 1 -> `states` float32 [N, *lower_shape].
    """
    shape = LITE[name]
    writer = _Writer(weights)
    y, size = writer.stem(writer.g.input("x", TensorProto.FLOAT, ["N", 3, side, side]), side)
    for index, block in enumerate(lite_blocks(shape)[: n_lower(shape)]):
        y, size = writer.block(y, size, index, block)
    writer.g.output(y, "states", TensorProto.FLOAT, ["N", *lower_shape(name, side)])
    return writer.g.model()


def finetuned_graph(name: str, side: int, arrays: Weights) -> bytes:
    """Write what was fine-tuned; equal to `models.finetune.Finetuned` in evaluation mode.

    Args:
        name: a key of `models.lite.LITE`.
        side: of the pictures that it was trained on, pixels.
        arrays: the trained state, by name.
    Returns:
        `x` float32 [N, V, *lower_shape], views of a picture, of which the first is read -> `logits` [N, n_classes].
    """
    writer = _Writer(arrays)
    g = writer.g
    shape, states = LITE[name], lower_shape(name, side)
    views = g.input("x", TensorProto.FLOAT, ["N", "V", *states])
    first, axis = g.constant([0], np.int64), g.constant([1], np.int64)
    x = g.op("Squeeze", g.op("Gather", views, first, axis=1), axis)  # -> (N, C, H, W)
    flat = writer.upper(x, lite_blocks(shape)[n_lower(shape) :], states[1])
    z = g.op("Div", g.op("Sub", flat, g.constant(arrays["mean"])), g.constant(arrays["scale"]))
    logits = g.op("Gemm", z, g.constant(arrays["answer.weight"]), g.constant(arrays["answer.bias"]), transB=1)
    g.output(logits, "logits", TensorProto.FLOAT, ["N", len(arrays["answer.bias"])])
    return g.model()


class _Writer:
    """Adds the parts of the network to one graph, by the names of the published weights."""

    def __init__(self, weights: Weights) -> None:
        self.g = GraphBuilder()
        self.weights = weights
        self.bounds = (self.g.constant(0.0), self.g.constant(6.0))
        self.floor = self.g.constant(SQUARE_FLOOR)

    def body(self, x: str, shape: LiteShape, size: int) -> tuple[str, int]:
        """From scaled pixels (N, 3, size, size) to features (N, D); returns their name, and D."""
        x, size = self.stem(x, size)
        levels: list[str] = []
        n_features = 2 * N_HEAD
        for index, block in enumerate(lite_blocks(shape)):
            x, size = self.block(x, size, index, block)
            if block.ends_level:
                levels += self.describe(x)
                n_features += 2 * block.n_out
        levels += self.describe(self.head(x, size))
        flat = self.g.op("Flatten", self.g.op("Concat", *levels, axis=1), axis=1)  # (N, D, 1, 1) -> (N, D)
        return flat, n_features

    def upper(self, x: str, blocks: Sequence[LiteBlock], size: int) -> str:
        """From what the lower blocks give to features, by convolutions with their norms folded in."""
        levels: list[str] = []
        for index, block in enumerate(blocks):
            at = f"blocks.{index}."
            y = self._relu6(self._folded(x, size, f"{at}expand")[0])
            y, size = self._folded(y, size, f"{at}depthwise", stride=block.stride, groups=block.n_mid)
            y = self._folded(self._relu6(y), size, f"{at}project")[0]
            x = self.g.op("Add", x, y) if block.skips else y
            if block.ends_level:
                levels += self.describe(x)
        levels += self.describe(self._relu6(self._folded(x, size, "head")[0]))
        return self.g.op("Flatten", self.g.op("Concat", *levels, axis=1), axis=1)

    def stem(self, x: str, size: int) -> tuple[str, int]:
        y, size = self._conv(x, size, "_conv_stem", "_bn0", stride=2)
        return self._relu6(y), size

    def head(self, x: str, size: int) -> str:
        return self._relu6(self._conv(x, size, "_conv_head", "_bn1")[0])

    def block(self, x: str, size: int, index: int, shape: LiteBlock) -> tuple[str, int]:
        """One inverted residual block; returns its output and the side of that, pixels."""
        at, y = f"_blocks.{index}.", x
        if shape.expansion > 1:
            y = self._relu6(self._conv(y, size, f"{at}_expand_conv", f"{at}_bn0")[0])
        y, size = self._conv(y, size, f"{at}_depthwise_conv", f"{at}_bn1", stride=shape.stride, groups=shape.n_mid)
        y = self._conv(self._relu6(y), size, f"{at}_project_conv", f"{at}_bn2")[0]
        return self.g.op("Add", x, y) if shape.skips else y, size

    def describe(self, x: str) -> tuple[str, str]:
        """Mean and root mean square of each channel: (N, C, H, W) -> twice (N, C, 1, 1)."""
        mean = self.g.op("GlobalAveragePool", x)
        square = self.g.op("GlobalAveragePool", self.g.op("Mul", x, x))
        return mean, self.g.op("Sqrt", self.g.op("Add", square, self.floor))

    def _conv(self, x: str, size: int, conv: str, norm: str, *, stride: int = 1, groups: int = 1) -> tuple[str, int]:
        weight = self.weights[f"{conv}.weight"]
        names = ("weight", "bias", "running_mean", "running_var")
        folded = fold_norm(weight, None, {key: self.weights[f"{norm}.{key}"] for key in names}, NORM_EPSILON)
        return self._convolve(x, size, *folded, stride=stride, groups=groups)

    def _folded(self, x: str, size: int, conv: str, *, stride: int = 1, groups: int = 1) -> tuple[str, int]:
        """A convolution whose norm is folded in already."""
        weight, bias = self.weights[f"{conv}.weight"], self.weights[f"{conv}.bias"]
        return self._convolve(x, size, weight, bias, stride=stride, groups=groups)

    def _convolve(self, x: str, size: int, weight: Array, bias: Array, *, stride: int, groups: int) -> tuple[str, int]:
        kernel = weight.shape[2]
        before, after = same_padding(size, kernel, stride)
        y = self.g.op(
            "Conv",
            x,
            self.g.constant(weight),
            self.g.constant(bias),
            kernel_shape=[kernel, kernel],
            strides=[stride, stride],
            pads=[before, before, after, after],
            group=groups,
        )
        return y, -(-size // stride)

    def _relu6(self, x: str) -> str:
        return self.g.op("Clip", x, *self.bounds)
