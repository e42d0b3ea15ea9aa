"""The words with the highest scores among millions: a quick scan with a proved error, then the exact order.

The scan reads one byte for each number instead of four. What it leaves out cannot belong to the answers (docs/words.md,
"The bound"); what passes is scored again from the rows themselves. So nothing is approximate.
"""

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bottega.vectors.rules import Rule, Slack
from bottega.vectors.vector_file import BLOCK, VectorFile

__all__ = ["Hit", "nearest_to_each", "search"]

N_BLOCKS = 8  # coded blocks to a step: its results stay in the processor's cache
N_ROWS = 16_384  # rows to a step where there are no codes
LEVELS = 63  # of a question's numbers: 127 · 63 · 2 fits into 16 bits, where processors without VNNI add up pairs
MAX_THREADS = 16

# One ONNX operator, MatMulInteger (opset 13): `a` uint8, `b` int8 -> `y` int32. With one row in `a` the engine goes
# straight over `b`, at the speed of the memory. onnx.checker accepts it; without the package it is 72 bytes.
_PRODUCT = (
    b'\x08\x08:>\n\x18\n\x01a\n\x01b\x12\x01y"\rMatMulInteger\x12\x01gZ\t\n\x01a\x12\x04\n\x02\x08\x02'
    b"Z\t\n\x01b\x12\x04\n\x02\x08\x03b\t\n\x01y\x12\x04\n\x02\x08\x06B\x04\n\x00\x10\r"
)

Cosines = NDArray[np.float32]


@dataclass(frozen=True)
class Hit:
    """A row with its exact score."""

    row: int
    score: float


def search(file: VectorFile, units: NDArray[np.float64], rules: Sequence[Rule], k: int) -> list[list[Hit]]:
    """The k words with the highest scores, for each rule; of equal scores the smaller row first.

    Args:
        file: the words; its hidden rows are no answers.
        units: (T, D) the words of the question, each of norm 1.
        rules: what is made of the T cosines.
        k: how many.
    """
    keepers = [_Keeper(k) for _ in rules]
    hidden = np.asarray(file.hidden, dtype=np.int64)

    def look(first: int, cosines: Cosines, slack: Slack) -> None:
        covered = hidden[np.searchsorted(hidden, first) : np.searchsorted(hidden, first + cosines.shape[1])] - first
        for rule, keeper in zip(rules, keepers, strict=True):
            high = rule.highest(cosines, slack)
            high[covered] = -np.inf
            passing = np.flatnonzero(high > keeper.bar)
            if len(passing):
                low = rule.lowest(cosines[:, passing], slack)
                keeper.add(first + passing, high[passing], low)

    (_scan_codes if file.has_codes else _scan_rows)(file, units, look)
    return [_exact(file, units, rule, keeper, k) for rule, keeper in zip(rules, keepers, strict=True)]


def nearest_to_each(
    file: VectorFile, targets: NDArray[np.float64], k: int, *, without: Sequence[Sequence[int]] | None = None
) -> list[list[Hit]]:
    """The k words with the highest cosine with each of many vectors: one product of matrices instead of many scans.

    Args:
        targets: (Q, D), of norm 1.
        k: how many for each.
        without: for each target the rows that are no answers to it.
    """
    excluded = without or [()] * len(targets)
    wanted = k + max((len(rows) for rows in excluded), default=0)
    keepers = [_Keeper(wanted) for _ in targets]
    bars = np.full(len(targets), -np.inf, np.float32)
    small = targets.astype(np.float32)
    reach = np.float32(_rounding(file.n_dims))
    hidden = np.asarray(file.hidden, dtype=np.int64)
    for first in range(0, file.n_words, BLOCK):
        rows = _unit_rows(file, first, BLOCK)
        scores = small @ rows.T  # (Q, D) x (D, n) -> (Q, n)
        scores[:, hidden[(hidden >= first) & (hidden < first + BLOCK)] - first] = -np.inf
        for i in np.flatnonzero(scores.max(axis=1) + reach > bars):
            passing = np.flatnonzero(scores[i] + reach > bars[i])
            keepers[i].add(first + passing, scores[i, passing] + reach, scores[i, passing] - reach)
            bars[i] = keepers[i].bar
    answers = []
    for target, keeper, own in zip(targets, keepers, excluded, strict=True):
        found = keeper.survivors()
        exact = file.units(found) @ target
        hits = [Hit(int(found[i]), float(exact[i])) for i in np.lexsort((found, -exact)) if found[i] not in own]
        answers.append(hits[:k])
    return answers


class _Keeper:
    """The rows that may still be among the k best."""

    def __init__(self, k: int) -> None:
        self.k = k
        self.bar: Any = np.float32(-np.inf)  # k words are known to score at least this
        self._rows = np.zeros(0, np.int64)
        self._high = np.zeros(0, np.float32)
        self._low = np.zeros(0, np.float32)
        self._lock = threading.Lock()

    def add(self, rows: NDArray[Any], high: NDArray[Any], low: NDArray[Any]) -> None:
        """Take some more, and forget those that are out of the question now."""
        with self._lock:
            self._rows = np.concatenate([self._rows, rows])
            self._high = np.concatenate([self._high, high])
            self._low = np.concatenate([self._low, low])
            if len(self._rows) > self.k:
                self.bar = np.partition(self._low, -self.k)[-self.k]
                kept = self._high >= self.bar
                self._rows, self._high, self._low = self._rows[kept], self._high[kept], self._low[kept]

    def survivors(self) -> NDArray[np.int64]:
        return np.sort(self._rows[np.isfinite(self._high)])


def _exact(file: VectorFile, units: NDArray[np.float64], rule: Rule, keeper: _Keeper, k: int) -> list[Hit]:
    """Score what passed from the rows themselves, in float64."""
    rows = keeper.survivors()
    # einsum rather than a product of matrices: a row's bits don't depend on the rows beside it
    parts = [
        rule.score(np.einsum("td,nd->tn", units, file.units(rows[i : i + N_ROWS]))) for i in range(0, len(rows), N_ROWS)
    ]
    scores = np.concatenate(parts) if parts else np.zeros(0)
    best = np.lexsort((rows, -scores))[:k]
    return [Hit(int(rows[i]), float(scores[i])) for i in best]


def _scan_rows(file: VectorFile, units: NDArray[np.float64], look: Callable[[int, Cosines, Slack], None]) -> None:
    """Cosines from the rows in float32; their error is that of rounding alone."""
    small = units.astype(np.float32)
    slack = Slack(0.0, np.full(len(units), _rounding(file.n_dims)))
    for first in range(0, file.n_words, N_ROWS):
        look(first, small @ _unit_rows(file, first, N_ROWS).T, slack)


def _unit_rows(file: VectorFile, first: int, n: int) -> NDArray[np.float32]:
    part = slice(first, first + n)
    norms = file.sections["norms"][part]
    rows: NDArray[np.float32] = file.sections["rows"][part].astype(np.float32)
    rows /= np.where(norms > 0, norms, np.float32(1))[:, None]
    return rows


def _rounding(n_dims: int) -> float:
    """Bound on a cosine in float32 of D products, each operand rounded before: (D + 8) units of rounding."""
    return (n_dims + 8) * 2.0**-24 * 1.01


def _scan_codes(file: VectorFile, units: NDArray[np.float64], look: Callable[[int, Cosines, Slack], None]) -> None:
    """Cosines from the int8 codes, in as many threads as there are cores."""
    question = _Question(units)
    codes, scales, sums = (file.sections[name] for name in ("codes", "scales", "sums"))
    errors = file.sections["errors"]
    session = _session()

    def step(first: int) -> None:
        part = slice(first, first + N_BLOCKS)
        (products,) = session.run(None, {"a": question.codes, "b": codes[part, None]})  # -> (b, 2T, 1, BLOCK)
        cosines = question.cosines(products[:, :, 0], scales[part], sums[part])  # -> (T, b * BLOCK)
        n = min(cosines.shape[1], file.n_words - first * BLOCK)  # the last block is filled up with zeros
        error = float(errors[part].max())
        look(first * BLOCK, cosines[:, :n], Slack(error, question.errors * (1 + error) + question.rounding))

    n_threads = min(
        MAX_THREADS, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    firsts = range(0, len(codes), N_BLOCKS)
    if n_threads == 1 or len(firsts) == 1:
        for first in firsts:
            step(first)
        return
    with ThreadPoolExecutor(n_threads) as pool:
        for _ in pool.map(step, firsts):
            pass


class _Question:
    """The question's words as two bytes for each number, one coarse and one fine.

    u ≈ coarse_step · coarse + fine_step · fine, both in -63 … 63, kept as uint8 with 64 added: the engine's quick path
    takes unsigned numbers on this side. What the 64 adds to each product is taken off by the sums of the codes.
    """

    def __init__(self, units: NDArray[np.float64]) -> None:
        n_terms, n_dims = units.shape
        coarse_step, coarse = _levels(units)
        fine_step, fine = _levels(units - coarse_step * coarse)
        self.errors = np.sqrt(np.square(units - coarse_step * coarse - fine_step * fine).sum(axis=1))
        both = np.concatenate([coarse, fine]) + (LEVELS + 1)  # (2T, D)
        self.codes = both.astype(np.uint8)[None, :, None]
        eye = np.eye(n_terms)
        self._mix = np.concatenate([eye * coarse_step, eye * fine_step], axis=1).astype(np.float32)  # (T, 2T)
        self._offset = ((LEVELS + 1) * (coarse_step + fine_step)).astype(np.float32)  # (T, 1)
        # eight roundings of terms that are no larger than 127 · sqrt(D) · step: docs/words.md
        self.rounding = 8 * 2.0**-24 * 2.1 * 127 * n_dims**0.5 * (coarse_step + fine_step)[:, 0]

    def cosines(self, products: NDArray[np.int32], scales: Cosines, sums: NDArray[np.int32]) -> Cosines:
        """(b, 2T, BLOCK) products -> (T, b * BLOCK) cosines."""
        mixed = np.matmul(self._mix, products.astype(np.float32))  # (T, 2T) x (b, 2T, BLOCK) -> (b, T, BLOCK)
        mixed -= self._offset * sums[:, None].astype(np.float32)
        mixed *= scales[:, None]
        cosines: Cosines = mixed.transpose(1, 0, 2).reshape(len(self._mix), -1)
        return cosines


def _levels(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Each row in whole steps: (T, 1) step, (T, D) levels."""
    step = np.abs(values).max(axis=1, keepdims=True) / LEVELS
    step[step == 0] = 1.0
    return step, np.clip(np.rint(values / step), -LEVELS, LEVELS)


@cache
def _session() -> Any:
    import onnxruntime  # a quarter of a second, which small files needn't pay

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # the threads are ours
    return onnxruntime.InferenceSession(_PRODUCT, options, providers=["CPUExecutionProvider"])
