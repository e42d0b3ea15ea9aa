"""Dates as strings, read by the operators that ship: split, cast, counted in days.

A cell that isn't a date of the stated format has NaN parts here; `predict` refuses it by row and column before.
"""

import re

import numpy as np
from onnx import TensorProto

from bottega.data.graph import GraphBuilder
from bottega.errors import BottegaError

__all__ = ["add_date", "date_parts", "date_pattern"]

_FIELDS = {
    "Y": r"[0-9]{4}",
    "m": r"(?:0?[1-9]|1[0-2])",
    "d": r"(?:0?[1-9]|[12][0-9]|3[01])",
    "H": r"(?:[01]?[0-9]|2[0-3])",
    "M": r"[0-5]?[0-9]",
    "S": r"[0-5]?[0-9]",
}
_EXAMPLE = {"Y": "2000", "m": "1", "d": "1", "H": "0", "M": "0", "S": "0"}
_DAY_PARTS = ("days", "year", "month", "day", "weekday")
_EPOCH = 10957  # 1 January 2000 in days since 1970: near to the data, so that float32 keeps seconds' worth of a day


def date_parts(format: str) -> tuple[str, ...]:
    """The names of what a date is split into.

    Raises:
        BottegaError: the format isn't one that the graph can read.
    Example:
        >>> date_parts("%m/%d/%Y")
        ('days', 'year', 'month', 'day', 'weekday')
    """
    fields, _ = _parsed(format)
    return (*_DAY_PARTS, "hour") if "H" in fields else _DAY_PARTS


def date_pattern(format: str) -> str:
    """A regular expression that matches whole cells of the format; RE2 and Python read it alike."""
    fields, separators = _parsed(format)
    escaped = [*(re.escape(separator) for separator in separators), ""]
    return "".join(_FIELDS[field] + between for field, between in zip(fields, escaped, strict=True))


def add_date(g: GraphBuilder, cells: str, format: str) -> str:
    """Add the operators that read one date column.

    Args:
        cells: string [N].
    Returns:
        float32 [N, n_parts], NaN where the cell is missing or no date of this format.
    """
    fields, separators = _parsed(format)
    is_date = g.op("RegexFullMatch", cells, pattern=date_pattern(format))
    example = "".join(_EXAMPLE[field] + between for field, between in zip(fields, [*separators, ""], strict=True))
    constant = g.constant(np.array([example]))
    # One date more than there are rows: with none at all, a split has no columns to take apart.
    rest = g.op("Concat", g.op("Where", is_date, cells, constant), constant, axis=0)
    number: dict[str, str] = {}
    for place, field in enumerate(fields):
        text = rest
        if place < len(separators):
            pieces, _ = g.ops("StringSplit", rest, n_outputs=2, delimiter=separators[place], maxsplit=1)
            sides = (g.op("Gather", pieces, g.constant([side], np.int64), axis=1) for side in (0, 1))
            text, rest = (g.op("Reshape", one, g.constant([-1], np.int64)) for one in sides)  # (N + 1, 1) -> (N + 1,)
        number[field] = g.op("Cast", text, to=TensorProto.INT64)
    parts = g.op("Concat", *(_column(g, part) for part in _parts(g, number)), axis=1)  # (N + 1, n_parts)
    parts = g.op("Slice", parts, g.constant([0], np.int64), g.constant([-1], np.int64), g.constant([0], np.int64))
    missing = g.op("Unsqueeze", g.op("Not", is_date), g.constant([1], np.int64))
    return g.op("Where", missing, g.constant(np.nan), parts)


def _parts(g: GraphBuilder, number: dict[str, str]) -> list[str]:
    """The parts as numbers (N + 1,), in the order of `date_parts`."""
    year, month, day = number["Y"], number["m"], number["d"]
    days = _days(g, year, month, day)
    weekday = g.op("Mod", g.op("Add", days, g.constant(5, np.int64)), g.constant(7, np.int64))  # 0 is a Monday
    whole = [g.op("Cast", part, to=TensorProto.FLOAT) for part in (days, year, month, day, weekday)]
    if "H" not in number:
        return whole
    hours = g.op("Cast", number["H"], to=TensorProto.FLOAT)
    for field, unit in (("M", 60.0), ("S", 3600.0)):
        if field in number:
            share = g.op("Div", g.op("Cast", number[field], to=TensorProto.FLOAT), g.constant(unit))
            hours = g.op("Add", hours, share)
    whole[0] = g.op("Add", whole[0], g.op("Div", hours, g.constant(24.0)))
    return [*whole, hours]


def _days(g: GraphBuilder, year: str, month: str, day: str) -> str:
    """Days since 1 January 2000 in the Gregorian calendar, int64; the year is thought to begin in March.

    Source: Hinnant 2013, "chrono-compatible low-level date algorithms" (days_from_civil).
    """

    def whole(value: int) -> str:
        return g.constant(value, np.int64)

    early = g.op("Cast", g.op("LessOrEqual", month, whole(2)), to=TensorProto.INT64)
    years = g.op("Sub", year, early)
    since_march = g.op("Add", g.op("Sub", month, whole(3)), g.op("Mul", early, whole(12)))
    in_year = g.op("Div", g.op("Add", g.op("Mul", since_march, whole(153)), whole(2)), whole(5))
    leaps = g.op("Sub", g.op("Div", years, whole(4)), g.op("Div", years, whole(100)))
    leaps = g.op("Add", leaps, g.op("Div", years, whole(400)))
    total = g.op("Add", g.op("Add", g.op("Mul", years, whole(365)), leaps), g.op("Add", in_year, day))
    return g.op("Sub", total, whole(719469 + _EPOCH))


def _column(g: GraphBuilder, values: str) -> str:
    return g.op("Unsqueeze", values, g.constant([1], np.int64))


def _parsed(format: str) -> tuple[list[str], list[str]]:
    """The fields of a format, and what stands between them."""
    fields = re.findall(r"%(.)", format)
    first, *separators = re.split(r"%.", format)
    last = separators.pop() if separators else ""
    is_known = set(fields) <= set(_FIELDS) and {"Y", "m", "d"} <= set(fields) and len(set(fields)) == len(fields)
    if not is_known or first or last or not all(separators) or ("S" in fields and "M" not in fields):
        raise BottegaError(
            found=f"dates written as {format!r}",
            expected="year, month and day in figures with something between, and hours, minutes, seconds if there are",
            fix="write them as 2024-03-31 or 2024-03-31 14:05:00",
        )
    return fields, separators
