"""The layers that a network may be made of: their options with ranges, and what each does to a shape.

A shape is that of one example: (C, H, W) for pictures, (D,) for vectors.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bottega.errors import BottegaError, nearest_name

__all__ = [
    "ACTIVATIONS",
    "KINDS",
    "Layer",
    "Option",
    "Shape",
    "Value",
    "checked_layer",
    "output_shape",
    "stride_between",
]

Value = int | float | str
Shape = tuple[int, ...]

ACTIVATIONS = ("relu", "relu6", "gelu", "silu", "tanh", "sigmoid")
WIDEST = 16_384  # channels or units; beyond that it is a slip of the finger


@dataclass(frozen=True)
class Option:
    """One key of a layer: a number within a range, or one of a few words.

    Attributes:
        default: taken when nothing is stated; None where it must be.
        words: what may be written; empty for a number.
        whole: no fraction.
    """

    low: float = 0
    high: float = 0
    default: Value | None = None
    words: tuple[str, ...] = ()
    whole: bool = True

    def check(self, value: object, key: str, where: str) -> Value:
        """The value, if it may stand here.

        Raises:
            BottegaError: it is of another kind, or outside the range.
        """
        if self.words:
            if isinstance(value, str) and value in self.words:
                return value
            near = nearest_name(str(value), self.words)
            expected, fix = f"{key} is one of {', '.join(self.words)}", f"write {key} = {near or self.words[0]!r}"
        else:
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if number and self.low <= value <= self.high and not (self.whole and isinstance(value, float)):  # type: ignore[operator]
                return value  # type: ignore[return-value]
            kind = "a whole number" if self.whole else "a number"
            expected = f"{key} is {kind} from {self.low:g} to {self.high:g}"
            fix = f"write {key} = {self.default if self.default is not None else self.low:g}, say"
        raise BottegaError(found=f"{key} = {value!r}", expected=expected, fix=fix, where=where)


_KERNEL = Option(1, 63, 3)
_STRIDE = Option(1, 16, 1)
_PADDING = Option(words=("same", "valid"), default="same")
_POOL = {
    "kernel": Option(1, 63, 2),
    "stride": Option(1, 63),
    "padding": Option(words=("valid", "same"), default="valid"),
}
_WINDOW = {"kernel": _KERNEL, "stride": _STRIDE, "padding": _PADDING}

KINDS: Mapping[str, Mapping[str, Option]] = {
    "conv": {"channels": Option(1, WIDEST), **_WINDOW, "groups": Option(1, WIDEST, 1)},
    "depthwise_conv": _WINDOW,
    "batch_norm": {},
    **{kind: {} for kind in ACTIVATIONS},
    "max_pool": _POOL,
    "avg_pool": _POOL,
    "global_pool": {"by": Option(words=("mean", "max"), default="mean")},
    "flatten": {},
    "dense": {"units": Option(1, WIDEST)},
    "dropout": {"rate": Option(0, 0.95, whole=False)},
    "residual": {},
}
_MAY_BE_LEFT_OUT = ("stride",)  # a pool's stride is its kernel unless stated


@dataclass(frozen=True)
class Layer:
    """One layer as it was stated; `layer["kernel"]` gives a stated option or its default.

    Attributes:
        kind: a key of `KINDS`.
        options: the stated ones.
        layers: the body of a residual: its output is added to its input.

    Example:
        >>> Layer("conv", {"channels": 32})["kernel"]
        3
    """

    kind: str
    options: Mapping[str, Value] = field(default_factory=dict)
    layers: tuple["Layer", ...] = ()

    def __getitem__(self, key: str) -> Value:
        stated = self.options.get(key)
        if stated is not None:
            return stated
        default = KINDS[self.kind][key].default
        return self["kernel"] if default is None else default

    def whole(self, key: str) -> int:
        """An option that is a whole number."""
        return int(self[key])


def checked_layer(kind: object, options: Mapping[str, object], layers: tuple[Layer, ...], where: str) -> Layer:
    """A layer from what somebody wrote.

    Args:
        where: for the error: "layer 3".
    Raises:
        BottegaError: no such layer or option (the nearest is named), an option outside its range, one that is missing,
            a residual without layers, or layers inside another kind.
    """
    if not isinstance(kind, str) or kind not in KINDS:
        near = nearest_name(str(kind), KINDS)
        fix = f"did you mean {near!r}?" if near else "write one of these names"
        found = "a layer without a kind" if kind is None else f"no layer is called {kind!r}"
        raise BottegaError(found=found, expected=f"one of {', '.join(KINDS)}", fix=fix, where=where)
    known = KINDS[kind]
    for key in options:
        if key not in known:
            near = nearest_name(key, known)
            takes = f"{kind} takes {', '.join(known)}" if known else f"{kind} takes no options"
            fix = f"did you mean {near!r}?" if near else f"delete {key}"
            raise BottegaError(found=f"{kind} has no option {key!r}", expected=takes, fix=fix, where=where)
    for key, option in known.items():
        if key not in options and option.default is None and key not in _MAY_BE_LEFT_OUT:
            example = f"{key} = {option.low if option.low else 0.2:g}"
            raise BottegaError(
                found=f"{kind} without {key}",
                expected=f"how many {key}" if option.whole else f"a {key}",
                fix=f"write {example}, say",
                where=where,
            )
    if bool(layers) != (kind == "residual"):
        raise BottegaError(
            found="a residual without layers" if kind == "residual" else f"layers inside {kind}",
            expected="layers inside a residual, and nowhere else",
            fix="write layers = [ ... ]" if kind == "residual" else "delete its layers",
            where=where,
        )
    return Layer(kind, {key: known[key].check(value, key, where) for key, value in options.items()}, layers)


def output_shape(layer: Layer, shape: Shape, where: str) -> Shape:
    """What comes out when `shape` goes in.

    Raises:
        BottegaError: the layer takes another kind of shape, shrinks it to nothing, or doesn't divide it evenly.
    """
    return _SHAPES[layer.kind](layer, shape, where)


def stride_between(shape: Shape, out: Shape) -> int | None:
    """The stride with which a 1 x 1 convolution turns the sides of `shape` into those of `out`; None for none.

    Example:
        >>> stride_between((16, 28, 28), (32, 14, 14)), stride_between((16, 28, 28), (32, 13, 13))
        (2, None)
    """
    strides = (round(a / b) for a, b in zip(shape[1:], out[1:], strict=True))
    stride = max(strides, default=1)
    return stride if all(-(-a // stride) == b for a, b in zip(shape[1:], out[1:], strict=True)) else None


def _as_it_is(_layer: Layer, shape: Shape, _where: str) -> Shape:
    return shape


def _flatten(_layer: Layer, shape: Shape, _where: str) -> Shape:
    n = 1
    for size in shape:
        n *= size
    return (n,)


def _dense(layer: Layer, shape: Shape, where: str) -> Shape:
    if len(shape) != 1:
        raise BottegaError(
            found=f"dense after a layer that gives {_words(shape)}",
            expected="a vector",
            fix="put global_pool or flatten before it",
            where=where,
        )
    return (layer.whole("units"),)


def _global_pool(layer: Layer, shape: Shape, where: str) -> Shape:
    return _picture(layer, shape, where)[:1]


def _conv(layer: Layer, shape: Shape, where: str) -> Shape:
    channels, groups = layer.whole("channels"), layer.whole("groups")
    n_in = _picture(layer, shape, where)[0]
    if channels % groups or n_in % groups:
        raise BottegaError(
            found=f"groups = {groups} with {n_in} channels in and {channels} out",
            expected="groups that divide both",
            fix="write groups = 1, or other channels",
            where=where,
        )
    return channels, *_window(layer, shape, where)


def _same_channels(layer: Layer, shape: Shape, where: str) -> Shape:
    return _picture(layer, shape, where)[0], *_window(layer, shape, where)


def _residual(layer: Layer, shape: Shape, where: str) -> Shape:
    out = shape
    for number, inner in enumerate(layer.layers, 1):
        out = output_shape(inner, out, f"{where}.{number}")
    if len(out) != len(shape) or stride_between(shape, out) is None:
        raise BottegaError(
            found=f"a residual that turns {_words(shape)} into {_words(out)}",
            expected="an output that a 1 x 1 convolution of the input can be added to",
            fix="keep height and width, or divide both by one stride with padding = 'same'",
            where=where,
        )
    return out


def _picture(layer: Layer, shape: Shape, where: str) -> Shape:
    if len(shape) != 3:
        raise BottegaError(
            found=f"{layer.kind} after a layer that gives {_words(shape)}",
            expected="channels with height and width",
            fix="move it before global_pool or flatten, or take dense",
            where=where,
        )
    return shape


def _window(layer: Layer, shape: Shape, where: str) -> Shape:
    """Height and width after a window of `kernel` moves in steps of `stride`."""
    kernel, stride = layer.whole("kernel"), layer.whole("stride")
    if layer["padding"] == "same":
        if kernel % 2 == 0:
            raise BottegaError(
                found=f"kernel = {kernel} with padding = 'same'",
                expected="an odd kernel: it has a middle",
                fix=f"write kernel = {kernel + 1}, or padding = 'valid'",
                where=where,
            )
        return tuple(-(-size // stride) for size in shape[1:])
    if min(shape[1:]) < kernel:
        raise BottegaError(
            found=f"{layer.kind} with kernel = {kernel} on {_words(shape)}: nothing is left",
            expected=f"at least {kernel} pixels each way",
            fix="take fewer pools or smaller strides before it, or a larger input",
            where=where,
        )
    return tuple((size - kernel) // stride + 1 for size in shape[1:])


def _words(shape: Shape) -> str:
    return f"{shape[0]} numbers" if len(shape) == 1 else f"{shape[0]} channels of {shape[1]} × {shape[2]}"


_SHAPES: Mapping[str, Callable[[Layer, Shape, str], Shape]] = {
    **dict.fromkeys(("batch_norm", "dropout", *ACTIVATIONS), _as_it_is),
    "conv": _conv,
    "depthwise_conv": _same_channels,
    "max_pool": _same_channels,
    "avg_pool": _same_channels,
    "global_pool": _global_pool,
    "flatten": _flatten,
    "dense": _dense,
    "residual": _residual,
}
