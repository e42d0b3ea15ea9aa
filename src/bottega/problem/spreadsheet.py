"""Cells that a spreadsheet shows and doesn't run."""

__all__ = ["is_formula", "safe_cell"]

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")  # what spreadsheets run; OWASP, "CSV Injection"


def is_formula(cell: str) -> bool:
    """Whether a spreadsheet would run this cell.

    Example:
        >>> is_formula("=cmd()"), is_formula("rose")
        (True, False)
    """
    return cell.startswith(FORMULA_STARTS)


def safe_cell(cell: str) -> str:
    """The cell, with an apostrophe before what would run.

    Example:
        >>> safe_cell("=cmd()")
        "'=cmd()"
    """
    return "'" + cell if is_formula(cell) else cell
