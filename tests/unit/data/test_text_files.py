"""Files as texts: one way to read them, and which of a folder are taken."""

from pathlib import Path

import pytest

from bottega.data import text_files
from bottega.data.text_files import UnreadableTextError, read_text_file, text_files_below, text_of_file
from bottega.errors import BottegaError


def test_utf8_is_read_and_what_is_not_counts_as_windows_1252(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("\ufeffcafé".encode())
    (tmp_path / "b.txt").write_bytes("café".encode("cp1252"))
    assert read_text_file(tmp_path / "a.txt") == ("café", True)
    assert read_text_file(tmp_path / "b.txt") == ("café", False)


def test_utf16_is_known_by_its_mark_and_other_nul_bytes_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("café".encode("utf-16"))
    assert read_text_file(tmp_path / "a.txt") == ("café", True)
    (tmp_path / "b.txt").write_bytes(b"free\0prize")
    with pytest.raises(UnreadableTextError, match="a NUL byte, which no text has"):
        read_text_file(tmp_path / "b.txt")


def test_what_is_no_file_is_refused_with_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnreadableTextError, match="No such file"):
        read_text_file(tmp_path / "missing.txt")
    with pytest.raises(UnreadableTextError, match="no regular file"):
        read_text_file(tmp_path)
    monkeypatch.setattr(text_files, "MAX_FILE_BYTES", 3)
    (tmp_path / "a.txt").write_text("four")
    with pytest.raises(UnreadableTextError, match="more than"):
        read_text_file(tmp_path / "a.txt")


def test_a_file_that_is_asked_for_by_name_is_its_text_or_an_error_for_the_user(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("café".encode("cp1252"))
    assert text_of_file(tmp_path / "a.txt") == "café"
    with pytest.raises(
        BottegaError, match=r"missing\.txt', which can't be read: No such file.*\nexpected: a file of text"
    ):
        text_of_file(tmp_path / "missing.txt")


def test_text_files_of_a_folder_come_by_name_without_hidden_ones(tmp_path: Path) -> None:
    for name in ("b/2.txt", "b/1.TXT", "a.txt", "a.csv", ".hidden/x.txt", "b/.y.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    found = [Path(name).relative_to(tmp_path).as_posix() for name in text_files_below(tmp_path)]
    assert found == ["a.txt", "b/1.TXT", "b/2.txt"]
