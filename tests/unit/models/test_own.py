"""A network of the user's own: found, made, tried; and what is said when it can't be."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from bottega.errors import BottegaError
from bottega.models.own import user_network

SHAPE = (1, 8, 8)


class Good(nn.Module):
    def __init__(self, n_outputs: int, hidden: int = 16) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(64, hidden), nn.ReLU(), nn.Linear(hidden, n_outputs))

    def forward(self, x: torch.Tensor) -> Any:
        return self.layers(x)


class Told(Good):
    def __init__(self, input_shape: tuple[int, ...], n_outputs: int) -> None:
        super().__init__(n_outputs)
        self.input_shape = input_shape


class Wants(Good):
    def __init__(self, colour: str) -> None:
        super().__init__(3)
        self.colour = colour


class Raises(Good):
    def __init__(self, n_outputs: int) -> None:
        super().__init__(n_outputs)
        raise KeyError("no such thing")


class Fails(Good):
    def forward(self, x: torch.Tensor) -> Any:
        return self.layers(x[:, :, :3])


class Pair(Good):
    def forward(self, x: torch.Tensor) -> Any:
        return self.layers(x), x


def test_a_class_and_a_module() -> None:
    assert isinstance(user_network(Good, SHAPE, 5), Good)
    told = user_network(Told, SHAPE, 5)
    assert isinstance(told, Told)
    assert told.input_shape == SHAPE
    made = Good(5)
    assert user_network(made, SHAPE, 5) is made
    assert made.training


def broken() -> nn.Module:
    network = Good(3)
    with torch.no_grad():
        network.get_parameter("layers.1.weight")[0, 0] = float("nan")
    return network


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (Wants, "Wants wants 'colour'"),
        (Raises, "making Raises: KeyError: 'no such thing'"),
        (Fails, "Fails on two examples of 8x8x1: RuntimeError: mat1 and mat2"),
        (Pair, "Pair gives tuple for two examples"),
        (Good(4), r"Good gives \(2, 4\) for two examples of 8x8x1"),
        (broken(), "weights of Good that are NaN or infinite: 'layers.1.weight'"),
        (dict, "dict is a class of something else"),
        (3, "int is a int"),
    ],
    ids=str,
)
def test_what_is_refused(source: Any, message: str) -> None:
    with pytest.raises(BottegaError, match=message) as caught:
        user_network(source, SHAPE, 3)
    assert caught.value.expected
    assert caught.value.fix


def test_the_line_that_failed_is_named() -> None:
    with pytest.raises(BottegaError) as caught:
        user_network(Fails, SHAPE, 3)
    assert caught.value.where is not None
    assert caught.value.where.startswith(f"{__file__}, line ")


SOURCE = """
import torch

class Net(torch.nn.Module):
    def __init__(self, n_outputs):
        super().__init__()
        self.layers = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, n_outputs))

    def forward(self, x):
        return self.layers(x)
"""


def test_by_name_from_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_net.py").write_text(SOURCE)
    (tmp_path / "my_slip.py").write_text("def net(:\n")
    (tmp_path / "my_stop.py").write_text("import nowhere_at_all\n")
    assert user_network("my_net:Net", SHAPE, 4)(torch.zeros(1, *SHAPE)).shape == (1, 4)
    refused = {
        "my_net:Nett": "no class 'Nett' in my_net",
        "my_none:Net": "importing my_none: ModuleNotFoundError",
        "my_slip:Net": "importing my_slip: SyntaxError",
        "my_stop:Net": "importing my_stop: ModuleNotFoundError: No module named 'nowhere_at_all'",
        "my_net": "network 'my_net'",
        "my_net:Net()": "network 'my_net:Net",
        "my_net:torch": "my_net:torch is a module",
    }
    for source, message in refused.items():
        with pytest.raises(BottegaError, match=message):
            user_network(source, SHAPE, 4)
    with pytest.raises(BottegaError, match="my_net:Net") as caught:
        user_network("my_net:Nett", SHAPE, 4)
    assert caught.value.fix == "write my_net:Net"
    with pytest.raises(BottegaError) as slip:
        user_network("my_slip:Net", SHAPE, 4)
    assert slip.value.where == f"{tmp_path / 'my_slip.py'}, line 1"
