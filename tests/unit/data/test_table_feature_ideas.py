"""The brainstorm: what a person would try, in words that a person would use."""

import numpy as np

from bottega.data.table_feature_ideas import MOST_NUMBERS, TableColumns, brainstorm
from bottega.data.table_features import OF_TARGET
from bottega.data.table_preparation import Encoding, TablePreparation

PREPARED = TablePreparation(
    (
        Encoding("price", "number"),
        Encoding("area", "number"),
        Encoding("town", "category", ("Lucca", "Prato", "Siena", "Arezzo", "Pisa")),
        Encoding("garden", "category", ("no", "yes")),
        Encoding("sold", "date", format="%Y-%m-%d"),
        Encoding("listed", "date", format="%Y-%m-%d %H:%M"),
    )
)
X = np.random.default_rng(0).integers(1, 5, (60, len(PREPARED.features))).astype(np.float32)


def ideas(classes=(), x=X, prepared=PREPARED):
    columns = TableColumns.of(prepared, "rent", classes)
    return brainstorm(columns, x, np.ones(x.shape[1], np.float32))


def words(*args, **keywords):
    return [one.words for one in ideas(*args, **keywords)]


def test_what_is_tried_of_two_numbers():
    found = words()
    for one in ("price ÷ area", "area ÷ price", "price × area", "price − area", "price + area", "log(price)"):
        assert one in found
    assert len(found) == len(set(found))


def test_what_is_tried_of_dates():
    found = words()
    assert {
        "days from listed to sold", "sold at a weekend", "time of year of sold (sine)",
        "time of day of listed (cosine)",
    } <= set(found)  # fmt: skip
    assert "time of day of sold (sine)" not in found
    assert not any("weekday" in one for one in found)  # every model has it as it is


def test_what_is_tried_of_categories():
    found = words()
    assert {
        "share of rows with the same town", "mean rent by town", "mean price by town", "price − mean price by town",
        "area ÷ mean area by garden", "price where garden is yes, else 0",
    } <= set(found)  # fmt: skip
    assert "price where town is Pisa, else 0" not in found  # too many levels


def test_of_two_classes_one_share_is_tried_and_of_three_each():
    two, three = ({one.words: one.number for one in ideas(names) if one.kind == OF_TARGET} for names in ("ab", "abc"))
    assert [name for name in two if "town" in name] == ["share of rent = b by town"]
    assert two["share of rent = b by town"] == 1
    assert [three[f"share of rent = {label} by town"] for label in "abc"] == [0, 1, 2]


def test_counts_are_shifted_before_the_logarithm_and_negative_numbers_have_none():
    x = X.copy()
    x[0, 0], x[0, 1] = 0, -1
    found = words(x=x)
    assert "log(1 + price)" in found
    assert not any(one.startswith("log") and "area" in one for one in found)


def test_what_does_not_move_is_combined_with_nothing():
    x = X.copy()
    x[:, 1] = 3
    assert not any("area" in one for one in words(x=x))


def test_columns_that_a_model_used_most_come_first_where_there_are_many():
    names = [f"n{i:02d}" for i in range(30)]
    prepared = TablePreparation(tuple(Encoding(name, "number") for name in names))
    x = np.random.default_rng(0).normal(size=(50, 30)).astype(np.float32)
    uses = np.arange(30, dtype=np.float32)
    found = brainstorm(TableColumns.of(prepared, "y", ()), x, uses)
    paired = {column for one in found if len(one.columns) == 2 for column in one.columns}
    assert paired == set(range(30 - MOST_NUMBERS, 30))
    assert len(found) == 5 * MOST_NUMBERS * (MOST_NUMBERS - 1) // 2
