import polars as pl
import pytest

from bottega.data.table_checks import require_trainable_table, target_values, task_of
from bottega.errors import BottegaError
from bottega.problem.records import Suspect
from look_material import bundled, table_of

N = 60
BASE = pl.DataFrame({"a": [i % 7 + 0.5 for i in range(N)], "b": [f"k{i % 3}" for i in range(N)]})


def with_target(values, folder, **choices):
    return table_of(BASE.with_columns(y=pl.Series(values, strict=False)), folder, target="y", **choices)


def test_a_trainable_table_passes(tmp_path):
    table = table_of(bundled("wine"), tmp_path, target="target")
    task = task_of(table)
    require_trainable_table(table, task)
    assert (task.kind, task.classes) == ("classification", ("class_0", "class_1", "class_2"))
    assert target_values(table, task).unique().sort().to_list() == list(task.classes)


def test_classes_are_labels_and_numbers_stay_numbers(tmp_path):
    table = with_target([i % 2 for i in range(N)], tmp_path)
    assert task_of(table).classes == ("0", "1")
    assert target_values(table, task_of(table)).unique().sort().to_list() == ["0", "1"]
    table = with_target([i * 1.5 for i in range(N)], tmp_path)
    assert task_of(table).kind == "regression"
    assert target_values(table, task_of(table)).dtype == pl.Float64


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["x"] * N, "'y' has one value in every row"),
        ([None] * N, "0 rows with a target"),
        (["x", "z"] + [None] * (N - 2), "2 rows with a target"),
        ([f"who is {i} and why" for i in range(N)], "'y' has 60 different values in 60 rows, nothing that repeats"),
        (["x", "z"] * 29 + ["rare", "x"], r"1 of 3 classes with a single row: 'rare' \(data, column 'y', row 60\)"),
        ([1.5, float("inf")] + [i * 2.5 for i in range(N - 2)], r"infinite numbers in 'y', rows 3 \(data, row 3\)"),
        ([f"2020-01-{i % 28 + 1:02d}" for i in range(N)], "'y' is a date"),
    ],
)
def test_targets_that_nothing_can_be_trained_on(values, message, tmp_path):
    table = with_target(values, tmp_path)
    suspect = Suspect("leak", "a", "b", "c")
    with pytest.raises(BottegaError, match=message) as stop:
        require_trainable_table(table, task_of(table), [suspect])
    assert stop.value.suspects == [{"kind": "leak", "where": "a", "evidence": "b", "fix": "c"}]


def test_other_tables_that_nothing_can_be_trained_on(tmp_path):
    table = table_of(BASE, tmp_path)
    with pytest.raises(BottegaError, match="no target(.|\n)*--target b, for instance"):
        require_trainable_table(table, task_of(table))
    table = table_of(BASE.head(1), tmp_path, target="b")
    with pytest.raises(BottegaError, match="1 row with a target"):
        require_trainable_table(table, task_of(table))
    table = table_of(BASE, tmp_path, target="b", ignore=("a",))
    with pytest.raises(BottegaError, match="no column to predict from"):
        require_trainable_table(table, task_of(table))
