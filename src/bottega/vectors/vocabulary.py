"""The words of a vector file: found by a sorted table of checksums, in their case variants, and by like spelling."""

import re
import zlib
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Vocabulary", "checksum"]

N_SPELLED = 300_000  # words, from the most frequent on, among which like spellings are sought


def checksum(word: bytes) -> int:
    """The key of a word in the table: CRC-32; two words may share one, so the word itself is compared too."""
    return zlib.crc32(word)


class Vocabulary:
    """Words by row and rows by word, over the mapped file: nothing is loaded to look one up.

    Args:
        words: UTF-8, each word followed by a line end.
        starts: (V + 1,) where each begins.
        keys: (V,) checksums, ascending.
        order: (V,) the row of each checksum; of equal ones the smaller row first.
    """

    def __init__(self, words: NDArray[np.uint8], starts: NDArray[Any], keys: NDArray[Any], order: NDArray[Any]) -> None:
        self._words = words
        self._starts = starts
        self._keys = keys
        self._order = order

    def __len__(self) -> int:
        return len(self._keys)

    def word(self, row: int) -> str:
        """The word of a row."""
        return self._raw(row).decode("utf-8", "backslashreplace")

    def row(self, word: str) -> int | None:
        """The first row of exactly this word; None where there is none."""
        raw = word.encode("utf-8", "surrogatepass")
        key = np.uint32(checksum(raw))
        place = int(np.searchsorted(self._keys, key))
        while place < len(self) and self._keys[place] == key:
            row = int(self._order[place])
            if row < len(self) and self._raw(row) == raw:
                return row
            place += 1
        return None

    def variants(self, word: str) -> list[int]:
        """First rows of the words that differ from this one in case alone, the more frequent first."""
        folded = word.casefold()
        if "\n" in folded or not folded:
            return []
        rows: dict[str, int] = {}
        place = self._folded.find(f"\n{folded}\n")
        row = seen = 0
        while place >= 0:
            row += self._folded.count("\n", seen, place)
            seen = place
            rows.setdefault(self.word(row), row)
            place = self._folded.find(f"\n{folded}\n", place + 1)
        return sorted(rows.values())

    def nearest(self, word: str, n: int = 5) -> list[str]:
        """Words spelt most like this one: at most two letters changed (one in short words), case apart.

        The more frequent first among equals; sought among the first 300,000 words.
        """
        letters = word.casefold()
        reach = 1 if len(letters) < 5 else 2
        if not 2 <= len(letters) <= 40:
            return []
        text = bytes(self._words[: int(self._starts[min(N_SPELLED, len(self))])]).decode("utf-8", "backslashreplace")
        words = text.split("\n")[:-1]
        near = [i for i, known in enumerate(words) if abs(len(known) - len(letters)) <= reach]
        distances = _distances(letters, [words[i].casefold() for i in near])
        ranked = sorted((int(d), i) for d, i in zip(distances, near, strict=True) if d <= reach)
        return list(dict.fromkeys(words[i] for _, i in ranked))[:n]

    def complete(self, start: str, n: int = 20) -> list[str]:
        """Words that begin so, the more frequent first."""
        pattern = re.compile(rb"(?:^|\n)(" + re.escape(start.encode("utf-8", "surrogatepass")) + rb"[^\n]*)")
        found: dict[bytes, None] = {}
        place = 0
        while len(found) < n and (match := pattern.search(self._words.data, place)):
            found[match[1]] = None
            place = match.end()
        return [word.decode("utf-8", "backslashreplace") for word in found]

    def all(self, n: int | None = None) -> list[str]:
        """The first n words, or all of them: one string each in memory."""
        end = int(self._starts[len(self) if n is None else min(n, len(self))])
        return bytes(self._words[:end]).decode("utf-8", "backslashreplace").split("\n")[:-1]

    def _raw(self, row: int) -> bytes:
        return bytes(self._words[int(self._starts[row]) : int(self._starts[row + 1]) - 1])

    @cached_property
    def _folded(self) -> str:
        """All words without their case, each between two line ends; made when the exact form is missing."""
        return "\n" + bytes(self._words).decode("utf-8", "backslashreplace").casefold()


def _distances(word: str, others: Sequence[str]) -> NDArray[np.int16]:
    """Letters to change, add, drop or swap with a neighbour, from `word` to each of the others, all at once.

    Source: Damerau 1964, "A technique for computer detection and correction of spelling errors"
        (optimal string alignment).
    """
    if not others:
        return np.zeros(0, np.int16)
    longest = max(1, *(len(other) for other in others))
    letters = np.array(others, dtype=f"U{longest}").view(np.uint32).reshape(len(others), longest)
    lengths = np.fromiter((len(other) for other in others), np.int64, len(others))
    ends = np.arange(longest + 1, dtype=np.int16)
    rows = [np.tile(ends, (len(others), 1))]
    for i, letter in enumerate(word, start=1):
        above = rows[-1]
        row = np.empty_like(above)
        row[:, 0] = i
        for j in range(1, longest + 1):
            change = above[:, j - 1] + (letters[:, j - 1] != ord(letter))
            row[:, j] = np.minimum(np.minimum(above[:, j], row[:, j - 1]) + 1, change)
            if i > 1 and j > 1:
                swapped = (letters[:, j - 1] == ord(word[i - 2])) & (letters[:, j - 2] == ord(letter))
                row[:, j] = np.where(swapped, np.minimum(row[:, j], rows[-2][:, j - 2] + 1), row[:, j])
        rows = [rows[-1], row]
    distances: NDArray[np.int16] = rows[-1][np.arange(len(others)), lengths]
    return distances
