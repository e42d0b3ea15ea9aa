"""The upper half of a report: the verdict, the score, its rivals, and the curve, read out."""

from collections.abc import Sequence

from bottega.evaluation.drawing import Frame, Point, Row, Series, Tick, intervals, nice_ticks, plot
from bottega.evaluation.evidence import Curve, Evidence
from bottega.evaluation.markup import NOTHING, Html, lines, name, nest, text
from bottega.evaluation.page import Album, figure, folded, listing, paragraph, section, table
from bottega.evaluation.report_data import where_twins_are
from bottega.evaluation.report_proofs import PLACE
from bottega.evaluation.report_training import training
from bottega.evaluation.wording import (
    capital,
    count,
    duration,
    is_share,
    joined,
    metric_meaning,
    metric_name,
    number,
    plural,
    points,
    score_range,
    score_text,
)
from bottega.problem.records import Candidate, Score, SeedSpread, TrainRecord

__all__ = ["axis_ticks", "curve_figure", "curves", "rivals", "test_score", "verdict"]

MOST_TICKS = 12  # of a curve over epochs
_SPAN = (
    8  # the axis of the rivals is at most this many of the shipped one's intervals long; what lies off it gets an arrow
)


def test_score(record: TrainRecord) -> Score:
    """The score that counts, as a record of its own."""
    test = record.test
    known = record.metrics.get(record.metric)
    better = known.higher_is_better if known else True
    return Score(int(test["n"]), test["score"], test["low"], test["high"], better, test.get("n_groups"))


def axis_ticks(low: float, high: float, *, share: bool, at_most: int = 7) -> list[Tick]:
    """Round ticks over a range; shares in per cent, the unit said at the last one, and never beyond 0 and 100."""
    factor = 100 if share else 1
    values = nice_ticks(low * factor, high * factor, at_most)
    if share:
        values = sorted({min(100.0, max(0.0, value)) for value in values})
    return [(value / factor, f"{value:,.6g}") for value in values]


def verdict(record: TrainRecord, evidence: Evidence) -> Html:
    """The sentence, the score, and the three columns."""
    score = test_score(record)
    top = [evidence.data_name, plural(evidence.n_pictures, evidence.noun)]
    if record.task.classes:
        top.append(plural(len(record.task.classes), "class", "classes"))
    head = nest("span", Html(" · ".join([name(top[0], 40), *(text(words) for words in top[1:])])))
    between = score_range(record.metric, score, "|").split("|")
    interval = f"true value between <b>{text(between[0])}</b> and <b>{text(between[1])}</b> (95&#8239;% interval)"
    beside = nest("p", Html(f"{_where_measured(record, score, evidence.noun)}<br>{interval}"))
    parts = [
        nest("header", nest("b", Html("bottega")), head, class_="top"),
        nest("h1", text(record.verdict)),
        nest("div", nest("strong", text(score_text(record.metric, score))), beside, class_="score"),
    ]
    if record.model_path is None:
        parts.append(
            paragraph("No model file was made: the score doesn't reach the bar that was set for it.", "notice")
        )
    parts.append(_columns(record, evidence.noun))
    return lines(parts)


def _where_measured(record: TrainRecord, score: Score, noun: str) -> Html:
    """What the score was measured on, in words."""
    things = plural(score.n, f"test {noun}")
    words = {
        "given": f"of {things}, the test part that came with the data",
        "cv": f"of {plural(score.n, noun)}, each answered by a copy that had not seen it "
        "(cross-validation); the file was then trained on all of them",
    }.get(record.test.get("source", ""), f"of {things} it had never seen")
    if score.n_groups and score.n_groups < score.n:
        words += f", in {plural(score.n_groups, 'independent group')}"
    if record.metric == "accuracy":
        return text(words)
    return Html(f"{_metric(record.metric)} {text(words)}")


def _metric(metric: str) -> Html:
    """A metric by its plain name, explained in its title."""
    meaning = metric_meaning(metric)
    plain = text(metric_name(metric))
    return nest("abbr", plain, title=meaning) if meaning else plain


def _columns(record: TrainRecord, noun: str) -> Html:
    """What to believe, what not yet, what to do next."""
    columns = (
        ("You may believe", record.believe, f"Nothing yet: there were too few {noun}s to tell.", False),
        (
            "Don't believe yet",
            record.doubt,
            "Nothing was found that speaks against the score. It holds for data like these.",
            False,
        ),
        ("Do next", record.next_steps, f"Nothing is needed. More {noun}s would narrow the interval.", True),
    )
    return nest(
        "div",
        *(
            nest("div", nest("h2", text(head)), listing(said or (empty,), ordered=ordered))
            for head, said, empty, ordered in columns
        ),
        class_="columns",
    )


def rivals(record: TrainRecord, evidence: Evidence) -> Html:
    """Everything that was tried, on one axis, and what a careless split would have claimed."""
    tried = [candidate for candidate in record.candidates if candidate.test is not None]
    if not tried:
        return section(
            "rivals", "Against its rivals", paragraph("No rival was run; nothing is known about simpler ways.")
        )
    better = test_score(record).higher_is_better
    tried.sort(key=lambda one: (-one.test.score if better else one.test.score, one.name))  # type: ignore[union-attr]
    rows = [_row(one, record) for one in tried]
    share = is_share(record.metric)
    naive = evidence.naive
    low, high = _range(rows, naive.score if naive else None)
    mark = (naive.score, "naive") if naive else None
    best = rows[0]
    finding = f"{capital(metric_name(record.metric))}: {best.label} leads with {best.shown}, of {len(rows)} candidates."

    def draw(width: int) -> Html:
        ticks = axis_ticks(low, high, share=share, at_most=7 if width > 480 else 5)
        return intervals(rows, ticks, width=width, label=finding, mark=mark)

    caption = f"Test {metric_name(record.metric)}{', %,' if share else ''} with its 95\u202f% interval."
    if naive:
        caption += " Dashed: what a split that ignores near-twins would have claimed."
    return section(
        "rivals",
        _rivals_heading(tried, record),
        paragraph(
            f"{_closest(tried, record, evidence.noun)} Everyone had the same {evidence.noun}s and the same split."
        ),
        figure(draw, caption),
        _twins_sentence(record, evidence),
        folded("The candidates in numbers", _candidates(record)),
    )


def _row(candidate: Candidate, record: TrainRecord) -> Row:
    score = candidate.test or Score(0, 0.0, 0.0, 0.0)
    strong = candidate.name == record.chosen
    return Row(candidate.name, score.score, score.low, score.high, score_text(record.metric, score), strong)


def _range(rows: Sequence[Row], extra: float | None) -> tuple[float, float]:
    """The part of the axis that is worth showing: around what ships, as far as its rivals come near it."""
    anchor = next((row for row in rows if row.strong), rows[0])
    reach = max(_SPAN * (anchor.high - anchor.low), 1e-9)
    near = [row for row in rows if abs(row.value - anchor.value) <= reach]
    if len(near) == 1 and len(rows) > 1:  # alone on its axis it would be compared with nothing
        near.append(min((row for row in rows if row is not anchor), key=lambda row: abs(row.value - anchor.value)))
    low, high = min(row.low for row in near), max(row.high for row in near)
    if extra is not None and abs(extra - anchor.value) <= reach:
        low, high = min(low, extra), max(high, extra)
    margin = max((high - low) * 0.02, 1e-6)  # scores may all be the same
    return low - margin, high + margin


def _gain(candidate: Candidate) -> tuple[float, float, float] | None:
    """By how much the shipped one is better than this one: value, low, high; positive is better for any metric."""
    difference, test = candidate.difference, candidate.test
    if difference is None or test is None:
        return None
    if test.higher_is_better:
        return difference.score, difference.low, difference.high
    return -difference.score, -difference.high, -difference.low


def _rivals_heading(tried: Sequence[Candidate], record: TrainRecord) -> str:
    gains = [_gain(one) for one in tried if one.name != record.chosen]
    if gains and all(gain is not None and gain[1] > 0 for gain in gains):
        return "It beats each of its rivals"
    if any(gain is not None and gain[2] < 0 for gain in gains):
        return "A rival did better on the test part"
    return "Against its rivals"


def _closest(tried: Sequence[Candidate], record: TrainRecord, noun: str) -> str:
    """The comparison with the best rival, from the paired difference on the same examples."""
    rival = next((one for one in tried if one.name != record.chosen), None)
    gain = _gain(rival) if rival else None
    if rival is None or gain is None:
        return ""
    share = is_share(record.metric)
    say = points if share else number
    ends = f"{_plain(gain[1], gain, share)} … {_plain(gain[2], gain, share)}"
    if gain[1] > 0:
        return f"It beats the best rival, {rival.name}, by {say(*gain)} ({ends}), judged on the same {noun}s."
    if gain[2] < 0:
        lost = say(-gain[0], -gain[2], -gain[1])
        return f"On the test part {rival.name} was better by {lost}; the choice was made before, on validation."
    return f"It can't be told from {rival.name}: the difference is {say(*gain)} ({ends}), judged on the same {noun}s."


def _plain(value: float, gain: tuple[float, float, float], share: bool) -> str:
    return points(value, gain[1], gain[2], unit=False) if share else number(value, gain[1], gain[2])


def _twins_sentence(record: TrainRecord, evidence: Evidence) -> Html:
    """The score with near-twins kept together, beside the two that treat them otherwise."""
    said = []
    grouped = evidence.grouped if evidence.naive or evidence.without_twins else None
    for score, words in (
        (grouped, f"with near-twins {where_twins_are(record)}, it is"),
        (evidence.without_twins, f"without any test {evidence.noun} that has a near-twin in training it is"),
        (evidence.naive, "a split that ignores near-twins would have claimed"),
    ):
        if score is not None:
            said.append(f"{words} {score_text(record.metric, score)} ({score_range(record.metric, score)})")
    return paragraph(capital("; ".join(said)) + ".", "small-print") if said else NOTHING


def _candidates(record: TrainRecord) -> Html:
    """Every candidate with its numbers, the ones that were dropped with the reason."""
    rows = []
    for one in record.candidates:
        gain = _gain(one)
        share = is_share(record.metric)
        ends = (
            f"{_plain(gain[0], gain, share)} ({_plain(gain[1], gain, share)} … {_plain(gain[2], gain, share)})"
            if gain
            else "–"
        )
        rows.append(
            [
                nest("b", name(one.name)) if one.name == record.chosen else name(one.name),
                *(text(_score_cell(record.metric, score)) for score in (one.test, one.val)),
                text(ends if one.name != record.chosen else "–"),
                text(duration(one.train_seconds)),
                text(_remark(one, record)),
            ]
        )
    head = ("candidate", "test", "validation", "shipped is better by", "training", "")
    return table(head, rows, label="The candidates in numbers", numbers=(1, 2, 3, 4))


def _score_cell(metric: str, score: Score | None) -> str:
    return f"{score_text(metric, score)} ({score_range(metric, score)})" if score else "–"


def _remark(one: Candidate, record: TrainRecord) -> str:
    if one.dropped:
        return f"dropped: {one.dropped}"
    if one.name == record.chosen:
        return "ships" if record.model_path else "chosen"
    return one.relation or ""


def curves(record: TrainRecord, evidence: Evidence, album: Album) -> Html:
    """The curves, each after the sentence that reads it out, and what was read out of the run."""
    drawn = [curve for curve in (evidence.history, evidence.curve) if curve and curve.points]
    parts: list[Html] = []
    for curve in drawn:
        parts += [paragraph(curve.sentence), curve_figure(curve)]
    if not drawn and evidence.noun == "picture":
        parts.append(paragraph("Nothing was tuned, so there is no curve to read."))
    findings = [one for one in record.findings if one.name != "nothing to mend"]
    if findings:
        rows = [
            [
                nest("b", text(one.name)),
                text(f"{capital(one.evidence)}: {one.meaning}."),
                text(one.change),
                text(one.sure),
            ]
            for one in findings
        ]
        head = ("what was noticed", "evidence", "what to change", "how sure")
        parts.append(table(head, rows, label="What was noticed in the run"))
    elif record.findings:
        parts.append(paragraph(f"Nothing to mend: {record.findings[0].evidence}."))
    parts += [PLACE, _seeds(record.seeds)]
    parts.append(training(evidence.learning, album))
    heading = "The curve, read out" if drawn or evidence.noun == "picture" else "What was noticed in the run"
    return section("curve", heading, *parts)


def _seeds(spread: SeedSpread | None) -> Html:
    """What the seed alone changes."""
    if spread is None:
        return NOTHING
    scores = [f"{100 * one:.1f}" if is_share(spread.metric) else f"{one:.3g}" for one in sorted(spread.scores)]
    deviation = f"{100 * spread.standard_deviation:.2g} points" if is_share(spread.metric) else ""
    said = (
        f"Trained with {plural(len(spread.seeds), 'seed')} on the same pictures it scored {joined(scores)} on the same "
        f"test part{f': a standard deviation of {deviation}' if deviation else ''}. "
        "A difference smaller than that is luck; the interval above is about other pictures, not about other seeds."
    )
    return paragraph(said)


def curve_figure(curve: Curve) -> Html:
    """Training and validation over settings or epochs, what was kept as a dotted line."""
    val = tuple(Point(p.x, p.val, p.low, p.high) for p in curve.points if p.val is not None)
    train = tuple(Point(p.x, p.train) for p in curve.points if p.train is not None)
    ys = [y for p in (*val, *train) for y in (p.y, p.low, p.high) if y is not None]
    ends = nice_ticks(min(ys), max(ys), 5)
    frame = Frame(
        x=(curve.points[0].x, curve.points[-1].x),
        y=(ends[0], ends[-1]),
        x_ticks=tuple((p.x, p.label) for p in curve.points[:: -(-len(curve.points) // MOST_TICKS)]),
        y_ticks=tuple((value, f"{value:,.6g}") for value in ends),
        x_name=curve.x_name,
        y_name=curve.y_name,
        mark=(curve.kept, curve.kept_words) if curve.kept is not None else None,
    )
    series = [Series("training", train, "counter", dashed=True), Series("validation", val, "accent")]
    shown = [one for one in series if one.points]
    label = f"{curve.sentence} Shown: {joined([one.name for one in shown])} over {count(len(curve.points))} points."
    folds = [
        [text(p.label), *(text("–" if v is None else f"{v:,.4g}") for v in (p.train, p.val))] for p in curve.points
    ]
    numbers = table((curve.x_name, "training", "validation"), folds, label="The curve in numbers", numbers=(1, 2))
    return lines(
        [
            figure(lambda width: plot(shown, frame, width=width, height=264, label=label), ""),
            folded("The curve in numbers", numbers),
        ]
    )
