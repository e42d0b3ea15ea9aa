"""From cells to the encoded matrix: levels, missing, unknown, dates, and the names of the inputs."""

import json

import numpy as np
import pytest
from onnxruntime import InferenceSession

from bottega.data.table_preparation import (
    MAX_LEVELS,
    TablePreparation,
    encoder_graph,
    fit_preparation,
    graph_inputs,
)
from bottega.errors import BottegaError
from table_material import awkward, mixed


def text(*cells):
    return np.array(cells, dtype=object)


def encode(prepared, cells):
    return InferenceSession(encoder_graph(prepared)).run(None, graph_inputs(prepared, cells))[0]


def test_numbers_stay_and_words_become_codes():
    cells = {"age": np.array([3.5, np.nan, -0.0, 7]), "sex": text("f", "m", "", "f")}
    prepared = fit_preparation(cells, {"age": "number", "sex": "category"}, np.arange(4))
    assert prepared.columns[1].levels == ("f",)  # m was seen once, and teaches what "unknown" means
    np.testing.assert_array_equal(encode(prepared, cells), [[3.5, 0], [np.nan, 2], [0, 1], [7, 0]])
    new = {"age": np.array([1.0]), "sex": text("F")}
    np.testing.assert_array_equal(encode(prepared, new), [[1, 2]])


def test_levels_are_learnt_from_the_training_rows_alone():
    cells = {"town": text("a", "a", "b", "b", "c", "c", "c")}
    assert fit_preparation(cells, {"town": "category"}, np.arange(4)).columns[0].levels == ("a", "b")
    assert fit_preparation(cells, {"town": "category"}, np.arange(7)).columns[0].levels == ("c", "a", "b")


def test_levels_that_are_numbers_keep_their_order():
    cells = {"month": text(*"10 9 2 10 9 2 10".split())}
    assert fit_preparation(cells, {"month": "category"}, np.arange(7)).columns[0].levels == ("2", "9", "10")


def test_only_the_commonest_of_many_levels_are_kept():
    cells = {"street": text(*[f"s{i % 300}" for i in range(900)], *["s299"] * 5)}
    prepared = fit_preparation(cells, {"street": "category"}, np.arange(905))
    assert len(prepared.columns[0].levels) == MAX_LEVELS
    assert prepared.columns[0].levels[0] == "s299"
    assert prepared.features[0].n_codes == MAX_LEVELS + 2


def test_a_column_may_be_named_like_anything_in_the_graph():
    names = ["label", "value", "c_1", "concat_2", "label_", "x", "ünicode name", "a\nb"]
    cells = {name: np.array([float(place)]) for place, name in enumerate(names)}
    prepared = fit_preparation(cells, dict.fromkeys(names, "number"), np.arange(1))
    assert [column.input_name for column in prepared.columns][:6] == [
        "label_",
        "value_",
        "c_1_",
        "concat_2_",
        "label__",
        "x",
    ]
    np.testing.assert_array_equal(encode(prepared, cells), [np.arange(8)])


def test_look_alikes_are_unknown_and_infinite_numbers_pass():
    table = mixed("two classes")
    x = table.encoded(awkward(table))
    assert x.shape == (10, len(table.prepared.features))
    for place, feature in enumerate(table.prepared.features):
        if feature.n_codes:
            assert set(x[:, place]) <= set(range(feature.n_codes))
            assert (x[:, place] == feature.n_codes - 1).sum() == 7  # all but "", "low" and "très haut"
    assert np.isinf(x).any()


def test_the_state_is_json():
    prepared = mixed("values").prepared
    assert TablePreparation.from_json(json.loads(json.dumps(prepared.to_json()))) == prepared
    assert encoder_graph(TablePreparation.from_json(prepared.to_json())) == encoder_graph(prepared)


def test_the_cells_are_left_as_they_were():
    table = mixed("values")
    before = {name: cells.copy() for name, cells in table.cells.items()}
    table.encoded()
    for name, cells in table.cells.items():
        np.testing.assert_array_equal(cells, before[name])


def test_a_missing_column_is_refused_with_the_nearest_name():
    table = mixed("values")
    cells = {("number_3" if name == "number 3" else name): cell for name, cell in table.cells.items()}
    with pytest.raises(BottegaError, match=r"(?s)no column 'number 3'.*fix: rename 'number_3' to 'number 3'"):
        graph_inputs(table.prepared, cells)


@pytest.mark.parametrize("values", [[2**24 + 1.0, 5.0], [9007199254740991.0], [-(2.0**31) - 1]])
def test_whole_numbers_that_float32_would_change_are_refused(values):
    with pytest.raises(BottegaError, match=r"(?s)whole numbers as large as .*'id'.*--type id=category"):
        fit_preparation({"id": np.array(values)}, {"id": "number"}, np.arange(len(values)))


def test_large_numbers_that_float32_holds_are_kept():
    cells = {"people": np.array([3e8, 2.0**25, np.nan, 1e7 + 0.5])}
    assert fit_preparation(cells, {"people": "number"}, np.arange(4)).features[0].n_codes == 0


def test_a_category_without_values_is_refused():
    with pytest.raises(BottegaError, match=r"(?s)no value in the column 'note' in all 3 training rows.*--ignore note"):
        fit_preparation({"note": text("", "", "")}, {"note": "category"}, np.arange(3))
