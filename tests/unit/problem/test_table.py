import pytest

from bottega.errors import BottegaError
from bottega.problem.table import Column, TableChoices, column_named, table_choices, table_task


def column(kind, n_distinct, **more):
    return Column("y", kind, "", n_distinct=n_distinct, **more)


@pytest.mark.parametrize(
    ("target", "n_rows", "kind", "why"),
    [
        (None, 100, None, "name the column to be predicted with --target"),
        (column("yes/no", 2), 100, "classification", "2 classes in 'y'"),
        (column("category", 7), 100, "classification", "7 classes"),
        (column("number", 90, whole=True), 100, "regression", "90 different numbers"),
        (column("number", 7, whole=True), 1000, "classification", "--type y=number to predict an amount"),
        (column("number", 7, whole=True, stated=True), 1000, "regression", "7 different numbers"),
        (column("number", 7, whole=True), 30, "regression", "7 different numbers"),
        (column("number", 7), 1000, "regression", "7 different numbers"),
        (column("category", 70), 100, None, "70 classes for 100 rows"),
        (column("constant", 1), 100, None, "one value in every row"),
        (column("constant", 0), 100, None, "no value in any row"),
        (column("identifier", 100), 100, None, "nothing that repeats"),
        (column("date", 50), 100, None, "is a date"),
    ],
)
def test_the_task_follows_from_the_target(target, n_rows, kind, why):
    classes = tuple(map(str, range(target.n_distinct))) if target else ()
    task = table_task(target, n_rows, classes)
    assert (task.kind, task.modality) == (kind, "tables")
    assert why in task.why


def test_choices_as_they_are_typed():
    choices = table_choices(
        target="y",
        types=["zip=category", "a=b=number", "when=date:%d=%m"],
        ignore=["id"],
        missing=["?", "age=0", "age=99", "name="],
    )
    assert choices.types == {"zip": "category", "a=b": "number", "when": "date:%d=%m"}
    assert choices.missing == ("?",)
    assert choices.missing_in == {"age": ("0", "99"), "name": ("",)}
    assert [choices.role(name) for name in ("y", "id", "zip")] == ["target", "ignored", "feature"]


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        ({"types": ["zip"]}, "--type 'zip'"),
        ({"types": ["zip=categroy"]}, "did you mean category"),
        ({"target": "y", "ignore": ["y"]}, "'y' stated as target and as ignore"),
        ({"target": "y", "group": "y"}, "'y' stated as target and as group"),
        ({"target": "y", "time_column": "y"}, "'y' stated as target and as time-column"),
    ],
)
def test_choices_that_contradict_themselves(stated, message):
    with pytest.raises(BottegaError, match=message):
        table_choices(**stated)


def test_a_date_may_be_time_and_group_apart():
    assert TableChoices(time_column="t").role("t") == "time"
    assert column_named("b", ["a", "b"]) == "b"
    with pytest.raises(BottegaError, match="did you mean 'Price'"):
        column_named("price", ["a", "Price"])


def test_several_columns_for_one_are_refused_and_said() -> None:
    with pytest.raises(BottegaError, match=r"2 columns: 'a', 'b'.*\nexpected: one column; `bottega train`") as caught:
        column_named("a, b", ["a", "b", "c"])
    assert caught.value.fix == "--target a"
    assert column_named("a,b", ["a,b", "a", "b"]) == "a,b"
    with pytest.raises(BottegaError, match="no column 'a,d'"):
        column_named("a,d", ["a", "b"])
