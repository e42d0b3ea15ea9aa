"""Text that became HTML: the one place where names and sentences of others are made safe for a page."""

import html
import re
from collections.abc import Iterable
from typing import NewType

from bottega.evaluation.wording import shortened, visible

__all__ = ["Html", "NOTHING", "attribute", "code", "lines", "name", "nest", "text"]

Html = NewType("Html", str)
"""A fragment that is safe to place in a page; the type keeps plain text from getting there unescaped."""

NOTHING = Html("")

_NAME_COLUMNS = 120
_RIGHT_TO_LEFT = re.compile(
    "[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]+(?:[ ._-]+[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]+)*"
)


def attribute(value: str) -> Html:
    """Text for the inside of a quoted attribute."""
    return Html(html.escape(visible(value), quote=True))


def text(sentence: str) -> Html:
    """A sentence of ours that may carry names: runs written from right to left are isolated from the rest."""
    return Html(_RIGHT_TO_LEFT.sub(lambda run: f"<bdi>{run.group()}</bdi>", attribute(sentence)))


def name(value: str, columns: int = _NAME_COLUMNS) -> Html:
    """A name that others chose (a file, a class): escaped, isolated from the direction around it, shortened."""
    return Html(f"<bdi>{attribute(shortened(visible(value), columns))}</bdi>")


def code(value: str) -> Html:
    """A block of code as it is, line ends and tabs kept."""
    kept = "\n".join(visible(line.expandtabs(4)) for line in value.replace("\r\n", "\n").split("\n"))
    return Html(html.escape(kept, quote=True))


def nest(tag: str, *parts: Html, **attributes: str) -> Html:
    """An element with its content; `class_` stands for class, an underscore for a hyphen."""
    said = "".join(f' {key.rstrip("_").replace("_", "-")}="{attribute(value)}"' for key, value in attributes.items())
    return Html(f"<{tag}{said}>{''.join(parts)}</{tag}>")


def lines(parts: Iterable[Html]) -> Html:
    """Fragments below each other; empty ones are left out."""
    return Html("\n".join(part for part in parts if part))
