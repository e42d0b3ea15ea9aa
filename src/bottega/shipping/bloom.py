"""A Bloom filter of content hashes: the file can say "trained on 84 % of these" without carrying the pictures.

Source: Bloom 1970, "Space/time trade-offs in hash coding with allowable errors".
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bottega.errors import BottegaError

__all__ = ["Bloom", "build"]

# 20 positions in 30 bits an example: (1 - exp(-20 / 30))^20 = 7.4e-7, under the promised 1e-6 (28.8 bits at least).
N_POSITIONS = 20
BITS_PER_ITEM = 30
MIN_BITS = 1024  # few examples: the expected rate leaves room for the spread around it
MAX_BYTES = 64 << 20

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX = ((np.uint64(30), np.uint64(0xBF58476D1CE4E5B9)), (np.uint64(27), np.uint64(0x94D049BB133111EB)))


@dataclass(frozen=True)
class Bloom:
    """The filter: position i of a hash is `splitmix64(word[i mod 4] + i · golden) mod n_bits`.

    `word` are the hash's four little-endian 64-bit words; bit b is `bits[b >> 3] & (1 << (b & 7))`.
    """

    n_items: int
    n_positions: int
    bits: bytes

    def contains(self, hashes: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
        """Which of these were built in; wrong with probability ≤ 1e-6 for one that wasn't, never for one that was.

        Args:
            hashes: uint8 (N, 32), content hashes.
        Returns:
            bool (N,).
        """
        words = _words(hashes)
        bits = np.frombuffer(self.bits, np.uint8)
        alive = np.arange(len(words))
        for i in range(self.n_positions):  # half of the unknown ones fall out at each position
            at = _position(words[alive], i, len(bits) * 8)
            alive = alive[(bits[at >> np.uint64(3)] >> (at & np.uint64(7)).astype(np.uint8)) & 1 == 1]
        found = np.zeros(len(words), bool)
        found[alive] = True
        return found


def build(hashes: npt.NDArray[np.uint8]) -> Bloom:
    """Make the filter of these hashes; their order and repetitions don't matter.

    Args:
        hashes: uint8 (N, 32), content hashes of the training examples.
    Raises:
        BottegaError: the array has another shape or type.
    """
    words = np.unique(_words(hashes), axis=0)
    n_bytes = (max(MIN_BITS, BITS_PER_ITEM * len(words)) + 7) // 8
    bits = np.zeros(n_bytes, np.uint8)
    for i in range(N_POSITIONS):
        at = _position(words, i, n_bytes * 8)
        np.bitwise_or.at(bits, at >> np.uint64(3), np.uint8(1) << (at & np.uint64(7)).astype(np.uint8))
    return Bloom(len(words), N_POSITIONS, bits.tobytes())


def _words(hashes: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint64]:
    if hashes.ndim != 2 or hashes.shape[1] != 32 or hashes.dtype != np.uint8:
        raise BottegaError(
            found=f"hashes of shape {hashes.shape} and type {hashes.dtype}",
            expected="uint8 (N, 32)",
            fix="pass SHA-256 content hashes, one row each",
        )
    return np.ascontiguousarray(hashes).view("<u8").astype(np.uint64, copy=False)  # (N, 32) -> (N, 4)


def _position(words: npt.NDArray[np.uint64], i: int, n_bits: int) -> npt.NDArray[np.uint64]:
    """Bit positions of all hashes for one i, uint64 (N,); unsigned arithmetic wraps, as it is meant to."""
    z = words[:, i % 4] + np.array([i], np.uint64) * _GOLDEN
    for shift, factor in _MIX:
        z = (z ^ (z >> shift)) * factor
    at: npt.NDArray[np.uint64] = (z ^ (z >> np.uint64(31))) % np.uint64(n_bits)
    return at
