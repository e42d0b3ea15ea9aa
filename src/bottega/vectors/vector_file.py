"""The memory-mapped file of word vectors: opened in a moment however large it is. docs/words.md is the contract."""

import hashlib
import json
import mmap
import os
import struct
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bottega.errors import BottegaError
from bottega.vectors.vocabulary import Vocabulary

__all__ = [
    "BLOCK",
    "HEADER_BYTES",
    "MAGIC",
    "VERSION",
    "VectorFile",
    "open_file",
    "pack_header",
    "padded",
    "read_header",
]

MAGIC = b"BOTTWRD1"
VERSION = 1
HEADER_BYTES = 1 << 16
PAGE = 4096
BLOCK = 4096  # words whose codes lie together, dimension by dimension
_FRAME = struct.Struct("<8sQ32s")  # magic, bytes of the JSON document, its SHA-256

SECTIONS: dict[str, tuple[str, ...]] = {  # what may stand as the type of each
    "rows": ("<f4", "<f2"),
    "norms": ("<f4",),
    "words": ("|u1",),
    "starts": ("<u4",),
    "keys": ("<u4",),
    "order": ("<u4",),
    "hidden": ("<u4",),
    "codes": ("|i1",),
    "scales": ("<f4",),
    "sums": ("<i4",),
    "errors": ("<f4",),
}
REQUIRED = ("rows", "norms", "words", "starts", "keys", "order", "hidden")
CODED = ("codes", "scales", "sums", "errors")


@dataclass(frozen=True)
class VectorFile:
    """An opened file of word vectors; nothing is read before it is needed.

    Attributes:
        path: where it lies.
        card: the JSON document of its header.
        sections: by name, arrays over the mapped file.
    """

    path: Path
    card: dict[str, Any]
    sections: dict[str, NDArray[Any]]

    @property
    def name(self) -> str:
        """Of the original."""
        return str(self.card["source"]["name"])

    @property
    def n_words(self) -> int:
        """V."""
        return int(self.card["n_words"])

    @property
    def n_dims(self) -> int:
        """D."""
        return int(self.card["n_dims"])

    @property
    def has_codes(self) -> bool:
        """Whether it is large enough for the quick scan."""
        return "codes" in self.sections

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """Its words."""
        found = self.sections
        return Vocabulary(found["words"], found["starts"], found["keys"], found["order"])

    @property
    def hidden(self) -> NDArray[np.uint32]:
        """Rows that can be no answer, ascending: zero vectors, and the later ones of duplicate words."""
        return self.sections["hidden"]

    def rows(self, numbers: NDArray[Any] | slice) -> NDArray[np.float64]:
        """The rows as they were written: (n, D)."""
        return np.asarray(self.sections["rows"][numbers], dtype=np.float64)

    def units(self, numbers: NDArray[Any] | slice) -> NDArray[np.float64]:
        """The rows divided by their norms: (n, D); zero vectors stay zero."""
        rows = self.rows(numbers)
        norms = np.sqrt(np.einsum("ij,ij->i", rows, rows))
        return rows / np.where(norms > 0, norms, 1.0)[:, None]

    def verify(self) -> None:
        """Compare every section with its SHA-256; reads the whole file.

        Raises:
            BottegaError: one differs.
        """
        for name, array in self.sections.items():
            if hashlib.sha256(np.ascontiguousarray(array).data).hexdigest() != self.card["sections"][name]["sha256"]:
                raise _broken(self.path, f"the section {name!r} isn't what was written")


def pack_header(card: dict[str, Any]) -> bytes:
    """The first bytes of a file."""
    text = json.dumps(card, sort_keys=True, separators=(",", ":")).encode("ascii")
    if len(text) > HEADER_BYTES - _FRAME.size:
        raise ValueError(f"a header of {len(text)} bytes")
    return _FRAME.pack(MAGIC, len(text), hashlib.sha256(text).digest()) + text


def padded(n_bytes: int) -> int:
    """Sections begin at whole pages."""
    return -(-n_bytes // PAGE) * PAGE


def read_header(path: Path) -> dict[str, Any] | None:
    """The JSON document of a file of ours; None for any other file.

    Raises:
        BottegaError: it begins as ours and is damaged, or of another version.
    """
    with path.open("rb") as file:
        head = file.read(HEADER_BYTES)
    if not head.startswith(MAGIC[:7]):
        return None
    if len(head) < _FRAME.size:
        raise _broken(path, "the file breaks off in its header")
    magic, size, digest = _FRAME.unpack_from(head)
    text = head[_FRAME.size : _FRAME.size + size]
    if magic != MAGIC:
        raise _broken(path, f"format {magic!r}", expected=f"format {MAGIC!r}")
    if len(text) != size or hashlib.sha256(text).digest() != digest:
        raise _broken(path, "a header that isn't what was written")
    card: dict[str, Any] = json.loads(text)
    if card.get("format_version") != VERSION:
        raise _broken(path, f"format version {card.get('format_version')!r}", expected=f"version {VERSION}")
    return card


def open_file(path: Path) -> VectorFile:
    """Map a file of ours; the sizes are checked, the content is not (`VectorFile.verify` does).

    Raises:
        BottegaError: no file of ours, or a damaged one.
    """
    card = read_header(path)
    if card is None:
        raise _broken(path, "another kind of file", expected="a .bottega file of word vectors")
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        whole = np.frombuffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), dtype=np.uint8)
    try:
        sections = {name: _section(whole, size, place) for name, place in card["sections"].items() if name in SECTIONS}
        _check(card, sections)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _broken(path, f"sections that don't fit ({error})") from error
    return VectorFile(path, card, sections)


def _section(whole: NDArray[np.uint8], size: int, place: dict[str, Any]) -> NDArray[Any]:
    dtype, shape, offset = np.dtype(place["dtype"]), tuple(place["shape"]), place["offset"]
    n_bytes = dtype.itemsize
    for axis in shape:
        if not isinstance(axis, int) or axis < 0:
            raise ValueError(f"shape {shape}")
        n_bytes *= axis
    if not isinstance(offset, int) or offset % PAGE or offset < HEADER_BYTES or offset + n_bytes > size:
        raise ValueError(f"{n_bytes:,} bytes at {offset:,} of {size:,}")
    section: NDArray[Any] = whole[offset : offset + n_bytes].view(dtype).reshape(shape)
    return section


def _check(card: dict[str, Any], sections: dict[str, NDArray[Any]]) -> None:
    """The shapes that the rest relies on."""
    n, d = card["n_words"], card["n_dims"]
    blocks = -(-n // BLOCK)
    shapes = {"rows": (n, d), "norms": (n,), "starts": (n + 1,), "keys": (n,), "order": (n,)}
    coded = {"codes": (blocks, d, BLOCK), "scales": (blocks, BLOCK), "sums": (blocks, BLOCK), "errors": (blocks,)}
    wanted = shapes | (coded if "codes" in sections else {})
    for name in REQUIRED + (CODED if "codes" in sections else ()):
        array = sections[name]
        if array.dtype.str not in SECTIONS[name] or (name in wanted and array.shape != wanted[name]):
            raise ValueError(f"{name}: {array.dtype.str} {array.shape}")
    starts = sections["starts"]
    if starts[0] != 0 or starts[-1] != len(sections["words"]):
        raise ValueError("words that end elsewhere")


def _broken(path: Path, found: str, *, expected: str = "a whole file") -> BottegaError:
    return BottegaError(
        found=found, expected=expected, fix="delete it: it is made again from the original vectors", where=str(path)
    )
