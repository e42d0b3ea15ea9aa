"""The promise of docs/model-file.md: a version 1 file opens for ever, and anything else is refused in three lines."""

import hashlib
import io
import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

from bottega.errors import BottegaError
from bottega.shipping.check import replay
from bottega.shipping.predictor import load

TINY = Path(__file__).parent.parent / "artefacts" / "v1.onnx"


def refused(data: bytes) -> BottegaError:
    with pytest.raises(BottegaError) as caught:
        load(data, threads=1)
    error = caught.value
    assert all(isinstance(text, str) and text for text in (error.found, error.expected, error.fix))
    assert "\n" not in error.found + error.expected + error.fix
    return error


def test_the_file_of_version_1_is_the_one_that_was_checked_in() -> None:
    data = TINY.read_bytes()
    assert len(data) < 100_000
    assert hashlib.sha256(data).hexdigest() == "a46e21bf261eaf71a7d8ca36609d7761e49abd59087c166e7d71be7694832967"


def test_version_1_opens_and_answers_the_same() -> None:
    model = load(TINY, threads=1)
    assert model.card.format_version == 1
    assert model.labels == ("dark", "light", "räd \u200f")
    assert model.card.metrics["accuracy"].low == 0.77
    assert replay(model).passed
    white = model(np.full((5, 9, 3), 255, np.uint8))
    assert (white.label, white.sure) == ("light", True)
    half = model(np.full((33, 20, 3), 128, np.uint8))
    assert list(half.probabilities.values()) == pytest.approx([0.312, 0.354, 0.333], abs=0.001)
    assert half.sure is False
    assert model.card.filter is not None
    hashes = np.random.default_rng(0).integers(0, 256, (60, 32), dtype=np.uint8)
    assert model.card.filter.contains(hashes).tolist() == [True] * 50 + [False] * 10


@pytest.mark.parametrize("percent", range(100))
def test_truncated(percent: int) -> None:
    data = TINY.read_bytes()
    refused(data[: len(data) * percent // 100])


def test_one_byte_less_or_more() -> None:
    data = TINY.read_bytes()
    refused(data[:-1])
    refused(data + b"\0")
    refused(data + b"\x08\x09")  # a well-formed record that was not there when the card was made


def test_flipped_bytes() -> None:
    """Every byte is under one of the two hashes or is the hash itself."""
    data = bytearray(TINY.read_bytes())
    rng = np.random.default_rng(0)
    for at in rng.choice(len(data), 400, replace=False):
        kept = data[at]
        data[at] ^= int(rng.integers(1, 256))
        refused(bytes(data))
        data[at] = kept


def zip_bomb() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("model.onnx", b"\0" * 20_000_000)
    return buffer.getvalue()


class Malice:
    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, ("was-run",)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 1000,
        bytes(np.random.default_rng(0).integers(0, 256, 100_000, dtype=np.uint8)),
        b"<!DOCTYPE html><html>not found</html>",
        *(pickle.dumps(Malice(), protocol) for protocol in range(6)),
        zip_bomb(),
    ],
    ids=["empty", "zeros", "random", "web page", *(f"pickle {p}" for p in range(6)), "zip bomb"],
)
def test_other_files(data: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    refused(data)
    assert not any(tmp_path.iterdir())


def test_random_protobuf_never_gets_through() -> None:
    """Well-formed beginnings with random ends: whatever happens is an error of ours."""
    rng = np.random.default_rng(1)
    data = TINY.read_bytes()
    for _ in range(200):
        cut = int(rng.integers(0, len(data)))
        noise = rng.integers(0, 256, int(rng.integers(1, 200)), dtype=np.uint8).tobytes()
        refused(data[:cut] + noise + data[cut + int(rng.integers(0, 50)) :])
