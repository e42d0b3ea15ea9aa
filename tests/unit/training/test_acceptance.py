"""What is refused before the first step, in which words."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor, nn

from bottega.errors import BottegaError
from bottega.training.acceptance import accept_device, out_of_memory, own_words
from bottega.training.loop import Data, Examples, Goal, Settings, fit


def score(y: npt.NDArray[Any], answers: npt.NDArray[np.float32]) -> float:
    return float((answers.argmax(1) == y).mean())


def examples(n: int = 8, **changed: object) -> Examples:
    rng = np.random.default_rng(0)
    parts: dict[str, Any] = {"x": rng.random((n, 3)).astype(np.float32), "y": np.arange(n, dtype=np.int64) % 2}
    return Examples(**{**parts, **changed})


def try_fit(module: nn.Module, train: Examples | None = None, **stated: Any) -> None:
    data = Data(examples() if train is None else train, examples(), np.zeros(3, np.float32), np.ones(3, np.float32))
    fit(module, data, Settings(epochs=1, learning_rate=0.01, **stated), goal=Goal(score))


def with_nan(n: int = 8) -> npt.NDArray[np.float32]:
    x = np.zeros((n, 3), np.float32)
    x[5, 1] = np.nan
    return x


@pytest.mark.parametrize(
    ("train", "text"),
    [
        (examples(0), "at least one"),
        (examples(y=np.zeros(7, np.int64)), r"shape \(8, 3\) with targets of shape \(7,\)"),
        (examples(x=np.zeros((8, 3))), "inputs of float64"),
        (examples(y=np.zeros(8, np.int32)), "targets of int32"),
        (examples(x=with_nan()), r"an input that is no number \(NaN or infinite\) \(train, row 5\)"),
        (examples(y=np.array([0, 1, -1, 0, 0, 0, 0, 0])), r"class index -1 \(train, row 2\)"),
        (examples(y=np.array([0, 1, 9, 0, 0, 0, 0, 0])), "class index 9, and a network with 2 outputs"),
        (examples(x=np.zeros((8, 4), np.float32)), r"training examples of shape \(4,\), validation of \(3,\)"),
    ],
)
def test_examples_that_nothing_can_be_learned_from(train: Examples, text: str) -> None:
    with pytest.raises(BottegaError, match=text):
        try_fit(nn.Linear(3, 2), train)


class Odd(nn.Module):
    """A network of which something is wrong."""

    def __init__(self, forward: Callable[[Tensor], object]) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 2)
        self._forward = forward

    def forward(self, x: Tensor) -> object:
        return self._forward(self.layer(x))


def broken(x: Tensor) -> object:
    raise KeyError("no such layer")


def broken_in_training(x: Tensor) -> object:
    if torch.is_grad_enabled():
        raise ValueError("more than one value wanted\nsecond line")
    return x


@pytest.mark.parametrize(
    ("forward", "text"),
    [
        (lambda x: x[0], r"the network gives shape \(2,\) for a batch of 8"),
        (lambda x: x[:3], r"gives shape \(3, 2\) for a batch of 8.*\n.*\(8, n_classes\)"),
        (lambda x: x[:, None], r"gives shape \(8, 1, 2\)"),
        (lambda x: (x, x), "the network gives tuple"),
        (lambda x: x[:, :1], "class index 1, and a network with 1 outputs"),
        (broken, "the network raised KeyError: 'no such layer'"),
        (broken_in_training, "the network raised ValueError: more than one value wanted\n"),
        (lambda x: x.reshape(5, 5), "the network raised RuntimeError: shape"),
    ],
)
def test_networks_that_cannot_be_trained(forward: Callable[[Tensor], object], text: str) -> None:
    with pytest.raises(BottegaError, match=text):
        try_fit(Odd(forward))


def test_weights_that_are_none() -> None:
    bad = nn.Linear(3, 2)
    with torch.no_grad():
        bad.weight[0, 0] = float("nan")
    with pytest.raises(BottegaError, match="NaN or infinite before the first step: 'weight'"):
        try_fit(bad)
    with pytest.raises(BottegaError, match="without weights to train"):
        try_fit(nn.Identity(), examples(x=np.zeros((8, 3), np.float32)))
    with pytest.raises(BottegaError, match="weights that aren't float32: 'weight', 'bias'"):
        try_fit(Doubled())


class Doubled(nn.Linear):
    def __init__(self) -> None:
        super().__init__(3, 2, dtype=torch.float64)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.double())


def test_class_weights_for_other_classes() -> None:
    with pytest.raises(BottegaError, match="3 class weights for 2 classes"):
        try_fit(nn.Linear(3, 2), class_weights=(1.0, 1.0, 2.0))


@pytest.mark.parametrize("device", ["gpu", "cuda:99"])
def test_a_device_that_is_not_here(device: str) -> None:
    with pytest.raises(BottegaError, match=f"device '{device}'.*\n.*\n.*device = 'cpu'"):
        accept_device(device)


def test_memory_is_not_the_networks_fault() -> None:
    assert out_of_memory(RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes."))
    assert out_of_memory(torch.OutOfMemoryError("CUDA out of memory"))
    assert not out_of_memory(RuntimeError("shapes"))
    with pytest.raises(MemoryError), own_words():
        raise MemoryError
