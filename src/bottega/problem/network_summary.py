"""What a network costs, layer by layer: shapes, parameters, operations, memory, and how far each layer sees."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from bottega.errors import BottegaError
from bottega.problem.layers import ACTIVATIONS, Layer, Shape, stride_between
from bottega.problem.network import Network, Step, body_steps

__all__ = ["LayerSummary", "NetworkSummary", "Row", "rows", "summarise", "takes_bias"]

MOST_PARAMETERS = 1_000_000_000  # 4 GB of weights; a slip of the finger, not a network for one machine
FLOAT_BYTES = 4


@dataclass(frozen=True)
class LayerSummary:
    """One line of the table.

    Attributes:
        name: as in the arrays of the trained network: "residual1.conv2".
        text: the layer in words: "conv 3×3, 32, stride 2".
        depth: 0 for the network's own layers, 1 within a residual, and so on.
        output: shape of one example's output.
        parameters: numbers that are learned.
        multiply_adds: for one example; norms count nothing, because they are folded into the layer before them.
        activation_bytes: of one example's output in float32.
        receptive_field: pixels of the input, each way, that one output pixel sees; None where it sees all of it.
    """

    name: str
    kind: str
    text: str
    depth: int
    output: Shape
    parameters: int
    multiply_adds: int
    activation_bytes: int
    receptive_field: int | None


@dataclass(frozen=True)
class NetworkSummary:
    """The table and its sums; the last line is the layer that answers.

    Attributes:
        parameter_bytes: of all weights in float32: about the size of the shipped file.
        activation_bytes: what training keeps for one example, in float32.
    """

    name: str
    input: Shape
    n_outputs: int
    layers: tuple[LayerSummary, ...]
    parameters: int
    multiply_adds: int
    parameter_bytes: int
    activation_bytes: int


def summarise(network: Network, n_outputs: int) -> NetworkSummary:
    """Count what a network costs, without building it.

    Args:
        n_outputs: classes, or numbers that are predicted.
    Raises:
        BottegaError: more parameters than any machine this is made for can train.
    """
    field = _Field(1, 1) if len(network.input) == 3 else _Field(None, 1)
    lines, _ = _lines(network.layers, network.input, "", 0, field)
    lines.append(_answer(network.n_features, n_outputs))
    parameters = sum(line.parameters for line in lines)
    if parameters > MOST_PARAMETERS:
        largest = max(lines, key=lambda line: line.parameters)
        raise BottegaError(
            found=f"{parameters:,} parameters, {largest.parameters:,} of them in {largest.name}",
            expected=f"at most {MOST_PARAMETERS:,}",
            fix="pool before the first dense layer, or take fewer channels",
        )
    return NetworkSummary(
        network.name,
        network.input,
        n_outputs,
        tuple(lines),
        parameters,
        sum(line.multiply_adds for line in lines),
        parameters * FLOAT_BYTES,
        sum(line.activation_bytes for line in lines),
    )


def takes_bias(layers: Sequence[Layer], index: int) -> bool:
    """Whether a convolution or dense layer has a bias: not where a batch norm follows, which has one of its own."""
    return index + 1 == len(layers) or layers[index + 1].kind != "batch_norm"


@dataclass(frozen=True)
class Row:
    """Layers that belong together, for a table or a picture: a convolution with its norm and activation.

    Attributes:
        text: what they are, "conv 3×3, 32 · norm · relu".
        is_residual: its input is added to its output.
        times: how many of them follow each other.
        parameters, multiply_adds: of all of them together.
    """

    text: str
    output: Shape
    is_residual: bool
    times: int
    parameters: int
    multiply_adds: int
    receptive_field: int | None


def rows(summary: NetworkSummary) -> list[Row]:
    """The table with fewer lines: norms and activations stand with what they follow, equal neighbours are one."""
    merged: list[Row] = []
    for group in _groups(summary.layers):
        top = [line for line in group if line.depth == 0]
        words = [line.text.removeprefix("batch ") for line in top[1:]]
        head = top[0].text
        if top[0].kind == "residual":
            head = _residual_words([line.text for line in group if line.depth == 1 and line.kind not in _FOLLOWERS])
        row = Row(
            " · ".join([head, *words]),
            top[-1].output,
            top[0].kind == "residual",
            1,
            sum(line.parameters for line in group),
            sum(line.multiply_adds for line in group),
            top[-1].receptive_field,
        )
        last = merged[-1] if merged else None
        if last is not None and (last.text, last.output) == (row.text, row.output):
            merged[-1] = Row(
                row.text,
                row.output,
                row.is_residual,
                last.times + 1,
                last.parameters + row.parameters,
                last.multiply_adds + row.multiply_adds,
                row.receptive_field,
            )
        else:
            merged.append(row)
    return merged


def _residual_words(inner: list[str]) -> str:
    """The body in few letters: "residual 3×3, 64, stride 2 → 3×3, 64"."""
    short = [text.replace("depthwise conv", "depthwise").removeprefix("conv ") for text in inner]
    if len(set(short)) == 1 < len(short):
        return f"residual {len(short)} × ({short[0]})"
    return f"residual {' → '.join(short)}".rstrip()


_FOLLOWERS = ("batch_norm", "dropout", *ACTIVATIONS)


def _groups(layers: Sequence[LayerSummary]) -> list[list[LayerSummary]]:
    groups: list[list[LayerSummary]] = []
    for line in layers:
        follows = line.depth > 0 or line.kind in _FOLLOWERS
        if groups and follows:
            groups[-1].append(line)
        else:
            groups.append([line])
    return groups


@dataclass(frozen=True)
class _Field:
    """How many input pixels one pixel sees (None: all), and how many apart two neighbours are."""

    size: int | None
    apart: int

    def after(self, kernel: int, stride: int) -> "_Field":
        return _Field(None if self.size is None else self.size + (kernel - 1) * self.apart, self.apart * stride)


def _lines(
    layers: Sequence[Layer], shape: Shape, prefix: str, depth: int, field: _Field
) -> tuple[list[LayerSummary], _Field]:
    lines: list[LayerSummary] = []
    for index, step in enumerate(body_steps(layers, shape)):
        inner: list[LayerSummary] = []
        if step.layer.kind == "residual":
            inner, field = _lines(step.layer.layers, step.into, f"{prefix}{step.name}.", depth + 1, field)
            parameters, multiply_adds = _projection(step)
        else:
            parameters, multiply_adds = _cost(step, bias=takes_bias(layers, index))
            field = _seen(step.layer, field)
        lines.append(
            LayerSummary(
                f"{prefix}{step.name}",
                step.layer.kind,
                _words(step),
                depth,
                step.out,
                parameters,
                multiply_adds,
                prod(step.out) * FLOAT_BYTES,
                field.size,
            )
        )
        lines += inner
    return lines, field


def _seen(layer: Layer, field: _Field) -> _Field:
    if layer.kind in ("global_pool", "flatten", "dense"):
        return _Field(None, 1)
    if layer.kind in ("conv", "depthwise_conv", "max_pool", "avg_pool"):
        return field.after(layer.whole("kernel"), layer.whole("stride"))
    return field


def _cost(step: Step, *, bias: bool) -> tuple[int, int]:
    """Parameters and multiply-adds of one layer."""
    layer, n_in = step.layer, step.into[0]
    if layer.kind == "batch_norm":
        return 2 * n_in, 0
    if layer.kind == "dense":
        units = step.out[0]
        return n_in * units + bias * units, n_in * units
    if layer.kind in ("conv", "depthwise_conv"):
        channels = step.out[0]
        groups = n_in if layer.kind == "depthwise_conv" else layer.whole("groups")
        weights = channels * (n_in // groups) * layer.whole("kernel") ** 2
        return weights + bias * channels, weights * prod(step.out[1:])
    return 0, 0


def _projection(step: Step) -> tuple[int, int]:
    """A residual whose shape changes has a 1 x 1 convolution (or a dense layer) with its norm on the way around."""
    if step.into == step.out:
        return 0, 0
    weights = step.into[0] * step.out[0]
    return weights + 2 * step.out[0], weights * prod(step.out[1:])


def _answer(n_in: int, n_outputs: int) -> LayerSummary:
    parameters = n_in * n_outputs + n_outputs
    text, memory = f"dense, {n_outputs}", n_outputs * FLOAT_BYTES
    return LayerSummary("answer", "dense", text, 0, (n_outputs,), parameters, n_in * n_outputs, memory, None)


def _words(step: Step) -> str:
    """A layer in a few words: what it is, and what was not left at its default."""
    layer = step.layer
    name = layer.kind.replace("_", " ")
    if layer.kind == "residual":
        if step.into == step.out:
            return name
        stride = stride_between(step.into, step.out)
        return f"{name}, projected" + (f", stride {stride}" if stride and stride > 1 else "")
    if layer.kind == "dense":
        return f"{name}, {layer['units']}"
    if layer.kind == "dropout":
        return f"{name}, {layer['rate']}"
    if layer.kind == "global_pool":
        return f"{name}, {layer['by']}"
    if layer.kind not in ("conv", "depthwise_conv", "max_pool", "avg_pool"):
        return name
    return f"{name} {layer['kernel']}×{layer['kernel']}" + _window_words(layer)


def _window_words(layer: Layer) -> str:
    text = f", {layer['channels']}" if layer.kind == "conv" else ""
    is_pool = layer.kind in ("max_pool", "avg_pool")
    if layer["stride"] != (layer["kernel"] if is_pool else 1):
        text += f", stride {layer['stride']}"
    if layer["padding"] != ("valid" if is_pool else "same"):
        text += f", {layer['padding']}"
    if layer.kind == "conv" and layer["groups"] != 1:
        text += f", {layer['groups']} groups"
    return text
