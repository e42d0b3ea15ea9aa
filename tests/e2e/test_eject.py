"""A run as a script: it runs without the package, and comes to the score of another seed."""

import json
import math
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from command import run_bottega

CHOICES = ("--network", "cnn", "--width", "0.5", "--epochs", "12", "--seeds", "3", "--ship", "network")
WITHOUT_US = "import sys; sys.modules['bottega'] = None; import runpy; runpy.run_path(sys.argv[1], run_name='__main__')"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Digits, trained with three seeds under `runs/net`."""
    folder = tmp_path_factory.mktemp("eject")
    outcome = run_bottega("train", "digits", *CHOICES, "--name", "net", "--json", cwd=folder)
    assert outcome.status == 0, outcome.err
    return folder


def test_the_script_comes_to_the_same_score(home: Path, tmp_path: Path) -> None:
    script = tmp_path / "net.py"
    outcome = run_bottega("eject", "runs/net", "-o", str(script), cwd=home)
    assert outcome.status == 0, outcome.err
    said = outcome.out.splitlines()
    assert re.fullmatch(r"\d+ lines of plain PyTorch: the same layers, data and settings\.", said[0])
    assert said[-1] == f"Next         python {script}"
    assert "import bottega" not in script.read_text("utf-8")
    assert len(script.read_text("utf-8").splitlines()) <= 150
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", WITHOUT_US, str(script)],
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    record = json.loads((home / "runs" / "net" / "record.json").read_text("utf-8"))
    counts, seeds = record["split"]["counts"], record["seeds"]
    split = f"{counts['train']} to train on, {counts['val']} to choose by, {counts['test']} to test on"
    assert done.stdout.splitlines()[0] == split
    score = float(done.stdout.rpartition(" ")[2])
    of_chance = math.sqrt(seeds["mean"] * (1 - seeds["mean"]) / counts["test"])  # two answers differ by about one
    assert abs(score - seeds["mean"]) <= 3 * max(seeds["standard_deviation"], of_chance)


def test_the_json_twin(home: Path) -> None:
    outcome = run_bottega("eject", "runs/net", "--json", cwd=home)
    document: dict[str, Any] = outcome.document
    assert outcome.status == 0
    assert document["n_lines"] == len(document["script"].splitlines())
    assert document["path"] is None
    assert document["differs"] == [
        "the run trained on the validation part too, in the end; the script keeps it to choose the epoch"
    ]
    assert run_bottega("eject", "runs/net", cwd=home).out == document["script"]
