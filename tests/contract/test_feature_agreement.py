"""The file makes features to the bit as training saw them, awkward rows too, whatever stands behind them."""

from dataclasses import replace
from functools import cache
from typing import Any, get_args

import numpy as np
import numpy.typing as npt
import pytest
from onnx import TensorProto

from bottega.data.table_feature_ideas import TableColumns, brainstorm
from bottega.data.table_features import MadeFeature, MadeKind, add_features, learn_features
from bottega.data.table_preparation import add_encoder, graph_builder, graph_inputs
from bottega.evaluation.calibration import apply_temperature
from bottega.evaluation.conformal import split_conformal
from bottega.evaluation.forms import Form
from bottega.evaluation.table_forms import Rescaled, Widened
from bottega.shipping.table_graph import table_classifier, table_regressor
from bottega.shipping.wire import scan
from bottega.workflow.feature_search import widened
from bottega.workflow.features import engine
from bottega.workflow.table_specs import TableTask, table_specs
from bottega.workflow.table_values import interval_of
from bottega.workflow.table_words import read_words
from table_material import MixedTable, awkward, mixed

HEADS = ("gradient boosting", "random forest", "linear")
TASKS = ("two classes", "three classes", "values")


def classes_of(name: str) -> tuple[str, ...]:
    return () if name == "values" else tuple(f"class {i}" for i in range(int(mixed(name).y.max()) + 1))


@cache
def texted(name: str) -> MixedTable:
    """The table with a column of texts, some words of which go with the target, and some cells of which are empty."""
    table = mixed(name)
    rng = np.random.default_rng(3)
    rank = np.argsort(np.argsort(table.y, kind="stable")) / len(table.y)
    vocabulary = np.array(["Größe", "house,", "OLD", "new", "barn", "übrig", "1999", "plain."])
    shares = [np.roll(np.linspace(0.05, 0.2, 8), int(4 * one)) for one in rank]
    texts = [" ".join(rng.choice(vocabulary, rng.integers(0, 7), p=share / share.sum())) for share in shares]
    cells = {**table.cells, "remarks": np.array(texts, dtype=object)}
    prepared = read_words(table.prepared, {"remarks": cells["remarks"]}, np.arange(len(table.y)))
    return replace(table, cells=cells, prepared=prepared)


@cache
def features_of(name: str) -> tuple[MadeFeature, ...]:
    """All kinds: what is thought of, and two that this table gives no occasion for."""
    table = texted(name)
    x = table.encoded()
    columns = TableColumns.of(table.prepared, "target", classes_of(name))
    ideas = brainstorm(columns, x, np.ones(x.shape[1], np.float32))
    ideas += [MadeFeature("where", (0, 6), "", 1.0), MadeFeature("logarithm", (1,), "", 1.0)]
    assert {one.kind for one in ideas} == set(get_args(MadeKind))
    return learn_features(ideas, x, table.y)


@cache
def fitted(name: str, head: str) -> tuple[TableTask, Form]:
    table, features = texted(name), features_of(name)
    features = (*features[::7], *(one for one in features if one.kind == "target by words"))
    n_codes = np.append(table.prepared.n_codes, np.zeros(len(features), np.int64))
    task = TableTask(table.prepared.n_codes, len(classes_of(name)) or None, seed=0, threads=1)
    specs = {spec.name: spec for spec in table_specs(replace(task, n_codes=n_codes), 300, 20)[0]}
    linear = "ridge regression" if name == "values" else "logistic regression"
    n_seen = len(table.prepared.features)
    wide = widened(features, table.encoded(), n_seen)
    form = specs[linear if head == "linear" else head].tune(wide[:120], table.y[:120], wide[120:], table.y[120:])[1]
    assert form is not None
    return task, Widened(features, form, n_seen)


def both_rows(table: MixedTable) -> list[dict[str, npt.NDArray[Any]]]:
    texts = ["", " ", "house", "HOUSE house", "größe\u00a0OLD", "\u0000old", "x" * 5000, "😀 barn", "old " * 400, "-"]
    return [dict(table.cells), awkward(table) | {"remarks": np.array(texts, dtype=object)}]


@pytest.mark.parametrize("name", TASKS)
def test_features_are_the_same_bits_in_one_graph_and_in_two(name: str) -> None:
    table, features = texted(name), features_of(name)
    g = graph_builder(table.prepared)
    n_seen = len(table.prepared.features)
    wide = add_features(g, features, add_encoder(g, table.prepared), n_seen)
    g.output(wide, "wide", TensorProto.FLOAT, ["N", n_seen + len(features)])
    session = engine(g.model(), threads=1)
    for cells in both_rows(table):
        whole = session.run(None, graph_inputs(table.prepared, cells))[0]
        assert whole.tobytes() == widened(features, table.encoded(cells), n_seen).tobytes()
        made = whole[:, -len(features) :]
        assert not np.isinf(made).any()
        alone = session.run(None, {key: cell[:1] for key, cell in graph_inputs(table.prepared, cells).items()})[0]
        assert alone.tobytes() == whole[:1].tobytes()


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("name", TASKS[:2])
def test_probabilities_agree_on_every_row(name: str, head: str) -> None:
    table, (task, form) = texted(name), fitted(name, head)
    graph = table_classifier(table.prepared, form, classes_of(name), temperature=1.3, threshold=0.8)
    scan(graph)
    session = engine(graph, threads=1)
    for cells in both_rows(table):
        _, probabilities, _ = session.run(None, graph_inputs(table.prepared, cells))
        assert np.isfinite(probabilities).all()
        expected = apply_temperature(task.answer(form, table.encoded(cells)), 1.3)
        np.testing.assert_allclose(probabilities, expected, atol=1e-5)


@pytest.mark.parametrize("head", HEADS)
def test_values_agree_on_every_row(head: str) -> None:
    table, (task, form) = texted("values"), fitted("values", head)
    interval = split_conformal(table.y, task.answer(form, table.encoded())[:, 0])
    session = engine(table_regressor(table.prepared, form, interval), threads=1)
    for cells in both_rows(table):
        value, lower, upper = session.run(None, graph_inputs(table.prepared, cells))
        assert np.isfinite([value, lower, upper]).all()
        np.testing.assert_allclose(value, task.answer(form, table.encoded(cells))[:, 0], rtol=1e-5)


def test_intervals_of_logarithms_see_through_the_features() -> None:
    task, form = fitted("values", "linear")
    assert isinstance(form, Widened)
    assert isinstance(form.head, Rescaled)
    table = texted("values")
    logarithmic = replace(form, head=replace(form.head, log=True, mean=4.0, scale=0.1))
    values = task.answer(logarithmic, table.encoded())[:, 0]
    assert interval_of(logarithmic, table.y, values, out_of_fold=False).scale == "log"
