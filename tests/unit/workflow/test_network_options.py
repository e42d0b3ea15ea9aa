"""The choices about a network of one's own, refused before any work is done."""

from pathlib import Path
from typing import Any

import pytest

from bottega.errors import BottegaError
from bottega.workflow.network_options import NETWORKS, is_own_network, stated_settings
from bottega.workflow.options import TrainOptions


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        ({"network": "ccn"}, r"found: network 'ccn'\nexpected: one of auto, .*\nfix: --network cnn$"),
        ({"network": "net"}, r"found: network 'net'"),
        ({"network": "net:"}, r"found: network 'net:'"),
        ({"network": "mine.toml"}, r"found: no file 'mine.toml'\n.*\nfix: bottega summary cnn .* > mine.toml"),
        ({"network": "cnn", "dropout": 3}, r"found: .*dropout.*3.*\nexpected: .*0.95.*\nfix: leave out --dropout"),
        ({"width": 100.0}, r"found: .*width.*100.*\nexpected: .*16"),
        ({"depth": 0, "network": "mlp"}, r"found: .*depth.*0.*\nexpected: .*1 to 50"),
        ({"network": "pretrained", "width": 2.0}, r"found: --width with --network pretrained\n.*\nfix: --network cnn"),
        ({"network": "net:Net", "width": 2.0, "depth": 3}, r"found: --width, --depth with --network net:Net"),
        ({"epochs": 0}, r"found: epochs = 0\nexpected: epochs: a whole number from 1 to 100000\nfix: --epochs 1$"),
        ({"batch_size": 2.5}, r"found: batch_size = 2.5"),
        ({"learning_rate": 1e9}, r"found: learning_rate = 1000000000.0\n.*\nfix: --learning-rate 100$"),
        ({"optimiser": "adamax"}, r"found: optimiser = 'adamax'\n.*\nfix: --optimiser adam$"),
        ({"schedule": "onecycle"}, r"found: schedule = 'onecycle'\n.*\nfix: --schedule one-cycle$"),
        ({"weight_decay": -1.0}, r"found: weight_decay = -1.0\n.*\nfix: --weight-decay 0$"),
        ({"patience": 0}, r"found: patience = 0\n.*\nfix: --patience 1$"),
        ({"epochs": 0, "optimiser": "x"}, r"found: epochs = 0; optimiser = 'x'"),
        (
            {"augment": "flip,shfit"},
            r"found: augment 'shfit'\nexpected: auto, none, or .*\nfix: --augment shift$",
        ),
        ({"device": "gpu"}, r"found: device 'gpu'\nexpected: one of auto, cpu, cuda\nfix: --device"),
        ({"seeds": 0}, r"found: seeds 0\nexpected: a number of seeds from 1 to 50\nfix: --seeds 5$"),
        ({"seeds": None}, r"found: seeds None"),
        ({"cv": 1}, r"found: cv 1\nexpected: a number of folds from 2 to 50\nfix: --cv 5$"),
        ({"cv": 2.5}, r"found: cv 2.5"),
        ({"cv": True}, r"found: cv True"),
        ({"cv": float("nan")}, r"found: cv nan"),
    ],
)
def test_what_is_refused(stated: dict[str, Any], said: str) -> None:
    with pytest.raises(BottegaError, match=said):
        TrainOptions(**stated)


def test_what_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("my.toml").touch()  # it is read later, when the pictures are known
    for network in (*NETWORKS, "my.toml", "net:Net", "package.net:Net"):
        assert TrainOptions(network=network).network == network
    TrainOptions(network="auto", width=0.5, depth=3, dropout=0.0, cv=5, seeds=3, device="cpu")


def test_what_is_ones_own() -> None:
    assert all(is_own_network(name) for name in ("mlp", "cnn", "resnet", "a.toml", "net:Net"))
    assert not any(is_own_network(name) for name in ("auto", "pretrained"))


def test_only_what_was_stated_is_a_setting() -> None:
    assert stated_settings(TrainOptions()) == {}
    assert stated_settings(TrainOptions(epochs=3, augment="none")) == {"epochs": 3, "augment": ()}
    stated = stated_settings(TrainOptions(augment="flip, shift", weight_decay=0.0))
    assert stated == {"augment": ("flip", "shift"), "weight_decay": 0.0}
