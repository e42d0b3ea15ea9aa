"""EfficientNet-Lite as a graph, written straight from the published weights: no exporter, no torch."""

from collections.abc import Mapping
from dataclasses import dataclass
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
    lite_blocks,
    same_padding,
)

__all__ = ["FinetunedHead", "finetuned_graph", "fold_norm", "lite_graph"]

Array = npt.NDArray[Any]
Weights = Mapping[str, Array]


def lite_graph(name: str, weights: Weights) -> bytes:
    """Write a pretrained describer of pictures; equal to `models.images.EfficientNetLite` in evaluation mode.

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


@dataclass(frozen=True)
class FinetunedHead:
    """The layer on top of the features: `(x - mean) / scale` (D,), `weight` (C, D), `bias` (C,)."""

    mean: Array
    scale: Array
    weight: Array
    bias: Array


def finetuned_graph(
    name: str, side: int, weights: Weights, head: FinetunedHead, prepared: tuple[float, float]
) -> bytes:
    """Write a fine-tuned classifier; equal to `models.finetune.Finetuned` in evaluation mode.

    Args:
        name: a key of `models.lite.LITE`.
        side: of the pictures that it was trained on, pixels.
        weights: of the body, by the names of the published state.
        prepared: mean and scale of the levels 0 … 255 of a pixel.
    Returns:
        `x` float32 [N, 3, side, side], levels -> `logits` float32 [N, n_classes].
    """
    writer = _Writer(weights)
    g = writer.g
    mean, scale = (g.constant(value) for value in prepared)
    x = g.op("Div", g.op("Sub", g.input("x", TensorProto.FLOAT, ["N", 3, side, side]), mean), scale)
    flat, _ = writer.body(x, LITE[name], side)
    z = g.op("Div", g.op("Sub", flat, g.constant(head.mean)), g.constant(head.scale))
    logits = g.op("Gemm", z, g.constant(head.weight), g.constant(head.bias), transB=1)
    g.output(logits, "logits", TensorProto.FLOAT, ["N", len(head.bias)])
    return g.model()


def fold_norm(weight: Array, bias: Array | None, norm: Mapping[str, Array], epsilon: float) -> tuple[Array, Array]:
    """A convolution or dense layer that does its batch norm's work too; in float64.

    Args:
        weight: (C_out, ...).
        bias: (C_out,), or None for none.
        norm: `weight`, `bias`, `running_mean`, `running_var` (C_out,).
    Returns:
        float64 weight and bias.
    """
    scale = norm["weight"] / np.sqrt(norm["running_var"].astype(np.float64) + epsilon)
    centre = norm["running_mean"] - (0.0 if bias is None else bias.astype(np.float64))
    return weight * scale.reshape(-1, *[1] * (weight.ndim - 1)), norm["bias"] - centre * scale


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
        weight, bias = fold_norm(weight, None, {key: self.weights[f"{norm}.{key}"] for key in names}, NORM_EPSILON)
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
