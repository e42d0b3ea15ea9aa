import json
import os
import pty
import re
import subprocess
import sys

import pytest

import bottega
from bottega.cli.words_lines import caret_lines
from command import run_bottega
from word_material import as_binary, as_text, planted


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("words")
    (folder / "v.bin").write_bytes(as_binary(*planted()))
    bottega.Words(folder / "v.bin")  # converts them
    return folder


def asked(home, *said):
    done = run_bottega("words", "v.bin", *map(str, said), cwd=home)
    assert (done.status, done.err) == (0, ""), done.err
    return done


def typed(home, text, *said):
    """Questions from a pipe."""
    command = [sys.executable, "-m", "bottega.cli.main", "words", "v.bin", *said]
    return subprocess.run(command, cwd=home, input=text, capture_output=True, encoding="utf-8")


def test_the_first_question_converts_and_says_so(tmp_path):
    (tmp_path / "glove.txt").write_bytes(as_text(*planted(), header=False))
    done = run_bottega("words", "glove.txt", "Rome - Italy + France", cwd=tmp_path)
    assert done.out.startswith("Paris ")
    assert "converting glove.txt" in done.err
    assert (tmp_path / "glove.txt.bottega").exists()
    again = run_bottega("words", "glove.txt.bottega", "Rome - Italy + France", cwd=tmp_path)
    assert (again.out.partition("Vectors")[0], again.err) == (done.out.partition("Vectors")[0], "")


def test_both_rules_side_by_side(home):
    lines = asked(home, "Rome - Italy + France").out.splitlines()
    assert lines[0] == "Paris   by both rules, the question's own words left out"
    assert lines[2].split() == ["3CosAdd:", "3CosMul:"]
    assert lines[3].split() == ["own", "words", "left", "out", "nothing", "left", "out"] * 2
    assert len(lines) <= 25
    assert max(map(len, lines)) <= 80


def test_the_question_may_stand_without_quotes_and_begin_with_a_sign(home):
    assert asked(home, "Rome", "-", "Italy", "+", "France").out.startswith("Paris ")
    assert asked(home, "--", "- Italy + Rome + France").out.startswith("Paris ")


def test_the_exclusion_and_the_bias_are_told(home):
    out = asked(home, "doctor - man + woman").out
    assert "Without leaving out the question's own words the answer is one of" in out
    assert "--bias" in out
    assert "--bias" not in asked(home, "Rome - Italy + France").out


def test_the_json_document(home):
    record = asked(home, "Rome - ITALY + France", "--json", "-n", 3).document
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
    ("said", "first", "n"),
    [
        (("--near", "Paris"), "France", 10),
        (("--near", "new york"), None, 10),
        (("--odd-one-out", "Rome Paris Madrid doctor"), "doctor", 4),
        (("--similarity", "Rome", "Italy"), "Italy", 1),
        (("--between", "Rome", "Paris"), None, 10),
    ],
)
def test_other_questions(home, said, first, n):
    answers = asked(home, *said, "--json").document["answers"]
    assert len(answers) == n
    assert first in (None, answers[0]["word"])
    lines = asked(home, *said).out.splitlines()
    assert lines[0].startswith(f"{answers[0]['word']} ")
    assert len(lines) <= 25


def test_explain_shows_the_pull_of_each_word(home):
    out = asked(home, "Rome - Italy + France", "--explain").out
    assert "similarity  =        Rome       Italy      France" in out
    paris = next(line for line in out.splitlines() if line.startswith("Paris")).split()
    assert float(paris[1]) == pytest.approx(sum(map(float, paris[2:])), abs=0.002)


def test_tests_bias_map_and_their_json(home):
    (home / "q.txt").write_text(": capitals\nRome Italy Paris France\nRome Italy Oslo Norway\n")
    (home / "p.tsv").write_text("Rome\tItaly\t9\nRome\tking\t1\nking\tqueen\t8\nman\tParis\t0\nOslo\tRome\t7\n")
    (home / "w.txt").write_text("Rome\nParis\nMadrid\nking\nqueen\nman\nwoman\n")
    (home / "l.json").write_text(
        json.dumps({"pairs": [["man", "woman"], ["king", "queen"], ["he", "she"]], "words": ["doctor", "actor"]})
    )
    for said, head in (
        (("--analogies", "q.txt"), "50.0 % of 2 questions right"),
        (("--pairs", "p.tsv"), "Spearman"),
        (("--bias", "--lists", "l.json", "-o", "b.html"), "WEAT"),
        (("--map", "w.txt", "-o", "m.svg"), "7 words on a plane"),
    ):
        for words in (said, (*said, "--json")):
            done = run_bottega("words", "v.bin", *words, cwd=home)
            assert done.status == 0
            assert head in done.out if words == said else done.document["vectors"]["n_dims"] == 24
    assert "<svg" in (home / "b.html").read_text("utf-8")
    assert (home / "m.svg").read_text("utf-8").startswith("<svg")


def test_vectors_of_ones_own(home):
    text = "\n".join("bread soup apple honey" if i % 2 else "nail saw plank screw" for i in range(400))
    (home / "text.txt").write_text(text)
    (home / "kinds.tsv").write_text("bread\tsoup\t9\nbread\tsaw\t1\nnail\tsaw\t9\nhoney\tplank\t1\n")
    command = ("words", "--train", "text.txt", "-o", "own.bottega", "--dims", "12", "--epochs", "3")
    too_few = run_bottega(*command, cwd=home)
    assert too_few.status == 2
    assert "a text of 1,600 words, of which 8 occur 5 times or more" in too_few.err
    (home / "text.txt").write_text(text + "\n" + "the quick brown fox jumps\n" * 50)
    done = run_bottega(*command, "--pairs", "kinds.tsv", "--json", cwd=home)
    assert done.status == 0, done.err
    assert (done.document["n_words"], done.document["epochs"], len(done.document["scores"])) == (13, 3, 3)
    assert run_bottega("words", "own.bottega", "--near", "fox", cwd=home).status == 0
    assert "is there" in run_bottega(*command, cwd=home).err


def test_a_caret_stands_under_the_mistake(home):
    done = run_bottega("words", "v.bin", "Rome - - Italy", cwd=home)
    assert done.status == 2
    assert done.err.splitlines()[:2] == ["  Rome - - Italy", "         ^"]
    assert "Traceback" not in done.err
    assert caret_lines("東京 - - x", 5) == ["  東京 - - x", "         ^"]
    long = "a + " * 40 + "- b"
    shown, caret = caret_lines(long, 160)
    assert shown[caret.index("^")] == "-"


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ((), "no VECTORS"),
        (("v.bin", "a + b", "--near", "Rome"), "a question and --near"),
        (("v.bin", "--map", "w.txt"), "--map without -o"),
        (("--train", "t.txt"), "--train without -o"),
        (("v.bin", "--json"), "--json without a question"),
        (("v.bin", "Rome", "-n", "0"), "0 answers"),
        (("v.bin", "Rome", "--limit", "1"), "--limit 1"),
        (("nothing.bin", "Rome"), "no file 'nothing.bin'"),
        (("v.bin", "--similarity", "Rome", "Itlay"), "did you mean Italy"),
        (("v.bin", "--odd-one-out", "Rome Rome"), "at least three"),
        (("v.bin", "Rome", "--nera"), "no option '--nera'"),
        (("v.bin", "Rome", "--lists", "l.json"), "--lists is for --bias"),
        (("v.bin", "--near", "Rome", "--explain"), "--explain is for a question or --between"),
        (("v.bin", "--train", "t.txt", "-o", "own.bottega"), "VECTORS with --train"),
        (("v.bin", "1e400*Rome"), "a plain number: 0.5*king"),
        (("v.bin", "--near", " "), "name a word"),
        (("v.bin", "--bias", "--seed", "-1"), "seed -1"),
    ],
)
def test_what_cannot_be_done_says_why(home, said, message):
    if "--json" not in said:
        done = run_bottega("words", *said, cwd=home)
        assert done.status == 2
        assert message in done.err
        assert [line[:9] for line in done.error_lines] == ["found:   ", "expected:", "fix:     "]
    as_json = run_bottega("words", *said, "--json", cwd=home)
    assert as_json.status == 2
    assert message in "; ".join(filter(None, as_json.document["error"].values()))


def test_questions_from_a_pipe(home):
    done = typed(home, "Rome - Italy + France\n\nParis\n", "-n", "2")
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split()[0] for line in done.stdout.splitlines() if " by " in line or " near " in line][:2] == [
        "Paris",
        "France",
    ]
    broken = typed(home, "king + + x\nParis\n", "-n", "2")
    assert broken.returncode == 2
    assert "         ^" in broken.stderr
    assert broken.stdout.startswith("France   near Paris")


def test_the_prompt_keeps_its_history_and_completes(home, tmp_path):
    person, program = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-m", "bottega.cli.main", "words", "v.bin", "-n", "2"],
        cwd=home, stdin=program, stdout=program, stderr=program, env=os.environ | {"BOTTEGA_CACHE": str(tmp_path)},
    )  # fmt: skip
    os.close(program)
    shown = b""
    while b"words> " not in shown:
        shown += os.read(person, 4096)
    os.write(person, b"Rome - Italy + Fran\t\n\x04")
    try:
        while piece := os.read(person, 4096):
            shown += piece
    except OSError:  # how Linux says that the other side has gone
        pass
    os.close(person)
    assert child.wait(30) == 0
    plain = re.sub(rb"\x1b\[[0-9;?]*[a-zA-Z]", b"", shown).decode()
    assert 'ask as in "Rome - Italy + France"' in plain
    assert "Paris   by both rules" in plain
    assert "Rome - Italy + France" in (tmp_path / "words_history").read_text()


def test_from_python(home):
    record = bottega.words(home / "v.bin", "Rome - Italy + France", k=1)
    assert record.answers[0].word == "Paris"
    opened = bottega.Words(home / "v.bin")
    assert opened.near("Paris").answers[0].word == "France"
    assert opened.odd_one_out("Rome Paris Madrid doctor").answers[0].word == "doctor"
    with pytest.raises(bottega.BottegaError, match="Itly"):
        opened.ask("Rome - Itly")


def test_no_torch_is_imported(home):
    code = (
        "import sys, bottega\n"
        "bottega.words('v.bin', 'Rome - Italy + France')\n"
        "print([m for m in ('torch', 'sklearn', 'gensim', 'scipy', 'onnxruntime') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=home, capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr
