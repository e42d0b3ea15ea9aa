"""A plan becomes a network in torch."""

from collections.abc import Sequence
from math import sqrt

import torch
from torch import Generator, Tensor, nn

from bottega.problem.layers import Layer, stride_between
from bottega.problem.network import Network, Step, body_steps
from bottega.problem.network_summary import takes_bias

__all__ = ["BATCH_NORM_EPSILON", "Residual", "build"]

BATCH_NORM_EPSILON = 1e-5

_ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "relu6": nn.ReLU6,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
}
# How much larger weights are drawn so that signals keep their size through the activation (He et al. 2015;
# torch.nn.init.calculate_gain for tanh).
_GAIN = {"relu": sqrt(2), "relu6": sqrt(2), "gelu": sqrt(2), "silu": sqrt(2), "tanh": 5 / 3}
_TRANSPARENT = ("batch_norm", "dropout", "max_pool", "avg_pool")  # the activation that counts comes after them


class Residual(nn.Module):
    """What a body makes of its input, added to the input.

    Shape: (B, C_in, H, W) -> (B, C_out, H', W'), or (B, D_in) -> (B, D_out). Where they differ, the input goes
    through a 1 x 1 convolution (or a dense layer) and a batch norm first.
    Source: He et al. 2016, "Deep Residual Learning".
    """

    def __init__(self, body: nn.Sequential, projection: nn.Module | None, norm: nn.Module | None) -> None:
        super().__init__()
        for name, layer in body.named_children():  # children of its own: arrays are called "residual1.conv2.weight"
            self.add_module(name, layer)
        self.body_names = [name for name, _ in body.named_children()]
        self.projection, self.projection_norm = projection, norm

    def forward(self, x: Tensor) -> Tensor:
        """Body and way around, added."""
        y = x
        for name in self.body_names:
            y = self.get_submodule(name)(y)
        if self.projection is not None and self.projection_norm is not None:
            x = self.projection_norm(self.projection(x))
        return x + y


def build(plan: Network, n_outputs: int, generator: Generator) -> nn.Sequential:
    """Build a network with fresh weights.

    Weights are normal with a variance that keeps signals at their size (He et al. 2015); biases are zero; the last norm
    of a residual starts at zero, so that each begins as the identity (Goyal et al. 2017).

    Args:
        plan: the layers.
        n_outputs: classes, or numbers that are predicted: the width of the added last layer, "answer".
        generator: draws the weights; on the processor.
    Returns:
        A module whose children have the names of the plan's steps.
    Shape: (B, *plan.input) -> (B, n_outputs).
    """
    network = _sequence(plan.layers, plan.input, generator)
    network.add_module("answer", _drawn(nn.Linear(plan.n_features, n_outputs), 1.0, generator))
    return network


def build_seeded(plan: Network, n_outputs: int, seed: int) -> nn.Sequential:
    """As `build`, with weights drawn from a seed."""
    return build(plan, n_outputs, Generator().manual_seed(seed % 2**63))


def _sequence(layers: Sequence[Layer], shape: tuple[int, ...], generator: Generator) -> nn.Sequential:
    network = nn.Sequential()
    for index, step in enumerate(body_steps(layers, shape)):
        network.add_module(step.name, _module(step, layers, index, generator))
    return network


def _module(step: Step, layers: Sequence[Layer], index: int, generator: Generator) -> nn.Module:
    layer, n_in = step.layer, step.into[0]
    if layer.kind in _ACTIVATIONS:
        return _ACTIVATIONS[layer.kind]()
    match layer.kind:
        case "conv" | "depthwise_conv":
            conv = nn.Conv2d(
                n_in,
                step.out[0],
                layer.whole("kernel"),
                layer.whole("stride"),
                padding(layer),
                groups=n_in if layer.kind == "depthwise_conv" else layer.whole("groups"),
                bias=takes_bias(layers, index),
            )
            return _drawn(conv, _gain(layers, index), generator)
        case "dense":
            dense = nn.Linear(n_in, step.out[0], bias=takes_bias(layers, index))
            return _drawn(dense, _gain(layers, index), generator)
        case "batch_norm":
            return _norm(step.into)
        case "max_pool":
            return nn.MaxPool2d(layer.whole("kernel"), layer.whole("stride"), padding(layer))
        case "avg_pool":
            return nn.AvgPool2d(layer.whole("kernel"), layer.whole("stride"), padding(layer), count_include_pad=False)
        case "global_pool":
            pool = nn.AdaptiveAvgPool2d(1) if layer["by"] == "mean" else nn.AdaptiveMaxPool2d(1)
            return nn.Sequential(pool, nn.Flatten())
        case "flatten":
            return nn.Flatten()
        case "dropout":
            return nn.Dropout(float(layer["rate"]))
        case "residual":
            return _residual(step, generator)
    raise ValueError(f"no module for the layer {layer.kind!r}")


def padding(layer: Layer) -> int:
    """Zeros on each side of a window: half of it, or none."""
    return layer.whole("kernel") // 2 if layer["padding"] == "same" else 0


def _residual(step: Step, generator: Generator) -> Residual:
    body = _sequence(step.layer.layers, step.into, generator)
    norms = [module for name, module in body.named_children() if name.startswith("batch_norm")]
    if norms and step.layer.layers[-1].kind == "batch_norm":
        nn.init.zeros_(norms[-1].weight)  # type: ignore[arg-type]
    if step.into == step.out:
        return Residual(body, None, None)
    n_in, n_out = step.into[0], step.out[0]
    if len(step.into) == 1:
        way: nn.Module = nn.Linear(n_in, n_out, bias=False)
    else:
        way = nn.Conv2d(n_in, n_out, 1, stride_between(step.into, step.out) or 1, bias=False)
    return Residual(body, _drawn(way, _GAIN["relu"], generator), _norm(step.out))


def _norm(shape: tuple[int, ...]) -> nn.Module:
    kind = nn.BatchNorm1d if len(shape) == 1 else nn.BatchNorm2d
    return kind(shape[0], BATCH_NORM_EPSILON)


def _gain(layers: Sequence[Layer], index: int) -> float:
    """By the activation that comes next, if only norms, pools and dropout stand between; at the end as for ReLU."""
    for layer in layers[index + 1 :]:
        if layer.kind not in _TRANSPARENT:
            return _GAIN.get(layer.kind, 1.0)
    return _GAIN["relu"]


def _drawn(module: nn.Module, gain: float, generator: Generator) -> nn.Module:
    """Draw the weights of a dense layer or a convolution: normal, gain / sqrt(inputs of a unit)."""
    weight, bias = module.get_parameter("weight"), getattr(module, "bias", None)
    with torch.no_grad():
        weight.normal_(0, gain / sqrt(weight[0].numel()), generator=generator)
        if bias is not None:
            bias.zero_()
    return module
