"""A network as SVG: from top to bottom, as wide as its pictures are, darker with more channels, with its share of work.

Colours are CSS variables of the page; a second width is a second drawing, as in drawing.py.
"""

from math import log2, sqrt

from bottega.evaluation.markup import Html, attribute
from bottega.evaluation.page import stylesheet
from bottega.evaluation.wording import shortened, visible
from bottega.problem.network import shape_text
from bottega.problem.network_summary import NetworkSummary, Row, rows

__all__ = ["draw_network", "picture_file"]

_NARROW = 480  # px: below this, each row's words stand on two lines
_LETTER = 7.4  # px: what one column of 13 px text takes in a wide system font
_MOST_ROWS = 60  # more can't be read; the middle is left out
_THIN = 10  # px: width of a vector's bar


def draw_network(summary: NetworkSummary, *, width: int) -> Html:
    """Draw the rows of a network, input at the top, answer at the foot.

    Args:
        width: px; below 480 the words take two lines a row, and the share of the work is left out.
    """
    drawn = rows(summary)
    n_left_out = max(0, len(drawn) - _MOST_ROWS)
    shown = drawn[: _MOST_ROWS - 6] + drawn[-6:] if n_left_out else drawn
    place = _Places(width, summary)
    parts = place.head() + place.input_row(summary)
    for index, row in enumerate(shown):
        if n_left_out and index == _MOST_ROWS - 6:
            parts += place.gap(n_left_out)
        parts += place.row(row, is_answer=row is shown[-1])
    label = (
        f"{summary.name}: {len(drawn)} steps from {shape_text(summary.input)} to {summary.n_outputs} outputs, "
        f"{summary.parameters:,} parameters"
    )
    size = f'width="{width}" height="{place.y + 4:g}" viewBox="0 0 {width} {place.y + 4:g}"'
    return Html(f'<svg {size} role="img" aria-label="{attribute(label)}">{"".join(parts)}</svg>')


def picture_file(drawing: Html) -> str:
    """A drawing as a file of its own, with the colours of the report, in light and dark."""
    style = f"<style>{stylesheet()} svg {{ background: var(--page); }}</style>"
    font = 'font-family="Inter, system-ui, sans-serif" xmlns="http://www.w3.org/2000/svg"'
    head, _, body = drawing.partition(">")
    return f"{head} {font}>{style}{body}\n"


class _Places:
    """Where things stand; `y` moves down as rows are drawn."""

    def __init__(self, width: int, summary: NetworkSummary) -> None:
        self.width = width
        self.narrow = width < _NARROW
        self.funnel = 72 if self.narrow else 120  # px: as wide as the input is drawn
        self.row_height = 50 if self.narrow else 30
        self.slab = 34 if self.narrow else 22
        self.left = self.funnel + 28  # words begin here
        self.side = max(summary.input[1:], default=1)
        self.work = max(summary.multiply_adds, 1)
        self.y = 0.0

    def head(self) -> list[str]:
        """The words above the columns."""
        if self.narrow:
            return []
        self.y = 26
        return [
            _text(self.left, 13, "layers", "soft"),
            _text(self.width - 280, 13, "output", "soft", "end"),
            _text(self.width - 180, 13, "parameters", "soft", "end"),
            _text(self.width, 13, "share of the work", "soft", "end"),
        ]

    def input_row(self, summary: NetworkSummary) -> list[str]:
        slab = self._slab(summary.input, "wash", 1.0)
        parts = [slab, *self._words("input", shape_text(summary.input), "", strong=False)]
        self.y += self.row_height
        return parts

    def row(self, row: Row, *, is_answer: bool) -> list[str]:
        """One row: its slab, the way around it, its words, its share of the work."""
        channels = row.output[0]
        depth = min(1.0, 0.12 + 0.075 * log2(max(channels, 1)))  # 1 channel is pale, 1,000 and more are dark
        parts = [self._slab(row.output, "dot accent" if is_answer else "dot counter", 1.0 if is_answer else depth)]
        if row.is_residual:
            parts.append(self._way_around(row.output))
        text = ("answer: " if is_answer else f"{row.times} × " if row.times > 1 else "") + row.text
        parameters = f"{row.parameters:,}" if row.parameters else "–"
        parts += self._words(text, shape_text(row.output), parameters, strong=is_answer)
        if not self.narrow:
            parts += self._share(row.multiply_adds / self.work)
        self.y += self.row_height
        return parts

    def gap(self, n: int) -> list[str]:
        words = _text(self.left, self.y + 18, f"… {n} steps between …", "soft")
        self.y += self.row_height
        return [words]

    def _extent(self, shape: tuple[int, ...]) -> float:
        """How wide a shape is drawn: by the root of its longer side beside the input's, so that small ones differ."""
        if len(shape) == 1:
            return _THIN
        return max(_THIN, self.funnel * min(1.0, sqrt(max(shape[1:]) / self.side)))

    def _slab(self, shape: tuple[int, ...], style: str, depth: float) -> str:
        extent = self._extent(shape)
        x = 8 + (self.funnel - extent) / 2
        size = f'width="{extent:g}" height="{self.slab}" rx="3"'
        return f'<rect x="{x:g}" y="{self.y:g}" {size} class="{style}" fill-opacity="{depth:.2f}"/>'

    def _way_around(self, shape: tuple[int, ...]) -> str:
        """A bow from above the slab to below it, on its right."""
        x = 8 + (self.funnel + self._extent(shape)) / 2
        top, foot = self.y - 4, self.y + self.slab + 4
        return f'<path class="curve accent" d="M{x:g} {top:g}C{x + 16:g} {top:g} {x + 16:g} {foot:g} {x:g} {foot:g}"/>'

    def _words(self, text: str, output: str, parameters: str, *, strong: bool) -> list[str]:
        style, room = "strong" if strong else "ink", (self.width if self.narrow else self.width - 360) - self.left
        columns = int(room / _LETTER)
        short = shortened(visible(text), columns)
        full = f"<title>{attribute(text)}</title>" if short != text else ""
        words = _text(self.left, self.y + 15, short, style).replace("</text>", f"{full}</text>")
        if self.narrow:
            below = output + (f" · {parameters} parameters" if parameters not in ("", "–") else "")
            return [words, _text(self.left, self.y + 33, below, "soft")]
        return [
            words,
            _text(self.width - 280, self.y + 15, output, "soft", "end"),
            _text(self.width - 180, self.y + 15, parameters, "soft", "end"),
        ]

    def _share(self, share: float) -> list[str]:
        """A bar of at most 96 px and its number; nothing where there is no work."""
        if share == 0:
            return []
        left, y = self.width - 148, self.y + 11
        words = f"{100 * share:.0f} %" if share >= 0.01 else "< 1 %"
        bar = f'<line x1="{left}" y1="{y:g}" x2="{left + 96 * share:.1f}" y2="{y:g}" class="bar rival"/>'
        return [bar, _text(self.width, self.y + 15, words, "soft", "end")]


def _text(x: float, y: float, words: str, style: str, anchor: str = "start") -> str:
    place = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return f'<text x="{x:g}" y="{y:g}" class="{style}"{place}>{attribute(words)}</text>'
