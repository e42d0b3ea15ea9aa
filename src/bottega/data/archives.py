"""Pictures inside a zip, a tar or an .npz: bounded before they are read, and never unpacked to disk."""

import lzma
import os
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bottega.data.images import UnreadableError
from bottega.data.layout import Entry, Layout, arrange
from bottega.errors import BottegaError, found_in
from bottega.problem.records import Rejected

__all__ = ["open_npz", "open_tar", "open_zip"]

MAX_MEMBERS = 500_000
MAX_MEMBER_BYTES = 256 * 2**20
MAX_TOTAL_BYTES = 64 * 2**30  # of a zip or a plain tar, whose members are read one at a time
MAX_HELD_BYTES = 2 * 2**30  # of a compressed tar or an .npz, which are held in memory
MAX_RATIO = 200  # deflate reaches 1032 on nothing but zeros, real pictures rarely 20
MIN_RATIO_BYTES = 16 * 2**20  # below this no ratio is dangerous

BytesReader = Callable[[int], bytes]
ArrayReader = Callable[[int], npt.NDArray[Any]]


def open_zip(path: Path) -> tuple[Layout, BytesReader]:
    """List a zip of a picture folder; members are decompressed one at a time, when they are read.

    Raises:
        BottegaError: no zip, or too many members, too many bytes, or compressed like a bomb.
    """
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise _damaged(path, "zip", error) from error
    infos = [info for info in archive.infolist() if not info.is_dir()]
    _check_bounds(path, len(infos), sum(info.file_size for info in infos), MAX_TOTAL_BYTES, path.stat().st_size)
    rejected: list[Rejected] = []
    members: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        reason = _name_reason(info.filename) or _zip_reason(info)
        if reason:
            rejected.append(Rejected(info.filename, reason))
        else:
            members[info.filename] = info
    layout, place = _arranged(members, rejected)
    chosen = [members[place[entry.name]] for entry in layout.entries]

    def read(index: int) -> bytes:
        try:
            return archive.read(chosen[index])
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
            raise UnreadableError(f"damaged inside the zip: {error}") from error

    return layout, read


def open_tar(path: Path) -> tuple[Layout, BytesReader]:
    """List a tar of a picture folder; a compressed one, which can only be read in its own order, is held in memory.

    Raises:
        BottegaError: no tar, too many members or bytes, or compressed like a bomb.
    """
    plain = path.name.lower().endswith(".tar")
    limit = MAX_TOTAL_BYTES if plain else MAX_HELD_BYTES
    rejected: list[Rejected] = []
    members: dict[str, tarfile.TarInfo] = {}
    held: dict[str, bytes] = {}
    total = 0
    try:
        with tarfile.open(path) as archive:
            for count, info in enumerate(archive, 1):
                total += max(info.size, 0)
                _check_bounds(path, count, total, limit, 0 if plain else path.stat().st_size)
                reason = None if info.isdir() else _name_reason(info.name) or _tar_reason(info)
                if reason:
                    rejected.append(Rejected(info.name, reason))
                elif not info.isdir():
                    name = info.name.removeprefix("./")
                    members[name] = info
                    if not plain:
                        held[name] = _tar_bytes(archive, info)
    except (tarfile.TarError, OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise _damaged(path, "tar", error) from error
    layout, place = _arranged(members, rejected)
    names = [place[entry.name] for entry in layout.entries]

    def read(index: int) -> bytes:
        name = names[index]
        if not plain:
            return held[name]
        with path.open("rb") as file:
            file.seek(members[name].offset_data)
            return file.read(members[name].size)

    return layout, read


def open_npz(path: Path) -> tuple[tuple[Entry, ...], ArrayReader]:
    """Read `x_train, y_train[, x_val, y_val][, x_test, y_test]` as Keras writes them.

    x is (N, H, W) or (N, H, W, 1 | 3 | 4), uint8, or floats in 0 … 1, which are multiplied by 255 and rounded; y holds
    class indices or names, (N,) or (N, 1).

    Raises:
        BottegaError: other names, shapes, values or lengths; pickled objects; too many bytes.
    """
    arrays = _npz_arrays(path)
    entries: list[Entry] = []
    pixels: list[npt.NDArray[Any]] = []
    for part in ("train", "val", "test"):
        if f"x_{part}" not in arrays:
            continue
        x, labels = _checked_pair(arrays, part)
        given = part if len(arrays) > 2 else None  # one part alone is no division into parts
        width = len(str(len(x) - 1))
        entries += [Entry(f"x_{part}[{i:0{width}d}]", label, given) for i, label in enumerate(labels)]
        pixels.append(x)
    starts = np.cumsum([0] + [len(x) for x in pixels])
    order = sorted(range(len(entries)), key=lambda i: entries[i].name)

    def read(index: int) -> npt.NDArray[Any]:
        which = int(np.searchsorted(starts, order[index], side="right")) - 1
        return _as_uint8(pixels[which][order[index] - int(starts[which])])

    return tuple(entries[i] for i in order), read


def _check_bounds(path: Path, n_members: int, n_bytes: int, limit: int, packed_bytes: int) -> None:
    if n_members > MAX_MEMBERS:
        found = f"{path.name!r} lists more than {MAX_MEMBERS:,} files"
    elif n_bytes > limit:
        found = f"{path.name!r} unpacks to more than {limit:,} bytes"
    elif packed_bytes and n_bytes > MIN_RATIO_BYTES and n_bytes > MAX_RATIO * packed_bytes:
        found = f"{path.name!r} unpacks to more than {MAX_RATIO} times its size, as only a zip bomb does"
    else:
        return
    raise BottegaError(
        found=found,
        expected=f"at most {MAX_MEMBERS:,} files and {limit:,} bytes, at most {MAX_RATIO} times the packed size",
        fix="unpack it yourself if you trust it, and give the folder",
    )


def _damaged(path: Path, kind: str, error: BaseException) -> BottegaError:
    return BottegaError(
        found=f"{path.name!r} cannot be read as a {kind} archive: {_first_line(error)}",
        expected=f"a whole {kind} archive of one folder a class",
        fix="fetch or make the archive again, or give the unpacked folder",
    )


def _first_line(error: BaseException) -> str:
    """What the reader said, without its attempts at each compression in turn."""
    return str(error).partition("\n")[0].rstrip(":") or type(error).__name__


def _name_reason(name: str) -> str | None:
    if name.startswith(("/", "\\")) or ".." in name.replace("\\", "/").split("/") or name[1:3] == ":\\":
        return "a path that leads out of the archive"
    return "a name with a zero byte" if "\0" in name else None


def _zip_reason(info: zipfile.ZipInfo) -> str | None:
    if info.flag_bits & 1:
        return "locked with a password"
    if (info.external_attr >> 16) & 0o170000 == 0o120000:
        return "a link inside an archive"
    if info.file_size > MAX_MEMBER_BYTES:
        return f"{info.file_size:,} bytes, over the limit of {MAX_MEMBER_BYTES:,} a file"
    if info.file_size > MIN_RATIO_BYTES and info.file_size > MAX_RATIO * max(info.compress_size, 1):
        return f"unpacks to more than {MAX_RATIO} times its size"
    return None


def _tar_reason(info: tarfile.TarInfo) -> str | None:
    if info.issym() or info.islnk():
        return "a link inside an archive"
    if not info.isreg() or info.issparse():
        return "no regular file"
    if info.size > MAX_MEMBER_BYTES:
        return f"{info.size:,} bytes, over the limit of {MAX_MEMBER_BYTES:,} a file"
    return None


def _tar_bytes(archive: tarfile.TarFile, info: tarfile.TarInfo) -> bytes:
    file = archive.extractfile(info)
    return b"" if file is None else file.read()


def _arranged(names: Iterable[str], rejected: list[Rejected]) -> tuple[Layout, dict[str, str]]:
    """Arrange members without the folders that hold all of them; the second value gives each its own name back."""
    place = {name: name for name in names if not name.startswith("__MACOSX/")}
    while True:
        tops = {name.partition("/")[0] for name in place}
        deeper = all(name.count("/") >= 2 for name in place)
        if len(tops) != 1 or not deeper or next(iter(tops)).lower() in ("train", "val", "valid", "dev", "test"):
            break
        place = {name.partition("/")[2]: own for name, own in place.items()}
    return arrange(place, rejected=rejected), place


def _npz_arrays(path: Path) -> dict[str, npt.NDArray[Any]]:
    wanted = [f"{axis}_{part}" for part in ("train", "val", "test") for axis in "xy"]
    try:
        with zipfile.ZipFile(path) as archive:
            infos = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
            _check_bounds(path, len(infos), sum(i.file_size for i in infos.values()), MAX_HELD_BYTES, 0)
            for name in wanted:
                if name in infos:
                    _check_header(archive, infos[name], path)
        if not {"x_train", "y_train"} <= infos.keys():
            raise BottegaError(
                found=f"{path.name!r} with the arrays {found_in(sorted(infos)) or 'none'}",
                expected="x_train and y_train (and x_test, y_test)",
                fix="numpy.savez_compressed('data.npz', x_train=..., y_train=..., x_test=..., y_test=...)",
            )
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in wanted if name in infos}
    except (zipfile.BadZipFile, OSError, EOFError, zlib.error, ValueError, KeyError, NotImplementedError) as error:
        if isinstance(error, BottegaError):
            raise
        raise BottegaError(
            found=f"{path.name!r} cannot be read as .npz: {error}",
            expected="an .npz of plain arrays, as numpy.savez writes it",
            fix="write it again with numpy.savez_compressed",
        ) from error


def _check_header(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path) -> None:
    """Refuse objects and sizes that the header promises and the file does not hold, before memory is asked for."""
    with archive.open(info) as member:
        version = np.lib.format.read_magic(member)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read(member)
    if dtype.hasobject:
        raise BottegaError(
            found=f"{info.filename!r} in {path.name!r} holds pickled Python objects, which can run code when loaded",
            expected="plain arrays of one shape and type",
            fix="numpy.stack the pictures to one size and save again, or write them as files in one folder a class",
        )
    if int(np.prod([int(n) for n in shape], dtype=object)) * dtype.itemsize > info.file_size:
        raise BottegaError(
            found=f"{info.filename!r} in {path.name!r} promises more values than it holds: shape {shape}",
            expected="a whole array",
            fix="write it again with numpy.savez_compressed",
        )


def _checked_pair(arrays: dict[str, npt.NDArray[Any]], part: str) -> tuple[npt.NDArray[Any], list[str]]:
    x, y = arrays[f"x_{part}"], arrays.get(f"y_{part}")
    if x.ndim not in (3, 4) or (x.ndim == 4 and x.shape[3] not in (1, 3, 4)) or 0 in x.shape[1:]:
        raise BottegaError(
            found=f"x_{part} of shape {x.shape}",
            expected="(N, H, W) or (N, H, W, 1, 3 or 4)",
            fix="put the channels last, for instance with numpy.moveaxis(x, 1, -1)",
        )
    if y is None or y.ndim == 0 or len(x) != len(y) or y.size != len(y):
        raise BottegaError(
            found=f"{len(x):,} pictures in x_{part}, labels y_{part} of shape {y.shape if y is not None else None}",
            expected="one label for each picture, shape (N,)",
            fix="save both from the same rows; turn one-hot rows into indices with numpy.argmax(y, axis=1)",
        )
    return _checked_values(x, part), _labels(y.reshape(-1), part)


def _checked_values(x: npt.NDArray[Any], part: str) -> npt.NDArray[Any]:
    if x.dtype == np.uint8 or x.dtype == np.bool_ or not x.size:
        return x
    low, high = x.min(), x.max()
    if x.dtype.kind == "f" and low >= 0 and high <= 1:  # false when a NaN is among them
        return x
    if x.dtype.kind in "iuf" and low >= 0 and high <= 255 and bool((x == np.floor(x)).all()):
        return x.astype(np.uint8)
    if x.dtype.kind == "f" and not np.isfinite(x).all():
        bad = np.flatnonzero(~np.isfinite(x.reshape(len(x), -1)).all(1))
        raise BottegaError(
            found=f"{len(bad)} of {len(x)} pictures in x_{part} with NaN or infinite pixels, the first at {bad[0]}",
            expected="a number for every pixel",
            fix=f"leave them out: keep = numpy.isfinite(x_{part}.reshape(len(x_{part}), -1)).all(1)",
        )
    raise BottegaError(
        found=f"x_{part} of type {x.dtype} with values from {low:g} to {high:g}",
        expected="uint8, or floats in 0 … 1",
        fix="undo the normalisation before saving: the model file does its own",
    )


def _as_uint8(x: npt.NDArray[Any]) -> npt.NDArray[Any]:
    if x.dtype == np.uint8:
        return x
    return np.floor(x.astype(np.float64) * 255 + 0.5).astype(np.uint8)


def _labels(y: npt.NDArray[Any], part: str) -> list[str]:
    if y.dtype.kind in "iub" or (y.dtype.kind == "f" and np.isfinite(y).all() and bool((y == np.floor(y)).all())):
        return [str(int(value)) for value in y]
    if y.dtype.kind == "U":
        return [str(value) for value in y]
    if y.dtype.kind == "S":
        return [os.fsdecode(bytes(value)) for value in y]
    raise BottegaError(
        found=f"y_{part} of type {y.dtype}",
        expected="class indices or class names",
        fix="give each picture the number or the name of its class",
    )
