"""Texts from looking to the file: the commands as a user types them, without the sentence network."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

import bottega
from bottega.cli.look import look as look_command
from bottega.errors import BottegaError
from bottega.models import sentence
from text_material import made_up_texts


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """texts.csv with 500 texts, and a run on them."""
    home = tmp_path_factory.mktemp("texts")
    texts, labels = made_up_texts(500)
    with (home / "texts.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("said", "topic"), *zip(texts, labels, strict=True)])
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        patch.setattr(sentence, "PACKAGE", "not_installed")
        bottega.train("texts.csv", target="topic", name="run")
    return home


def test_look_is_one_page(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert look_command("texts.csv", target="topic") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "500 texts, to predict 'topic'"
    assert lines[-1] == "Next         bottega train texts.csv --text said --target topic"
    assert len(lines) <= 25


def test_training_tells_what_was_learned_and_what_would_help(home: Path) -> None:
    record = json.loads(Path("runs/run/record.json").read_text("utf-8"))
    assert record["chosen"] != "most frequent class"
    assert any("pip install 'bottega[text]'" in step for step in record["next_steps"])
    page = Path("runs/run/report.html").read_text("utf-8")
    assert "Words were taken out" in page
    assert '<mark class="strong"' in page


def test_the_file_takes_strings_without_our_code(home: Path) -> None:
    session = onnxruntime.InferenceSession("runs/run/model.onnx", providers=["CPUExecutionProvider"])
    said = ["A lovely and friendly shop, thanks!", "Broken, late, and a rude refund.", "", "字 😀"]
    label, probabilities, sure = session.run(None, {"text": np.array(said, object)})
    assert label[:2].tolist() == ["praise", "complaint"]
    assert probabilities.shape == (4, 2)
    np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-5)
    assert sure.dtype == bool
    assert [one.name for one in session.get_inputs()] == ["text"]
    assert session.run(None, {"text": np.zeros(0, object)})[0].shape == (0,)


def test_the_model_is_asked_with_texts_lists_and_files(home: Path) -> None:
    model = bottega.load("runs/run/model.onnx")
    one = model("A lovely and friendly shop, thanks!")
    assert one.label == "praise"
    assert [a.label for a in model(["A lovely and friendly shop, thanks!", "Broken and late"])] == [
        "praise",
        "complaint",
    ]
    answers = model("texts.csv")
    assert len(answers) == 500
    assert np.mean([a.label == b for a, b in zip(answers, made_up_texts(500)[1], strict=True)]) > 0.85
    with pytest.raises(BottegaError, match=r"(?s)nothing at 'text\.csv'.*spelling"):
        model("text.csv")


def test_predictions_evaluation_and_check(home: Path) -> None:
    record = bottega.evaluate("runs/run/model.onnx", "texts.csv")
    assert record.n == 500
    assert record.score > 0.85
    assert 0.5 < record.seen_in_training < 0.95
    assert bottega.check("runs/run/model.onnx").passed


def test_the_report_escapes_what_texts_hold(home: Path) -> None:
    texts, labels = made_up_texts(120, seed=5)
    with (home / "html.csv").open("w", encoding="utf-8", newline="") as file:
        marked = [f"<script>alert({i})</script> {text}" for i, text in enumerate(texts)]
        csv.writer(file).writerows([("said", "topic"), *zip(marked, labels, strict=True)])
    bottega.train("html.csv", target="topic", name="html", cv=2)
    page = Path("runs/html/report.html").read_text("utf-8")
    assert "<script>alert(" not in page


def test_the_same_texts_in_another_order_give_the_same_model(home: Path) -> None:
    with (home / "texts.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    with (home / "other.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([rows[0], *reversed(rows[1:])])
    bottega.train("other.csv", target="topic", name="other")
    cards = [bottega.load(f"runs/{name}/model.onnx").card for name in ("run", "other")]
    assert cards[0].graph_sha256 == cards[1].graph_sha256


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"text": "sad"}, r"no column 'sad'.*--text 'said'"),
        ({"text": "topic"}, r"the column 'topic' as text and as target"),
        ({"ship": "word, naive Bayes"}, r"--ship 'word, naive Bayes'.*--ship 'words, naive Bayes'"),
    ],
)
def test_choices_that_cannot_be_followed_are_refused(home: Path, choices: dict[str, str], message: str) -> None:
    with pytest.raises(BottegaError, match=f"(?s){message}"):
        bottega.train("texts.csv", **{"target": "topic", **choices})  # type: ignore[arg-type]


def test_a_run_is_reproduced(home: Path) -> None:
    assert bottega.reproduce("runs/run").verdict == "identical"


def test_text_files_in_a_folder_for_each_class(home: Path, tmp_path: Path) -> None:
    for number, (text, label) in enumerate(zip(*made_up_texts(120, seed=3), strict=True)):
        path = tmp_path / "texts" / label / f"{number}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    model = bottega.train(tmp_path / "texts", name="folder", ship="words, naive Bayes", cv=2)
    assert model(path).input == str(path)
    assert set(model.labels) == {"complaint", "praise"}


def test_parts_in_files_are_kept_and_twins_across_them_told(home: Path, tmp_path: Path) -> None:
    texts, labels = made_up_texts(300, seed=4)
    for part, rows in (("train", range(250)), ("test", range(240, 300))):
        with (tmp_path / f"{part}.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([("said", "topic"), *((texts[i], labels[i]) for i in rows)])
    bottega.train(tmp_path, target="topic", text="said", name="parts", ship="words, naive Bayes")
    record = json.loads(Path("runs/parts/record.json").read_text("utf-8"))
    assert record["test"]["n"] == 60
    assert record["test"]["source"] == "given"
    leak = next(one for one in record["suspects"] if one["kind"] == "leak")
    assert "10 of 60 test texts (16.7 %) stand in train" in leak["evidence"]
    assert record["metrics"]["accuracy_without_twins"]["n"] == 50


def test_lines_on_standard_input_are_texts(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = "A lovely and\u2028friendly shop!\r\n\nBroken and late".encode()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(said)))
    answers, _ = bottega.predict("runs/run/model.onnx", "-")
    assert [one.input for one in answers] == ["line 1", "line 2", "line 3"]
    assert [answers[0].label, answers[2].label] == ["praise", "complaint"]


def test_a_column_of_numbers_is_no_text(home: Path) -> None:
    with Path("numbers.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("size", "topic"), *((f"{i}.25", "ab"[i % 2]) for i in range(60))])
    with pytest.raises(BottegaError, match=r"(?s)a column 'size' of numbers, given as text"):
        bottega.train("numbers.csv", target="topic", text="size")


def test_a_network_from_scratch_ships_and_passes_its_check(home: Path) -> None:
    bottega.train("texts.csv", target="topic", name="lstm", network="lstm", ship="LSTM", small=True)
    record = json.loads(Path("runs/lstm/record.json").read_text("utf-8"))
    assert record["chosen"] == "LSTM"
    assert record["test"]["score"] > 0.8
    left_out = {one["name"]: one["dropped"] for one in record["candidates"] if "not tried" in (one["dropped"] or "")}
    assert set(left_out) == {"bag of embeddings", "convolutional network"}
    assert left_out["bag of embeddings"] == "not tried: --network lstm asks for another"
    assert any("--small wrote nothing" in step for step in record["next_steps"])
    assert bottega.check("runs/lstm/model.onnx").passed
    assert bottega.load("runs/lstm/model.onnx")("A lovely and friendly shop, thanks!").label == "praise"


def test_a_network_is_reproduced(home: Path) -> None:
    texts, labels = made_up_texts(120, seed=6)
    with (home / "few.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("said", "topic"), *zip(texts, labels, strict=True)])
    bottega.train("few.csv", target="topic", name="bag", network="bag", ship="network", cv=2)
    assert bottega.load("runs/bag/model.onnx").card.chosen == "bag of embeddings"
    assert bottega.reproduce("runs/bag").verdict == "identical"


def test_the_network_of_rows_is_no_matter_of_texts_nor_the_other_way(home: Path) -> None:
    with pytest.raises(BottegaError, match=r"(?s)network 'mlp'.*for texts one of auto, bag, cnn, lstm"):
        bottega.train("texts.csv", target="topic", network="mlp")
    with pytest.raises(BottegaError, match=r"(?s)--network finetune without a pretrained network.*bottega\[text\]"):
        bottega.train("texts.csv", target="topic", network="finetune")


def test_the_words_that_answers_hang_on(home: Path) -> None:
    many = bottega.explain("runs/run/model.onnx", "texts.csv", rows=60)
    assert many.words is not None
    assert (many.words.n, many.words.n_used, many.target) == (500, 60, "topic")
    spoken = {one.word: one.label for one in many.words.words[:10]}
    assert set(spoken.values()) == {"praise", "complaint"}
    assert all(one.change > 0 and one.n_texts >= 3 for one in many.words.words[:10])
    one = bottega.explain("runs/run/model.onnx", "Broken, late, and a rude refund.")
    assert one.words is not None
    assert (one.words.answer, one.words.text) == ("complaint", "the text")
    assert {word.word for word in one.words.words} == {"broken", "late", "and", "a", "rude", "refund"}
    long = bottega.explain("runs/run/model.onnx", " ".join(f"word{i}" for i in range(300)))  # no name of a file
    assert long.words is not None
    assert len(long.words.words) == 200
    assert long.notes == ("of the text only the first 200 different words were taken out",)
    row = bottega.explain("runs/run/model.onnx", "texts.csv", row=3)
    assert row.words is not None
    assert row.words.text == "row 3"
    with pytest.raises(BottegaError, match="no row 9000.*\nexpected: one of row 2 to row 501"):
        bottega.explain("runs/run/model.onnx", "texts.csv", row=9000)
    with pytest.raises(BottegaError, match="--row 3 for a text, not for a table"):
        bottega.explain("runs/run/model.onnx", "Broken and late", row=3)
    with pytest.raises(BottegaError, match="--metric accuracy with a model of texts"):
        bottega.explain("runs/run/model.onnx", "texts.csv", metric="accuracy")
