"""The file of a table answers as what was fitted, on every row and for every candidate, awkward rows too."""

from functools import cache

import numpy as np
import numpy.typing as npt
import pytest

from bottega.data.table_preparation import graph_inputs
from bottega.evaluation.calibration import apply_temperature
from bottega.evaluation.conformal import split_conformal
from bottega.evaluation.forms import Form
from bottega.models.table_plans import TABLE_PLANS
from bottega.shipping.table_graph import table_classifier, table_regressor
from bottega.shipping.wire import scan
from bottega.training import table_fit
from bottega.workflow.features import engine
from bottega.workflow.table_specs import TableTask, table_specs
from table_material import MixedTable, awkward, mixed

NAMES = (
    "logistic regression", "nearest neighbours", "random forest", "support vector machine", "gradient boosting",
    *TABLE_PLANS, "mixture of the best",
)  # fmt: skip
TASKS = ("two classes", "three classes", "values")
N_FIT = 150
TEMPERATURE = 1.3


@cache
def fitted(name: str) -> tuple[TableTask, dict[str, Form]]:
    """Every candidate on the first rows."""
    table = mixed(name)
    n_classes = None if name == "values" else int(table.y.max()) + 1
    task = TableTask(table.prepared.n_codes, n_classes, seed=3, threads=1)
    x, y = table.encoded(), table.y
    specs, left_out = table_specs(task, N_FIT, 20)
    assert not left_out
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(table_fit, "MAX_EPOCHS", 6)
        parts = x[:N_FIT], y[:N_FIT], x[N_FIT:], y[N_FIT:]
        return task, {spec.name: spec.tune(*parts)[1] or spec.fit(*parts[:2], {}) for spec in specs}


def form_of(name: str, candidate: str) -> Form:
    found = fitted(name)[1]
    return found[
        {"logistic regression": "ridge regression"}.get(candidate, candidate) if name == "values" else candidate
    ]


def both_rows(table: MixedTable) -> list[dict[str, npt.NDArray[np.generic]]]:
    return [dict(table.cells), awkward(table)]


@pytest.mark.parametrize("candidate", NAMES)
@pytest.mark.parametrize("name", TASKS[:2])
def test_probabilities_agree_on_every_row(name: str, candidate: str) -> None:
    table, (task, _) = mixed(name), fitted(name)
    form = form_of(name, candidate)
    labels = [f"class {number}" for number in range(task.n_outputs)]
    graph = table_classifier(table.prepared, form, labels, temperature=TEMPERATURE, threshold=0.8)
    scan(graph)
    session = engine(graph, threads=1)
    for cells in both_rows(table):
        said, probabilities, sure = session.run(None, graph_inputs(table.prepared, cells))
        expected = apply_temperature(task.answer(form, table.encoded(cells)), TEMPERATURE)
        assert np.isfinite(probabilities).all()
        np.testing.assert_allclose(probabilities, expected, atol=1e-5)
        np.testing.assert_array_equal(said, [labels[int(row.argmax())] for row in probabilities])
        np.testing.assert_array_equal(sure, probabilities.max(1) >= np.float32(0.8))


@pytest.mark.parametrize("candidate", NAMES)
def test_values_agree_on_every_row(candidate: str) -> None:
    table, (task, _) = mixed("values"), fitted("values")
    form = form_of("values", candidate)
    values = task.answer(form, table.encoded())[:, 0]
    interval = split_conformal(table.y[N_FIT:], values[N_FIT:])
    session = engine(table_regressor(table.prepared, form, interval), threads=1)
    for cells in both_rows(table):
        value, lower, upper = session.run(None, graph_inputs(table.prepared, cells))
        expected = task.answer(form, table.encoded(cells))[:, 0]
        assert np.isfinite(value).all()
        np.testing.assert_allclose(value, expected, rtol=1e-5)
        np.testing.assert_allclose(np.stack([lower, upper]), interval.around(expected), rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("candidate", NAMES)
@pytest.mark.parametrize("name", TASKS)
def test_one_row_is_answered_as_in_a_batch_and_order_does_not_matter(name: str, candidate: str) -> None:
    table, (task, _) = mixed(name), fitted(name)
    x = table.encoded()[:40]
    together = task.answer(form_of(name, candidate), x)
    alone = np.concatenate([task.answer(form_of(name, candidate), row[None]) for row in x[:8]])
    np.testing.assert_allclose(together[:8], alone, rtol=1e-5, atol=2e-5)
    np.testing.assert_allclose(
        together[::-1], task.answer(form_of(name, candidate), x[::-1].copy()), rtol=1e-5, atol=2e-5
    )


@pytest.mark.parametrize("name", TASKS)
def test_no_rows_get_no_answers(name: str) -> None:
    table, (task, _) = mixed(name), fitted(name)
    form, none = form_of(name, "mixture of the best"), {key: cells[:0] for key, cells in table.cells.items()}
    if task.n_classes is None:
        graph = table_regressor(table.prepared, form, split_conformal(table.y, table.y))
    else:
        labels = [str(number) for number in range(task.n_classes)]
        graph = table_classifier(table.prepared, form, labels, temperature=1.0, threshold=None)
    assert [len(output) for output in engine(graph, threads=1).run(None, graph_inputs(table.prepared, none))] == [
        0,
        0,
        0,
    ]


def test_the_same_seed_gives_the_same_bytes() -> None:
    fitted.cache_clear()
    table = mixed("two classes")
    again = []
    for _ in range(2):
        fitted.cache_clear()
        form = form_of("two classes", "mixture of the best")
        again.append(table_classifier(table.prepared, form, ["no", "yes"], temperature=1.0, threshold=None))
    assert again[0] == again[1]
