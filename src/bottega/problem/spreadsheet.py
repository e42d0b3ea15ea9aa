"""Cells that a spreadsheet shows and doesn't run."""

import re

__all__ = ["is_formula", "safe_cell"]

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")  # what spreadsheets run; OWASP, "CSV Injection"
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def is_formula(cell: str) -> bool:
    """Whether a spreadsheet would run this cell.

    Example:
        >>> is_formula("=cmd()"), is_formula("rose")
        (True, False)
    """
    return cell.startswith(FORMULA_STARTS)


def safe_cell(cell: str) -> str:
    """The cell, with an apostrophe before what would run, and control characters as they are written in code.

    Example:
        >>> safe_cell("=cmd()")
        "'=cmd()"
        >>> print(safe_cell("a\\x00b\\nc"))
        a\\x00b\\nc
    """
    shown = _CONTROL.sub(lambda match: _SHORT.get(match.group(), f"\\x{ord(match.group()):02x}"), cell)
    return "'" + shown if is_formula(cell) else shown
