"""Write the memory-mapped file from the original vectors, once: rows, norms, vocabulary, and codes for a quick scan."""

import hashlib
import os
import shutil
import tempfile
import time
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bottega.data.store import default_root
from bottega.errors import BottegaError
from bottega.problem.records import Progress
from bottega.vectors.readers import Met, read_blocks
from bottega.vectors.sources import Source, located, open_source
from bottega.vectors.vector_file import (
    BLOCK,
    HEADER_BYTES,
    MAGIC,
    VERSION,
    VectorFile,
    open_file,
    pack_header,
    padded,
    read_header,
)
from bottega.vectors.vocabulary import checksum

__all__ = ["Precision", "convert", "open_vectors", "write_vectors"]

Precision = Literal["float32", "float16"]
CODES_FROM = 20_000_000  # numbers; below this a plain product over the rows takes some 10 ms
PART = 512  # rows that are coded at once: they stay in the processor's second cache
N_AHEAD = 4  # blocks that may wait for a slower step


@dataclass
class _Growing:
    """One section while it is written: at its own place in the file, its hash taken on the way."""

    offset: int
    dtype: str
    shape: tuple[int, ...]
    written: int = 0
    digest: Any = field(default_factory=hashlib.sha256)

    def place(self) -> dict[str, Any]:
        return {
            "offset": self.offset,
            "dtype": self.dtype,
            "shape": list(self.shape),
            "sha256": self.digest.hexdigest(),
        }


def open_vectors(
    stated: str | os.PathLike[str],
    *,
    limit: int | None = None,
    precision: Precision = "float32",
    progress: Progress | None = None,
) -> VectorFile:
    """Open word vectors in any format that is known; those of others are converted at the first call.

    The converted file lies beside the original where that folder may be written to, else in the cache. It is made
    again when size or time of the original change.

    Args:
        stated: path of the vectors, or of a `.bottega` file.
        limit: keep the first words alone, which in all usual files are the most frequent.
        precision: of the rows that are kept; float16 takes half the room and rounds to 3 digits.
        progress: called during a conversion.
    Raises:
        BottegaError: no such file, or one that cannot be read.
    """
    path = Path(stated)
    if path.is_file() and (card := read_header(path)) is not None:
        if limit is not None and limit < card["n_words"]:
            raise BottegaError(
                found=f"--limit {limit} for a file of {card['n_words']:,} words that is converted already",
                expected="a limit where the original vectors are read",
                fix="name the original vectors, or leave the limit out",
                where=str(path),
            )
        return open_file(path)
    if limit is not None and limit < 2:
        raise BottegaError(found=f"--limit {limit}", expected="at least 2 words", fix="--limit 100000")
    stamp = _stamp(*located(path), limit, precision)
    places = _places(path, limit, precision)
    for place in places:
        if place.is_file() and (card := read_header(place)) is not None and card["source"] == stamp:
            return open_file(place)
    place = next(place for place in places if _may_write(place.parent) or place is places[-1])
    convert(open_source(path), place, stamp, limit=limit, precision=precision, progress=progress)
    return open_file(place)


def convert(
    source: Source,
    place: Path,
    stamp: dict[str, Any],
    *,
    limit: int | None = None,
    precision: Precision = "float32",
    progress: Progress | None = None,
) -> None:
    """Read `source` and write the file at `place`, under a temporary name until it is whole.

    Args:
        stamp: what the header says of the original.
    """
    n = source.n_words if limit is None else min(limit, source.n_words)
    _refuse_false_header(source, n)
    met = Met()
    writer = _Writer(place, n, source.n_dims, precision)
    with writer:
        done = 0
        for block in read_blocks(source, limit, BLOCK, met):
            writer.add(block.words, block.rows)
            done += len(block.words)
            if progress is not None:
                progress(f"converting {source.name}", done, n)
        writer.finish(stamp, met)


def write_vectors(words: list[str], rows: NDArray[np.float32], place: Path, stamp: dict[str, Any]) -> None:
    """Write vectors that are in memory, as those of a training are.

    Args:
        words: V different ones, the most frequent first.
        rows: (V, D).
        place: of the new file.
        stamp: what the header says of their origin; `name` is needed.
    """
    with _Writer(place, len(words), rows.shape[1], "float32") as writer:
        for start in range(0, len(words), BLOCK):
            part = slice(start, start + BLOCK)
            writer.add([word.encode() for word in words[part]], rows[part])
        writer.finish(stamp, Met())


class _Writer:
    """Three steps side by side: the caller reads, one thread makes the codes and writes, another takes the hashes."""

    def __init__(self, place: Path, n_words: int, n_dims: int, precision: Precision) -> None:
        self.place, self.n_words, self.n_dims = place, n_words, n_dims
        self.kind = "<f4" if precision == "float32" else "<f2"
        self.coded = n_words * n_dims >= CODES_FROM
        self.words: list[bytes] = []
        self.keys: list[int] = []
        self.zero: list[int] = []
        n_blocks = -(-n_words // BLOCK)
        shapes: dict[str, tuple[str, tuple[int, ...]]] = {
            "rows": (self.kind, (n_words, n_dims)),
            "norms": ("<f4", (n_words,)),
        }
        if self.coded:
            shapes |= {"codes": ("|i1", (n_blocks, n_dims, BLOCK)), "scales": ("<f4", (n_blocks, BLOCK))}
            shapes |= {"sums": ("<i4", (n_blocks, BLOCK)), "errors": ("<f4", (n_blocks,))}
        self.sections: dict[str, _Growing] = {}
        self.end = HEADER_BYTES
        for name, (dtype, shape) in shapes.items():
            self._reserve(name, dtype, shape)

    def __enter__(self) -> "_Writer":
        self.place.parent.mkdir(parents=True, exist_ok=True)
        _refuse_foreign(self.place)
        _sweep(self.place)
        _refuse_full(self.place.parent, self.end)
        self.number, name = tempfile.mkstemp(prefix=f".{self.place.name}.", suffix=".part", dir=self.place.parent)
        self.temporary = Path(name)
        _hold(self.number)
        self.coder, self.hasher = ThreadPoolExecutor(1), ThreadPoolExecutor(1)
        self.waiting: deque[Future[None]] = deque()
        self.hashing: deque[Future[None]] = deque()
        return self

    def __exit__(self, *_: object) -> None:
        self.coder.shutdown(cancel_futures=True)
        self.hasher.shutdown(cancel_futures=True)
        os.close(self.number)
        self.temporary.unlink(missing_ok=True)  # it has its final name where all went well

    def add(self, words: list[bytes], rows: NDArray[np.float32]) -> None:
        """Take the next words; all blocks but the last are whole."""
        first = len(self.words)
        self.words += words
        self.waiting.append(self.coder.submit(self._store, first, rows))
        self.keys += map(checksum, words)
        while len(self.waiting) > N_AHEAD:
            self.waiting.popleft().result()
        while len(self.hashing) > 4 * N_AHEAD:
            self.hashing.popleft().result()

    def finish(self, stamp: dict[str, Any], met: Met) -> None:
        """Write the vocabulary and the header, and give the file its name."""
        for future in self.waiting:
            future.result()
        for future in self.hashing:
            future.result()
        keys = np.array(self.keys, dtype=np.uint32)
        order = np.argsort(keys, kind="stable").astype(np.uint32)
        keys = keys[order]
        duplicates = _duplicates(self.words, keys, order)
        hidden = np.unique(np.array([*duplicates, *self.zero], dtype=np.uint32))
        lengths = np.fromiter(map(len, self.words), np.uint64, self.n_words)
        starts = np.concatenate([np.zeros(1, np.uint64), np.cumsum(lengths + np.uint64(1))])
        if starts[-1] >= 2**32:
            raise BottegaError(found="4 GB of words", expected="less", fix="read fewer: --limit 1000000")
        text = np.frombuffer(b"\n".join(self.words) + b"\n", dtype=np.uint8)
        tail = {"words": text, "starts": starts.astype("<u4"), "keys": keys, "order": order, "hidden": hidden}
        for name, array in tail.items():
            self._reserve(name, array.dtype.str, array.shape)
            self._write(name, array)
            self.sections[name].digest.update(_bytes_of(array))
        card = {
            "format_version": VERSION,
            "n_words": self.n_words,
            "n_dims": self.n_dims,
            "block": BLOCK,
            "source": stamp,
            "notes": _notes(met, self.words, duplicates, self.zero),
            "sections": {name: section.place() for name, section in self.sections.items()},
        }
        os.pwrite(self.number, pack_header(card), 0)
        os.ftruncate(self.number, max(self.end, os.fstat(self.number).st_size))
        umask = os.umask(0)
        os.umask(umask)
        os.fchmod(self.number, 0o666 & ~umask)
        self.temporary.replace(self.place)

    def _reserve(self, name: str, dtype: str, shape: tuple[int, ...]) -> None:
        self.sections[name] = _Growing(self.end, dtype, shape)
        self.end += padded(int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize)

    def _write(self, name: str, array: NDArray[Any]) -> None:
        section = self.sections[name]
        data = _bytes_of(array)
        done = 0
        while done < len(data):
            done += os.pwrite(self.number, data[done:], section.offset + section.written + done)
        section.written += len(data)

    def _store(self, first: int, rows: NDArray[np.float32]) -> None:
        """Code one block and write all that belongs to it; runs in the coder's thread, block after block."""
        with np.errstate(over="ignore"):  # what float16 cannot hold becomes infinite, and is refused below
            kept = np.ascontiguousarray(rows.astype(self.kind))
        exact = kept.astype(np.float32, copy=False)  # what the file holds is what the codes must be near to
        norms = np.sqrt(np.einsum("ij,ij->i", exact, exact, dtype=np.float64))
        self._refuse_infinite(norms, first)
        self.zero += (first + np.flatnonzero(norms == 0)).tolist()
        parts: dict[str, NDArray[Any]] = {"rows": kept, "norms": norms.astype("<f4")}
        if self.coded:
            parts |= _codes(exact, norms)
        for name, array in parts.items():
            self._write(name, array)
            self.hashing.append(self.hasher.submit(self.sections[name].digest.update, _bytes_of(array)))

    def _refuse_infinite(self, norms: NDArray[np.float64], first: int) -> None:
        wrong = np.flatnonzero(~np.isfinite(norms))
        if len(wrong):
            row = first + int(wrong[0])
            raise BottegaError(
                found=f"a number that is not finite in the vector of {self.words[row].decode()!r}",
                expected="finite numbers, for float16 none above 65,504",
                fix=f"mend the file, or read only the words before it: --limit {row}"
                if row > 1
                else "fetch the file again",
                where=f"word {row + 1:,}",
            )


def _codes(rows: NDArray[np.float32], norms: NDArray[np.float64]) -> dict[str, NDArray[Any]]:
    """One block as int8: unit row ≈ scale · codes, the largest distance between the two, and the sums of the codes.

    Returns:
        `codes` (D, BLOCK), `scales`, `sums` (BLOCK,), `errors` (1,), rounded up; a last, shorter block is filled with
        zeros.
    """
    n, d = rows.shape
    codes = np.zeros((d, BLOCK), np.int8)
    scales, sums = np.zeros(BLOCK, np.float32), np.zeros(BLOCK, np.int32)
    worst = 0.0
    for start in range(0, n, PART):
        part = slice(start, min(start + PART, n))
        x = rows[part]
        norm = np.where(norms[part] > 0, norms[part], 1.0).astype(np.float32)
        step = (np.maximum(x.max(axis=1), -x.min(axis=1)) / np.float32(127)).astype(np.float32)
        step[step == 0] = 1.0
        nearest = np.rint(x / step[:, None])
        np.clip(nearest, -127, 127, out=nearest)
        whole = nearest.astype(np.int8)
        nearest *= step[:, None]
        nearest -= x
        worst = max(worst, float(np.max(np.sqrt(np.einsum("ij,ij->i", nearest, nearest)) / norm)))
        codes[:, part] = whole.T
        scales[part], sums[part] = step / norm, whole.sum(axis=1, dtype=np.int32)
    # rounding in float32, of the sum of D squares and of each difference: docs/words.md, "The bound"
    errors = np.array([worst * (1 + d * 2.0**-23) + 2.0**-21], dtype=np.float32)
    return {"codes": codes, "scales": scales, "sums": sums, "errors": errors}


def _bytes_of(array: NDArray[Any]) -> memoryview:
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8).data


def _duplicates(words: list[bytes], keys: NDArray[np.uint32], order: NDArray[np.uint32]) -> list[int]:
    """Rows of words that stood earlier in the file already."""
    doubtful = np.flatnonzero(keys[1:] == keys[:-1])
    touched = np.unique(np.concatenate([doubtful, doubtful + 1]))
    seen: set[bytes] = set()
    later = []
    for row in order[touched].tolist():  # within one key in the order of the file
        if words[row] in seen:
            later.append(row)
        seen.add(words[row])
    return later


def _notes(met: Met, words: list[bytes], duplicates: list[int], zero: list[int]) -> list[str]:
    """What the reader met, in words."""
    notes = []

    def some(rows: list[int]) -> str:
        return ", ".join(repr(words[row].decode()[:40]) for row in rows[:3]) + (", …" if len(rows) > 3 else "")

    if duplicates:
        notes.append(
            f"{_times(len(duplicates), 'word stands', 'words stand')} twice; the first counts: {some(duplicates)}"
        )
    if zero:
        notes.append(
            f"{_times(len(zero), 'word has', 'words have')} a vector of zeros and can be no answer: {some(zero)}"
        )
    if met.n_bad_utf8:
        shown = ", ".join(repr(word[:40]) for word in met.examples)
        notes.append(f"{_times(met.n_bad_utf8, 'word is', 'words are')} no valid UTF-8, shown with \\x codes: {shown}")
    if met.n_with_space:
        notes.append(f"{_times(met.n_with_space, 'word has', 'words have')} spaces inside: quote them in a question")
    return notes


def _times(n: int, one: str, many: str) -> str:
    return f"{n:,} {one if n == 1 else many}"


def _stamp(path: Path, member: str | None, limit: int | None, precision: str) -> dict[str, Any]:
    """What tells whether a converted file is still that of its original."""
    status = path.stat()
    return {
        "name": f"{path.name}/{member}" if member else path.name,
        "bytes": status.st_size,
        "time_ns": status.st_mtime_ns,
        "limit": limit,
        "precision": precision,
    }


def _places(path: Path, limit: int | None, precision: str) -> list[Path]:
    """Beside the original, then in the cache."""
    kind = ("" if limit is None else f".{limit}") + ("" if precision == "float32" else ".f16")
    outside = next((parent for parent in path.parents if parent.is_file()), path)  # a member lies beside its zip
    within = hashlib.sha256(str(path.resolve()).encode("utf-8", "surrogatepass")).hexdigest()[:16]
    name = f"{path.name}{kind}.bottega"
    return [outside.parent / name, default_root() / "words" / f"{within}-{name}"]


def _may_write(folder: Path) -> bool:
    """Whether the folder may be written to; one without any write permission is left alone even by root."""
    return os.access(folder, os.W_OK) and bool(folder.stat().st_mode & 0o222)


def _refuse_foreign(place: Path) -> None:
    """A file that isn't ours is never written over."""
    if place.exists():
        with place.open("rb") as file:
            if not MAGIC.startswith(file.read(7) or b"?"):
                raise BottegaError(
                    found=f"{str(place)!r} is there, and none of our files",
                    expected="a free name for the converted vectors",
                    fix="move it away",
                )


def _hold(number: int) -> bool:
    """Take the open file for this process alone, where the system can: a lock goes with the one that held it."""
    try:
        import fcntl
    except ImportError:  # Windows, where an open file cannot be removed anyway
        return False
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _sweep(place: Path) -> None:
    """Remove what a conversion left that was killed: as large as the file itself, and nobody's any more."""
    for path in place.parent.iterdir():
        if path.name.startswith(f".{place.name}.") and path.suffix == ".part":
            try:
                with path.open("rb") as file:
                    is_old = time.time() - os.fstat(file.fileno()).st_mtime > 60  # younger: its lock may be to come
                    if is_old and _hold(file.fileno()):
                        path.unlink()
            except OSError:
                continue  # gone meanwhile, or another user's


def _refuse_false_header(source: Source, n_words: int) -> None:
    """A header that promises far more than such a file can hold, before room is sought for it."""
    size = source.path.stat().st_size
    per_number = 4 if source.kind == "binary" else 2
    if not source.is_packed and n_words * source.n_dims * per_number > 2 * size:
        raise BottegaError(
            found=f"a header of {source.n_words:,} words with {source.n_dims:,} numbers each, in {size:,} bytes",
            expected="a file that can hold them",
            fix="fetch it again, or mend its first line",
            where=source.name,
        )


def _refuse_full(folder: Path, n_bytes: int) -> None:
    free = shutil.disk_usage(folder).free
    if n_bytes > free:
        raise BottegaError(
            found=f"{free / 1e9:.1f} GB of free disk",
            expected=f"{n_bytes / 1e9:.1f} GB for the converted vectors",
            fix="free some space, or read fewer words: --limit 100000",
            where=str(folder),
        )
