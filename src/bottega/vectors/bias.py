"""What vectors associate with whom: the test of Caliskan et al., and words between the two ends of an axis."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bottega.errors import BottegaError
from bottega.problem.words import Projection
from bottega.vectors.vector_file import VectorFile
from bottega.vectors.word_lists import PAIRS, PROFESSIONS, TESTS, WordSets

__all__ = ["Lists", "Weat", "known_rows", "project", "read_lists", "weat"]

FEWEST = 3  # known words of a set
N_EXACT = 20_000  # partitions that are all counted; more are drawn
N_DRAWN = 10_000
N_RESAMPLES = 2000

Units = NDArray[np.float64]


@dataclass(frozen=True)
class Lists:
    """The words of `--bias`."""

    tests: tuple[WordSets, ...] = TESTS
    pairs: tuple[tuple[str, str], ...] = PAIRS
    words: tuple[str, ...] = PROFESSIONS


@dataclass(frozen=True)
class Weat:
    """The outcome of one test.

    Attributes:
        effect: d: difference of the targets' mean association in units of its standard deviation, -2 … 2.
        low: lower end of its 95 % bootstrap interval.
        high: upper end.
        p_value: share of partitions of the targets with at least this difference (one-sided).
        n_permutations: partitions counted.
        is_exact: whether they are all there are.
    """

    effect: float
    low: float
    high: float
    p_value: float
    n_permutations: int
    is_exact: bool


def read_lists(path: Path) -> Lists:
    """Read word lists of one's own: JSON with `tests`, `pairs` and `words`; docs/words.md shows one.

    Raises:
        BottegaError: no such file, no JSON, or another shape.
    """
    if not path.is_file():
        raise BottegaError(found=f"no file {str(path)!r}", expected="word lists as JSON", fix="check the path")
    try:
        stated = json.loads(path.read_text("utf-8"))
        tests = tuple(_sets(one) for one in stated.get("tests", []))
        pairs = tuple((str(first), str(second)) for first, second in stated.get("pairs", []))
        words = tuple(str(word) for word in stated.get("words", []))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        is_no_json = isinstance(error, json.JSONDecodeError | UnicodeDecodeError)
        raise BottegaError(
            found=f"no JSON ({error})" if is_no_json else "JSON of another shape",
            expected='{"tests": [{"name": …, "targets": {A: [words], B: [words]}, "attributes": {…}}], '
            '"pairs": [[one end, other end]], "words": […]}',
            fix="write them as in docs/words.md",
            where=str(path),
        ) from error
    if not tests and not (pairs and words):
        raise BottegaError(
            found="no test, and no pairs with words", expected="at least one of both", fix="add some", where=str(path)
        )
    return Lists(tests, pairs, words)


def known_rows(file: VectorFile, words: Sequence[str]) -> tuple[list[int], list[str]]:
    """The rows of the words that the file knows, in their own or in the one other case; and the unknown words."""
    rows, unknown = [], []
    for word in words:
        row = file.vocabulary.row(word)
        if row is None and len(variants := file.vocabulary.variants(word)) == 1:
            row = variants[0]
        if row is None or np.isin(row, file.hidden):
            unknown.append(word)
        else:
            rows.append(row)
    return rows, unknown


def weat(x: Units, y: Units, a: Units, b: Units, *, seed: int = 0) -> Weat:
    """Whether the targets X are nearer to the attributes A, and Y to B, than chance would have it.

    Args:
        x: (n, D) unit vectors, as y, a and b; at least three each.
        seed: of the drawing and the resampling.
    Source: Caliskan, Bryson and Narayanan 2017.
    """
    both = np.concatenate([x, y])
    association = (both @ a.T).mean(axis=1) - (both @ b.T).mean(axis=1)
    n, n_x = len(both), len(x)
    rng = np.random.default_rng([seed, 0x77656174])
    observed = association[:n_x].mean() - association[n_x:].mean()
    is_exact = math.comb(n, n_x) <= N_EXACT
    if is_exact:
        chosen = np.array(list(combinations(range(n), n_x)))
    else:
        chosen = rng.permuted(np.tile(np.arange(n), (N_DRAWN, 1)), axis=1)[:, :n_x]
    inside = association[chosen].sum(axis=1)
    differences = inside / n_x - (association.sum() - inside) / (n - n_x)
    as_large = int(np.count_nonzero(differences >= observed - 1e-12))
    p_value = as_large / len(chosen) if is_exact else (as_large + 1) / (len(chosen) + 1)
    first = association[rng.integers(0, n_x, (N_RESAMPLES, n_x))]
    second = association[n_x + rng.integers(0, n - n_x, (N_RESAMPLES, n - n_x))]
    low, high = np.quantile(_effects(first, second), [0.025, 0.975])
    effect = float(_effects(association[None, :n_x], association[None, n_x:])[0])
    return Weat(effect, min(float(low), effect), max(float(high), effect), p_value, len(chosen), is_exact)


def project(
    file: VectorFile, rows: Sequence[int], pairs: Sequence[tuple[int, int]], *, seed: int = 0
) -> list[Projection]:
    """Where words lie between two ends: the cosine with the mean direction of the pairs, from low to high.

    Args:
        rows: the words.
        pairs: rows of (one end, other end); values are high towards the second.
        seed: of the resampling of the pairs, which gives the 95 % interval.
    """
    ends = file.units(np.array(pairs).reshape(-1)).reshape(len(pairs), 2, -1)
    directions = _unit(ends[:, 1] - ends[:, 0])
    units = file.units(np.array(rows, dtype=np.int64))
    drawn = np.random.default_rng([seed, 0x61786973]).integers(0, len(pairs), (N_RESAMPLES, len(pairs)))
    axes = _unit(directions[drawn].mean(axis=1))
    values = units @ _unit(directions.mean(axis=0)[None])[0]
    low, high = np.quantile(units @ axes.T, [0.025, 0.975], axis=1)
    found = [
        Projection(file.vocabulary.word(row), float(v), float(min(bottom, v)), float(max(top, v)))
        for row, v, bottom, top in zip(rows, values, low, high, strict=True)
    ]
    return sorted(found, key=lambda one: (one.value, one.word))


def _sets(stated: Any) -> WordSets:
    first, second = ((str(name), tuple(map(str, words))) for name, words in stated["targets"].items())
    one, other = ((str(name), tuple(map(str, words))) for name, words in stated["attributes"].items())
    return WordSets(str(stated["name"]), (first, second), (one, other))


def _effects(first: Units, second: Units) -> NDArray[np.float64]:
    """(B, n), (B, m) -> (B,): difference of means over the standard deviation of all."""
    spread = np.concatenate([first, second], axis=1).std(axis=1, ddof=1)
    effects: NDArray[np.float64] = (first.mean(axis=1) - second.mean(axis=1)) / np.where(spread > 0, spread, 1.0)
    return effects


def _unit(vectors: Units) -> Units:
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.where(lengths > 0, lengths, 1.0)
