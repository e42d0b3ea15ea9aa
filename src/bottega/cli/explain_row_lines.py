"""What drove one row's answer, for the terminal: column by column, and what other cells would give."""

import math
import textwrap

from bottega.cli.terminal import WIDTH, count, escape, fold
from bottega.problem.understanding_records import Cell, Effect, EffectPoint, ReplacedCells, RowAnswer

__all__ = ["answer_words", "cell_words", "row_lines"]

MAX_COLUMNS = 10
NAME, CELL = 30, 14


def row_lines(row: RowAnswer, target: str) -> list[str]:
    """The answer, what each column did to it, and what it would be with another cell."""
    if row.label is not None:
        head, unit = f"{row.label}  {100 * row.answer:.1f} %", f"in points of the probability of {row.label!r}"
    else:
        head, unit = f"{target}  {row.answer:,.5g}", f"in {target}"
    said = f"What its own cells do to the answer, against the cells of {row.n_background} other rows, {unit}:"
    scale = 100.0 if row.label is not None else 1.0
    largest = scale * max((abs(one.change) for one in row.columns), default=0.0)
    digits = min(6, max(0, 2 - math.floor(math.log10(largest)))) if largest > 0 else 0
    lines = [f"{escape(head)}  {escape(row.name)}", "", *textwrap.wrap(escape(said), WIDTH), ""]
    for one in row.columns[:MAX_COLUMNS]:
        change = round(scale * one.change, digits)  # what rounds to nothing has no sign
        lines += _column_lines(one, f"{change:+,.{digits}f}" if change else "0")
    if len(row.columns) > MAX_COLUMNS:
        lines.append(f"  and {count(len(row.columns) - MAX_COLUMNS, 'column')} with less (--json)")
    lines.append("")
    for effect in row.effects:
        point = max(effect.points, key=lambda one: abs(one.mean - row.answer))
        lines += fold("Instead", escape(_instead(effect, point)))
    return lines + fold("How", "each column on its own, nothing else changed; the numbers need not add up")


def _column_lines(one: ReplacedCells, change: str) -> list[str]:
    """One line a column; the change stands in the last one of those that go together."""
    pairs = list(zip(one.columns, one.cells, strict=True))
    lines = []
    for place, (column, cell) in enumerate(pairs):
        mark, name, own = "+ " if place else "  ", _cut(escape(column), NAME), _cut(escape(cell_words(cell)), CELL)
        last = place == len(pairs) - 1
        switched = f"  another answer in {100 * one.switched:.0f} %" if last and one.switched else ""
        lines.append(f"{mark}{name:<{NAME}} {own:<{CELL}} {change if last else '':>8}{switched}".rstrip())
    return lines


def _instead(effect: Effect, point: EffectPoint) -> str:
    what = "the answer" if effect.label is None else f"the {effect.answer}"
    own = cell_words(effect.cell)
    return (
        f"with {effect.column} {cell_words(point.cell)} in place of {own}, {what} would be "
        f"{answer_words(point.mean, effect)}"
    )


def answer_words(value: float, effect: Effect) -> str:
    """A probability in per cent, a value in four digits."""
    return f"{100 * value:.1f}\xa0%" if effect.label is not None else f"{value:,.4g}"


def cell_words(cell: Cell) -> str:
    """A cell as a sentence has it."""
    if cell is None:
        return "missing"
    return f"{cell:,.5g}" if isinstance(cell, float) else repr(cell)


def _cut(text: str, width: int) -> str:
    """Both ends of a long name: the middle goes."""
    return text if len(text) <= width else f"{text[: width // 2]}…{text[len(text) - (width - width // 2 - 1) :]}"
