"""Which columns are shuffled together."""

import numpy as np
import pytest
from sklearn.datasets import load_diabetes

from bottega.problem.table import ColumnSpec
from bottega.understanding.association import column_groups, in_order_of_time
from rows_material import drawn_cells, spec


def test_a_near_copy_goes_with_its_column_and_noise_stays_alone() -> None:
    cells = drawn_cells(500)
    groups = column_groups(cells, [spec(name, column) for name, column in cells.items()])
    assert [group.columns for group in groups] == [("first", "copy"), ("second",), ("noise",), ("colour",)]
    assert groups[0].weakest == pytest.approx(1.0, abs=0.02)
    assert groups[1].weakest is None


def test_two_measures_of_blood_fat_go_together() -> None:
    data = load_diabetes(as_frame=True).data
    cells = {name: data[name].to_numpy() for name in data.columns}
    groups = column_groups(cells, [spec(name, column) for name, column in cells.items()])
    assert ("s1", "s2") in [group.columns for group in groups]
    assert ("age",) in [group.columns for group in groups]


def test_a_number_and_its_name_go_together_in_whatever_order() -> None:
    rng = np.random.default_rng(1)
    grade = rng.integers(0, 4, 400)
    cells = {"number": grade.astype(float), "name": np.array(["d", "a", "c", "b"], object)[grade]}
    (group,) = column_groups(cells, [spec(name, column) for name, column in cells.items()])
    assert group.weakest == pytest.approx(1.0)


def test_names_that_say_the_same_go_together_and_unlike_ones_do_not() -> None:
    rng = np.random.default_rng(2)
    town = rng.integers(0, 5, 600)
    cells = {
        "town": np.array(list("abcde"), object)[town],
        "code": np.array(["0", "1", "2", "3", "4"], object)[town],
        "other": np.array(list("xyz"), object)[rng.integers(0, 3, 600)],
    }
    groups = column_groups(cells, [spec(name, column) for name, column in cells.items()])
    assert [group.columns for group in groups] == [("town", "code"), ("other",)]


def test_many_rare_names_tell_nothing_by_chance() -> None:
    """300 names in 400 rows would 'explain' most of any number; the correction takes that out."""
    rng = np.random.default_rng(3)
    names = np.array([f"name {i}" for i in rng.integers(0, 300, 400)], object)
    cells = {"name": names, "number": rng.normal(size=400)}
    assert len(column_groups(cells, [spec(name, column) for name, column in cells.items()])) == 2


def test_a_chain_of_middling_links_ties_no_distant_columns() -> None:
    rng = np.random.default_rng(4)
    steps = rng.normal(size=(3, 2000))
    middle = steps[0]
    cells = {"left": middle + 0.55 * steps[1], "middle": middle, "right": middle + 0.55 * steps[2]}
    groups = column_groups(cells, [spec(name, column) for name, column in cells.items()])
    assert len(groups) == 2  # left and right reach 0.75 alone


def test_a_constant_column_and_one_that_is_all_missing_go_with_none() -> None:
    cells = {
        "number": np.arange(50.0),
        "same": np.ones(50),
        "none": np.full(50, np.nan),
        "word": np.array(["a"] * 50, object),
        "empty": np.array([""] * 50, object),
    }
    assert len(column_groups(cells, [spec(name, column) for name, column in cells.items()])) == 5


def test_dates_are_in_the_order_of_time() -> None:
    cells = np.array(["03/01/2021", "01/02/2020", "", "no date"], object)
    found = in_order_of_time(cells, "%d/%m/%Y")
    assert found[1] < found[0]
    assert np.isnan(found[2:]).all()
    year = np.array([f"{day:02d}/{month:02d}/2021" for month in range(1, 13) for day in range(1, 11)], object)
    date = ColumnSpec("date", "date", "string", "date", format="%d/%m/%Y")
    (group,) = column_groups({"date": year, "day": np.arange(120.0)}, [date, spec("day", np.arange(120.0))])
    assert group.columns == ("date", "day")


def test_texts_go_with_no_other_column() -> None:
    cells = {name: np.array([f"text {i % 5}" for i in range(50)], object) for name in ("note", "same")}
    cells["word"] = cells["note"]
    columns = [*(ColumnSpec(name, "text", "string", name) for name in ("note", "same")), spec("word", cells["word"])]
    assert len(column_groups(cells, columns)) == 3
