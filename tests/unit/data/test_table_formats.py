import io
import sqlite3
import zipfile

import polars as pl
import pytest

from bottega.data import table_formats
from bottega.data.table_formats import read_excel, read_json_lines, read_parquet, read_sqlite
from bottega.errors import BottegaError

FRAME = pl.DataFrame({"age": [39, 50], "income": ["high", None], "ok": [True, False]})

SHEET = """<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>
<row r="1"><c r="A1" t="inlineStr"><is><t>age</t></is></c><c r="B1" t="inlineStr"><is><t>income</t></is></c></row>
<row r="2"><c r="A2"><v>39</v></c><c r="B2" t="inlineStr"><is><t>high</t></is></c></row>
<row r="3"><c r="A3"><v>50</v></c></row></sheetData></worksheet>"""
MAIN = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def workbook(*sheets):
    """The least that is an .xlsx file."""
    listed = "".join(f'<sheet name="{name}" sheetId="{i}" r:id="r{i}"/>' for i, name in enumerate(sheets, 1))
    links = "".join(
        f'<Relationship Id="r{i}" Type="{MAIN}/worksheet" Target="worksheets/sheet{i}.xml"/>'
        for i in range(1, len(sheets) + 1)
    )
    package = "http://schemas.openxmlformats.org/package/2006"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types"><Default Extension="xml" '
        'ContentType="application/xml"/><Default Extension="rels" ContentType="application/xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
        f'Type="{MAIN}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
        f'xmlns:r="{MAIN}"><sheets>{listed}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships">{links}</Relationships>',
        **{f"xl/worksheets/sheet{i}.xml": SHEET for i in range(1, len(sheets) + 1)},
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for path, text in parts.items():
            archive.writestr(path, text)
    return file.getvalue()


def test_parquet():
    file = io.BytesIO()
    FRAME.write_parquet(file)
    grid = read_parquet(file.getvalue(), "x.parquet")
    assert grid.frame.equals(FRAME)
    assert grid.rows.tolist() == [1, 2]
    with pytest.raises(BottegaError, match="cannot be read as Parquet"):
        read_parquet(b"PAR1 and nothing else PAR1", "x.parquet")


def test_columns_of_lists_are_left_out_and_said():
    file = io.BytesIO()
    FRAME.with_columns(tags=pl.Series([["a"], []])).write_parquet(file)
    grid = read_parquet(file.getvalue(), "x.parquet")
    assert grid.frame.columns == ["age", "income", "ok"]
    assert "lists or objects: 'tags'" in grid.reading.notes[0]


def test_json_lines():
    grid = read_json_lines(b'{"age": 39, "income": "high"}\n\n{"age": 50}\n', "x.jsonl")
    assert grid.frame.to_dict(as_series=False) == {"age": [39, 50], "income": ["high", None]}
    assert grid.rows.tolist() == [1, 3]


@pytest.mark.parametrize(
    ("line", "message"),
    [(b'{"age": }', r"no JSON: '{\"age\": }' .* \(x.jsonl, row 2\)"), (b"[1, 2]", r"no object: '\[1, 2\]'")],
)
def test_a_line_that_is_no_object_is_named(line, message):
    with pytest.raises(BottegaError, match=message):
        read_json_lines(b'{"age": 39}\n' + line + b"\n", "x.jsonl")


def test_excel():
    grid = read_excel(workbook("people", "notes"), "x.xlsx", None)
    assert grid.frame.to_dict(as_series=False) == {"age": [39.0, 50.0], "income": ["high", None]}
    assert grid.rows.tolist() == [2, 3]
    assert grid.reading.notes == ("the sheet 'people'; others: 'notes' (name one with x.xlsx::SHEET)",)
    assert read_excel(workbook("people", "notes"), "x.xlsx", "notes").frame.height == 2
    with pytest.raises(BottegaError, match="no sheet 'note'.*\n.*\n.*did you mean 'notes'"):
        read_excel(workbook("people", "notes"), "x.xlsx", "note")
    with pytest.raises(BottegaError, match="cannot be read as Excel"):
        read_excel(b"PK\x03\x04 nothing", "x.xlsx", None)


def test_an_excel_file_that_unpacks_to_too_much_is_refused(monkeypatch):
    monkeypatch.setattr(table_formats, "MAX_UNPACKED_BYTES", 100)
    with pytest.raises(BottegaError, match="unpacks to"):
        read_excel(workbook("people"), "x.xlsx", None)


@pytest.fixture
def database(tmp_path):
    path = tmp_path / "x.db"
    with sqlite3.connect(path) as base:
        base.execute('CREATE TABLE "my people" (age INT, income TEXT, mixed, blob BLOB)')
        base.execute("INSERT INTO \"my people\" VALUES (39, 'high', 1, x'00'), (50, NULL, 'a', x'01')")
        base.execute("CREATE TABLE other (a INT)")
    base.close()
    return path


def test_sqlite(database):
    grid = read_sqlite(database, "my people")
    assert grid.frame.to_dict(as_series=False) == {"age": [39, 50], "income": ["high", None], "mixed": ["1", "a"]}
    with pytest.raises(BottegaError, match="a database with 2 tables: 'my people', 'other'"):
        read_sqlite(database, None)
    with pytest.raises(BottegaError, match="no table 'people'"):
        read_sqlite(database, "people")
    with pytest.raises(BottegaError, match="no row"):
        read_sqlite(database, "other")


def test_a_database_is_never_written_to_or_made(tmp_path):
    (tmp_path / "x.db").write_bytes(b"SQLite format 3\0 and nothing else")
    with pytest.raises(BottegaError, match="cannot be read as SQLite"):
        read_sqlite(tmp_path / "x.db", None)
    with pytest.raises(BottegaError, match="cannot be read as SQLite"):
        read_sqlite(tmp_path / "gone.db", None)
    assert not (tmp_path / "gone.db").exists()


def test_too_many_cells_are_refused(monkeypatch):
    monkeypatch.setattr(table_formats, "MAX_CELLS", 3)
    with pytest.raises(BottegaError, match="2 rows of 2 columns"):
        read_json_lines(b'{"a": 1, "b": 2}\n{"a": 1, "b": 2}\n', "x.jsonl")
