"""Two usual tests of word vectors: analogies (`Athens Greece Bern Switzerland`) and pairs that people judged."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bottega.errors import BottegaError
from bottega.problem.records import Progress
from bottega.vectors.rules import EPSILON
from bottega.vectors.vector_file import BLOCK, VectorFile

__all__ = [
    "N_SEARCHED",
    "Analogy",
    "Judged",
    "Solved",
    "correlations",
    "ranks",
    "read_analogies",
    "read_pairs",
    "solve",
]

N_SEARCHED = 300_000  # words, as in gensim and the original program, so that numbers can be compared
N_AT_ONCE = 256  # questions


@dataclass(frozen=True)
class Analogy:
    """`a` is to `b` as `c` is to `d`; `d` is asked."""

    section: str
    words: tuple[str, str, str, str]


@dataclass(frozen=True)
class Judged:
    """Two words and how alike people find them."""

    words: tuple[str, str]
    value: float


@dataclass(frozen=True)
class Solved:
    """The outcome of an analogy test.

    Attributes:
        known: (n,) whether all four words are among those searched.
        right: by (rule, "without" or "with" the question's words): (n,), False where a word is unknown.
        n_searched: words among which answers were sought.
    """

    known: NDArray[np.bool_]
    right: dict[tuple[str, str], NDArray[np.bool_]]
    n_searched: int


def read_analogies(path: Path) -> list[Analogy]:
    """Read the format of `questions-words.txt`: `: section`, then four words a line.

    Raises:
        BottegaError: another number of words, a question before the first section, or no question at all.
    """
    found: list[Analogy] = []
    section = None
    for number, line in enumerate(_lines(path), start=1):
        words = line.split()
        if line.startswith(":"):
            section = line[1:].strip()
        elif words and (len(words) != 4 or section is None):
            raise BottegaError(
                found=f"{len(words)} words" if len(words) != 4 else "a question before the first section",
                expected="four words a line, after a line such as `: capitals`",
                fix="mend the line",
                where=f"{path.name}, line {number}",
            )
        elif words and section is not None:
            found.append(Analogy(section, (words[0], words[1], words[2], words[3])))
    if not found:
        raise BottegaError(
            found="no question",
            expected="questions such as `Athens Greece Bern Switzerland`",
            fix="name another file",
            where=str(path),
        )
    return found


def read_pairs(path: Path) -> list[Judged]:
    """Read two words and a number a line, between tabs or commas; lines that begin with `#` say nothing.

    Raises:
        BottegaError: a line of another kind, or no pair at all.
    """
    found: list[Judged] = []
    for number, line in enumerate(_lines(path), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        fields = [field.strip() for field in line.split("\t" if "\t" in line else "," if "," in line else None)]
        try:
            found.append(Judged((fields[0], fields[1]), float(fields[2])))
        except (IndexError, ValueError) as error:
            if not found and len(fields) >= 3:  # the names of the columns
                continue
            raise BottegaError(
                found=repr(line.strip()[:60]),
                expected="two words and a number, between tabs",
                fix="mend the line",
                where=f"{path.name}, line {number}",
            ) from error
    if len(found) < 4:
        n = f"{len(found)} pair{'s' * (len(found) != 1)} with a number" if found else "no pair with a number"
        raise BottegaError(found=n, expected="at least four", fix="name another file", where=str(path))
    return found


def solve(
    file: VectorFile, analogies: Sequence[Analogy], *, n_searched: int = N_SEARCHED, progress: Progress | None = None
) -> Solved:
    """Answer every question under both rules, with and without its own words among the answers.

    Case is ignored, and of words that differ in case alone the most frequent counts, as in gensim.

    Args:
        n_searched: the first words of the file, among which answers are sought.
    """
    n_searched = min(n_searched, file.n_words)
    spelled, rows_of = _upper(file, n_searched)
    asked = [tuple(word.upper() for word in one.words) for one in analogies]
    known = np.array([all(word in rows_of for word in words) for words in asked], dtype=bool)
    columns = sorted({word for words, is_known in zip(asked, known, strict=True) if is_known for word in words[:3]})
    place = {word: i for i, word in enumerate(columns)}
    units = file.units(np.array([rows_of[word][0] for word in columns], dtype=np.int64)).astype(np.float32)
    numbers = np.flatnonzero(known)
    a, b, c = (np.array([place[asked[i][j]] for i in numbers], dtype=np.int64) for j in range(3))
    own = [[row for word in asked[i][:3] for row in rows_of[word]] for i in numbers]
    best = {(rule, words): _Best(len(numbers)) for rule in ("cosadd", "cosmul") for words in ("without", "with")}
    hidden = np.asarray(file.hidden, dtype=np.int64)
    for first in range(0, n_searched, BLOCK):
        part = slice(first, min(first + BLOCK, n_searched))
        cosines = units @ file.units(part).astype(np.float32).T  # (columns, D) x (D, n)
        cosines[:, hidden[(hidden >= first) & (hidden < part.stop)] - first] = np.nan
        moved = (cosines + np.float32(1)) / np.float32(2)
        for start in range(0, len(numbers), N_AT_ONCE):
            q = slice(start, start + N_AT_ONCE)
            scores = {
                "cosadd": cosines[b[q]] + cosines[c[q]] - cosines[a[q]],
                "cosmul": moved[b[q]] * moved[c[q]] / (moved[a[q]] + np.float32(EPSILON)),
            }
            for rule, values in scores.items():
                np.nan_to_num(values, copy=False, nan=-np.inf)
                best[rule, "with"].take(q, values, first)
                for i, rows in enumerate(own[q]):
                    values[i, [row - first for row in rows if part.start <= row < part.stop]] = -np.inf
                best[rule, "without"].take(q, values, first)
        if progress is not None:
            progress("asking the analogies", part.stop, n_searched)
    expected = [asked[i][3] for i in numbers]
    right = {}
    for key, found in best.items():
        right[key] = np.zeros(len(asked), dtype=bool)
        right[key][numbers] = [spelled[row] == word for row, word in zip(found.rows.tolist(), expected, strict=True)]
    return Solved(known, right, n_searched)


class _Best:
    """The best row so far for each question."""

    def __init__(self, n: int) -> None:
        self.scores = np.full(n, -np.inf, np.float32)
        self.rows = np.zeros(n, np.int64)

    def take(self, q: slice, values: NDArray[np.float32], first: int) -> None:
        columns = values.argmax(axis=1)
        scores = values[np.arange(len(values)), columns]
        better = scores > self.scores[q]
        self.scores[q] = np.where(better, scores, self.scores[q])
        self.rows[q] = np.where(better, first + columns, self.rows[q])


def correlations(
    file: VectorFile, pairs: Sequence[Judged], *, n_searched: int = N_SEARCHED
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The cosine of each pair, 0 where a word is unknown; and whether both are known."""
    _, rows_of = _upper(file, min(n_searched, file.n_words))
    known = np.array([all(word.upper() in rows_of for word in pair.words) for pair in pairs], dtype=bool)
    values = np.zeros(len(pairs))
    for i in np.flatnonzero(known):
        rows = np.array([rows_of[word.upper()][0] for word in pairs[int(i)].words])
        first, second = file.units(rows)
        values[i] = first @ second
    return values, known


def _upper(file: VectorFile, n: int) -> tuple[list[str], dict[str, list[int]]]:
    """The first n words without their case, and the rows of each."""
    spelled = [word.upper() for word in file.vocabulary.all(n)]
    rows_of: dict[str, list[int]] = {}
    for row, word in enumerate(spelled):
        rows_of.setdefault(word, []).append(row)
    return spelled, rows_of


def _lines(path: Path) -> list[str]:
    if not path.is_file():
        raise BottegaError(found=f"no file {str(path)!r}", expected="a file of test questions", fix="check the path")
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise BottegaError(
            found=f"bytes that are no UTF-8 ({error.reason})",
            expected="a text file",
            fix="save it as UTF-8",
            where=str(path),
        ) from error


def ranks(values: NDArray[Any]) -> NDArray[np.float64]:
    """Ranks from 1; equal values share the mean of theirs."""
    _, index, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    shared: NDArray[np.float64] = (ends - (counts - 1) / 2)[index]
    return shared
