"""Columns that hold the answer: alone, together, in disguise, or because they were filled in after the event."""

import itertools
import math
import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from bottega.data.table_links import Link, View, labels
from bottega.errors import found_in
from bottega.problem.records import Suspect

__all__ = ["find_leaks"]

MAX_ALONE = 4  # of such columns that are told one by one, the last line standing for all others
ALONE = 0.95  # explained by one column; the smell of a mushroom, an honest one, stays just under it
EXACT = 1 - 1e-6  # explained by several columns that define the target
BY_MISSING = 0.3  # explained, at the lower end, by the bare fact that a cell is empty
BY_NAME = 0.1  # explained, at the lower end, by a column whose name speaks of afterwards
MONOTONE = 0.9995  # rank correlation
MAX_ROWS, MAX_COLUMNS, MAX_PAIRS = 5000, 200, 600
_AFTER = re.compile(
    r"(?<![a-z])(after|outcome|result|resolved|resolution|closed|closing|discharge\w*|death|died|deceased|refund\w*|"
    r"charge_?back|payoff|repaid|recover\w*|collection|cancel\w*|termination|terminated|exit|left|final|ended|"
    r"settled|verdict|decision|approved|rejected|won|lost)(?![a-z])"
)

Floats = npt.NDArray[np.float64]


def find_leaks(view: View, links: Sequence[Link], beside: Sequence[str] = ()) -> list[Suspect]:
    """Every way in which the features hold the target, worst first.

    Args:
        beside: columns of which it is told elsewhere why they explain the target.
    """
    column = view.table.target
    if column is None or view.target is None or len(view.rows) < 20:
        return []
    target = column.name
    links = [link for link in links if view.table.column(link.column).kind != "date"]  # told as time
    alone = [link for link in links if link.share >= ALONE and link.column not in beside]
    found = [_alone(view, link, target) for link in alone]
    if len(found) > MAX_ALONE:
        found = [*found[: MAX_ALONE - 1], _others(alone[MAX_ALONE - 1 :], target)]
    named = {*beside, *(link.column for link in alone)}
    if not view.target.n_classes:
        found += _disguises(view, links, target, named)
        found += _together(view, target, named)
    else:
        found += _differences(view, target, named)
    found += _texts(view, target, named)
    found += _afterwards(links, target, named)
    return found


def _alone(view: View, link: Link, target: str) -> Suspect:
    rho = _rank_correlation(view, link.column)
    how = f"{link.column!r} alone explains {_percent(link.share)} of {target!r}"
    if abs(rho) >= MONOTONE:
        how = f"{link.column!r} rises and falls with {target!r} (rank correlation {rho:.4f}): the target in disguise"
    elif link.missing_share >= ALONE:
        how = f"whether {link.column!r} is filled in explains {_percent(link.missing_share)} of {target!r}"
    fix = f"if it isn't known before {target!r} is: --ignore {_quoted(link.column)}"
    return Suspect("leak", link.column, how, fix)


def _others(links: Sequence[Link], target: str) -> Suspect:
    """What is to be said of many such columns in one breath."""
    names = [link.column for link in links]
    how = f"{found_in(names)} alone explain {_percent(min(link.share for link in links))} of {target!r} or more each"
    fix = f"if they aren't known before {target!r} is: " + " ".join(f"--ignore {_quoted(one)}" for one in names)
    return Suspect("leak", names[0], how, fix)


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share < 0.995 else f"{math.floor(1000 * min(share, 0.9999)) / 10:.1f} %"


def _quoted(name: str) -> str:
    return name if re.fullmatch(r"[\w.-]+", name) else f"'{name}'"


def _rank_correlation(view: View, name: str) -> float:
    """Spearman's, on rows that have both; 0 where the target is no number or the column none."""
    if view.target is None or view.target.n_classes or not view.frame[name].dtype.is_float():
        return 0.0
    x, y = view.numbers(name)[:MAX_ROWS], view.target.values[:MAX_ROWS]
    there = np.isfinite(x)
    if there.sum() < 20 or np.ptp(x[there]) == 0 or np.ptp(y[there]) == 0:
        return 0.0
    ranks = [pl.Series(values[there]).rank().to_numpy() for values in (x, y)]
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])


def _disguises(view: View, links: Sequence[Link], target: str, named: set[str]) -> list[Suspect]:
    """A monotone function of the target, or bands that cut it: each value has a range of the target to itself."""
    found = []
    for link in links:
        if link.column in named or link.share < 0.3:
            continue
        rho = _rank_correlation(view, link.column)
        bands = _n_bands(view, link.column)
        if abs(rho) >= MONOTONE:
            how = f"{link.column!r} orders the rows as {target!r} does (rank correlation {rho:.4f})"
        elif bands:
            how = (
                f"each of the {bands} values of {link.column!r} has a range of {target!r} of its own, as in a rounding"
            )
        else:
            continue
        named.add(link.column)
        fix = f"the target in disguise: --ignore {_quoted(link.column)}"
        found.append(Suspect("leak", link.column, how, fix))
    return found


def _n_bands(view: View, name: str) -> int:
    """How many values the column has, where each covers a range of the target that no other enters; else 0."""
    if view.target is None or view.table.column(name).n_distinct > len(view.rows) / 10:
        return 0
    frame = pl.DataFrame({"value": view.frame[name], "y": view.target.values}).drop_nulls()
    ranges = frame.group_by("value").agg(pl.col("y").min().alias("low"), pl.col("y").max().alias("high")).sort("low")
    if ranges.height < 3:
        return 0
    lows, highs = ranges["low"].to_numpy(), ranges["high"].to_numpy()
    return ranges.height if bool((lows[1:] >= highs[:-1]).all()) else 0


def _complete(view: View, named: set[str]) -> tuple[list[str], Floats, Floats]:
    """Numeric features that are nearly always there, their cells, and the target, of rows that have them all."""
    names = [
        one for one in view.numeric if one not in named and view.table.column(one).n_missing < 0.2 * len(view.table)
    ][:MAX_COLUMNS]
    y = view.target.values[:MAX_ROWS] if view.target is not None else np.zeros(0)
    if not names:
        return [], np.zeros((0, 0)), y
    X = np.stack([view.numbers(one)[:MAX_ROWS] for one in names], axis=1)
    there = np.isfinite(X).all(1)
    return names, X[there], y[there]


def _together(view: View, target: str, named: set[str]) -> list[Suspect]:
    """Columns whose weighted sum, or whose product, is the target."""
    names, X, y = _complete(view, named)
    found = []
    if (sum_ := _defining(names, X, y)) is not None:
        how = f"{target!r} is a weighted sum of {_listed(sum_)}: together they define it"
        found.append(Suspect("leak", " and ".join(sum_), how, f"--ignore at least one of them: {_ignored(sum_)}"))
    positive = [i for i in range(len(names)) if (X[:, i] > 0).all()]
    if not found and len(positive) >= 2 and len(y) and (y > 0).all():
        product = _defining([names[i] for i in positive], np.log(X[:, positive]), np.log(y))
        if product is not None:
            how = f"{target!r} is a product of powers of {_listed(product)}: together they define it"
            fix = f"--ignore at least one of them: {_ignored(product)}"
            found.append(Suspect("leak", " and ".join(product), how, fix))
    return found


def _defining(names: Sequence[str], X: Floats, y: Floats) -> list[str] | None:
    """The columns that a linear function of the target needs, where it leaves nothing unexplained; else None."""
    if len(names) < 2 or len(y) < 5 * len(names) or np.ptp(y) == 0:
        return None
    scale = X.std(0)
    kept = [i for i in range(len(names)) if scale[i] > 0]
    Z = np.column_stack([(X[:, kept] - X[:, kept].mean(0)) / scale[kept], np.ones(len(y))])
    weights, *_ = np.linalg.lstsq(Z, y, rcond=1e-10)
    left = y - Z @ weights
    if 1 - left.var() / y.var() < EXACT:
        return None
    strong = [i for i, weight in zip(kept, weights, strict=False) if abs(weight) > 1e-3 * y.std()]
    return [names[i] for i in strong] if 2 <= len(strong) <= 8 else None


def _differences(view: View, target: str, named: set[str]) -> list[Suspect]:
    """Two columns of which the larger one tells the class: up or down from yesterday's and today's price."""
    if view.target is None or view.target.n_classes != 2:
        return []
    names, X, y = _complete(view, named)
    found = []
    pairs = itertools.islice(itertools.combinations(range(len(names)), 2), MAX_PAIRS)
    for i, j in pairs:
        difference = X[:, i] - X[:, j]
        one, other = difference[y == 1], difference[y == 0]
        if min(len(one), len(other)) < 20 or np.ptp(difference) == 0:
            continue
        apart = one.min() >= other.max() or other.min() >= one.max()
        if apart:
            how = f"{names[i]!r} minus {names[j]!r} tells {target!r} in every row"
            pair = [names[i], names[j]]
            found.append(Suspect("leak", " and ".join(pair), how, f"--ignore one of them: {_ignored(pair)}"))
    return found[:3]


def _texts(view: View, target: str, named: set[str]) -> list[Suspect]:
    """Texts and categories that have the label written in them."""
    if view.target is None or not view.target.n_classes or any(len(c) < 3 for c in view.target.classes):
        return []
    wanted = labels(view.frame[target]).str.to_lowercase()
    found = []
    for column in view.table.columns:
        words = column.kind in ("text", "category", "identifier") and view.frame[column.name].dtype == pl.String
        if column.role != "feature" or not words or column.name in named:
            continue
        text = view.frame[column.name].str.to_lowercase()
        inside = float(text.str.contains(wanted, literal=True).fill_null(False).mean() or 0)  # type: ignore[arg-type]
        by_chance = float(text.str.contains(wanted.shuffle(0), literal=True).fill_null(False).mean() or 0)  # type: ignore[arg-type]
        if inside > 0.8 and inside - by_chance > 0.25:
            how = f"{column.name!r} has the label written in it in {100 * inside:.0f} % of the rows"
            found.append(Suspect("leak", column.name, how, f"--ignore {_quoted(column.name)}"))
    return found


def _afterwards(links: Sequence[Link], target: str, named: set[str]) -> list[Suspect]:
    found = []
    for link in links:
        if link.column in named:
            continue
        words = re.sub(r"([a-z])([A-Z])", r"\1_\2", link.column).lower().replace("-", "_").replace("_", " ")
        if link.missing_low >= BY_MISSING:
            how = f"whether {link.column!r} is filled in explains {_percent(link.missing_share)} of {target!r}"
            fix = f"if it is filled in after the event: --ignore {_quoted(link.column)}"
        elif _AFTER.search(words) and link.low >= BY_NAME:
            how = f"{link.column!r} is called like something known afterwards, and explains {_percent(link.share)}"
            fix = f"if it is known only after {target!r}: --ignore {_quoted(link.column)}"
        else:
            continue
        found.append(Suspect("leak", link.column, how, fix))
    return found


def _listed(names: Sequence[str]) -> str:
    return ", ".join(repr(name) for name in names[:-1]) + f" and {names[-1]!r}"


def _ignored(names: Sequence[str]) -> str:
    return f"--ignore {_quoted(names[0])}"
