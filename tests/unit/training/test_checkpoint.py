"""The checkpoint file: whole or not at all, and nothing else is believed."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from bottega.errors import BottegaError
from bottega.training.checkpoint import Checkpoint

ARRAYS = {"network/0.weight": np.arange(6, dtype=np.float32).reshape(2, 3), "optimiser/count.0": np.array(3.0)}


@pytest.fixture
def checkpoint(tmp_path: Path) -> Checkpoint:
    return Checkpoint(tmp_path / "training.npz")


def test_comes_back_as_it_was(checkpoint: Checkpoint) -> None:
    assert checkpoint.load() is None
    assert checkpoint.is_due()
    checkpoint.save(ARRAYS, {"step": 7, "loss": 0.1 + 0.2})
    assert not checkpoint.is_due()
    kept = checkpoint.load()
    assert kept is not None
    arrays, facts = kept
    assert facts["step"] == 7
    assert facts["loss"] == 0.1 + 0.2
    assert {name: (a.dtype, a.tobytes()) for name, a in arrays.items()} == {
        name: (a.dtype, a.tobytes()) for name, a in ARRAYS.items()
    }
    assert [path.name for path in checkpoint.path.parent.iterdir()] == ["training.npz"]


def test_a_write_that_fails_leaves_the_one_before(checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoint.save(ARRAYS, {"step": 1})

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(BottegaError, match="can't be written: No space left on device"):
        checkpoint.save(ARRAYS, {"step": 2})
    monkeypatch.undo()
    kept = checkpoint.load()
    assert kept is not None
    assert kept[1]["step"] == 1
    assert [path.name for path in checkpoint.path.parent.iterdir()] == ["training.npz"]


def test_a_cut_file_is_refused_at_any_length(checkpoint: Checkpoint) -> None:
    checkpoint.save(ARRAYS, {"step": 1})
    whole = checkpoint.path.read_bytes()
    for length in range(0, len(whole) - 1, 97):
        checkpoint.path.write_bytes(whole[:length])
        with pytest.raises(BottegaError, match="a checkpoint that can't be read"):
            checkpoint.load()


def test_pickles_are_never_loaded(checkpoint: Checkpoint) -> None:
    np.savez(checkpoint.path, facts=np.array([{"format": 1}], dtype=object))
    with pytest.raises(BottegaError, match="can't be read"):
        checkpoint.load()
    checkpoint.path.write_bytes(pickle.dumps({"facts": 1}))
    with pytest.raises(BottegaError, match="can't be read"):
        checkpoint.load()


def test_another_format_is_refused(checkpoint: Checkpoint) -> None:
    text = np.frombuffer(json.dumps({"format": 99}).encode(), np.uint8)
    np.savez(checkpoint.path, facts=text)
    with pytest.raises(BottegaError, match="a checkpoint of format 99"):
        checkpoint.load()
