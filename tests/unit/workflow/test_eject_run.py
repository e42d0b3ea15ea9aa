"""What a run has written down becomes a script; what it hasn't is said."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from bottega.errors import BottegaError
from bottega.models.plans import standard
from bottega.problem.network import network_to_toml
from bottega.training.settings import Settings
from bottega.workflow.eject_run import eject
from bottega.workflow.recipe import Recipe
from bottega.workflow.run_folder import HISTORY, RECIPE, RECORD, RunFolder

PLAN = standard("mlp", (1, 8, 8), width=0.25)
TRAINING = {"threads": 1, "network": "mlp", "device": "cpu", "input": [1, 8, 8], "plan": network_to_toml(PLAN)}
SPLIT = {"source": "held-out", "n_groups": 1797, "by_rank": False}
FITTED = {**asdict(Settings(epochs=7, learning_rate=0.0031)), "mean": [78.0], "scale": [96.0]}
JUDGED = {"chosen": "mlp", "per_class": dict.fromkeys("0123456789"), "split": {"chosen_by": "the validation part"}}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    """A finished run of digits, as training leaves it."""
    monkeypatch.chdir(tmp_path)
    run = RunFolder.make("digits", None)
    write_recipe(run)
    run.tell("looked", n=1797)
    run.tell("settings", network="mlp", fit="first", **FITTED)
    run.tell("settings", network="mlp", fit="second", **{**FITTED, "learning_rate": 1.0})
    run.write(RECORD, json.dumps(JUDGED))
    return run


def write_recipe(run: RunFolder, *, split: dict[str, Any] = SPLIT, source: str = "digits", **training: Any) -> None:
    facts = {key: value for key, value in {**TRAINING, **training}.items() if value is not None}
    recipe = Recipe(source, {"name": "digits", "n": 1797}, split, facts, {}, {})
    run.write(RECIPE, recipe.to_toml())


def test_the_first_fit_is_told(folder: RunFolder) -> None:
    ejected = eject(folder.path)
    assert "EPOCHS, BATCH, RATE, SEED = 7, 128, 0.0031, 0" in ejected.script
    assert "MEAN = torch.tensor([78.0])" in ejected.script
    assert "LABELS = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']" in ejected.script
    assert ejected.differs == ()


def test_it_is_written_where_it_is_wanted(folder: RunFolder, tmp_path: Path) -> None:
    path = tmp_path / "net.py"
    ejected = eject(folder.path, path)
    assert path.read_text("utf-8") == ejected.script
    with pytest.raises(BottegaError, match=r"found: .*nowhere.net\.py' can't be written: No such file"):
        eject(folder.path, tmp_path / "nowhere" / "net.py")


def test_a_path_holds_from_anywhere(folder: RunFolder, tmp_path: Path) -> None:
    for label in "ab":
        (tmp_path / "pictures" / label).mkdir(parents=True)
        (tmp_path / "pictures" / label / "x.png").write_bytes(b"is opened by nobody")
    write_recipe(folder, source="pictures")
    assert f"else {str(tmp_path / 'pictures')!a}" in eject(folder.path).script


@pytest.mark.parametrize(
    ("record", "split", "training", "said"),
    [
        ({"chosen": "random forest"}, {}, {}, "shipped random forest; the script trains mlp"),
        ({"split": {"chosen_by": "out-of-fold predictions"}}, {}, {}, "trained on the validation part too"),
        ({}, {"source": "cv"}, {}, "judged by folds"),
        ({}, {"n_groups": 1700}, {}, "kept twins"),
        ({}, {"by_rank": True}, {}, "dealt rare classes by rank"),
        ({}, {}, {"metric": "log_loss"}, "the best log_loss"),
    ],
)
def test_what_differs_is_said(
    folder: RunFolder, record: dict[str, Any], split: dict[str, Any], training: dict[str, Any], said: str
) -> None:
    write_recipe(folder, split={**SPLIT, **split}, **training)
    folder.write(RECORD, json.dumps({**JUDGED, **record}))
    (difference,) = eject(folder.path).differs
    assert said in difference


def test_runs_without_known_layers(folder: RunFolder) -> None:
    write_recipe(folder, plan=None, network="net:Net")
    with pytest.raises(BottegaError, match=r"found: a run of net:Net, a module of your own.*\n.*\nfix: keep"):
        eject(folder.path)
    write_recipe(folder, plan=None, input=None, network="pretrained")
    with pytest.raises(BottegaError, match=r"no network from nothing.*\n.*\nfix: bottega train digits --network cnn"):
        eject(folder.path)


def test_runs_that_are_not_finished(folder: RunFolder) -> None:
    folder.file(RECORD).unlink()
    with pytest.raises(BottegaError, match=r"found: no record\.json.*\n.*\nfix: bottega train --resume runs/digits-1"):
        eject(folder.path)
    folder.file(HISTORY).write_text('{"event": "looked"}\n[1]\n{"event": "settings", "netw', "utf-8")
    with pytest.raises(BottegaError, match=r"found: a run that hasn't trained mlp to its end"):
        eject(folder.path)
    folder.file(HISTORY).unlink()
    with pytest.raises(BottegaError, match=r"expected: a line 'settings' in history\.jsonl"):
        eject(folder.path)


def test_no_run_and_no_data(folder: RunFolder, tmp_path: Path) -> None:
    with pytest.raises(BottegaError, match=r"found: no run in 'nope'"):
        eject("nope")
    write_recipe(folder, source=str(tmp_path / "gone"))
    with pytest.raises(BottegaError, match=r"gone"):
        eject(folder.path)


def test_settings_are_those_of_the_run(folder: RunFolder) -> None:
    settings = replace(Settings(learning_rate=0.5), optimiser="sgd", schedule="plateau", class_weights=(1.0, 2.0))
    folder.file(HISTORY).unlink()
    folder.tell("settings", network="mlp", fit="first", **{**FITTED, **asdict(settings)})
    script = eject(folder.path).script
    assert "torch.optim.SGD(groups, lr=RATE, momentum=0.9)" in script
    assert "torch.tensor([1.0, 2.0])" in script
