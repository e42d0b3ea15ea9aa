"""Charts as SVG text, drawn for a given width: intervals on one axis, curves, points with intervals, a heat map.

Nothing here knows what is drawn: values are plain floats, their words come ready from the caller. Colours are CSS
variables of the page, so that light, dark and print need no second drawing; a second width does (text isn't scaled).
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from bottega.evaluation.markup import Html, attribute
from bottega.evaluation.wording import shortened, text_width, visible

__all__ = ["Frame", "Point", "Row", "Series", "Tick", "heat_map", "intervals", "nice_ticks", "plot", "range_bar"]

_LETTER = 7.4  # px: what one column of 13 px text takes in a wide system font
_ROW, _FOOT = 40, 30  # px
_NARROW = 480  # px: below this, labels stand above their bars

Tick = tuple[float, str]
Across = Callable[[float], float]
Place = Callable[[float, float], tuple[float, float]]
Role = Literal["accent", "counter", "rival"]


@dataclass(frozen=True)
class Row:
    """One estimate with its interval."""

    label: str
    value: float
    low: float
    high: float
    shown: str  # the value in words
    strong: bool = False  # drawn in the accent, its label in bold


@dataclass(frozen=True)
class Point:
    """One point of a series, with an interval in y where it has one."""

    x: float
    y: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Series:
    """Points that belong together: joined by a line, or as dots with intervals; a band where a line has intervals."""

    name: str  # written at its end; "" for none
    points: tuple[Point, ...]
    role: Role
    joined: bool = True
    dashed: bool = False
    thin: bool = False  # one of many, behind the others


@dataclass(frozen=True)
class Frame:
    """Both axes of a plot."""

    x: tuple[float, float]
    y: tuple[float, float]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    x_name: str = ""
    y_name: str = ""
    mark: Tick | None = None  # an upright dotted line and its words
    spot: tuple[float, float, str] | None = None  # a point that is singled out, and its words


def nice_ticks(low: float, high: float, at_most: int = 7) -> list[float]:
    """Round values that span the range: steps of 1, 2 or 5 times a power of ten.

    Example:
        >>> nice_ticks(86.3, 99.2)
        [86.0, 88.0, 90.0, 92.0, 94.0, 96.0, 98.0, 100.0]
    """
    span = max(high - low, 1e-9 * max(abs(low), abs(high)), 1e-9)  # an axis of no length can't be drawn on
    for power in range(math.floor(math.log10(span)) - 2, math.floor(math.log10(span)) + 3):
        for factor in (1, 2, 5):
            step = factor * 10.0**power
            first = math.floor(low / step + 1e-9)
            last = max(first + 1, math.ceil(high / step - 1e-9))
            if last - first <= at_most:
                return [round(step * i, 12) for i in range(first, last + 1)]
    return [low, high]


def intervals(rows: Sequence[Row], ticks: Sequence[Tick], *, width: int, label: str, mark: Tick | None = None) -> Html:
    """Estimates with their intervals under each other on one axis; what lies outside it gets an arrow.

    Args:
        rows: in the order in which they are drawn.
        ticks: the axis: values and their words; the first and the last are its ends.
        width: px; below 480 the labels stand above the bars.
        label: the finding, for who can't see the drawing.
        mark: a value and a word, drawn as a dashed line through the first row.
    """
    narrow = width < _NARROW
    left, right = (6, width - 6) if narrow else (264, width - 84)
    start, top = ticks[0][0], 24
    scale = (right - left) / (ticks[-1][0] - start)

    def across(value: float) -> float:
        return left + (value - start) * scale

    row_height = _ROW + 8 if narrow else _ROW
    foot = top + row_height * len(rows) + 4
    parts = [_line(across(value), top - 10, across(value), foot, "grid") for value, _ in ticks]
    parts += [
        _text(across(value), foot + 18, words, "soft", _anchor(i, len(ticks)) if narrow else "middle")
        for i, (value, words) in enumerate(ticks)
    ]
    for i, row in enumerate(rows):
        y = top + row_height * i + (30 if narrow else 16)
        parts += _row_words(row, y, width, narrow) + _bar(row, across, (left, right), y)
    if mark is not None and left <= across(mark[0]) <= right:
        ends = (top + 20, top + 46) if narrow else (top - 8, top + 32)
        parts += _mark(across(mark[0]), *ends, mark[1], right, at_foot=narrow)
    return _svg(parts, width, foot + _FOOT, label)


def range_bar(row: Row, low: float, high: float, *, width: int = 140) -> Html:
    """One estimate with its interval as a small drawing for a table's cell; the cell beside it has the numbers."""
    scale = (width - 12) / (high - low)
    bar = _bar(row, lambda value: 6 + (value - low) * scale, (6, width - 6), 8)
    return Html(
        f'<svg class="small" width="{width}" height="16" viewBox="0 0 {width} 16" aria-hidden="true">'
        f"{_line(6, 8, width - 6, 8, 'grid')}{''.join(bar)}</svg>"
    )


def plot(series: Sequence[Series], frame: Frame, *, width: int, height: int, label: str) -> Html:
    """Lines or dots over two axes, each series named at its end."""
    names = [text_width(one.name) for one in series if one.name]
    left = 12 + round(max((text_width(words) for _, words in frame.y_ticks), default=0) * _LETTER)
    right = width - (14 + round(max(names) * 8.2) if names else 22)
    top, foot = 34 if frame.y_name else 14, height - (46 if frame.x_name else 26)
    x_scale = (right - left) / ((frame.x[1] - frame.x[0]) or 1.0)
    y_scale = (foot - top) / ((frame.y[1] - frame.y[0]) or 1.0)

    def place(x: float, y: float) -> tuple[float, float]:
        return left + (x - frame.x[0]) * x_scale, foot - (y - frame.y[0]) * y_scale

    parts = [_text(0, 13, frame.y_name, "soft")] if frame.y_name else []
    for value, words in frame.y_ticks:
        y = place(0, value)[1]
        parts += [_line(left, y, right, y, "grid"), _text(left - 8, y + 4, words, "soft", "end")]
    parts += _x_axis(frame, place, foot, width)
    if frame.mark is not None:
        parts += _mark(place(frame.mark[0], 0)[0], top, foot, frame.mark[1], right)
    for one in series:
        parts += _drawn(one, place)
    parts += _end_names(series, place, foot)
    if frame.spot is not None:
        parts += _spot(frame.spot, place, right)
    return _svg(parts, width, height, label)


def heat_map(cells: Mapping[tuple[int, int], int], size: int, *, width: int, label: str) -> Html:
    """A square of counts, row by column, without numbers: the diagonal in the counter-colour, the rest by four tones.

    Args:
        cells: (row, column) to count; zeros left out. Many rows are drawn in blocks of neighbours.
        size: rows, and columns.
    """
    block = max(1, math.ceil(size / 125))  # fewer than three px to a cell can't be seen
    drawn: dict[tuple[int, int], int] = {}
    for (row, column), n in cells.items():
        place = (row // block, column // block, row == column)
        drawn[place[:2]] = drawn.get(place[:2], 0) + (0 if place[2] else n)
    most = max(drawn.values(), default=1) or 1
    tones: dict[str, list[str]] = {}
    for (row, column), n in sorted(drawn.items()):
        tone = "diagonal" if row == column and n == 0 else f"tone{tone_of(n, most)}"
        tones.setdefault(tone, []).append(f"M{column} {row}h1v1h-1z")
    count = math.ceil(size / block)
    paths = "".join(f'<path class="{tone}" d="{"".join(path)}"/>' for tone, path in sorted(tones.items()))
    ground = f'<rect class="wash" width="{width}" height="{width}"/>'
    return _svg([ground, f'<g transform="scale({_px(width / count, 4)})">{paths}</g>'], width, width, label)


def tone_of(n: int, most: int) -> int:
    """One of four tones for a count, by its square root: a single one must still be seen beside many."""
    if most <= 4:
        return min(4, n)
    return min(4, max(1, math.ceil(4 * math.sqrt(n / most))))


def _svg(parts: Iterable[str], width: int, height: float, label: str) -> Html:
    size = f'width="{width}" height="{_px(height)}" viewBox="0 0 {width} {_px(height)}"'
    return Html(f'<svg {size} role="img" aria-label="{attribute(label)}">{"".join(parts)}</svg>')


def _px(value: float, digits: int = 1) -> str:
    return f"{value:.{digits}f}".rstrip("0").rstrip(".") if digits else f"{value:.0f}"


def _text(x: float, y: float, words: str, style: str, anchor: str = "start") -> str:
    place = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return f'<text x="{_px(x)}" y="{_px(y)}" class="{style}"{place}>{attribute(words)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, style: str) -> str:
    return f'<line x1="{_px(x1)}" y1="{_px(y1)}" x2="{_px(x2)}" y2="{_px(y2)}" class="{style}"/>'


def _anchor(i: int, n: int) -> str:
    """Words at the ends of a narrow axis stay inside the drawing."""
    return "start" if i == 0 else "end" if i == n - 1 else "middle"


def _row_words(row: Row, y: float, width: int, narrow: bool) -> list[str]:
    style, columns = ("strong", 31) if row.strong else ("ink", 34)
    if narrow:
        columns = int((width - 70) / _LETTER)
    short = shortened(visible(row.label), columns)
    full = f"<title>{attribute(row.label)}</title>" if short != row.label else ""
    label = _text(0, y - 14 if narrow else y + 4, short, style).replace("</text>", f"{full}</text>")
    return [label, _text(width, y - 14 if narrow else y + 4, row.shown, style + " number", "end")]


def _bar(row: Row, across: Across, ends: tuple[float, float], y: float) -> list[str]:
    """The interval as a bar and the value as a dot, cut at the axis' ends; an arrow where the dot lies outside."""
    role = "accent" if row.strong else "rival"
    left, right = ends
    at, low, high = across(row.value), across(row.low), across(row.high)
    if at < left - 0.5:
        return [_text(left, y + 4, "◂ off the scale", "soft")]
    if at > right + 0.5:
        return [_text(right, y + 4, "off the scale ▸", "soft", "end")]
    bar = _line(max(low, left), y, min(high, right), y, f"bar {role}")
    return [bar, f'<circle cx="{_px(at)}" cy="{_px(y)}" r="6" class="dot {role}"/>']


def _mark(x: float, top: float, foot: float, words: str, right: float, *, at_foot: bool = False) -> list[str]:
    """A dashed upright line with its words on the side where there is room."""
    room = x + 10 + text_width(words) * _LETTER <= right
    return [
        _line(x, top, x, foot, "mark"),
        _text(x + 6 if room else x - 6, foot if at_foot else top + 10, words, "soft halo", "start" if room else "end"),
    ]


def _x_axis(frame: Frame, place: Place, foot: float, width: int) -> list[str]:
    """Words under the axis, each kept inside the drawing; those that would run into the ones before are left out."""
    parts, taken = [], -math.inf
    for value, words in frame.x_ticks:
        x, half = place(value, 0)[0], text_width(words) * _LETTER / 2
        x = _kept_inside(x, half, width)
        if x - half > taken:
            parts.append(_text(x, foot + 18, words, "soft", "middle"))
            taken = x + half + 6
    if frame.x_name:
        x = (place(frame.x[0], 0)[0] + place(frame.x[1], 0)[0]) / 2
        x = _kept_inside(x, text_width(frame.x_name) * _LETTER / 2, width)
        parts.append(_text(x, foot + 38, frame.x_name, "soft", "middle"))
    return parts


def _kept_inside(x: float, half: float, width: int) -> float:
    """Where the middle of words must stand so that they don't leave the drawing."""
    return max(half, min(x, width - half))


def _drawn(one: Series, place: Place) -> list[str]:
    """The band, then the line; or the intervals, then the dots."""
    parts = []
    spread = [(p.x, p.low, p.high) for p in one.points if p.low is not None and p.high is not None]
    if one.joined:
        if len(spread) > 1:
            edge = [place(x, high) for x, _, high in spread] + [place(x, low) for x, low, _ in reversed(spread)]
            parts.append(f'<polygon class="band {one.role}" points="{_path(edge)}"/>')
        dash = " dashed" * one.dashed + " thin" * one.thin
        parts.append(
            f'<polyline class="curve {one.role}{dash}" points="{_path([place(p.x, p.y) for p in one.points])}"/>'
        )
        return parts
    for x, low, high in spread:
        parts.append(_line(*place(x, low), *place(x, high), f"bar {one.role}"))
    for point in one.points:
        x, y = place(point.x, point.y)
        parts.append(f'<circle cx="{_px(x)}" cy="{_px(y)}" r="5" class="dot {one.role}"/>')
    return parts


def _path(places: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{_px(x)},{_px(y)}" for x, y in places)


def _end_names(series: Sequence[Series], place: Place, foot: float) -> list[str]:
    """Each name at its line's end, moved up where two ends meet, so that none runs into the axis' words."""
    ends = sorted(
        ((*place(one.points[-1].x, one.points[-1].y), one) for one in series if one.name and one.points),
        key=lambda end: end[1],
    )
    parts, floor = [], foot - 4
    for x, end, one in reversed(ends):
        y = min(end, floor)
        parts.append(_text(x + 10, y + 4, one.name, f"end {one.role}"))
        floor = y - 16
    return parts


def _spot(spot: tuple[float, float, str], place: Place, right: float) -> list[str]:
    x, y = place(spot[0], spot[1])
    room = x + text_width(spot[2]) * _LETTER + 14 <= right
    return [
        f'<circle cx="{_px(x)}" cy="{_px(y)}" r="6" class="dot accent"/>',
        _text(x + (10 if room else -10), y + 22, spot[2], "strong halo", "start" if room else "end"),
    ]
