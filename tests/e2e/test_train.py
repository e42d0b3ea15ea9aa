"""`bottega train` from a folder of pictures to the file, and what it does where no file may ship."""

import csv
import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from bottega.errors import BottegaError
from bottega.shipping.model_file import read
from command import CHOICES, TrainedRun, run_bottega
from demo import write_digits


def test_the_record_and_the_folder(trained_run: TrainedRun) -> None:
    record = trained_run.record
    assert record["task"]["classes"] == ["0", "1", "2", "3"]
    assert record["test"]["source"] == "held-out"
    assert record["test"]["low"] <= record["test"]["score"] <= record["test"]["high"]
    assert record["test"]["score"] > 0.9
    kinds = [candidate["kind"] for candidate in record["candidates"]]
    assert kinds.count("baseline") >= 4
    (ships,) = [candidate for candidate in record["candidates"] if candidate["relation"] == "ships"]
    assert ships["name"] == record["chosen"]
    assert ships["kind"] == "network"  # as was asked
    names = {path.name for path in trained_run.run_dir.iterdir()}
    assert names == {
        "recipe.toml", "history.jsonl", "record.json", "report.html", "predictions.csv", "model.onnx",
    }  # fmt: skip
    assert json.loads((trained_run.run_dir / "record.json").read_text()) == record


def test_the_card_says_what_the_record_says(trained_run: TrainedRun) -> None:
    card, _ = read(trained_run.model)
    assert card.labels == ("0", "1", "2", "3")
    assert card.metrics["accuracy"].score == trained_run.record["test"]["score"]
    assert card.verdict == trained_run.record["verdict"]
    assert card.weights[0].licence == "Apache-2.0"
    text = trained_run.model.read_bytes()
    assert str(trained_run.home).encode() not in text
    assert b"digits" not in text  # no path, no name of the data


def test_predictions_are_those_of_the_file(trained_run: TrainedRun) -> None:
    with (trained_run.run_dir / "predictions.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == trained_run.record["test"]["n"]
    right = sum(row["label"] == row["answer"] for row in rows)
    assert right / len(rows) == trained_run.record["test"]["score"]
    names = [f"digits/{row['input']}" for row in rows]
    outcome = run_bottega("predict", str(trained_run.model), *names, "--json", cwd=trained_run.home)
    answers = {answer["input"]: answer for answer in outcome.document["answers"]}
    for name, row in zip(names, rows, strict=True):
        assert answers[name]["label"] == row["answer"]
        assert answers[name]["sure"] == (row["sure"] == "true")
        for label, probability in answers[name]["probabilities"].items():
            assert probability == pytest.approx(float(row[label]), abs=1e-4)


def test_evaluate_knows_what_the_file_was_trained_on(trained_run: TrainedRun, tmp_path: Path) -> None:
    write_digits(tmp_path / "new", labels=range(4), n_per_class=160, side=32)
    for label in range(4):
        for i in range(120):
            (tmp_path / "new" / str(label) / f"{i:04}.png").unlink()
    new = run_bottega("evaluate", str(trained_run.model), "new", "--json", cwd=tmp_path).document
    old = run_bottega("evaluate", str(trained_run.model), str(trained_run.data), "--json", cwd=tmp_path).document
    assert new["n"] == 160
    assert new["score"] > 0.9
    assert new["seen_in_training"] == 0
    n_test = trained_run.record["test"]["n"]
    assert old["seen_in_training"] == pytest.approx((480 - n_test) / 480)


def test_check(trained_run: TrainedRun) -> None:
    outcome = run_bottega("check", str(trained_run.model), "--json", cwd=trained_run.home)
    assert outcome.status == 0
    assert outcome.document["passed"] is True
    assert outcome.document["n"] == 6


def test_an_unmet_bar_keeps_run_and_report(digits_dir: Path, tmp_path: Path) -> None:
    outcome = run_bottega("train", str(digits_dir), "--at-least", "0.999", "--json", cwd=tmp_path)
    assert outcome.status == 3
    record = outcome.document
    assert record["model_path"] is None
    assert record["test"]["low"] < 0.999
    assert (tmp_path / record["report_path"]).stat().st_size > 10_000
    assert not (tmp_path / record["run_dir"] / "model.onnx").exists()


def test_few_pictures_are_cross_validated(tmp_path: Path) -> None:
    write_digits(tmp_path / "few", labels=range(2), n_per_class=24, side=24)
    outcome = run_bottega("train", "few", "--json", cwd=tmp_path)
    assert outcome.status == 0, outcome.err
    record = outcome.document
    assert record["test"]["source"] == "cv"
    assert record["test"]["n"] == 48
    assert "cross-validation" in record["verdict"]
    assert any("fitted on all pictures" in doubt for doubt in record["doubt"])
    card, _ = read(tmp_path / record["model_path"])
    assert card.test_source == "cv"


def test_given_parts_and_odd_names(digits_dir: Path, tmp_path: Path) -> None:
    """Parts that are given stay as they are, twins across them are told, and no name can redraw a page."""
    odd = 'a "b"<script>alert(1)</script>'.replace("/", "\u2215") + "\n\u202egnp"
    for part, label, start, stop in (
        ("train", "0", 0, 90), ("train", "1", 0, 90), ("test", "0", 88, 110), ("test", "1", 90, 110),
    ):  # fmt: skip
        folder = tmp_path / "data \u202e😀" / part / (odd if label == "1" else "zero")
        folder.mkdir(parents=True)
        for i in range(start, stop):
            shutil.copy(digits_dir / label / f"{i:04}.png", folder)
    (tmp_path / "data \u202e😀" / "test" / "zero" / "96.jpg").write_text("@font-face { font-family: x; }")
    outcome = run_bottega("train", "data \u202e😀", "--json", cwd=tmp_path)
    assert outcome.status == 0, outcome.err
    record = outcome.document
    assert record["test"]["source"] == "given"
    assert record["test"]["n"] == 42
    assert [item["path"] for item in record["rejected"]] == ["test/zero/96.jpg"]
    assert "accuracy_without_twins" in record["metrics"] or record["twins"]
    assert record["twins"][0]["kind"] == "exact"
    report = (tmp_path / record["report_path"]).read_text("utf-8")
    assert "<script>alert(1)" not in report
    again = run_bottega("reproduce", record["run_dir"], "--json", cwd=tmp_path)
    assert again.document["verdict"] == "identical", again.out


def test_the_small_variant_says_what_it_lost(digits_dir: Path, tmp_path: Path) -> None:
    outcome = run_bottega("train", str(digits_dir), *CHOICES, "--small", "--json", cwd=tmp_path)
    assert outcome.status == 0, outcome.err
    run_dir = tmp_path / outcome.document["run_dir"]
    small, full = run_dir / "model-int8.onnx", run_dir / "model.onnx"
    assert small.stat().st_size < 0.4 * full.stat().st_size
    card, _ = read(small)
    told = outcome.document["small"]
    assert told["bytes"] == small.stat().st_size
    assert card.metrics["accuracy"].score == pytest.approx(told["score"]["score"])
    assert told["score"]["score"] > 0.9
    gap = outcome.document["test"]["score"] - told["score"]["score"]
    assert told["loss"]["score"] == pytest.approx(gap)
    assert run_bottega("check", str(small), cwd=tmp_path).status == 0


def bad_folder(kind: str, folder: Path) -> None:
    folder.mkdir()
    rng = np.random.default_rng(0)
    counts = {"one class": {"a": 30}, "class of one": {"a": 30, "b": 1}, "no class": {".": 30}}.get(kind, {})
    for label, n in counts.items():
        (folder / label).mkdir(exist_ok=True)
        for i in range(n):
            Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)).save(folder / label / f"{i}.png")
    if kind == "unreadable":
        for label in "ab":
            (folder / label).mkdir()
            for i in range(30):
                (folder / label / f"{i}.jpg").write_bytes(b"\xff\xd8" + bytes(50))


@pytest.mark.parametrize("kind", ["empty", "one class", "class of one", "no class", "unreadable"])
def test_what_cannot_be_trained_on(kind: str, tmp_path: Path) -> None:
    bad_folder(kind, tmp_path / "data")
    outcome = run_bottega("train", "data", "--json", cwd=tmp_path)
    assert outcome.status == 2, outcome.out
    error = outcome.document["error"]
    assert all(error[key] for key in ("found", "expected", "fix"))
    assert "Traceback" not in outcome.err
    assert not (tmp_path / "runs").exists()  # nothing is left that was never begun


def corrupted(graph: bytes, mode: str) -> bytes:
    import onnx

    model = onnx.load_from_string(graph)
    for node in model.graph.node:
        for attribute in node.attribute:
            if node.op_type == "Resize" and attribute.name == mode:
                attribute.s = {"mode": b"nearest", "coordinate_transformation_mode": b"align_corners"}[mode]
            if node.op_type == "Resize" and attribute.name in ("antialias", "exclude_outside"):
                attribute.i = 0  # neither goes with it
    data: bytes = model.SerializeToString()
    return data


@pytest.mark.parametrize("mode", ["mode", "coordinate_transformation_mode"])
def test_a_corrupted_resize_does_not_ship(
    mode: str, trained_run: TrainedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file alone resizes otherwise than training did: the replay of the test part finds it."""
    from bottega.workflow import ship
    from bottega.workflow.options import TrainOptions
    from bottega.workflow.train import train

    build = ship.classifier_graph

    def build_wrongly(*arguments: Any, **keywords: Any) -> bytes:
        return corrupted(build(*arguments, **keywords), mode)

    monkeypatch.setattr(ship, "classifier_graph", build_wrongly)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BottegaError, match=r"\d+ of \d+ test pictures get another answer from the file than in train"):
        train(str(trained_run.data), TrainOptions(network="pretrained", ship="network"))
    assert not list(tmp_path.rglob("*.onnx"))


def test_the_python_verb(digits_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import bottega

    monkeypatch.chdir(tmp_path)
    model = bottega.train(digits_dir, name="mine", seed=3)
    picture = digits_dir / "3" / "0001.png"
    assert model(picture).label == "3"
    assert model(Image.open(picture)).probabilities == model(picture.read_bytes()).probabilities
    with pytest.raises(bottega.BottegaError, match="a run named 'mine' is there already"):
        bottega.train(digits_dir, name="mine")
    digest = hashlib.sha256((tmp_path / "runs" / "mine" / "model.onnx").read_bytes()).hexdigest()
    assert digest in (tmp_path / "runs" / "mine" / "history.jsonl").read_text()
