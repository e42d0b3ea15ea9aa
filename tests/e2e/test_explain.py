"""From a table to what drives its answers: in the run's record and report, and asked of the file by itself."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.datasets import load_breast_cancer

from bottega.cli.main import HELP
from command import run_bottega


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Breast cancer with a column of noise, and a run on it."""
    home = tmp_path_factory.mktemp("explain")
    data = load_breast_cancer()
    frame = pl.DataFrame({str(name): data.data[:, i] for i, name in enumerate(data.feature_names[:6])})
    noise = np.random.default_rng(0).normal(size=len(frame))
    frame = frame.with_columns(
        pl.Series("noise", noise), pl.Series("malignant", np.where(data.target == 0, "yes", "no"))
    )
    frame.write_csv(home / "cells.csv")
    words = ("train", "cells.csv", "--target", "malignant", "--time", "4s", "--name", "run", "--json")
    outcome = run_bottega(*words, cwd=home)
    assert outcome.status == 0, outcome.err
    (home / "record.json").write_text(outcome.out)
    return home


@pytest.fixture
def record(home: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((home / "record.json").read_text())
    return found


def of(drivers: dict[str, Any], column: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in drivers["columns"] if column in one["columns"])
    return found


def test_the_run_tells_what_drives_it(home: Path, record: dict[str, Any]) -> None:
    drivers = record["drivers"]
    assert (drivers["metric"], drivers["n"]) == ("accuracy", record["test"]["n"])
    together = of(drivers, "mean radius")
    assert {"mean perimeter", "mean area"} <= set(together["columns"])  # one size, told three times
    assert drivers["columns"][0] == together
    assert together["measurable"]
    assert not of(drivers, "noise")["measurable"]
    page = (home / record["report_path"]).read_text("utf-8")
    assert "drive its answers most" in page
    assert 'id="drivers"' in page
    assert record["seconds"]["report"] < 2


def test_the_file_alone_tells_the_same(home: Path, record: dict[str, Any]) -> None:
    outcome = run_bottega("explain", record["model_path"], "cells.csv", "--json", cwd=home)
    assert outcome.status == 0, outcome.err
    drivers = outcome.document["drivers"]
    assert drivers["columns"][0]["columns"] == record["drivers"]["columns"][0]["columns"]
    again = run_bottega("explain", record["model_path"], "cells.csv", "--json", cwd=home).document
    assert {**again, "seconds": 0} == {**outcome.document, "seconds": 0}


def test_a_row_is_explained_in_plain_words(home: Path, record: dict[str, Any]) -> None:
    outcome = run_bottega("explain", record["model_path"], "cells.csv", "--row", "17", cwd=home)
    assert outcome.status == 0, outcome.err
    assert "row 17" in outcome.out.splitlines()[0]
    assert "in place of" in outcome.out
    assert max(map(len, outcome.out.splitlines())) <= 80
    missing = run_bottega("explain", record["model_path"], "cells.csv", "--row", "1000", cwd=home)
    assert missing.status == 2
    assert missing.error_lines[0] == "found:    no row 1000 (cells.csv)"


def test_evaluate_tells_the_column_that_moved(home: Path, record: dict[str, Any]) -> None:
    frame = pl.read_csv(home / "cells.csv").sample(200, seed=1)
    frame.write_csv(home / "same.csv")
    frame.with_columns(pl.col("mean texture") * 1.3).write_csv(home / "moved.csv")
    same = run_bottega("evaluate", record["model_path"], "same.csv", cwd=home)
    assert "none of 7 has moved since training" in same.out
    moved = run_bottega("evaluate", record["model_path"], "moved.csv", "--json", cwd=home).document["drift"]
    assert [one["column"] for one in moved["columns"] if one["moved"]] == ["mean texture"]


def test_the_verb_is_on_the_first_page() -> None:
    assert "explain" in HELP
