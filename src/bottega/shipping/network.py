"""A trained network as a graph, written layer by layer from its plan and its arrays: no exporter, no torch."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import TensorProto

from bottega.data.graph import GraphBuilder
from bottega.models.lite import fold_norm
from bottega.problem.layers import Layer, stride_between
from bottega.problem.network import Network, Step, body_steps

__all__ = ["network_graph"]

NORM_EPSILON = 1e-5  # as in models/networks.py

Array = npt.NDArray[Any]
Arrays = Mapping[str, Array]
Write = Callable[[GraphBuilder, str, Layer], str]


def network_graph(plan: Network, arrays: Arrays, mean: npt.ArrayLike, scale: npt.ArrayLike) -> bytes:
    """Write a trained network; equal to what `models.networks.build` computes in evaluation mode.

    Batch norms are folded into the layer before them (in float64), dropout is gone.

    Args:
        plan: the layers.
        arrays: the state of the trained network by name: "conv1.weight", "residual1.batch_norm2.running_mean", ...
        mean, scale: (C,) or (D,), or one number: each input becomes (x - mean) / scale first.
    Returns:
        `x` float32 [N, *plan.input] -> `logits` float32 [N, n_outputs].
    Raises:
        KeyError: an array is missing (a bug, not the user's input).
    """
    g = GraphBuilder()
    x = g.input("x", TensorProto.FLOAT, ["N", *plan.input])
    sides = [1] * (len(plan.input) - 1)
    centre, spread = (np.asarray(value, np.float64).reshape(-1, *sides) for value in (mean, scale))
    x = g.op("Div", g.op("Sub", x, g.constant(centre)), g.constant(spread))
    x = _Writer(g, arrays).run(plan.layers, plan.input, x, "")
    answer = g.op("Gemm", x, g.constant(arrays["answer.weight"]), g.constant(arrays["answer.bias"]), transB=1)
    g.output(answer, "logits", TensorProto.FLOAT, ["N", len(arrays["answer.bias"])])
    return g.model()


class _Writer:
    """Adds runs of layers to one graph."""

    def __init__(self, g: GraphBuilder, arrays: Arrays) -> None:
        self.g = g
        self.arrays = arrays

    def run(self, layers: Sequence[Layer], shape: tuple[int, ...], x: str, prefix: str) -> str:
        """Add layers one after the other; `prefix` is the residual that they are the body of."""
        steps = list(body_steps(layers, shape))
        folded = False
        for index, step in enumerate(steps):
            kind, name = step.layer.kind, prefix + step.name
            if kind in ("conv", "depthwise_conv", "dense"):
                folded = index + 1 < len(steps) and steps[index + 1].layer.kind == "batch_norm"
                norm = prefix + steps[index + 1].name if folded else None
                x = self._weighted(x, step, *self._weights(name, norm))
            elif kind == "batch_norm":
                x = x if folded else self._norm(x, step, name)
                folded = False
            elif kind == "residual":
                body = self.run(step.layer.layers, step.into, x, f"{name}.")
                x = self.g.op("Add", self._around(x, step, name), body)
            else:
                x = _PLAIN[kind](self.g, x, step.layer)
        return x

    def _weighted(self, x: str, step: Step, weight: Array, bias: Array) -> str:
        constants = self.g.constant(weight), self.g.constant(bias)
        if step.layer.kind == "dense":
            return self.g.op("Gemm", x, *constants, transB=1)
        groups = step.into[0] if step.layer.kind == "depthwise_conv" else step.layer.whole("groups")
        return self.g.op("Conv", x, *constants, **_window(step.layer), group=groups)

    def _around(self, x: str, step: Step, name: str) -> str:
        """The input of a residual as it is added: as it came, or projected to the body's shape."""
        if step.into == step.out:
            return x
        weight, bias = self._weights(f"{name}.projection", f"{name}.projection_norm")
        if len(step.into) == 1:
            return self.g.op("Gemm", x, self.g.constant(weight), self.g.constant(bias), transB=1)
        stride = stride_between(step.into, step.out) or 1
        return self.g.op("Conv", x, self.g.constant(weight), self.g.constant(bias), strides=[stride, stride])

    def _weights(self, name: str, norm: str | None) -> tuple[Array, Array]:
        weight, bias = self.arrays[f"{name}.weight"], self.arrays.get(f"{name}.bias")
        if norm is not None:
            return fold_norm(weight, bias, self._norm_arrays(norm), NORM_EPSILON)
        if bias is None:
            raise KeyError(f"{name}.bias")
        return weight, bias

    def _norm(self, x: str, step: Step, name: str) -> str:
        """A norm that no layer before it can take over."""
        n, sides = step.into[0], [1] * (len(step.into) - 1)
        scale, shift = fold_norm(np.ones((n, *sides)), None, self._norm_arrays(name), NORM_EPSILON)
        return self.g.op("Add", self.g.op("Mul", x, self.g.constant(scale)), self.g.constant(shift.reshape(n, *sides)))

    def _norm_arrays(self, name: str) -> dict[str, Array]:
        return {key: self.arrays[f"{name}.{key}"] for key in ("weight", "bias", "running_mean", "running_var")}


def _window(layer: Layer) -> dict[str, Any]:
    kernel, stride = layer.whole("kernel"), layer.whole("stride")
    pad = kernel // 2 if layer["padding"] == "same" else 0
    return {"kernel_shape": [kernel, kernel], "strides": [stride, stride], "pads": [pad] * 4}


def _gelu(g: GraphBuilder, x: str, _layer: Layer) -> str:
    """The input times the normal distribution's share below it; by the error function, as older runtimes lack Gelu."""
    share = g.op("Add", g.op("Erf", g.op("Mul", x, g.constant(np.sqrt(0.5)))), g.constant(1.0))
    return g.op("Mul", g.op("Mul", x, share), g.constant(0.5))


def _global_pool(g: GraphBuilder, x: str, layer: Layer) -> str:
    kind = "GlobalAveragePool" if layer["by"] == "mean" else "GlobalMaxPool"
    return g.op("Flatten", g.op(kind, x), axis=1)  # (N, C, H, W) -> (N, C)


_PLAIN: Mapping[str, Write] = {
    "relu": lambda g, x, _: g.op("Relu", x),
    "relu6": lambda g, x, _: g.op("Clip", x, g.constant(0.0), g.constant(6.0)),
    "tanh": lambda g, x, _: g.op("Tanh", x),
    "sigmoid": lambda g, x, _: g.op("Sigmoid", x),
    "silu": lambda g, x, _: g.op("Mul", x, g.op("Sigmoid", x)),
    "gelu": _gelu,
    "max_pool": lambda g, x, layer: g.op("MaxPool", x, **_window(layer)),
    "avg_pool": lambda g, x, layer: g.op("AveragePool", x, **_window(layer), count_include_pad=0),
    "global_pool": _global_pool,
    "flatten": lambda g, x, _: g.op("Flatten", x, axis=1),
    "dropout": lambda _g, x, _: x,
}
