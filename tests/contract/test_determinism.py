"""The same recipe gives the same bytes: in another process, elsewhere, under other names, with fewer cores."""

import json
import random
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from bottega.shipping.model_file import read
from command import CHOICES, TrainedRun, run_bottega

SHARD = 40  # pictures of one folder in the copy


def numbers(record: dict[str, Any]) -> dict[str, Any]:
    """A record without clocks and places."""
    kept = {
        key: value for key, value in record.items() if key not in ("seconds", "run_dir", "model_path", "report_path")
    }
    for candidate in kept["candidates"]:
        candidate.pop("train_seconds")
    return kept


@pytest.mark.parametrize("cores", [1, 2])
def test_reproduce(cores: int, trained_run: TrainedRun) -> None:
    run_dir = str(trained_run.run_dir.relative_to(trained_run.home))
    outcome = run_bottega("reproduce", run_dir, "--json", cwd=trained_run.home, cores=cores)
    assert outcome.status == 0, outcome.out
    assert outcome.document == {"verdict": "identical", "differences": []}


def test_another_process_on_one_core_from_a_cold_cache(trained_run: TrainedRun, tmp_path: Path) -> None:
    """The recipe says with how many threads a run was begun; a new run with another number is another recipe."""
    shutil.copytree(trained_run.run_dir, tmp_path / "runs" / "again")
    for name in ("record.json", "model.onnx", "history.jsonl", "report.html", "predictions.csv"):
        (tmp_path / "runs" / "again" / name).unlink()
    (tmp_path / trained_run.data.name).symlink_to(trained_run.data)
    outcome = run_bottega(
        "train", "--resume", "runs/again", "--json", cwd=tmp_path, cores=1, BOTTEGA_CACHE=str(tmp_path / "cache")
    )
    assert outcome.status == 0, outcome.err
    assert numbers(outcome.document) == numbers(json.loads((trained_run.run_dir / "record.json").read_text()))
    assert (tmp_path / "runs" / "again" / "model.onnx").read_bytes() == trained_run.model.read_bytes()
    for name in ("predictions.csv", "recipe.toml"):
        assert (tmp_path / "runs" / "again" / name).read_bytes() == (trained_run.run_dir / name).read_bytes()


def test_moved_renamed_and_in_another_order(trained_run: TrainedRun, tmp_path: Path) -> None:
    """The contents alone decide: other names, other folders, another format, other times of writing."""
    rng = random.Random(0)
    for label in trained_run.data.iterdir():
        pictures = sorted(label.iterdir())
        rng.shuffle(pictures)
        for i, path in enumerate(pictures):
            folder = tmp_path / "elsewhere" / label.name / f"shard {i // SHARD}"
            folder.mkdir(parents=True, exist_ok=True)
            if i % 3:
                shutil.copy(path, folder / f"{rng.getrandbits(64):x}.png")
            else:
                Image.open(path).save(folder / f"{rng.getrandbits(64):x}.bmp")
    outcome = run_bottega("train", "elsewhere", *CHOICES, "--name", "moved", "--json", cwd=tmp_path)
    assert outcome.status == 0, outcome.err
    assert outcome.document["test"] == trained_run.record["test"]
    assert outcome.document["metrics"] == trained_run.record["metrics"]
    assert read(tmp_path / "runs" / "moved" / "model.onnx")[0] == read(trained_run.model)[0]
    assert (tmp_path / "runs" / "moved" / "model.onnx").read_bytes() == trained_run.model.read_bytes()


def test_another_recipe_is_told(trained_run: TrainedRun, tmp_path: Path) -> None:
    """What was trained by other choices answers alike or not; the first things that differ are named."""
    run_dir = tmp_path / "runs" / "other"
    shutil.copytree(trained_run.run_dir, run_dir)
    (tmp_path / trained_run.data.name).symlink_to(trained_run.data)
    recipe = (run_dir / "recipe.toml").read_text("utf-8")
    (run_dir / "recipe.toml").write_text(re.sub(r"sure_at = .*", "sure_at = 0.5", recipe), "utf-8")
    outcome = run_bottega("reproduce", "runs/other", "--json", cwd=tmp_path)
    assert outcome.status == 0
    assert outcome.document["verdict"] == "within tolerance"
    assert any("sure_at" in line for line in outcome.document["differences"])


def test_a_damaged_cache_is_noticed(trained_run: TrainedRun, own_cache: Path, tmp_path: Path) -> None:
    """Every file of the cache gets one byte changed, or is cut: what comes out is the same."""
    shutil.copytree(own_cache, tmp_path / "cache")
    rng = random.Random(1)
    files = [path for path in sorted((tmp_path / "cache").rglob("*")) if path.is_file() and path.stat().st_size]
    assert files
    for number, path in enumerate(files):
        data = bytearray(path.read_bytes())
        data[rng.randrange(len(data))] ^= 0x55
        path.write_bytes(data[: len(data) // 2] if number % 3 == 0 else data)
    outcome = run_bottega(
        "train", str(trained_run.data), *CHOICES, "--json", cwd=tmp_path, BOTTEGA_CACHE=str(tmp_path / "cache")
    )
    assert outcome.status == 0, outcome.err
    assert (tmp_path / outcome.document["model_path"]).read_bytes() == trained_run.model.read_bytes()
