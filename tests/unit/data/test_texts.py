from pathlib import Path

import numpy as np
import pytest

from bottega.data.table_names import is_text_folder
from bottega.data.tables import read_table
from bottega.data.texts import bare, digests, read_text_folder, text_column, text_groups, texts_of
from bottega.errors import BottegaError
from bottega.problem.table import TableChoices


def table(folder: Path, lines: str, **choices: object):
    path = folder / "texts.csv"
    path.write_text(lines, "utf-8")
    return read_table(path, TableChoices(**choices))  # type: ignore[arg-type]


def rows(n: int, extra: str = "") -> str:
    return "".join(f"this is the text number {i} of them,{'yes' if i % 2 else 'no'}{extra}\n" for i in range(n))


def test_one_long_text_column_and_few_labels_are_texts(tmp_path: Path) -> None:
    assert text_column(table(tmp_path, "said,label\n" + rows(40))) == "said"


@pytest.mark.parametrize(
    ("head", "extra"),
    [("said,label,age\n", ",7.25"), ("said,label,city\n", ",Rome")],
    ids=["with a number", "with a category"],
)
def test_a_table_with_other_columns_is_a_table(tmp_path: Path, head: str, extra: str) -> None:
    lines = head + "".join(
        f"this is the text number {i} of them,{'yes' if i % 2 else 'no'},{extra[1:]}{i % 3}\n" for i in range(40)
    )
    assert text_column(table(tmp_path, lines)) is None


def test_short_cells_are_no_texts(tmp_path: Path) -> None:
    assert text_column(table(tmp_path, "said,label\n" + "".join(f"word {i},{i % 2}\n" for i in range(40)))) is None


def test_texts_and_labels_are_read_as_they_stand(tmp_path: Path) -> None:
    found = texts_of(table(tmp_path, 'said,label\n"a, b\nc",1\nNone of it,0\n', target="label"), ["said"])
    assert found.texts == ("a, b\nc", "None of it")
    assert found.labels == ("1", "0")
    assert found.names == ("row 2", "row 4") or found.names == ("row 2", "row 3")


def test_several_columns_are_joined_line_by_line(tmp_path: Path) -> None:
    lines = "title,body,label\n" + "".join(f"A title {i},and a body {i},{i % 2}\n" for i in range(30))
    found = texts_of(table(tmp_path, lines, types={"title": "text", "body": "text"}, target="label"), ["title", "body"])
    assert found.texts[3] == "A title 3\nand a body 3"


def test_a_column_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BottegaError, match=r"(?s)no column 'sayd'.*'said'.*--text 'said'"):
        texts_of(table(tmp_path, "said,label\n" + rows(30)), ["sayd"])


def test_numbers_are_no_texts(tmp_path: Path) -> None:
    lines = "amount,label\n" + "".join(f"{i}.5,{'ab'[i % 2]}\n" for i in range(30))
    with pytest.raises(BottegaError, match=r"(?s)a column 'amount' of numbers, given as text.*--text"):
        texts_of(table(tmp_path, lines), ["amount"])


def test_a_folder_with_a_sub_folder_a_class(tmp_path: Path) -> None:
    for name, data in (
        ("good/a.txt", "schön".encode()),
        ("good/b.txt", "schön".encode("cp1252")),
        ("bad/a.txt", b"\xef\xbb\xbfsad"),
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    assert is_text_folder(tmp_path)
    found = read_text_folder(tmp_path)
    assert found.texts == ("sad", "schön", "schön")
    assert found.labels == ("bad", "good", "good")
    assert any("not UTF-8, read as Windows-1252: 'good/b.txt'" in note for note in found.notes)


def test_pictures_with_a_note_beside_them_are_no_texts(tmp_path: Path) -> None:
    (tmp_path / "cats").mkdir()
    for name in ("a.jpg", "b.jpg", "notes.txt"):
        (tmp_path / "cats" / name).touch()
    assert not is_text_folder(tmp_path)
    assert not is_text_folder(tmp_path / "nothing")


def test_white_space_does_not_make_another_text_but_case_does() -> None:
    same = digests(["a  b", " a\nb ", "A b"])
    assert (same[0] == same[1]).all()
    assert (same[0] != same[2]).any()


def test_near_duplicates_are_the_same_without_case_numbers_and_punctuation() -> None:
    texts = ["Win 100 now!", "WIN £250 NOW", "win now or never", "12:30", "12:31", "12:30 ", "", " "]
    assert text_groups(texts).tolist() == [0, 0, 1, 2, 3, 2, 4, 4]
    assert bare("Ünïcode, 5") == "ünïcode"
    assert text_groups([]).dtype == np.int64
