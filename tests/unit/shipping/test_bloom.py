import numpy as np
import pytest

from bottega.errors import BottegaError
from bottega.shipping.bloom import build


def hashes(n: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, 32), dtype=np.uint8)


@pytest.mark.parametrize("n", [0, 1, 30, 5000])
def test_what_was_built_in_is_found(n: int) -> None:
    known = hashes(n, 1)
    bloom = build(known)
    assert bloom.contains(known).all()
    assert bloom.n_items == n
    assert not bloom.contains(hashes(1000, 2)).any()


def test_false_positives() -> None:
    bloom = build(hashes(5000, 1))
    wrong = sum(int(bloom.contains(hashes(500_000, seed)).sum()) for seed in range(2, 6))
    assert wrong <= 7  # of 2,000,000 at a rate of 1e-6; more than that has a chance of one in a thousand


def test_order_and_repetition_do_not_matter() -> None:
    known = hashes(200, 1)
    assert build(known) == build(np.concatenate([known[::-1], known[:50]]))


def test_the_bits_are_those_of_the_contract() -> None:
    """docs/model-file.md, written out one bit at a time."""
    known = hashes(3, 7)
    bloom = build(known)
    n_bits = len(bloom.bits) * 8
    expected = bytearray(len(bloom.bits))
    for row in known:
        for i in range(20):
            word = int.from_bytes(row[8 * (i % 4) : 8 * (i % 4) + 8].tobytes(), "little")
            z = (word + i * 0x9E3779B97F4A7C15) % 2**64
            z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 % 2**64
            z = (z ^ z >> 27) * 0x94D049BB133111EB % 2**64
            bit = (z ^ z >> 31) % n_bits
            expected[bit >> 3] |= 1 << (bit & 7)
    assert bloom.bits == bytes(expected)


def test_other_arrays_are_refused() -> None:
    with pytest.raises(BottegaError, match=r"shape \(4, 16\)"):
        build(np.zeros((4, 16), np.uint8))
