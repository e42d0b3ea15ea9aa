"""Text columns of a table as numbers of words: the operators find the words that Python names."""

import numpy as np
import pytest
from onnxruntime import InferenceSession

from bottega.data.table_preparation import TablePreparation, encoder_graph, graph_inputs
from bottega.data.table_words import TextEncoding, fit_text_column

NOTES = ["Old house, OLD barn", "a new house", "", "barn: the new one", "größe naïve", "Größe, naïve!", "x" * 200]


def numbers_of(column, cells):
    prepared = TablePreparation((), (column,))
    inputs = graph_inputs(prepared, {column.name: np.array(cells, object)})
    return InferenceSession(encoder_graph(prepared)).run(None, inputs)[0]


def words_of(column, row):
    return [column.words[int(number) - 1] for number in row[1:] if number]


def test_words_of_two_cells_have_numbers_the_most_frequent_first():
    column = fit_text_column("note", NOTES, n_rows=len(NOTES))
    assert column.words == ("barn", "größe", "house", "naïve", "new")
    assert fit_text_column("note", ["one cell", "another"], n_rows=2) is None
    assert fit_text_column("note", ["", ""], n_rows=2) is None


def test_a_cell_becomes_its_length_and_each_known_word_once():
    column = fit_text_column("note", NOTES, n_rows=len(NOTES))
    cells = [*NOTES, "House house HOUSE! unknown", "new\tnew  BARN", "naïve größe", "x" * 126 + "barn"]
    found = numbers_of(column, cells)
    assert found.shape == (len(cells), 1 + column.length)
    assert found[:, 0].tolist() == [4, 3, 0, 4, 2, 2, 1, 4, 3, 2, 1]
    assert [words_of(column, row) for row in found] == [
        ["house", "barn"], ["new", "house"], [], ["barn", "new"], ["größe", "naïve"], ["größe", "naïve"], [],
        ["house"], ["new", "barn"], ["naïve", "größe"], [],
    ]  # fmt: skip


def test_a_cell_alone_and_no_cell_at_all():
    column = fit_text_column("note", NOTES, n_rows=len(NOTES))
    whole = numbers_of(column, NOTES)
    for place, cell in enumerate(NOTES):
        assert numbers_of(column, [cell]).tobytes() == whole[place : place + 1].tobytes()
    assert numbers_of(column, []).shape == (0, 1 + column.length)


def test_what_stands_behind_the_last_word_that_is_read_does_not_count():
    column = fit_text_column("note", ["a b", "b a"], n_rows=2)
    assert column.length == 2
    (row,) = numbers_of(column, ["z z a b"])
    assert row.tolist() == [4, 0, 0]


def test_of_very_many_rows_fewer_words_are_read():
    assert fit_text_column("note", ["a b c d"] * 2, n_rows=1 << 26).length == 2


@pytest.mark.parametrize("name", ["label", "note"])
def test_the_state_survives_as_plain_values(name):
    column = fit_text_column(name, NOTES, n_rows=len(NOTES))
    prepared = TablePreparation((), (column,))
    assert TablePreparation.from_json(prepared.to_json()) == prepared
    assert isinstance(column, TextEncoding)
    assert prepared.width == column.width
    assert prepared.text_inputs == {name: "label_" if name == "label" else name}
