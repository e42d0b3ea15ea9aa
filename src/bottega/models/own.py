"""A network that the user wrote: found by its name, made, and tried before any work is done."""

import importlib
import inspect
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import nn

from bottega.errors import BottegaError, found_in, nearest_name
from bottega.problem.layers import Shape
from bottega.problem.network import shape_text

__all__ = ["user_network"]

# What code that isn't ours may raise when it is imported, called or run; what isn't named here ends as a bug report.
THEIR_ERRORS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    ImportError,
    LookupError,
    NameError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
)
GIVEN = ("n_outputs", "input_shape")


def user_network(
    source: str | type[nn.Module] | nn.Module, input_shape: Shape, n_outputs: int, *, seed: int = 0
) -> nn.Module:
    """The user's own network, tried on two examples of zeros.

    Args:
        source: "module:Class", looked for in the working directory first; a class; or a module that is made already.
            A class is called with those of `n_outputs` and `input_shape` that its constructor takes.
        input_shape: of one example, (C, H, W) or (D,).
        n_outputs: classes, or numbers that are predicted.
    Returns:
        A module that gives (B, n_outputs) for (B, *input_shape); its class draws its weights, with torch's global
        generator, which is seeded for it and left as it was.
    Raises:
        BottegaError: there is no such module or class, it is no network, it cannot be made or raises, its weights are
            no numbers, or its output has another shape.
    """
    found: object = _found(source) if isinstance(source, str) else source
    is_class = isinstance(found, type) and issubclass(found, nn.Module)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = _made(found, input_shape, n_outputs) if is_class else found  # type: ignore[arg-type]
    if not isinstance(network, nn.Module):
        what = "a class of something else" if isinstance(found, type) else f"a {type(found).__name__}"
        raise BottegaError(
            found=f"{_name(source)} is {what}",
            expected="a torch.nn.Module, or a class of them",
            fix="class Net(torch.nn.Module): ...",
        )
    _check_weights(network, _name(source))
    _check_output(network, _name(source), input_shape, n_outputs)
    return network


def _found(text: str) -> object:
    """The class behind "module:Class"."""
    if not re.fullmatch(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*", text):
        raise BottegaError(
            found=f"network {text!r}", expected="module:Class, as in net:Net for net.py", fix="write net:Net, say"
        )
    module_name, _, class_name = text.partition(":")
    with _working_directory_first(), _theirs(f"importing {module_name}", "a module that can be imported"):
        module = importlib.import_module(module_name)
    if not hasattr(module, class_name):
        classes = [name for name, value in vars(module).items() if isinstance(value, type)]
        near = nearest_name(class_name, classes)
        raise BottegaError(
            found=f"no class {class_name!r} in {module_name}",
            expected=f"one of {found_in(classes)}" if classes else "a class of torch.nn.Module",
            fix=f"write {module_name}:{near}" if near else "write the name of a class in it",
            where=getattr(module, "__file__", None),
        )
    return getattr(module, class_name)


@contextmanager
def _working_directory_first() -> Iterator[None]:
    place = str(Path.cwd())
    sys.path.insert(0, place)
    try:
        yield
    finally:
        sys.path.remove(place)


def _made(kind: Callable[..., object], input_shape: Shape, n_outputs: int) -> object:
    name = _name(kind)
    wanted = inspect.signature(kind).parameters.values()
    given = {"n_outputs": n_outputs, "input_shape": input_shape}
    variable = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    unknown = [p.name for p in wanted if p.default is p.empty and p.kind not in variable and p.name not in given]
    if unknown:
        raise BottegaError(
            found=f"{name} wants {found_in(unknown)}",
            expected=f"a constructor that needs none but {' and '.join(GIVEN)}",
            fix=f"give {unknown[0]} a default",
        )
    arguments = {p.name: given[p.name] for p in wanted if p.name in given}
    with _theirs(f"making {name}", "a constructor that works"):
        return kind(**arguments)


def _check_weights(network: nn.Module, name: str) -> None:
    broken = [key for key, value in network.state_dict().items() if not bool(torch.isfinite(value).all())]
    if broken:
        raise BottegaError(
            found=f"weights of {name} that are NaN or infinite: {found_in(broken)}",
            expected="numbers",
            fix="draw them anew",
        )


def _check_output(network: nn.Module, name: str, input_shape: Shape, n_outputs: int) -> None:
    was_training = network.training
    with _theirs(f"{name} on two examples of {shape_text(input_shape)}", "a network that takes them"):
        with torch.no_grad():
            output = network.eval()(torch.zeros(2, *input_shape))
        network.train(was_training)
    shape = tuple(output.shape) if isinstance(output, torch.Tensor) else type(output).__name__
    if shape != (2, n_outputs):
        raise BottegaError(
            found=f"{name} gives {shape} for two examples of {shape_text(input_shape)}",
            expected=f"a tensor of shape (2, {n_outputs}): one number for each class, before the softmax",
            fix="take n_outputs in the constructor, and end with nn.Linear(..., n_outputs)",
        )


@contextmanager
def _theirs(what: str, expected: str) -> Iterator[None]:
    """What the user's code raises is told as such, with the line of theirs."""
    try:
        yield
    except BottegaError:
        raise
    except THEIR_ERRORS as error:
        said = (str(error).strip().splitlines() or ["nothing said"])[0][:200]
        raise BottegaError(
            found=f"{what}: {type(error).__name__}: {said}",
            expected=expected,
            fix="mend it, and try it in Python first",
            where=_their_line(error),
        ) from error


def _their_line(error: BaseException) -> str | None:
    """The innermost line outside torch, Python's library and this file."""
    place, trace = None, error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if Path(file).exists() and "site-packages" not in file and file != __file__:
            place = f"{file}, line {trace.tb_lineno}"
        trace = trace.tb_next
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}, line {error.lineno}"
    return None if place is not None and "importlib" in place else place


def _name(source: object) -> str:
    if isinstance(source, str):
        return source
    return source.__name__ if isinstance(source, type) else type(source).__name__
