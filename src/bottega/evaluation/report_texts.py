"""The surest mistakes on texts: the words that drove them underlined, the nearest training texts below."""

from bottega.evaluation.evidence import Evidence, NearText, TextMistake, TextPart
from bottega.evaluation.markup import NOTHING, Html, attribute, lines, name, nest, text
from bottega.evaluation.page import paragraph
from bottega.evaluation.wording import in_words, percent

__all__ = ["SHOWN", "WEAK", "listed_texts"]

SHOWN = 320  # characters of a mistake; whoever makes the evidence cuts it there
WEAK, STRONG = 0.02, 0.10  # how far the answer's probability falls without a word that is underlined, and in bold
CLOSE = 60  # columns of a name


def listed_texts(evidence: Evidence) -> Html:
    """The mistakes one below the other."""
    mistakes = evidence.text_mistakes
    if not mistakes:
        return NOTHING
    marked = any(part.weight >= WEAK for one in mistakes for part in one.parts)
    said = "The surest first. Long texts are cut"
    if marked:
        said = (
            "The surest first. Words were taken out, of long texts several neighbours at once, and the file asked "
            "again: without what is underlined the probability of the wrong answer falls by "
            f"{100 * WEAK:.0f} points or more, without what is bold by {100 * STRONG:.0f}. Long texts are cut around "
            "these words"
        )
    items = [nest("li", *_mistake(one, marked=marked)) for one in mistakes]
    heading = nest("h3", Html("The surest mistakes"))
    return lines([heading, paragraph(f"{said} at {SHOWN} characters."), nest("ul", *items, class_="texts")])


def _mistake(one: TextMistake, *, marked: bool) -> list[Html]:
    sure = Html(f'<span class="lead whole">(at {text(percent(round(one.probability, 2)))})</span>')
    head = Html(f"Labelled <b>{name(one.truth, 40)}</b>, it said <b>{name(one.answer, 40)}</b> {sure}")
    where = nest("span", name(one.name, CLOSE), class_="name")
    parts = [nest("div", head, Html(" "), where), _said(one.parts)]
    if one.flip is not None:
        word, label = one.flip
        parts.append(
            nest("p", Html(f"Without “{name(word, 80)}” it would have said <b>{name(label, 40)}</b>."), class_="near")
        )
    elif marked and not any(part.weight >= WEAK for part in one.parts):
        parts.append(nest("p", Html("No single word drove it."), class_="near"))
    return [*parts, _near(one.nearest, one.answer)]


def _said(parts: tuple[TextPart, ...]) -> Html:
    """The text in its own direction, with its words marked."""
    if not parts:
        return nest("p", Html("(an empty text)"), class_="said lead")
    shown = [Html((" " if part.space else "") + _word(part)) for part in parts]
    return nest("p", *shown, class_="said", dir="auto")


def _word(part: TextPart) -> Html:
    word = attribute(part.text)
    if part.weight < WEAK:
        return word
    fallen = f"{100 * part.weight:.0f} points less without it"
    return nest("mark", word, class_="strong" if part.weight >= STRONG else "weak", title=fallen)


def _near(nearest: tuple[NearText, ...], answer: str) -> Html:
    """What it learned from that resembles the text; alike labels speak for a fault of the label."""
    if not nearest:
        return nest("p", Html("No training text resembles it."), class_="near")
    n_same = sum(near.label == answer for near in nearest)
    head = "Nearest in training:"
    if n_same == len(nearest):
        also = "it is" if len(nearest) == 1 else f"all {in_words(len(nearest))} are" if len(nearest) > 2 else "both are"
        head = f"Nearest in training, where {also} labelled as it said:"
    items = [
        nest("li", nest("b", name(near.label, 40)), Html(" "), nest("span", attribute(near.text), dir="auto"),
             Html(" "), nest("span", name(near.name, CLOSE), class_="name"))
        for near in nearest
    ]  # fmt: skip
    return Html(nest("p", text(head), class_="near") + nest("ul", *items, class_="near"))
