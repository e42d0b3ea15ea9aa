"""Networks for pictures. Today: EfficientNet-Lite, the pretrained body whose features are used frozen."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["LITE", "EfficientNetLite", "LiteShape", "load_efficientnet_lite"]


@dataclass(frozen=True)
class LiteShape:
    """How one member of the EfficientNet-Lite family is scaled from the smallest."""

    width: float
    depth: float
    size: int  # pixels: side of the square input


LITE = {
    "efficientnet_lite0": LiteShape(1.0, 1.0, 224),
    "efficientnet_lite2": LiteShape(1.1, 1.2, 260),
}

# stage: repeats, kernel, stride, expansion, output channels (Tan & Le 2019, table 1)
STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
N_HEAD = 1280  # channels of the last level, whatever the width
FIRST_TAPPED_STAGE = 3
NORM_EPSILON = 1e-3  # the value that the weights were trained with


class SameConv(nn.Conv2d):
    """A convolution whose output has ceil(size / stride) pixels: an odd padding goes right and below.

    Shape: (B, C_in, H, W) -> (B, C_out, ceil(H / stride), ceil(W / stride)).
    """

    def __init__(self, n_in: int, n_out: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__(n_in, n_out, kernel, stride, groups=groups, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        kernel, stride = self.kernel_size[0], self.stride[0]
        total = [max((math.ceil(n / stride) - 1) * stride + kernel - n, 0) for n in x.shape[2:]]  # H, W
        if total[0] == total[1] and total[0] % 2 == 0:
            return functional.conv2d(x, self.weight, None, stride, total[0] // 2, groups=self.groups)
        top, left = total[0] // 2, total[1] // 2
        x = functional.pad(x, (left, total[1] - left, top, total[0] - top))
        return functional.conv2d(x, self.weight, None, stride, groups=self.groups)


class Block(nn.Module):
    """An inverted residual block without squeeze-and-excitation.

    Shape: (B, C_in, H, W) -> (B, C_out, H / stride, W / stride).
    """

    def __init__(self, n_in: int, n_out: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        n_mid = n_in * expansion
        if expansion > 1:
            self._expand_conv = SameConv(n_in, n_mid, 1)
            self._bn0 = nn.BatchNorm2d(n_mid, NORM_EPSILON)
        self._depthwise_conv = SameConv(n_mid, n_mid, kernel, stride, groups=n_mid)
        self._bn1 = nn.BatchNorm2d(n_mid, NORM_EPSILON)
        self._project_conv = SameConv(n_mid, n_out, 1)
        self._bn2 = nn.BatchNorm2d(n_out, NORM_EPSILON)
        self.expands = expansion > 1
        self.skips = stride == 1 and n_in == n_out

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
        self.tapped: list[int] = []  # the last block of each level that is described
        self.n_features = 0
        self._conv_stem = SameConv(3, 32, 3, 2)
        self._bn0 = nn.BatchNorm2d(32, NORM_EPSILON)
        blocks, n_in = [], 32
        for index, (repeats, kernel, stride, expansion, channels) in enumerate(STAGES):
            n_out = round_channels(channels * shape.width)
            scaled = 0 < index < len(STAGES) - 1
            for repeat in range(math.ceil(repeats * shape.depth) if scaled else repeats):
                blocks.append(Block(n_in, n_out, kernel, stride if repeat == 0 else 1, expansion))
                n_in = n_out
            if index >= FIRST_TAPPED_STAGE:
                self.tapped.append(len(blocks) - 1)
                self.n_features += 2 * n_out
        self._blocks = nn.Sequential(*blocks)
        self._conv_head = SameConv(n_in, N_HEAD, 1)
        self._bn1 = nn.BatchNorm2d(N_HEAD, NORM_EPSILON)
        self.n_features += 2 * N_HEAD

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


def describe(x: Tensor) -> Tensor:
    """Mean and root mean square of each channel: (B, C, H, W) -> (B, 2 C)."""
    return torch.cat([x.mean((2, 3)), (x.square().mean((2, 3)) + 1e-8).sqrt()], 1)


def round_channels(n: float, divisor: int = 8) -> int:
    """The nearest multiple of 8, never more than a tenth below `n` (Howard et al. 2017)."""
    rounded = max(divisor, int(n + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * n else rounded


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
