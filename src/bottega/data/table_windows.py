"""Rows that are windows over one series: each has all but one of its numbers in common with the next."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bottega.data.table_links import View
from bottega.problem.records import Suspect

__all__ = ["Windows", "find_windows", "windows_suspects"]

OVERLAP = 0.5  # of the rows whose values stand one column further in another row
MAX_ROWS = 20_000
MIN_ROWS = 20
MAX_COLUMNS, SOME = 400, 200  # columns in which windows are sought; rows that a first look takes

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Windows:
    """The columns of a table that are a window over a series.

    Attributes:
        columns: in the order of the series, or against it.
        n_shared: rows whose values stand in another row too.
        nearest: the column next to the target, where the target belongs to the same series; else "".
        share: of the target that saying the same as `nearest` explains; NaN where there is none.
    """

    columns: tuple[str, ...]
    n_shared: int
    nearest: str = ""
    share: float = float("nan")

    @property
    def explained(self) -> tuple[str, ...]:
        """Columns that say much of the target because it goes on where they end, and not because they give it away."""
        return self.columns if self.nearest else ()


def find_windows(view: View) -> Windows | None:
    """Look for numbers that stand one column further in another row; None where they don't, in most of the rows."""
    if len(view.rows) < MIN_ROWS:
        return None
    names = [one for one in view.numeric if view.table.column(one).n_distinct > 0.5 * len(view.table)][:MAX_COLUMNS]
    cells = {one: view.numbers(one)[:MAX_ROWS] for one in names}
    found: list[str] = []
    n_shared = 0
    for run in zip(names, names[1:], names[2:], strict=False):
        n = _n_shifted(*(cells[one] for one in run))
        if n > OVERLAP * len(view.rows[:MAX_ROWS]):
            found.extend(one for one in run if one not in found)
            n_shared = max(n_shared, n)
    if not found:
        return None
    nearest, share = _continued(view, cells, found)
    return Windows(tuple(found), n_shared, nearest, share)


def windows_suspects(view: View, windows: Windows | None) -> list[Suspect]:
    """What such rows do to a score, and the rival that a model of a series has to beat."""
    if windows is None:
        return []
    first, last = windows.columns[0], windows.columns[-1]
    how = f"in {windows.n_shared:,} rows the values of {first!r} … {last!r} stand in another row too"
    if windows.nearest and view.table.target is not None:
        share = f"{100 * windows.share:.0f}" if windows.share < 0.995 else f"{100 * min(windows.share, 0.9999):.2f}"
        target = view.table.target.name
        rival = f"saying {windows.nearest!r} again explains {share} % of {target!r}: a model has to beat that"
        how = f"{rival}; {how}"
    fix = "a split by lot puts the answers of test rows into training: give --time-column, so that the split is by time"
    if view.table.choices.time_column is not None:
        fix = "the split is by time, as it has to be: read the score beside that of 'same as last time'"
    return [Suspect("windows", f"{first} … {last}", f"the rows are overlapping windows: {how}", fix)]


def _continued(view: View, cells: dict[str, Floats], columns: Sequence[str]) -> tuple[str, float]:
    """The end of the window that the target follows, and what saying the same as it explains; or ("", NaN)."""
    nothing = ("", float("nan"))
    if view.target is None or view.target.n_classes:
        return nothing
    y = view.target.values[:MAX_ROWS]
    spread = float(y.var())
    if not spread > 0 or np.isin(y[:SOME], cells[columns[0]]).mean() <= OVERLAP:
        return nothing
    shares = {one: 1 - float(np.nanmean((y - cells[one]) ** 2)) / spread for one in (columns[0], columns[-1])}
    nearest = max(shares, key=lambda one: shares[one])
    return (nearest, shares[nearest]) if shares[nearest] > 0 else nothing


def _n_shifted(a: Floats, b: Floats, c: Floats) -> int:
    """Rows whose (b, c) stand as (a, b) in some row."""
    if max(np.isin(a[:SOME], b).mean(), np.isin(b[:SOME], a).mean()) <= OVERLAP:
        return 0
    early = set(zip(a.tolist(), b.tolist(), strict=True))
    return sum(pair in early for pair in zip(b.tolist(), c.tolist(), strict=True))
