import hashlib

import numpy as np
import polars as pl

from bottega.data.table_content import cell_words, table_digests

FRAME = pl.DataFrame({"age": [39.0, None, 0.0], "town": ["Rome", None, "Zoë"]})


def digests(frame, names=("age", "town")):
    return table_digests(frame, names)


def test_one_digest_a_row_that_stays_the_same_in_every_version():
    found = digests(FRAME)
    assert [len(digest) for digest in found] == [32, 32, 32]
    assert hashlib.sha256(b"".join(found)).hexdigest()[:16] == "6a48e8fc058966ef"


def test_content_and_not_form_counts():
    assert digests(FRAME) == digests(FRAME.select("town", "age"))
    assert digests(FRAME) == digests(FRAME.with_columns(age=pl.col("age").cast(pl.Float32)))
    assert digests(FRAME)[2] == digests(FRAME.with_columns(age=pl.Series([39.0, None, -0.0])))[2]
    assert digests(FRAME)[1] == digests(FRAME.with_columns(age=pl.Series([39.0, float("nan"), 0.0])))[1]
    assert digests(FRAME)[1] == digests(FRAME.with_columns(age=pl.Series(np.array([39.0, -np.nan, 0.0]))))[1]
    assert digests(FRAME) == digests(FRAME.with_columns(town=pl.col("town").cast(pl.Categorical)))


def test_every_cell_counts_in_its_column():
    swapped = pl.DataFrame({"a": ["x", "y"], "b": ["y", "x"]})
    one, other = digests(swapped, ("a", "b"))
    assert one != other
    assert digests(FRAME)[0] != digests(FRAME.rename({"town": "city"}), ("age", "city"))[0]
    assert len(set(digests(FRAME))) == 3


def test_missing_is_a_value_of_its_own():
    words = cell_words(pl.Series(["", None, "missing"]))
    assert len(np.unique(words, axis=0)) == 3
    moments = cell_words(pl.Series([0, None]).cast(pl.Datetime("us")))
    assert len(np.unique(moments, axis=0)) == 2


def test_a_block_of_rows_is_hashed_like_each_row_alone(monkeypatch):
    monkeypatch.setattr("bottega.data.table_content.ROWS_AT_ONCE", 2)
    assert digests(FRAME) == [digests(FRAME[i : i + 1])[0] for i in range(3)]
