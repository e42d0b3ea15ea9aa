"""Numbers as people write them: decimal commas, marks between thousands, units and currencies."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

__all__ = ["NumberFormat", "find_format", "parse"]

_PLAIN = r"^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$"
_GAP = "[\u00a0\u202f\u2009 '’]"  # what stands between thousands besides comma and point
_GROUPED = r"^[-+]?[1-9]\d{{0,2}}([{}]\d{{3}})+$"  # 1,234 or 1,234,567
_UNIT = re.compile(r"^\s*([^\d\s.,+\-]{0,4})\s*([-+]?[\d.,'’\u00a0\u202f\u2009 ]*\d[.,]?)\s*([^\d\s][^\d]{0,11})?\s*$")
_CURRENCY = re.compile(r"[€$£¥₹]|(US|CA|AU|R)\$|USD|EUR|GBP|CHF|JPY|Rs\.?")  # letters before a number are a code else
_AFTER = re.compile(r"[€$£¥₹°%a-zA-Zµμ²³/ ]{1,12}")
SAMPLE = 1000  # different cells that decide
SHARE = 0.95  # of the cells must read as numbers


@dataclass(frozen=True)
class NumberFormat:
    """How numbers are written in a column; the plain way is `NumberFormat()`.

    Attributes:
        decimal: the decimal mark.
        thousands: marks that are dropped.
        before, after: currency or unit that stands in every cell.
        sure: False where the cells fit two readings, and the file's other columns decided.
    """

    decimal: str = "."
    thousands: str = ""
    before: str = ""
    after: str = ""
    sure: bool = True

    @property
    def said(self) -> str:
        """In words, "" for the plain way."""
        parts = ["decimal comma"] if self.decimal == "," else []
        if self.thousands:
            marks = {",": "a comma", ".": "a point", "'": "an apostrophe"}
            parts.append(f"{marks.get(self.thousands, 'a gap')} between thousands")
        unit = self.before or self.after
        return ", ".join(parts + ([f"in {unit}"] if unit else []))


def find_format(cells: pl.Series, *, decimal_comma: bool | None) -> NumberFormat | None:
    """The way in which at least 95 % of the cells read as numbers; None where there is none.

    Args:
        cells: strings that are there, stripped.
        decimal_comma: what the rest of the file says about `1,234`; None for nothing.
    """
    some = cells.unique().head(SAMPLE).to_list()
    taken = [_UNIT.match(cell) for cell in some]
    fitting = [match for match in taken if match]
    if len(fitting) < SHARE * len(some):
        return None
    before, after = _common(match[1] for match in fitting), _common((match[3] or "").strip() for match in fitting)
    if before is None or after is None:
        return None
    if (before and not _CURRENCY.fullmatch(before)) or (after and not _AFTER.fullmatch(after)):
        return None
    numbers = [match[2].strip() for match in fitting]
    marks = _marks(numbers, decimal_comma)
    return None if marks is None else NumberFormat(marks[0], marks[1], before, after, marks[2])


def _common(words: Iterable[str]) -> str | None:
    """The one word of all; None where they differ."""
    kinds = set(words)
    return kinds.pop() if len(kinds) == 1 else None


def _marks(numbers: list[str], decimal_comma: bool | None) -> tuple[str, str, bool] | None:
    """Decimal mark, thousands mark, and whether the cells alone tell."""
    gap = next((char for number in numbers for char in number if re.match(_GAP, char)), "")
    flat = [re.sub(_GAP, "", number) for number in numbers]
    if not all(re.fullmatch(r"[-+]?[\d.,]+", number) for number in flat):
        return None
    commas, points = any("," in n for n in flat), any("." in n for n in flat)
    if commas and points:
        both = next((n for n in flat if "," in n and "." in n), None)
        if both is not None:
            return (",", ".", True) if both.rfind(",") > both.rfind(".") else (".", ",", True)
        grouped = [all(re.search(_GROUPED.format(m), n) for n in flat if m in n) for m in (",", ".")]
        if grouped[0] == grouped[1]:  # 1,5 in one cell and 1.5 in another
            return None
        return (".", ",", True) if grouped[0] else (",", ".", True)
    if commas:
        if any(n.count(",") > 1 for n in flat):
            return ".", ",", True
        if not all(re.search(_GROUPED.format(","), n) for n in flat if "," in n):
            return ",", gap, True
        return (",", gap, False) if decimal_comma else (".", ",", False)
    if points and decimal_comma and all(re.search(_GROUPED.format("."), n) for n in flat if "." in n):
        return ",", ".", False
    return ".", gap, True


def parse(cells: pl.Series, written: NumberFormat) -> pl.Series:
    """The cells as Float64; null where a cell is no number of that format."""
    text = cells.str.strip_chars()
    if written.before:
        text = text.str.strip_prefix(written.before).str.strip_chars()
    if written.after:
        text = text.str.strip_suffix(written.after).str.strip_chars()
    text = text.str.replace_all(_GAP, "")
    if written.thousands in (",", "."):
        text = text.str.replace_all(written.thousands, "", literal=True)
    if written.decimal == ",":
        text = text.str.replace(",", ".", literal=True)
    plain = text.str.contains(_PLAIN).fill_null(False)
    return text.zip_with(plain, pl.Series([None], dtype=pl.String)).cast(pl.Float64, strict=False)
