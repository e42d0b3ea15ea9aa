"""Rows that stand twice, nearly twice, or with two answers; columns that say the same."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from bottega.data.table_content import Words, cell_words, mixed
from bottega.data.table_links import View
from bottega.data.tables import Table

__all__ = ["Conflicts", "Duplicates", "find_conflicts", "find_duplicates", "same_columns"]

MAX_CELLS = 60_000_000  # beyond which near duplicates are not sought: one sort for each column
MAX_GROUPS = 1000
ALIKE = 0.9995  # rank correlation
MAX_COLUMNS, MAX_ROWS, MAX_NAMES = 400, 5000, 50


@dataclass(frozen=True)
class Duplicates:
    """Rows with the same cells in every column that counts, the target included.

    Attributes:
        groups: places of the rows that are the same, the first 1,000 groups.
        n_extra: rows that repeat an earlier one.
        n_near: rows that differ from another one in a single cell; None where that was not sought.
        near_column: the column in which most of those differ.
        naive_leak: share of test rows that would have a copy in training if lot put 70 % of the rows there.
    """

    groups: tuple[tuple[int, ...], ...] = ()
    n_groups: int = 0
    n_rows: int = 0
    n_extra: int = 0
    n_near: int | None = None
    near_column: str = ""
    naive_leak: float = 0.0


@dataclass(frozen=True)
class Conflicts:
    """Rows with the same features and different targets: no model can answer all of them.

    Attributes:
        bound: accuracy that no model exceeds on these rows, or the RMSE that none falls below.
        example: places of two such rows.
    """

    n_groups: int
    n_rows: int
    bound: float
    example: tuple[int, int]


def find_duplicates(table: Table) -> Duplicates:
    """Look for rows that stand twice, and for those that differ in one cell only."""
    columns = [one for one in table.columns if one.role != "ignored" and one.kind not in ("identifier", "constant")]
    n = len(table)
    total = np.zeros(n, np.uint64)
    parts: list[Words] = []
    keep_parts = n * len(columns) <= MAX_CELLS and len(columns) > 3
    for place, column in enumerate(columns):
        part = mixed(cell_words(table.frame[column.name]), place)
        total += part
        if keep_parts:
            parts.append(part)
    if not columns:
        return Duplicates()
    series = pl.Series(total)
    sizes = series.alias("value").value_counts()["count"].to_numpy()
    repeated = series.is_duplicated().to_numpy()
    n_near, near_column = _near(total, parts, [c.name for c in columns]) if parts else (None, "")
    return Duplicates(
        groups=_groups(total, repeated),
        n_groups=int((sizes > 1).sum()),
        n_rows=int(repeated.sum()),
        n_extra=n - len(sizes),
        n_near=n_near,
        near_column=near_column,
        naive_leak=float((sizes * (1 - 0.3 ** (sizes - 1.0))).sum() / n),
    )


def _groups(hashes: Words, repeated: npt.NDArray[np.bool_]) -> tuple[tuple[int, ...], ...]:
    at = np.flatnonzero(repeated)
    frame = pl.DataFrame({"hash": hashes[at], "row": at})
    grouped = frame.group_by("hash", maintain_order=True).agg("row").head(MAX_GROUPS)
    return tuple(tuple(rows) for rows in grouped["row"].to_list())


def _near(total: Words, parts: list[Words], names: list[str]) -> tuple[int, str]:
    """Rows whose sum without one column is that of another row with another sum."""
    near = np.zeros(len(total), bool)
    most, most_name = 0, ""
    distinct = pl.Series(total)
    for part, name in zip(parts, names, strict=True):
        rest = pl.DataFrame({"rest": total - part, "total": distinct})
        several = rest.unique().get_column("rest")
        doubled = several.filter(several.is_duplicated()).unique()
        if doubled.is_empty():
            continue
        found = rest["rest"].is_in(doubled.implode()).to_numpy()
        near |= found
        if int(found.sum()) > most:
            most, most_name = int(found.sum()), name
    return int(near.sum()), most_name


def find_conflicts(view: View) -> Conflicts | None:
    """Rows with the same features and different targets, and the bound that they put on any score."""
    features = view.table.features
    if view.target is None or not features or len(view.rows) < 2:
        return None
    total = np.zeros(len(view.rows), np.uint64)
    for place, column in enumerate(features):
        total += mixed(cell_words(view.frame[column.name]), place)
    frame = pl.DataFrame({"hash": total, "y": view.target.values, "row": np.arange(len(total))})
    several = frame.filter(pl.col("y").n_unique().over("hash") > 1)
    if several.is_empty():
        return None
    groups = several.group_by("hash")
    if view.target.n_classes:
        counts = several.group_by("hash", "y").len()
        kept = int(counts.group_by("hash").agg(pl.col("len").max())["len"].sum())
        bound = 1 - (several.height - kept) / len(total)
    else:
        spread = several.select(((pl.col("y") - pl.col("y").mean().over("hash")) ** 2).sum()).item()
        bound = float(np.sqrt(spread / len(total)))
    first = several.filter(pl.col("hash") == several["hash"][0])
    other = first.filter(pl.col("y") != first["y"][0])["row"][0]
    return Conflicts(groups.len().height, several.height, bound, (int(first["row"][0]), int(other)))


def same_columns(table: Table) -> list[tuple[str, str, str]]:
    """Pairs of columns that say the same, and how: (one, other, "the same cells", for instance)."""
    columns = [one for one in table.columns if one.role in ("feature", "time")]
    columns = [one for one in columns if one.kind not in ("constant", "identifier", "text")][:MAX_COLUMNS]
    some = table.frame if len(table) <= MAX_ROWS else table.frame.sample(MAX_ROWS, seed=0)
    if some.height < 20:
        return []
    pairs = _same_order(table.frame, some, [c.name for c in columns if some[c.name].dtype.is_float()])
    found = {(one, other) for one, other, _ in pairs}
    few = [c.name for c in columns if 2 <= c.n_distinct <= MAX_NAMES]
    coded = {name: some[name].rank("dense").fill_null(0) for name in few}
    n_names = {name: codes.n_unique() for name, codes in coded.items()}
    for i, one in enumerate(few):
        for other in few[i + 1 :]:
            if n_names[one] != n_names[other] or (one, other) in found:
                continue
            if pl.DataFrame({"a": coded[one], "b": coded[other]}).n_unique() == n_names[one]:
                pairs.append((one, other, "each value of one goes with one value of the other"))
    return pairs


def _same_order(frame: pl.DataFrame, some: pl.DataFrame, names: list[str]) -> list[tuple[str, str, str]]:
    """Pairs of numeric columns with a rank correlation of nearly 1 or -1."""
    if len(names) < 2:
        return []
    ranks = np.stack([some[name].rank().fill_null(0.0).to_numpy() for name in names])  # (d, n)
    ranks -= ranks.mean(1, keepdims=True)
    norms = np.sqrt((ranks**2).sum(1, keepdims=True))
    ranks /= np.where(norms > 0, norms, 1)
    close = np.triu(np.abs(ranks @ ranks.T), 1) >= ALIKE
    pairs = []
    for i, j in np.argwhere(close).tolist():
        same = frame[names[i]].eq_missing(frame[names[j]]).all()
        pairs.append((names[i], names[j], "the same cells" if same else "each rises and falls with the other"))
    return pairs
