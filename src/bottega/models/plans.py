"""Plans of networks that fit the data at hand: a perceptron, a convolutional network, a residual one."""

from collections.abc import Callable
from dataclasses import dataclass

from bottega.errors import BottegaError, nearest_name
from bottega.models.lite import LITE, N_HEAD, N_STEM, LiteBlock, lite_blocks
from bottega.problem.layers import Layer, Shape, Value
from bottega.problem.network import Network

__all__ = ["STANDARD", "lite_plan", "standard"]

STAGE_SIDE = 64  # pixels: a larger picture is shrunk to at most this before the stages begin
LAST_SIDE = 4  # pixels: the stages halve the side down to about this
MOST_STAGES = 4
SIGNS = (20, 40)  # pixels: a grey picture whose sides lie between is taken for a drawn sign
MLP_SIDE = 32  # pixels: what dense layers see of a larger picture; one weight for each of its pixels would be too many


@dataclass(frozen=True)
class _Standard:
    """One kind of network at its usual size.

    Attributes:
        width: units or channels that `width = 1` stands for.
        depth, dropout: what is taken when nothing is stated.
    """

    width: int
    depth: int
    dropout: float
    layers: Callable[[Shape, int, int, float], list[Layer]]


def standard(
    kind: str,
    input_shape: Shape,
    *,
    width: float | None = None,
    depth: int | None = None,
    dropout: float | None = None,
) -> Network:
    """A network of a usual kind, sized for the data.

    Args:
        kind: "mlp" (dense layers, for pictures and tables), "cnn" (convolutions) or "resnet" (convolutions with ways
            around them).
        input_shape: of one example, (C, H, W) or (D,).
        width: a factor: 2 for twice the units of each hidden layer, or twice the channels of each stage; 0.125 to 16.
        depth: mlp: hidden layers; cnn: convolutions of a stage; resnet: residuals of a stage; 1 to 50.
        dropout: share of units that are left out at random in training, before the answer (mlp: after each hidden
            layer); 0 to 0.95.
    Returns:
        A plan without the layer that answers.
    Raises:
        BottegaError: no such kind, an option outside its range, or a kind that needs pictures and gets a table.
    Example:
        >>> [layer.kind for layer in standard("mlp", (30,), depth=1).layers]
        ['dense', 'batch_norm', 'relu', 'dropout']
    """
    if kind not in STANDARD:
        near = nearest_name(kind, STANDARD)
        raise BottegaError(
            found=f"no network is called {kind!r}",
            expected=f"one of {', '.join(STANDARD)}, or a TOML file",
            fix=f"did you mean {near!r}?" if near else "write cnn, say",
        )
    if len(input_shape) == 1 and kind != "mlp":
        raise BottegaError(
            found=f"{kind} for {input_shape[0]} columns", expected="pictures for a convolution", fix="take mlp"
        )
    usual = STANDARD[kind]
    factor = _within("width", 1.0 if width is None else width, 0.125, 16)
    n_layers = _within("depth", usual.depth if depth is None else depth, 1, 50, whole=True)
    share = _within("dropout", usual.dropout if dropout is None else dropout, 0, 0.95)
    layers = usual.layers(input_shape, round(usual.width * factor), int(n_layers), share)
    return Network(kind, input_shape, tuple(layers))


def lite_plan(name: str, size: int | None = None) -> Network:
    """EfficientNet-Lite as a plan, for the summary and the picture; the pretrained weights fit it.

    Args:
        name: a key of `models.lite.LITE`.
        size: side of the input, pixels; the one that it was trained on by default.
    """
    shape = LITE[name]
    side = shape.size if size is None else size
    blocks = lite_blocks(shape)
    layers = [*_conv(N_STEM, 3, 2), Layer("relu6")]
    for block in blocks:
        inner = _inverted(block)
        layers += [Layer("residual", {}, tuple(inner))] if block.skips else inner
    layers += [*_conv(N_HEAD, 1), Layer("relu6"), Layer("global_pool")]
    return Network(name, (3, side, side), tuple(layers))


def _mlp(shape: Shape, width: int, depth: int, dropout: float) -> list[Layer]:
    layers = []
    if len(shape) == 3:
        shrink = min(shape[1:]) // MLP_SIDE
        layers += [Layer("avg_pool", {"kernel": shrink})] if shrink > 1 else []
        layers.append(Layer("flatten"))
    for _ in range(depth):
        layers += [Layer("dense", {"units": width}), Layer("batch_norm"), Layer("relu")]
        layers += _dropout(dropout)
    return layers


def _cnn(shape: Shape, width: int, depth: int, dropout: float) -> list[Layer]:
    if shape[0] == 1 and SIGNS[0] <= min(shape[1:]) <= max(shape[1:]) <= SIGNS[1]:
        return _signs(width * 3 // 4, depth, dropout)
    layers, side = _stem(shape, width)
    for stage in range(_n_stages(side)):
        if stage:
            layers.append(Layer("max_pool", {"kernel": 2}))
        for _ in range(depth):
            layers += [*_conv(width * 2**stage), Layer("relu")]
    return [*layers, Layer("global_pool"), *_dropout(dropout)]


def _signs(width: int, depth: int, dropout: float) -> list[Layer]:
    """For digits, letters and drawn signs: they are known by their strokes, so wide windows that halve the side at once
    lose nothing and cost a thirtieth of small ones at full size (benchmarks/mnist.py).
    """
    layers = [*_conv(width, 6, 2, "valid"), Layer("relu"), *_conv(2 * width, 4, 2, "valid"), Layer("relu")]
    for number in range(depth - 1):
        layers += [*_conv(4 * width, 3, padding="valid" if number == 0 else "same"), Layer("relu")]
    return [*layers, Layer("flatten"), *_dropout(dropout)]


def _resnet(shape: Shape, width: int, depth: int, dropout: float) -> list[Layer]:
    layers, side = _stem(shape, width)
    if not layers:
        layers = [*_conv(width), Layer("relu")]
    for stage in range(_n_stages(side)):
        channels = width * 2**stage
        for block in range(depth):
            stride = 2 if stage and block == 0 else 1
            body = [*_conv(channels, 3, stride), Layer("relu"), *_conv(channels)]
            layers += [Layer("residual", {}, tuple(body)), Layer("relu")]
    return [*layers, Layer("global_pool"), *_dropout(dropout)]


def _stem(shape: Shape, width: int) -> tuple[list[Layer], int]:
    """Convolutions of stride 2 until the shorter side is at most 64 pixels: most of the work would be done above."""
    layers: list[Layer] = []
    side = min(shape[1:])
    while side > STAGE_SIDE:
        layers += [*_conv(width, 3, 2), Layer("relu")]
        side = -(-side // 2)
    return layers, side


def _n_stages(side: int) -> int:
    n = 1
    while n < MOST_STAGES and side >= 2 * LAST_SIDE:
        side //= 2
        n += 1
    return n


def _conv(channels: int, kernel: int = 3, stride: int = 1, padding: str = "same") -> list[Layer]:
    options: dict[str, Value] = {"channels": max(1, channels), "kernel": kernel}
    options |= {"stride": stride} if stride > 1 else {}
    options |= {"padding": padding} if padding != "same" else {}
    return [Layer("conv", options), Layer("batch_norm")]


def _inverted(block: LiteBlock) -> list[Layer]:
    window = {"kernel": block.kernel} | ({"stride": block.stride} if block.stride > 1 else {})
    widen = [*_conv(block.n_mid, 1), Layer("relu6")] if block.expansion > 1 else []
    return [
        *widen,
        Layer("depthwise_conv", window),
        Layer("batch_norm"),
        Layer("relu6"),
        *_conv(block.n_out, 1),
    ]


def _dropout(rate: float) -> list[Layer]:
    return [Layer("dropout", {"rate": rate})] if rate else []


def _within(name: str, value: float, low: float, high: float, *, whole: bool = False) -> float:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if number and low <= value <= high and not (whole and value != int(value)):
        return value
    raise BottegaError(
        found=f"{name} = {value!r}",
        expected=f"{'a whole number' if whole else 'a number'} from {low:g} to {high:g}",
        fix=f"write another {name}, or leave it out",
    )


STANDARD = {
    "mlp": _Standard(256, 2, 0.2, _mlp),
    "cnn": _Standard(32, 2, 0.1, _cnn),
    "resnet": _Standard(32, 2, 0.1, _resnet),
}
