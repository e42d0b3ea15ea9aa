"""What a look at texts found, in at most 25 lines: the answer, the classes, what to look at, what to do next."""

import shlex

from bottega.cli.refusal_lines import refusal_lines
from bottega.cli.terminal import count, escape, fold
from bottega.problem.records import LookRecord

__all__ = ["text_lines"]

MAX_LINES = 25
# classes, suspects, lines of each
LADDER = ((10, 6, 4), (10, 6, 3), (10, 6, 2), (8, 5, 2), (6, 4, 2), (5, 3, 2), (4, 3, 1))
BAR, NAME = 24, 28
MANY = 0.01  # share of the letters from which a script is named


def text_lines(record: LookRecord, data: str, *, everything: bool = False) -> list[str]:
    """Lay out what was found.

    Args:
        data: DATA as it was typed, for the command to copy.
        everything: every class and suspect; else at most 25 lines of 80 columns.
    """
    if everything:
        return _page(record, data, (10**9, 10**9, 30), everything=True)
    pages = (_page(record, data, caps, everything=False) for caps in LADDER)
    return next((page for page in pages if len(page) <= MAX_LINES), _page(record, data, LADDER[-1], everything=False))


def _page(record: LookRecord, data: str, caps: tuple[int, int, int], *, everything: bool) -> list[str]:
    n_classes, n_suspects, n_lines = caps
    facts = record.facts
    words, characters = facts["words"], facts["characters"]
    lines = [*_headline(record), "", *_classes(record, n_classes)]
    lines += fold(
        "Lengths",
        f"{words['median']:,} words in the middle, {words['low']:,} … {words['high']:,} for most; "
        f"up to {characters['longest']:,} characters",
    )
    lines += fold("Scripts", _scripts(facts["scripts"]))
    lines += fold("Languages", _languages(facts["languages"]))
    parts = " · ".join(f"{part} {n:,}" for part, n in record.n_per_part.items())
    lines += fold("Parts", parts) if parts else []
    lines += fold("Read as", escape("; ".join([facts["source"], *facts["notes"]])), max_lines=n_lines)
    if record.rejected:
        names = ", ".join(escape(f"{one.path} ({one.reason})") for one in record.rejected[: 10**9 if everything else 2])
        lines += fold("Left out", f"{count(len(record.rejected), 'file')}: {names}", max_lines=n_lines)
    lines += _suspects(record, n_suspects, n_lines, everything=everything)
    return [*lines, *_next(record, data)]


def _headline(record: LookRecord) -> list[str]:
    n = count(record.n_examples, "text")
    if record.task.kind is None:
        return [f"{n}: no task yet", *fold("", escape(record.task.why), width=93)]
    where = f", to predict {escape(repr(record.task.target))}" if record.facts["text_columns"] else ""
    return [f"{n}{where}", f"{record.task.kind}: {escape(record.task.why)}"]


def _classes(record: LookRecord, cap: int) -> list[str]:
    ranked = list(record.n_per_class.items())
    if not ranked or record.task.kind is None:
        return []
    shown = ranked if len(ranked) <= cap else [*ranked[: cap - 1], ranked[-1]]
    width = min(NAME, max(len(escape(label)) for label, _ in shown))
    most = ranked[0][1]
    lines = []
    for label, n in shown:
        name = escape(label) if len(escape(label)) <= width else escape(label)[: width - 1] + "…"
        lines.append(f"  {name:<{width}}  {n:>{len(f'{most:,}')},}  {'─' * max(1, round(BAR * n / most))}")
    if len(shown) < len(ranked):
        lines.insert(-1, f"  … {count(len(ranked) - len(shown), 'class', 'classes')} between, shown by --all")
    return [*lines, ""]


def _scripts(shares: dict[str, float]) -> str:
    named = [f"{name.capitalize()} {100 * share:.0f} %" for name, share in shares.items() if share >= MANY]
    return " · ".join(named) or "no letters"


def _languages(shares: dict[str, float]) -> str:
    named = [f"{name} {100 * share:.0f} %" for name, share in shares.items() if share >= MANY]
    return f"{' · '.join(named)}, guessed by their commonest words"


def _suspects(record: LookRecord, cap: int, n_lines: int, *, everything: bool) -> list[str]:
    if not record.suspects:
        return fold("Suspects", "none")
    lines: list[str] = []
    for number, suspect in enumerate(record.suspects[:cap]):
        said = f"{suspect.kind}: {escape(suspect.evidence)}"
        lines += fold("Look first" if number == 0 else "", said, max_lines=n_lines)
        if everything:
            lines += fold("", f"→ {escape(suspect.fix)}", max_lines=n_lines)
    rest = len(record.suspects) - cap
    return lines + (fold("", f"and {rest:,} more, shown by --all") if rest > 0 else [])


def _next(record: LookRecord, data: str) -> list[str]:
    """The next command on a line of its own, never folded, so that it can be copied."""
    if record.task.target is not None and (refused := refusal_lines(record)):
        return refused
    columns, target, also = record.facts["text_columns"], record.task.target, record.facts["also"]
    stated = f" --text {shlex.quote(','.join(columns))}" if columns else ""
    stated += f" --also {shlex.quote(','.join(also))}" if also else ""
    stated += f" --target {shlex.quote(target or 'COL')}" if columns else ""
    verb = "train" if record.task.kind is not None else "look"
    return [f"{'Next':<13}bottega {verb} {escape(shlex.quote(data))}{escape(stated)}"]
