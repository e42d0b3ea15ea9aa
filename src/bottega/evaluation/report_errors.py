"""The middle of a report: which classes are confused, the surest mistakes, and each class on its own."""

from collections import Counter
from typing import Any

from bottega.evaluation.drawing import Frame, Point, Row, Series, heat_map, nice_ticks, plot, range_bar, tone_of
from bottega.evaluation.evidence import Confusion, Evidence, Mistake
from bottega.evaluation.markup import NOTHING, Html, lines, name, nest, text
from bottega.evaluation.page import WIDE, Album, figure, folded, paragraph, section, table
from bottega.evaluation.report_texts import listed_texts
from bottega.evaluation.wording import (
    capital,
    count,
    count_of,
    in_words,
    number,
    percent,
    percent_range,
    plural,
    shortened,
    text_width,
)
from bottega.problem.records import Score, TrainRecord

__all__ = ["MATRIX_CLASSES", "errors"]

MATRIX_CLASSES = 20  # more than this and a matrix can't be read; a list of the worst pairs can
_BESIDE_CLASSES = 10  # up to this many, the examples stand beside the matrix, else below
_PAIRS, _CLASSES, _MISTAKES = 20, 20, 12


def errors(record: TrainRecord, evidence: Evidence, album: Album) -> Html:
    """What is taken for what, the surest mistakes, and each class on its own."""
    parts: list[Html] = []
    confusion = evidence.confusion
    if confusion is not None and confusion.total:
        parts += [paragraph(_errors_sentence(confusion, record, evidence.noun)), _confusion(confusion, album)]
    parts += [_values(record, evidence), _mistakes(evidence, album), _per_class(record)]
    return section("errors", "Where it goes wrong", *parts)


def _errors_sentence(confusion: Confusion, record: TrainRecord, noun: str) -> str:
    """How many errors there are, and the pair of classes that has most of them."""
    pairs: Counter[tuple[int, int]] = Counter()
    for (i, j), n in confusion.wrong.items():
        pairs[min(i, j), max(i, j)] += n
    wrong = sum(pairs.values())
    if not wrong:
        accuracy = record.metrics.get("accuracy")
        rest = (
            f" The true share of errors may still be up to {percent(round(1 - accuracy.low, 3))}." if accuracy else ""
        )
        return f"None of {plural(confusion.total, f'test {noun}')} was answered wrong.{rest}"
    (i, j), most = min(pairs.items(), key=lambda item: (-item[1], item[0]))
    first, second = (shortened(confusion.labels[place], 40) for place in (i, j))
    said = f"{capital(count_of(wrong, confusion.total))} {'is' if wrong == 1 else 'are'} wrong"
    if len(confusion.labels) > 2 and wrong > 1:
        said += f"; {in_words(most)} {'is' if most == 1 else 'are'} between {first} and {second}"
    return f"Rows are the truth, columns the answer. {said}."


def _confusion(confusion: Confusion, album: Album) -> Html:
    if len(confusion.labels) <= MATRIX_CLASSES:
        return _matrix(confusion, album)
    most = next(iter(confusion.wrong.items()), None)
    label = f"Heat map of {len(confusion.labels)} classes, truth by answer."
    if most:
        (i, j), n = most
        label += (
            f" The fullest cell off the diagonal: {confusion.labels[i]} taken for {confusion.labels[j]}, {n} times."
        )

    def draw(width: int) -> Html:
        return heat_map(confusion.counts, len(confusion.labels), width=min(width, 480), label=label)

    caption = "Each class a row (truth) and a column (answer), in the order of the labels; errors in the accent colour."
    return lines([_worst_pairs(confusion, album), figure(draw, caption)])


def _worst_pairs(confusion: Confusion, album: Album) -> Html:
    """Many classes: the pairs that are confused most, each with a picture where there is one."""
    if not confusion.wrong:
        return NOTHING
    of_truth: Counter[int] = Counter()
    for (i, _), n in confusion.counts.items():
        of_truth[i] += n
    rows = []
    for (i, j), n in list(confusion.wrong.items())[:_PAIRS]:
        example = confusion.examples.get((i, j))
        rows.append(
            [
                name(confusion.labels[i], 60),
                name(confusion.labels[j], 60),
                text(count_of(n, of_truth[i])),
                album.show(example) if example else NOTHING,
            ]
        )
    label = "The pairs of classes that are confused most"
    return table(("truth", "answer", "how often", "for example"), rows, label=label)


def _matrix(confusion: Confusion, album: Album) -> Html:
    """A table whose wrong cells open to show one of their pictures; one is open at a time, without scripts."""
    labels = confusion.labels
    n = len(labels)
    longest = max(text_width(label) for label in labels)
    most = max(confusion.wrong.values(), default=1)
    heads = [nest("th", nest("span", name(label, 22)), scope="col") for label in labels]
    rows = [nest("tr", Html("<th></th>"), *heads)]
    for i, label in enumerate(labels):
        cells = [_cell(confusion, (i, j), most, album) for j in range(n)]
        rows.append(nest("tr", nest("th", name(label, 22), scope="row"), *cells))
    many = n > _BESIDE_CLASSES
    head = min(184, max(28, 8 * longest + 12))
    cell = max(34, min(96 if n <= 4 else 64, ((WIDE if many else WIDE - 190) - head) // n - 3))
    style = f"--head:{head}px;--cell:{cell}px;--small-cell:{max(28, min(64, 220 // n - 2))}px"
    upright = 8 * longest > cell or (longest > 4 and n > 4)
    inner = nest("table", nest("thead", rows[0]), nest("tbody", *rows[1:]), aria_label="Truth by answer", style=style)
    scroll = nest("div", inner, class_="scroll", tabindex="0", role="region", aria_label="Confusion matrix")
    shown = any(cell in confusion.examples for cell in confusion.wrong)
    hint = nest("p", Html("Open a number that is underlined to see one of its pictures."), class_="hint small-print")
    kind = "matrix" + " many" * many + " upright" * upright + " shown" * shown
    return nest("div", scroll, hint if shown else NOTHING, class_=kind)


def _cell(confusion: Confusion, place: tuple[int, int], most: int, album: Album) -> Html:
    n = confusion.counts.get(place, 0)
    if not n:
        return Html("<td></td>")
    if place[0] == place[1]:
        return nest("td", text(count(n)), class_="cell-diagonal")
    tone = f"tone{tone_of(n, most)}"
    example = confusion.examples.get(place)
    if example is None:
        return nest("td", nest("b", text(count(n))), class_=tone)
    truth, answer = (name(confusion.labels[i], 40) for i in place)
    words = Html(f"Labelled <b>{truth}</b>, it said <b>{answer}</b>: {text(_times(n))}.")
    shown = nest("div", album.show(example), nest("span", words, class_="words"), class_="example")
    return nest("td", nest("details", nest("summary", text(count(n))), shown, name="cell"), class_=tone)


def _times(n: int) -> str:
    return {1: "once", 2: "twice"}.get(n, f"{in_words(n)} times")


def _values(record: TrainRecord, evidence: Evidence) -> Html:
    """Predicted against true, and the rows that it is farthest off."""
    values = evidence.values
    if values is None or not values.points:
        return NOTHING
    truths, said = [point[0] for point in values.points], [point[1] for point in values.points]
    ticks = nice_ticks(min(*truths, *said), max(*truths, *said), 6)
    ends, labels = (ticks[0], ticks[-1]), tuple((tick, f"{tick:,.6g}") for tick in ticks)
    target = shortened(values.target, 40)
    series = (
        Series("", (Point(ends[0], ends[0]), Point(ends[1], ends[1])), "rival", dashed=True),
        Series("", tuple(Point(x, y) for x, y in values.points), "accent", joined=False),
    )
    frame = Frame(ends, ends, labels, labels, f"true {target}", f"predicted {target}")
    off = record.metrics.get("mae")
    middle = f"On average it is off by {number(off.score, off.low, off.high)} (mean error). " if off else ""
    sentence = f"{middle}On the dashed line, what it says is what was measured."
    rows = [
        [name(one.name), *(text(f"{value:,.5g}") for value in (one.truth, one.value, one.lower, one.upper))]
        for one in values.misses
    ]
    head = (evidence.noun, "true", "predicted", "lower", "upper")
    return lines(
        [
            paragraph(sentence),
            figure(lambda width: plot(series, frame, width=width, height=360, label=sentence), ""),
            nest("h3", text(f"The {evidence.noun}s that it is farthest off")),
            table(head, rows, label="The largest errors", numbers=(1, 2, 3, 4)),
        ]
    )


def _listed(evidence: Evidence) -> Html:
    """The surest mistakes by name, where there are no pictures to show."""
    rows = [
        [name(one.name, 60), name(one.truth, 40), name(one.answer, 40), text(percent(round(one.probability, 3)))]
        for one in evidence.mistakes[:_MISTAKES]
    ]
    head = (evidence.noun, "labelled", "it said", "at")
    return lines(
        [nest("h3", Html("The surest mistakes")), table(head, rows, label="The surest mistakes", numbers=(3,))]
    )


def _mistakes(evidence: Evidence, album: Album) -> Html:
    """The surest mistakes beside what they resemble."""
    if not evidence.mistakes:
        known = evidence.confusion or evidence.values
        return NOTHING if known else paragraph("No answers were kept, so there are no mistakes to show.")
    if evidence.text_mistakes:
        return listed_texts(evidence)
    if all(one.picture is None and one.nearest is None for one in evidence.mistakes) and evidence.noun != "picture":
        return _listed(evidence)
    cards = [_mistake(one, album) for one in evidence.mistakes[:_MISTAKES]]
    near = any(one.nearest is not None for one in evidence.mistakes[:_MISTAKES])
    said = f"each beside the training {evidence.noun} that it resembles most" if near else "the surest first"
    return lines(
        [nest("h3", Html("The surest mistakes")), paragraph(capital(said) + "."), nest("ul", *cards, class_="cards")]
    )


def _mistake(one: Mistake, album: Album) -> Html:
    pictures = [album.show(one.picture)]
    if one.nearest is not None:
        pictures.append(album.show(one.nearest))
    sure = f'<span class="lead whole">(at {text(percent(round(one.probability, 2)))})</span>'
    said = Html(f"Labelled <b>{name(one.truth, 40)}</b>, it said <b>{name(one.answer, 40)}</b> {sure}")
    beside = Html(f"{name(one.name, 60)}")
    if one.nearest_label and one.nearest_label != one.answer:
        beside = Html(f"{beside}; beside it: labelled {name(one.nearest_label, 40)}")
    return nest("li", nest("div", *pictures, class_="both"), said, nest("span", beside, class_="name"))


def _per_class(record: TrainRecord) -> Html:
    """Recall and precision of each class with their intervals, the class that is missed most first."""
    if not record.per_class:
        return NOTHING
    measured = sorted(record.per_class.items(), key=lambda item: (_score_of(item[1], "recall"), item[0]))
    lows = [one.low for _, row in measured for one in (row.get("recall"), row.get("precision")) if one is not None]
    low = min(0.9, max(0.0, int(min(lows, default=0.0) * 10) / 10))
    head = (
        "class",
        "n",
        "found (recall)",
        f"{percent(low, sign=False)} … {percent(1.0)}",
        "right when it says so (precision)",
        f"{percent(low, sign=False)} … {percent(1.0)}",
    )
    rows = [_class_row(label, row, low) for label, row in measured]
    label = "Recall and precision of each class"
    parts = [
        nest("h3", Html("Class by class")),
        paragraph(
            "How many of a class it finds, and how often it is right when it names the class; 95\u202f% intervals."
        ),
        table(head, rows[:_CLASSES], label=label, numbers=(1, 2, 4)),
    ]
    if len(rows) > _CLASSES:
        more = table(head, rows[_CLASSES:], label=label + ", the rest", numbers=(1, 2, 4))
        parts.append(folded(f"The other {count(len(rows) - _CLASSES)} classes, where less is missed", more))
    return lines(parts)


def _score_of(row: dict[str, Any], key: str) -> float:
    score = row.get(key)
    return float(score.score) if score is not None else 2.0


def _class_row(label: str, row: dict[str, Any], low: float) -> list[Html]:
    cells = [name(label, 60), text(count(int(row.get("n", 0))))]
    for key in ("recall", "precision"):
        score: Score | None = row.get(key)
        if score is None or score.n == 0:
            cells += [text("–"), text("never in the test part" if key == "recall" else "never said")]
            continue
        shown = percent(score.score, score.low, score.high)
        shown = f"{shown} ({percent_range(score.low, score.high, sign=False)})"
        cells.append(text(shown))
        cells.append(range_bar(Row("", score.score, score.low, score.high, "", key == "recall"), low, 1.0))
    return cells
