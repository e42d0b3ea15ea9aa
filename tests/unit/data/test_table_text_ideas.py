"""What might be made of a text column."""

import numpy as np

from bottega.data.table_feature_ideas import TableColumns, brainstorm
from bottega.data.table_features import BY_WORDS
from bottega.data.table_preparation import Encoding, TablePreparation
from bottega.data.table_text_ideas import of_texts, text_places
from bottega.data.table_words import TextEncoding

NOTE = TextEncoding("note", "abc", ("a", "b", "c"), 2)
TITLE = TextEncoding("title", "ab", ("a",), 1)


def rows():
    x = np.zeros((40, 1 + NOTE.width + TITLE.width), np.float32)
    x[:20, 2], x[:8, 3], x[:, 5] = 1, 2, 1
    return x


def test_texts_stand_behind_the_columns_that_models_see():
    note, title = text_places((NOTE, TITLE), 1)
    assert (note.start, note.columns, title.start, title.columns) == (1, (2, 3), 4, (5,))


def test_length_what_the_words_say_and_words_that_some_rows_have_and_some_do_not():
    ideas = list(of_texts(text_places((NOTE, TITLE), 1), rows(), "price", ()))
    assert [one.words for one in ideas] == [
        "number of words in note",
        "what the words of note say of price",
        "whether note has the word 'a'",
        "number of words in title",
        "what the words of title say of price",
    ]
    assert [one.number for one in ideas if one.kind == BY_WORDS] == [-1, -1]
    assert ideas[1].n_codes == 4
    assert all(one.is_of_text for one in ideas)


def test_of_two_classes_the_second_is_told_and_of_more_each():
    prepared = TablePreparation((Encoding("size", "number"),), (NOTE,))
    for classes, n in ((("no", "yes"), 1), (("a", "b", "c"), 3)):
        columns = TableColumns.of(prepared, "kind", classes)
        ideas = brainstorm(columns, rows()[:, :4], np.ones(1, np.float32))
        told = [one for one in ideas if one.kind == BY_WORDS]
        assert [classes[int(one.number)] for one in told] == list(classes[-n:])
        assert told[-1].words == f"what the words of note say of kind = {classes[-1]}"
