"""What was computed once is kept by content: rows and files under 32-byte keys; bounded, shareable, safe to delete."""

import hashlib
import os
import struct
import sys
import threading
import time
import uuid
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

__all__ = ["Store", "default_root"]

GIB = 1024**3
MIB = 1024**2
SEGMENT_BYTES = 64 * MIB  # rows are cut into files of this size, which bounds what one read holds in memory
SMALL_BYTES = 8 * MIB  # smaller segments are merged once there are MERGE_COUNT of them
MERGE_COUNT = 16
TOUCH_SECONDS = 60.0  # a file's time of last use is written no more often than this
STALE_SECONDS = 3600.0  # a temporary file of this age belongs to a process that died

_MAGIC = b"BOTTSEG1"
_BLOB_MAGIC = b"BOTTBLB1"
_HEADER = struct.Struct(
    "<8s8s8IQQI"
)  # magic, dtype, row shape (0 = no such axis, last = rank), rows, data bytes, CRC-32
_BLOB_HEADER = struct.Struct("<8sQ16s")  # magic, data bytes, BLAKE2b

Keys = NDArray[np.uint8]
Rows = NDArray[Any]


def default_root() -> Path:
    """The folder in `BOTTEGA_CACHE`, or `bottega` in the user's cache folder."""
    stated = os.environ.get("BOTTEGA_CACHE")
    if stated:
        return Path(stated)
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "bottega"


@dataclass(frozen=True)
class _Segment:
    """The checked header of a segment file, with its keys in sorted order."""

    signature: tuple[int, int, int]  # size, time of writing, inode: another file under the same name is checked anew
    dtype: np.dtype[Any]
    row_shape: tuple[int, ...]
    keys: NDArray[np.bytes_]  # (n,) sorted
    order: NDArray[np.int64]  # (n,) the row of each sorted key

    @property
    def row_bytes(self) -> int:
        return int(np.prod(self.row_shape, dtype=np.int64)) * self.dtype.itemsize


class _BadFileError(Exception):
    """A file that is torn, foreign or altered."""


class Store:
    """Rows of a fixed shape, and whole files, under 32-byte content keys.

    A cache that fails must never stop the work: a full disk or a missing permission leaves a sentence in `notes`, and
    the caller goes on as if nothing had been stored. Every file is written under a temporary name and renamed, and
    carries a checksum; a file that doesn't match is deleted and counts as absent.

    Args:
        root: folder to keep the files in; None for `default_root()`. Created at the first write.
        max_bytes: above this the files that were used least recently are deleted.

    Example:
        >>> import tempfile
        >>> store = Store(Path(tempfile.mkdtemp()))
        >>> key = np.zeros((1, 32), np.uint8)
        >>> store.put("thumbnails", key, np.ones((1, 3), np.float32))
        >>> found, rows = store.get("thumbnails", key, (3,), np.float32)
        >>> found.tolist(), rows.tolist()
        ([True], [[1.0, 1.0, 1.0]])
    """

    def __init__(self, root: Path | str | None = None, *, max_bytes: int = 4 * GIB) -> None:
        # in a folder of its own: the user may point the cache at a folder that holds other things
        self.root = Path(root) if root is not None else default_root()
        self.folder = self.root / "store-1"
        self.max_bytes = max_bytes
        self._notes: dict[str, None] = {}
        self._segments: dict[Path, _Segment] = {}
        self._touched: dict[Path, float] = {}
        self._can_write = True
        self._lock = threading.RLock()

    @property
    def notes(self) -> tuple[str, ...]:
        """What went wrong so far, each thing once."""
        return tuple(self._notes)

    def get(
        self, namespace: str, keys: Keys, row_shape: tuple[int, ...], dtype: DTypeLike
    ) -> tuple[NDArray[np.bool_], Rows]:
        """Look up rows.

        Args:
            namespace: what the rows are: whatever changes the numbers beside the key belongs in it.
            keys: (N, 32) content keys; may repeat.
            row_shape: shape of one row.
            dtype: type of the rows.
        Returns:
            `found` (N,) and `rows` (N, *row_shape); a row that was not found is zero.
        """
        wanted = _as_strings(keys)
        kind = np.dtype(dtype)
        found = np.zeros(len(wanted), dtype=bool)
        rows = np.zeros((len(wanted), *row_shape), dtype=kind)
        with self._lock:
            for _ in range(3):  # another process may merge the segments under our hands: look again
                if self._collect(self._place(namespace), wanted, found, rows) or found.all():
                    break
        return found, rows

    def put(self, namespace: str, keys: Keys, rows: Rows) -> None:
        """Keep rows.

        Args:
            namespace: as in `get`.
            keys: (N, 32) content keys. One key always has the same row: which of two is kept isn't said.
            rows: (N, *row_shape).
        """
        if len(keys) != len(rows):
            raise ValueError(f"{len(keys)} keys for {len(rows)} rows: one each is needed")
        if len(rows) == 0 or rows[0].nbytes == 0:
            return
        rows = np.ascontiguousarray(rows)
        per_segment = max(1, min(SEGMENT_BYTES, self.max_bytes) // (rows[0].nbytes + 32))
        with self._lock:
            place = self._place(namespace)
            for start in range(0, len(rows), per_segment):
                chosen = slice(start, start + per_segment)
                self._write(place / f"{uuid.uuid4().hex}.seg", _segment_parts(keys[chosen], rows[chosen]))
            self._merge(place)
            self._evict()

    def get_blob(self, namespace: str, key: bytes) -> bytes | None:
        """The whole file that was kept under a key, or None."""
        path = self.blob_path(namespace, key)
        with self._lock:
            try:
                raw = path.read_bytes()
                data = _blob_data(raw)
            except FileNotFoundError:
                return None
            except OSError as error:
                self._note(f"the cache could not be read ({error})")
                return None
            except _BadFileError:
                self._delete(path)
                return None
            self._touch(path)
            return data

    def put_blob(self, namespace: str, key: bytes, data: bytes) -> None:
        """Keep a whole file under a key."""
        checksum = hashlib.blake2b(data, digest_size=16).digest()
        with self._lock:
            self._write(self.blob_path(namespace, key), [_BLOB_HEADER.pack(_BLOB_MAGIC, len(data), checksum), data])
            self._evict()

    def blob_path(self, namespace: str, key: bytes) -> Path:
        """Where `put_blob` keeps a file: a header of 32 bytes, then the data."""
        return self._place(namespace) / f"{key.hex()}.blob"

    def size_bytes(self) -> int:
        """Bytes on disk now."""
        return sum(status.st_size for _, status in self._files())

    def _place(self, namespace: str) -> Path:
        return self.folder / hashlib.blake2b(namespace.encode(), digest_size=16).hexdigest()

    def _note(self, sentence: str) -> None:
        self._notes.setdefault(sentence)

    def _collect(self, place: Path, wanted: NDArray[np.bytes_], found: NDArray[np.bool_], rows: Rows) -> bool:
        """Fill in what the segments of a folder hold; False when one vanished meanwhile."""
        complete = True
        for path in self._listed(place):
            if found.all():
                break
            try:
                self._take(path, wanted, found, rows)
            except FileNotFoundError:
                self._segments.pop(path, None)
                complete = False
            except _BadFileError:
                self._delete(path)
            except OSError as error:
                self._note(f"the cache could not be read ({error})")
        return complete

    def _listed(self, place: Path) -> list[Path]:
        """Segment files of a namespace; those that are gone are forgotten."""
        try:
            with os.scandir(place) as entries:
                paths = sorted(place / entry.name for entry in entries if entry.name.endswith(".seg"))
        except (FileNotFoundError, NotADirectoryError):
            paths = []
        except OSError as error:
            self._note(f"the cache could not be read ({error})")
            paths = []
        for path in [p for p in self._segments if p.parent == place]:
            if path not in paths:
                del self._segments[path]
        return paths

    def _take(self, path: Path, wanted: NDArray[np.bytes_], found: NDArray[np.bool_], rows: Rows) -> None:
        """Copy the wanted rows of one segment."""
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            signature = (status.st_size, status.st_mtime_ns, status.st_ino)
            segment = self._segments.get(path)
            data: Rows | None = None
            if segment is None or segment.signature != signature:
                segment, data = _read_segment(file, signature)
                self._segments[path] = segment
            if segment.row_shape != rows.shape[1:] or segment.dtype != rows.dtype:
                return
            places = np.minimum(np.searchsorted(segment.keys, wanted), len(segment.keys) - 1)
            chosen = np.flatnonzero((segment.keys[places] == wanted) & ~found)
            if len(chosen) == 0:
                return
            numbers = segment.order[places[chosen]]
            rows[chosen] = _read_rows(file, numbers, segment) if data is None else data[numbers]
            found[chosen] = True
        self._touch(path)

    def _touch(self, path: Path) -> None:
        """Write the time of use, which is what eviction goes by; the time of writing is left alone."""
        now = time.time()
        if now - self._touched.get(path, 0.0) < TOUCH_SECONDS:
            return
        try:
            os.utime(path, ns=(int(now * 1e9), path.stat().st_mtime_ns))
            self._touched[path] = now
        except OSError:  # a cache on a read-only disk is still a cache
            self._touched[path] = now

    def _write(self, path: Path, parts: list[bytes | memoryview]) -> bool:
        """Write a file under a temporary name and rename it, so that no reader sees half of it."""
        if not self._can_write or sum(len(part) for part in parts) > self.max_bytes:
            return False
        temporary = path.with_name(f".{uuid.uuid4().hex}.tmp")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                with temporary.open("xb") as file:
                    for part in parts:
                        file.write(part)
                temporary.replace(path)
            finally:
                temporary.unlink(missing_ok=True)
        except OSError as error:
            self._can_write = False  # the work goes on; asking a full disk again for each row would only slow it
            self._note(f"nothing more is kept in the cache {str(self.root)!r} ({error.strerror or error})")
            return False
        return True

    def _delete(self, path: Path) -> None:
        self._segments.pop(path, None)
        self._touched.pop(path, None)
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            self._note(f"a damaged or old file could not be removed from the cache ({error})")

    def _merge(self, place: Path) -> None:
        """Write many small segments as one, then delete them; a reader meets the rows at least once at any time."""
        small: dict[tuple[str, tuple[int, ...]], list[tuple[Path, Keys, Rows]]] = {}
        for path in self._small_segments(place):
            try:
                with path.open("rb") as file:
                    segment, data = _read_segment(file, (0, 0, 0))
            except _BadFileError:
                self._delete(path)
                continue
            except OSError:
                continue
            keys = segment.keys.view(np.uint8).reshape(-1, 32)
            small.setdefault((segment.dtype.str, segment.row_shape), []).append((path, keys, data[segment.order]))
        for members in small.values():
            if len(members) < 2:
                continue
            keys = np.concatenate([member[1] for member in members])
            _, first = np.unique(_as_strings(keys), return_index=True)
            rows = np.concatenate([member[2] for member in members])
            if self._write(place / f"{uuid.uuid4().hex}.seg", _segment_parts(keys[first], rows[first])):
                for path, _, _ in members:
                    self._delete(path)

    def _small_segments(self, place: Path) -> list[Path]:
        """Small segments, once there are enough of them to be worth merging."""
        paths, total = [], 0
        for path in self._listed(place):
            try:
                size = path.stat().st_size
            except OSError:
                continue
            if size < SMALL_BYTES and total + size <= SEGMENT_BYTES:
                paths.append(path)
                total += size
        return paths if len(paths) >= MERGE_COUNT else []

    def _files(self) -> Iterator[tuple[Path, os.stat_result]]:
        """Every file of the store with its state; what vanishes meanwhile is passed over."""
        for folder, _, names in os.walk(self.folder):
            for name in names:
                path = Path(folder) / name
                try:
                    yield path, path.stat()
                except OSError:
                    continue

    def _evict(self) -> None:
        """Delete what was used least recently until the rest fits, and what dead processes left."""
        files = list(self._files())
        total = sum(status.st_size for _, status in files)
        now = time.time()
        for path, status in files:
            if path.suffix == ".tmp" and now - status.st_mtime > STALE_SECONDS:
                self._delete(path)
                total -= status.st_size
        kept = [(path, status) for path, status in files if path.suffix in (".seg", ".blob")]
        kept.sort(key=lambda file: (max(file[1].st_atime_ns, file[1].st_mtime_ns), file[0].name))
        for path, status in kept:
            if total <= self.max_bytes:
                break
            self._delete(path)
            total -= status.st_size


def _as_strings(keys: Keys) -> NDArray[np.bytes_]:
    """(N, 32) bytes as (N,) strings: numpy sorts and searches those at once.

    Zeros at the end are padding to numpy, which harms nothing while all keys have the same length.
    """
    raw = np.ascontiguousarray(keys, dtype=np.uint8)
    if raw.ndim != 2 or raw.shape[1] != 32:
        raise ValueError(f"keys of shape {raw.shape}: (N, 32) is needed")
    return raw.view("S32").reshape(-1)


def _segment_parts(keys: Keys, rows: Rows) -> list[bytes | memoryview]:
    """Header, keys and rows of a segment file. CRC-32 finds torn writes and runs faster than the disk."""
    shape = rows.shape[1:]
    if len(shape) > 7:
        raise ValueError(f"rows of {len(shape)} axes: at most 7 can be stored")
    key_bytes = np.ascontiguousarray(keys, dtype=np.uint8).reshape(-1).data
    row_bytes = np.ascontiguousarray(rows).reshape(-1).view(np.uint8).data
    axes = (*shape, *[0] * (7 - len(shape)), len(shape))
    fields = (_MAGIC, rows.dtype.str.encode(), *axes, len(rows), len(row_bytes))
    blank = _HEADER.pack(*fields, 0)
    checksum = zlib.crc32(row_bytes, zlib.crc32(key_bytes, zlib.crc32(blank)))
    return [_HEADER.pack(*fields, checksum), key_bytes, row_bytes]


def _read_segment(file: Any, signature: tuple[int, int, int]) -> tuple[_Segment, Rows]:
    """Read and check a whole segment."""
    header = file.read(_HEADER.size)
    if len(header) != _HEADER.size:
        raise _BadFileError
    magic, kind, *axes, n_rows, n_bytes, checksum = _HEADER.unpack(header)
    size = os.fstat(file.fileno()).st_size  # before anything is allocated by what the header says
    if magic != _MAGIC or n_rows == 0 or axes[7] > 7 or size != _HEADER.size + 32 * n_rows + n_bytes:
        raise _BadFileError
    body = np.fromfile(file, dtype=np.uint8, count=size - _HEADER.size)
    blank = _HEADER.pack(magic, kind, *axes, n_rows, n_bytes, 0)
    if len(body) != size - _HEADER.size or zlib.crc32(body.data, zlib.crc32(blank)) != checksum:
        raise _BadFileError
    keys = _as_strings(body[: 32 * n_rows].reshape(-1, 32))
    order = np.argsort(keys, kind="stable")
    shape = tuple(axes[: axes[7]])
    try:
        dtype = np.dtype(kind.rstrip(b"\0").decode("ascii"))
        data = body[32 * n_rows :].view(dtype).reshape(n_rows, *shape)
    except (TypeError, ValueError) as error:
        raise _BadFileError from error
    return _Segment(signature, dtype, shape, keys[order], order), data


def _read_rows(file: Any, numbers: NDArray[np.int64], segment: _Segment) -> Rows:
    """Read some rows of a segment that was checked before: one by one when they lie far apart, else as one run."""
    low, high = int(numbers.min()), int(numbers.max())
    start = _HEADER.size + 32 * len(segment.keys)
    if high - low >= 4 * len(numbers):
        pieces = [_read_run(file, start, int(number), 1, segment) for number in numbers]
        return np.concatenate(pieces)
    run = _read_run(file, start, low, high - low + 1, segment)
    return run[numbers - low]


def _read_run(file: Any, start: int, first: int, n_rows: int, segment: _Segment) -> Rows:
    file.seek(start + first * segment.row_bytes)
    data = np.fromfile(file, dtype=np.uint8, count=n_rows * segment.row_bytes)
    if len(data) != n_rows * segment.row_bytes:
        raise _BadFileError
    return data.view(segment.dtype).reshape(n_rows, *segment.row_shape)


def _blob_data(raw: bytes) -> bytes:
    """The data of a blob file, checked."""
    if len(raw) < _BLOB_HEADER.size:
        raise _BadFileError
    magic, size, checksum = _BLOB_HEADER.unpack_from(raw)
    data = raw[_BLOB_HEADER.size :]
    if magic != _BLOB_MAGIC or size != len(data) or hashlib.blake2b(data, digest_size=16).digest() != checksum:
        raise _BadFileError
    return data
