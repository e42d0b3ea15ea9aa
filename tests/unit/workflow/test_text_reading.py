"""Which tables are taken for texts without being told."""

from pathlib import Path

import pytest

from bottega.problem.table import TableChoices
from bottega.workflow.text_reading import HEAD_BYTES, found_text_column
from text_material import made_up_texts

HEADER = "number,topic,said\n"


def write(path: Path, rows: list[str]) -> str:
    path.write_text(HEADER + "\n".join(rows) + "\n", "utf-8")
    return str(path)


def test_where_reading_stops_within_a_row_does_not_matter(tmp_path: Path) -> None:
    """The first lines are looked at by bytes; a row that is cut within its first cell has no column of texts."""
    texts, labels = made_up_texts(200)
    length = next(n for n in range(340, 500) if (HEAD_BYTES - len(HEADER)) % n in (2, 3, 4))
    rows = [
        f"{i:05},{label},{' '.join([text] * 9)}"[: length - 1].ljust(length - 1, "x")
        for i, (text, label) in enumerate(zip(texts, labels, strict=True))
    ]
    path = write(tmp_path / "texts.csv", rows)
    assert Path(path).read_bytes()[:HEAD_BYTES].rpartition(b"\n")[2].isdigit()
    assert found_text_column(path, TableChoices(target="topic")) == "said"


def test_empty_cells_do_not_make_the_others_shorter(tmp_path: Path) -> None:
    texts, labels = made_up_texts(120)
    rows = [
        f"{i:05},{label},{'' if i % 3 else text}" for i, (text, label) in enumerate(zip(texts, labels, strict=True))
    ]
    path = write(tmp_path / "texts.csv", rows)
    assert found_text_column(path, TableChoices(target="topic")) == "said"


@pytest.mark.parametrize("column", ["short words", "17"])
def test_a_table_of_short_cells_is_no_texts(tmp_path: Path, column: str) -> None:
    rows = [f"{i:05},{'ab'[i % 2]},{column} {i}" for i in range(60)]
    assert found_text_column(write(tmp_path / "table.csv", rows), TableChoices(target="topic")) is None
