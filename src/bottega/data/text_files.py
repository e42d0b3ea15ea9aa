"""A file as one text: the one way to read it, for training and for asking; and the text files below a folder."""

import codecs
import os
from pathlib import Path

from bottega.errors import BottegaError

__all__ = [
    "MAX_FILE_BYTES",
    "SUFFIX",
    "UnreadableTextError",
    "read_text_file",
    "text_files_below",
    "text_of_file",
]

SUFFIX = ".txt"
MAX_FILE_BYTES = 64 * 2**20


class UnreadableTextError(ValueError):
    """A file that can't be read as a text; `reason` is for the user."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def read_text_file(path: str | os.PathLike[str]) -> tuple[str, bool]:
    """The text of a file, and whether its encoding is known; what is neither UTF-8 nor UTF-16 is read as Windows-1252.

    Raises:
        UnreadableTextError: it isn't there, is no regular file, is too large, or holds bytes that no text has.
    Example:
        >>> read_text_file("missing.txt")
        Traceback (most recent call last):
        bottega.data.text_files.UnreadableTextError: No such file or directory
    """
    file = Path(path)
    try:
        size = file.stat().st_size
        if not file.is_file():
            raise UnreadableTextError("no regular file")
        if size > MAX_FILE_BYTES:
            raise UnreadableTextError(f"more than {MAX_FILE_BYTES >> 20} MB")
        data = file.read_bytes()
    except OSError as error:
        raise UnreadableTextError(error.strerror or "it can't be read") from error
    is_utf16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))  # as Windows' "Unicode" files are
    if b"\0" in data and not is_utf16:
        raise UnreadableTextError("a NUL byte, which no text has")
    try:
        return data.decode("utf-16" if is_utf16 else "utf-8-sig"), True
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace"), False


def text_of_file(path: str | os.PathLike[str]) -> str:
    """The text of a file that was asked for by name.

    Raises:
        BottegaError: as `read_text_file`.
    """
    try:
        return read_text_file(path)[0]
    except UnreadableTextError as error:
        raise BottegaError(
            found=f"{os.fspath(path)!r}, which can't be read: {error.reason}",
            expected="a file of text",
            fix="check the path",
        ) from error


def text_files_below(folder: str | os.PathLike[str]) -> list[str]:
    """The .txt files of a folder and of those below it, by name; hidden ones are passed over."""
    found = []
    for at, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        names = sorted(name for name in files if name.lower().endswith(SUFFIX) and not name.startswith("."))
        found += [os.path.join(at, name) for name in names]
    return found
