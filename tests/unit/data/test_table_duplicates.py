import numpy as np
import polars as pl
import pytest

from bottega.data.table_duplicates import find_conflicts, find_duplicates, same_columns
from look_material import bundled, table_of, view_of


def test_iris_has_one_row_twice(tmp_path):
    found = find_duplicates(table_of(bundled("iris"), tmp_path, target="target"))
    assert (found.n_groups, found.n_rows, found.n_extra) == (1, 2, 1)
    assert found.groups == ((101, 142),)
    assert found.naive_leak == pytest.approx(2 * 0.7 / 150)


def test_nearly_the_same_rows(tmp_path):
    frame = bundled("wine").head(60)
    changed = frame.head(5).with_columns(alcohol=pl.col("alcohol") + 0.5)
    found = find_duplicates(table_of(pl.concat([frame, changed]), tmp_path, target="target"))
    assert (found.n_extra, found.n_near, found.near_column) == (0, 10, "alcohol")


def test_counting_the_rows_hides_no_copy(tmp_path):
    frame = pl.concat([bundled("wine").head(30)] * 2).with_row_index("id")
    assert find_duplicates(table_of(frame, tmp_path)).n_extra == 30


def test_contradicting_classes_bound_the_accuracy(tmp_path):
    frame = pl.DataFrame(
        {"a": [1, 1, 1, 2] * 25, "b": ["x"] * 50 + ["y"] * 50, "answer": ["no", "no", "yes", "yes"] * 25}
    )
    found = find_conflicts(view_of(table_of(frame, tmp_path, target="answer")))
    assert (found.n_groups, found.n_rows) == (2, 75)
    assert found.bound == pytest.approx(1 - 25 / 100)
    assert set(found.example) == {0, 2}


def test_contradicting_numbers_bound_the_rmse(tmp_path):
    frame = pl.DataFrame(
        {"a": list(range(50)) * 2, "y": [i * 2.5 for i in range(50)] + [i * 2.5 + 2 for i in range(50)]}
    )
    found = find_conflicts(view_of(table_of(frame, tmp_path, target="y")))
    assert found.n_rows == 100
    assert found.bound == pytest.approx(1.0)


def test_no_contradiction(tmp_path):
    assert find_conflicts(view_of(table_of(bundled("wine"), tmp_path, target="target"))) is None


def test_columns_that_say_the_same(tmp_path):
    rng = np.random.default_rng(0)
    size, shop = rng.normal(size=200).round(6), rng.integers(0, 5, 200)
    frame = pl.DataFrame({"size": size, "copy": size, "cubed": size**3, "shop": shop}).with_columns(
        town=pl.col("shop").replace_strict(list(range(5)), list("abcde")), other=pl.Series(rng.normal(size=200))
    )
    found = same_columns(table_of(frame, tmp_path))
    assert ("size", "copy", "the same cells") in found
    assert ("size", "cubed", "each rises and falls with the other") in found
    assert ("shop", "town", "each value of one goes with one value of the other") in found
    assert len(found) == 4
