import datetime

import numpy as np
import polars as pl
import pytest

from bottega.data.frames import cells_as, date_format, is_mixed, kinds_of, raw_columns
from bottega.errors import BottegaError

FRAME = pl.DataFrame(
    {
        "size": [1, None, 3],
        "word": [" a", None, "b"],
        "flag": [True, False, None],
        "day": [datetime.date(2020, 2, 29), None, datetime.date(2021, 1, 1)],
        "code": pl.Series(["1", "2", "1"], dtype=pl.Categorical),
    }
)


def test_kinds_follow_from_types_alone() -> None:
    kinds = {"size": "number", "word": "category", "flag": "number", "day": "date", "code": "category"}
    assert kinds_of(raw_columns(FRAME)) == kinds
    rows = np.array([[1, "a"], [None, "b"]], dtype=object)
    assert kinds_of(raw_columns(rows)) == {"x0": "number", "x1": "category"}
    assert kinds_of(raw_columns([["1", 2.5], ["2", 3]])) == {"x0": "category", "x1": "number"}


def test_what_is_no_matrix_of_numbers() -> None:
    assert is_mixed(FRAME)
    assert not is_mixed(FRAME.select("size", "flag"))
    assert is_mixed([[1, "a"]])
    assert not is_mixed([[1, 2.5]])
    assert is_mixed(np.array([["a"]]))
    assert is_mixed(np.array([[1, "a"]], object))
    assert not is_mixed(np.array([[1, None]], object))


def test_cells_have_the_forms_of_the_preparation() -> None:
    columns = raw_columns(FRAME)
    np.testing.assert_array_equal(cells_as("size", columns["size"], "number"), [1, np.nan, 3])
    np.testing.assert_array_equal(cells_as("flag", columns["flag"], "number"), [1, 0, np.nan])
    assert cells_as("word", columns["word"], "category").tolist() == ["a", "", "b"]
    assert cells_as("size", columns["size"], "category").tolist() == ["1", "", "3"]
    assert cells_as("day", columns["day"], "date", "%Y-%m-%d").tolist() == ["2020-02-29", "", "2021-01-01"]


def test_a_time_of_day_is_kept() -> None:
    moments = np.array(["2020-01-01T12:30:00", "NaT"], "datetime64[us]")
    assert date_format(moments) == "%Y-%m-%d %H:%M:%S"
    assert cells_as("at", moments, "date", "%Y-%m-%d %H:%M:%S").tolist() == ["2020-01-01 12:30:00", ""]
    assert date_format(moments.astype("datetime64[D]")) == "%Y-%m-%d"


def test_refusals() -> None:
    with pytest.raises(BottegaError, match=r"found: 'x' in column 'a' \(row 1\)\nexpected: a number, as in fit"):
        cells_as("a", np.array(["1", "x"], object), "number")
    with pytest.raises(BottegaError, match=r"infinity in column 'a' \(row 1\)"):
        cells_as("a", np.array([0, np.inf]), "number")
    with pytest.raises(TypeError, match=r"row 1, column 'a': a cell must be a string or a number, not 'dict'"):
        cells_as("a", np.array(["1", {}], object), "category")
    with pytest.raises(BottegaError, match="column 'a' of type object\nexpected: dates"):
        cells_as("a", np.array(["1"], object), "date", "%Y-%m-%d")
    with pytest.raises(BottegaError, match=r"an array of shape \(2,\)"):
        raw_columns(np.array(["a", "b"], object))
    with pytest.raises(BottegaError, match="different names, none empty"):
        raw_columns(pl.DataFrame({" ": [1]}))
