"""Answers as CSV that a spreadsheet can open without running any of it."""

import csv
import io
from collections.abc import Sequence
from typing import Any

from bottega.problem.spreadsheet import is_formula, safe_cell

__all__ = ["csv_bytes"]


def csv_bytes(answers: Sequence[dict[str, Any]], labels: Sequence[str]) -> tuple[bytes, int]:
    """One line an answer (as in the JSON record): input, label, sure, the probability of each label; or its value.

    Returns:
        UTF-8 bytes (a file name that is no text stays as it is on disk), and how many cells began like a formula and
        got a leading apostrophe.
    """
    if answers and "targets" in answers[0]:
        return _written(_of_targets(answers))
    if answers and "value" in answers[0]:
        ends = ("value", "lower", "upper")
        rows = [["input", *ends], *([one["input"], *(f"{one[end]:.7g}" for end in ends)] for one in answers)]
        return _written(rows)
    rows = [["input", "label", "sure", *(f"probability of {name}" for name in labels)]]
    for answer in answers:
        numbers = [f"{answer['probabilities'][name]:.6g}" for name in labels]
        rows.append([answer["input"], answer["label"], "true" if answer["sure"] else "false", *numbers])
    return _written(rows)


def _of_targets(answers: Sequence[dict[str, Any]]) -> list[list[str]]:
    """Of several targets: the columns of each after its name and a point."""
    head = ["input"]
    for target, one in answers[0]["targets"].items():
        names = [f"probability of {label}" for label in one["probabilities"]] if "label" in one else []
        head += [f"{target}.{name}" for name in (["label", "sure", *names] if names else ["value", "lower", "upper"])]
    rows = [
        [answer["input"], *(cell for one in answer["targets"].values() for cell in _cells(one))] for answer in answers
    ]
    return [head, *rows]


def _cells(one: dict[str, Any]) -> list[str]:
    if "label" not in one:
        return [f"{one[end]:.7g}" for end in ("value", "lower", "upper")]
    return [one["label"], "true" if one["sure"] else "false", *(f"{p:.6g}" for p in one["probabilities"].values())]


def _written(rows: list[list[str]]) -> tuple[bytes, int]:
    n_escaped = sum(is_formula(cell) for row in rows for cell in row)
    text = io.StringIO()
    csv.writer(text).writerows([safe_cell(cell) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8", "surrogateescape"), n_escaped
