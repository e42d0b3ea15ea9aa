"""Where word vectors come from: a file, a `.gz`, a member of a `.zip`; which format, and how many words."""

import codecs
import gzip
import io
import os
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal, cast

from bottega.errors import BottegaError, found_in, nearest_name

__all__ = ["MAX_DIMS", "Source", "damaged", "located", "open_source", "opened"]

MAX_DIMS = 10_000
MAX_WORDS = 100_000_000
SAMPLE_BYTES = 4 << 20  # enough for two rows of any width
N_VOTES = 100  # lines that vote on the width of a file without a header
_NUMBER = re.compile(rb"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]?nan|[+-]?inf", re.IGNORECASE)


@dataclass(frozen=True)
class Source:
    """A file of word vectors that was looked into, but not read.

    Attributes:
        path: of the file, or of the archive.
        member: inside the zip; None where it isn't one.
        kind: numbers as bytes or as text.
        n_words: as the header says, or lines counted.
        n_dims: D.
        has_header: whether the first line says both.
    """

    path: Path
    member: str | None
    kind: Literal["binary", "text"]
    n_words: int
    n_dims: int
    has_header: bool

    @property
    def is_packed(self) -> bool:
        """Whether its size on the disk says little about what is in it."""
        return self.member is not None or _starts_with(self.path, b"\x1f\x8b")

    @property
    def name(self) -> str:
        """As messages call it."""
        return f"{self.path.name}/{self.member}" if self.member else self.path.name


def open_source(stated: str | os.PathLike[str]) -> Source:
    """Find the file and say what it is.

    Args:
        stated: path; `glove.6B.zip/glove.6B.300d.txt` names one member of a zip that has several.
    Raises:
        BottegaError: nothing is there, the zip holds several files, or it isn't a file of word vectors.
    """
    path, member = located(Path(stated))
    if zipfile.is_zipfile(path):
        member = _member(path, member)
    with opened(path, member) as stream:
        sample = stream.read(SAMPLE_BYTES)
    if not sample.strip():
        raise _foreign(path, "an empty file")
    header = _header(sample)
    if header is not None:
        n_words, n_dims = header
        kind: Literal["binary", "text"] = "text" if _is_text(sample.partition(b"\n")[2], n_dims) else "binary"
    else:
        kind, n_dims = "text", _width(path, sample)
        n_words = _n_lines(path, member)
    _check_size(path, n_words, n_dims)
    return Source(path, member, kind, n_words, n_dims, header is not None)


@contextmanager
def opened(path: Path, member: str | None) -> Iterator[BinaryIO]:
    """The bytes of the file, unpacked as they are read."""
    try:
        if member is not None:
            with zipfile.ZipFile(path) as archive, archive.open(member) as inside:
                yield _without_mark(io.BufferedReader(inside, 1 << 20))
        elif _starts_with(path, b"\x1f\x8b"):
            with gzip.open(path, "rb") as unpacked:
                yield _without_mark(unpacked)
        else:
            with path.open("rb", buffering=1 << 20) as file:
                yield _without_mark(file)
    except (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
        raise damaged(path, f"an archive that cannot be unpacked ({error})") from error


def _without_mark(stream: Any) -> BinaryIO:
    """Past the three bytes that some editors write before a text."""
    if stream.peek(3)[:3] == codecs.BOM_UTF8:
        stream.read(3)
    return cast(BinaryIO, stream)


def damaged(path: Path, found: str, *, where: str | None = None) -> BottegaError:
    """The error of a file that ends too early or breaks off."""
    return BottegaError(
        found=found,
        expected="a whole file",
        fix="fetch it again, or compare its size with its origin",
        where=where or str(path),
    )


def located(path: Path) -> tuple[Path, str | None]:
    """The file on the disk, and what lies behind it where a part of the path is a zip."""
    if path.is_dir():
        raise BottegaError(found=f"the folder {str(path)!r}", expected="a file of word vectors", fix="name the file")
    if path.exists():
        return path, None
    for parent in path.parents:
        if parent.is_file() and zipfile.is_zipfile(parent):
            return parent, path.relative_to(parent).as_posix()
    folder = path.parent
    names = [child.name for child in folder.iterdir()] if folder.is_dir() else []
    near = nearest_name(path.name, names)
    raise BottegaError(
        found=f"no file {str(path)!r}",
        expected="a file of word vectors: word2vec, GloVe or fastText .vec, also as .gz or .zip",
        fix=f"did you mean {str(folder / near)!r}?" if near else "check the path",
    )


def _member(path: Path, stated: str | None) -> str:
    """The one member to read."""
    with zipfile.ZipFile(path) as archive:
        names = [info.filename for info in archive.infolist() if not info.is_dir() and info.file_size]
    names = [name for name in names if not name.startswith("__MACOSX/")]
    if stated is not None and stated in names:
        return stated
    if stated is None and len(names) == 1:
        return names[0]
    near = nearest_name(stated, names) if stated else None
    found = f"{stated!r} is not in the zip" if stated else f"a zip of {len(names)} files"
    raise BottegaError(
        found=found,
        expected=f"one of {found_in(names)}" if names else "a zip with a file in it",
        fix=f"name it: {path / (near or names[0])}" if names else "fetch it again",
        where=str(path),
    )


def _starts_with(path: Path, magic: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(len(magic)) == magic


def _header(sample: bytes) -> tuple[int, int] | None:
    """`n_words n_dims` of the first line, where it is one."""
    fields = sample.partition(b"\n")[0].split()
    if len(fields) != 2 or not all(field.isdigit() and len(field) < 12 for field in fields):
        return None
    return int(fields[0]), int(fields[1])


def _is_text(rest: bytes, n_dims: int) -> bool:
    """Whether the row after the header is a line of numbers. Binary numbers as good as never look so."""
    fields = rest.partition(b"\n")[0].split()
    return len(fields) > 1 and all(_NUMBER.fullmatch(field) for field in fields[-min(n_dims, len(fields) - 1) :])


def _width(path: Path, sample: bytes) -> int:
    """D of a file without a header: what most of its first lines have."""
    lines = sample.split(b"\n")[:N_VOTES]
    lines = lines[:-1] if len(lines) > 1 else lines  # the last may be cut
    widths = Counter(_n_numbers(line) for line in lines if line.strip())
    width = widths.most_common(1)[0][0] if widths else 0
    if width < 2:
        start = sample[:40].decode("utf-8", "backslashreplace").partition("\n")[0]
        raise _foreign(path, f"a first line that begins {start!r}")
    return width


def _n_numbers(line: bytes) -> int:
    """How many fields at the end of the line are numbers; the first field is always the word."""
    fields = line.split()
    n = 0
    while n < len(fields) - 1 and _NUMBER.fullmatch(fields[-1 - n]):
        n += 1
    return n


def _n_lines(path: Path, member: str | None) -> int:
    """Lines up to the last that holds something."""
    n, n_ends = 0, 0  # line ends seen; those of them that nothing followed yet
    with opened(path, member) as stream:
        while piece := stream.read(1 << 22):
            n += piece.count(b"\n")
            body = piece.rstrip(b"\r\n")
            n_ends = piece.count(b"\n", len(body)) + (0 if body else n_ends)
    return n - n_ends + 1


def _check_size(path: Path, n_words: int, n_dims: int) -> None:
    if not (0 < n_dims <= MAX_DIMS and n_words <= MAX_WORDS):
        raise BottegaError(
            found=f"a header of {n_words:,} words with {n_dims:,} numbers each",
            expected=f"1 to {MAX_DIMS:,} numbers for each word, at most {MAX_WORDS:,} words",
            fix="check that this is a file of word vectors",
            where=str(path),
        )
    if n_words < 2:
        raise BottegaError(
            found="1 word" if n_words == 1 else f"{n_words} words",
            expected="at least 2: nothing is near to anything else",
            fix="use a larger file",
            where=str(path),
        )


def _foreign(path: Path, found: str) -> BottegaError:
    return BottegaError(
        found=found,
        expected="a word and its numbers on each line, or word2vec's binary format",
        fix="give a file of word2vec, GloVe or fastText (.vec); fastText's .bin is another format",
        where=str(path),
    )
