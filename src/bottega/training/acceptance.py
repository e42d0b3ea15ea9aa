"""What a network and its examples must be, asked before the first step, and what a failure of either is called."""

import contextlib
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn

from bottega.errors import BottegaError, found_in
from bottega.training.examples import CHUNK, Data, Examples
from bottega.training.settings import Settings

__all__ = ["accept_data", "accept_device", "accept_outputs", "accept_weights", "out_of_memory", "own_words"]

OWN_ERRORS = (RuntimeError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, AssertionError)


def accept_data(data: Data) -> None:
    """Refuse examples that no network can learn from.

    Raises:
        BottegaError: no examples, arrays of different lengths or shapes, NaN or infinite numbers, negative classes.
    """
    for part, examples in data.parts.items():
        _accept_part(part, examples)
    if data.val is not None and data.train.x.shape[1:] != data.val.x.shape[1:]:
        raise BottegaError(
            found=f"training examples of shape {data.train.x.shape[1:]}, validation of {data.val.x.shape[1:]}",
            expected="one shape",
            fix="prepare both alike",
        )


def _accept_part(part: str, examples: Examples) -> None:
    x, y = examples.x, examples.y
    if not len(x) or len(x) != len(y) or x.ndim < 2:
        raise BottegaError(
            found=f"inputs of shape {x.shape} with targets of shape {y.shape}",
            expected="(N, ...) inputs and (N,) targets, at least one",
            fix="give each example its target",
            where=part,
        )
    if x.dtype not in (np.uint8, np.float16, np.float32) or y.dtype not in (np.int64, np.float32):
        raise BottegaError(
            found=f"inputs of {x.dtype} with targets of {y.dtype}",
            expected="uint8, float16 or float32 inputs; int64 class indices or float32 values",
            fix="convert them with .astype",
            where=part,
        )
    for name, array in (("an input", x), ("a target", y)):
        if array.dtype.kind != "f":
            continue
        for start in range(0, len(array), CHUNK):
            chunk = array[start : start + CHUNK]
            if not np.isfinite(chunk).all():
                row = start + int(np.flatnonzero(~np.isfinite(chunk).reshape(len(chunk), -1).all(1))[0])
                raise BottegaError(
                    found=f"{name} that is no number (NaN or infinite)",
                    expected="finite numbers",
                    fix="fill it in or leave the example out",
                    where=f"{part}, row {row}",
                )
    if y.dtype == np.int64 and y.min() < 0:
        raise BottegaError(
            found=f"class index {y.min()}",
            expected="class indices from 0",
            fix="leave out examples of unknown class",
            where=f"{part}, row {int(y.argmin())}",
        )


def accept_device(device: str) -> None:
    """Refuse a device that isn't here.

    Raises:
        BottegaError: torch can't put a number there.
    """
    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise BottegaError(
            found=f"device {device!r}: {_first_line(error)}",
            expected="a device that torch can use here",
            fix="device = 'cpu'",
        ) from error


def accept_weights(module: nn.Module) -> None:
    """Refuse a network that can't be trained.

    Raises:
        BottegaError: nothing to train, weights that are no numbers, or not float32.
    """
    parameters = [(name, p) for name, p in module.named_parameters() if p.requires_grad]
    if not parameters:
        raise BottegaError(
            found="a network without weights to train",
            expected="at least one parameter with requires_grad",
            fix="add a layer with weights, or let its weights learn",
        )
    other = [name for name, p in parameters if p.dtype != torch.float32]
    if other:
        raise BottegaError(
            found=f"weights that aren't float32: {found_in(other)}",
            expected="float32 weights; `precision` decides what products are computed in",
            fix="module.float()",
        )
    named = [*module.named_parameters(), *module.named_buffers()]
    broken = [name for name, t in named if t.is_floating_point() and not bool(t.isfinite().all())]
    if broken:
        raise BottegaError(
            found=f"weights that are NaN or infinite before the first step: {found_in(broken)}",
            expected="finite weights",
            fix="look at how they are initialised or loaded",
        )


def accept_outputs(outputs: object, n: int, data: Data, settings: Settings, *, classes: bool) -> None:
    """Refuse answers that the loss can't use.

    Args:
        outputs: what the network gave for a batch of `n`.
        classes: whether it should give one logit for each class.
    Raises:
        BottegaError: no tensor, the wrong shape, or fewer outputs than classes.
    """
    shape = tuple(outputs.shape) if isinstance(outputs, Tensor) else None
    largest = max(int(part.y.max()) for part in data.parts.values()) if classes else 0
    if shape is None or len(shape) != 2 or shape[0] != n or (not classes and shape[1] != 1):
        given = type(outputs).__name__ if shape is None else f"shape {shape}"
        raise BottegaError(
            found=f"the network gives {given} for a batch of {n}",
            expected=f"a tensor of shape ({n}, {'n_classes' if classes else 1})",
            fix="end with a dense layer; before it, flatten or pool what is left of height and width",
        )
    if classes and shape[1] <= largest:
        raise BottegaError(
            found=f"class index {largest}, and a network with {shape[1]} outputs",
            expected="an output for each class: indices from 0 to the number of outputs less one",
            fix=f"give the network {largest + 1} outputs, or mend the label",
        )
    if settings.class_weights is not None and len(settings.class_weights) != shape[1]:
        raise BottegaError(
            found=f"{len(settings.class_weights)} class weights for {shape[1]} classes",
            expected="one weight for each class",
            fix="give as many as there are classes",
        )


@contextlib.contextmanager
def own_words() -> Iterator[None]:
    """What a network raises is told as its own fault, and not as a bug of the loop.

    Raises:
        BottegaError: with the error's kind and first line.
    """
    try:
        yield
    except BottegaError:
        raise
    except OWN_ERRORS as error:
        if out_of_memory(error):
            raise
        raise BottegaError(
            found=f"the network raised {type(error).__name__}: {_first_line(error)}",
            expected="a module whose forward takes a batch as prepared here",
            fix="try it alone, on a batch of two examples, in training mode",
        ) from error


def out_of_memory(error: BaseException) -> bool:
    """Whether the memory of the device, or of the machine, was too small."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and ("allocate memory" in text or "not enough memory" in text)


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or ["without a word"])[0][:200]
