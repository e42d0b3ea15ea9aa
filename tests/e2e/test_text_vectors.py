"""Word vectors as features of texts: from the flag to the file, made again, and refused where they don't fit."""

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bottega
from bottega.errors import BottegaError
from bottega.models import sentence
from bottega.shipping.model_file import read
from text_material import made_up_texts
from word_material import as_binary, as_text


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """texts.csv, vectors in two formats, and a run on them."""
    home = tmp_path_factory.mktemp("vectors")
    texts, labels = made_up_texts(400)
    parts = ["train"] * 280 + ["val"] * 60 + ["test"] * 60
    with (home / "texts.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("said", "topic", "split"), *zip(texts, labels, parts, strict=True)])
    words = sorted({word.strip(".!?").lower() for text in texts for word in text.split()})
    words += [f"other{i}" for i in range(300)]
    rows = np.random.default_rng(0).normal(size=(len(words), 12)).astype(np.float32)
    (home / "vectors.txt").write_bytes(as_text(words, rows, header=False))
    (home / "vectors.bin").write_bytes(as_binary(words, rows))
    (home / "foreign.txt").write_bytes(as_text([f"z{i}" for i in range(5)], rows[:5]))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        patch.setattr(sentence, "PACKAGE", "not_installed")
        train(name="run", ship="word vectors")
    return home


def train(**more: Any) -> Any:
    stated = {"target": "topic", "text": "said", "split_column": "split", "vectors": "vectors.txt"}
    return bottega.train("texts.csv", **{**stated, **more})


def test_the_file_needs_no_vectors_and_names_no_path(home: Path, tmp_path: Path) -> None:
    shutil.copy("runs/run/model.onnx", tmp_path)
    record = json.loads(Path("runs/run/record.json").read_text("utf-8"))
    assert record["chosen"] == "word vectors"
    assert {one["name"] for one in record["candidates"]} >= {"word vectors", "word vectors and words"}
    assert bottega.check(tmp_path / "model.onnx").passed
    card, data = read(tmp_path / "model.onnx")
    assert "vectors" not in card.recipe["training"]["table"]
    assert len(card.recipe["preparation"]["vectors_sha256"]) == 64
    assert b"vectors.txt" not in data
    assert bottega.load(data)("Lovely, friendly, and the best!").label == "praise"


def test_a_run_is_reproduced_with_the_same_vectors_alone(home: Path) -> None:
    assert bottega.reproduce("runs/run").verdict == "identical"
    before = Path("vectors.txt").read_bytes()
    Path("vectors.txt").write_bytes(before + b"more" + b" 1" * 12 + b"\n")
    try:
        with pytest.raises(BottegaError, match=r"other word vectors in 'vectors\.txt' than this run was begun with"):
            bottega.reproduce("runs/run")
    finally:
        Path("vectors.txt").write_bytes(before)


def test_every_format_gives_the_same_answers(home: Path) -> None:
    train(name="binary", vectors="vectors.bin", ship="word vectors")
    first, second = (bottega.load(f"runs/{name}/model.onnx") for name in ("run", "binary"))
    for text in ("The order was late", "perfect!", ""):
        assert first(text).probabilities == second(text).probabilities


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        ({"vectors": "vectors.tx"}, r"no file 'vectors\.tx'"),
        ({"vectors": "texts.csv"}, r"texts\.csv"),
        ({"vectors": "foreign.txt"}, r"no word of the texts in foreign\.txt"),
        ({"vectors": "."}, "a file of word vectors"),
        ({"text": None, "type": ["said=category"]}, r"--vectors 'vectors\.txt' for the rows of a table"),
    ],
)
def test_vectors_that_cannot_be_used_are_refused(home: Path, stated: dict[str, Any], message: str) -> None:
    with pytest.raises(BottegaError, match=message):
        train(**stated, name="refused")
    assert not Path("runs/refused").exists()
