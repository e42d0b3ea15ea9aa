"""`summary`: what a network is made of, and what it costs, before anything is trained."""

import os
from pathlib import Path

from bottega.errors import BottegaError
from bottega.evaluation.network_drawing import draw_network, picture_file
from bottega.models.lite import LITE
from bottega.models.plans import STANDARD, lite_plan, standard
from bottega.problem.network import Network, parse_shape, read_network, shape_text
from bottega.problem.network_summary import NetworkSummary, summarise

__all__ = ["find_plan", "picture", "summary"]

PICTURE_WIDTH = 832  # px: the width of the report


def find_plan(
    network: str | os.PathLike[str],
    *,
    input: str | None = None,
    width: float | None = None,
    depth: int | None = None,
    dropout: float | None = None,
) -> Network:
    """The plan behind a name or a file.

    Args:
        network: mlp, cnn or resnet; the path of a TOML file; or the name of a pretrained network.
        input: height x width x channels, or a number of columns; a file and a pretrained network have their own.
        width, depth, dropout: of mlp, cnn and resnet, as `models.plans.standard` has them.
    Raises:
        BottegaError: there is no such network, the file describes none, or an option doesn't go with it.
    """
    name = os.fspath(network)
    shape = None if input is None else parse_shape(input)
    stated = {"width": width, "depth": depth, "dropout": dropout}
    if name.endswith(".toml") or name in LITE:
        chosen = [f"--{key}" for key, value in stated.items() if value is not None]
        if chosen:
            raise BottegaError(
                found=f"{', '.join(chosen)} with {name}",
                expected=f"{', '.join(chosen)} with {', '.join(STANDARD)}",
                fix="change the file itself" if name.endswith(".toml") else "leave them out",
            )
        return read_network(name, shape) if name.endswith(".toml") else _lite(name, shape)
    if ":" in name:
        raise BottegaError(
            found=f"network {name!r}",
            expected="a plan: a module of your own has no list of layers to read",
            fix="print(Net(10)) in Python",
        )
    if shape is None:
        if name in STANDARD:
            fix = f"bottega summary {name} --input 28x28x1"
            raise BottegaError(found="no input", expected="the shape of one example", fix=fix)
        shape = (1, 28, 28)  # the name is wrong, and that is what has to be said
    return standard(name, shape, width=width, depth=depth, dropout=dropout)


def summary(
    network: str | os.PathLike[str] | Network,
    *,
    classes: int = 10,
    input: str | None = None,
    width: float | None = None,
    depth: int | None = None,
    dropout: float | None = None,
) -> NetworkSummary:
    """Layers, shapes, parameters, operations, memory and receptive field of a network.

    Args:
        network: as for `find_plan`, or a plan.
        classes: answers, from 1 (a number) to 100,000.
    Raises:
        BottegaError: there is no such network, or too large a one.
    Example:
        >>> summary("mlp", input="30", classes=2).layers[0].text
        'dense, 256'
    """
    if not isinstance(network, Network):
        network = find_plan(network, input=input, width=width, depth=depth, dropout=dropout)
    if isinstance(classes, bool) or not isinstance(classes, int) or not 1 <= classes <= 100_000:
        raise BottegaError(
            found=f"classes = {classes!r}", expected="a whole number from 1 to 100,000", fix="write 10, say"
        )
    return summarise(network, classes)


def picture(record: NetworkSummary, path: str | os.PathLike[str]) -> Path:
    """Draw a network into an SVG file of its own.

    Raises:
        BottegaError: the file's name doesn't end with .svg, or its folder doesn't exist.
    """
    path = Path(path)
    if path.suffix.lower() != ".svg" or not path.parent.is_dir():
        raise BottegaError(
            found=f"picture {str(path)!r}",
            expected="a file .svg in a folder that exists",
            fix=f"--svg {record.name if record.name.isidentifier() else 'network'}.svg",
        )
    path.write_text(picture_file(draw_network(record, width=PICTURE_WIDTH)), "utf-8")
    return path


def _lite(name: str, shape: tuple[int, ...] | None) -> Network:
    if shape is not None and (len(shape) != 3 or shape[0] != 3 or shape[1] != shape[2]):
        raise BottegaError(
            found=f"input {shape_text(shape)} for {name}",
            expected="a square of three colours",
            fix=f"leave --input out: it sees {LITE[name].size}x{LITE[name].size}x3",
        )
    return lite_plan(name, None if shape is None else shape[1])
