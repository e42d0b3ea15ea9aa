"""Plans of networks: TOML there and back, names and shapes, and what is refused."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bottega.errors import BottegaError
from bottega.problem.layers import Layer
from bottega.problem.network import (
    MOST_LAYERS,
    Network,
    network_from_toml,
    network_to_toml,
    parse_shape,
    read_network,
    shape_text,
    steps,
)

TOML = """
name = "mine"
input = "28x28x1"

layers = [
  { kind = "conv", channels = 8, stride = 2 },
  { kind = "residual", layers = [
    { kind = "conv", channels = 8 },
    { kind = "batch_norm" },
  ] },
  { kind = "relu" },
  { kind = "conv", channels = 4 },
  { kind = "global_pool" },
]
"""


def test_there_and_back() -> None:
    plan = network_from_toml(TOML)
    assert [(step.name, step.out) for step in steps(plan)] == [
        ("conv1", (8, 14, 14)),
        ("residual1", (8, 14, 14)),
        ("relu1", (8, 14, 14)),
        ("conv2", (4, 14, 14)),
        ("global_pool1", (4,)),
    ]
    assert network_to_toml(plan).split() == TOML.split()
    assert plan.n_features == 4


def test_tables_are_read_too() -> None:
    text = 'input = "30"\n[[layers]]\nkind = "dense"\nunits = 8\n[[layers]]\nkind = "relu"\n'
    assert network_from_toml(text).layers == (Layer("dense", {"units": 8}), Layer("relu"))


def test_the_data_say_what_goes_in() -> None:
    without = TOML.replace('input = "28x28x1"', "")
    assert network_from_toml(without, (3, 32, 32)).input == (3, 32, 32)
    assert network_from_toml(TOML, (1, 28, 28)).input == (1, 28, 28)
    with pytest.raises(BottegaError, match="input = '28x28x1', and data of 32x32x3"):
        network_from_toml(TOML, (3, 32, 32))
    with pytest.raises(BottegaError, match="no input"):
        network_from_toml(without)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (('name = "mine"', 'nmae = "mine"'), "an unknown key 'nmae'"),
        (('name = "mine"', 'name = ""'), "name = ''"),
        (('"conv", channels = 4', '"conf", channels = 4'), r"no layer is called 'conf' \(net.toml, layer 4\)"),
        (('"batch_norm"', '"batch_norn"'), r"no layer is called 'batch_norn' \(net.toml, layer 2.2\)"),
        (("channels = 4", "channels = -4"), r"channels = -4 \(net.toml, layer 4\)"),
        (("channels = 8, stride", "channels = 8, strid"), r"conv has no option 'strid' \(net.toml, layer 1\)"),
        (('{ kind = "global_pool" },', ""), "the last layer of 'mine' gives 14x14x4"),
        (('{ kind = "conv", channels = 4 },', '{ kind = "dense", units = 4 },'), r"\(net.toml, layer 4, dense\)"),
        (('{ kind = "relu" },', '"relu",'), r"'relu' \(net.toml, layer 3\)"),
        (("layers = [", "layers = 3 #"), "no TOML"),
        (("28x28x1", "28 by 28"), "input '28 by 28'"),
        (("28x28x1", "28x28x0"), "input 28x28x0"),
    ],
)
def test_what_is_refused_and_where(change: tuple[str, str], message: str) -> None:
    assert change[0] in TOML
    with pytest.raises(BottegaError, match=message):
        network_from_toml(TOML.replace(*change), where="net.toml")


@pytest.mark.parametrize("text", ['layers = 3\ninput = "8"', 'layers = []\ninput = "8"', 'input = "8"'])
def test_layers_must_be_there(text: str) -> None:
    with pytest.raises(BottegaError, match=r"found: (no layers|layers = 3)") as caught:
        network_from_toml(text, where="net.toml")
    assert caught.value.where == "net.toml"


def test_hostile_depth() -> None:
    deep = '{ kind = "residual", layers = [' * 20 + '{ kind = "relu" }' + "] }" * 20
    with pytest.raises(BottegaError, match="residuals 9 deep"):
        network_from_toml(f'input = "8"\nlayers = [{deep}]')
    with pytest.raises(BottegaError, match="brackets inside brackets without end"):
        network_from_toml("layers = " + "[" * 100_000)
    with pytest.raises(BottegaError, match=f"{MOST_LAYERS + 1:,} layers"):
        Network("long", (8,), (Layer("relu"),) * (MOST_LAYERS + 1))


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "net.toml"
    path.write_text(TOML.replace('name = "mine"', ""), "utf-8")
    assert read_network(path).name == "net"
    with pytest.raises(BottegaError, match=r"no readable file '.*nowhere.toml'"):
        read_network(tmp_path / "nowhere.toml")
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BottegaError, match="a file that is no text"):
        read_network(path)
    path.write_bytes(b"#" * 1_000_001)
    with pytest.raises(BottegaError, match="more than 1,000,000 bytes"):
        read_network(path)


@pytest.mark.parametrize(
    ("text", "shape"), [("28x28x1", (1, 28, 28)), ("32x48", (1, 32, 48)), ("64×64×3", (3, 64, 64)), ("30", (30,))]
)
def test_shapes_as_people_write_them(text: str, shape: tuple[int, ...]) -> None:
    assert parse_shape(text) == shape
    assert parse_shape(shape_text(shape)) == shape


@pytest.mark.parametrize(
    "text", ["", "x", "28x", "0", "28x28x1x1", "-3", "28x28x2000", "99999x9x3", "1e3", "٣x٣", "5\n"]
)
def test_no_shape(text: str) -> None:
    with pytest.raises(BottegaError, match="found: input"):
        parse_shape(text)


@given(st.text(max_size=100))
def test_any_name_survives(name: str) -> None:
    if not name or any(0xD800 <= ord(c) <= 0xDFFF for c in name):
        return
    plan = Network(name, (8,), (Layer("dense", {"units": 2}), Layer("dropout", {"rate": 0.25})))
    assert network_from_toml(network_to_toml(plan)) == plan
