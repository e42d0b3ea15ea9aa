"""Files of several targets: each answers in them as it does in its own file, to the bit."""

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from bottega.data.table_features import MadeFeature
from bottega.data.table_preparation import fit_preparation
from bottega.data.table_words import fit_text_column
from bottega.errors import BottegaError
from bottega.evaluation.conformal import Interval
from bottega.evaluation.forms import Form
from bottega.evaluation.table_forms import Dense, Linear, Staged, Widened
from bottega.problem.records import Score
from bottega.problem.table import ColumnSpec
from bottega.shipping.check import replay
from bottega.shipping.model_file import (
    Card,
    DataCard,
    OutputSpec,
    TableCard,
    Thresholds,
    class_outputs,
    read,
    seal,
    target_outputs,
    value_outputs,
)
from bottega.shipping.predictor import load, open_session
from bottega.shipping.table_check import golden_rows, made_up_rows
from bottega.shipping.table_graph import table_classifier, table_regressor
from bottega.shipping.targets_graph import merge_targets
from bottega.shipping.targets_predictor import TargetAnswers, TargetsModel, of_target

CELLS = {
    "size": np.array([1.0, 2.0, np.nan, 4.0]),
    "price.value": np.array(["low", "high", "", "low"], object),  # named as an output of the file of all
    "price.value_": np.array([0.0, 1.0, 2.0, 3.0]),
}
KINDS: dict[str, Any] = {"size": "number", "price.value": "category", "price.value_": "number"}
SCORE = Score(4, 0.75, 0.3, 0.95)
ROWS = [
    {"size": 4, "price.value": "low", "price.value_": 1},
    {"size": None, "price.value": "never seen", "price.value_": None},
]


def single(target: str, columns: tuple[str, ...] = tuple(CELLS)) -> bytes:
    """The file of one target: `kind` has classes, any other is a value."""
    cells = {name: CELLS[name] for name in columns}
    prepared = fit_preparation(cells, {name: KINDS[name] for name in columns}, np.arange(4))
    specs = tuple(
        ColumnSpec(
            one.input_name, one.kind, "float32" if one.kind == "number" else "string", one.name, levels=one.levels
        )
        for one in prepared.columns
    )
    is_class = target == "kind"
    if is_class:
        graph = table_classifier(prepared, form(2), ("no", "yes"), temperature=1.0, threshold=0.9)
        outputs = class_outputs(2)
    else:
        graph = table_regressor(prepared, form(1), Interval(0.5, "plain", 0.0, 0.9, 100, "split"))
        outputs = value_outputs()
    names = [one.name for one in outputs]
    golden = golden_rows(open_session(graph, threads=1), made_up_rows(cells, np.arange(4), specs), specs, names)
    card = Card(
        task="classification" if is_class else "regression",
        modality="tables",
        labels=("no", "yes") if is_class else (),
        outputs=outputs,
        thresholds=Thresholds(0.9, "", 0.95) if is_class else None,
        temperature=1.0,
        metric="accuracy" if is_class else "rmse",
        metrics={"accuracy": SCORE, "rmse": SCORE},
        test_source="held-out",
        baselines=(),
        chosen="ridge",
        verdict="",
        data=DataCard("0" * 64, {}, {}),
        recipe={},
        versions={},
        weights=(),
        golden=golden,
        tolerance=1e-5,
        inputs=specs,
        table=TableCard(target, ("kind", "price")) if is_class else TableCard(target, ("kind",), 0.9, "split", SCORE),
    )
    return seal(graph, card)


def form(n_outputs: int) -> Form:
    stage = Dense(
        np.array([0]), np.float32([2]), np.float32([2]), np.float32([1]), np.array([0]), np.array([1]), np.float32([0])
    )
    weight = np.float32([[1.0, -1.0], [0.5, 0.2], [2.0, 0.0]])[:, :n_outputs]
    return Staged(stage, Linear(weight, np.zeros(n_outputs, np.float32)))


def outer(cards: tuple[Card, ...], columns: tuple[ColumnSpec, ...], **changes: Any) -> Card:
    whole = replace(
        cards[0], task="several", labels=(), outputs=target_outputs(cards), thresholds=None, golden=(), inputs=columns,
        table=None, targets=cards,
    )  # fmt: skip
    return replace(whole, **changes)


@cache
def merged() -> bytes:
    graph, columns, cards = merge_targets([single("price"), single("kind")])
    return seal(graph, outer(cards, columns))


def several() -> TargetsModel:
    model = load(merged())
    assert isinstance(model, TargetsModel)
    return model


def test_each_target_answers_as_in_its_own_file() -> None:
    model = several()
    assert list(model.targets) == ["price", "kind"]
    for row in ROWS:
        answers = model(row)
        for target in ("price", "kind"):
            assert answers[target] == load(single(target))(row)
            assert answers[target] == model.targets[target](row)
    assert [one["price"].value for one in model(ROWS)] == [model(row)["price"].value for row in ROWS]
    assert repr(model) == "<Model of 2 targets: price, kind>"


def test_answers_are_a_mapping_by_target() -> None:
    answers = several()(ROWS[0])
    assert isinstance(answers, TargetAnswers)
    assert (list(answers), len(answers), answers.input) == (["price", "kind"], 2, "row 1")
    assert list(answers.to_json()["targets"]["price"]) == ["value", "lower", "upper"]
    with pytest.raises(BottegaError, match=r"no target 'prize'\nexpected: one of 'price', 'kind'") as caught:
        answers["prize"]
    assert caught.value.fix == "did you mean 'price'?"


def test_columns_are_shared_and_none_is_named_like_an_output() -> None:
    model = several()
    assert [one.column for one in model.columns] == list(CELLS)
    assert [one.name for one in model.columns] == ["size", "price.value_", "price.value__"]
    assert model.known == ("price", "kind")
    with pytest.raises(BottegaError, match="no column 'size'"):
        model({"price.value": "low", "price.value_": 1})
    assert model({**ROWS[0], "price": 3, "kind": "no"})["kind"].label == "no"  # targets may stand beside the rows


def test_a_column_that_one_target_does_not_take() -> None:
    alone = single("price", ("size", "price.value"))
    graph, columns, cards = merge_targets([alone, single("kind")])
    model = load(seal(graph, outer(cards, columns)))
    assert isinstance(model, TargetsModel)
    assert len(model.columns) == 3
    row = {"size": 4, "price.value": "low"}
    assert model.targets["price"](row) == load(alone)(row)
    assert model(ROWS[0])["price"] == load(alone)(row)
    assert replay(model).passed


def test_golden_rows_of_every_target_are_replayed() -> None:
    record = replay(several())
    assert (record.passed, record.largest_difference) == (True, 0.0)
    assert record.n == sum(replay(load(single(target))).n for target in ("price", "kind"))
    model = several()
    price, kind = model.card.targets or ()
    wrong = tuple(replace(one, value=(one.value or 0) + 1) for one in price.golden if hasattr(one, "value"))
    assert not replay(model.under(replace(model.card, targets=(replace(price, golden=wrong), kind)))).passed


def test_one_target_is_picked_by_name() -> None:
    model = several()
    assert of_target(model, "kind").labels == ("no", "yes")
    with pytest.raises(BottegaError, match=r"a model of 2 targets\nexpected: one of 'price', 'kind'"):
        of_target(model, None)
    alone = load(single("kind"))
    assert of_target(alone, None) is alone
    assert of_target(alone, "kind") is alone
    with pytest.raises(BottegaError, match="no target 'price'"):
        of_target(alone, "price")


def test_the_file_of_one_target_has_no_key_for_several() -> None:
    assert '"targets"' not in read(single("price"))[0].to_json()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"targets": None}, "the card's key 'targets' is 0 targets"),
        ({"task": "regression"}, "the card's key 'targets' is 2 targets"),
        ({"outputs": (OutputSpec("price.value", "float32", ("N",)),)}, "those of each target, after its name"),
        ({"metric": "best"}, "the card's key 'metric' is 'best'"),
        ({"inputs": ()}, "the columns of every target"),
    ],
)
def test_a_card_that_contradicts_itself_is_refused(changes: dict[str, Any], said: str) -> None:
    graph, columns, cards = merge_targets([single("price"), single("kind")])
    with pytest.raises(BottegaError, match=said):
        seal(graph, outer(cards, columns, **changes))


def test_one_target_twice_and_a_target_inside_a_target_are_refused() -> None:
    graph, columns, cards = merge_targets([single("price"), single("kind")])
    with pytest.raises(BottegaError, match="different targets"):
        seal(graph, outer((cards[0], cards[0]), columns))
    with pytest.raises(BottegaError, match="several of tables"):
        seal(graph, outer((outer(cards, columns), cards[1]), columns))


def test_a_target_may_read_texts_that_the_others_do_not() -> None:
    notes = np.array(["old house", "new house", "", "old barn"], object)
    card, _ = read(single("price"))
    text = fit_text_column("note", notes.tolist(), n_rows=4)
    assert text is not None
    prepared = replace(fit_preparation(CELLS, {"size": "number"}, np.arange(4)), texts=(text,))
    words = MadeFeature("has word", tuple(range(2, 2 + text.length)), "", text.words.index("old") + 1.0)
    stage = Dense(np.array([1]), *(np.float32([one]) for one in (0, 0, 1)), *(np.zeros(0, np.int64),) * 2, np.zeros(0))
    head = Staged(stage, Linear(np.float32([[10]]), np.float32([5])))
    graph = table_regressor(prepared, Widened((words,), head, 1), Interval(0.5, "plain", 0.0, 0.9, 100, "split"))
    specs = (ColumnSpec("size", "number", "float32", "size"), ColumnSpec("note", "text", "string", "note"))
    cells = {"size": CELLS["size"], "note": notes}
    names = [one.name for one in card.outputs]
    golden = golden_rows(open_session(graph, threads=1), made_up_rows(cells, np.arange(4), specs), specs, names)
    worded = seal(graph, replace(card, inputs=specs, golden=golden))
    assert replay(load(worded)).passed
    graph, columns, cards = merge_targets([worded, single("kind")])
    model = load(seal(graph, outer(cards, columns)))
    found = [model({**ROWS[0], "note": note}) for note in ("an OLD thing", "new", None)]
    assert [one["price"].value for one in found] == [15, 5, 5]
    assert {one["kind"].label for one in found} == {load(single("kind"))(ROWS[0]).label}
