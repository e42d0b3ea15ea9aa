"""The ejected script: the same layers, the same split, the same schedule, and a score when it is run."""

import ast
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_digits

from bottega.data.images import content_hash
from bottega.data.splits import split
from bottega.errors import BottegaError
from bottega.models.networks import build
from bottega.models.plans import STANDARD, standard
from bottega.problem.layers import Layer
from bottega.problem.network import Network
from bottega.training import augmentation
from bottega.training.schedule import factor_at
from bottega.training.settings import Settings
from bottega.workflow.eject import EjectData, eject_script

DIGITS = EjectData("digits", "digits", False, [str(i) for i in range(10)], 3, [78.0], [96.0])
SETTINGS = Settings(epochs=6, batch_size=64, learning_rate=3e-3)
EVERYTHING = Settings(
    epochs=2,
    learning_rate=1e-2,
    optimiser="sgd",
    schedule="plateau",
    average=0.9,
    mixup=0.4,
    label_smoothing=0.1,
    precision="bfloat16",
    patience=None,
    class_weights=(1.0,) * 10,
    augment=("flip", "shift", "rotation", "scale", "crop", "colour", "erasing"),
)


def above_the_work(script: str) -> dict[str, Any]:
    """The names that a script defines before it reads its data."""
    names: dict[str, Any] = {}
    exec(script.partition("\npictures = ")[0], names)
    return names


@pytest.mark.parametrize("kind", ["folder", "npz", "digits"])
@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 224, 224)])
@pytest.mark.parametrize("network", STANDARD)
def test_short_enough_to_be_read(network: str, shape: tuple[int, int, int], kind: str) -> None:
    data = replace(DIGITS, kind=kind, mean=[127.0] * shape[0], scale=[64.0] * shape[0])
    usual = ("shift", "rotation", "scale") if shape[0] == 1 else ("flip", "crop", "rotation", "colour")
    script = eject_script(standard(network, shape), replace(SETTINGS, augment=usual, precision="bfloat16"), data)
    assert len([line for line in script.splitlines() if line.strip()]) <= 150
    assert max(map(len, script.splitlines())) <= 120
    ast.parse(script)
    assert "bottega" not in script.replace("bottega/image/1", "")


PLANS = {
    **{kind: standard(kind, (1, 8, 8), width=0.25, depth=4) for kind in STANDARD},
    "mixed": Network(
        "mixed",
        (1, 8, 8),
        (
            Layer("conv", {"channels": 6, "kernel": 2, "padding": "valid"}),
            Layer("batch_norm"),
            Layer("gelu"),
            Layer("depthwise_conv"),
            Layer("batch_norm"),
            Layer("avg_pool", {"kernel": 3, "stride": 2, "padding": "same"}),
            Layer("batch_norm"),
            Layer("conv", {"channels": 4, "groups": 2}),
            Layer("global_pool", {"by": "max"}),
            Layer("residual", {}, (Layer("dense", {"units": 3}), Layer("tanh"))),
        ),
    ),
}


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS.keys())
def test_the_same_network(plan: Network) -> None:
    ours = build(plan, 10, torch.Generator().manual_seed(0)).eval()
    theirs = above_the_work(eject_script(plan, SETTINGS, DIGITS))["network"].eval()
    state = theirs.state_dict()
    values = list(ours.state_dict().values())
    assert [value.shape for value in state.values()] == [value.shape for value in values]
    theirs.load_state_dict(dict(zip(state, values, strict=True)))
    x = torch.randn(5, 1, 8, 8)
    with torch.no_grad():
        assert torch.equal(ours(x), theirs(x))


def test_fresh_weights_have_the_same_spread() -> None:
    plan = standard("resnet", (1, 8, 8))
    ours = build(plan, 10, torch.Generator().manual_seed(0)).state_dict()
    theirs = above_the_work(eject_script(plan, SETTINGS, DIGITS))["network"].state_dict()
    for (name, a), b in zip(ours.items(), theirs.values(), strict=True):
        if a.ndim > 1 and name != "answer.weight":
            assert float(a.std()) == pytest.approx(float(b.std()), rel=0.3 if a.numel() < 1000 else 0.1)
        elif a.is_floating_point() and a.ndim == 1:
            assert torch.equal(a, b)


def test_the_same_split() -> None:
    part_of = above_the_work(eject_script(PLANS["cnn"], SETTINGS, DIGITS))["hashed_part"]
    grey = np.floor(load_digits().images * 255 / 16 + 0.5).astype(np.uint8)
    pictures = np.repeat(grey[..., None], 3, axis=3)
    hashes = np.array([np.frombuffer(content_hash(picture), np.uint8) for picture in pictures])
    whole = split(hashes, [str(y) for y in load_digits().target], np.arange(len(hashes)), split_seed=3)
    assert [part_of(picture, False, False) for picture in pictures] == whole.part.tolist()
    given = ["test" if i % 5 == 0 else "train" for i in range(len(hashes))]
    halves = split(hashes, ["a"] * len(hashes), np.arange(len(hashes)), given=given, split_seed=3)
    found = [part_of(p, True, False) if part == "train" else part for p, part in zip(pictures, given, strict=True)]
    assert found == halves.part.tolist()


@pytest.mark.parametrize("schedule", ["one-cycle", "cosine", "constant"])
def test_the_same_schedule(schedule: str) -> None:
    script = eject_script(PLANS["mlp"], replace(SETTINGS, schedule=schedule, warm_up=0.25), DIGITS)
    text = script.partition("def factor")[2].partition("def scaled")[0]
    names: dict[str, Any] = {"math": __import__("math")}
    exec("def factor" + text, names)
    for at in np.linspace(0, 0.99, 50):
        assert names["factor"](at) == pytest.approx(factor_at(schedule, at, 0.25), abs=1e-6)


def test_augmentation_moves_as_much() -> None:
    x = torch.rand(200, 3, 24, 24) * 255
    generator = torch.Generator().manual_seed(0)
    for name in EVERYTHING.augment:
        script = eject_script(standard("cnn", (3, 24, 24)), replace(SETTINGS, augment=(name,)), DIGITS)
        theirs = above_the_work(eject_text_without_training(script))["augment"](x)
        ours = augmentation.augment(x, (name,), generator)
        assert theirs.shape == x.shape
        moved = [float((one - x).abs().mean()) for one in (ours, theirs)]
        assert moved[1] == pytest.approx(moved[0], rel=0.15), name


def eject_text_without_training(script: str) -> str:
    return script.partition("\ndef factor")[0]


def run(script: str, folder: Path, *words: str) -> str:
    (folder / "ejected.py").write_text(script, "utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", "ejected.py", *words], cwd=folder, capture_output=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_trains(tmp_path: Path) -> None:
    said = run(eject_script(standard("mlp", (1, 8, 8)), SETTINGS, DIGITS), tmp_path)
    accuracy = re.search(r"test accuracy (\d\.\d+)", said)
    assert accuracy is not None
    assert float(accuracy[1]) >= 0.95


def test_every_branch_runs_on_a_folder(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for label, low in (("dark", 0), ("b'right\n", 128)):
        place = tmp_path / "pictures" / label
        place.mkdir(parents=True)
        for i in range(60):
            Image.fromarray(rng.integers(low, low + 128, (20, 24, 3), dtype=np.uint8)).save(place / f"{i}.png")
    (tmp_path / "pictures" / "dark" / "broken.png").write_bytes(b"nothing")
    data = EjectData("folder", "pictures", False, ["b'right\n", "dark"], 0, [127.0] * 3, [70.0] * 3)
    settings = replace(EVERYTHING, class_weights=(1.0, 2.0), epochs=6)
    said = run(eject_script(standard("cnn", (3, 16, 16), width=0.25, depth=1), settings, data), tmp_path)
    assert "left out: pictures/dark/broken.png" in said
    assert float(said.rpartition(" ")[2]) > 0.9


def test_names_cannot_break_out() -> None:
    data = replace(DIGITS, source='"""\nimport os\n', labels=["'\n", '"""', "\u2028x", "{name}"])
    hostile = replace(standard("mlp", (1, 8, 8)), name="x\nraise SystemExit\u2028{y}")
    names = above_the_work(eject_script(hostile, SETTINGS, data))
    assert names["LABELS"] == data.labels
    assert names["SOURCE"] in (data.source, *sys.argv)
    assert "os" not in names


def test_what_cannot_be_ejected() -> None:
    with pytest.raises(BottegaError, match="a network for 30 columns"):
        eject_script(standard("mlp", (30,)), SETTINGS, DIGITS)
    with pytest.raises(BottegaError, match="data from a zip"):
        eject_script(PLANS["mlp"], SETTINGS, replace(DIGITS, kind="zip"))
    with pytest.raises(BottegaError, match="settings without a learning rate"):
        eject_script(PLANS["mlp"], replace(SETTINGS, learning_rate=None), DIGITS)
