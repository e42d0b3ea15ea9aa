"""A model of a table: asked, replayed, and refused where its card contradicts it."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bottega.data.table_preparation import fit_preparation
from bottega.errors import BottegaError
from bottega.evaluation.conformal import Interval
from bottega.evaluation.costs import Costs
from bottega.evaluation.forms import Form
from bottega.evaluation.table_forms import Dense, Linear, Staged
from bottega.problem.records import Score
from bottega.problem.table import ColumnSpec
from bottega.shipping.check import replay
from bottega.shipping.model_file import (
    Card,
    DataCard,
    GoldenRow,
    TableCard,
    Thresholds,
    class_outputs,
    seal,
    value_outputs,
)
from bottega.shipping.predictor import PictureModel, load, open_session
from bottega.shipping.table_check import differences, golden_rows, made_up_rows, shortest
from bottega.shipping.table_graph import table_classifier, table_regressor
from bottega.shipping.table_predictor import TableModel, ask_rows

CELLS = {
    "size": np.array([1.0, 2.0, np.nan, 4.0]),
    "value": np.array(["low", "high", "", "low"], object),  # a name that the graph uses itself
}
PREPARED = fit_preparation(CELLS, {"size": "number", "value": "category"}, np.arange(4))
SPECS = (
    ColumnSpec("size", "number", "float32", "size"),
    ColumnSpec("value_", "category", "string", "value", levels=PREPARED.columns[1].levels),
)
SCORE = Score(4, 0.75, 0.3, 0.95)


def form(n_outputs: int) -> Form:
    stage = Dense(
        np.array([0]), np.float32([2]), np.float32([2]), np.float32([1]), np.array([0]), np.array([1]), np.float32([0])
    )
    weight = np.float32([[1.0, -1.0], [0.5, 0.2], [2.0, 0.0]])[:, :n_outputs]
    return Staged(stage, Linear(weight, np.zeros(n_outputs, np.float32)))


def card(columns: tuple[Any, ...] = SPECS, **changes: Any) -> Card:
    whole = Card(
        task="classification",
        modality="tables",
        labels=("no", "yes"),
        outputs=class_outputs(2),
        thresholds=Thresholds(0.9, "", 0.95),
        temperature=1.0,
        metric="accuracy",
        metrics={"accuracy": SCORE, "rmse": SCORE},
        test_source="held-out",
        baselines=(),
        chosen="logistic regression",
        verdict="",
        data=DataCard("0" * 64, {}, {}),
        recipe={},
        versions={},
        weights=(),
        golden=(),
        tolerance=1e-5,
        inputs=columns,
        table=TableCard("answer", ("name",)),
    )
    return replace(whole, **changes)


def sealed(**changes: Any) -> bytes:
    graph = table_classifier(PREPARED, form(2), ("no", "yes"), temperature=1.0, threshold=0.9)
    session, outputs = open_session(graph, threads=1), ["label", "probabilities", "sure"]
    golden = golden_rows(session, made_up_rows(CELLS, np.arange(4), SPECS), SPECS, outputs)
    return seal(graph, card(**{"golden": golden, **changes}))


def regression() -> bytes:
    graph = table_regressor(PREPARED, form(1), Interval(0.5, "plain", 0.0, 0.9, 100, "split"))
    session, outputs = open_session(graph, threads=1), ["value", "lower", "upper"]
    golden = golden_rows(session, made_up_rows(CELLS, np.arange(4), SPECS), SPECS, outputs)
    table = TableCard("answer", (), 0.9, "split", SCORE)
    return seal(graph, card(golden=golden, task="regression", labels=(), outputs=value_outputs(), thresholds=None,
                            metric="rmse", table=table))  # fmt: skip


def test_rows_are_answered_by_the_names_of_their_columns() -> None:
    model = load(sealed())
    assert isinstance(model, TableModel)
    assert not isinstance(model, PictureModel)
    answer = model({"size": 4, "value": "low"})
    assert (answer.label, answer.input) == ("no", "row 1")
    assert answer.probability == pytest.approx(1 / (1 + np.exp(-6)), abs=1e-6)
    several = model([{"value": "high", "size": None, "name": "x", "answer": "yes"}, {"size": 4, "value": "low"}])
    assert several[1].probabilities == answer.probabilities
    assert repr(model) == "<Model of 2 classes (no, yes): accuracy 0.750, n = 4>"


def test_a_file_with_costs_says_the_cheapest_answer_and_replays_it() -> None:
    costs = Costs(((0.0, 1.0), (999.0, 0.0)))
    graph = table_classifier(PREPARED, form(2), ("no", "yes"), temperature=1.0, threshold=0.9, costs=costs)
    session, outputs = open_session(graph, threads=1), ["label", "probabilities", "sure"]
    golden = golden_rows(session, made_up_rows(CELLS, np.arange(4), SPECS), SPECS, outputs)
    model = load(seal(graph, card(golden=golden, table=TableCard("answer", ("name",), costs=costs.matrix))))
    assert isinstance(model, TableModel)
    answer = model({"size": 4, "value": "low"})
    assert (answer.label, answer.sure) == ("yes", False)  # at .0025: a miss costs 999
    assert answer.probabilities["no"] == load(sealed())({"size": 4, "value": "low"}).probabilities["no"]
    assert replay(model).passed
    other = replace(model.card, golden=tuple(replace(one, label="no") for one in golden))
    assert not replay(model.under(other)).passed


@pytest.mark.parametrize("matrix", [((0.0, 1.0),), ((0.0,), (1.0,)), ((0.0, -1.0), (1.0, 0.0)), ((0.0, 0.0),) * 2])
def test_costs_that_do_not_go_with_the_labels_make_no_card(matrix: tuple[tuple[float, ...], ...]) -> None:
    with pytest.raises(BottegaError, match=r"'table.costs' is .*\nexpected: a row of numbers from 0 for each label"):
        sealed(table=TableCard("answer", ("name",), costs=matrix))


def test_a_metric_of_costs_needs_them() -> None:
    with pytest.raises(BottegaError, match=r"'metric' is 'mean_cost'\n.*no table\.costs"):
        sealed(metric="mean_cost", table=TableCard("answer", ("name",)))


def test_values_come_with_their_interval() -> None:
    model = load(regression())
    answer = model({"size": 4, "value": "high"})
    assert (answer.label, answer.value, answer.lower, answer.upper) == (None, 2.0, 1.5, 2.5)
    assert answer.to_json() == {"input": "row 1", "value": 2.0, "lower": 1.5, "upper": 2.5}
    assert repr(model) == "<Model of values: rmse 0.750, n = 4>"


def test_golden_rows_are_nobodys_and_are_replayed() -> None:
    for data in (sealed(), regression()):
        model = load(data)
        record = replay(model)
        assert (record.passed, record.n, record.largest_difference) == (True, 8, 0.0)
        assert model.card.golden[-2].cells == {"size": None, "value": None}
        assert model.card.golden[-1].cells["value"] == "\u2205"


def test_a_replay_finds_another_answer() -> None:
    for data in (sealed(), regression()):
        model = load(data)
        golden = model.card.golden
        wrong = replace(golden[0], **({"value": golden[0].value + 1e-3} if golden[0].value is not None else
                                      {"probabilities": golden[0].probabilities[::-1]}))  # fmt: skip
        assert not replay(model.under(replace(model.card, golden=(wrong, *golden[1:])))).passed


def test_values_are_compared_by_the_size_of_value_and_interval() -> None:
    then = {"value": np.float32([0.0, 1000.0]), "lower": np.float32([-1, 990]), "upper": np.float32([1, 1010])}
    found = {key: values + np.float32([2e-6, 1e-2]) for key, values in then.items()}
    np.testing.assert_allclose(differences(found, then), [1e-6, 1e-5], rtol=0.02)


def test_many_rows_run_in_batches() -> None:
    model = load(sealed())
    n = 9000
    cells = {"size": np.linspace(0, 5, n), "value": np.array(["low", "high", "new"] * (n // 3), object)}
    found = model.predict_batch(cells)
    assert found["probabilities"].shape == (n, 2)
    alone = ask_rows(model._session, {k: v[5000:5001] for k, v in cells.items()}, SPECS, ["probabilities"])
    np.testing.assert_allclose(found["probabilities"][5000:5001], alone["probabilities"], atol=1e-6)


def test_the_shortest_decimal_reads_back_as_the_same_float() -> None:
    for number in np.float32([0.1, 1 / 3, 1e-20, 16777216]):
        assert np.float32(shortest(number)) == number
    assert shortest(np.float32("inf")) is None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"table": None}, "the card's key 'table' is None"),
        ({"inputs": ()}, "the card's key 'inputs'"),
        ({"columns": (SPECS[0], replace(SPECS[1], name="value"))}, "a graph with the inputs and outputs"),
        ({"columns": (SPECS[0], replace(SPECS[1], dtype="float32"))}, "the card's key 'inputs' is 'value_'"),
        ({"labels": ("no", "no")}, "the card's key 'labels'"),
        ({"thresholds": None}, "the card's key 'thresholds'"),
        ({"golden": (GoldenRow({"size": 1.0}, "no", (1.0, 0.0), False),)}, r"golden\[0\].cells"),
        ({"golden": (GoldenRow({"size": 1.0, "value": None}, "maybe", (1.0, 0.0), False),)}, r"golden\[0\].label"),
        ({"golden": (GoldenRow({"size": 1.0, "value": None}, "no", (1.0,), False),)}, r"golden\[0\].probabilities"),
        ({"task": "forecasting"}, "a model for 'forecasting' of 'tables'"),
    ],
)
def test_a_card_that_contradicts_itself_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(BottegaError, match=said):
        sealed(**changes)


def test_what_is_no_row_is_refused() -> None:
    model = load(sealed())
    for x in (3, {1, 2}, np.zeros(3)):
        with pytest.raises(BottegaError, match="expected: a mapping from columns to values, a list of them"):
            model(x)
    with pytest.raises(BottegaError, match=r"'nowhere.json' cannot be read"):
        model("nowhere.json")
