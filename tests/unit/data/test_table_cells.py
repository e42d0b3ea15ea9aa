"""From a file that was read to the encoded matrix."""

import numpy as np
import pytest
from onnxruntime import InferenceSession

from bottega.data.table_cells import cells_of
from bottega.data.table_preparation import encoder_graph, fit_preparation, graph_inputs
from bottega.data.tables import read_table
from bottega.errors import BottegaError
from bottega.problem.table import table_choices


def written(folder, head, *rows):
    path = folder / "table.csv"
    path.write_text("\n".join([head, *rows]), encoding="utf-8")
    return path


def encode(path, **choices):
    taken = cells_of(read_table(path, table_choices(**choices)))
    n = len(next(iter(taken.cells.values())))
    prepared = fit_preparation(taken.cells, taken.kinds, np.arange(n), taken.formats)
    encoded = InferenceSession(encoder_graph(prepared)).run(None, graph_inputs(prepared, taken.cells))[0]
    return taken, prepared, encoded


def test_each_kind_of_column_is_taken_as_what_it_is(tmp_path):
    towns = ("Roma", "Siena", "")
    rows = [f"{i + 0.5},{towns[i % 3]},{i % 28 + 1}.3.2021,{'yes' if i % 2 else 'no'},{i % 3}" for i in range(60)]
    path = written(tmp_path, "size,town,day,good,rank", *rows)
    taken, prepared, x = encode(path, target="good", types=["rank=category"])
    assert taken.kinds == {"size": "number", "town": "category", "day": "date", "rank": "category"}
    assert taken.formats == {"day": "%d.%m.%Y"}
    assert [feature.name for feature in prepared.features][:4] == ["size", "town", "day: days", "day: year"]
    np.testing.assert_array_equal(x[:3, 0], [0.5, 1.5, 2.5])
    np.testing.assert_array_equal(x[:3, 1], [0, 1, 2])  # Roma, Siena, missing
    np.testing.assert_array_equal(x[:3, 3:6], [[2021, 3, 1], [2021, 3, 2], [2021, 3, 3]])


def test_a_format_that_the_graph_cannot_read_is_written_year_first(tmp_path):
    rows = [f"{i % 28 + 1} March 2021,{i}" for i in range(50)]
    taken, _, x = encode(written(tmp_path, "day,n", *rows), types=["day=date:%d %B %Y"])
    assert taken.formats == {"day": "%Y-%m-%d"}
    np.testing.assert_array_equal(x[:3, 1:4], [[2021, 3, 1], [2021, 3, 2], [2021, 3, 3]])


def test_free_text_is_left_out_unless_its_cells_are_wanted(tmp_path):
    rows = [
        f"{'yes' if i % 2 else 'no'},{i * 7 % 13},{'' if i == 3 else f'a note about the thing {i}'}" for i in range(60)
    ]
    table = read_table(written(tmp_path, "good,n,note", *rows), table_choices(target="good", types=["note=text"]))
    for wanted in (False, True):
        taken = cells_of(table, texts=wanted)
        assert list(taken.cells) == ["n"]
        assert taken.left_out == {"note": "free text: its words are only read with --features"}
        assert list(taken.everything) == (["n", "note"] if wanted else ["n"])
    assert taken.texts["note"][2:5].tolist() == ["a note about the thing 2", "", "a note about the thing 4"]


def test_a_table_of_nothing_but_prose_is_refused(tmp_path):
    prose = [
        f"{'yes' if i % 2 else 'no'},this is the {i} th sentence that somebody wrote about a thing" for i in range(80)
    ]
    table = read_table(written(tmp_path, "good,note", *prose), table_choices(target="good", types=["note=text"]))
    with pytest.raises(BottegaError, match=r"(?s)no column to learn from in .* but texts.*fix: --text note learns"):
        cells_of(table)


def test_a_table_of_nothing_but_keys_is_refused(tmp_path):
    keys = [f"{'yes' if i % 2 else 'no'},K{i:04}" for i in range(80)]
    table = read_table(written(tmp_path, "good,key", *keys), table_choices(target="good"))
    with pytest.raises(BottegaError, match=r"(?s)no column to learn from in [^ ]*\n.*fix: --type COL=category"):
        cells_of(table)
