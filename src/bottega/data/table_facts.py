"""What each column's values are like: quantiles, a histogram, the commonest names, rows far away from all others."""

from typing import Any

import numpy as np
import polars as pl

from bottega.data.table_links import Link, labels
from bottega.data.tables import Table
from bottega.problem.table import Column

__all__ = ["column_facts"]

BINS = 24
TOP = 6  # names that are listed
FAR = 3.0  # times the central 99 % of the values
SHOWN = 3


def column_facts(table: Table, column: Column, link: Link | None) -> dict[str, Any]:
    """One column as it goes into the record.

    Returns:
        name, kind, why, role, counts of missing cells by their code; for numbers `quantiles` (0, .25, .5, .75, 1),
        `histogram` (`edges`, `counts`) and `outliers`; for names `top`; for the link with the target `link`.
    """
    facts: dict[str, Any] = {
        "name": column.name,
        "kind": column.kind,
        "why": column.why,
        "role": column.role,
        "n_missing": column.n_missing,
        "missing": dict(column.missing),
        "n_distinct": column.n_distinct,
        "format": column.format,
        "n_unreadable": column.n_unreadable,
        "link": None if link is None else {"share": link.share, "low": link.low, "high": link.high, "n": link.n},
    }
    series = table.frame[column.name]
    if series.dtype.is_float() and column.kind != "identifier":
        facts |= _of_numbers(table, series)
    elif series.dtype.is_temporal():
        low, high = series.min(), series.max()
        if low is not None and high is not None:
            facts["range"] = [str(low), str(high)]
    if column.kind in ("category", "yes/no", "constant"):
        counts = labels(series.drop_nulls()).alias("value").value_counts(sort=True).head(TOP)
        facts["top"] = {str(value): int(n) for value, n in counts.iter_rows()}
    return facts


def _of_numbers(table: Table, series: pl.Series) -> dict[str, Any]:
    values = series.to_numpy()
    there = np.isfinite(values)
    some = values[there]
    if len(some) == 0:
        return {}
    low, q1, q2, q3, high = (float(q) for q in np.quantile(some, [0, 0.25, 0.5, 0.75, 1]))
    inner_low, inner_high = (float(q) for q in np.quantile(some, [0.005, 0.995]))
    facts: dict[str, Any] = {"quantiles": [low, q1, q2, q3, high], "mean": float(some.mean())}
    spread = inner_high - inner_low
    far = np.flatnonzero(there & (np.abs(values - q2) > FAR * spread)) if spread > 0 else np.zeros(0, np.int64)
    if 0 < len(far) <= 0.001 * len(values) + 3:
        worst = far[np.argsort(-np.abs(values[far] - q2))][:SHOWN]
        facts["outliers"] = {"n": len(far), "rows": [[int(table.rows[i]), float(values[i])] for i in worst]}
    if low < high:
        edges = _edges(low, high, inner_low, inner_high, whole=bool((some == np.round(some)).all()))
        counts, _ = np.histogram(np.clip(some, edges[0], edges[-1]), edges)
        facts["histogram"] = {"edges": edges.tolist(), "counts": counts.tolist()}
    return facts


def _edges(
    low: float, high: float, inner_low: float, inner_high: float, *, whole: bool
) -> "np.typing.NDArray[np.float64]":
    """Bins over the central 99 %, what lies outside counted in the first and the last; one for each small integer."""
    if whole and high - low < BINS:
        return np.arange(low - 0.5, high + 1)
    start, end = (inner_low, inner_high) if inner_high > inner_low else (low, high)
    return np.linspace(start, end, BINS + 1)
