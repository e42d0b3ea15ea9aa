"""Cells of a CSV: nothing runs, nothing moves the cursor."""

import pytest

from bottega.problem.spreadsheet import is_formula, safe_cell


@pytest.mark.parametrize(
    ("cell", "safe"),
    [
        ("rose", "rose"),
        ("=1+1", "'=1+1"),
        ("\t=1", "'\\t=1"),
        ("a\x00b", "a\\x00b"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("two\nlines\r", "two\\nlines\\r"),
        ("é 字 😀", "é 字 😀"),
    ],
)
def test_formulas_get_an_apostrophe_and_control_characters_are_written_out(cell: str, safe: str) -> None:
    assert safe_cell(cell) == safe
    assert not is_formula(safe_cell(cell))
