"""The parts of a score: of each class, and of each value of a column."""

from bottega.cli.axis import Estimate, axis_lines
from bottega.cli.terminal import count, escape
from bottega.problem.records import EvaluateRecord, Score

__all__ = ["by_lines", "class_lines"]

MAX_CLASSES = 8
MAX_VALUES = 12


def class_lines(record: EvaluateRecord) -> list[str]:
    """The classes with the worst recall first: that is where to look."""
    rows = [(label, row["recall"], row["precision"]) for label, row in record.per_class.items() if row["n"]]
    rows.sort(key=lambda row: (row[1].score, row[0]))
    estimates = [
        Estimate(f"{escape(label)} ({recall.n:,})", recall.score, recall.low, recall.high, _precision(precision))
        for label, recall, precision in rows[:MAX_CLASSES]
    ]
    rest = len(rows) - MAX_CLASSES
    lines = axis_lines(estimates, metric="accuracy", name_width=24, axis_width=20)
    head = ["Found, of each class (recall), the worst first:"] if lines else []
    tail = [""] if lines else []
    return head + lines + ([f"  and {count(rest, 'class', 'classes')} with better recall"] if rest > 0 else []) + tail


def _precision(score: Score) -> str:
    return f"right when said {100 * score.score:.0f} %" if score.n else "never said"


def by_lines(record: EvaluateRecord) -> list[str]:
    """The values of the column with the most examples, the worst first."""
    if record.by is None or not record.by:
        return []
    most = sorted(record.by.items(), key=lambda item: (-item[1].n, item[0]))[:MAX_VALUES]
    higher = next(iter(record.by.values())).higher_is_better
    most.sort(key=lambda item: (item[1].score if higher else -item[1].score, item[0]))
    estimates = [
        Estimate(f"{escape(value) or '(empty)'} ({score.n:,})", score.score, score.low, score.high, "")
        for value, score in most
    ]
    lines = axis_lines(estimates, metric=record.metric, name_width=24, axis_width=20)
    rest = len(record.by) - len(most)
    more = [f"  and {count(rest, 'value')} with fewer examples (--json)"] if rest > 0 else []
    which = " of the unseen ones" if record.unseen is not None else ""
    head = (
        f"{record.metric.replace('_', ' ').capitalize()} by {escape(record.by_column or '')}{which}, the worst first:"
    )
    return [head, *lines, *more, ""]
