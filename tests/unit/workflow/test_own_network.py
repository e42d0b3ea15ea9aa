"""A network that starts from nothing, as a candidate: what is trained, what is told, what is the same again."""

import json
import math
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from bottega.errors import BottegaError
from bottega.problem.history import Epoch
from bottega.shipping.tails import tail_model
from bottega.workflow.candidates import answer
from bottega.workflow.clock import Clock, TimeBudget
from bottega.workflow.options import TrainOptions
from bottega.workflow.own_network import (
    Bench,
    OwnNetwork,
    UserClass,
    architecture_of,
    default_settings,
    sparkline,
    stated_shape,
)
from bottega.workflow.run_folder import RunFolder
from digits_material import digits

SHAPE = (1, 8, 8)
QUICK = {"network": "mlp", "width": 0.25, "epochs": 4, "learning_rate": 0.02, "augment": "none", "device": "cpu"}
X = (digits(900).views["plain"].reshape(-1, *SHAPE) * 255).astype(np.uint8)
Y = digits(900).y
TRAIN, VAL = slice(0, 600), slice(600, 900)


class Net(nn.Module):
    def __init__(self, n_outputs: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, n_outputs))

    def forward(self, x: torch.Tensor) -> Any:
        return self.layers(x)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    monkeypatch.chdir(tmp_path)
    return RunFolder.make("digits", None)


def own(folder: RunFolder, source: Any = None, seconds: float | None = None, **changes: Any) -> OwnNetwork:
    """A candidate whose bench writes what it is told into the folder."""
    options = TrainOptions(**{**QUICK, **changes})
    architecture = architecture_of(options, SHAPE) if source is None else UserClass(source, SHAPE)

    def tell(network: str, fit: str, line: Epoch) -> None:
        folder.tell("epoch", network=network, fit=fit, **asdict(line))

    def settled(network: str, fit: str, facts: Mapping[str, Any]) -> None:
        folder.tell("settings", network=network, fit=fit, **facts)

    budget = TimeBudget(Clock(seconds), folder, n_fits=1)
    bench = Bench(1, "cpu", folder.file("checkpoint"), budget, keeps_best=True, tell=tell, settled=settled)
    return OwnNetwork(architecture, options, 10, bench)


def test_it_learns_and_is_told(folder: RunFolder) -> None:
    candidate = own(folder)
    spec = candidate.spec()
    assert (spec.name, spec.kind, spec.view) == ("mlp", "network", "pixels")
    setting, form = spec.tune(X[TRAIN], Y[TRAIN], X[VAL], Y[VAL])
    assert form is not None
    assert (answer(form, X[VAL], 10).argmax(1) == Y[VAL]).mean() > 0.8
    assert setting["learning_rate"] == 0.02
    assert 1 <= setting["epochs"] <= 4
    learned = candidate.learned
    assert learned is not None
    assert learned.best.epoch == setting["epochs"]
    assert [line.epoch for line in learned.history] == [1, 2, 3, 4]
    assert learned.n_parameters == sum(p.numel() for p in candidate.architecture.build(10, 0).parameters())
    history = folder.file("history.jsonl").read_text("utf-8")
    assert history.count('"epoch"') >= 4
    (facts,) = [line for line in map(json.loads, history.splitlines()) if line["event"] == "settings"]
    assert facts["mean"] == [pytest.approx(X[TRAIN].mean(), abs=1e-3)]  # of the training pixels alone
    assert facts["learning_rate"] == 0.02

    final = spec.fit(X, Y, setting)  # on everything, for as many epochs as were best
    assert (answer(final, X[VAL], 10).argmax(1) == Y[VAL]).mean() > 0.8
    assert candidate.learned is learned
    assert folder.file("history.jsonl").read_text("utf-8").count('"settings"') == 1


def test_the_same_again_and_another_seed(folder: RunFolder) -> None:
    def trained(seed: int | None) -> bytes:
        _, form = own(folder).spec(seed).tune(X[TRAIN], Y[TRAIN], X[VAL], Y[VAL])
        assert form is not None
        for path in folder.file("checkpoint").iterdir():
            path.unlink()  # or it would be read instead
        return tail_model(form, SHAPE, 10)

    first = trained(None)
    assert first == trained(None)
    assert first == trained(0)
    assert first != trained(1)


def test_each_fit_has_its_own_checkpoint(folder: RunFolder) -> None:
    spec = own(folder, epochs=1).spec()
    spec.tune(X[TRAIN], Y[TRAIN], X[VAL], Y[VAL])
    spec.fit(X[TRAIN], Y[TRAIN], {"epochs": 1, "learning_rate": 0.02})
    spec.fit(X[VAL], Y[VAL], {"epochs": 1, "learning_rate": 0.02})
    spec.fit(X[VAL], Y[VAL], {"epochs": 1, "learning_rate": 0.01})
    assert len([*folder.file("checkpoint").glob("*.npz")]) == 4


def test_a_module_of_the_users_begins_anew_each_time(folder: RunFolder) -> None:
    made = Net(10)
    before = {name: value.clone() for name, value in made.state_dict().items()}
    candidate = own(folder, made, width=None, network="net:Net")
    candidate.spec().tune(X[TRAIN], Y[TRAIN], X[VAL], Y[VAL])
    assert all(torch.equal(value, before[name]) for name, value in made.state_dict().items())
    assert candidate.architecture.name == "Net"
    assert UserClass(Net, SHAPE).name == UserClass("net:Net", SHAPE).name == "Net"
    a, b, c = (UserClass(Net, SHAPE).build(10, seed).state_dict()["layers.1.weight"] for seed in (0, 0, 1))
    assert torch.equal(a, b)
    assert not torch.equal(a, c)


def test_fits_side_by_side_leave_the_screen_alone(folder: RunFolder) -> None:
    spec = own(folder, Net, width=None, network="net:Net").spec()
    before = sys.stdout, sys.stderr
    with ThreadPoolExecutor(3) as pool:
        fits = [pool.submit(spec.fit, X[:n], Y[:n], {"epochs": 1, "learning_rate": 0.01}) for n in (200, 300, 400)]
        assert all(fit.result() for fit in fits)
    assert (sys.stdout, sys.stderr) == before  # each turns them away while torch exports


def test_time_cuts_the_epochs_and_is_journalled(folder: RunFolder) -> None:
    candidate = own(folder, seconds=0.01, epochs=50)
    setting, _ = candidate.spec().tune(X[TRAIN], Y[TRAIN], X[VAL], Y[VAL])
    assert setting["epochs"] == 1
    (decided,) = folder.decisions().items()
    assert decided[0].startswith("epochs of mlp ")
    assert decided[1] == 1
    again = own(folder, seconds=1e6, epochs=50)  # much time now, but what was decided holds
    again.spec().tune(X[TRAIN], Y[TRAIN], X[VAL], Y[VAL])
    assert again.learned is not None
    assert again.learned.settings.epochs == 1


def test_an_interrupted_fold_answers_nothing(folder: RunFolder) -> None:
    candidate = own(folder)
    candidate.bench = replace(candidate.bench, tell=lambda *_: setattr(candidate, "is_stopped", True))
    setting, form = candidate.spec().tune(X[TRAIN], Y[TRAIN], X[VAL], Y[VAL])
    assert form is not None
    assert setting["epochs"] == 1  # the first epoch was told, and then it stopped
    candidate.bench = replace(candidate.bench, keeps_best=False, checkpoint_dir=folder.file("other"))
    with pytest.raises(KeyboardInterrupt):
        candidate.spec().tune(X[TRAIN], Y[TRAIN], X[VAL], Y[VAL])


def test_rare_classes_count_more_where_the_metric_says_so(folder: RunFolder) -> None:
    rows = np.concatenate([np.flatnonzero(Y[TRAIN] < 9), np.flatnonzero(Y[TRAIN] == 9)[:10]])
    weights = {}
    for metric in ("accuracy", "balanced_accuracy"):
        candidate = own(folder, metric=metric, epochs=1)
        candidate.spec().tune(X[rows], Y[rows], X[VAL], Y[VAL])
        assert candidate.learned is not None
        weights[metric] = candidate.learned.settings.class_weights
    assert weights["accuracy"] is None
    found = weights["balanced_accuracy"]
    assert found is not None
    assert found[9] > 4 * max(found[:9])
    counts = np.bincount(Y[rows])
    assert (np.array(found) * counts).sum() == pytest.approx(len(rows))


def test_augmentation_is_chosen_for_the_data(folder: RunFolder) -> None:
    candidate = own(folder, augment="auto", epochs=1)
    candidate.spec().tune(X[TRAIN], Y[TRAIN], X[VAL], Y[VAL])
    assert candidate.learned is not None
    assert "shift" in candidate.learned.settings.augment
    assert "flip" not in candidate.learned.settings.augment
    assert candidate.learned.augmented != "as stated"


@pytest.mark.parametrize(("n", "batch_size", "epochs"), [(200, 32, 60), (1247, 64, 40), (60_000, 256, 15)])
def test_settings_by_the_number_of_examples(n: int, batch_size: int, epochs: int) -> None:
    fast = default_settings(n, TrainOptions(), threads=2, device="cpu")
    assert (fast.batch_size, fast.epochs, fast.threads, fast.learning_rate) == (batch_size, epochs, 2, None)
    thorough = default_settings(n, TrainOptions(preset="accurate", seed=7), threads=2, device="cpu")
    assert (thorough.epochs, thorough.seed) == (2 * epochs, 7)
    assert (fast.average > 0) == (epochs * math.ceil(n / batch_size) >= 2000)


def test_what_was_stated_holds(folder: RunFolder) -> None:
    candidate = own(folder, epochs=2, batch_size=100, weight_decay=0.5, patience=1, optimiser="sgd")
    candidate.spec().tune(X[TRAIN], Y[TRAIN], X[VAL], Y[VAL])
    assert candidate.learned is not None
    settings = candidate.learned.settings
    assert (settings.epochs, settings.batch_size, settings.weight_decay, settings.patience) == (2, 100, 0.5, 1)
    assert settings.optimiser == "sgd"


def test_plans_from_files_and_recipes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    layers = 'layers = [{ kind = "flatten" }, { kind = "dense", units = 8 }]\n'
    Path("my.toml").write_text('name = "mine"\n' + layers, "utf-8")
    assert stated_shape("my.toml") is None
    assert stated_shape("cnn") is None
    assert architecture_of(TrainOptions(network="my.toml"), (3, 9, 9)).input == (3, 9, 9)
    Path("my.toml").write_text('name = "mine"\ninput = "28x28x1"\n' + layers, "utf-8")
    assert stated_shape("my.toml") == (1, 28, 28)
    with pytest.raises(BottegaError, match=r"my.toml"):
        stated_shape("no-such/my.toml")
    written = architecture_of(TrainOptions(network="cnn"), (1, 28, 28), Path("my.toml").read_text("utf-8"))
    assert written.name == "mine"  # the recipe's word counts, not the option's
    assert architecture_of(TrainOptions(network="auto"), (1, 8, 8)).name == "cnn"


def test_the_live_line() -> None:
    assert sparkline([]) == ""
    assert sparkline([0.5]) == "▁"
    assert sparkline([0.1, math.nan, math.inf, 0.9]) == "▁█"
    assert len(sparkline([*range(100)])) == 12
