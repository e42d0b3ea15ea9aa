"""The shape of EfficientNet-Lite, in numbers: read by the network in torch and by the graph that ships."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = [
    "LITE",
    "NORM_EPSILON",
    "N_HEAD",
    "N_STEM",
    "SQUARE_FLOOR",
    "LiteBlock",
    "LiteShape",
    "fold_norm",
    "lite_blocks",
    "lower_shape",
    "n_lower",
    "same_padding",
]

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class LiteShape:
    """How one member of the EfficientNet-Lite family is scaled from the smallest."""

    width: float
    depth: float
    size: int  # pixels: side of the square input


@dataclass(frozen=True)
class LiteBlock:
    """One inverted residual block: widen to `n_in * expansion`, look around, narrow to `n_out`."""

    n_in: int
    n_out: int
    kernel: int
    stride: int
    expansion: int
    ends_level: bool  # the last block of a level that is described

    @property
    def n_mid(self) -> int:
        """Channels between widening and narrowing."""
        return self.n_in * self.expansion

    @property
    def skips(self) -> bool:
        """Whether the input is added to the output."""
        return self.stride == 1 and self.n_in == self.n_out


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
N_STEM = 32  # channels of the first convolution, whatever the width
N_HEAD = 1280  # channels of the last level, whatever the width
FIRST_DESCRIBED_STAGE = 3
NORM_EPSILON = 1e-3  # the value that the weights were trained with
SQUARE_FLOOR = 1e-8  # added to a mean square, so that the slope of its root is finite at nothing


def lite_blocks(shape: LiteShape) -> tuple[LiteBlock, ...]:
    """The blocks between the first convolution and the last, in order.

    Example:
        >>> blocks = lite_blocks(LITE["efficientnet_lite0"])
        >>> len(blocks), blocks[-1].n_out
        (16, 320)
    """
    blocks, n_in = [], N_STEM
    for index, (_, kernel, stride, expansion, channels) in enumerate(STAGES):
        n_out = round_channels(channels * shape.width)
        n_repeats = _n_repeats(shape, index)
        for repeat in range(n_repeats):
            ends_level = index >= FIRST_DESCRIBED_STAGE and repeat == n_repeats - 1
            blocks.append(LiteBlock(n_in, n_out, kernel, stride if repeat == 0 else 1, expansion, ends_level))
            n_in = n_out
    return tuple(blocks)


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Zeros before and after `size` pixels, so that ceil(size / stride) come out: an odd one goes after.

    Example:
        >>> same_padding(224, 3, 2), same_padding(7, 5, 1)
        ((0, 1), (2, 2))
    """
    total = max((math.ceil(size / stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def round_channels(n: float, divisor: int = 8) -> int:
    """The nearest multiple of 8, never more than a tenth below `n` (Howard et al. 2017)."""
    rounded = max(divisor, int(n + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * n else rounded


def _n_repeats(shape: LiteShape, stage: int) -> int:
    scaled = 0 < stage < len(STAGES) - 1
    return math.ceil(STAGES[stage][0] * shape.depth) if scaled else STAGES[stage][0]


def n_lower(shape: LiteShape) -> int:
    """Blocks before the first level that is described: they see edges and textures, which all pictures share.

    Example:
        >>> n_lower(LITE["efficientnet_lite0"])
        5
    """
    return sum(_n_repeats(shape, stage) for stage in range(FIRST_DESCRIBED_STAGE))


def lower_shape(name: str, side: int) -> tuple[int, int, int]:
    """Channels, height and width of what the first `n_lower` blocks make of a square picture.

    Example:
        >>> lower_shape("efficientnet_lite0", 224)
        (40, 28, 28)
    """
    blocks = lite_blocks(LITE[name])[: n_lower(LITE[name])]
    side = -(-side // 2)
    for block in blocks:
        side = -(-side // block.stride)
    return blocks[-1].n_out, side, side


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
