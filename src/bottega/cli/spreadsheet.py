"""Answers as CSV that a spreadsheet can open without running any of it."""

import csv
import io
from collections.abc import Sequence
from typing import Any

from bottega.problem.spreadsheet import is_formula, safe_cell

__all__ = ["csv_bytes"]


def csv_bytes(answers: Sequence[dict[str, Any]], labels: Sequence[str]) -> tuple[bytes, int]:
    """One line an answer (as in the JSON record): input, label, sure, the probability of each label.

    Returns:
        UTF-8 bytes (a file name that is no text stays as it is on disk), and how many cells began like a formula and
        got a leading apostrophe.
    """
    head = ["input", "label", "sure", *(f"probability of {name}" for name in labels)]
    rows = [head]
    for answer in answers:
        numbers = [f"{answer['probabilities'][name]:.6g}" for name in labels]
        rows.append([answer["input"], answer["label"], "true" if answer["sure"] else "false", *numbers])
    n_escaped = sum(is_formula(cell) for row in rows for cell in row)
    text = io.StringIO()
    csv.writer(text).writerows([safe_cell(cell) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8", "surrogateescape"), n_escaped
