"""Numbers of letters and of places, whose products add up to a key for a word: made once, the same everywhere.

A key is the sum over a word's characters of (number of the letter) x (number of its place). With letters below 2^24,
places below 2^23 and at most 127 of them sums stay below 2^54: no engine's integers overflow, and two words share a
sum about as often as two random numbers do. What is looked up by key is checked for that where the table is made.
"""

import numpy as np
import numpy.typing as npt

__all__ = ["MAX_LETTERS", "letter_numbers", "place_numbers"]

Integers = npt.NDArray[np.int64]
MAX_LETTERS = 2**15
_LEAST_LETTER, _LEAST_PLACE = 2**16, 2**22


def letter_numbers(n: int) -> Integers:
    """(n,) different numbers, 2^16 … 2^24; n is at most 32,768."""
    mixed = _LEAST_LETTER + ((_mixed(0, 2 * MAX_LETTERS) >> 40) * (2**24 - _LEAST_LETTER) >> 24)
    _, first = np.unique(mixed, return_index=True)
    numbers: Integers = mixed[np.sort(first)][:n].astype(np.int64)
    return numbers


def place_numbers(n: int) -> Integers:
    """(n,) numbers 2^22 … 2^23."""
    return (_LEAST_PLACE + (_mixed(4 * MAX_LETTERS, n) >> 42)).astype(np.int64)


def _mixed(start: int, n: int) -> npt.NDArray[np.uint64]:
    """(n,) 64 well-mixed bits of each number from `start` on.

    Source: Steele et al. 2014, "Fast splittable pseudorandom number generators" (the finaliser of SplitMix64).
    """
    with np.errstate(over="ignore"):
        z = (np.arange(start, start + n, dtype=np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))
