"""A pretrained network that learns on, from the folder to the file: its run can be read, gone on with and repeated."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_sample_images

import bottega
from bottega.errors import BottegaError
from bottega.shipping.model_file import read
from bottega.workflow.options import train_options
from bottega.workflow.train import train

PARTS = {"train": 48, "val": 12, "test": 12}


@pytest.fixture(autouse=True)
def patches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces of two photos, from 60 to 120 pixels large: which one is each from?"""
    rng = np.random.default_rng(0)
    photos = load_sample_images().images
    for part, n in PARTS.items():
        for i in range(n):
            photo, side = photos[i % 2], int(rng.integers(60, 120))
            top, left = (int(rng.integers(0, size - 120)) for size in photo.shape[:2])
            folder = tmp_path / part / ("temple", "flower")[i % 2]
            folder.mkdir(parents=True, exist_ok=True)
            Image.fromarray(photo[top : top + side, left : left + side]).save(folder / f"{i}.png")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("bottega.workflow.candidates.FEWEST_VALIDATION", 10)
    monkeypatch.setattr("bottega.workflow.train_pictures.FEWEST_VALIDATION", 10)


def test_it_ships_and_its_run_can_be_read_and_repeated() -> None:
    stated = {"network": "finetune", "ship": "finetune", "epochs": 1, "name": "on"}
    record = train(".", train_options(".", stated))
    assert record.chosen == "finetune"
    assert record.test["score"] >= 0.8
    assert record.model_path is not None
    card, _ = read(record.model_path)
    assert card.recipe["training"]["views"] == 6
    assert card.recipe["training"]["input"] == [3, 128, 128]
    assert bottega.check(record.model_path).passed
    report = Path("runs/on/report.html").read_text("utf-8")
    assert "Each step of the training saw one of 6 views of each picture" in report
    assert bottega.diagnose("runs/on").network == "finetune"
    assert bottega.reproduce("runs/on").verdict == "identical"
    history = [json.loads(line) for line in Path("runs/on/history.jsonl").read_text("utf-8").splitlines()]
    assert [line["network"] for line in history if line["event"] == "epoch"] == ["finetune"]


def test_variations_of_pixels_are_refused() -> None:
    with pytest.raises(BottegaError, match="stated views of each picture"):
        train(".", train_options(".", {"network": "finetune", "augment": "flip"}))
