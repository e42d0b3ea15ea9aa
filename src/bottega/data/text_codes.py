"""Texts as rows of character codes, each as long as its text: one long text doesn't make all the others wide."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from bottega.data.text_characters import PAD

__all__ = ["MOST_ROWS", "CodedTexts", "coded_texts"]

Codes = npt.NDArray[np.uint16]
Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]
MOST_ROWS = 64  # at once: graphs that count terms hold a number for each row and term


@dataclass(frozen=True)
class CodedTexts:
    """Some of the texts of a training; indexed by rows, as a matrix is.

    Attributes:
        flat: (M,) codes of all texts behind each other.
        starts, lengths: (n,) where in it each of these texts stands.
        rows: (n,) which of all texts these are.
        features: (n, D) that stand behind the codes; None where there are none.
    """

    flat: Codes
    starts: Integers
    lengths: Integers
    rows: Integers
    features: Floats | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, some: slice | npt.NDArray[Any]) -> "CodedTexts":
        features = None if self.features is None else self.features[some]
        return CodedTexts(self.flat, self.starts[some], self.lengths[some], self.rows[some], features)

    def beside(self, features: Floats) -> "CodedTexts":
        """The same texts with features (n, D)."""
        return replace(self, features=features)

    def numbers(self) -> Codes:
        """(n, L) codes, L as long as the longest, 0 after the end of each."""
        width = max(1, int(self.lengths.max(initial=0)))
        place = np.arange(width)
        inside = place < self.lengths[:, None]
        found = np.full(inside.shape, PAD, np.uint16)
        found[inside] = self.flat[(self.starts[:, None] + place)[inside]]
        return found

    def matrix(self) -> Floats:
        """(n, L), or (n, L + D) with features: what graphs are asked with."""
        codes = self.numbers().astype(np.float32)
        return codes if self.features is None else np.hstack([codes, self.features.astype(np.float32, copy=False)])

    def by_length(self, most: int) -> list[Integers]:
        """Places of texts of about one length, at most 64 texts and about so many numbers at a time."""
        order = np.argsort(self.lengths, kind="stable")
        beside = 0 if self.features is None else self.features.shape[1]
        widths = self.lengths[order] + beside
        found, start = [], 0
        while start < len(order):
            end = min(start + MOST_ROWS, len(order))
            while end - start > 1 and (end - start) * int(widths[end - 1]) > most:
                end = start + (end - start) // 2
            found.append(order[start:end])
            start = end
        return found


def coded_texts(parts: Sequence[Codes], order: Integers) -> CodedTexts:
    """Put together what was coded in parts.

    Args:
        parts: (k, L) codes, 0 after the end of each text.
        order: (N,) the row of each text of the parts.
    """
    lengths = np.concatenate([np.zeros(0, np.int64), *((part != PAD).sum(1) for part in parts)])
    flat = np.concatenate([np.zeros(0, np.uint16), *(part[part != PAD] for part in parts)])
    starts = np.cumsum(lengths) - lengths
    back = np.argsort(order)
    return CodedTexts(flat, starts[back], lengths[back], np.arange(len(order)))
