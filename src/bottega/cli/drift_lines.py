"""Which columns of new rows are not spread as in training, for the terminal."""

from bottega.cli.terminal import count, escape, fold
from bottega.problem.drift import Drift

__all__ = ["drift_lines"]

MAX_MOVED = 4
TELLS = 0.5  # a move that so few rows would miss is no news that there was none


def drift_lines(drift: Drift | None) -> list[str]:
    """The columns that moved, the farthest first; or that none did, and what so many rows can tell."""
    if drift is None:
        return fold("Columns", "the file does not say how they were spread in training: train again to have it told")
    moved = drift.moved
    lines = []
    for one in moved[:MAX_MOVED]:
        lines += fold("Moved", escape(f"{one.column}, by {_percent(one.distance)}: {one.evidence}"))
    if len(moved) > MAX_MOVED:
        names = ", ".join(one.column for one in moved[MAX_MOVED:])
        lines += fold("", escape(f"and {count(len(moved) - MAX_MOVED, 'column')} by less: {names}"))
    shows = f"a move of {_percent(drift.smallest)} or more would most likely show"
    if moved:
        rows, columns = count(drift.n, "row"), count(len(drift.columns), "column")
        return lines + fold("", f"of {columns}; in {rows} {shows}")
    n = len(drift.columns)
    if drift.smallest > TELLS:
        return fold("Columns", f"{count(drift.n, 'row')} cannot tell whether any of {n:,} has moved since training")
    return fold("Columns", f"none of {n:,} has moved since training; in {count(drift.n, 'row')} {shows}")


def _percent(share: float) -> str:
    return f"{100 * share:.{0 if share >= 0.0995 else 1}f}\xa0%"
