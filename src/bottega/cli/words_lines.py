"""How the answers of `bottega words` look on a terminal: at most 25 lines, the answer first."""

import unicodedata
from typing import Any

from bottega.cli.terminal import escape, fold
from bottega.problem.words import Neighbour, WordsRecord

__all__ = ["caret_lines", "cut", "lines_of"]

MAX_ROWS = 12
COLUMN = 19
NAMES = {"cosadd": "3CosAdd", "cosmul": "3CosMul"}


def caret_lines(expression: str, column: int) -> list[str]:
    """The question, and a caret under the place."""
    start = max(0, column - 50)
    before, shown = escape(expression[start:column]), escape(expression[start : start + 74])
    return [f"  {shown}", f"  {' ' * _width(before)}^"]


def lines_of(record: Any, *, explain: bool = False) -> list[str]:
    """The lines of any record of `bottega words`."""
    if isinstance(record, WordsRecord):
        return _question(record, explain)
    from bottega.cli.words_scores import score_lines

    return score_lines(record)


def _question(record: WordsRecord, explain: bool) -> list[str]:
    if explain and record.explained:
        lines = _pulls(record)
    elif record.rules:
        best = [sides["without"][0].word if sides["without"] else "nothing" for sides in record.rules.values()]
        agree = "both rules" if best[0] == best[1] else f"3CosAdd; {escape(best[1])} by 3CosMul"
        lines = [f"{escape(best[0])}   by {agree}, the question's own words left out", "", *_four_lists(record)]
    else:
        lines = _one_list(record)
    remarks = [line for note in record.notes for line in fold("Note", escape(note), max_lines=4)]
    facts = record.vectors
    remarks += fold("Vectors", escape(f"{facts.n_words:,} words of {facts.n_dims} dimensions, {facts.name}"))
    remarks += [line for note in facts.notes for line in fold("", escape(note))]
    return [*lines, "", *remarks]


def _one_list(record: WordsRecord) -> list[str]:
    """An answer that no rule but the cosine decides."""
    first, asked = record.answers[0], escape(record.question)
    if len(record.answers) == 1:
        return [f"{escape(first.word)}   {first.similarity:.3f}   {asked}"]
    rows = [_row(one) for one in record.answers[:MAX_ROWS]]
    rest = len(record.answers) - len(rows)
    return [f"{escape(first.word)}   {asked}", "", *rows, *([f"… and {rest} more (--json)"] if rest else [])]


def _four_lists(record: WordsRecord) -> list[str]:
    """Both rules beside each other, each without and with the words of the question."""
    lists = [(rule, side, record.rules[rule][side]) for rule in record.rules for side in ("without", "with")]
    own = "own words left out", "nothing left out"
    head = "".join(_cell(f"{NAMES[rule]}:") if side == "without" else _cell("") for rule, side, _ in lists)
    below = "".join(_cell(own[side == "with"]) for _, side, _ in lists)
    n = min(MAX_ROWS, max(len(found) for _, _, found in lists))
    rows = [
        "".join(_cell(_row(found[i], 12)) if i < len(found) else _cell("") for _, _, found in lists) for i in range(n)
    ]
    rest = max(len(found) for _, _, found in lists) - n
    return [line.rstrip() for line in (head, below, *rows)] + ([f"… and {rest} more (--json)"] if rest > 0 else [])


def _row(one: Neighbour, wide: int = 24) -> str:
    return f"{cut(escape(one.word), wide)} {one.similarity:.3f}"


def _cell(text: str) -> str:
    return text + " " * max(1, COLUMN + 1 - _width(text))


def cut(text: str, wide: int) -> str:
    """The text in exactly so many columns."""
    shown = text
    while _width(shown) > wide:
        shown = shown[:-2] + "…" if shown.endswith("…") else shown[:-1] + "…"
    return shown + " " * (wide - _width(shown))


def _width(text: str) -> int:
    """Columns on a terminal: two for wide letters, none for combining marks."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )


def _pulls(record: WordsRecord) -> list[str]:
    """Each answer's similarity as a sum over the question's words."""
    words = list(record.explained[0].pulls)[:4]
    head = f"{cut('', 20)} {'similarity':>11}  =" + "".join(f"{cut(escape(word), 11).rstrip():>12}" for word in words)
    rows = [
        f"{cut(escape(one.word), 20)} {one.similarity:>11.3f}   "
        + "".join(f"{one.pulls[word]:>+12.3f}" for word in words)
        for one in record.explained[:MAX_ROWS]
    ]
    return [f"What pulls the answers to {escape(record.question)} (3CosAdd):", "", head, *rows]
