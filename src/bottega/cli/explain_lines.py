"""Which columns or words drive a model, for the terminal: each with what the answers lose without it."""

import textwrap

from bottega.cli.axis import IN_PERCENT, Estimate, axis_lines, number
from bottega.cli.explain_row_lines import answer_words, cell_words, row_lines
from bottega.cli.terminal import WIDTH, count, escape, fold
from bottega.problem.understanding_records import Driver, Drivers, Effect, ExplainRecord, Words

__all__ = ["explain_lines"]

MAX_COLUMNS = 10
MAX_WORDS = 12
MAX_EFFECTS = 3
AXIS = 24
NAME = 36


def explain_lines(record: ExplainRecord) -> list[str]:
    """The answer first, then how it was measured."""
    lines: list[str] = []
    if record.drivers is not None:
        lines = _driver_lines(record.drivers, record.target)
    elif record.row is not None:
        lines = row_lines(record.row, record.target)
    elif record.words is not None:
        lines = _word_lines(record.words)
    for note in record.notes:
        lines += fold("Mind", escape(note))
    return lines


def _driver_lines(found: Drivers, target: str) -> list[str]:
    told = [one for one in found.columns if one.measurable]
    rest = [one for one in found.columns if not one.measurable]
    estimates = [_estimate(one) for one in told[:MAX_COLUMNS]]
    lines = [*textwrap.wrap(escape(_heading(found, target)), WIDTH), ""]
    lines += axis_lines(estimates, metric=found.metric or "movement", name_width=NAME, axis_width=AXIS, whole=True)
    if len(told) > MAX_COLUMNS:
        lines.append(f"  and {count(len(told) - MAX_COLUMNS, 'column')} with less (--json)")
    lines += [""] if told else []
    if rest:
        names = ", ".join(_name(one) for one in rest)
        lines += fold("No effect", f"none that can be measured: {names}" if found.metric else f"hardly any: {names}")
    if found.score is not None and found.metric is not None:
        shown = number(found.score.score, found.metric, found.score.high - found.score.low)
        shown += "\xa0%" if found.metric in IN_PERCENT else ""
        lines += fold("As it is", f"{found.metric} {shown} on these rows")
    if not told and found.metric is not None:
        lines += fold("Next", "more rows, or another --metric, may tell them from chance")
    for one in told[:MAX_COLUMNS]:
        if one.association is not None:
            said = f"{' and '.join(map(repr, one.columns))} tell each other (association {one.association:.2f})"
            lines += fold("Together", escape(f"{said}, and were shuffled as one"))
    for effect in found.effects[:MAX_EFFECTS]:
        lines += fold("How", escape(_effect_words(effect)))
    return lines


def _heading(found: Drivers, target: str) -> str:
    used = f"{found.n_used:,} of {count(found.n, 'row')}" if found.n_used < found.n else count(found.n, "row")
    shuffled = f"when a column's cells are shuffled among {used}"
    if found.metric is None or found.score is None:
        is_class = any(effect.label is not None for effect in found.effects)
        unit = f"in {'shares of probability' if is_class else target}; " if found.effects else ""
        return f"How far answers move {shuffled} ({unit}no target given):"
    if not found.score.higher_is_better:
        return f"By how much {found.metric} grows {shuffled}:"
    if found.metric in IN_PERCENT:
        return f"How many points of {found.metric} are lost {shuffled}:"
    return f"How much {found.metric} is lost {shuffled}:"


def _estimate(one: Driver) -> Estimate:
    score = one.importance
    return Estimate(_name(one), score.score, score.low, score.high)


def _name(one: Driver) -> str:
    return escape(" + ".join(one.columns))


def _effect_words(effect: Effect) -> str:
    """From the lowest mean to the highest, in one sentence."""
    low, high = (pick(effect.points, key=lambda point: point.mean) for pick in (min, max))
    return (
        f"mean {effect.answer} from {answer_words(low.mean, effect)} where {effect.column} is {cell_words(low.cell)} "
        f"to {answer_words(high.mean, effect)} where it is {cell_words(high.cell)}"
    )


def _points(change: float) -> str:
    """Of a probability; what rounds to nothing has no sign."""
    shown = f"{100 * change:+.1f}"
    return "0.0" if shown in ("+0.0", "-0.0") else shown


def _word_lines(found: Words) -> list[str]:
    if found.text is not None:
        lines = [f"{escape(found.answer)}  {100 * (found.probability or 0):.1f} %  {escape(found.text)}", ""]
        lines += [f"Points of the probability of {escape(repr(found.answer))} that are lost without a word:", ""]
    else:
        used = f"{found.n_used:,} of {count(found.n, 'text')}" if found.n_used < found.n else count(found.n, "text")
        head = f"Words that answers hang on: mean points of the label's probability lost without them, in {used}:"
        lines = [*textwrap.wrap(head, WIDTH), ""]
    for one in found.words[:MAX_WORDS]:
        for_ = "" if found.text is not None else f"  {escape(one.label)[:20]:<20} in {count(one.n_texts, 'text')}"
        lines.append(f"  {escape(one.word)[:28]:<28} {_points(one.change):>7}{for_}")
    if not found.words:
        lines.append("  no word" if found.text is not None else "  no word stands in three texts or more")
    rest = len(found.words) - MAX_WORDS
    return lines + ([f"  and {count(rest, 'word')} with less (--json)"] if rest > 0 else [])
