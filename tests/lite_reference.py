"""EfficientNet-Lite in torch, layer by layer as it was published: what the graphs that ship are compared with."""

from collections.abc import Mapping
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from bottega.models.finetune import describe
from bottega.models.lite import (
    LITE,
    N_HEAD,
    N_STEM,
    NORM_EPSILON,
    LiteBlock,
    LiteShape,
    lite_blocks,
    same_padding,
)

__all__ = ["LITE", "EfficientNetLite", "LiteShape", "load_efficientnet_lite"]


class SameConv(nn.Conv2d):
    """A convolution whose output has ceil(size / stride) pixels: an odd padding goes right and below.

    Shape: (B, C_in, H, W) -> (B, C_out, ceil(H / stride), ceil(W / stride)).
    """

    def __init__(self, n_in: int, n_out: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__(n_in, n_out, kernel, stride, groups=groups, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        kernel, stride = self.kernel_size[0], self.stride[0]
        (top, below), (left, right) = (same_padding(n, kernel, stride) for n in x.shape[2:])
        if top == below == left == right:
            return functional.conv2d(x, self.weight, None, stride, top, groups=self.groups)
        x = functional.pad(x, (left, right, top, below))
        return functional.conv2d(x, self.weight, None, stride, groups=self.groups)


class Block(nn.Module):
    """An inverted residual block without squeeze-and-excitation.

    Shape: (B, C_in, H, W) -> (B, C_out, H / stride, W / stride).
    """

    def __init__(self, shape: LiteBlock) -> None:
        super().__init__()
        n_mid = shape.n_mid
        if shape.expansion > 1:
            self._expand_conv = SameConv(shape.n_in, n_mid, 1)
            self._bn0 = nn.BatchNorm2d(n_mid, NORM_EPSILON)
        self._depthwise_conv = SameConv(n_mid, n_mid, shape.kernel, shape.stride, groups=n_mid)
        self._bn1 = nn.BatchNorm2d(n_mid, NORM_EPSILON)
        self._project_conv = SameConv(n_mid, shape.n_out, 1)
        self._bn2 = nn.BatchNorm2d(shape.n_out, NORM_EPSILON)
        self.expands = shape.expansion > 1
        self.skips = shape.skips

    def forward(self, x: Tensor) -> Tensor:
        y = functional.relu6(self._bn0(self._expand_conv(x))) if self.expands else x
        y = functional.relu6(self._bn1(self._depthwise_conv(y)))
        y = cast(Tensor, self._bn2(self._project_conv(y)))
        return x + y if self.skips else y


class EfficientNetLite(nn.Module):
    """EfficientNet-Lite as a describer of pictures: pooled features of its last five levels, no classifier.

    Shape: (B, 3, size, size), scaled to about -1 … 1 -> (B, n_features): for each level the mean of every channel,
    then the root of its mean square. The last level alone knows ImageNet's classes; the levels before it know
    strokes, textures and parts, which is what drawings and close-ups need.
    Attribute names are those of the published weights.
    Source: Tan & Le 2019, "EfficientNet"; the Lite variants drop squeeze-and-excitation, use ReLU6,
    and keep stem, head and the repeats of the first and last stage unscaled.
    """

    def __init__(self, shape: LiteShape) -> None:
        super().__init__()
        self.size = shape.size
        shapes = lite_blocks(shape)
        self.tapped = [index for index, block in enumerate(shapes) if block.ends_level]
        self.n_features = 2 * (sum(shapes[index].n_out for index in self.tapped) + N_HEAD)
        self._conv_stem = SameConv(3, N_STEM, 3, 2)
        self._bn0 = nn.BatchNorm2d(N_STEM, NORM_EPSILON)
        self._blocks = nn.Sequential(*map(Block, shapes))
        self._conv_head = SameConv(shapes[-1].n_out, N_HEAD, 1)
        self._bn1 = nn.BatchNorm2d(N_HEAD, NORM_EPSILON)

    def forward(self, x: Tensor) -> Tensor:
        """Describe pictures: (B, 3, S, S) -> (B, n_features)."""
        x = functional.relu6(self._bn0(self._conv_stem(x)))  # (B, 3, S, S) -> (B, 32, S/2, S/2)
        levels = []
        for index, block in enumerate(self._blocks):
            x = block(x)
            if index in self.tapped:
                levels.append(describe(x))
        x = functional.relu6(self._bn1(self._conv_head(x)))  # (B, 320, S/32, S/32) -> (B, 1280, S/32, S/32)
        return torch.cat([*levels, describe(x)], 1)  # -> (B, n_features)


def load_efficientnet_lite(name: str, weights: Mapping[str, Tensor]) -> EfficientNetLite:
    """Build `name` and fill it with published weights, in evaluation mode.

    Args:
        name: a key of `LITE`.
        weights: the state of the published network; its classifier (`_fc.*`) is not used.
    Raises:
        RuntimeError: the weights are of another network (a bug or a changed package, not the user's input).
    """
    network = EfficientNetLite(LITE[name])
    network.load_state_dict({key: value for key, value in weights.items() if not key.startswith("_fc.")})
    return network.eval()
