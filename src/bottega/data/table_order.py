"""What the order of the rows gives away: time, sorted or neighbouring rows, drift, groups."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from bottega.data.table_links import View
from bottega.data.table_types import has_identifier_name
from bottega.errors import found_in
from bottega.problem.records import Suspect
from bottega.problem.table import Column

__all__ = ["find_order", "last_value"]

ALIKE = 0.3  # of the target that the row before explains, for rows to count as following each other
DRIFT = 0.25  # largest distance of two distribution functions, or half the summed differences of shares
MAX_ROWS = 20_000
MIN_PART, MIN_TIMES = 50, 20
_GROUP = re.compile(
    r"(?<![a-z])(id|patient|subject|person|customer|client|user|member|account|household|family|session|visit|ticket|"
    r"device|vehicle|vin|email|phone|student|employee|case|batch|site|participant|speaker|author)(?![a-z])"
)
_YEAR = re.compile(r"(?<![a-z])(year|yr|month|week|date|time|day)(?![a-z])")

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class LastValue:
    """The rival "same as last time": what the row before explains of the target."""

    share: float
    right: float  # of a class: share of rows that repeat the label before; NaN for a number
    by_chance: float


def find_order(view: View) -> list[Suspect]:
    """Suspects of time, groups and order; drift is told with whichever of them explains it."""
    timed = _times(view)
    found = timed + _groups(view)
    dates = [c for c in view.table.columns if c.kind == "date" and c.role in ("feature", "time") and c.n_distinct > 9]
    clock = next(iter(dates), None) or next((view.table.column(one.where) for one in timed), None)
    return found + (_drift(view, clock) if clock is not None else _sorted(view))


def last_value(view: View, order: npt.NDArray[np.int64]) -> LastValue | None:
    """How well the target of the row before predicts that of a row.

    Args:
        order: places of the rows in the order of time.
    """
    if view.target is None or len(order) < 20:
        return None
    y = view.target.values[order]
    if view.target.n_classes:
        shares = np.bincount(y.astype(np.int64), minlength=view.target.n_classes) / len(y)
        same, chance = float(np.mean(y[1:] == y[:-1])), float((shares**2).sum())
        return LastValue((same - chance) / max(1e-9, 1 - chance), same, chance)
    spread = float(y.var())
    if spread <= 0 or not np.isfinite(spread):
        return None
    return LastValue(1 - float(np.mean((y[1:] - y[:-1]) ** 2)) / spread, float("nan"), 0.0)


def _times(view: View) -> list[Suspect]:
    """The column of time that was not declared: the finest of them."""
    if view.table.choices.time_column is not None:
        return []
    features = [one for one in view.table.columns if one.role == "feature"]
    times = [one for one in features if view.frame[one.name].count() >= MIN_TIMES and _is_time(view, one)]
    if not times:
        return []
    column = max(times, key=lambda one: (one.kind == "date", one.n_distinct))
    values = view.numbers(column.name)
    there = np.flatnonzero(np.isfinite(values))
    rival = last_value(view, there[np.argsort(values[there], kind="stable")])
    how = f"{column.name!r} runs {_span(view, column)}; rows of one time are alike, so a split by lot flatters"
    if rival is not None and rival.share > 0:
        how = f"{column.name!r} runs {_span(view, column)}, and 'same as last time' {_said(view, rival)}"
    fix = f"to predict later rows from earlier ones: --time-column {_quoted(column.name)}"
    return [Suspect("time", column.name, how, fix)]


def _is_time(view: View, column: Column) -> bool:
    if column.kind == "date":
        return not column.format.startswith("%H") and column.n_distinct >= 10
    if column.kind != "number" or not column.whole or column.n_distinct < 10 or not _YEAR.search(_words(column.name)):
        return False
    values = view.frame[column.name].drop_nulls()
    return values.is_sorted() or values.is_sorted(descending=True)


def _span(view: View, column: Column) -> str:
    values = view.frame[column.name].drop_nulls()
    low, high = values.sort()[[0, -1]].dt.strftime("%Y-%m-%d") if column.kind == "date" else values.sort()[[0, -1]]
    text = f"from {low} to {high}" if column.kind == "date" else f"from {low:g} to {high:g}"
    return text + (", newest first" if not values.is_sorted() and values.is_sorted(descending=True) else "")


def _said(view: View, rival: LastValue) -> str:
    target = view.table.target
    name = target.name if target is not None else ""
    if rival.right == rival.right:  # a class
        return f"is right in {100 * rival.right:.0f} % of the rows, {100 * rival.by_chance:.0f} % by chance"
    share = f"{100 * rival.share:.0f}" if rival.share < 0.995 else f"{100 * min(rival.share, 0.9999):.2f}"
    return f"explains {share} % of {name!r}: a model has to beat that"


def _sorted(view: View) -> list[Suspect]:
    """Rows sorted by a column, or measured one after the other without a column that says so."""
    n = len(view.rows)
    if n < MIN_PART:
        return []
    by = _sorted_by(view)
    rival = last_value(view, np.arange(n))
    moved = _moved(view, np.arange(n), set() if by is None else {by})
    if by is None and (rival is None or rival.share < ALIKE) and not moved:
        return []
    parts = [] if by is None else [f"the rows are sorted by {by!r}"]
    if by is None and rival is not None and rival.share >= ALIKE:
        parts.append("the target of the row above " + _said(view, rival).partition(":")[0])
    if moved:
        verb = "differs" if len(moved) == 1 else "differ"
        parts.append(f"{_shown(moved)} {verb} between the first and the last quarter of the rows")
    fix = "if the order is that of time, name its column; else nothing: parts are drawn by content, not by place"
    return [Suspect("order", by or "the order of the rows", "; ".join(parts), fix)]


def _sorted_by(view: View) -> str | None:
    """The column whose values stand in blocks: it changes a tenth as often from row to row as it would by lot."""
    target = view.table.target
    for column in (*(() if target is None else (target,)), *view.table.features):
        if not 2 <= column.n_distinct <= len(view.rows) / 20 or column.kind == "date":
            continue
        series = view.frame[column.name]
        shares = series.alias("value").value_counts()["count"].to_numpy() / len(series)
        changes = int(series.ne_missing(series.shift(1)).sum()) - 1  # the first row has none before it
        if changes < min(3 * column.n_distinct, 0.1 * len(series) * (1 - float((shares**2).sum()))):
            return str(column.name)
    return None


def _groups(view: View) -> list[Suspect]:
    """The same person, ticket or device in many rows."""
    if view.table.choices.group is not None:
        return []
    found = []
    n = len(view.table)
    for column in view.table.columns:
        n_there = n - column.n_missing
        if column.role != "feature" or not 20 < column.n_distinct < 0.9 * n_there or column.kind in ("date", "text"):
            continue
        named = bool(_GROUP.search(_words(column.name))) or has_identifier_name(column.name)
        many = column.n_distinct > max(50, 0.05 * n_there)
        is_key = not column.whole and column.kind in ("category", "identifier") and many
        if not (is_key or (named and (column.whole or column.kind in ("category", "identifier")))):
            continue
        text = _group_words(view, column)
        if text is not None:
            fix = f"if rows of one {column.name!r} belong together: --group {_quoted(column.name)}"
            found.append(Suspect("group", column.name, text, fix))
    return found[:3]


def _group_words(view: View, column: Column) -> str | None:
    frame = pl.DataFrame({"group": view.frame[column.name]}).drop_nulls()
    sizes = frame["group"].alias("value").value_counts()["count"]
    shared = int(sizes.filter(sizes > 1).sum())
    if shared < max(10, 0.05 * len(view.rows)):
        return None
    text = f"{column.n_distinct:,} different {column.name!r} in {len(frame):,} rows, {shared:,} of which share theirs"
    codes, _ = view.codes(column.name)
    if view.frame[column.name].dtype.is_float():
        codes = np.unique(view.numbers(column.name), return_inverse=True)[1] + 1
    order = np.argsort(codes, kind="stable")
    order = order[codes[order] > 0]
    if view.target is None or not view.target.n_classes or len(order) < 20:
        return text
    y, together = view.target.values[order], codes[order][1:] == codes[order][:-1]
    alike = float(np.mean(y[1:][together] == y[:-1][together])) if together.any() else 0.0
    shares = np.bincount(y.astype(np.int64)) / len(y)
    return f"{text} and have the same answer in {100 * alike:.0f} %, {100 * (shares**2).sum():.0f} % by chance"


def _drift(view: View, clock: Column) -> list[Suspect]:
    """Columns whose values differ between the earliest and the latest quarter."""
    values = view.numbers(clock.name)
    order = np.argsort(np.where(np.isfinite(values), values, np.inf), kind="stable")
    moved = _moved(view, order, {clock.name})
    if not moved:
        return []
    verb = "differs" if len(moved) == 1 else "differ"
    how = f"{_shown(moved)} {verb} between the earliest and the latest quarter by {clock.name!r}"
    fix = f"new rows will be like the latest: judge by time, --time-column {_quoted(clock.name)}"
    if view.table.choices.time_column is not None:
        fix = "new rows will be like the latest, which are the test part: the score holds what that costs"
    return [Suspect("drift", moved[0], how, fix)]


def _moved(view: View, order: npt.NDArray[np.int64], skipped: set[str]) -> list[str]:
    """Columns that differ between the first and the last quarter of that order, the most first."""
    quarter = min(len(order) // 4, MAX_ROWS)
    if quarter < MIN_PART:
        return []
    first, last = order[:quarter], order[-quarter:]
    moved = []
    for column in (*view.table.role("target"), *view.table.features):
        if column.name in skipped or column.kind in ("text", "date"):
            continue
        distance = _distance(view, column.name, first, last)
        if distance >= DRIFT:
            moved.append((distance, column.name))
    return [name for _, name in sorted(moved, key=lambda one: -one[0])]


def _shown(names: Sequence[str]) -> str:
    return found_in(list(names), limit=3)


def _distance(view: View, name: str, first: npt.NDArray[np.int64], last: npt.NDArray[np.int64]) -> float:
    """Kolmogorov and Smirnov's for numbers, total variation for categories; 0 to 1."""
    if view.frame[name].dtype.is_float():
        values = view.numbers(name)
        a, b = (np.sort(part[np.isfinite(part)]) for part in (values[first], values[last]))
        if len(a) < MIN_PART or len(b) < MIN_PART:
            return 0.0
        at = np.concatenate((a, b))
        return float(np.abs(np.searchsorted(a, at, "right") / len(a) - np.searchsorted(b, at, "right") / len(b)).max())
    codes, n_bins = view.codes(name)
    if n_bins > len(first) / 5:
        return 0.0
    a, b = (np.bincount(codes[part], minlength=n_bins) / len(part) for part in (first, last))
    return float(np.abs(a - b).sum() / 2)


def _words(name: str) -> str:
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower().replace("_", " ").replace("-", " ")


def _quoted(name: str) -> str:
    return name if re.fullmatch(r"[\w.-]+", name) else f"'{name}'"
