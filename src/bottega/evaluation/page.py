"""The pieces that a page is made of: sections, tables, folds, tabs, figures, pictures. They know nothing of a task."""

import base64
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from importlib.resources import files

from bottega.evaluation.evidence import Thumbnail
from bottega.evaluation.markup import NOTHING, Html, attribute, code, lines, nest, text

__all__ = ["Album", "document", "figure", "folded", "listing", "paragraph", "section", "stylesheet", "table", "tabs"]

WIDE, HALF, NARROW = 832, 400, 342  # px: the page's content, half of it, and a phone's

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


class Album:
    """The pictures of one page, the more important ones first in line for the room that there is.

    Args:
        pictures: in falling order of importance; one that stands twice in the page stands twice here.
        limit_bytes: what they may take together in the page.
    """

    def __init__(self, pictures: Iterable[Thumbnail], limit_bytes: int) -> None:
        self.asked: Counter[int] = Counter()  # id of a picture: how often the page showed it
        self.n_left_out = 0
        self._kept: dict[int, Thumbnail] = {}
        needs: dict[int, int] = {}
        for picture in (ordered := list(pictures)):
            needs[id(picture)] = needs.get(id(picture), 0) + len(picture.data) * 4 // 3 + len(picture.alt) + 120
        used = 0
        for picture in {id(one): one for one in ordered}.values():
            if used + needs[id(picture)] > limit_bytes:
                self.n_left_out += 1
                continue
            self._kept[id(picture)] = picture
            used += needs[id(picture)]

    def show(self, picture: Thumbnail | None) -> Html:
        """The picture inlined, or a grey square that says why it isn't there."""
        if picture is None:
            return nest("span", Html("no picture"), class_="pic none")
        self.asked[id(picture)] += 1
        if id(picture) not in self._kept:
            return nest("span", Html("left out"), class_="pic none")
        kind = "png" if picture.data.startswith(b"\x89PNG") else "jpeg"
        source = f"data:image/{kind};base64,{base64.b64encode(picture.data).decode('ascii')}"
        size = f'width="{picture.width:d}" height="{picture.height:d}"'
        return Html(f'<img class="pic" src="{source}" {size} alt="{attribute(picture.alt)}">')


def stylesheet() -> str:
    """The style sheet of every page of the family."""
    return files("bottega.evaluation").joinpath("report.css").read_text("utf-8")


def document(title: str, body: Html) -> str:
    """One self-contained page: no script, nothing asked of anyone."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n<meta name="referrer" content="no-referrer">\n'
        f"<title>{attribute(title)}</title>\n<style>\n{stylesheet()}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def section(anchor: str, heading: str, *parts: Html) -> Html:
    """A part of the page under its heading."""
    inside = lines([nest("h2", text(heading), id=f"{anchor}-heading"), *parts])
    return nest("section", inside, id=anchor, aria_labelledby=f"{anchor}-heading")


def paragraph(sentence: str, style: str = "lead") -> Html:
    """One paragraph of plain text."""
    return nest("p", text(sentence), class_=style) if sentence else NOTHING


def listing(sentences: Sequence[str], *, ordered: bool = False) -> Html:
    """Sentences under each other; a single one needs no bullet."""
    if len(sentences) < 2:
        return lines(nest("p", text(sentence)) for sentence in sentences)
    return nest("ol" if ordered else "ul", *(nest("li", text(sentence)) for sentence in sentences))


def table(head: Sequence[str], rows: Iterable[Sequence[Html]], *, label: str, numbers: Iterable[int] = ()) -> Html:
    """A table that scrolls inside itself where the page is narrow; the columns `numbers` are right-aligned."""
    right = set(numbers)
    style = ["number" if i in right else "" for i in range(len(head))]
    top = Html("".join(f'<th scope="col" class="{style[i]}">{text(words)}</th>' for i, words in enumerate(head)))
    body = [Html("".join(f'<td class="{style[i]}">{cell}</td>' for i, cell in enumerate(row))) for row in rows]
    inside = nest("table", nest("thead", nest("tr", top)), nest("tbody", lines(nest("tr", row) for row in body)))
    return nest("div", inside, class_="scroll", tabindex="0", role="region", aria_label=label)


def folded(summary: str, *parts: Html, anchor: str = "") -> Html:
    """Something for those who want it, closed until asked for; open on paper where the browser can."""
    inside = nest("summary", text(summary)), nest("div", lines(parts), class_="inside")
    return nest("details", *inside, id=anchor) if anchor else nest("details", *inside)


def tabs(group: str, panels: Sequence[tuple[str, str]]) -> Html:
    """Blocks of code behind tabs made of radio buttons, so that they work without scripts; all are printed.

    Args:
        group: name of the group, unique in the page.
        panels: (title, code), at most eight.
    """
    heads = [
        Html(
            f'<input type="radio" name="{group}" id="{group}-{i}"{" checked" if i == 0 else ""}>'
            f'<label for="{group}-{i}">{text(title)}</label>'
        )
        for i, (title, _) in enumerate(panels)
    ]
    bodies = [
        nest("div", nest("h3", text(title)), nest("pre", code(source), tabindex="0"), class_="panel")
        for title, source in panels
    ]
    return nest("div", lines([*heads, *bodies]), class_="tabs")


def figure(draw: Callable[[int], Html], caption: str, *, half: bool = False) -> Html:
    """A chart drawn twice, for a wide and for a narrow page; the style sheet shows the one that fits.

    Args:
        draw: draws for a width in px.
        caption: what is drawn, in which unit.
        half: stands beside another figure where the page is wide.
    """
    wide = nest("div", draw(HALF if half else WIDE), class_="wide")
    narrow = nest("div", draw(NARROW), class_="narrow")
    below = nest("figcaption", text(caption)) if caption else NOTHING
    return nest("figure", wide, narrow, below)
