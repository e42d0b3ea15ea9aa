import io
import sys

import pytest

from bottega.data import tables
from bottega.data.table_names import is_table
from bottega.data.tables import read_table
from bottega.errors import BottegaError
from bottega.problem.table import TableChoices


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


CSV = "id,when,size,colour,price\n" + "".join(
    f"{i},2020-01-{i % 28 + 1:02d},{i * 1.5},{'red' if i % 3 else 'blue'},{i * i}\n" for i in range(100, 140)
)


def test_a_table_has_typed_columns_with_roles(tmp_path):
    path = write(tmp_path / "x.csv", CSV)
    table = read_table(path, TableChoices(target="price", ignore=("size",), time_column="when"))
    assert [column.kind for column in table.columns] == ["identifier", "date", "number", "yes/no", "number"]
    assert [column.role for column in table.columns] == ["feature", "time", "ignored", "feature", "target"]
    assert [column.name for column in table.features] == ["when", "colour"]
    assert table.target is table.column("price")
    assert table.frame["size"][:2].to_list() == [150.0, 151.5]
    assert table.rows[:2].tolist() == [2, 3]
    assert len(table) == 40


def test_a_target_is_found_by_its_name_only(tmp_path):
    assert read_table(write(tmp_path / "x.csv", CSV)).target is None
    table = read_table(write(tmp_path / "y.csv", CSV.replace("price", "Label")))
    assert (table.choices.target, table.guessed) == ("Label", "its name says so")


def test_columns_that_leave_no_doubt_decide_about_the_comma(tmp_path):
    rows = "".join(f"{i},5;1,{i}00\n" for i in range(1, 9))
    table = read_table(write(tmp_path / "x.csv", "a;b\n" + rows))
    assert table.frame["b"][0] == 1.1
    rows = "".join(f'"{i}.5";"1,{i}00"\n' for i in range(1, 9))
    assert read_table(write(tmp_path / "y.csv", "a;b\n" + rows)).frame["b"][0] in (1.1, 1100.0)


def test_the_nearest_column_is_suggested(tmp_path):
    with pytest.raises(BottegaError, match="no column 'prize'(.|\n)*did you mean 'price'"):
        read_table(write(tmp_path / "x.csv", CSV), TableChoices(target="prize"))
    with pytest.raises(BottegaError, match="no column 'colours'"):
        read_table(tmp_path / "x.csv", TableChoices(types={"colours": "category"}))


@pytest.mark.parametrize("suffix", [".csv", ".data"])
def test_a_file_is_known_by_its_suffix_or_its_content(tmp_path, suffix):
    assert len(read_table(write(tmp_path / f"x{suffix}", CSV))) == 40
    lines = '{"a": 1, "b": "x"}\n' * 3
    assert read_table(write(tmp_path / "x.json", lines)).reading.format == "JSON lines"


def test_standard_input(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(CSV.encode())))
    table = read_table("-")
    assert (table.name, len(table)) == ("standard input", 40)


def test_what_is_not_there(tmp_path):
    write(tmp_path / "wine.csv", CSV)
    with pytest.raises(BottegaError, match="nothing at(.|\n)*did you mean 'wine.csv'"):
        read_table(tmp_path / "wines.csv")
    with pytest.raises(BottegaError, match="which is no file"):
        read_table(tmp_path)


def test_sizes_are_bounded(tmp_path, monkeypatch):
    path = write(tmp_path / "x.csv", CSV)
    monkeypatch.setattr(tables, "MAX_RECORD_BYTES", 10)
    with pytest.raises(BottegaError, match=r"a first line of more than .* \(y.csv, row 1\)"):
        read_table(write(tmp_path / "y.csv", "x" * 100))
    monkeypatch.setattr(tables, "MAX_FILE_BYTES", 100)
    with pytest.raises(BottegaError, match="a file of"):
        read_table(path)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(CSV.encode())))
    with pytest.raises(BottegaError, match="more than .* GB"):
        read_table("-")


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("x.csv", "age,income\n39,high\n", True),
        ("x.csv", "month,passengers\n1949-01,112\n", True),
        ("x.csv", "path,label\na.jpg,rose\n", False),
        ("x.csv", "a.jpg,rose\nb.jpg,tulip\n", False),
        ("x.csv", "path,label,part\na,rose,train\n", False),
        ("x.csv", "", True),
        ("x.parquet", "", True),
        ("x.zip", "", False),
    ],
)
def test_tables_are_told_from_lists_of_pictures(tmp_path, name, text, expected):
    assert is_table(write(tmp_path / name, text)) == expected


def test_other_names_of_tables(tmp_path):
    assert is_table("-")
    assert is_table("my.db::people")
    assert is_table(tmp_path / "gone.csv")
    assert not is_table(tmp_path)
    assert not is_table("digits")
