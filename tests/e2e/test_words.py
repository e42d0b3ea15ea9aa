import io
import json
import sys

import pytest
import typer
from typer.testing import CliRunner

from bottega.cli.words import words as words_command
from bottega.cli.words_lines import caret_lines
from bottega.errors import BottegaError
from bottega.workflow.words import Words, words
from word_material import as_binary, planted


@pytest.fixture(scope="module")
def vectors(tmp_path_factory):
    path = tmp_path_factory.mktemp("v") / "vectors.bin"
    path.write_bytes(as_binary(*planted()))
    return path


def run(*said, stdin=None):
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(words_command)
    return CliRunner().invoke(app, [str(word) for word in said], input=stdin, standalone_mode=False)


def answered(*said, **keywords):
    outcome = run(*said, **keywords)
    if outcome.exception is not None:
        raise outcome.exception
    return outcome


def test_both_rules_side_by_side(vectors):
    out = answered(vectors, "Rome - Italy + France").stdout
    assert out.splitlines()[0] == "Paris   by both rules, the question's own words left out"
    assert "3CosAdd:" in out
    assert "3CosMul:" in out
    assert len(out.splitlines()) <= 25
    assert max(map(len, out.splitlines())) <= 80


def test_the_question_may_stand_without_quotes(vectors):
    assert answered(vectors, "Rome", "-", "Italy", "+", "France").stdout.startswith("Paris ")


def test_the_exclusion_and_the_bias_are_told(vectors):
    out = answered(vectors, "doctor - man + woman").stdout
    assert "Without leaving out the question's own words the answer is one of" in out
    assert "--bias" in out
    assert "--bias" not in answered(vectors, "Rome - Italy + France").stdout
    assert "--bias" not in answered(vectors, "man + woman").stdout


def test_the_json_document(vectors):
    record = json.loads(answered(vectors, "Rome - ITALY + France", "--json", "-n", 3).stdout)
    assert record["question"] == "Rome - ITALY + France"
    assert record["answers"][0].keys() == {"word", "similarity"}
    assert record["answers"] == record["rules"]["cosadd"]["without"]
    assert {rule: sorted(sides) for rule, sides in record["rules"].items()} == {
        "cosadd": ["with", "without"],
        "cosmul": ["with", "without"],
    }
    assert [len(side) for sides in record["rules"].values() for side in sides.values()] == [3] * 4
    assert "Not in the vocabulary as written: ITALY → Italy." in record["notes"]


@pytest.mark.parametrize(
    ("said", "first"),
    [
        (("--near", "Paris"), "France"),
        (("--near", "new york"), None),
        (("--odd-one-out", "Rome Paris Madrid doctor"), "doctor"),
        (("--similarity", "Rome", "Italy"), "Italy"),
        (("--between", "Rome", "Paris"), None),
    ],
)
def test_other_questions(vectors, said, first):
    record = json.loads(answered(vectors, *said, "--json").stdout)
    assert record["answers"]
    if first is not None:
        assert record["answers"][0]["word"] == first
    assert answered(vectors, *said).stdout.strip()


def test_explain_shows_the_pull_of_each_word(vectors):
    out = answered(vectors, "Rome - Italy + France", "--explain").stdout
    assert "similarity  =        Rome       Italy      France" in out


def test_tests_bias_map_and_their_json(vectors, tmp_path):
    (tmp_path / "q.txt").write_text(": capitals\nRome Italy Paris France\nRome Italy Oslo Norway\n")
    (tmp_path / "p.tsv").write_text("Rome\tItaly\t9\nRome\tking\t1\nking\tqueen\t8\nman\tParis\t0\nOslo\tRome\t7\n")
    (tmp_path / "w.txt").write_text("Rome\nParis\nMadrid\nking\nqueen\nman\nwoman\n")
    (tmp_path / "l.json").write_text(
        json.dumps({"pairs": [["man", "woman"], ["king", "queen"], ["he", "she"]], "words": ["doctor", "actor"]})
    )
    for said, head in (
        (("--analogies", tmp_path / "q.txt"), "50.0 % of 2 questions right"),
        (("--pairs", tmp_path / "p.tsv"), "Spearman"),
        (("--bias", "--lists", tmp_path / "l.json", "-o", tmp_path / "b.html"), "WEAT"),
        (("--map", tmp_path / "w.txt", "-o", tmp_path / "m.svg"), "7 words on a plane"),
    ):
        assert head in answered(vectors, *said).stdout
        assert json.loads(answered(vectors, *said, "--json").stdout)["vectors"]["n_dims"] == 24
    assert (tmp_path / "b.html").exists()


def test_a_caret_stands_under_the_mistake(vectors):
    outcome = run(vectors, "Rome - - Italy")
    assert isinstance(outcome.exception, BottegaError)
    assert outcome.exception.exit_status == 2
    assert outcome.stderr.splitlines()[-2:] == ["  Rome - - Italy", "         ^"]
    assert caret_lines("東京 - - x", 5) == ["  東京 - - x", "         ^"]
    long = "a + " * 40 + "- b"
    shown, caret = caret_lines(long, 160)
    assert shown[caret.index("^")] == "-"


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ((), "no VECTORS"),
        (("V", "a + b", "--near", "Rome"), "a question and --near"),
        (("V", "--map", "w.txt"), "--map without -o"),
        (("--train", "t.txt"), "--train without -o"),
        (("V", "--json"), "--json without a question"),
        (("V", "Rome", "-n", "0"), "0 answers"),
        (("V", "Rome", "--limit", "1"), "--limit 1"),
        (("nothing.bin", "Rome"), "no file 'nothing.bin'"),
        (("V", "--similarity", "Rome", "Itlay"), "did you mean Italy"),
        (("V", "--odd-one-out", "Rome Rome"), "at least three"),
    ],
)
def test_what_cannot_be_done_says_why(vectors, said, message):
    with pytest.raises(BottegaError, match=message):
        answered(*(vectors if word == "V" else word for word in said))


def test_questions_from_a_pipe(vectors):
    outcome = answered(vectors, "-n", 2, stdin="Rome - Italy + France\n\nking + + x\nParis\n")
    assert next(line.split()[0] for line in outcome.stdout.splitlines() if " by " in line) == "Paris"
    assert "         ^" in outcome.stderr
    assert outcome.exit_code == 0


def test_the_prompt_keeps_its_history_and_completes(vectors, monkeypatch, tmp_path, capsys):
    from bottega.cli import words_shell

    monkeypatch.setenv("BOTTEGA_CACHE", str(tmp_path))
    lines = iter(["Rome - Italy + France"])
    monkeypatch.setattr("builtins.input", lambda _: next(lines, None) or _end())
    monkeypatch.setattr(sys, "stdin", type("Terminal", (io.StringIO,), {"isatty": lambda self: True})())
    words_shell.prompt(Words(vectors), 3)
    assert "Paris" in capsys.readouterr().out
    assert (tmp_path / "words_history").exists()


def _end():
    raise EOFError


def test_from_python(vectors):
    assert words(vectors, "Rome - Italy + France", k=1).answers[0].word == "Paris"


def test_no_torch_is_imported(vectors):
    import subprocess

    code = (
        "import sys; from bottega.workflow.words import words\n"
        f"words({str(vectors)!r}, 'Rome - Italy + France')\n"
        "print([m for m in ('torch', 'sklearn', 'gensim', 'scipy', 'onnxruntime') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr
