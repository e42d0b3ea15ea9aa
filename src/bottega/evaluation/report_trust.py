"""How far the percentages of a model can be trusted: stated against true, and what `sure` buys."""

from collections.abc import Sequence

from bottega.evaluation.drawing import Frame, Point, Series, plot
from bottega.evaluation.evidence import CoveragePoint, Evidence, Member, ReliabilityBin
from bottega.evaluation.markup import NOTHING, Html, lines, name, nest, text
from bottega.evaluation.page import Album, figure, folded, paragraph, section, table
from bottega.evaluation.report_score import axis_ticks
from bottega.evaluation.wording import capital, count, in_words, percent, percent_range, points, typical
from bottega.problem.records import Score, TrainRecord

__all__ = ["trust"]

ECE_BINS = 15  # of the metric: Guo et al. 2017
FEWEST_IN_BIN = 30  # fewer, and the share that is right strays by 9 points and more of itself


def trust(record: TrainRecord, evidence: Evidence, album: Album) -> Html:
    """Whether its percentages mean what they say, and what `sure` buys."""
    if record.interval:
        return section("trust", "How far its intervals can be trusted", paragraph(_interval_sentence(record, evidence)))
    parts: list[Html] = []
    halves = [half for half in (_reliability(evidence), _coverage(record, evidence)) if half]
    if halves:
        parts.append(nest("div", *halves, class_="pair"))
    else:
        parts.append(paragraph(f"Its percentages were not checked: there were too few {evidence.noun}s to do so."))
    parts.append(_outside(evidence, album))
    return section("trust", "How far its percentages can be trusted", *parts)


def _interval_sentence(record: TrainRecord, evidence: Evidence) -> str:
    """What the intervals promise, and what they held."""
    found = record.interval
    held, width, noun = found["held"], found.get("width"), evidence.noun
    basis = f"set by {count(found['n'])} {noun}s that it was not fitted on"
    if found["guarantee"] != "split":
        basis += ", each answered by a copy that had not seen it, so that there is no proof for the one that ships"
    wide = "" if width is None else f" They are {typical(width)} wide on average."
    return (
        f"It gives each value an interval that is to hold the true one {percent(found['coverage'])} of the time, "
        f"{basis}. On the test part they held {percent(held.score, held.low, held.high)} "
        f"({percent_range(held.low, held.high)}).{wide} The promise is for all {noun}s together, not for each group of "
        "them, and for data like these."
    )


def _reliability(evidence: Evidence) -> Html:
    """Stated against true, with the diagonal on which they agree."""
    bins = evidence.reliability
    if not bins:
        return NOTHING
    ece = evidence.ece
    said = "When it says 90\u202f%, about 90 of 100 should be right: dots on the dashed line."
    if ece is not None:
        said = _calibration_sentence(bins, ece)
    low = min(min(one.low, one.confidence) for one in bins)
    ticks = axis_ticks(low, 1.0, share=True, at_most=5)
    ends = (ticks[0][0], 1.0)
    dots = tuple(Point(one.confidence, one.right, one.low, one.high) for one in bins)
    series = (
        Series("", (Point(ends[0], ends[0]), Point(1.0, 1.0)), "rival", dashed=True),
        Series("", dots, "accent", joined=False),
    )
    frame = Frame(ends, ends, tuple(ticks), tuple(ticks), "how sure it said it was, %", "how often it was right, %")
    label = f"Reliability: {said} {len(bins)} groups of answers, from {percent(low)} sure upwards."
    rows = [
        [text(percent(one.confidence, one.low, one.high)), text(percent(one.right, one.low, one.high)),
         text(percent_range(one.low, one.high)), text(count(one.n))]
        for one in bins
    ]  # fmt: skip
    numbers = table(("it said", "right", "95\u202f% interval", "n"), rows, label=label, numbers=(0, 1, 2, 3))
    drawn = figure(
        lambda width: plot(series, frame, width=width, height=300, label=label),
        "On the dashed line, what it says is what happens.",
        half=True,
    )
    term = nest("abbr", Html("calibration"), title="whether the stated probabilities match the share that is right")
    return nest(
        "div",
        nest("h3", Html(f"Stated and true ({term})")),
        paragraph(said),
        drawn,
        folded("In numbers", numbers),
    )


def _calibration_sentence(bins: Sequence[ReliabilityBin], ece: Score) -> str:
    """How far stated and true are apart; on few examples chance alone parts them, the more the finer the groups."""
    off = f"{points(ece.score, ece.low, ece.high)} ({percent_range(ece.low, ece.high, sign=False)})"
    if ece.n >= ECE_BINS * FEWEST_IN_BIN:
        return f"On average the percentage it states is off by {off}."
    drawn = sum(one.n * abs(one.confidence - one.right) for one in bins) / sum(one.n for one in bins)
    return (
        f"On average the percentage it states is off by {points(drawn, ece.low, ece.high)} in the groups below; the "
        f"usual {ECE_BINS} groups (ECE) give {off}, most of which is chance in groups this small."
    )


def _coverage(record: TrainRecord, evidence: Evidence) -> Html:
    """How accurate it is on the share that it answers, and where `sure` stands."""
    curve = sorted(evidence.coverage, key=lambda one: (one.share, one.accuracy))
    chosen = evidence.chosen_coverage
    if not curve:
        return NOTHING
    said = _sure_sentence(record, chosen)
    low = min([one.low for one in curve] + ([chosen.low] if chosen else []))
    x_ticks = axis_ticks(curve[0].share, curve[-1].share, share=True, at_most=5)
    y_ticks = axis_ticks(low, 1.0, share=True, at_most=5)
    line = Series("", tuple(Point(one.share, one.accuracy, one.low, one.high) for one in curve), "counter")
    frame = Frame(
        x=(x_ticks[0][0], x_ticks[-1][0]),
        y=(y_ticks[0][0], y_ticks[-1][0]),
        x_ticks=tuple(x_ticks),
        y_ticks=tuple(y_ticks),
        x_name="share that it answers, %",
        y_name="right among those, %",
        spot=(chosen.share, chosen.accuracy, "sure") if chosen else None,
    )
    rows = [
        [text(f"{one.threshold:.3f}"), text(percent(round(one.share, 3))),
         text(percent(one.accuracy, one.low, one.high)), text(percent_range(one.low, one.high))]
        for one in curve
    ]  # fmt: skip
    head = ("threshold", "answered", "right among those", "95\u202f% interval")
    numbers = table(head, rows, label="Coverage and accuracy", numbers=(0, 1, 2, 3))
    label = f"Accuracy against the share answered. {said}"
    drawn = figure(
        lambda width: plot((line,), frame, width=width, height=300, label=label),
        "The band is the 95\u202f% interval.",
        half=True,
    )
    return nest("div", nest("h3", Html("What being sure buys")), paragraph(said), drawn, folded("In numbers", numbers))


def _sure_sentence(record: TrainRecord, chosen: CoveragePoint | None) -> str:
    if chosen is None:
        why = str(record.sure.get("why") or "no threshold made it accurate enough")
        return f"It calls nothing sure: {why.removeprefix('nothing is sure: ').rstrip('.')}."
    return (
        f"It calls {_whole(chosen.share)} of its answers sure; of those "
        f"{percent(chosen.accuracy, chosen.low, chosen.high)} are right ({percent_range(chosen.low, chosen.high)})."
    )


def _whole(share: float) -> str:
    """A share in whole per cent, unless that would claim none or all."""
    rounded = round(share, 2)
    return percent(rounded if 0 < rounded < 1 else round(share, 4))


def _outside(evidence: Evidence, album: Album) -> Html:
    """Pictures that belong to none of the classes: each sure answer on them is one too many."""
    outside = evidence.unlabelled
    if outside is None or not outside.n:
        return NOTHING
    noun = f"{evidence.noun}{'' if outside.n == 1 else 's'}"
    unsure, sure = in_words(outside.n - outside.n_sure), in_words(outside.n_sure)
    said = f"Of {count(outside.n)} {noun} without a label it is unsure of {unsure} and sure of {sure}."
    shown = [_answered(one, album) for one in outside.pictures[:12]]
    group = nest("div", *shown, class_="group") if shown else NOTHING
    heading = nest("h3", text(f"{capital(noun)} outside its classes"))
    return lines([heading, paragraph(f"{said} {outside.note}".strip()), group])


def _answered(one: Member, album: Album) -> Html:
    words = Html(f"it said <b>{name(one.label, 40)}</b>")
    caption = nest("figcaption", words, nest("span", name(one.name, 40), class_="name"))
    return nest("figure", album.show(one.picture), caption)
