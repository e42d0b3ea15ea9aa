"""`explain` and the drift of `evaluate`, on a model of diabetes and one of wines that are fitted here."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sklearn.datasets import load_diabetes, load_wine

import bottega
from bottega.cli.drift_lines import drift_lines
from bottega.cli.explain_lines import explain_lines
from bottega.data.table_content import table_digests
from bottega.errors import BottegaError
from bottega.problem.records import to_json
from bottega.shipping.bloom import build
from bottega.shipping.model_file import read, seal

ARTEFACTS = Path(__file__).parent.parent.parent / "artefacts"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of values and one of classes, fitted on the first rows, and all rows as tables."""
    home = tmp_path_factory.mktemp("explain")
    for name, data, estimator, first in (
        ("diabetes", load_diabetes(), bottega.Regressor(candidates=["ridge regression"]), 300),
        ("wine", load_wine(), bottega.Classifier(candidates=["logistic regression"]), 120),
    ):
        frame = pl.DataFrame(data.data, schema=[str(column) for column in data.feature_names])
        order = pl.Series(range(len(frame))).shuffle(seed=0)
        frame, y = frame[order], pl.Series("target", data.target)[order]
        if name == "wine":
            y = pl.Series("target", [str(label) for label in data.target_names])[data.target[order.to_numpy()]]
        estimator.fit(frame.head(first), y.head(first).to_numpy())
        estimator.save(home / f"{name}.onnx")
        card, file = read(home / f"{name}.onnx")
        digests = b"".join(table_digests(frame.head(first), frame.columns))
        seen = build(np.frombuffer(digests, np.uint8).reshape(-1, 32))
        (home / f"{name}.onnx").write_bytes(seal(file, replace(card, filter=seen)))  # as a run's file has it
        frame.with_columns(y.alias("target")).write_csv(home / f"{name}.csv")
    return home


@pytest.fixture
def home(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(folder)
    return folder


def test_what_drives_diabetes_is_known_to_medicine(home: Path) -> None:
    found = bottega.explain("diabetes.onnx", "diabetes.csv")
    assert found.drivers is not None
    assert (found.target, found.drivers.metric, found.drivers.n_used) == ("target", "rmse", 142)
    assert found.notes == ("the model was trained on 300 of these rows: only the 142 others were used",)
    first = {column for one in found.drivers.columns[:3] for column in one.columns}
    assert {"bmi", "s5"} <= first
    assert ("s1", "s2") in [one.columns for one in found.drivers.columns]
    effect = next(one for one in found.drivers.effects if one.column == "bmi")
    means = [point.mean for point in effect.points]
    assert means == sorted(means)  # a ridge regression goes up in a straight line
    json.dumps(to_json(found), allow_nan=False)


def test_the_page_has_80_columns_and_names_what_is_no_news(home: Path) -> None:
    lines = explain_lines(bottega.explain("diabetes.onnx", "diabetes.csv"))
    assert lines[0].startswith("By how much rmse grows when a column's cells are shuffled among 142 rows:")
    assert any(line.startswith("No effect    none that can be measured: ") for line in lines)
    assert any("'s1' and 's2' tell each other" in line for line in lines) or "s1 + s2" in "".join(lines)
    assert max(map(len, lines)) <= 80
    assert len(lines) <= 30


def test_rows_that_are_all_known_are_used_and_it_is_said(home: Path) -> None:
    pl.read_csv("diabetes.csv").head(310).write_csv("known.csv")
    found = bottega.explain("diabetes.onnx", "known.csv")
    assert found.drivers is not None
    assert found.drivers.n == 310
    assert found.notes == ("the model was trained on 96.8 % of these rows: what it knows by heart looks important too",)


def test_one_row_against_the_others(home: Path) -> None:
    found = bottega.explain("diabetes.onnx", "diabetes.csv", row=17)
    assert found.row is not None
    assert (found.row.name, found.drivers) == ("row 17", None)
    cells = pl.read_csv("diabetes.csv").row(15, named=True)
    told = {one.columns: one.cells for one in found.row.columns}
    assert told["bmi",] == (cells["bmi"],)
    value = bottega.load("diabetes.onnx")({name: cells[name] for name in cells if name != "target"}).value
    assert found.row.answer == pytest.approx(value)
    lines = explain_lines(found)
    assert lines[0].endswith("row 17")
    assert any(line.startswith("Instead      with ") for line in lines)


def test_classes_and_their_probabilities(home: Path) -> None:
    found = bottega.explain("wine.onnx", "wine.csv", metric="log_loss", rows=50)
    assert found.drivers is not None
    assert (found.drivers.metric, found.drivers.n_used) == ("log_loss", 50)
    assert any("log_loss grows" in line for line in explain_lines(found))
    one = bottega.explain("wine.onnx", "wine.csv", row=2)
    assert one.row is not None
    assert one.row.label in ("class_0", "class_1", "class_2")
    assert all(change.switched is not None for change in one.row.columns)


def test_without_a_target_answers_are_followed(home: Path) -> None:
    pl.read_csv("wine.csv").drop("target").write_csv("bare.csv")
    rows = pl.read_csv("wine.csv").drop("target").to_dicts()
    Path("bare.json").write_text(json.dumps(rows))
    tables = [bottega.explain("wine.onnx", name).drivers for name in ("bare.csv", "bare.json")]
    assert [found.metric for found in tables if found is not None] == [None, None]
    assert tables[0] is not None
    assert tables[0].columns[0].importance.score > 0.05
    (line, *_) = explain_lines(bottega.explain("wine.onnx", "bare.csv"))
    assert line.startswith("How far answers move")


def test_rows_with_a_target_must_be_some(home: Path) -> None:
    frame = pl.read_csv("wine.csv").head(40)
    few = pl.when(pl.int_range(pl.len()) < 5).then(pl.col("target"))
    frame.with_columns(few.alias("target")).write_csv("few.csv")
    with pytest.raises(BottegaError, match=r"5 rows with a value of 'target' \(few\.csv\)\nexpected: 20 rows at least"):
        bottega.explain("wine.onnx", "few.csv")
    assert bottega.explain("wine.onnx", "few.csv", row=2).row is not None


def test_where_nothing_moves_the_page_claims_no_unit_and_proposes_no_metric(home: Path) -> None:
    frame = pl.read_csv("wine.csv").drop("target").head(1)
    pl.concat([frame] * 30).write_csv("same.csv")
    lines = explain_lines(bottega.explain("wine.onnx", "same.csv"))
    assert "(no target given)" in " ".join(lines[:2])
    assert any(line.startswith("No effect    hardly any: ") for line in lines)
    assert not any("--metric" in line for line in lines)


def test_what_cannot_be_explained_is_refused(home: Path) -> None:
    with pytest.raises(BottegaError, match="no row 5000.*\nexpected: one of row 2 to row 443"):
        bottega.explain("diabetes.onnx", "diabetes.csv", row=5000)
    with pytest.raises(BottegaError, match="'accuracy' for a model of values\nexpected: one of rmse"):
        bottega.explain("diabetes.onnx", "diabetes.csv", metric="accuracy")
    with pytest.raises(BottegaError, match="--rows 3\nexpected: 20 rows at least"):
        bottega.explain("diabetes.onnx", "diabetes.csv", rows=3)
    with pytest.raises(BottegaError, match="a model of pictures\nexpected: a model of a table or of texts"):
        bottega.explain(ARTEFACTS / "v1.onnx", "diabetes.csv")
    pl.read_csv("diabetes.csv").head(4).write_csv("four.csv")
    with pytest.raises(BottegaError, match=r"4 rows \(four.csv\)\nexpected: 20 rows at least"):
        bottega.explain("diabetes.onnx", "four.csv")


def test_evaluate_says_which_column_has_moved(home: Path) -> None:
    later = pl.read_csv("diabetes.csv").tail(142)
    later.write_csv("later.csv")
    same = bottega.evaluate("diabetes.onnx", "later.csv").drift
    assert same is not None
    assert same.moved == ()
    assert drift_lines(same)[0].startswith("Columns      none of 10 has moved since training; in 142 rows a move of")
    later.with_columns(pl.col("bp") + 0.05, pl.lit(None).alias("age")).write_csv("moved.csv")
    moved = bottega.evaluate("diabetes.onnx", "moved.csv").drift
    assert moved is not None
    assert [one.column for one in moved.moved] == ["age", "bp"]
    lines = drift_lines(moved)
    assert lines[0].startswith("Moved        age, by 100")
    assert "missing: 100 % of the rows, in training 0 %" in " ".join(line.strip() for line in lines)
    json.dumps(to_json(moved), allow_nan=False)
    assert drift_lines(None)[0].startswith("Columns      the file does not say")


def test_a_file_without_summaries_loads_and_a_damaged_one_does_not(home: Path) -> None:
    card, file = read("diabetes.onnx")
    bare = tuple(replace(one, summary=None) for one in card.inputs)
    Path("bare.onnx").write_bytes(seal(file, replace(card, inputs=bare)))
    assert '"summary"' not in read("bare.onnx")[0].to_json()
    assert bottega.evaluate("bare.onnx", "diabetes.csv").drift is None
    first = card.inputs[0]
    torn = replace(first, summary=replace(first.summary, shares=(0.5,)))
    with pytest.raises(BottegaError, match=r"'inputs\.age\.summary' is .*\nexpected: 10 shares"):
        seal(file, replace(card, inputs=(torn, *card.inputs[1:])))
