"""A pretrained network that learns on: its first blocks stay, the others move slowly under a new last layer."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from bottega.models.lite import (
    LITE,
    N_HEAD,
    NORM_EPSILON,
    SQUARE_FLOOR,
    LiteBlock,
    LiteShape,
    fold_norm,
    lite_blocks,
    n_lower,
    same_padding,
)

__all__ = ["Finetuned", "describe", "finetuned"]

HEAD_SHARE = 0.2  # of the learning rate: the last layer knows its features already


class PointConv(nn.Conv2d):
    """A convolution of one pixel, which learns.

    Shape: (B, C_in, H, W) -> (B, C_out, H, W).
    """

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__(n_in, n_out, 1)


class DepthConv(nn.Module):
    """A convolution of each channel by itself, whose filters stay as published; its bias learns.

    The filters are few, and their gradients would take longer than all the rest of a step. Strided ones are computed in
    float32: the processors' bfloat16 is far slower there on the way back.
    Shape: (B, C, H, W) -> (B, C, ceil(H / stride), ceil(W / stride)).
    """

    weight: Tensor

    def __init__(self, n: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.kernel, self.stride = kernel, stride
        self.register_buffer("weight", torch.zeros(n, 1, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(n))

    def forward(self, x: Tensor) -> Tensor:
        n = len(self.weight)
        # added apart: within the convolution its gradient takes as long as that of the filters
        bias = self.bias.to(x.dtype).view(-1, 1, 1)
        if self.stride == 1:
            return functional.conv2d(x, self.weight, padding=self.kernel // 2, groups=n) + bias
        (top, below), (left, right) = (same_padding(size, self.kernel, self.stride) for size in x.shape[2:])
        with torch.autocast(x.device.type, enabled=False):
            padded = functional.pad(x.float(), (left, right, top, below))
            y: Tensor = functional.conv2d(padded, self.weight, None, self.stride, groups=n)
        return y.to(x.dtype) + bias


class UpperBlock(nn.Module):
    """An inverted residual block with its batch norms folded in.

    Shape: (B, C_in, H, W) -> (B, C_out, H / stride, W / stride).
    """

    def __init__(self, shape: LiteBlock) -> None:
        super().__init__()
        self.expand = PointConv(shape.n_in, shape.n_mid)
        self.depthwise = DepthConv(shape.n_mid, shape.kernel, shape.stride)
        self.project = PointConv(shape.n_mid, shape.n_out)
        self.skips = shape.skips

    def forward(self, x: Tensor) -> Tensor:
        y = functional.relu6(self.expand(x))
        y = cast(Tensor, self.project(functional.relu6(self.depthwise(y))))
        return x + y if self.skips else y


class Finetuned(nn.Module):
    """The upper blocks of EfficientNet-Lite under a linear layer.

    What the lower blocks make of a picture never changes, so it is computed once, by the graph that ships. Batch norms
    are folded into the convolutions, with the statistics they were published with: a batch of a few pictures knows
    less about pictures than they do.
    Shape: (B, C, H, W), what the lower blocks give -> (B, n_classes).
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, shape: LiteShape, n_classes: int, dropout: float = 0.2) -> None:
        super().__init__()
        shapes = lite_blocks(shape)[n_lower(shape) :]
        self.tapped = [index for index, block in enumerate(shapes) if block.ends_level]
        self.n_features = 2 * (sum(shapes[index].n_out for index in self.tapped) + N_HEAD)
        self.blocks = nn.ModuleList(map(UpperBlock, shapes))
        self.head = PointConv(shapes[-1].n_out, N_HEAD)
        self.register_buffer("mean", torch.zeros(self.n_features))
        self.register_buffer("scale", torch.ones(self.n_features))
        self.dropout = nn.Dropout(dropout)
        self.answer = nn.Linear(self.n_features, n_classes)

    def features(self, x: Tensor) -> Tensor:
        """The features by which the frozen network describes pictures: (B, C, H, W) -> (B, n_features)."""
        levels = []
        for index, block in enumerate(self.blocks):
            x = block(x)
            if index in self.tapped:
                levels.append(describe(x))
        return torch.cat([*levels, describe(functional.relu6(self.head(x)))], 1)

    def forward(self, x: Tensor) -> Tensor:
        """Answer pictures."""
        z = (self.features(x) - self.mean) / self.scale
        answers: Tensor = self.answer(self.dropout(z))
        return answers

    @staticmethod
    def rate_share(name: str) -> float:
        """The share of the learning rate for the parameter of this name."""
        return HEAD_SHARE if name.startswith("answer.") else 1.0

    @torch.no_grad()
    def start_from(self, head: Mapping[str, NDArray[np.float32]]) -> None:
        """Begin with a layer that was fitted on the frozen features: `mean`, `scale` (D,), `weight` (D, C), `bias`."""
        for name in ("mean", "scale"):
            getattr(self, name).copy_(torch.from_numpy(head[name]))
        self.answer.weight.copy_(torch.from_numpy(head["weight"].T.copy()))
        self.answer.bias.copy_(torch.from_numpy(head["bias"]))


def describe(x: Tensor) -> Tensor:
    """Mean and root mean square of each channel: (B, C, H, W) -> (B, 2 C)."""
    return torch.cat([x.mean((2, 3)), (x.square().mean((2, 3)) + SQUARE_FLOOR).sqrt()], 1)


def finetuned(name: str, weights_path: Path, n_classes: int) -> Finetuned:
    """The upper blocks as published, with a last layer of zeros.

    Args:
        name: a key of `models.lite.LITE`.
        weights_path: its published weights, already proved by their SHA-256.
    """
    weights = torch.load(weights_path, map_location="cpu", weights_only=True)
    published = {key: value.numpy() for key, value in weights.items()}
    network = Finetuned(LITE[name], n_classes)
    below = n_lower(LITE[name])
    for index, block in enumerate(network.blocks):
        at = f"_blocks.{index + below}."
        for conv, of, norm in (
            (block.expand, "_expand_conv", "_bn0"),
            (block.depthwise, "_depthwise_conv", "_bn1"),
            (block.project, "_project_conv", "_bn2"),
        ):
            _fill(conv, published, f"{at}{of}", f"{at}{norm}")
    _fill(network.head, published, "_conv_head", "_bn1")
    nn.init.zeros_(network.answer.weight)
    nn.init.zeros_(network.answer.bias)
    return network


@torch.no_grad()
def _fill(conv: Any, published: Mapping[str, NDArray[Any]], name: str, norm: str) -> None:
    names = ("weight", "bias", "running_mean", "running_var")
    statistics = {key: published[f"{norm}.{key}"] for key in names}
    weight, bias = fold_norm(published[f"{name}.weight"], None, statistics, NORM_EPSILON)
    conv.weight.copy_(torch.from_numpy(weight))
    conv.bias.copy_(torch.from_numpy(bias))
