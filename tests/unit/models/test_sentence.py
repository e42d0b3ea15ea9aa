import json
import struct
from pathlib import Path

import numpy as np
import pytest

from bottega.errors import BottegaError
from bottega.models import sentence
from bottega.models.sentence import find_sentence_network, read_tensors


def written(path: Path, arrays: dict[str, np.ndarray]) -> Path:
    header, data = {"__metadata__": {"format": "pt"}}, b""
    for name, array in arrays.items():
        ends = [len(data), len(data) + array.nbytes]
        header[name] = {"dtype": {"f": "F32", "i": "I64"}[array.dtype.kind], "shape": array.shape, "data_offsets": ends}  # type: ignore[assignment]
        data += array.tobytes()
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    return path


def test_tensors_come_back(tmp_path: Path) -> None:
    arrays = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.arange(2, dtype=np.int64)}
    found = read_tensors(written(tmp_path / "x.safetensors", arrays))
    assert list(found) == ["a", "b"]
    assert all((found[name] == array).all() for name, array in arrays.items())


@pytest.mark.parametrize("data", [b"", b"\xff" * 16, struct.pack("<Q", 2) + b"[]", struct.pack("<Q", 20) + b"{}"])
def test_a_broken_file_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(data)
    with pytest.raises(
        BottegaError, match=r"(?s)x\.safetensors, which can't be read.*a safetensors file.*--force-reinstall"
    ):
        read_tensors(path)


def test_without_the_package_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sentence, "PACKAGE", "no_such_package")
    assert find_sentence_network() is None


def test_other_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "other_network" / "model").mkdir(parents=True)
    (tmp_path / "other_network" / "__init__.py").touch()
    written(tmp_path / "other_network" / "model" / "model.safetensors", {})
    monkeypatch.setattr(sentence, "PACKAGE", "other_network")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(
        BottegaError, match=r"(?s)with SHA-256 [0-9a-f]{16}….*SHA-256 53aa51172d142c89….*force-reinstall"
    ):
        find_sentence_network()
