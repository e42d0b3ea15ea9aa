"""Which columns are texts, which stand beside them, and what is refused."""

import csv
from pathlib import Path

import pytest

from bottega.errors import BottegaError
from bottega.problem.table import TableChoices
from bottega.workflow.look import look
from bottega.workflow.options import train_options
from bottega.workflow.table_options import TableOptions, table_options
from bottega.workflow.text_reading import read_texts
from bottega.workflow.text_trial import look_at_texts
from text_material import made_up_texts

HEAD = ("title", "body", "stars", "when", "topic")


@pytest.fixture
def path(tmp_path: Path) -> str:
    texts, labels = made_up_texts(60)
    with (tmp_path / "mail.csv").open("w", encoding="utf-8", newline="") as file:
        rows = [
            (text.split()[0], " ".join(text.split()[1:]), i % 5, f"2024-01-{i % 28 + 1:02}", label)
            for i, (text, label) in enumerate(zip(texts, labels, strict=True))
        ]
        csv.writer(file).writerows([HEAD, *rows])
    return str(tmp_path / "mail.csv")


def stated(**columns: tuple[str, ...]) -> TableOptions:
    return TableOptions(TableChoices(target="topic"), **columns)


@pytest.mark.parametrize("text", [("title,body",), ("title", "body")], ids=["by a comma", "twice"])
def test_several_columns_are_one_text_a_line_each(path: str, text: tuple[str, ...]) -> None:
    found = read_texts(path, stated(text=text))
    assert found.inputs == ("title", "body")
    assert found.texts.texts[0].split("\n") == [found.texts.cells[0][0], found.texts.cells[1][0]]
    assert found.columns == ("title", "body", "stars", "when")


def test_columns_beside_the_texts_keep_their_kinds(path: str) -> None:
    found = read_texts(path, stated(text=("body",), also=("stars,when",)))
    assert found.also.kinds == {"stars": "number", "when": "date"}


def test_other_values_beside_the_same_texts_are_other_data(path: str, tmp_path: Path) -> None:
    options = train_options(path, {"target": "topic", "text": "body", "also": ["stars"]})
    looked = look_at_texts(path, options, progress=None)
    assert set(looked.cells) == {"body", "stars"}
    lines = Path(path).read_text("utf-8").splitlines()
    first = lines[1].split(",")
    first[2] = "9"
    Path(path).write_text("\n".join([lines[0], ",".join(first), *lines[2:]]), "utf-8")
    assert look_at_texts(path, options, progress=None).fingerprint != looked.fingerprint


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"text": ("title,bdy",)}, r"no column 'bdy'.*--text 'body'"),
        ({"text": ("title", "title")}, r"'title' as text twice"),
        ({"text": ("body",), "also": ("body",)}, r"'body' as text and as also"),
        ({"text": ("body",), "also": ("topic",)}, r"'topic' as also and as target"),
        ({"text": ("stars",)}, r"a column 'stars' of numbers, given as text"),
        ({"text": ("body",), "also": ("star",)}, r"no column 'star'.*'stars'"),
        ({"text": ("title",), "also": ("body",)}, r"'body' of texts beside the texts.*--text title,body"),
    ],
)
def test_columns_that_cannot_be_used_so_are_refused(
    path: str, columns: dict[str, tuple[str, ...]], message: str
) -> None:
    with pytest.raises(BottegaError, match=f"(?s){message}"):
        read_texts(path, stated(**columns))


@pytest.mark.parametrize(
    ("options", "flag"),
    [
        (TableOptions(text=("body",)), "--text 'body'"),
        (TableOptions(TableChoices(target="body")), "--target 'body'"),
        (TableOptions(TableChoices(group="body")), "--group 'body'"),
    ],
)
def test_columns_are_not_stated_for_a_folder_of_files(tmp_path: Path, options: TableOptions, flag: str) -> None:
    for label in "ab":
        (tmp_path / label).mkdir()
        (tmp_path / label / "1.txt").write_text("x")
    with pytest.raises(BottegaError, match=rf"(?s){flag} for .* a folder of text files"):
        read_texts(str(tmp_path), options)


def test_texts_of_one_group_and_their_near_duplicates_stay_together(path: str) -> None:
    rows = list(csv.reader(Path(path).read_text("utf-8").splitlines()))
    rows = [[*row, "author" if i == 0 else f"a{i % 20}" if i != 9 else ""] for i, row in enumerate(rows)]
    rows[5][1] = rows[6][1].upper() + "!"  # a near duplicate by another author
    with Path(path).open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    looked = look_at_texts(
        path, train_options(path, {"target": "topic", "text": "body", "group": "author"}), progress=None
    )
    authors = dict(zip([f"row {i + 1}" for i in range(len(rows))], [row[-1] for row in rows], strict=True))
    group_of: dict[str, set[int]] = {}
    for name, group in zip(looked.names, looked.groups.tolist(), strict=True):
        group_of.setdefault(authors[name], set()).add(group)
    assert all(len(groups) == 1 for author, groups in group_of.items() if author)
    assert group_of["a5"] == group_of["a6"] != group_of["a7"]
    assert looked.facts["group_column"] == "author"


def test_one_group_and_a_time_column_are_refused(path: str) -> None:
    text = Path(path).read_text("utf-8")
    Path(path).write_text("\n".join(f"{line},{'who' if not i else 'me'}" for i, line in enumerate(text.splitlines())))
    stated_group = train_options(path, {"target": "topic", "text": "body", "group": "who"})
    with pytest.raises(BottegaError, match=r"(?s)one group of texts by the column 'who'"):
        look_at_texts(path, stated_group, progress=None)
    by_time = train_options(path, {"target": "topic", "text": "body", "time_column": "when"})
    with pytest.raises(BottegaError, match=r"(?s)--time-column 'when' for texts"):
        look_at_texts(path, by_time, progress=None)


def test_the_recipe_gives_the_columns_back(path: str) -> None:
    options, _ = table_options(path, {"target": "topic", "text": ["title", "body"], "also": "stars"})
    assert options is not None
    assert TableOptions.from_recipe(options.to_recipe()) == options
    assert TableOptions.from_recipe({"target": "topic", "text": "body"}).text == ("body",)


def test_look_tells_what_train_would_refuse(tmp_path: Path) -> None:
    (tmp_path / "few.csv").write_text("text,label\n" + "a few words of it,x\nothers of the text,y\n" * 3, "utf-8")
    record = look(tmp_path / "few.csv", choices=TableOptions(TableChoices(target="label"), text=("text",)))
    assert record.facts["refused"]["found"] == "6 texts with a label"
