"""What a look at the data found, in at most 25 lines: the answer, the classes, what to look at, what to do next."""

import shlex
import unicodedata
from dataclasses import dataclass
from typing import Any

from bottega.cli.refusal_lines import refusal_lines
from bottega.cli.terminal import count, duration, escape, fold
from bottega.problem.records import LookRecord

__all__ = ["look_lines"]

MAX_LINES = 25


@dataclass(frozen=True)
class _Caps:
    """How many of each are listed, and how many lines a remark may take."""

    classes: int
    rejected: int
    suspects: int
    lines: int


_EVERYTHING = _Caps(10**9, 10**9, 10**9, 30)
_LADDER = (
    _Caps(12, 3, 4, 3),
    _Caps(8, 3, 4, 2),
    _Caps(6, 2, 3, 2),
    _Caps(4, 2, 2, 2),
    _Caps(4, 1, 2, 1),
)  # to fit a page
BAR = 24
NAME = 28
MODES = {
    "L": "grey",
    "LA": "grey with alpha",
    "P": "palette",
    "1": "1-bit",
    "RGBA": "RGB with alpha",
    "I;16": "16-bit grey",
}
KINDS = {"few": "too few", "group": "groups?", "drift": "drift", "imbalance": "imbalance"}


def look_lines(record: LookRecord, data: str, *, everything: bool = False) -> list[str]:
    """Lay out what was found: the answer, the classes, what to look at first, the next command.

    Args:
        data: DATA as it was typed, for the command to copy.
        everything: without it at most 25 lines of 80 columns.
    """
    if everything:
        return _page(record, data, _EVERYTHING)
    pages = (_page(record, data, caps) for caps in _LADDER)
    return next((page for page in pages if len(page) <= MAX_LINES), _page(record, data, _LADDER[-1]))


def _page(record: LookRecord, data: str, caps: _Caps) -> list[str]:
    lines = [*_headline(record), *_class_lines(record, caps), ""]
    lines += _picture_lines(record, caps)
    lines += _rejected_lines(record, caps)
    lines += _twin_lines(record, caps)
    lines += _suspect_lines(record, caps)
    if record.estimate_seconds is not None:
        lines += fold("Training", f"about {duration(record.estimate_seconds)} on this machine")
    return [*lines, *_next(record, data)]


def _headline(record: LookRecord) -> list[str]:
    n_classes = len(record.n_per_class)
    if record.task.kind is None:
        return [f"{count(record.n_examples, 'labelled picture')}: no task yet", escape(record.task.why)]
    return [
        f"{count(record.n_examples, 'picture')} in {count(n_classes, 'class', 'classes')}",
        f"{record.task.kind}: {escape(record.task.why)}",
    ]


def _class_lines(record: LookRecord, caps: _Caps) -> list[str]:
    if not record.n_per_class:
        return []
    ranked = list(record.n_per_class.items())
    shown = ranked if len(ranked) <= caps.classes else [*ranked[: caps.classes - 2], ranked[-1]]
    width = min(NAME, max(_columns(escape(label)) for label, _ in shown))
    digits = len(f"{ranked[0][1]:,}")
    lines = [_class_line(label, n, ranked[0][1], width, digits) for label, n in shown]
    if len(shown) < len(ranked):
        lines.insert(-1, f"  … {count(len(ranked) - len(shown), 'class', 'classes')} between, shown by --all")
    return ["", *lines]


def _class_line(label: str, n: int, most: int, width: int, digits: int) -> str:
    name = _cut(escape(label), width)
    return f"  {name}{' ' * (width - _columns(name))}  {n:>{digits},}  {'─' * max(1, round(BAR * n / most))}"


def _columns(text: str) -> int:
    """Columns on a terminal: East Asian wide letters take two, combining marks none."""
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in text)
    return len(text) + wide - sum(unicodedata.combining(char) > 0 for char in text)


def _cut(text: str, width: int) -> str:
    if _columns(text) <= width:
        return text
    while _columns(text) > width - 1:
        text = text[:-1]
    return text + "…"


def _picture_lines(record: LookRecord, caps: _Caps) -> list[str]:
    lines: list[str] = []
    if record.n_per_part:
        parts = [
            f"{part} {n:,}" + (" (looked at only)" if part == "unlabelled" else "")
            for part, n in record.n_per_part.items()
        ]
        lines += fold("Parts", " · ".join(parts), max_lines=caps.lines)
    facts = record.facts
    if facts.get("smallest"):
        pieces = [
            _sizes(facts),
            _shares(facts["formats"]),
            _shares(_plain(facts["modes"])),
            _amount(facts["file_bytes"]),
        ]
        lines += fold("Pictures", " · ".join(pieces), max_lines=caps.lines)
    marks = [f"{len(names):,} {escape(fact)}" for fact, names in facts.get("marks", {}).items()]
    wrong = facts.get("marks", {}).get("wrong suffix", ())
    if wrong:
        marks.append(f"for instance {escape(wrong[0])}")
    if marks:
        lines += fold("Of them", ", ".join(marks), max_lines=caps.lines)
    if facts.get("notes"):
        lines += fold("Note", escape("; ".join(facts["notes"])), max_lines=caps.lines)
    return lines


def _sizes(facts: dict[str, Any]) -> str:
    small, large = facts["smallest"], facts["largest"]
    if facts["n_sizes"] == 1:
        return f"all {small[0]} × {small[1]}"
    return f"{facts['n_sizes']:,} sizes, {small[0]} × {small[1]} to {large[0]} × {large[1]}"


def _shares(counts: dict[str, int]) -> str:
    if len(counts) == 1:
        return escape(next(iter(counts)))
    return ", ".join(f"{escape(name)} {n:,}" for name, n in counts.items())


def _plain(modes: dict[str, int]) -> dict[str, int]:
    plain: dict[str, int] = {}
    for mode, n in modes.items():
        name = MODES.get(mode, mode)
        plain[name] = plain.get(name, 0) + n
    return plain


def _amount(n_bytes: int) -> str:
    return f"{n_bytes / 1e6:,.1f} MB" if n_bytes >= 1e5 else f"{n_bytes / 1e3:,.1f} kB"


def _rejected_lines(record: LookRecord, caps: _Caps) -> list[str]:
    if not record.rejected:
        return []
    lines = fold("Left out", count(len(record.rejected), "file"))
    shown = record.rejected[: caps.rejected]
    for item in shown:
        lines += fold("", f"{_cut(escape(item.path), 40)}: {escape(item.reason)}", max_lines=caps.lines)
    rest = len(record.rejected) - len(shown)
    return lines + (fold("", f"and {rest:,} more, shown by --all") if rest else [])


def _twin_lines(record: LookRecord, caps: _Caps) -> list[str]:
    if not record.twins:
        return fold("Twins", "none: no two pictures are the same or nearly the same")
    kinds = [(kind, sum(twin.kind == kind for twin in record.twins)) for kind in ("exact", "near")]
    groups = ", ".join(f"{count(n, 'group')} of {kind} twins" for kind, n in kinds if n)
    text = f"{groups} (duplicates), {record.facts['n_twins']:,} pictures, kept on one side of the split"
    leak = 100 * (record.facts.get("naive_leak") or 0.0)
    if leak >= 1:
        text += f"; a split by lot would have shown the model a twin of {leak:.0f} % of its test pictures"
    return fold("Twins", text, max_lines=max(2, caps.lines))


def _suspect_lines(record: LookRecord, caps: _Caps) -> list[str]:
    if not record.suspects:
        return fold("Suspects", "none")
    shown = record.suspects[: caps.suspects]
    lines: list[str] = []
    for number, suspect in enumerate(shown):
        label = "Look first" if number == 0 else ""
        text = f"{KINDS.get(suspect.kind, suspect.kind)}: {escape(suspect.evidence)}"
        lines += fold(label, text, max_lines=caps.lines)
        if caps is _EVERYTHING:
            lines += fold("", f"→ {escape(suspect.fix)}", max_lines=caps.lines)
    rest = len(record.suspects) - len(shown)
    return lines + (fold("", f"and {rest:,} more, shown by --all") if rest else [])


def _next(record: LookRecord, data: str) -> list[str]:
    """The next command on a line of its own, never folded, so that it can be copied."""
    if record.task.kind is not None and (refused := refusal_lines(record)):
        return refused
    verb = "train" if record.task.kind is not None else "look"
    command = f"{'':<13}bottega {verb} {escape(shlex.quote(data))}"
    if record.task.kind is None:
        return [*fold("Next", "put at least 20 pictures of each class in a folder of its own, then"), command]
    return ["Next" + command[4:]]
