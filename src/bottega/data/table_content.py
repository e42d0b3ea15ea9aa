"""What a row holds, as numbers that depend on its typed cells alone: for the split, for duplicates, for the filter."""

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

__all__ = ["cell_words", "codes_of", "mixed", "row_digests", "table_digests"]

Words = npt.NDArray[np.uint64]
_MISSING_NUMBER = np.uint32(0x7FC00000)  # one NaN stands for all
_SALT = np.uint64(0x9E3779B97F4A7C15)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
ROWS_AT_ONCE = 65_536


def cell_words(series: pl.Series) -> Words:
    """Each cell as 128 bits that depend on its value alone, the same on every machine and in every version.

    Numbers count as float32, which is what a model is given: 0.1 from a CSV and from a Parquet file of 32-bit floats
    are one value, and 0 and -0 are. A date counts in microseconds; a string by the BLAKE2b of its UTF-8; a missing
    cell is a value of its own.

    Returns:
        (n, 2) words.
    """
    if series.dtype.is_numeric():
        with np.errstate(over="ignore"):  # beyond float32 is infinite to a model too
            values = series.cast(pl.Float64).to_numpy().astype(np.float32) + np.float32(0)  # (n,); -0 + 0 is 0
        bits = values.view(np.uint32)
        bits = np.where(np.isnan(values), _MISSING_NUMBER, bits)
        return np.stack([bits.astype(np.uint64), np.zeros(len(bits), np.uint64)], axis=1)
    if series.dtype.is_temporal():
        there = series.is_not_null().to_numpy().astype(np.uint64)
        moments = series.cast(pl.Int64).fill_null(0).to_numpy().astype(np.int64).view(np.uint64)
        return np.stack([moments, there], axis=1)
    codes, names = codes_of(series)
    digests = b"".join(hashlib.blake2b(name.encode(), digest_size=16).digest() for name in ["\0missing", *names])
    return np.frombuffer(digests, "<u8").reshape(-1, 2)[codes].astype(np.uint64)


def codes_of(series: pl.Series) -> tuple[npt.NDArray[np.int64], list[str]]:
    """Strings as numbers from 1 in sorted order, 0 where missing; and the different strings."""
    names = series.cast(pl.String).unique().drop_nulls().sort().to_list()
    coded = series.cast(pl.String).cast(pl.Enum(names)).to_physical()
    return coded.cast(pl.Int64).fill_null(-1).to_numpy() + 1, names


def row_digests(words: Mapping[str, Words]) -> list[bytes]:
    """SHA-256 of each row, independent of the order of the columns.

    Args:
        words: of each column that counts, by its name, from `cell_words`.
    Returns:
        n digests of 32 bytes.
    """
    names = sorted(words)
    head = hashlib.sha256("\0".join(names).encode())
    n = len(words[names[0]]) if names else 0
    found: list[bytes] = []
    for start in range(0, n, ROWS_AT_ONCE):
        block = np.concatenate([words[name][start : start + ROWS_AT_ONCE] for name in names], axis=1)  # (rows, 2 d)
        raw, width = memoryview(np.ascontiguousarray(block, dtype="<u8").tobytes()), 16 * len(names)
        for at in range(0, len(raw), width):
            one = head.copy()
            one.update(raw[at : at + width])
            found.append(one.digest())
    return found


def table_digests(frame: pl.DataFrame, names: Sequence[str]) -> list[bytes]:
    """SHA-256 of the cells of these columns, row by row: the canonical content without target, weight and ignored."""
    return row_digests({name: cell_words(frame[name]) for name in names})


def mixed(words: Words, place: int) -> Words:
    """One 64-bit number a cell, spread by SplitMix64, that differs from column to column: their sum tells rows apart.

    Source: Steele et al. 2014, "Fast splittable pseudorandom number generators".
    """
    with np.errstate(over="ignore"):
        z = words[:, 0] + words[:, 1] * _FIRST + np.uint64(place + 1) * _SALT
        z = (z ^ (z >> np.uint64(30))) * _FIRST
        z = (z ^ (z >> np.uint64(27))) * _SECOND
        return z ^ (z >> np.uint64(31))
