import numpy as np
import polars as pl
import pytest

from bottega.data.table_types import typed_column
from bottega.errors import BottegaError
from bottega.problem.table import TableChoices


def typed(cells, name="x", *, decimal_comma=None, **choices):
    series = pl.Series(name, cells)
    return typed_column(series, np.arange(2, len(cells) + 2), TableChoices(**choices), decimal_comma=decimal_comma)


@pytest.mark.parametrize(
    ("cells", "kind", "why"),
    [
        (["1.5", "2", "-3e2"], "number", "every cell is a number"),
        ([str(i) for i in (5, 7, 5, 9, 1)], "number", "4 different whole numbers; --type x=category"),
        (["0", "1", "1"], "yes/no", "two values, 0 and 1"),
        (["no", "yes", "no"], "yes/no", "two values, 'no' and 'yes'"),
        (["a", "b", "c", "a"], "category", "3 different values in 4 rows"),
        (["x", "x", "x"], "constant", "one value in every row: 'x'"),
        (["", "NA", "?"], "constant", "every cell is missing"),
        (["01234", "00017", "98101"], "category", "leading zeros"),
        ([str(i) for i in range(100, 130)], "identifier", "counts the rows"),
        ([f"k-{i * 7919 % 1000}" for i in range(30)], "identifier", "30 different values in 30 rows"),
        ([f"the cat number {i} sat down" for i in range(30)], "text", "6 words a cell"),
        (["1/13/2011", "2/1/2012"], "date", "read as %m/%d/%Y"),
        (["13/1/2011", "1/2/2012"], "date", "read as %d/%m/%Y"),
        (["1/2/2011", "3/2/2011", "2/2/2011"], "date", "could be the other way round"),
        (["1/2/2011", "5/2/2011", "2/3/2011"], "date", "read as %d/%m/%Y"),  # sorted so, and not the other way round
        (["2016-05-23T10:00:00Z", "2016-05-24T10:00:00Z"], "date", "%Y-%m-%dT"),
        (["20110203", "20110204"], "number", "2 different"),
    ],
)
def test_kinds_and_why(cells, kind, why):
    column, values = typed(cells)
    if why == "2 different":
        assert column.kind == "yes/no"  # two values are two values; named a date, they are dates
        assert typed(cells, "date")[0].kind == "date"
        return
    assert column.kind == kind
    assert why in column.why
    assert len(values) == len(cells)


def test_a_year_that_counts_up_is_no_identifier():
    assert typed([str(year) for year in range(1900, 1950)], "year")[0].kind == "number"


def test_missing_codes_are_counted_by_what_stood_there():
    column, values = typed(["1", "?", "", " NA ", "?", "4.5", "7.5"])
    assert (column.kind, column.n_missing, dict(column.missing)) == ("number", 4, {"?": 2, "": 1, "NA": 1})
    assert values.to_list() == [1.0, None, None, None, None, 4.5, 7.5]
    column, _ = typed(["none", "yes", "none"])
    assert column.n_missing == 0, "'none' is an answer as often as not"


def test_codes_of_one_column_replace_the_usual_ones():
    assert typed(["None", "Easter", "None"])[0].n_missing == 2
    column, _ = typed(["None", "Easter", "None"], missing_in={"x": ("",)})
    assert (column.n_missing, column.kind) == (0, "yes/no")
    assert typed(["1", "0", "3", "7"], missing_in={"x": ("0",)})[0].missing == {"0": 1}


@pytest.mark.parametrize(
    ("cells", "n_missing"),
    [
        (["-999", "3", "4.5", "-999"], 2),
        (["-999", "-20", "30.5", "12"], 1),
        (["-99", "-98", "-20.5", "12"], 0),
        (["99999", "3", "4.5", "99999"], 0),  # told as a code, never dropped unasked
    ],
)
def test_nines_that_stand_alone(cells, n_missing):
    assert typed(cells)[0].n_missing == n_missing


@pytest.mark.parametrize(
    ("cells", "comma", "numbers", "said"),
    [
        (["1,5", "2,25"], None, [1.5, 2.25], "decimal comma"),
        (["1.234,5", "2,5"], None, [1234.5, 2.5], "decimal comma, a point between thousands"),
        (["1,234.5", "1"], None, [1234.5, 1.0], "a comma between thousands"),
        (["1,234", "2,500"], None, [1234.0, 2500.0], "a comma between thousands, which the other columns decided"),
        (["1,234", "2,500"], True, [1.234, 2.5], "decimal comma, which the other columns decided"),
        (["$1,200", "$3.5"], None, [1200.0, 3.5], "a comma between thousands, in $"),
        (["12 kg", "13.5 kg"], None, [12.0, 13.5], "in kg"),
        (["45%", "3.5%"], None, [45.0, 3.5], "in %"),
        (["1 234", "2 000 000"], None, [1234.0, 2e6], "a gap between thousands"),
    ],
)
def test_numbers_as_people_write_them(cells, comma, numbers, said):
    column, values = typed(cells, decimal_comma=comma)
    assert values.to_list() == numbers
    assert said in column.why or column.kind == "yes/no"
    assert said.partition(", which")[0] in column.format


def test_two_units_are_no_number():
    assert typed(["12 kg", "1300 g", "9 kg"])[0].kind == "category"


def test_odd_cells_among_numbers_are_told_by_row():
    column, values = typed([*map(str, range(0, 78, 2)), "abc"] * 2)
    assert (column.kind, column.n_unreadable, column.unreadable[0]) == ("number", 2, (41, "abc"))
    assert values.null_count() == 2


def test_infinite_numbers_are_told_by_row():
    column, _ = typed(["1", "inf", "2.5", "-inf"])
    assert (column.n_infinite, column.infinite) == (2, (3, 5))


@pytest.mark.parametrize(
    ("stated", "message"),
    [("number", r"cells of 'x' that are no number: row 3 'b'"), ("date", r"that are no date: row 2 '1', row 3 'b'")],
)
def test_a_stated_kind_that_the_cells_are_not(stated, message):
    with pytest.raises(BottegaError, match=message):
        typed(["1", "b", "2"], types={"x": stated})


def test_stated_kinds_are_kept():
    assert typed(["1", "2", "3"], types={"x": "category"})[0].kind == "category"
    column, values = typed(["1/2/2011", "3/2/2011"], types={"x": "date:%d/%m/%Y"})
    assert column.why == "as you stated, %d/%m/%Y"
    assert values.dt.month().to_list() == [2, 2]


@pytest.mark.parametrize(
    ("series", "kind", "values"),
    [
        (pl.Series("x", [1, 2, 3, None]), "number", [1.0, 2.0, 3.0, None]),
        (pl.Series("x", [1.5, float("nan"), 2.5, 3.0]), "number", [1.5, None, 2.5, 3.0]),
        (pl.Series("x", [True, False, None]), "yes/no", ["true", "false", None]),
        (pl.Series("x", ["a", "b", "c"], dtype=pl.Categorical), "category", ["a", "b", "c"]),
        (pl.Series("x", [None, None]), "constant", [None, None]),
    ],
)
def test_columns_that_have_a_type_in_their_file(series, kind, values):
    column, found = typed_column(series, np.arange(1, len(series) + 1), TableChoices(), decimal_comma=None)
    assert column.kind == kind
    assert found.to_list() == values
    assert column.n_missing == sum(value is None for value in values)


def test_a_typed_number_may_be_stated_a_category():
    series = pl.Series("x", [1.0, 2.0, 3.0])
    choices = TableChoices(types={"x": "category"})
    assert typed_column(series, np.arange(3), choices, decimal_comma=None)[1].to_list() == ["1", "2", "3"]
