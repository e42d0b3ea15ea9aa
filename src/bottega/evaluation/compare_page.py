"""The page of `bottega compare --html`: scores on one axis, curves in one picture, and what differs."""

from collections.abc import Sequence

from bottega.evaluation.drawing import Frame, Point, Row, Series, intervals, nice_ticks, plot
from bottega.evaluation.markup import NOTHING, Html, lines, name, nest, text
from bottega.evaluation.page import document, figure, paragraph, section, table
from bottega.evaluation.report_score import axis_ticks
from bottega.evaluation.wording import is_share, joined, metric_name, number, percent, plural, points, shortened
from bottega.problem.refinement_records import ComparedRun, CompareRecord, PairedTest, RecipeDifference

__all__ = ["compare_page"]

LINES = ("accent", "counter", "rival")  # roles of the first, the second, and all others
NAME_COLUMNS, MOST_TICKS, CELL_COLUMNS = 18, 10, 60


def compare_page(record: CompareRecord) -> str:
    """One self-contained page."""
    runs = record.runs
    head = nest("header", nest("b", Html("bottega")), nest("span", text("compare")), class_="top")
    body = [
        head,
        nest("h1", text(_verdict(record))),
        section("tests", "On the same test examples", *(_test(one) for one in record.tests), _scores(runs)),
        _curves(runs),
        _differences(runs, record.differences),
    ]
    return document(f"{joined([one.run_dir for one in runs])}: compared", Html(nest("main", lines(body))))


def _verdict(record: CompareRecord) -> str:
    first = record.runs[0].run_dir
    better, worse = ([one.run for one in record.tests if one.verdict == word] for word in ("better", "worse"))
    said = [f"{joined(better)} {'is' if len(better) == 1 else 'are'} better than {first}"] if better else []
    said += [f"{joined(worse)} {'is' if len(worse) == 1 else 'are'} worse than {first}"] if worse else []
    return f"{', '.join(said)}." if said else "It can't be told which run is better."


def _test(one: PairedTest) -> Html:
    if one.gain is None:
        return paragraph(f"{one.run} against {one.against}: {one.why}.")
    ends, share = (one.gain.low, one.gain.high), is_share(one.metric)
    value = points(one.gain.score, *ends) if share else number(one.gain.score, *ends)
    low, high = (points(end, *ends, unit=False) if share else number(end, *ends) for end in ends)
    said = (
        f"{one.run} against {one.against}: {value} of {metric_name(one.metric)} ({low} … {high}) on {one.n:,} shared "
    )
    return paragraph(f"{said}test examples: {one.verdict}{f'; {one.why}' if one.why else ''}.")


def _scores(runs: Sequence[ComparedRun]) -> Html:
    """Each run on its own test part; nothing where they are judged by different metrics."""
    metric = runs[0].metric
    if any(one.metric != metric for one in runs):
        return NOTHING
    share = is_share(metric)
    rows = []
    for i, one in enumerate(runs):
        score, low, high = (float(one.test[key]) for key in ("score", "low", "high"))
        say = percent if share else number
        rows.append(Row(f"{one.run_dir}: {one.chosen}", score, low, high, say(score, low, high), i == 0))
    bounds = min(row.low for row in rows), max(row.high for row in rows)
    label = f"{metric_name(metric)} of each run on its own test part"

    def draw(width: int) -> Html:
        return intervals(rows, axis_ticks(*bounds, share=share, at_most=5), width=width, label=label)

    return figure(
        draw, f"Test {metric_name(metric)}{', %,' if share else ''} of each run, with its 95\u202f% interval."
    )


def _curves(runs: Sequence[ComparedRun]) -> Html:
    """Validation over the epochs, all runs in one picture."""
    drawn = [(i, one) for i, one in enumerate(runs) if len(one.curve) > 1]
    if not drawn:
        return section("curves", "The curves", paragraph("No two epochs were recorded, so there is no curve to draw."))
    by_score = len({one.metric for _, one in drawn}) == 1 and is_share(drawn[0][1].metric)
    series = [
        Series(
            shortened(one.run_dir.rpartition("/")[2], NAME_COLUMNS),
            tuple(Point(line.epoch, line.val_score if by_score else line.val_loss) for line in one.curve),
            LINES[min(i, 2)],  # type: ignore[arg-type]
            dashed=i > 1,
        )
        for i, one in drawn
    ]
    ys = [point.y for one in series for point in one.points]
    xs = [point.x for one in series for point in one.points]
    ends = nice_ticks(min(ys), max(ys), 5)
    ticks = [x for x in nice_ticks(min(xs), max(xs), MOST_TICKS) if min(xs) <= x <= max(xs)]
    what = f"validation {metric_name(drawn[0][1].metric)}" if by_score else "validation log loss"
    frame = Frame(
        x=(min(xs), max(xs)),
        y=(ends[0], ends[-1]),
        x_ticks=tuple((x, f"{x:g}") for x in ticks),
        y_ticks=tuple((y, percent(y) if by_score else f"{y:,.4g}") for y in ends),
        x_name="epoch",
        y_name=what,
    )
    label = f"{what} of {plural(len(drawn), 'run')} over the epochs"
    best = joined([f"{one.run_dir} kept epoch {one.best_epoch:g}" for _, one in drawn if one.best_epoch is not None])
    rest = [one.run_dir for one in runs if len(one.curve) < 2]
    none = f" {joined(rest)} trained no network of its own, or for one epoch only." if rest else ""
    return section(
        "curves",
        "The curves",
        paragraph(f"{best}.{none}"),
        figure(lambda width: plot(series, frame, width=width, height=300, label=label), ""),
    )


def _differences(runs: Sequence[ComparedRun], differences: Sequence[RecipeDifference]) -> Html:
    if not differences:
        return section("differences", "The recipes are the same", paragraph("Only chance or the machine differs."))
    rows = [[text(one.key), *(name(_cell(value), CELL_COLUMNS) for value in one.values)] for one in differences]
    head = ("", *(one.run_dir for one in runs))
    return section("differences", "What differs in the recipes", table(head, rows, label="What differs in the recipes"))


def _cell(value: object) -> str:
    return "–" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
