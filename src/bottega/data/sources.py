"""Open what the user calls DATA: a folder, an archive, an array file, a list of paths, a built-in data set."""

import csv
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bottega.data.archives import open_npz, open_tar, open_zip
from bottega.data.images import UnreadableError
from bottega.data.layout import UNLABELLED, Entry, arrange, refuse_colliding_classes
from bottega.errors import BottegaError, found_in, nearest_name
from bottega.problem.records import Rejected

__all__ = ["BUILT_IN", "MAX_FILE_BYTES", "Entry", "Source", "open_source"]

MAX_FILE_BYTES = 256 * 2**20  # 64 megapixels of 16-bit RGB without compression are 384 MB; photos stay far below
MAX_LIST_BYTES = 256 * 2**20  # a CSV of two million paths
BUILT_IN = ("digits",)
_EXPECTED = "a folder with one sub-folder a class, a zip, tar or .npz of one, a CSV of path,label, or a built-in name"

Reader = Callable[[int], bytes | npt.NDArray[Any]]


@dataclass(frozen=True)
class Source:
    """Named examples that are read one at a time; `entries` are sorted by name.

    `read(i)` gives the bytes of a file, or uint8 pixels (H, W), (H, W, 1), (H, W, 3) or (H, W, 4) where the source is
    an array. It may be called from several threads. It raises OSError or UnreadableError for that one entry.
    """

    name: str
    kind: str  # folder, zip, tar, npz, csv, built-in
    entries: tuple[Entry, ...]
    reader: Reader = field(repr=False)
    rejected: tuple[Rejected, ...] = ()
    notes: tuple[str, ...] = ()

    def read(self, index: int) -> bytes | npt.NDArray[Any]:
        """The bytes or the uint8 pixels of one entry."""
        return self.reader(index)


def open_source(data: str | os.PathLike[str]) -> Source:
    """Open DATA and list what is in it, without reading any picture.

    Args:
        data: a path, or the name of a built-in data set where no such path exists.
    Raises:
        BottegaError: nothing is there, or it is nothing that holds labelled pictures.
    """
    path = Path(os.fspath(data))
    if not os.fspath(data):  # which pathlib takes for the working directory: a shell variable that was not set
        raise BottegaError(found="an empty name", expected=_EXPECTED, fix="give a path; `.` is the working directory")
    if not path.exists():
        if str(data) in BUILT_IN:
            return _digits()
        raise _missing(path)
    if path.is_dir():
        return _folder(path)
    lower = path.name.lower()
    if lower.endswith(".csv"):
        return _csv(path)
    if lower.endswith(".npz"):
        rows, read_row = open_npz(path)
        return Source(path.stem, "npz", rows, read_row)
    for kind, suffixes, opener in _ARCHIVES:
        suffix = next((s for s in suffixes if lower.endswith(s)), None)
        if suffix is not None:
            layout, reader = opener(path)
            name = path.name[: -len(suffix)]
            return Source(name, kind, layout.entries, reader, layout.rejected, layout.notes)
    raise BottegaError(
        found=f"the file {path.name!r}", expected=_EXPECTED, fix="put the pictures in one folder a class, give that"
    )


_ARCHIVES = (
    ("zip", (".zip",), open_zip),
    ("tar", (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz"), open_tar),
)


def read_file(path: Path) -> bytes:
    """The bytes of a regular file within the size limit; never a device or a pipe, which might not end."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise UnreadableError("no regular file")
        if status.st_size > MAX_FILE_BYTES:
            raise UnreadableError(f"{status.st_size:,} bytes, over the limit of {MAX_FILE_BYTES:,} a file")
        return file.read(MAX_FILE_BYTES + 1)


def _missing(path: Path) -> BottegaError:
    try:
        beside = [entry.name for entry in path.parent.iterdir()]
    except OSError:
        beside = []
    near = nearest_name(path.name, [*beside, *BUILT_IN])
    return BottegaError(
        found=f"nothing at {str(path)!r}",
        expected=_EXPECTED,
        fix=f"did you mean {near!r}?" if near else "check the spelling and the working directory",
    )


def _folder(root: Path) -> Source:
    rejected: list[Rejected] = []
    names = list(_walk(root, rejected))
    layout = arrange(names, rejected=rejected)
    paths = [root / entry.name for entry in layout.entries]
    name = root.resolve().name or "data"
    return Source(name, "folder", layout.entries, lambda i: read_file(paths[i]), layout.rejected, layout.notes)


def _walk(root: Path, rejected: list[Rejected]) -> Iterator[str]:
    """Relative names of regular files; links are followed only to files inside the folder."""
    real_root = os.path.realpath(root)

    def unlistable(error: OSError) -> None:
        if os.fspath(error.filename) == os.fspath(root):
            raise BottegaError(
                found=f"the folder {os.fspath(root)!r} cannot be listed: {error.strerror}",
                expected="a folder that you may read",
                fix="change its permissions",
            ) from error
        rejected.append(Rejected(os.path.relpath(error.filename, root).replace(os.sep, "/"), "no permission to list"))

    for folder, subfolders, files in os.walk(root, onerror=unlistable):
        below = os.path.relpath(folder, root).replace(os.sep, "/")
        prefix = "" if below == "." else below + "/"
        for subfolder in [s for s in subfolders if os.path.islink(os.path.join(folder, s))]:
            subfolders.remove(subfolder)
            rejected.append(Rejected(prefix + subfolder, _link_reason(os.path.join(folder, subfolder), real_root)))
        subfolders[:] = [s for s in subfolders if not s.startswith(".")]
        for file in files:
            path = os.path.join(folder, file)
            if os.path.islink(path) and not _inside(path, real_root):
                rejected.append(Rejected(prefix + file, _link_reason(path, real_root)))
            else:
                yield prefix + file


def _inside(path: str, real_root: str) -> bool:
    target = os.path.realpath(path)
    return os.path.isfile(target) and os.path.commonpath((target, real_root)) == real_root


def _link_reason(path: str, real_root: str) -> str:
    target = os.path.realpath(path)
    if not os.path.exists(target):
        return "a link to nothing"
    if os.path.commonpath((target, real_root)) != real_root:
        return "a link that leads out of the folder"
    return "a link to a folder"


def _csv(path: Path) -> Source:
    if path.stat().st_size > MAX_LIST_BYTES:
        raise BottegaError(
            found=f"a CSV of {path.stat().st_size:,} bytes",
            expected=f"at most {MAX_LIST_BYTES:,} bytes of path,label",
            fix="give the folder of pictures itself",
        )
    rows = _csv_rows(path)
    root = os.path.realpath(path.parent)
    entries: list[Entry] = []
    rejected: list[Rejected] = []
    for name, label, part in rows:
        target = os.path.realpath(os.path.join(root, name))
        if "\0" in name or os.path.commonpath((target, root)) != root:
            rejected.append(Rejected(name, "lies outside the folder of the CSV"))
        elif not os.path.isfile(target):
            rejected.append(Rejected(name, "no such file"))
        else:
            entries.append(Entry(name, label or None, part if label else UNLABELLED))
    entries.sort(key=lambda entry: (entry.name, entry.label or ""))
    refuse_colliding_classes(entry.label for entry in entries if entry.label is not None)
    paths = [Path(root) / entry.name for entry in entries]
    return Source(path.stem, "csv", tuple(entries), lambda i: read_file(paths[i]), tuple(rejected))


def _csv_rows(path: Path) -> list[tuple[str, str, str | None]]:
    """(path, label, part or None) of each row, by header or by place when there are just two columns."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            first = file.readline()
            file.seek(0)
            delimiter = max(",;\t", key=first.count)
            rows = [row for row in csv.reader(file, delimiter=delimiter) if row]
    except (UnicodeDecodeError, csv.Error) as error:
        raise BottegaError(
            found=f"{path.name!r} cannot be read as CSV: {error}",
            expected="a CSV in UTF-8 with the columns path and label",
            fix="save it as CSV (UTF-8)",
        ) from error
    header = [cell.strip().lower() for cell in rows[0]] if rows else []
    if "path" in header and "label" in header:
        columns, body, first_row = header, rows[1:], 2
    elif len(header) == 2:
        columns, body, first_row = ["path", "label"], rows, 1
    else:
        raise BottegaError(
            found=f"a CSV with the columns {found_in(header) or 'none'}",
            expected="the columns path and label (and part, if there are given parts)",
            fix="name the columns path,label in the first line",
            where=path.name,
        )
    place: dict[str, int] = {name: columns.index(name) for name in ("path", "label", "part") if name in columns}
    return [_csv_row(row, place, f"{path.name}, row {i}") for i, row in enumerate(body, first_row)]


def _csv_row(row: list[str], place: dict[str, int], where: str) -> tuple[str, str, str | None]:
    if len(row) <= max(place["path"], place["label"]):
        raise BottegaError(
            found=f"a row with {len(row)} cells: {row!r}",
            expected="a path and a label",
            fix="mend the row",
            where=where,
        )
    part = row[place["part"]].strip().lower() if "part" in place and len(row) > place["part"] else ""
    names = {"": None, "train": "train", "val": "val", "valid": "val", "dev": "val", "test": "test"}
    if part not in names:
        raise BottegaError(found=f"part {part!r}", expected="train, val or test", fix="mend the row", where=where)
    return row[place["path"]], row[place["label"]].strip(), names[part]


def _digits() -> Source:
    try:
        from sklearn.datasets import load_digits
    except ModuleNotFoundError as error:
        raise BottegaError(
            found="the built-in data set 'digits' needs scikit-learn, which is not installed",
            expected="scikit-learn, which carries the data",
            fix="pip install 'bottega[train]'",
        ) from error
    bundle = load_digits()
    pixels = np.floor(bundle.images * 255 / 16 + 0.5).astype(np.uint8)  # grey 0 … 16, (1797, 8, 8)
    entries = tuple(Entry(f"digits[{i:04d}]", str(label), None) for i, label in enumerate(bundle.target))
    return Source("digits", "built-in", entries, lambda i: pixels[i])
