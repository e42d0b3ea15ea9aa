"""A run is read out in words, what mends it is proved, and runs are held against each other."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from command import run_bottega

QUICK = ("digits", "--network", "mlp", "--width", "0.25", "--ship", "network")
WITHOUT_TORCH = (
    "import sys; sys.modules['torch'] = sys.modules['onnx'] = None; from bottega.cli.main import main; main({})"
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Digits, trained for too short a time under `runs/short`, and for longer under `runs/long`."""
    folder = tmp_path_factory.mktemp("diagnose")
    for name, epochs in (("short", "2"), ("long", "20")):
        outcome = run_bottega("train", *QUICK, "--epochs", epochs, "--name", name, "--json", cwd=folder)
        assert outcome.status == 0, outcome.err
    return folder


def test_the_fault_is_named(home: Path) -> None:
    outcome = run_bottega("diagnose", "runs/short", "--json", cwd=home)
    assert outcome.status == 0, outcome.err
    found = outcome.document["findings"]
    assert found[0]["name"] == "not yet converged"
    assert "40 steps in 2 epochs" in found[0]["evidence"]
    record = json.loads((home / "runs" / "short" / "record.json").read_text("utf-8"))
    assert record["findings"] == found  # training said it already
    assert "not yet converged" in (home / "runs" / "short" / "report.html").read_text("utf-8")


def test_the_remedy_is_proved_by_training(home: Path, tmp_path: Path) -> None:
    shutil.copytree(home / "runs", tmp_path / "runs")
    before = {path.name: path.read_bytes() for path in (tmp_path / "runs" / "short").iterdir()}
    outcome = run_bottega("diagnose", "runs/short", "--try", cwd=tmp_path)
    assert outcome.status == 0, outcome.err
    lines = outcome.out.splitlines()
    assert any(line.startswith("Proved       6 epochs") for line in lines)
    assert lines[-1] == "Next         bottega train digits --ship network --network mlp --width 0.25 --epochs 6"
    after = {path.name: path.read_bytes() for path in (tmp_path / "runs" / "short").iterdir()}
    assert {*after} - {*before} == {"remedies.json"}
    assert {name for name in before if after[name] != before[name]} == {"report.html"}
    (proof,) = json.loads(after["remedies.json"])["proofs"]
    assert proof["seeds"] == [0, 1, 2]
    (trial,) = [one for one in proof["trials"] if one["changes"] == {"epochs": 6}]
    assert 0 < trial["gain"]["low"] < trial["after"] - trial["before"]
    assert b"What mends it, proved" in after["report.html"]
    again = run_bottega("diagnose", "runs/short", "--json", cwd=tmp_path)
    assert again.document["proof"] == proof


def test_a_time_that_is_too_short_proves_nothing_and_says_so(home: Path, tmp_path: Path) -> None:
    shutil.copytree(home / "runs", tmp_path / "runs")
    outcome = run_bottega("diagnose", "runs/short", "--try", "--time", "1s", "--json", cwd=tmp_path)
    assert outcome.status == 0, outcome.err
    trials = outcome.document["proof"]["trials"]
    assert {one["verdict"] for one in trials} == {"not tried"}
    assert all(one["why"] for one in trials)


def test_changed_data_are_refused(home: Path, tmp_path: Path) -> None:
    shutil.copytree(home / "runs", tmp_path / "runs")
    recipe = tmp_path / "runs" / "short" / "recipe.toml"
    recipe.write_text(recipe.read_text("utf-8").replace('fingerprint = "', 'fingerprint = "0'), "utf-8")
    outcome = run_bottega("diagnose", "runs/short", "--try", cwd=tmp_path)
    assert outcome.status == 2
    assert outcome.error_lines[0] == "found:    other data in 'digits' than this run was made from"
    assert not (tmp_path / "runs" / "short" / "remedies.json").exists()


def test_the_longer_run_is_better(home: Path) -> None:
    outcome = run_bottega("compare", "runs/short", "runs/long", "--html", "page.html", "--json", cwd=home)
    assert outcome.status == 0, outcome.err
    (test,) = outcome.document["tests"]
    assert (test["run"], test["verdict"], test["n"]) == ("runs/long", "better", 256)
    assert [one["key"] for one in outcome.document["differences"]] == ["training.epochs", "training.learning_rate"]
    assert [len(one["curve"]) for one in outcome.document["runs"]] == [2, 20]
    assert "runs/long is better than runs/short" in (home / "page.html").read_text("utf-8")


@pytest.mark.parametrize("words", [["diagnose", "runs/short"], ["compare", "runs/short", "runs/long"]])
def test_reading_needs_no_torch(home: Path, words: list[str]) -> None:
    shown = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH.format(words)], cwd=home, capture_output=True, text=True, check=True
    )
    assert shown.stdout == run_bottega(*words, cwd=home).out
