"""`bottega curve` on pictures of digits: held out, in a given part, and by folds."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from command import run_bottega

CHOICES = ("--network", "mlp", "--epochs", "2")


def folder(place: Path, n: int, *, n_classes: int = 2, parts: bool = False) -> Path:
    """The first n digits as pictures; every fourth in a given test part."""
    x, y = load_digits(n_class=n_classes, return_X_y=True)
    for i in range(n):
        part = ("test" if i % 4 == 0 else "train") if parts else ""
        (place / part / str(y[i])).mkdir(parents=True, exist_ok=True)
        Image.fromarray((x[i].reshape(8, 8) * 15).astype(np.uint8)).save(place / part / str(y[i]) / f"{i}.png")
    return place


def measured(home: Path, *words: str) -> Any:
    outcome = run_bottega("curve", "data", *CHOICES, *words, "--json", cwd=home)
    assert outcome.status == 0, outcome.err
    return outcome.document


def test_more_pictures_are_better(tmp_path: Path) -> None:
    folder(tmp_path / "data", 500, n_classes=8)
    found = measured(tmp_path)
    assert (found["candidate"], found["metric"], found["source"]) == ("mlp", "accuracy", "held-out")
    sizes = [point["n"] for point in found["points"]]
    assert sizes == sorted(sizes)
    assert [len(point["scores"]) for point in found["points"]] == [3] * len(sizes)
    first, last = found["points"][0]["score"], found["points"][-1]["score"]
    assert last["score"] > first["score"] + 0.2
    doubled, gain = found["doubled"], found["gain"]
    assert doubled["n"] == 2 * sizes[-1]
    assert doubled["low"] <= doubled["score"] <= doubled["high"] <= 1
    assert gain["low"] <= gain["score"] <= gain["high"]
    assert doubled["score"] == pytest.approx(min(1, last["score"] + gain["score"]))

    lines = run_bottega("curve", "data", *CHOICES, cwd=tmp_path).out.splitlines()
    assert lines[0] == found["sentence"]  # the same again
    assert lines[3].split()[0] == f"{2 * sizes[-1]:,}"
    assert lines[3].endswith("expected")
    assert f"Scored on    {found['n_test']} test pictures, the same at every size: accuracy in %" in lines
    assert max(map(len, lines)) <= 80
    assert not list(tmp_path.glob("runs"))  # nothing is left behind


def test_small_data_are_scored_by_folds(tmp_path: Path) -> None:
    folder(tmp_path / "data", 120)
    found = measured(tmp_path)
    assert (found["source"], found["n_test"]) == ("cv", 120)  # each answered once
    assert all(len(point["scores"]) == 1 for point in found["points"])


def test_a_given_test_part_is_used(tmp_path: Path) -> None:
    folder(tmp_path / "data", 160, parts=True)
    found = measured(tmp_path, "--metric", "log_loss")
    assert (found["source"], found["n_test"]) == ("given", 40)
    assert found["doubled"]["score"] <= found["points"][-1]["score"]["score"]  # lower is better


def test_too_little_time(tmp_path: Path) -> None:
    folder(tmp_path / "data", 120)
    outcome = run_bottega("curve", "data", *CHOICES, "--time", "0.1s", cwd=tmp_path)
    assert outcome.status == 2
    found, expected, fix = outcome.error_lines
    assert found == "found:    --time 0.1s, which was over after 1 of 4 sizes"
    assert expected == "expected: time for all sizes, or nearly all"
    assert fix.startswith("fix:      --time ")
