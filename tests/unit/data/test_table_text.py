import numpy as np
import pytest

from bottega.data import table_rows
from bottega.data.table_text import read_text
from bottega.errors import BottegaError


def cells(data, name="x.csv"):
    return read_text(data, name).frame.to_dict(as_series=False)


def test_header_and_cells():
    grid = read_text(b"age,income\n39,high\n50,low\n", "x.csv")
    assert grid.frame.to_dict(as_series=False) == {"age": ["39", "50"], "income": ["high", "low"]}
    assert grid.rows.tolist() == [2, 3]
    assert (grid.reading.format, grid.reading.encoding, grid.reading.header) == ("CSV", "UTF-8", True)
    assert grid.reading.notes == ()


@pytest.mark.parametrize(
    ("data", "delimiter"),
    [
        (b"a;b\n1,5;2\n2,5;3\n", ";"),
        (b"1,5;2,5\n3,1;4,2\n", ";"),  # commas split each row alike too
        (b"a\tb\n1\t2\n", "\t"),
        (b"a|b\n1|2\n", "|"),
        (b"sep=;\na;b\n1;2\n", ";"),
        (b"a\n1\n2\n", ","),
        (b'a,b\n"x;y",2\n"z;w",3\n', ","),
    ],
)
def test_delimiters(data, delimiter):
    grid = read_text(data, "x")
    assert grid.reading.delimiter == delimiter
    assert grid.frame.width == (1 if data.startswith(b"a\n") else 2)


@pytest.mark.parametrize(
    ("encoding", "said"),
    [
        ("utf-8-sig", "UTF-8 with a byte order mark"),
        ("utf-16", "UTF-16 with a byte order mark"),
        ("cp1252", "Windows-1252"),
    ],
)
def test_encodings_are_found_and_said(encoding, said):
    grid = read_text("name,n\nZoë,1\nÅsa,2\n".encode(encoding), "x.csv")
    assert grid.frame["name"].to_list() == ["Zoë", "Åsa"]
    assert said in grid.reading.notes[0]


def test_lines_of_old_macs_and_of_windows():
    assert cells(b"a,b\r1,2\r3,4") == cells(b"a,b\r\n1,2\r\n3,4\r\n") == {"a": ["1", "3"], "b": ["2", "4"]}


def test_without_a_header():
    grid = read_text(b"1,x\n3,y\n5,x\n", "x.csv")
    assert grid.frame.columns == ["column_1", "column_2"]
    assert grid.rows.tolist() == [1, 2, 3]
    assert "no header" in grid.reading.notes[0]
    words = read_text(b"red,yes\nblue,no\nred,no\n", "x.csv")
    assert not words.reading.header, "words that recur below are data"
    assert read_text(b"colour,sure\nred,yes\nblue,no\nred,no\n", "x.csv").reading.header


def test_blank_rows_keep_the_numbers_of_the_others():
    grid = read_text(b"a,b\n\n1,2\n\n3,4\n\n", "x.csv")
    assert grid.rows.tolist() == [3, 5]
    assert grid.reading.notes == ("2 blank rows left out: 2, 4",)


def test_quotes():
    assert cells(b'a,b\n"x, ""y""\nz",2\n') == {"a": ['x, "y"\nz'], "b": ["2"]}
    inches = read_text(b'size,n\n5" pipe,2\n7" rod,3\n', "x.csv")
    assert inches.frame["size"].to_list() == ['5" pipe', '7" rod']
    assert inches.reading.notes == ("quotes are part of the cells: none opens a cell",)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            b"a,b\n1,2\n3\n4,5,6\n",
            r"row 3 has 1 cell, row 4 has 3 cells, where the first row has 2: '3' \(x.csv, row 3\)",
        ),
        (b'a,b,c\n1,"x,3\n4,y,6\n', r"a lone quote: '1,\"x,3' \(x.csv, line 2, column 2\)"),
        (b'a,b,c\n1,"x,3\n4,y,6\n5,"z,7\n7,8,9\n', r"a lone quote: '1,\"x,3' \(x.csv, line 2, column 2\)"),
        (b'a,b\n"x",1\ny" ,"2\n', r"a lone quote: 'y\" ,\"2' \(x.csv, line 3, column 1\)"),
        ("a,b\né,1\n".encode() + "ü,2\n".encode("latin-1"), r"the bytes b'\\xfc,2\\n', .* \(x.csv, row 3, column 1\)"),
        (b"a,b\n1,\x002\n", r"a NUL byte, which no text has \(x.csv, row 2, column 2\)"),
        ("a,b\n1,2\n".encode("utf-16-le"), "UTF-16 without its byte order mark"),
        (b"a,a,b\n1,2,3\n", r"the name 'a' stands over the columns 1, 2 \(x.csv, row 1\)"),
        (b",".join(b"c%d" % i for i in range(10_000)) + b"\n", "10,000 columns"),
        (b"", "no row"),
        (b"a,b\n", "a header without rows"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(data, message):
    with pytest.raises(BottegaError, match=message) as stop:
        read_text(data, "x.csv")
    assert stop.value.expected
    assert stop.value.fix


def test_a_row_without_an_end_is_refused_before_it_fills_the_memory(monkeypatch):
    monkeypatch.setattr(table_rows, "MAX_RECORD_BYTES", 1000)
    with pytest.raises(BottegaError, match=r"a row of more than .* \(x.csv, row 2\)"):
        read_text(b"a,b\n" + b"x" * 2000, "x.csv")


@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 50])
def test_rows_are_counted_alike_wherever_a_chunk_ends(monkeypatch, chunk):
    """Quotes, line ends and delimiters may be cut by a chunk's end; a million random tables would show it."""
    rng = np.random.default_rng(chunk)
    monkeypatch.setattr(table_rows, "CHUNK_BYTES", chunk)
    for _ in range(30):
        lines = ["a,b,c"]
        for _ in range(5):
            lines.append(",".join(rng.choice(["1", '"x,y"', '"p\nq"', '""', "", '"a""b"']) for _ in range(3)))
        grid = read_text(("\n".join(lines) + "\n" * int(rng.integers(0, 2))).encode(), "x.csv")
        assert grid.frame.shape == (5, 3)
