"""Texts in two columns with numbers and categories beside them: one file that takes raw columns, and its report."""

import csv
import html
import io
import json
import re
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

import bottega
from bottega.cli.evaluate import evaluate as evaluate_command
from bottega.cli.look import look as look_command
from bottega.cli.predict import predict as predict_command
from bottega.errors import BottegaError
from bottega.models import sentence
from text_material import made_up_texts

MODEL = "runs/run/model.onnx"
CANDIDATE = "columns and words"
HEAD = ("title", "body", "stars", "shop", "topic")


def rows(n: int, seed: int) -> list[tuple[str, ...]]:
    """Where the words mislead, the stars mostly don't; some titles are empty, and markup and formulas stand in them."""
    rng = np.random.default_rng(seed)
    found = []
    for i, (text, label) in enumerate(zip(*made_up_texts(n, seed=seed), strict=True)):
        words = text.split()
        title = "" if i % 7 == 0 else "<b>=" + " ".join(words[:3])
        topic = label if rng.random() < 0.88 else ("praise", "complaint")[label == "praise"]
        stars = rng.integers(3, 6) if topic == "praise" else rng.integers(1, 4)
        filler = " and the order" * 60 if i % 3 == 0 else ""
        found.append((title, filler + " ".join(words[3:]) + filler, str(stars), ("Rome", "Lyon", "Bern")[i % 3], topic))
    return found


def write(path: Path, lines: list[tuple[str, ...]], head: tuple[str, ...] = HEAD) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([head, *lines])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """mail.csv with 400 rows and a run on its columns; new.csv with 60 others."""
    home = tmp_path_factory.mktemp("columns")
    write(home / "mail.csv", rows(400, 0))
    write(home / "new.csv", rows(60, 9))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        patch.setattr(sentence, "PACKAGE", "not_installed")
        bottega.train("mail.csv", text="title,body", also=["stars", "shop"], target="topic", name="run", ship=CANDIDATE)
    return home


def test_look_hands_the_columns_on(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    look_command("mail.csv", text=["title,body"], also=["stars"], target="topic")
    assert capsys.readouterr().out.splitlines()[-1] == (
        "Next         bottega train mail.csv --text title,body --also stars --target topic"
    )


def test_columns_beside_the_texts_help(home: Path) -> None:
    record = json.loads(Path("runs/run/record.json").read_text("utf-8"))
    val = {one["name"]: one["val"]["score"] for one in record["candidates"] if one["val"]}
    assert record["chosen"] == CANDIDATE
    assert val[CANDIDATE] > val["words and characters"]
    assert val["columns"] > 0.6


def test_the_file_joins_the_columns_itself(home: Path) -> None:
    session = onnxruntime.InferenceSession(MODEL, providers=["CPUExecutionProvider"])
    assert [one.name for one in session.get_inputs()] == ["title", "body", "stars", "shop"]
    fed = {
        "title": np.array(["A lovely", ""], object),
        "body": np.array(["and friendly shop, thanks", "a rude refund"], object),
        "stars": np.array([5, np.nan], np.float32),
        "shop": np.array(["Rome", "Oslo"], object),
    }
    label, probabilities, _ = session.run(None, fed)
    assert label.tolist() == ["praise", "complaint"]
    found = bottega.load(MODEL)({"title": "A lovely", "body": "and friendly shop, thanks", "stars": 5, "shop": "Rome"})
    assert found.probability == pytest.approx(float(probabilities[0].max()), abs=1e-5)


def test_new_rows_are_answered_checked_and_scored(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert bottega.check(MODEL).passed
    record = bottega.evaluate(MODEL, "new.csv", by="shop")
    assert record.seen_in_training == 0
    assert record.by is not None
    assert {value: one.n for value, one in record.by.items()} == {"Bern": 20, "Lyon": 20, "Rome": 20}
    assert 0.5 < bottega.evaluate(MODEL, "mail.csv").seen_in_training < 0.95
    evaluate_command(MODEL, "new.csv", by="shop")
    assert "Accuracy by shop, the worst first:" in capsys.readouterr().out
    write(home / "turned.csv", [row[::-1] for row in rows(60, 9)], HEAD[::-1])
    assert bottega.evaluate(MODEL, "turned.csv").score == record.score


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: bottega.load(MODEL)("a bare text"), r"a bare text.*'title', 'body', 'stars', 'shop'"),
        (lambda: bottega.load(MODEL)({"title": "a", "body": "b", "stars": 3}), r"no column 'shop'"),
        (lambda: bottega.evaluate(MODEL, "new.csv", by="shops"), r"no column 'shops'.*did you mean 'shop'"),
        (lambda: bottega.predict(MODEL, ["a bare text"]), r"a bare text.*a table with these columns"),
    ],
)
def test_what_lacks_a_column_is_refused(home: Path, ask, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(BottegaError, match=f"(?s){message}"):
        ask()


def test_the_report_marks_words_and_shows_what_lies_near(home: Path) -> None:
    page = Path("runs/run/report.html").read_text("utf-8")
    part = page[page.index("The surest mistakes") :]
    assert '<mark class="' in part
    assert "Nearest in training" in part
    assert "&lt;b&gt;=" in part
    assert "<b>=" not in part
    said = [re.sub("<[^>]*>", "", one) for one in re.findall(r'<p class="said[^>]*>(.*?)</p>', part)]
    assert any("…" in one for one in said)
    assert all(len(html.unescape(one)) <= 330 for one in said)


def test_a_run_on_columns_is_reproduced(home: Path) -> None:
    assert bottega.reproduce("runs/run").verdict == "identical"


def test_files_folders_and_lines_are_texts(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    texts, labels = made_up_texts(120, seed=3)
    for number, (text, label) in enumerate(zip(texts, labels, strict=True)):
        path = tmp_path / "texts" / label / f"{number}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    (tmp_path / "texts" / "praise" / "old.txt").write_bytes("caf\xe9 lovely and kind".encode("cp1252"))
    model = bottega.train(tmp_path / "texts", name="files", ship="words, naive Bayes", cv=2)
    answers, rejected = bottega.predict(model, [tmp_path / "texts", "gone.txt"])
    assert len(answers) == 121
    assert [(one.path, one.reason) for one in rejected] == [("gone.txt", "no such file")]
    record = bottega.evaluate(model, tmp_path / "texts")
    assert record.n == 121
    assert record.seen_in_training == 1
    with pytest.raises(BottegaError, match=r"(?s)--by 'x' for a folder of text files"):
        bottega.evaluate(model, tmp_path / "texts", by="x")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a lovely kind shop\n\nrude")))
    predict_command("runs/files/model.onnx", ["-"], json=True)
    document = json.loads(capsys.readouterr().out)
    assert [one["input"] for one in document["answers"]] == ["line 1", "line 2", "line 3"]
    assert document["answers"][0]["label"] == "praise"
