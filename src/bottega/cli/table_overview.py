"""What a look at a table found, in at most 25 lines: the answer, the target, what to look at, what to do next."""

import shlex
from typing import Any

from bottega.cli.refusal_lines import refusal_lines
from bottega.cli.terminal import count, escape, fold
from bottega.problem.records import LookRecord

__all__ = ["table_lines"]

MAX_LINES = 25
LADDER = ((10, 6, 2), (8, 5, 2), (6, 4, 2), (5, 3, 2), (4, 3, 1))  # classes, suspects, lines of each
BAR, NAME = 24, 28


def table_lines(record: LookRecord, data: str, *, stated: str = "", everything: bool = False) -> list[str]:
    """Lay out what was found.

    Args:
        data: DATA as it was typed, for the command to copy.
        stated: the flags of what was stated about columns, for the same command.
        everything: every class, column and suspect; else at most 25 lines of 80 columns.
    """
    if everything:
        return _page(record, data, (10**9, 10**9, 30), stated, everything=True)
    pages = [_page(record, data, caps, stated) for caps in LADDER]
    return next((page for page in pages if len(page) <= MAX_LINES), pages[-1])


def _page(
    record: LookRecord, data: str, caps: tuple[int, int, int], stated: str, *, everything: bool = False
) -> list[str]:
    n_classes, n_suspects, n_lines = caps
    facts = record.facts
    lines = [*_headline(record), "", *_target(record, n_classes)]
    lines += fold("Columns", _kinds(facts["columns"]), max_lines=n_lines)
    lines += fold("Missing", _missing(facts["columns"]), max_lines=n_lines)
    lines += _linked(facts["columns"], n_lines)
    if everything:
        for column in facts["columns"]:
            role = "" if column["role"] == "feature" else f" ({column['role']})"
            lines += fold("", escape(f"{column['name']}{role}: {column['kind']}, {column['why']}"))
    lines += fold("Read as", escape(_reading(facts["reading"])), max_lines=n_lines)
    lines += _suspects(record, n_suspects, n_lines, everything=everything)
    return [*lines, *_next(record, data, stated)]


def _headline(record: LookRecord) -> list[str]:
    facts, target = record.facts, record.task.target
    size = f"{count(facts['n_rows'], 'row')}, {count(facts['n_columns'], 'column')}"
    if record.task.kind is None:
        return (
            [f"{size}: no task yet", *fold("", escape(record.task.why))] if target else [size, escape(record.task.why)]
        )
    guess = f"; the target because {facts['guessed']}" if facts["guessed"] else ""
    why = fold("", f"{record.task.kind}: {escape(record.task.why)}{guess}", width=93)
    return [f"{size}, to predict {escape(repr(target))}", *(line.strip() for line in why)]


def _target(record: LookRecord, cap: int) -> list[str]:
    if record.n_per_class:
        ranked = list(record.n_per_class.items())
        shown = ranked if len(ranked) <= cap else [*ranked[: cap - 1], ranked[-1]]
        width = min(NAME, max(len(escape(label)) for label, _ in shown))
        lines = []
        for label, n in shown:
            name = escape(label) if len(escape(label)) <= width else escape(label)[: width - 1] + "…"
            lines.append(
                f"  {name:<{width}}  {n:>{len(f'{ranked[0][1]:,}')},}  {'─' * max(1, round(BAR * n / ranked[0][1]))}"
            )
        if len(shown) < len(ranked):
            lines.insert(-1, f"  … {count(len(ranked) - len(shown), 'class', 'classes')} between, shown by --all")
        return [*lines, ""]
    column = next((one for one in record.facts["columns"] if one["role"] == "target"), None)
    if column is None or "quantiles" not in column:
        return []
    low, q1, middle, q3, high = (f"{q:,.6g}" for q in column["quantiles"])
    return [*fold("Target", f"{low} … {high}, half of the rows between {q1} and {q3}, middle {middle}"), ""]


def _kinds(columns: list[dict[str, Any]]) -> str:
    kinds: dict[str, list[str]] = {}
    for column in columns:
        if column["role"] != "target":
            kinds.setdefault(column["kind"] if column["role"] == "feature" else column["role"], []).append(
                column["name"]
            )
    parts = []
    for kind, names in sorted(kinds.items(), key=lambda item: -len(item[1])):
        plural = {"category": "categories", "yes/no": "yes/no", "time": "time", "ignored": "ignored"}.get(
            kind, f"{kind}s"
        )
        words = f"{len(names)} {kind if len(names) == 1 else plural}"
        parts.append(words + (f" ({escape(', '.join(names))})" if len(names) <= 2 else ""))
    return " · ".join(parts)


def _missing(columns: list[dict[str, Any]]) -> str:
    some = sorted((one for one in columns if one["n_missing"]), key=lambda one: -one["n_missing"])
    if not some:
        return "none"
    parts = []
    for one in some[:5]:
        codes = ", ".join("blank" if code == "" else repr(code) for code in one["missing"])
        parts.append(f"{escape(one['name'])} {one['n_missing']:,} ({escape(codes)})")
    return " · ".join(parts) + (f" · and {count(len(some) - 5, 'more column')}" if len(some) > 5 else "")


def _linked(columns: list[dict[str, Any]], n_lines: int) -> list[str]:
    some = sorted((one for one in columns if one["link"]), key=lambda one: -one["link"]["share"])
    shown = [f"{escape(one['name'])} {_share(one['link']['share'])}" for one in some[:4] if one["link"]["low"] > 0]
    if not some:
        return []
    text = " · ".join(shown) + " of the target explained alone" if shown else "no column explains the target alone"
    return fold("Linked", text, max_lines=n_lines)


def _share(share: float) -> str:
    return f"{100 * share:.0f} %" if share < 0.995 else ">99 %"


def _reading(reading: dict[str, Any]) -> str:
    marks = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
    parts = [reading["format"], marks.get(reading["delimiter"], reading["delimiter"]), reading["encoding"]]
    parts += [] if reading["header"] else ["no header"]
    return ", ".join(part for part in parts if part) + "".join(f"; {note}" for note in reading["notes"])


def _suspects(record: LookRecord, cap: int, n_lines: int, *, everything: bool) -> list[str]:
    if not record.suspects:
        return fold("Suspects", "none")
    lines: list[str] = []
    for number, suspect in enumerate(record.suspects[:cap]):
        lines += fold(
            "Look first" if number == 0 else "", f"{suspect.kind}: {escape(suspect.evidence)}", max_lines=n_lines
        )
        if everything:
            lines += fold("", f"→ {escape(suspect.fix)}", max_lines=n_lines)
    rest = len(record.suspects) - cap
    return lines + (fold("", f"and {rest:,} more, shown by --all") if rest > 0 else [])


def _next(record: LookRecord, data: str, stated: str) -> list[str]:
    """The next command on a line of its own, never folded, so that it can be copied."""
    facts = record.facts
    if record.task.kind is None:
        if record.task.target is not None:
            return fold("Next", "add rows, or name another column to be predicted")
        last = facts["columns"][-1]["name"]
        said = f"name the column to be predicted; the last is {escape(repr(last))}"
        return [
            *fold("Next", said),
            f"{'':<13}bottega look {escape(shlex.quote(data))} --target {escape(shlex.quote(last) + stated)}",
        ]
    if refused := refusal_lines(record):
        return refused
    target = "" if facts["guessed"] else f" --target {escape(shlex.quote(record.task.target or ''))}"
    command = f"{'Next':<13}bottega train {escape(shlex.quote(data))}{target}{escape(stated)}"
    return [command, *_from_texts(record, data)]


def _from_texts(record: LookRecord, data: str) -> list[str]:
    """For a table with a column of texts and a class to predict: the command that learns from the texts."""
    columns = [one for one in record.facts["columns"] if one["role"] == "feature" and one["name"].lower() != "split"]
    texts = [one["name"] for one in columns if one["kind"] == "text"]
    if not texts or record.task.kind != "classification":
        return []
    also = [one["name"] for one in columns if one["kind"] in ("number", "category", "yes/no", "date")]
    beside = f" --also {shlex.quote(','.join(also))}" if also else ""
    stated = f" --text {shlex.quote(','.join(texts))}{beside} --target {shlex.quote(record.task.target or '')}"
    return [f"{'From texts':<13}bottega train {escape(shlex.quote(data) + stated)}"]
