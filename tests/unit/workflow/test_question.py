import tomllib

import pytest

from bottega.errors import BottegaError
from bottega.problem.table import TableChoices
from bottega.workflow.look_table import look_at_table, table_record, write_look
from bottega.workflow.question import FILE, merged, read_question
from look_material import bundled, table_of


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def record(folder):
    return table_record(table_of(bundled("wine"), folder, target="target"))


def test_what_look_leaves_is_read_again(record, folder):
    choices = TableChoices(
        target="target", ignore=("ash",), types={"hue": "category"}, missing=("?",), missing_in={"hue": ("0",)}
    )
    assert write_look(record, "data.csv", choices) == ["bottega.toml", "look.html"]
    stated = tomllib.loads((folder / FILE).read_text("utf-8"))
    assert stated["question"] == "What is target, given the other columns?"
    assert stated["metric"] == "accuracy"
    assert read_question("data.csv") == choices
    assert read_question("other.csv") is None
    assert "always answering 'class_1' has an accuracy of 0.399" in (folder / FILE).read_text("utf-8")


def test_the_command_line_comes_before_the_file(record):
    write_look(record, "data.csv", TableChoices(target="target", ignore=("ash",), types={"hue": "category"}))
    again = look_at_table("data.csv", TableChoices(types={"hue": "number"}))
    roles = {column["name"]: (column["kind"], column["role"]) for column in again.facts["columns"]}
    assert roles["hue"] == ("number", "feature")
    assert roles["ash"] == ("number", "ignored")
    assert again.task.target == "target"


def test_writing_twice_keeps_what_was_stated(record):
    write_look(record, "data.csv", TableChoices(target="target", ignore=("ash",)))
    write_look(record, "data.csv", TableChoices(target="target"))
    assert read_question("data.csv").ignore == ("ash",)


def test_another_question_is_not_overwritten(record, folder):
    (folder / FILE).write_text('data = "other.csv"\n')
    with pytest.raises(BottegaError, match="about other data"):
        write_look(record, "data.csv", TableChoices())
    with pytest.raises(BottegaError, match="no table in a file"):
        write_look(record, "-", TableChoices())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("data = ", "expected: TOML"),
        ('data = "data.csv"\ntargte = "a"', "the key 'targte'(.|\n)*did you mean target"),
        ('data = "data.csv"\ntarget = 3', "target = 3"),
        ('data = "data.csv"\nignore = "a"', "ignore = 'a'"),
        ('data = "data.csv"\n[missing]\na = 3', "missing = "),
        ('data = "data.csv"\n[types]\na = "nothing"', "the type 'nothing'"),
    ],
)
def test_a_file_that_means_nothing_is_refused(folder, text, message):
    (folder / FILE).write_text(text)
    with pytest.raises(BottegaError, match=message):
        read_question("data.csv")


def test_names_of_any_kind_survive(folder):
    odd = 'a "quoted" \\ name\x7f 😀\nof two lines'
    frame = bundled("iris").rename({"sepal length (cm)": odd})
    record = table_record(table_of(frame, folder, target="target", ignore=(odd,)))
    write_look(record, "data.csv", TableChoices(target="target", ignore=(odd,), types={odd: "number"}))
    assert read_question("data.csv").types == {odd: "number"}


def test_nothing_written_is_nothing_merged():
    stated = TableChoices(target="a")
    assert merged(stated, None) is stated
