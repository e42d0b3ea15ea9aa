"""Whether DATA is a table: by its name and its first lines, without reading the rest."""

import csv
import os
from itertools import islice
from pathlib import Path

__all__ = ["TABLE_SUFFIXES", "is_table", "is_text_folder"]

TABLE_SUFFIXES = (
    ".csv .tsv .tab .txt .parquet .pq .jsonl .ndjson .xlsx .xlsm .xls .ods .db .sqlite .sqlite3 .db3".split()
)
_PICTURES = (".jpg", ".jpeg", ".png", ".gif", ".bmp", ".tif", ".tiff", ".webp")
HEAD_BYTES = 65_536
MAX_LOOKED_AT = 500  # files of a folder


def is_table(data: str | os.PathLike[str]) -> bool:
    """Whether DATA holds a table rather than pictures; a CSV of `path,label` lists pictures.

    Args:
        data: a path, `file.db::table`, `-` for standard input; need not exist.
    """
    text = os.fspath(data)
    if text == "-" or "::" in text:
        return True
    path = Path(text)
    if path.suffix.lower() not in TABLE_SUFFIXES or path.is_dir():
        return False
    return path.suffix.lower() not in (".csv", ".txt") or not _lists_pictures(path)


def is_text_folder(data: str | os.PathLike[str]) -> bool:
    """Whether DATA is a folder whose sub-folders hold mostly .txt files: texts, a class each."""
    path = Path(data)
    if not path.is_dir():
        return False
    below = (file for pattern in ("*/*", "*/*/*") for file in path.glob(pattern) if not file.is_dir())
    suffixes = [file.suffix.lower() for file in islice(below, MAX_LOOKED_AT)]
    return 2 * suffixes.count(".txt") > len(suffixes)


def _lists_pictures(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES).decode("utf-8-sig", "replace")
    except OSError:
        return False
    lines = head.splitlines()[:3]
    delimiter = max(",;\t", key=lines[0].count) if lines else ","
    try:
        rows = [row for row in csv.reader(lines, delimiter=delimiter) if row]
    except csv.Error:
        return False
    names = [cell.strip().lower() for cell in rows[0]] if rows else []
    if "path" in names and "label" in names:
        return True
    return len(names) == 2 and any(row[0].lower().endswith(_PICTURES) for row in rows)
