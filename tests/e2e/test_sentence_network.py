"""The sentence network from its weights to the file, with made-up weights: trained on, shipped, shrunk, asked again."""

import csv
import json
import string
import struct
from pathlib import Path

import numpy as np
import pytest

import bottega
from bottega.models.sentence import SentenceNetwork
from bottega.workflow import train_texts
from text_material import made_up_texts, made_up_weights


def made_up_network(folder: Path) -> SentenceNetwork:
    """Files as the package has them, of a network whose pieces are letters and the words of the made-up texts."""
    words = sorted({word.lower().strip(".!?") for text in made_up_texts(400)[0] for word in text.split()})
    letters = [*string.ascii_lowercase, *(f"##{letter}" for letter in string.ascii_lowercase), ".", "!", "?"]
    vocabulary = tuple(dict.fromkeys(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *letters, *words]))
    header, data = {}, b""
    for name, array in made_up_weights(len(vocabulary)).items():
        header[name] = {"dtype": "F32", "shape": array.shape, "data_offsets": [len(data), len(data) + array.nbytes]}
        data += array.tobytes()
    text = json.dumps(header).encode()
    path = folder / "model.safetensors"
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    return SentenceNetwork(path, vocabulary, "0" * 64, name="made up")


def test_a_fine_tuned_network_ships_and_shrinks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network = made_up_network(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(train_texts, "find_sentence_network", lambda: network)
    texts, labels = made_up_texts(720)
    parts = ["train"] * 160 + ["val"] * 500 + ["test"] * 60
    with (tmp_path / "texts.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("said", "topic", "split"), *zip(texts, labels, parts, strict=True)])
    tuned = "sentence network, fine-tuned"
    bottega.train("texts.csv", target="topic", network="finetune", ship=tuned, small=True, name="run")
    record = json.loads(Path("runs/run/record.json").read_text("utf-8"))
    assert record["chosen"] == tuned
    assert record["small"]["bytes"] < 0.35 * Path("runs/run/model.onnx").stat().st_size
    assert [one["name"] for one in record["candidates"] if one["kind"] == "network" and one["test"]] == [tuned]
    full, small = (bottega.load(f"runs/run/{name}.onnx") for name in ("model", "model-int8"))
    assert full.card.weights[0].name == "made up"
    assert small.card.recipe["variant"] == "int8"
    found, expected = (
        np.array([answer.probability for answer in model(texts[-60:])]) for model in (small, full)
    )  # fmt: skip
    assert np.abs(found - expected).mean() < 0.05
    assert bottega.check("runs/run/model.onnx").passed
    assert bottega.check("runs/run/model-int8.onnx").passed
    assert full("").label in full.labels
