"""How a network of one's own was trained: what it saw, how its rate was found, what it is made of."""

from bottega.evaluation.drawing import Frame, Point, Series, nice_ticks, plot
from bottega.evaluation.evidence import Learning, RateTest
from bottega.evaluation.markup import NOTHING, Html, lines, nest, text
from bottega.evaluation.network_drawing import draw_network
from bottega.evaluation.page import Album, figure, folded, listing, paragraph, table
from bottega.evaluation.wording import plural
from bottega.problem.network import shape_text
from bottega.problem.network_summary import NetworkSummary, rows

__all__ = ["training"]


def training(learning: Learning | None, album: Album) -> Html:
    """Everything below the curve: nothing where no network was trained from its beginning."""
    if learning is None:
        return NOTHING
    return lines(
        [
            _notes(learning),
            _sheet(learning, album),
            _rate_test(learning.rate_test),
            _network(learning.network),
            _settings(learning),
        ]
    )


def _notes(learning: Learning) -> Html:
    return nest("div", listing(learning.notes), class_="notice") if learning.notes else NOTHING


def _sheet(learning: Learning, album: Album) -> Html:
    if learning.has_views:
        return paragraph(f"Each step of the training saw one of {learning.augmented}.")
    if learning.sheet is None:
        said = "The network saw the training pictures as they are, without variations"
        return paragraph(f"{said} ({learning.augmented}).")
    said = f"In training each picture was varied anew every time ({learning.augmented}). Each row: one picture, then "
    return lines(
        [
            nest("h3", text("What the network saw")),
            paragraph(f"{said}variations of it."),
            nest("figure", album.show(learning.sheet), class_="sheet"),
        ]
    )


def _rate_test(tested: RateTest | None) -> Html:
    if tested is None or len(tested.points) < 2:
        return NOTHING
    ys = [loss for _, loss in tested.points]
    ends = nice_ticks(min(ys), max(ys), 5)
    xs = [rate for rate, _ in tested.points]
    frame = Frame(
        x=(min(xs), max(xs)),
        y=(ends[0], ends[-1]),
        x_ticks=tuple((float(power), f"1e{power}") for power in range(round(min(xs)), round(max(xs)) + 1)),
        y_ticks=tuple((value, f"{value:,.4g}") for value in ends),
        x_name="learning rate",
        y_name="training loss",
        mark=(tested.chosen, "chosen"),
    )
    series = [Series("", tuple(Point(x, y) for x, y in tested.points), "counter")]
    drawn = figure(lambda width: plot(series, frame, width=width, height=220, label=tested.sentence), "")
    return folded("How the learning rate was found", paragraph(tested.sentence), drawn)


def _network(summary: NetworkSummary | None) -> Html:
    if summary is None:
        return NOTHING
    said = (
        f"From {shape_text(summary.input)} to {plural(summary.n_outputs, 'answer')}: {summary.parameters:,} parameters "
        f"and {summary.multiply_adds / 1e6:,.1f} million multiply-adds a picture."
    )
    head = ("layer", "output", "parameters", "multiply-adds", "sees, px")
    cells = [
        [
            text(row.text if row.times == 1 else f"{row.times} × {row.text}"),
            text(shape_text(row.output)),
            text(f"{row.parameters:,}"),
            text(f"{row.multiply_adds:,}"),
            text("all" if row.receptive_field is None else str(row.receptive_field)),
        ]
        for row in rows(summary)
    ]
    return folded(
        f"The network: {summary.name}, {plural(summary.parameters, 'parameter')}",
        paragraph(said),
        figure(lambda width: draw_network(summary, width=width), ""),
        table(head, cells, label="The layers in numbers", numbers=(1, 2, 3, 4)),
    )


def _settings(learning: Learning) -> Html:
    cells = [[text(name), text(value)] for name, value in learning.settings.items()]
    return folded("The settings of the training", table(("setting", "value"), cells, label="Settings of the training"))
