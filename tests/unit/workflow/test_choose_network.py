"""Which network is trained: by the pictures' size, by what was asked for, by the recipe of a run that goes on."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from torch import nn

from bottega.data.profile import ImageSet, profile
from bottega.data.sources import open_source
from bottega.errors import BottegaError
from bottega.training.precision import has_gpu
from bottega.workflow.choose_network import SMALL_SIDE, OwnChoice, choose_network, own_names
from bottega.workflow.options import TrainOptions

PLAN = """
name = "mine"
layers = [{ kind = "flatten" }, { kind = "dense", units = 8 }, { kind = "relu" }]
"""


def pictures(folder: Path, side: int, *, grey: bool) -> ImageSet:
    rng = np.random.default_rng(0)
    for label in "ab":
        (folder / label).mkdir(parents=True)
        for i in range(3):
            pixels = rng.integers(0, 256, (side, side) if grey else (side, side, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / label / f"{i}.png")
    return profile(open_source(str(folder)))


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> ImageSet:
    return pictures(tmp_path_factory.mktemp("small") / "x", 12, grey=True)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> ImageSet:
    return pictures(tmp_path_factory.mktemp("large") / "x", SMALL_SIDE + 1, grey=False)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def chosen(images: ImageSet, begun: Any = None, source: Any = None, **stated: Any) -> OwnChoice:
    found = choose_network(TrainOptions(device="cpu", **stated), images, begun, source)
    assert found is not None
    return found


def test_small_pictures_get_a_network_of_their_own(small: ImageSet, large: ImageSet) -> None:
    assert choose_network(TrainOptions(), large, None) is None
    assert choose_network(TrainOptions(network="pretrained"), small, None) is None
    found = chosen(small)
    assert (found.architecture.name, found.frame.shape, found.device) == ("cnn", (1, 12, 12), "cpu")


def test_what_was_asked_for(small: ImageSet, large: ImageSet) -> None:
    found = chosen(large, network="mlp", width=0.5)
    assert (found.architecture.name, found.frame.shape) == ("mlp", (3, 64, 64))
    assert chosen(large, network="resnet", preset="accurate").frame.shape == (3, 96, 96)
    plan, narrow = chosen(small, network="mlp").architecture.plan, chosen(small, network="mlp", width=0.5)
    assert plan != narrow.architecture.plan


def test_a_plan_from_a_file(here: Path, small: ImageSet, large: ImageSet) -> None:
    Path("my.toml").write_text(PLAN, "utf-8")
    options = TrainOptions(network="my.toml")
    assert own_names(options) == ["mine"]
    assert chosen(small, network="my.toml").architecture.input == (1, 12, 12)
    Path("my.toml").write_text('input = "20x20x3"\n' + PLAN, "utf-8")
    assert chosen(small, network="my.toml").architecture.input == (3, 20, 20)  # the file's word counts
    Path("my.toml").write_text('input = "20x10x3"\n' + PLAN, "utf-8")
    with pytest.raises(BottegaError, match=r"found: a network for 20x10x3.*\nexpected: square pictures"):
        chosen(small, network="my.toml")
    Path("my.toml").write_text('input = "30"\n' + PLAN.replace('{ kind = "flatten" }, ', ""), "utf-8")
    with pytest.raises(BottegaError, match=r"found: a network for 30 .*\nexpected: square pictures"):
        own_names(options)
    Path("my.toml").write_text(PLAN.replace("flatten", "flaten"), "utf-8")
    with pytest.raises(BottegaError, match=r"flaten.*\n.*\n.*flatten"):
        chosen(small, network="my.toml")


def test_a_run_that_goes_on_keeps_its_choice(here: Path, small: ImageSet) -> None:
    Path("my.toml").write_text(PLAN, "utf-8")
    begun = chosen(small, network="my.toml")
    Path("my.toml").unlink()
    facts = begun.facts()
    assert facts["input"] == [1, 12, 12]
    options = TrainOptions(device="cpu")  # whatever they are, the facts decide
    assert choose_network(options, small, facts) == begun
    assert choose_network(options, small, {"network": "pretrained"}) is None


def test_a_class_of_the_users(small: ImageSet) -> None:
    class Net(nn.Module):
        pass

    found = chosen(small, source=Net, network="tests:Net")
    assert (found.architecture.name, found.architecture.plan) == ("Net", None)
    assert "plan" not in found.facts()
    assert chosen(small, source=Net(), network="tests:Net").architecture.name == "Net"
    assert chosen(small, network="net:Other").architecture.name == "Other"


def test_names_before_the_data_are_seen() -> None:
    assert own_names(TrainOptions()) == ["cnn"]
    assert own_names(TrainOptions(network="pretrained")) == []
    assert own_names(TrainOptions(network="resnet")) == ["resnet"]
    assert own_names(TrainOptions(network="net:Net")) == ["Net"]


def test_the_preparation_in_words(small: ImageSet, large: ImageSet) -> None:
    assert re.search(r"squeezed to 12 x 12, whole levels, grey", chosen(small).preparation()["resize"])
    assert "64 x 64, whole levels, RGB" in chosen(large, network="cnn").preparation()["resize"]


@pytest.mark.skipif(has_gpu(), reason="here is a GPU")
def test_a_gpu_that_is_not_there(small: ImageSet) -> None:
    with pytest.raises(BottegaError, match=r"found: --device cuda, and no GPU.*\n.*\nfix: --device auto"):
        choose_network(TrainOptions(network="cnn", device="cuda"), small, None)
    found = choose_network(TrainOptions(network="cnn"), small, None)
    assert found is not None
    assert found.device == "cpu"
