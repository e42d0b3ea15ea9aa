"""What drives a model's answers, as a part of its report: columns with their intervals, and what their cells do."""

from collections.abc import Sequence

from bottega.evaluation.drawing import Frame, Point, Row, Series, Tick, intervals, nice_ticks, plot
from bottega.evaluation.evidence import Evidence
from bottega.evaluation.markup import NOTHING, Html, lines, name, nest, text
from bottega.evaluation.page import figure, folded, paragraph, section, table
from bottega.evaluation.report_score import axis_ticks
from bottega.evaluation.wording import (
    count,
    is_share,
    joined,
    metric_name,
    number,
    plural,
    points,
    shortened,
)
from bottega.problem.records import Score, TrainRecord
from bottega.problem.understanding_records import Cell, Driver, Drivers, Effect, EffectPoint

__all__ = ["drivers"]

MAX_DRAWN = 12  # columns on the axis
MAX_NAMED = 8  # columns in a sentence
MAX_LEVELS = 7  # categories of one figure
MIDDLE = 0.8  # of the single rows: how far the bar of a category reaches


def drivers(record: TrainRecord, evidence: Evidence) -> Html:
    """Which columns the answers hang on, and how; nothing where no file was asked."""
    found = evidence.drivers
    if found is None or found.metric is None or not found.columns:
        return NOTHING
    told = [one for one in found.columns if one.measurable]
    heading = "What drives its answers"
    if told:
        columns = joined([repr(shortened(column, 40)) for column in told[0].columns])
        heading = f"{columns} drive{'' if len(told[0].columns) > 1 else 's'} its answers most"
    return section("drivers", heading, paragraph(_said(found, record, evidence.noun)), *_parts(found))


def _parts(found: Drivers) -> list[Html]:
    parts = [_importance(found)]
    together = [one for one in found.columns if one.association is not None]
    if together:
        groups = "; ".join(joined([repr(column) for column in one.columns]) for one in together)
        parts.append(paragraph(f"Columns that tell each other were shuffled as one: {groups}.", "small-print"))
    parts += [folded("The columns in numbers", _numbers(found)), _effects(found.effects)]
    return parts


def _said(found: Drivers, record: TrainRecord, noun: str) -> str:
    used = plural(found.n_used, f"test {noun}") + ("" if found.n_used == found.n else f" of {count(found.n)}")
    worse = "falls" if found.score is None or found.score.higher_is_better else "grows"
    said = f"How much its {metric_name(found.metric or '')} {worse} when a column's cells are shuffled among {used}."
    if record.test.get("source") == "cv":
        said += f" The file was trained on these {noun}s: what it knows by heart looks important too."
    still = [_name(one) for one in found.columns if not one.measurable]
    if still:
        effects = "The effect" if len(still) == 1 else "The effects"
        names = [shortened(one, 40) for one in still[:MAX_NAMED]]
        names += [f"{count(len(still) - MAX_NAMED)} more"] if len(still) > MAX_NAMED else []
        said += f" {effects} of {joined(names)} cannot be told from chance."
    return said


def _name(one: Driver) -> str:
    return " + ".join(one.columns)


def _importance(found: Drivers) -> Html:
    shown = found.columns[:MAX_DRAWN]
    rows = [_row(one, found) for one in shown]
    low, high = min(0.0, *(row.low for row in rows)), max(row.high for row in rows)
    share = is_share(found.metric or "")
    label = f"What the answers lose without a column. The most: {rows[0].label}, {rows[0].shown}."

    def draw(width: int) -> Html:
        ticks = _ticks(low, high, share=share, at_most=7 if width > 480 else 5)
        return intervals(rows, ticks, width=width, label=label)

    unit = "points" if share else "in its own unit"
    more = f" {count(len(found.columns) - MAX_DRAWN)} more are below." if len(found.columns) > MAX_DRAWN else ""
    change = "Loss" if found.score is None or found.score.higher_is_better else "Rise"
    caption = (
        f"{change} of {metric_name(found.metric or '')}, {unit}, its 95\u202f% interval; mean of {found.n_repeats} "
        f"shufflings. In bold what is above 0 beyond chance, all columns together.{more}"
    )
    return figure(draw, caption)


def _ticks(low: float, high: float, *, share: bool, at_most: int) -> list[Tick]:
    """As of scores; but a loss may be negative."""
    factor = 100 if share else 1
    return [
        (value / factor, f"{value:,.6g}".replace("-", "−"))
        for value in nice_ticks(low * factor, max(high, 1e-9) * factor, at_most)
    ]


def _row(one: Driver, found: Drivers) -> Row:
    score = one.importance
    return Row(_name(one), score.score, score.low, score.high, _lost(score, found), one.measurable)


def _lost(score: Score, found: Drivers) -> str:
    say = points if is_share(found.metric or "") else number
    return say(score.score, score.low, score.high).removesuffix("s").removesuffix(" point")


def _numbers(found: Drivers) -> Html:
    share = is_share(found.metric or "")
    rows = []
    for one in found.columns:
        score = one.importance
        ends = (points(end, score.low, score.high, unit=False) if share else number(end, score.low, score.high)
                for end in (score.low, score.high))  # fmt: skip
        rows.append([name(_name(one), 60), text(_lost(score, found)), text(" … ".join(ends))])
    return table(
        ("column", "change for the worse", "95\u202f% interval"), rows, label="The columns in numbers", numbers=(1, 2)
    )


def _effects(effects: Sequence[Effect]) -> Html:
    """Small drawings on one scale: the mean over the rows, and single rows behind it."""
    if not effects:
        return NOTHING
    share = effects[0].label is not None
    ends = _range(effects)
    halves = [_effect(one, ends, share=share) for one in effects]
    first = effects[0]
    same = all(one.answer == first.answer for one in effects)
    what = f"{'' if first.label is None else 'the '}{first.answer}" if same else "the answer"
    said = (
        f"How {what} goes with one column when nothing else changes, asked of the file for {plural(first.n, 'row')}. "
        "The thick line is their mean (partial dependence); each thin one is a single row. Bars hold the middle "
        "80\u202f% of the rows. It is what the model says, not what would happen if one changed the world."
    )
    return lines(
        [nest("h3", text("How its answers go with them")), paragraph(said), nest("div", *halves, class_="pair")]
    )


def _range(effects: Sequence[Effect]) -> tuple[float, float]:
    """What all drawings show, so that they can be compared."""
    values = [value for one in effects for point in one.points for value in (point.mean, *point.answers)]
    return min(values), max(values)


def _effect(one: Effect, ends: tuple[float, float], *, share: bool) -> Html:
    draw = _levels if one.kind == "category" else _line
    what = one.answer if one.label is not None else shortened(one.answer, 30)
    heading = nest("h3", name(one.column, 40))
    return nest("div", heading, draw(one, ends, what, share=share))


def _levels(one: Effect, ends: tuple[float, float], what: str, *, share: bool) -> Html:
    """A category: a bar for each level, in the order of how frequent they are."""
    shown = [point for point in one.points if point.cell is not None][:MAX_LEVELS]
    shown += [point for point in one.points if point.cell is None]
    rows = [Row(_cell(point.cell), point.mean, *_middle(point), _value(point.mean, share), True) for point in shown]
    label = f"{what} by {one.column}: {', '.join(f'{row.label} {row.shown}' for row in rows)}"
    ticks = axis_ticks(*ends, share=share, at_most=5)
    left_out = len(one.points) - len(shown)
    caption = f"{what}{', %' if share else ''}" + (f"; {count(left_out)} rarer ones left out" if left_out else "")
    return figure(lambda width: intervals(rows, ticks, width=width, label=label), caption, half=True)


def _line(one: Effect, ends: tuple[float, float], what: str, *, share: bool) -> Html:
    """A number or a date: a line over its values, the missing cell as a dot of its own behind them."""
    there = [point for point in one.points if point.cell is not None]
    places = [float(point.cell) if isinstance(point.cell, float) else float(i) for i, point in enumerate(there)]
    series = [
        Series(
            "", tuple(Point(x, point.answers[i]) for x, point in zip(places, there, strict=True)), "rival", thin=True
        )
        for i in range(len(there[0].answers) if there else 0)
    ]
    series.append(Series("", tuple(Point(x, point.mean) for x, point in zip(places, there, strict=True)), "accent"))
    x_ticks = _x_ticks(there, places)
    x_ends = (places[0], places[-1]) if places else (0.0, 1.0)
    for missing in [point for point in one.points if point.cell is None]:
        far = x_ends[1] + 0.14 * ((x_ends[1] - x_ends[0]) or 1.0)
        series.append(Series("", (Point(far, missing.mean, *_middle(missing)),), "accent", joined=False))
        x_ticks, x_ends = [*x_ticks, (far, "missing")], (x_ends[0], far)
    y_ticks = tuple(tick for tick in axis_ticks(*ends, share=share, at_most=7) if ends[0] <= tick[0] <= ends[1])
    frame = Frame(x_ends, ends, tuple(x_ticks), y_ticks)
    low, high = (pick(one.points, key=lambda point: point.mean) for pick in (min, max))
    label = (
        f"{what} by {one.column}: {_value(low.mean, share)} where it is {_cell(low.cell)}, "
        f"{_value(high.mean, share)} where it is {_cell(high.cell)}"
    )
    caption = f"{what}{', %' if share else ''}"
    return figure(lambda width: plot(series, frame, width=width, height=220, label=label), caption, half=True)


def _x_ticks(there: Sequence[EffectPoint], places: Sequence[float]) -> list[Tick]:
    """Round numbers within the range; of dates a few of those that were tried."""
    if there and isinstance(there[0].cell, float):
        inside = [value for value in nice_ticks(places[0], places[-1], 5) if places[0] <= value <= places[-1]]
        return [(value, f"{value:,.6g}") for value in inside or places[:1]]
    return [(place, str(point.cell)) for place, point in zip(places, there, strict=True)][:: max(1, len(there) // 3)]


def _middle(point: EffectPoint) -> tuple[float, float]:
    """The ends that hold the middle of the single rows; the mean is always inside."""
    ordered = sorted(point.answers)
    cut = round((1 - MIDDLE) / 2 * (len(ordered) - 1))
    return min(ordered[cut], point.mean), max(ordered[len(ordered) - 1 - cut], point.mean)


def _value(value: float, share: bool) -> str:
    return f"{100 * value:.0f}\u202f%" if share else f"{value:,.4g}"


def _cell(cell: Cell) -> str:
    if cell is None:
        return "missing"
    return f"{cell:,.6g}" if isinstance(cell, float) else cell
