"""Histograms as SVG text: the target's at full width, a column's for a table's cell."""

from collections.abc import Sequence
from typing import Any

from bottega.evaluation.drawing import nice_ticks
from bottega.evaluation.markup import Html, attribute

__all__ = ["histogram", "small_histogram"]

_HEIGHT, _FOOT = 180, 24


def histogram(bins: dict[str, Any], *, width: int, label: str) -> Html:
    """Counts as bars over one axis.

    Args:
        bins: `edges` (k + 1,) and `counts` (k,).
        width: px.
        label: the finding, for who can't see the drawing.
    """
    edges, counts = bins["edges"], bins["counts"]
    low, high, most = edges[0], edges[-1], max(counts) or 1
    left, right = 8, width - 8
    scale, foot = (right - left) / (high - low), _HEIGHT - _FOOT
    thick = max(1.0, (right - left) / len(counts) - 2)
    parts = []
    for start, end, n in zip(edges, edges[1:], counts, strict=False):
        x = left + ((start + end) / 2 - low) * scale
        top = foot - (foot - 8) * n / most
        if n:
            parts.append(_bar(x, foot, top, thick, f"{n:,}"))
    parts.append(f'<line x1="{left}" y1="{foot}" x2="{right}" y2="{foot}" class="grid"/>')
    for value in nice_ticks(low, high, 6 if width > 480 else 4):
        if low <= value <= high:
            x = left + (value - low) * scale
            anchor = "start" if x < 40 else "end" if x > width - 40 else "middle"
            parts.append(f'<text x="{x:.1f}" y="{foot + 18}" class="soft" text-anchor="{anchor}">{value:,.6g}</text>')
    inside = "".join(parts)
    return Html(
        f'<svg width="{width}" height="{_HEIGHT}" viewBox="0 0 {width} {_HEIGHT}" role="img" '
        f'aria-label="{attribute(label)}">{inside}</svg>'
    )


def small_histogram(counts: Sequence[int], *, width: int = 140, height: int = 24) -> Html:
    """Counts as bars without an axis; the cell says the ends in words."""
    most, step = max(counts) or 1, (width - 4) / len(counts)
    parts = [
        _bar(2 + step * (i + 0.5), height - 2, height - 2 - max(1.0, (height - 4) * n / most), max(1.0, step - 1))
        for i, n in enumerate(counts)
        if n
    ]
    return Html(
        f'<svg class="small" width="{width}" height="{height}" viewBox="0 0 {width} {height}" aria-hidden="true">'
        f"{''.join(parts)}</svg>"
    )


def _bar(x: float, foot: float, top: float, thick: float, title: str = "") -> str:
    """An upright bar as a thick line, so that it takes its colour from the page's style sheet."""
    style = f"stroke-width:{thick:.1f};stroke-linecap:butt"
    said = f"<title>{title}</title>" if title else ""
    place = f'x1="{x:.1f}" y1="{foot:.1f}" x2="{x:.1f}" y2="{top:.1f}"'
    return f'<line {place} class="bar counter" style="{style}">{said}</line>'
