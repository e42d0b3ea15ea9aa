"""`bottega train --features`: what the target is made of is found, named everywhere, and made inside the file."""

import json
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import bottega
from bottega.shipping.model_file import read
from command import Trained, run_bottega

SHORT = ("--time", "4s")  # enough for the first candidate, and for no search


def trained(home: Path, *words: str) -> Trained:
    frame_of_trips().write_csv(home / "trips.csv")
    outcome = run_bottega("train", "trips.csv", "--target", "speed", "--features", *words, "--json", cwd=home)
    assert outcome.status == 0, outcome.err
    return Trained(home, outcome.document)


def frame_of_trips(n: int = 320) -> pl.DataFrame:
    rng = np.random.default_rng(0)
    distance, hours = rng.uniform(20, 400, n).round(1), rng.uniform(0.5, 6, n).round(2)
    road = np.array(["hills", "plain", "coast"])[rng.integers(0, 3, n)]
    speed = distance / hours + 3 * rng.normal(size=n) + 10 * (road == "plain")
    blank = np.where(rng.random(n) < 0.03, np.nan, rng.normal(size=n).round(3))
    frame = pl.DataFrame({"distance": distance, "hours": hours, "road": road, "wind": blank, "speed": speed.round(3)})
    return frame.with_columns(pl.col("wind").fill_nan(None))


@pytest.fixture(scope="module")
def trips(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return trained(tmp_path_factory.mktemp("trips"))


def test_a_ratio_is_found_and_told_everywhere(trips: Trained) -> None:
    found = trips.record["features"]
    assert found["kept"][0]["words"] == "distance ÷ hours"
    assert 0 < found["kept"][0]["gain"]["low"] < found["kept"][0]["gain"]["score"]
    assert found["said"].startswith(f"Of {found['n_tried']} made features that were thought of, ")
    assert '"distance ÷ hours"' in (trips.run_dir / "recipe.toml").read_text("utf-8")
    page = (trips.run_dir / "report.html").read_text("utf-8")
    assert page.count("distance ÷ hours") >= 2  # with its gain, and among what the file does inside
    outcome = run_bottega("train", "--resume", trips.record["run_dir"], cwd=trips.home)
    assert "distance ÷ hours (errors" in " ".join(outcome.out.split())
    card, _ = read(trips.model)
    assert card.recipe["preparation"]["features"]["kept"][0] == "distance ÷ hours"


def test_the_file_takes_the_columns_as_before_and_awkward_rows_too(trips: Trained) -> None:
    model = bottega.load(trips.model)
    row = {"distance": 100.0, "hours": 2.0, "road": "hills", "wind": 0.1}
    answer = model(row)
    assert abs(answer.value - 50) < 10
    changes = [{"hours": 0}, {"hours": None}, {"distance": 3e38}, {"road": "moon"}, {"wind": None}]
    awkward = [row | change for change in changes]
    together = model(awkward)
    assert all(np.isfinite([one.value, one.lower, one.upper]).all() for one in together)
    for one, alone in zip(together, map(model, awkward), strict=True):
        assert one.value == pytest.approx(alone.value, rel=1e-5)
    assert run_bottega("check", str(trips.model), "--json", cwd=trips.home).document["passed"] is True


def test_evaluate_gets_the_score_of_training(trips: Trained) -> None:
    outcome = run_bottega("evaluate", str(trips.model), "trips.csv", "--json", cwd=trips.home)
    assert outcome.document["unseen"]["score"] == pytest.approx(trips.record["test"]["score"])
    assert trips.record["test"]["score"] < 0.5 * next(
        one["test"]["score"] for one in trips.record["candidates"] if one["name"] == "mean"
    )


def test_without_time_nothing_is_searched_and_that_is_said_and_kept(tmp_path: Path) -> None:
    run = trained(tmp_path, *SHORT)
    assert run.record["features"]["said"] == "No features were made: no time was left for it."
    again = tmp_path / "runs" / "again"
    shutil.copytree(run.run_dir, again)
    for name in ("record.json", "model.onnx"):
        (again / name).unlink()
    outcome = run_bottega("train", "--resume", "runs/again", "--json", cwd=tmp_path)
    assert outcome.status == 0, outcome.err
    assert (again / "model.onnx").read_bytes() == run.model.read_bytes()


def test_what_is_no_table_has_no_features(tmp_path: Path) -> None:
    outcome = run_bottega("train", "digits", "--features", cwd=tmp_path)
    assert outcome.status == 2
    assert outcome.error_lines[0] == "found:    --features for 'digits', which is no table"
    notes = [{"text": f"a note about thing {i}", "label": "ab"[i % 2]} for i in range(40)]
    (tmp_path / "notes.jsonl").write_text("\n".join(map(json.dumps, notes)), "utf-8")
    outcome = run_bottega("train", "notes.jsonl", "--text", "text", "--target", "label", "--features", cwd=tmp_path)
    assert (outcome.status, outcome.error_lines[0]) == (2, "found:    --features for texts")
