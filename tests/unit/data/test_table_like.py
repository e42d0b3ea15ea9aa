"""Rows for a model whose columns are known: files, frames and records, refused by row and column."""

import datetime
import math
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from bottega.data.table_cells import cells_of
from bottega.data.table_like import (
    cells_of_frame,
    cells_of_records,
    column_specs,
    is_frame,
    read_like,
    require_columns,
    share_unknown,
)
from bottega.data.table_preparation import fit_preparation
from bottega.data.tables import read_table
from bottega.errors import BottegaError
from bottega.problem.table import ColumnSpec, TableChoices

SPECS = (
    ColumnSpec("size", "number", "float32", "size", missing=("-999",)),
    ColumnSpec("colour", "category", "string", "colour", levels=("blue", "red"), missing=("?",)),
    ColumnSpec("day", "date", "string", "day", format="%Y-%m-%d", written="%d/%m/%Y"),
)
ROW = {"size": 2.5, "colour": "red", "day": "03/04/2021"}


def test_a_file_is_read_as_training_read_its_own(tmp_path: Path) -> None:
    lines = [
        f"{i},{'-999' if i % 9 == 0 else f'{i / 7:.3f}'},{'red' if i % 2 else '007'},{i % 28 + 1:02d}/03/2021"
        for i in range(60)
    ]
    train = tmp_path / "train.csv"
    train.write_text("\n".join(["id,size,colour,day", *lines]), "utf-8")
    table = read_table(train)
    taken = cells_of(table)
    prepared = fit_preparation(taken.cells, taken.kinds, np.arange(60), taken.formats)
    specs = column_specs(table, prepared, taken.cells)
    assert [one.column for one in specs] == ["size", "colour", "day"]
    few = tmp_path / "few.csv"
    few.write_text("\n".join(["day,colour,size,id", "01/03/2021,007,-999,0", "02/03/2021,red,1.5,1"]), "utf-8")
    found = cells_of_frame(read_like(few, specs).frame, specs)
    assert math.isnan(found["size"][0])
    assert found["size"][1] == 1.5
    assert found["colour"].tolist() == ["007", "red"]
    assert found["day"].tolist() == ["01/03/2021", "02/03/2021"]  # the graph reads this format itself
    again = cells_of_frame(read_like(train, specs).frame, specs)
    for name, cells in taken.cells.items():
        np.testing.assert_array_equal(again[name], cells)


def test_codes_that_the_user_took_away_stay_away(tmp_path: Path) -> None:
    path = tmp_path / "train.csv"
    path.write_text(
        "\n".join(["grade,other", *(f"{'none' if i % 3 else 'NA'},{'NA' if i % 4 else 'x'}" for i in range(40))])
    )
    table = read_table(path, TableChoices(missing_in={"grade": ("",)}))
    taken = cells_of(table, [table.column("grade")])
    specs = column_specs(table, fit_preparation(taken.cells, taken.kinds, np.arange(40)), taken.cells)
    assert specs[0].missing == ()
    assert cells_of_records([{"grade": "NA"}], specs)["grade"].tolist() == ["NA"]
    assert cells_of_frame(read_like(path, specs).frame, specs)["grade"][0] == "NA"


def test_a_cell_of_another_kind_is_refused_in_words_of_this_place(tmp_path: Path) -> None:
    path = tmp_path / "new.csv"
    path.write_text("size,colour,day\n1,red,01/02/2020\nwide,red,01/02/2020\n", "utf-8")
    with pytest.raises(
        BottegaError, match=r"no number: row 3 'wide'.*\nexpected: a number in each cell, as in training"
    ):
        read_like(path, SPECS)


def test_columns_that_lack_or_are_strange() -> None:
    require_columns(["day", "size", "colour", "price"], SPECS, ["price"])
    with pytest.raises(BottegaError, match=r"no column 'colour'.*\n.*\nfix: rename 'color' to 'colour'"):
        require_columns(["day", "size", "color"], SPECS, [])
    with pytest.raises(BottegaError, match=r"the column 'weight', which training did not have\n.*\nfix: take the col"):
        require_columns(["day", "size", "colour", "weight"], SPECS, [])


@pytest.mark.parametrize(
    ("change", "column", "cell"),
    [
        ({"size": "2.5 "}, "size", 2.5),
        ({"size": -999}, "size", None),
        ({"size": None}, "size", None),
        ({"size": np.float32(0.5)}, "size", 0.5),
        ({"size": True}, "size", 1.0),
        ({"colour": "?"}, "colour", ""),
        ({"colour": " red "}, "colour", "red"),
        ({"colour": 7.0}, "colour", "7"),
        ({"colour": False}, "colour", "false"),
        ({"colour": float("nan")}, "colour", ""),
        ({"day": "2021-04-03"}, "day", "2021-04-03"),
        ({}, "day", "2021-04-03"),
        ({"day": datetime.date(2021, 4, 3)}, "day", "2021-04-03"),
        ({"day": ""}, "day", ""),
    ],
)
def test_a_record_is_taken_as_it_is_meant(change: dict[str, Any], column: str, cell: Any) -> None:
    found = cells_of_records([{**ROW, **change}], SPECS)[column][0]
    assert math.isnan(found) if cell is None else found == cell


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"size": "2,5"}, r"'2,5' in the column 'size' \(row 2, column 'size'\)\nexpected: a number, as in training"),
        ({"size": "inf"}, r"'inf' in the column 'size'.*\nexpected: a finite number"),
        ({"size": [1]}, r"\[1\] in the column 'size'"),
        ({"colour": {}}, r"\{\} in the column 'colour'.*\nexpected: a text"),
        ({"day": "yesterday"}, r"'yesterday' in the column 'day'.*\nexpected: a date like %d/%m/%Y"),
    ],
)
def test_a_record_that_does_not_fit_is_refused_with_its_place(change: dict[str, Any], said: str) -> None:
    with pytest.raises(BottegaError, match=said):
        cells_of_records([ROW, {**ROW, **change}], SPECS)


def test_no_records_and_no_mappings() -> None:
    assert {name: len(cells) for name, cells in cells_of_records([], SPECS).items()} == {
        "size": 0,
        "colour": 0,
        "day": 0,
    }
    with pytest.raises(BottegaError, match=r"a list for a row \(row 1\)"):
        cells_of_records([[1, 2]], SPECS)  # type: ignore[list-item]


def test_frames_are_told_from_other_things() -> None:
    assert is_frame(pl.DataFrame({"a": [1]}))
    assert not is_frame({"a": [1]})


def test_the_share_of_unknown_categories_leaves_missing_cells_out() -> None:
    assert share_unknown(np.array(["red", "", "pink", "blue"], object), ("blue", "red")) == 0.25
    assert share_unknown(np.array([], object), ("blue",)) == 0.0
