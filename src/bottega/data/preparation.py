"""What turns raw pictures into a network's input: written once, as ONNX operators that travel in the model file.

Every function takes the graph input `image`, uint8 [N, H, W, 3] with any H and W, and adds operators.
Nothing here is repeated in Python: training reads the outputs of these very graphs.
"""

import numpy as np
from onnx import TensorProto

from bottega.data.graph import GraphBuilder
from bottega.data.picture_view import View

__all__ = [
    "HISTOGRAM_LEVELS",
    "N_PLAIN",
    "N_THUMBNAIL",
    "colour_histogram",
    "image_input",
    "network_input",
    "plain",
    "small_picture",
]

THUMBNAIL_SIDE = 16  # pixels; the size that made "comparing raw pixels" a rival worth beating
HISTOGRAM_LEVELS = 4  # levels of each colour: 4 x 4 x 4 = 64 bins
HISTOGRAM_SIDE = 64  # pixels: the picture is shrunk to this before its colours are counted
N_THUMBNAIL = THUMBNAIL_SIDE * THUMBNAIL_SIDE * 3
WHOLE = View()
N_PLAIN = N_THUMBNAIL + HISTOGRAM_LEVELS**3


def image_input(g: GraphBuilder) -> str:
    """Declare the input that every picture model has; returns float32 [N, 3, H, W], 0 … 255."""
    image = g.input("image", TensorProto.UINT8, ["N", "H", "W", 3])
    return g.op("Transpose", g.op("Cast", image, to=TensorProto.FLOAT), perm=[0, 3, 1, 2])


def network_input(g: GraphBuilder, pixels: str, size: int, view: View = WHOLE) -> str:
    """Crop, resize and normalise as the EfficientNet-Lite weights expect it.

    The picture is squeezed to a square, not cut: what stands at its border may be the answer, and the work is bounded
    for any shape (a 1 x 10,000 picture too).

    Args:
        pixels: float32 [N, 3, H, W], 0 … 255.
        size: side of the square, pixels.
    Returns:
        float32 [N, 3, size, size], about -1 … 1.
    """
    if view.crop < 1.0:
        pixels = _cut(g, pixels, view.crop, view.at)
    x = resize(g, pixels, size)
    if view.flip:
        last = np.iinfo(np.int64)
        starts, ends = g.constant([-1], np.int64), g.constant([last.min], np.int64)
        x = g.op("Slice", x, starts, ends, g.constant([3], np.int64), g.constant([-1], np.int64))
    return g.op("Div", g.op("Sub", x, g.constant(127.0)), g.constant(128.0))  # the scaling of the Lite weights


def small_picture(g: GraphBuilder, pixels: str, side: int, n_channels: int) -> str:
    """Squeeze to a square of whole grey levels, for a network that learns from the pixels themselves.

    Rounding makes a picture that has this size already pass unchanged, to the bit, and lets training keep one byte for
    each value.

    Args:
        pixels: float32 [N, 3, H, W], 0 … 255.
        side: of the square, pixels.
        n_channels: 3, or 1 for grey (a grey picture keeps its values, colours become their luma, ITU-R BT.601).
    Returns:
        float32 [N, n_channels, side, side], whole numbers 0 … 255.
    """
    if n_channels == 1:
        luma = g.constant(np.reshape([0.299, 0.587, 0.114], (1, 3, 1, 1)))
        pixels = g.op("ReduceSum", g.op("Mul", pixels, luma), g.constant([1], np.int64), keepdims=1)
    x = resize(g, pixels, side)
    return g.op("Clip", g.op("Round", x), g.constant(0.0), g.constant(255.0))


def resize(g: GraphBuilder, pixels: str, side: int) -> str:
    """Resize float32 [N, 3, H, W] to [N, 3, side, side], antialiased (without it, 11 grey levels off at 1080p).

    Outside the picture there is nothing, and the weights of what is inside add up to 1, as in Pillow and torch;
    repeating the border instead would put the outermost pixels up to 17 grey levels off. All four sizes are given:
    with the attribute `axes`, ONNX Runtime's optimiser loses them when it moves a transpose across (seen in 1.31).
    """
    kept = g.op("Shape", pixels, start=0, end=2)  # [N, 3]
    sizes = g.op("Concat", kept, g.constant([side, side], np.int64), axis=0)
    return g.op(
        "Resize",
        pixels,
        "",
        "",
        sizes,
        mode="linear",
        antialias=1,
        coordinate_transformation_mode="half_pixel",
        exclude_outside=1,
    )


def plain(g: GraphBuilder, pixels: str) -> str:
    """What the simple rivals see: a 16 x 16 thumbnail, then a histogram of 64 colours; float32 [N, 832], 0 … 1."""
    small = resize(g, pixels, HISTOGRAM_SIDE)
    shrink = HISTOGRAM_SIDE // THUMBNAIL_SIDE
    cells = g.op("AveragePool", small, kernel_shape=[shrink, shrink], strides=[shrink, shrink])
    flat = g.op("Flatten", g.op("Div", cells, g.constant(255.0)), axis=1)  # (N, 3, 16, 16) -> (N, 768)
    return g.op("Concat", flat, colour_histogram(g, small), axis=1)  # -> (N, 832)


def colour_histogram(g: GraphBuilder, small: str) -> str:
    """The share of pixels in each of 64 colours; float32 [N, 64], rows sum to 1.

    Args:
        small: float32 [N, 3, 64, 64], 0 … 255.
    """
    level = g.op("Floor", g.op("Mul", small, g.constant((HISTOGRAM_LEVELS - 1e-3) / 255.0)))
    places = np.reshape([HISTOGRAM_LEVELS**2, HISTOGRAM_LEVELS, 1], (1, 3, 1, 1))
    axes = g.constant([1], np.int64)
    colour = g.op("ReduceSum", g.op("Mul", level, g.constant(places)), axes, keepdims=0)  # -> (N, 64, 64)
    flat = g.op("Unsqueeze", g.op("Flatten", colour, axis=1), g.constant([2], np.int64))  # -> (N, 4096, 1)
    same = g.op("Equal", flat, g.constant(np.arange(HISTOGRAM_LEVELS**3)))  # -> (N, 4096, 64)
    return g.op("ReduceMean", g.op("Cast", same, to=TensorProto.FLOAT), axes, keepdims=0)  # -> (N, 64)


def _cut(g: GraphBuilder, pixels: str, share: float, at: tuple[float, float]) -> str:
    """Keep `share` of the height and of the width, at least one pixel; what is cut off is shared out by `at`."""
    shape = g.op("Cast", g.op("Shape", pixels, start=2, end=4), to=TensorProto.DOUBLE)  # [H, W]
    before, after = (g.constant((1.0 - share) * np.array(places), np.float64) for places in (at, 1.0 - np.array(at)))
    starts = g.op("Floor", g.op("Mul", shape, before))
    ends = g.op("Sub", shape, g.op("Floor", g.op("Mul", shape, after)))
    whole = [g.op("Cast", place, to=TensorProto.INT64) for place in (starts, ends)]
    return g.op("Slice", pixels, *whole, g.constant([2, 3], np.int64))
