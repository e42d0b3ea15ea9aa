"""`predict` and `evaluate` on rows, with a model that is made here: what is read, and what is said of it."""

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from bottega.data.table_content import table_digests
from bottega.data.table_preparation import fit_preparation
from bottega.errors import BottegaError
from bottega.evaluation.conformal import Interval
from bottega.evaluation.table_forms import Dense, Linear, Staged
from bottega.problem.records import Score
from bottega.problem.table import ColumnSpec
from bottega.shipping.bloom import build
from bottega.shipping.model_file import (
    Card,
    DataCard,
    TableCard,
    Thresholds,
    class_outputs,
    seal,
    value_outputs,
)
from bottega.shipping.predictor import Model, load, open_session
from bottega.shipping.table_check import golden_rows, made_up_rows
from bottega.shipping.table_graph import table_classifier, table_regressor
from bottega.workflow.evaluate import evaluate
from bottega.workflow.predict import predict

FRAME = pl.DataFrame(
    {
        "size": [0.1 * i for i in range(60)],
        "colour": ["red", "blue", None] * 20,
        "answer": ["large" if i > 30 else "small" for i in range(60)],
        "weight": [2.0 * 0.1 * i for i in range(60)],
    }
)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    FRAME.write_csv("all.csv")
    return tmp_path


def model(*, values: bool) -> Model:
    """`size` above 3 is large; or twice the size is the weight, off by 0.5 at most."""
    cells = {"size": FRAME["size"].to_numpy(), "colour": np.array(FRAME["colour"].fill_null("").to_list(), object)}
    prepared = fit_preparation(cells, {"size": "number", "colour": "category"}, np.arange(60))
    specs = (
        ColumnSpec("size", "number", "float32", "size"),
        ColumnSpec("colour", "category", "string", "colour", levels=prepared.columns[1].levels),
    )
    none = np.zeros(0, np.int64)
    stage = Dense(np.array([0]), np.float32([0]), np.float32([0]), np.float32([1]), none, none, np.zeros(0, np.float32))
    weight = np.float32([[2.0]]) if values else np.float32([[9.0, -9.0]])
    bias = np.float32([0.0]) if values else np.float32([-27.5, 27.5])
    form = Staged(stage, Linear(weight, bias))
    if values:
        graph = table_regressor(prepared, form, Interval(0.5, "plain", 0.0, 0.9, 30, "split"))
        outputs, labels, table = (
            value_outputs(),
            (),
            TableCard("weight", ("answer",), 0.9, "split", Score(9, 1, 0.7, 1)),
        )
    else:
        graph = table_classifier(prepared, form, ("large", "small"), temperature=1.0, threshold=0.9)
        outputs, labels, table = class_outputs(2), ("large", "small"), TableCard("answer", ("weight",))
    names = [one.name for one in outputs]
    golden = golden_rows(open_session(graph, threads=1), made_up_rows(cells, np.arange(60), specs), specs, names)
    digests = b"".join(table_digests(FRAME.head(40), ["size", "colour"]))
    metric = "rmse" if values else "accuracy"
    card = Card(
        task="regression" if values else "classification", modality="tables", labels=labels, outputs=outputs,
        thresholds=None if values else Thresholds(0.9, "", 0.95), temperature=1.0, metric=metric,
        metrics={metric: Score(9, 0.9, 0.7, 1.0, not values)}, test_source="held-out", baselines=(), chosen="linear",
        verdict="", data=DataCard("0" * 64, {}, {}), recipe={}, versions={}, weights=(), golden=golden, tolerance=1e-5,
        filter=build(np.frombuffer(digests, np.uint8).reshape(-1, 32)), inputs=specs, table=table,
    )  # fmt: skip
    return load(seal(graph, card))


def test_files_are_answered_one_after_the_other(here: Path) -> None:
    FRAME.head(2).write_csv("few.csv")
    answers, rejected = predict(model(values=False), ["all.csv", "few.csv"])
    assert (len(answers), rejected) == (62, [])
    assert [answers[i].input for i in (0, 60)] == ["all.csv: row 2", "few.csv: row 2"]
    assert [answer.label for answer in answers[:60]] == FRAME["answer"].to_list()


@pytest.mark.parametrize("rows", ["all.csv", FRAME, FRAME.to_dicts(), FRAME.to_dicts()[0]])
def test_rows_come_in_many_forms(here: Path, rows: Any) -> None:
    answers, _ = predict(model(values=True), rows)
    assert answers[0].value == pytest.approx(0.0, abs=1e-6)
    assert answers[0].input.startswith("row ")


def test_no_rows_at_all_are_refused(here: Path) -> None:
    Path("none.json").write_text("[]")
    for rows in ("none.json", ["none.json"], []):
        with pytest.raises(BottegaError, match="found: no row"):
            predict(model(values=False), rows)


def test_classes_are_scored_with_what_training_has_seen(here: Path) -> None:
    found = evaluate(model(values=False), "all.csv", at_least=0.8)
    assert (found.n, found.score, found.passed, found.labels) == (60, 1.0, True, ("large", "small"))
    assert found.confusion == ((29, 0), (0, 31))
    assert found.seen_in_training == pytest.approx(40 / 60)
    assert found.unseen is not None
    assert found.unseen.n == 20
    (leak,) = found.suspects
    assert leak.evidence == "the model was trained on 40 of these 60 rows (66.7 %)"


def test_values_are_scored_with_the_coverage_of_their_intervals(here: Path) -> None:
    found = evaluate(model(values=True), "all.csv")
    assert found.metric == "rmse"
    assert found.score == pytest.approx(0.0, abs=1e-5)
    assert found.metrics["coverage"].score == 1.0
    assert (found.per_class, found.confusion, found.labels) == ({}, (), ())


def test_categories_and_labels_that_training_did_not_know_are_told(here: Path) -> None:
    FRAME.with_columns(
        pl.when(pl.col("size") < 1).then(pl.lit("mauve")).otherwise(pl.col("colour")).alias("colour"),
        pl.when(pl.col("size") > 5).then(pl.lit("huge")).otherwise(pl.col("answer")).alias("answer"),
    ).write_csv("other.csv")
    kinds = {suspect.kind: suspect for suspect in evaluate(model(values=False), "other.csv").suspects}
    assert "10 of 60 cells of 'colour' (16.7 %)" in kinds["unknown category"].evidence
    assert "in training 0 %: 'mauve'" in kinds["unknown category"].evidence
    assert "9 of 60 rows have a label that the model never saw ('huge')" in kinds["unknown label"].evidence


def test_rows_without_a_target_are_left_out(here: Path) -> None:
    FRAME.with_columns(pl.when(pl.col("size") > 5).then(None).otherwise(pl.col("weight")).alias("weight")).write_csv(
        "g.csv"
    )
    found = evaluate(model(values=True), "g.csv")
    assert found.n == 51
    assert len(found.rejected) == 9
    FRAME.with_columns(pl.lit(None, pl.Float64).alias("weight")).write_csv("none.csv")
    with pytest.raises(BottegaError, match="60 rows, none of them with a value in 'weight'"):
        evaluate(model(values=True), "none.csv")


@pytest.mark.parametrize(
    ("keywords", "said"),
    [
        ({"metric": "accuracy"}, "no metric 'accuracy' for values"),
        ({"metric": "rmes"}, "no metric 'rmes'"),
        ({"at_least": 3.0}, "--at-most for rmse"),
    ],
)
def test_a_measure_that_does_not_fit_is_refused(here: Path, keywords: dict[str, Any], said: str) -> None:
    with pytest.raises(BottegaError, match=said):
        evaluate(model(values=True), "all.csv", **keywords)


def test_a_file_without_a_filter_does_not_know_what_it_has_seen(here: Path) -> None:
    one = model(values=True)
    found = evaluate(one.under(replace(one.card, filter=None)), "all.csv")
    assert math.isnan(found.seen_in_training)
    assert json.loads(json.dumps(found.suspects)) == []
