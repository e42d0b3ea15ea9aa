"""One pass over a source: decode every picture once, keep what is small, find the twins."""

import hashlib
import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt
import PIL
from PIL import Image, features

from bottega.data.images import Picture, UnreadableError, content_hash, decode, from_array
from bottega.data.sources import Source
from bottega.data.twins import N_VIEWS, SIDE, grey_views, group_twins, twin_records
from bottega.problem.records import Progress, Rejected, Twin

__all__ = ["ImageSet", "RowStore", "profile", "select"]

_BASE = 64
_THUMB = 16
_TEXT_BYTES = 96  # format, mode and notes of a picture, as ASCII
_ROW_BYTES = 32 + 8 + _THUMB * _THUMB * 3 + N_VIEWS * SIDE * SIDE + _TEXT_BYTES
_PIECE = 8  # pictures that one thread takes at once
_BATCH = 256  # files in flight: what bounds memory and sets how often progress is told
_SUFFIXES = {
    "JPEG": ("jpg", "jpeg", "jpe", "jfif"),
    "PNG": ("png", "apng"),
    "GIF": ("gif",),
    "BMP": ("bmp", "dib"),
    "TIFF": ("tif", "tiff"),
    "WEBP": ("webp",),
    "PPM": ("ppm", "pgm", "pbm", "pnm"),
}

Bytes = npt.NDArray[np.uint8]
_T = TypeVar("_T")


class RowStore(Protocol):
    """What `profile` asks of a cache: rows of fixed size under 32-byte keys."""

    def get(
        self, namespace: str, keys: Bytes, row_shape: tuple[int, ...], dtype: npt.DTypeLike
    ) -> tuple[npt.NDArray[np.bool_], npt.NDArray[Any]]:
        """Which keys are known (N,), and their rows (N, *row_shape)."""

    def put(self, namespace: str, keys: Bytes, rows: npt.NDArray[Any]) -> None:
        """Keep one row under each key."""


@dataclass
class ImageSet:
    """The readable pictures of a source, sorted by name; pixels are decoded again when they are asked for.

    Attributes:
        names, labels, parts, subfolders: N values each; a label, part or subfolder is None where there is none.
        hashes: (N, 32) SHA-256 of the content.
        thumbs: (N, 16, 16, 3) means of the picture's cells.
        twin_groups: (N,) equal numbers for twins; `twin_threshold` is the cosine that was asked for.
        sizes: (N, 2) height and width, after turning by EXIF.
        notes: sentences about the source; `marks`: fact (animated, 16-bit, wrong suffix …) -> names.
    """

    name: str
    source: Source
    names: list[str]
    labels: list[str | None]
    parts: list[str | None]
    subfolders: list[str | None]
    hashes: Bytes
    thumbs: Bytes
    twin_groups: npt.NDArray[np.int64]
    twins: tuple[Twin, ...]
    rejected: tuple[Rejected, ...]
    notes: tuple[str, ...]
    classes: tuple[str, ...]
    sizes: npt.NDArray[np.int32]
    formats: list[str]
    modes: list[str]
    file_bytes: npt.NDArray[np.int64]
    places: npt.NDArray[np.int64]  # (N,) index of each picture in the source
    twin_threshold: float = 0.0
    marks: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.names)

    def pixels(self, i: int) -> Bytes:
        """Decode one picture: uint8 (H, W, 3)."""
        return _picture(self.source.read(int(self.places[i]))).pixels


def profile(source: Source, *, progress: Progress | None = None, store: RowStore | None = None) -> ImageSet:
    """Look at every picture once.

    Decoding runs in a few threads, since Pillow lets others run meanwhile. Memory holds 256 files at a time and about
    3 KB for each picture that was seen.

    Args:
        store: a cache; a file whose bytes were seen before is hashed and not decoded.
    """
    n_entries = len(source.entries)
    rows = np.zeros((n_entries, _ROW_BYTES), np.uint8)
    file_bytes = np.zeros(n_entries, np.int64)
    rejected = list(source.rejected)
    readable = np.zeros(n_entries, bool)
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what Pillow warns of is in the reasons and notes
        for start, outcomes in _batches(source, pool, store):
            for i, outcome in enumerate(outcomes, start):
                if isinstance(outcome, str):
                    rejected.append(Rejected(source.entries[i].name, outcome))
                else:
                    file_bytes[i], rows[i] = outcome
                    readable[i] = True
            if progress is not None:
                progress("looking at pictures", start + len(outcomes), n_entries)
    places = np.flatnonzero(readable)
    if progress is not None:
        progress("looking for twins", 0, None)
    return _image_set(source, places, rows[places], file_bytes[places], rejected)


def select(images: ImageSet, indices: Sequence[int] | npt.NDArray[np.int64]) -> ImageSet:
    """The same set with some of its pictures; groups keep their numbers, twins those members that are left."""
    chosen = np.asarray(indices, dtype=np.int64)
    labels = [images.labels[i] for i in chosen]
    names = [images.names[i] for i in chosen]
    left = set(names)
    return ImageSet(
        name=images.name,
        source=images.source,
        names=names,
        labels=labels,
        parts=[images.parts[i] for i in chosen],
        subfolders=[images.subfolders[i] for i in chosen],
        hashes=images.hashes[chosen],
        thumbs=images.thumbs[chosen],
        twin_groups=images.twin_groups[chosen],
        twins=tuple(twin_records(names, labels, images.hashes[chosen], images.twin_groups[chosen])),
        rejected=images.rejected,
        notes=images.notes,
        classes=_classes(labels),
        sizes=images.sizes[chosen],
        formats=[images.formats[i] for i in chosen],
        modes=[images.modes[i] for i in chosen],
        file_bytes=images.file_bytes[chosen],
        places=images.places[chosen],
        twin_threshold=images.twin_threshold,
        marks={
            fact: kept for fact, members in images.marks.items() if (kept := tuple(m for m in members if m in left))
        },
    )


def _classes(labels: Sequence[str | None]) -> tuple[str, ...]:
    return tuple(sorted({label for label in labels if label is not None}))


_Outcome = tuple[int, Bytes] | str  # bytes of the file and its row, or why it is left out


def _batches(source: Source, pool: ThreadPoolExecutor, store: RowStore | None) -> Iterator[tuple[int, list[_Outcome]]]:
    for start in range(0, len(source.entries), _BATCH):
        batch = range(start, min(start + _BATCH, len(source.entries)))
        read = _in_pieces(pool, lambda i: _read(source, i), batch)
        yield start, _outcomes(read, pool, store)


def _in_pieces(pool: ThreadPoolExecutor, work: Callable[[int], _T], indices: Sequence[int]) -> list[_T]:
    """`work` on each, a few at a time: handing over a single small picture takes longer than looking at it."""
    pieces = [indices[start : start + _PIECE] for start in range(0, len(indices), _PIECE)]
    return [done for piece in pool.map(lambda piece: [work(i) for i in piece], pieces) for done in piece]


def _read(source: Source, index: int) -> bytes | npt.NDArray[Any] | str:
    try:
        return source.read(index)
    except UnreadableError as error:
        return error.reason
    except PermissionError:
        return "no permission to read"
    except OSError as error:
        return f"cannot be read: {error.strerror or error}"


def _outcomes(
    read: Sequence[bytes | npt.NDArray[Any] | str], pool: ThreadPoolExecutor, store: RowStore | None
) -> list[_Outcome]:
    outcomes: list[_Outcome] = [item if isinstance(item, str) else "" for item in read]
    contents = {i: item for i, item in enumerate(read) if isinstance(item, bytes)}
    files = list(contents)
    known: dict[int, Bytes] = {}
    keys = np.zeros((0, 32), np.uint8)
    if store is not None and files:
        digests = b"".join(hashlib.sha256(item).digest() for item in contents.values())
        keys = np.frombuffer(digests, np.uint8).reshape(-1, 32)
        found, rows = store.get(_namespace(), keys, (_ROW_BYTES,), np.uint8)
        known = {i: rows[k] for k, i in enumerate(files) if found[k]}
    todo = [i for i, item in enumerate(read) if not isinstance(item, str) and i not in known]
    fresh = dict(zip(todo, _in_pieces(pool, lambda i: _row(read[i]), todo), strict=True))
    rows_or_reasons: dict[int, Bytes | str] = {**known, **fresh}
    for i, row in rows_or_reasons.items():
        outcomes[i] = row if isinstance(row, str) else (_n_bytes(read[i]), row)
    if store is not None:
        new = {k: fresh[i] for k, i in enumerate(files) if isinstance(fresh.get(i), np.ndarray)}
        if new:
            store.put(_namespace(), keys[list(new)], np.stack(list(new.values())))
    return outcomes


def _n_bytes(item: bytes | npt.NDArray[Any] | str) -> int:
    return item.nbytes if isinstance(item, np.ndarray) else len(item)


def _namespace() -> str:
    """The rows depend on the decoders: another version may decode to other pixels."""
    versions = [PIL.__version__, *(str(features.version(name)) for name in ("jpg", "libjpeg_turbo", "webp"))]
    return "image-profile/1/" + "/".join(versions)


def _picture(item: bytes | npt.NDArray[Any]) -> Picture:
    return decode(item) if isinstance(item, bytes) else from_array(item)


def _row(item: bytes | npt.NDArray[Any] | str) -> Bytes | str:
    """Hash, size, thumbnail, grey views and words of one picture as bytes, or why it is unreadable."""
    if isinstance(item, str):
        return item
    try:
        picture = _picture(item)
    except UnreadableError as error:
        return error.reason
    height, width = picture.pixels.shape[:2]
    base = Image.fromarray(picture.pixels).resize((_BASE, _BASE), Image.Resampling.BOX)
    thumb = np.asarray(base.resize((_THUMB, _THUMB), Image.Resampling.BOX))
    words = "|".join((picture.format, picture.mode, *picture.notes)).encode("ascii", "replace")[:_TEXT_BYTES]
    pieces = (
        content_hash(picture.pixels),
        np.array([height, width], "<i4").tobytes(),
        thumb.tobytes(),
        grey_views(base).tobytes(),
        words.ljust(_TEXT_BYTES),
    )
    return np.frombuffer(b"".join(pieces), np.uint8)


def _image_set(
    source: Source,
    places: npt.NDArray[np.int64],
    rows: Bytes,
    file_bytes: npt.NDArray[np.int64],
    rejected: list[Rejected],
) -> ImageSet:
    entries = [source.entries[i] for i in places]
    hashes, sizes, thumbs, views, words = np.split(rows, np.cumsum([32, 8, 768, N_VIEWS * SIDE * SIDE]), axis=1)
    hashes = np.ascontiguousarray(hashes)
    labels = [entry.label for entry in entries]
    names = [entry.name for entry in entries]
    groups, threshold = group_twins(views.reshape(-1, N_VIEWS, SIDE, SIDE), hashes)
    said = [bytes(row).decode("ascii").rstrip().split("|") for row in words]
    return ImageSet(
        name=source.name,
        source=source,
        names=names,
        labels=labels,
        parts=[entry.part for entry in entries],
        subfolders=[entry.subfolder for entry in entries],
        hashes=hashes,
        thumbs=thumbs.reshape(-1, _THUMB, _THUMB, 3),
        twin_groups=groups,
        twins=tuple(twin_records(names, labels, hashes, groups)),
        rejected=tuple(sorted(rejected, key=lambda r: (r.path, r.reason))),
        notes=source.notes,
        classes=_classes(labels),
        sizes=np.ascontiguousarray(sizes).view("<i4").reshape(-1, 2).astype(np.int32),
        formats=[words[0] for words in said],
        modes=[words[1] for words in said],
        file_bytes=file_bytes,
        places=places,
        twin_threshold=threshold,
        marks=_marks(names, said),
    )


def _marks(names: Sequence[str], said: Sequence[Sequence[str]]) -> dict[str, tuple[str, ...]]:
    marks: dict[str, list[str]] = {}
    for name, (format_name, _, *notes) in zip(names, said, strict=True):
        for note in notes:
            marks.setdefault(note, []).append(name)
        if format_name in _SUFFIXES and name.rpartition(".")[2].lower() not in _SUFFIXES[format_name]:
            marks.setdefault("wrong suffix", []).append(f"{name} ({format_name})")
    return {fact: tuple(members) for fact, members in sorted(marks.items())}
