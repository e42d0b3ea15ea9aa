"""Draw estimates with their intervals on one axis, in text."""

import math
from dataclasses import dataclass

__all__ = ["Estimate", "axis_lines", "digits_of", "number"]

IN_PERCENT = frozenset({"accuracy", "balanced_accuracy", "f1_macro", "ece", "coverage"})


@dataclass(frozen=True)
class Estimate:
    """One row: a name, a score with its interval, and a word on how it stands to what ships."""

    name: str
    score: float
    low: float
    high: float
    remark: str = ""


def digits_of(width: float) -> int:
    """How many decimals an estimate earns whose interval is `width` wide: one beyond the interval's leading digit.

    Example:
        >>> digits_of(2.2), digits_of(14.0), digits_of(0.03)
        (1, 0, 3)
    """
    if not math.isfinite(width) or width <= 0:
        return 1
    return min(4, max(0, 1 - math.floor(math.log10(width))))


def number(value: float, metric: str, width: float) -> str:
    """A metric's value in the unit people read it in: shares in percent (without the sign), all else as it is.

    Args:
        value: the score, as it stands in the record.
        metric: its name (docs/json.md lists them).
        width: of its interval, in the same unit as `value`.
    """
    scale = 100 if metric in IN_PERCENT else 1
    return f"{scale * value:,.{digits_of(scale * width)}f}" if math.isfinite(value) else "?"


def axis_lines(
    rows: list[Estimate], *, metric: str, name_width: int, axis_width: int, whole: bool = False
) -> list[str]:
    """One line for each estimate: name, score, and its interval `──●──` on an axis that all of them share.

    The axis reaches ten intervals of the first row to either side, so that one hopeless rival does not press all others
    into a corner; what lies beyond is marked `◂` or `▸` at its end.

    Args:
        rows: in the order they are to stand, the best first.
        metric: decides unit and digits.
        name_width: columns for the name; longer ones are cut.
        axis_width: columns for the axis.
        whole: the axis reaches from 0 to the farthest row.
    """
    ends = [end for row in rows for end in (row.low, row.score, row.high) if math.isfinite(end)]
    low, high = (min(ends), max(ends)) if ends else (0.0, 0.0)
    reach = 10 * (rows[0].high - rows[0].low) if rows else 0.0
    if whole:
        low, high = min(low, 0.0), max(high, 0.0)
    elif math.isfinite(reach) and reach > 0:
        low, high = max(low, rows[0].score - reach), min(high, rows[0].score + reach)
    step = (high - low) / (axis_width - 1) or 1.0
    lines = []
    for row in rows:
        name = row.name if len(row.name) <= name_width else row.name[: name_width - 1] + "…"
        score = number(row.score, metric, row.high - row.low)
        places = [(end - low) / step for end in (row.low, row.score, row.high)]
        axis = _interval(places, axis_width) if all(map(math.isfinite, places)) else ""
        lines.append(f"  {name:<{name_width}} {score:>6}  {axis:<{axis_width}}  {row.remark}".rstrip())
    return lines


def _interval(places: list[float], width: int) -> str:
    left, middle, right = (round(min(max(place, -1), width)) for place in places)
    if middle < 0:
        return "◂"
    if middle >= width:
        return " " * (width - 1) + "▸"
    left, right = max(left, 0), min(right, width - 1)
    return " " * left + "─" * (middle - left) + "●" + "─" * (right - middle)
