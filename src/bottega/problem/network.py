"""A network as a plan that a person can read, change and compare: its layers in order, as TOML."""

import os
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bottega.errors import BottegaError, nearest_name
from bottega.problem.layers import Layer, Shape, Value, checked_layer, output_shape

__all__ = [
    "Network",
    "Step",
    "network_from_toml",
    "network_to_toml",
    "parse_shape",
    "read_network",
    "shape_text",
    "body_steps",
    "steps",
]

LARGEST_FILE = 1_000_000  # bytes
MOST_LAYERS = 2_000
DEEPEST = 8  # residuals within residuals
MOST_SIDE, MOST_CHANNELS, MOST_NUMBERS = 4_096, 1_024, 1_000_000
KEYS = ("name", "input", "layers")


@dataclass(frozen=True)
class Network:
    """A plan: what goes in, and the layers in order. The layer that answers is added when it is built.

    Attributes:
        name: a word for the table and the report.
        input: the shape of one example, (C, H, W) or (D,).
        layers: at least one; together they give a vector.
    """

    name: str
    input: Shape
    layers: tuple[Layer, ...] = field(default_factory=tuple)

    def __post_init__(self) -> None:
        _check_shape(self.input, "x".join(map(str, (*self.input[1:], self.input[0]))))
        _check_size(self.layers)
        shape = self.input
        for step in steps(self):
            shape = step.out
        if len(shape) != 1:
            raise BottegaError(
                found=f"the last layer of {self.name!r} gives {shape_text(shape)}",
                expected="a vector, from which the answer is computed",
                fix="end with global_pool, or with flatten",
            )

    @property
    def n_features(self) -> int:
        """Width of the vector that the answer is computed from."""
        *_, last = steps(self)
        return last.out[0]


@dataclass(frozen=True)
class Step:
    """One layer in its place.

    Attributes:
        name: its kind, numbered among its kind: "conv2", as in the arrays of the trained network.
        into, out: the shapes that enter and leave it.
    """

    name: str
    layer: Layer
    into: Shape
    out: Shape


def steps(network: Network) -> Iterator[Step]:
    """The layers in order, each with its name and shapes; the bodies of residuals are not entered."""
    return body_steps(network.layers, network.input)


def body_steps(layers: Sequence[Layer], shape: Shape, where: str = "layer ") -> Iterator[Step]:
    """As `steps`, for any run of layers.

    Raises:
        BottegaError: a layer doesn't fit what comes before it; `where` says which one.
    """
    counts: dict[str, int] = {}
    for number, layer in enumerate(layers, 1):
        counts[layer.kind] = counts.get(layer.kind, 0) + 1
        out = output_shape(layer, shape, f"{where}{number}, {layer.kind}")
        yield Step(f"{layer.kind}{counts[layer.kind]}", layer, shape, out)
        shape = out


def parse_shape(text: str) -> Shape:
    """The shape of one example from what a person writes: height x width x channels, or a count of numbers.

    Raises:
        BottegaError: it is none, or larger than anything that can be trained on.
    Example:
        >>> parse_shape("28x28x1"), parse_shape("32x32"), parse_shape("30")
        ((1, 28, 28), (1, 32, 32), (30,))
    """
    if not re.fullmatch(r"[0-9]{1,7}([x×][0-9]{1,7}){0,2}", text):
        raise BottegaError(
            found=f"input {text!r}",
            expected="height x width x channels, or the number of columns",
            fix="write 28x28x1, 224x224x3 or 30, say",
        )
    sizes = tuple(int(size) for size in re.split("[x×]", text))
    shape = sizes if len(sizes) == 1 else (sizes[2] if len(sizes) == 3 else 1, sizes[0], sizes[1])
    _check_shape(shape, text)
    return shape


def shape_text(shape: Shape) -> str:
    """A shape as `parse_shape` reads it.

    Example:
        >>> shape_text((1, 28, 28))
        '28x28x1'
    """
    return str(shape[0]) if len(shape) == 1 else f"{shape[1]}x{shape[2]}x{shape[0]}"


def read_network(path: str | os.PathLike[str], input_shape: Shape | None = None) -> Network:
    """Read a plan from a TOML file.

    Args:
        input_shape: of the data; None to take the file's own.
    Raises:
        BottegaError: there is no such file, it is no TOML, or it describes no network.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_FILE + 1)
        text = data.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        found = "a file that is no text" if isinstance(error, UnicodeDecodeError) else f"no readable file {str(path)!r}"
        fix = "bottega summary cnn --input 28x28x1 --toml prints one to start from"
        raise BottegaError(found=found, expected="a network as TOML", fix=fix, where=str(path)) from error
    if len(data) > LARGEST_FILE:
        raise BottegaError(
            found=f"more than {LARGEST_FILE:,} bytes",
            expected="a plan of a network",
            fix="name another file",
            where=str(path),
        )
    return network_from_toml(text, input_shape, where=str(path), name=path.stem)


def network_from_toml(
    text: str, input_shape: Shape | None = None, *, where: str = "", name: str = "network"
) -> Network:
    """Read a plan from TOML text; docs/networks.md has the layers and their options.

    Args:
        input_shape: of the data; None to take the text's own `input`.
        where: the file, for errors.
        name: taken where the text has none.
    Raises:
        BottegaError: the text is no TOML, has an unknown key, or a layer that cannot be; with the place of the layer.
    """
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        said = "brackets inside brackets without end" if isinstance(error, RecursionError) else str(error)
        raise BottegaError(
            found=f"no TOML: {said}", expected="a plan as TOML", fix="mend the line that is named", where=where or None
        ) from error
    for key in document:
        if key not in KEYS:
            near = nearest_name(key, KEYS)
            raise BottegaError(
                found=f"an unknown key {key!r}",
                expected=f"one of {', '.join(KEYS)}",
                fix=f"did you mean {near!r}?" if near else f"delete {key}",
                where=where or None,
            )
    prefix = f"{where}, layer " if where else "layer "
    try:
        layers = _layers(document.get("layers"), prefix, 1)
        return Network(_name(document.get("name", name)), _input(document.get("input"), input_shape), layers)
    except BottegaError as error:
        if where and not (error.where or "").startswith(where):
            place = f"{where}, {error.where}" if error.where else where
            raise BottegaError(found=error.found, expected=error.expected, fix=error.fix, where=place) from error
        raise


def network_to_toml(network: Network) -> str:
    """A plan as TOML, one line a layer, so that two of them can be compared line by line."""
    lines = [f"name = {_toml(network.name)}", f'input = "{shape_text(network.input)}"', "", "layers = ["]
    lines += _layer_lines(network.layers, "  ")
    return "\n".join([*lines, "]", ""])


def _layer_lines(layers: Sequence[Layer], indent: str) -> list[str]:
    lines = []
    for layer in layers:
        pairs = [f"kind = {_toml(layer.kind)}", *(f"{key} = {_toml(value)}" for key, value in layer.options.items())]
        if layer.layers:
            lines.append(f"{indent}{{ {', '.join(pairs)}, layers = [")
            lines += [*_layer_lines(layer.layers, indent + "  "), f"{indent}] }},"]
        else:
            lines.append(f"{indent}{{ {', '.join(pairs)} }},")
    return lines


def _toml(value: Value) -> str:
    if isinstance(value, str):
        return '"' + "".join(c if c.isprintable() and c not in '"\\' else f"\\U{ord(c):08x}" for c in value) + '"'
    return repr(value)


def _layers(entries: Any, prefix: str, depth: int) -> tuple[Layer, ...]:
    if not isinstance(entries, list) or not entries or depth > DEEPEST:
        deep = depth > DEEPEST
        raise BottegaError(
            found=f"residuals {depth} deep" if deep else "no layers" if not entries else f"layers = {entries!r:.40}",
            expected=f"at most {DEEPEST}" if deep else "a list of layers, in order",
            fix="flatten them" if deep else 'write layers = [ { kind = "flatten" }, ... ]',
            where=prefix.removesuffix(", layer ").removesuffix("layer ").removesuffix(".") or None,
        )
    return tuple(_layer(entry, f"{prefix}{number}", depth) for number, entry in enumerate(entries, 1))


def _layer(entry: Any, where: str, depth: int) -> Layer:
    if not isinstance(entry, dict):
        raise BottegaError(
            found=f"{entry!r:.40}", expected="a layer with its kind", fix='write { kind = "relu" }, say', where=where
        )
    options = {key: value for key, value in entry.items() if key not in ("kind", "layers")}
    inner = _layers(entry["layers"], f"{where}.", depth + 1) if "layers" in entry else ()
    return checked_layer(entry.get("kind"), options, inner, where)


def _name(value: object) -> str:
    if isinstance(value, str) and 0 < len(value) <= 100:
        return value
    raise BottegaError(found=f"name = {value!r:.40}", expected="a word of 1 to 100 letters", fix='write name = "mine"')


def _input(stated: object, given: Shape | None) -> Shape:
    """The input of the file and that of the data must be one."""
    shape = None if stated is None else parse_shape(str(stated))
    if shape is not None and given is not None and shape != given:
        raise BottegaError(
            found=f"input = {shape_text(shape)!r}, and data of {shape_text(given)}",
            expected="a network for these data",
            fix=f'write input = "{shape_text(given)}", or delete the line',
        )
    known = given or shape
    if known is None:
        raise BottegaError(found="no input", expected="the shape of one example", fix='write input = "28x28x1", say')
    return known


def _check_shape(shape: Shape, text: str) -> None:
    limits = (MOST_NUMBERS,) if len(shape) == 1 else (MOST_CHANNELS, MOST_SIDE, MOST_SIDE)
    if len(shape) not in (1, 3) or any(not 1 <= size <= most for size, most in zip(shape, limits, strict=True)):
        raise BottegaError(
            found=f"input {text}",
            expected=f"1 to {MOST_SIDE:,} pixels each way and 1 to {MOST_CHANNELS:,} channels, or up to "
            f"{MOST_NUMBERS:,} columns",
            fix="write 28x28x1 or 30, say",
        )


def _check_size(layers: Sequence[Layer]) -> None:
    n_layers = _count(layers)
    if not 1 <= n_layers <= MOST_LAYERS:
        raise BottegaError(
            found=f"{n_layers:,} layers", expected=f"1 to {MOST_LAYERS:,}", fix="write a plan with fewer layers"
        )


def _count(layers: Sequence[Layer]) -> int:
    return sum(1 + _count(layer.layers) for layer in layers)
