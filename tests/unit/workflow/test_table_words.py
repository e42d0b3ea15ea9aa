"""Columns of texts in a training: read in one order whatever their lengths, and shipped only where they are used."""

import numpy as np
import pytest

from bottega.data.table_features import MadeFeature
from bottega.data.table_preparation import Encoding, TablePreparation
from bottega.data.table_words import TextEncoding
from bottega.evaluation.forms import Constant
from bottega.evaluation.table_forms import Widened
from bottega.workflow.options import train_options
from bottega.workflow.table_words import numbers_of_words, read_words, without_unused
from bottega.workflow.train_table import TableTraining

PLAIN = TablePreparation((Encoding("size", "number"),))
WRITERS = ["Ada", "Grace", "Emmy", "Sofia", "Marie"]
HEAD = Constant(np.zeros(2, np.float32))


def texts(n=150):
    rng = np.random.default_rng(0)
    words = np.array(["old", "new", "house", "barn", "garden"])

    def cell():
        return " ".join(rng.choice(words, rng.integers(0, 9)))

    return {name: np.array([cell() for _ in range(n)], object) for name in "ab"}


def test_rows_keep_their_places():
    cells = texts()
    prepared = read_words(PLAIN, cells, np.arange(100))
    assert [one.name for one in prepared.texts] == ["a", "b"]
    found = numbers_of_words(prepared, cells)
    assert found.shape == (150, prepared.width - 1)
    for start, name in ((0, "a"), (prepared.texts[0].width, "b")):
        assert found[:, start].tolist() == [len(cell.split()) for cell in cells[name]]


def test_a_column_whose_cells_share_no_word_is_not_read():
    cells = texts(40) | {"c": np.array([f"word{i}" for i in range(40)], object)}
    assert [one.name for one in read_words(PLAIN, cells, np.arange(40)).texts] == ["a", "b"]


def test_a_file_takes_only_the_texts_that_its_form_reads():
    prepared = TablePreparation(PLAIN.columns, (TextEncoding("a", "x", ("x",), 3), TextEncoding("b", "x", ("x",), 2)))
    features = (MadeFeature("logarithm", (0,), "log"), MadeFeature("has word", (6, 7), "b has x", 1.0))
    shipped, form = without_unused(prepared, Widened(features, HEAD, 1))
    assert [one.name for one in shipped.texts] == ["b"]
    assert [one.columns for one in form.features] == [(0,), (2, 3)]
    for unused in (Widened(features[:1], HEAD, 1), Widened((), HEAD, 1), HEAD):
        assert without_unused(prepared, unused) == (PLAIN, unused)


def test_threads_change_nothing_and_too_short_a_time_is_told():
    cells = texts(700)
    prepared = read_words(PLAIN, cells, np.arange(100))
    alone, together = (numbers_of_words(prepared, cells, threads=threads) for threads in (1, 3))
    assert alone.tobytes() == together.tobytes()
    assert numbers_of_words(prepared, cells, most_seconds=0.0) is None
    none = {name: column[:0] for name, column in cells.items()}
    assert numbers_of_words(prepared, none).shape == (0, prepared.width - 1)


@pytest.mark.parametrize(
    ("stated", "why"),
    [
        ({}, "free text: its words are only read with --features"),
        ({"features": True, "time": "4s"}, "free text: no time was left for its words"),
        ({"features": True}, "free text: nothing made of its words is proved to help"),
    ],
)
def test_it_is_said_why_a_text_is_left_out(tmp_path, stated, why):
    rng = np.random.default_rng(0)
    rows = [
        f"{a:.3f},a note that {word} wrote,{b:.3f}"
        for (a, b), word in zip(rng.normal(size=(130, 2)), WRITERS * 26, strict=True)
    ]
    path = tmp_path / "notes.csv"
    path.write_text("\n".join(["a,note,b", *rows]), "utf-8")
    options = train_options(str(path), {"target": "b", "type": {"note": "text"}, **stated})
    assert TableTraining(str(path), options, None).look().taken.left_out == {"note": why}
