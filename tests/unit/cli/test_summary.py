"""The summary on the terminal: the sums first, at most 25 lines of 80 columns, everything when asked."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from bottega.cli.summary import summary
from bottega.errors import BottegaError
from bottega.problem.network import network_from_toml

NETWORKS = [("cnn", "28x28x1"), ("resnet", "224x224x3"), ("mlp", "30"), ("efficientnet_lite2", None)]


def said(capsys: pytest.CaptureFixture[str], *words: Any, **options: Any) -> list[str]:
    assert summary(*words, **options) == 0
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize(("network", "input"), NETWORKS)
def test_it_fits_a_page(network: str, input: str | None, capsys: pytest.CaptureFixture[str]) -> None:
    lines = said(capsys, network, input=input)
    assert len(lines) <= 25
    assert max(map(len, lines)) <= 80
    assert lines[0].startswith(f"{network}: ")
    everything = said(capsys, network, input=input, everything=True)
    assert len(everything) >= len(lines)
    assert "batch norm" in "".join(everything)


def test_the_answer_comes_first(capsys: pytest.CaptureFixture[str]) -> None:
    lines = said(capsys, "cnn", input="28x28x3", width=0.5)
    assert lines[:2] == ["cnn: 72,954 parameters", "7.6 M multiply-adds for one example of 28x28x3"]
    assert lines[4].split() == "2 × conv 3×3, 16 · norm · relu 28x28x16 2,800 2.1 M 5".split()
    assert lines[-1] == "Change it    bottega summary cnn --input 28x28x3 --width 0.5 --toml > my.toml"


def test_what_toml_prints_is_the_same_network(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    text = "\n".join(said(capsys, "resnet", input="32x32x3", width=2, depth=1, toml=True))
    assert network_from_toml(text).name == "resnet"
    path = tmp_path / "my.toml"
    path.write_text(text)
    assert said(capsys, str(path))[0] == said(capsys, "resnet", input="32x32x3", width=2, depth=1)[0]
    assert tomllib.loads(text)["input"] == "32x32x3"


def test_json_is_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    record = json.loads("\n".join(said(capsys, "mlp", input="30", classes=2, json=True)))
    assert record["parameters"] == sum(layer["parameters"] for layer in record["layers"]) == 74_754
    assert record["layers"][0] == {
        "name": "dense1",
        "kind": "dense",
        "text": "dense, 256",
        "depth": 0,
        "output": [256],
        "parameters": 7680,
        "multiply_adds": 7680,
        "activation_bytes": 1024,
        "receptive_field": None,
    }


def test_a_picture(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "net.svg"
    assert f"Picture      {path}" in said(capsys, "cnn", input="8x8", svg=str(path))
    assert path.read_text("utf-8").startswith("<svg ")


@pytest.mark.parametrize(
    ("network", "options", "message"),
    [
        ("cnn", {}, "no input\nexpected: the shape of one example\nfix: bottega summary cnn --input 28x28x1"),
        ("resnt", {}, "no network is called 'resnt'"),
        ("net:Net", {}, "network 'net:Net'"),
        ("none.toml", {}, "no readable file 'none.toml'"),
        ("cnn", {"input": "28x28x1", "classes": 0}, "classes = 0"),
        ("cnn", {"input": "28x28x1", "dropout": 3}, "dropout = 3\nexpected: a number from 0 to 0.95"),
        ("efficientnet_lite0", {"width": 2}, "--width with efficientnet_lite0"),
        ("efficientnet_lite0", {"input": "32x32x1"}, "input 32x32x1 for efficientnet_lite0"),
        ("cnn", {"input": "28x28x1", "svg": "net.png"}, "picture 'net.png'"),
    ],
)
def test_what_is_refused(network: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(BottegaError, match=message):
        summary(network, **options)
