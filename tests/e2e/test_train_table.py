"""`bottega train` from a table to the file, and every way to ask that file."""

import csv
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes

import bottega
from bottega.errors import BottegaError
from bottega.shipping.model_file import read
from command import Trained, run_bottega

SHORT = ("--time", "1s")  # the time is up before the first candidate: nothing depends on how fast the machine is


@dataclass(frozen=True)
class FromFile(Trained):
    """A run on one file."""

    data: Path


def frame_of_cells() -> pl.DataFrame:
    """Breast cancer: some numbers missing, one told in words, a column that names the rows."""
    x, y = load_breast_cancer(return_X_y=True)
    x = x[:, :6].astype(np.float32).astype(np.float64)
    rng = np.random.default_rng(0)
    texture = x[:, 1].copy()
    texture[rng.random(len(y)) < 0.1] = np.nan
    words = np.array(["smooth", "rough", "=harsh"])[np.digitize(x[:, 4], [0.09, 0.1])]
    return pl.DataFrame(
        {
            "radius": x[:, 0],
            "texture": texture,
            "surface": words,
            "area": x[:, 3],
            "patient": [f"P{i:04d}" for i in range(len(y))],
            "diagnosis": ["benign" if one else "malignant" for one in y],
        }
    ).with_columns(pl.col("texture").fill_nan(None))


def frame_of_values() -> pl.DataFrame:
    x, y = load_diabetes(return_X_y=True, scaled=False)
    frame = pl.DataFrame({name: x[:, i] for i, name in enumerate(("age", "sex", "bmi", "bp", "s1", "s2"))})
    return frame.with_columns(pl.Series("progress", y), pl.col("sex").cast(pl.Int64).replace_strict({1: "f", 2: "m"}))


def trained(home: Path, frame: pl.DataFrame, *words: str) -> FromFile:
    data = home / "cells.csv"
    frame.write_csv(data)
    outcome = run_bottega("train", "cells.csv", *words, "--json", cwd=home)
    assert outcome.status == 0, outcome.err
    return FromFile(home, outcome.document, data)


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> FromFile:
    return trained(tmp_path_factory.mktemp("cells"), frame_of_cells(), "--target", "diagnosis")


@pytest.fixture(scope="module")
def values(tmp_path_factory: pytest.TempPathFactory) -> FromFile:
    return trained(tmp_path_factory.mktemp("values"), frame_of_values(), "--target", "progress", *SHORT)


def test_the_record_and_the_folder(cells: FromFile) -> None:
    record = cells.record
    assert record["task"]["modality"] == "tables"
    assert record["task"]["classes"] == ["benign", "malignant"]
    assert record["test"]["source"] == "held-out"
    assert record["test"]["score"] > 0.85
    assert record["test"]["low"] <= record["metrics"]["accuracy"]["score"] <= record["test"]["high"]
    names = [candidate["name"] for candidate in record["candidates"]]
    assert names[:3] == ["most frequent class", "logistic regression", "nearest neighbours"]
    assert {"random forest", "support vector machine", "gradient boosting", "MLP", "TabM"} < set(names)
    assert sum(candidate["relation"] == "ships" for candidate in record["candidates"]) == 1
    assert {path.name for path in cells.run_dir.iterdir()} == {
        "recipe.toml", "history.jsonl", "record.json", "report.html", "predictions.csv", "model.onnx",
    }  # fmt: skip
    assert json.loads((cells.run_dir / "record.json").read_text()) == record


def test_the_report_speaks_of_rows(cells: FromFile, values: FromFile) -> None:
    for run in (cells, values):
        page = (run.run_dir / "report.html").read_text("utf-8")
        assert "picture" not in page.partition("</style>")[2].partition("affairs")[0]
        assert run.record["verdict"].partition(",")[0] in page
        assert "<section" in page
    assert "=harsh" not in page


def test_the_report_counts_the_wrong_rows(cells: FromFile) -> None:
    with (cells.run_dir / "predictions.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    wrong = [row["input"] for row in rows if row["label"] != row["answer"]]
    page = (cells.run_dir / "report.html").read_text("utf-8")
    assert 0 < len(wrong) <= 12
    assert "Rows are the truth, columns the answer" in page
    assert all(name in page for name in wrong)


def test_the_card_says_what_the_record_says(cells: FromFile) -> None:
    card, data = read(cells.model)
    assert (card.task, card.modality) == ("classification", "tables")
    assert [(one.column, one.kind) for one in card.inputs] == [
        ("radius", "number"), ("texture", "number"), ("surface", "category"), ("area", "number"),
    ]  # fmt: skip
    assert card.table.target == "diagnosis"
    assert card.table.unused == ("patient",)
    assert card.verdict == cells.record["verdict"]
    assert card.test_source == cells.record["test"]["source"]
    assert card.metrics["accuracy"].score == cells.record["test"]["score"]
    assert [one.name for one in card.baselines] == [one["name"] for one in cells.record["candidates"]]
    assert card.data.n_per_part["test"] == cells.record["test"]["n"]
    assert sum(card.data.n_per_class.values()) == sum(card.data.n_per_part.values())
    assert b"cells.csv" not in data
    assert str(cells.home).encode() not in data


def test_predictions_are_those_of_the_file(cells: FromFile) -> None:
    with (cells.run_dir / "predictions.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == cells.record["test"]["n"]
    outcome = run_bottega("predict", str(cells.model), "cells.csv", "--json", cwd=cells.home)
    answers = {answer["input"]: answer for answer in outcome.document["answers"]}
    for row in rows:
        assert answers[row["input"]]["label"] == row["answer"]
        assert abs(answers[row["input"]]["probabilities"]["benign"] - float(row["benign"])) < 2e-5


def test_every_form_of_rows_gets_the_same_answers(cells: FromFile, tmp_path: Path) -> None:
    model = bottega.load(cells.model)
    rows = frame_of_cells().head(20).drop("diagnosis", "patient")
    records = rows.to_dicts()
    expected = [answer.probability for answer in model(records)]
    rows.reverse().write_csv(tmp_path / "turned.csv")
    rows.select(reversed(rows.columns)).write_csv(tmp_path / "rows.csv")
    rows.write_parquet(tmp_path / "rows.parquet")
    rows.write_ndjson(tmp_path / "rows.jsonl")
    (tmp_path / "rows.json").write_text(json.dumps(records), encoding="utf-8")
    for name in ("rows.csv", "rows.parquet", "rows.jsonl", "rows.json"):
        assert [answer.probability for answer in model(str(tmp_path / name))] == pytest.approx(expected, abs=1e-6), name
    assert [answer.probability for answer in model(rows)] == pytest.approx(expected, abs=1e-6)
    assert model(records[0]).probability == pytest.approx(expected[0], abs=1e-6)
    turned = [answer.probability for answer in model(tmp_path / "turned.csv")]
    assert turned == pytest.approx(expected[::-1], abs=1e-6)
    texts = [{name: "" if cell is None else str(cell) for name, cell in record.items()} for record in records]
    assert [answer.probability for answer in bottega.predict(model, texts)[0]] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda row: row.pop("area"), r"no column 'area'.*\nexpected: the columns that the model was trained on"),
        (lambda row: row.update(aera=row.pop("area")), r"no column 'area'.*\n.*\nfix: rename 'aera' to 'area'"),
        (
            lambda row: row.update(radiuss=1),
            r"the column 'radiuss', which training did not have.*\n.*\nfix: is it 'rad",
        ),
        (lambda row: row.update(radius="wide"), r"'wide' in the column 'radius' \(row 1, column 'radius'\)"),
        (lambda row: row.update(radius=float("inf")), r"inf in the column 'radius'.*\nexpected: a finite number"),
        (lambda row: row.update(surface=["rough"]), r"\['rough'\] in the column 'surface'.*\nexpected: a text"),
    ],
)
def test_a_row_that_does_not_fit_is_refused_with_its_place(cells: FromFile, change: Any, said: str) -> None:
    row = {"radius": 14.0, "texture": 19.0, "surface": "rough", "area": 600.0}
    model = bottega.load(cells.model)
    assert model({**row, "patient": "P1", "diagnosis": None}).label in ("benign", "malignant")
    change(row)
    with pytest.raises(BottegaError, match=said):
        model(row)


def test_a_file_that_does_not_fit_ends_with_2(cells: FromFile, tmp_path: Path) -> None:
    rows = frame_of_cells().head(5)
    for name, frame, said in (
        ("lacks.csv", rows.drop("area"), "no column 'area'"),
        ("more.csv", rows.with_columns(pl.lit(1).alias("height")), "the column 'height', which training did not have"),
        ("wrong.csv", rows.with_columns(pl.lit("wide").alias("radius")), "cells of 'radius' that are no number: row 2"),
    ):
        frame.write_csv(tmp_path / name)
        outcome = run_bottega("predict", str(cells.model), name, cwd=tmp_path)
        assert outcome.status == 2
        assert said in outcome.err
        assert "--type" not in outcome.err


def test_one_row_is_answered_without_any_heavy_package(cells: FromFile) -> None:
    code = (
        "import sys, bottega\n"
        f"model = bottega.load({str(cells.model)!r})\n"
        "model({'radius': 14.0, 'texture': None, 'surface': 'rough', 'area': 600})\n"
        "print(sorted({'torch', 'onnx', 'sklearn', 'polars', 'PIL'} & sys.modules.keys()))\n"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_evaluate_knows_what_was_trained_on(cells: FromFile, tmp_path: Path) -> None:
    outcome = run_bottega("evaluate", str(cells.model), "cells.csv", "--json", cwd=cells.home)
    record, test = outcome.document, cells.record["test"]
    assert record["n"] == 569
    assert record["unseen"]["n"] == test["n"]
    assert record["unseen"]["score"] == pytest.approx(test["score"])
    strange = frame_of_cells().head(60).with_columns(pl.lit("velvet").alias("surface"))
    strange.write_csv(tmp_path / "strange.csv")
    outcome = run_bottega("evaluate", str(cells.model), "strange.csv", "--at-least", "0.99", cwd=tmp_path)
    assert outcome.status == 3
    assert "of 60 rows" in outcome.out
    assert "60 of 60 cells of 'surface' (100 %) hold a category" in " ".join(outcome.out.split())
    frame_of_cells().drop("diagnosis").write_csv(tmp_path / "bare.csv")
    outcome = run_bottega("evaluate", str(cells.model), "bare.csv", cwd=tmp_path)
    assert (outcome.status, "no column 'diagnosis'" in outcome.err) == (2, True)


def test_check_replays_rows_and_finds_a_changed_graph(cells: FromFile, values: FromFile) -> None:
    for run in (cells, values):
        outcome = run_bottega("check", str(run.model), "--json", cwd=run.home)
        assert outcome.document["passed"] is True
        assert outcome.document["n"] == 8


def test_values_have_intervals(values: FromFile) -> None:
    record = values.record
    assert record["task"]["kind"] == "regression"
    assert record["metric"] == "rmse"
    assert set(record["metrics"]) >= {"rmse", "mae", "r2", "pinball", "coverage", "width"}
    assert record["verdict"].startswith("It is off by ")
    assert record["interval"]["coverage"] == 0.9
    assert 0.75 < record["interval"]["held"]["score"] <= 1
    outcome = run_bottega("predict", str(values.model), "cells.csv", "--json", cwd=values.home)
    answers = outcome.document["answers"]
    assert all(answer["lower"] < answer["value"] < answer["upper"] for answer in answers)
    outcome = run_bottega("predict", str(values.model), "cells.csv", "--csv", cwd=values.home)
    assert outcome.out.splitlines()[0] == "input,value,lower,upper"
    outcome = run_bottega("evaluate", str(values.model), "cells.csv", "--at-most", "200", cwd=values.home)
    assert outcome.status == 0
    assert outcome.out.startswith("rmse ")


def test_a_run_is_reproduced_and_resumed(values: FromFile) -> None:
    outcome = run_bottega("reproduce", values.record["run_dir"], "--json", cwd=values.home)
    assert outcome.document["verdict"] == "identical", outcome.document
    outcome = run_bottega("train", "--resume", values.record["run_dir"], "--json", cwd=values.home)
    assert outcome.document == values.record
    copy = values.home / "runs" / "begun"
    shutil.copytree(values.run_dir, copy)
    for name in ("record.json", "model.onnx"):
        (copy / name).unlink()
    outcome = run_bottega("train", "--resume", "runs/begun", "--json", cwd=values.home)
    assert outcome.status == 0, outcome.err
    assert (copy / "model.onnx").read_bytes() == values.model.read_bytes()


def test_rows_in_another_order_give_the_same_file(values: FromFile, tmp_path: Path) -> None:
    again = trained(
        tmp_path, frame_of_values().sample(fraction=1, shuffle=True, seed=1), "--target", "progress", *SHORT
    )
    assert again.model.read_bytes() == values.model.read_bytes()


def test_the_question_is_read_from_its_file(tmp_path: Path) -> None:
    frame_of_values().write_csv(tmp_path / "cells.csv")
    (tmp_path / "bottega.toml").write_text(
        'data = "cells.csv"\ntarget = "progress"\nmetric = "mae"\nat_most = 1\nignore = ["s1", "s2"]\n', "utf-8"
    )
    outcome = run_bottega("train", "cells.csv", *SHORT, "--json", cwd=tmp_path)
    assert outcome.status == 3, outcome.err  # no model is that good
    record = outcome.document
    assert (record["metric"], record["model_path"]) == ("mae", None)
    assert "s1" not in (tmp_path / record["run_dir"] / "recipe.toml").read_text().partition("[preparation]")[2]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--target", "progres"], "did you mean 'progress'?"),
        (["--target", "progress", "--metric", "accuracy"], "metric 'accuracy' for a target of numbers"),
        (["--target", "progress", "--network", "cnn"], "--network with a table"),
        (["--target", "progress", "--ship", "gradient bosting"], "--ship 'gradient boosting'"),
        (["--target", "progress", "--test", "nowhere.csv"], "nothing at 'nowhere.csv'"),
        ([], "no target"),
    ],
)
def test_a_choice_that_cannot_be_followed_ends_with_2(words: list[str], said: str, tmp_path: Path) -> None:
    frame_of_values().write_csv(tmp_path / "cells.csv")
    outcome = run_bottega("train", "cells.csv", *words, cwd=tmp_path)
    assert outcome.status == 2
    assert said in outcome.err
    assert not (tmp_path / "runs").exists()  # nothing was begun
