"""Made-up pictures to replay a model on: the same on every machine, so that a file can be shared without real ones."""

import numpy as np
import numpy.typing as npt

__all__ = ["SIZES", "golden_pictures"]

SIZES = ((1, 1), (8, 64), (64, 8), (48, 48), (17, 31), (64, 48))  # height, width: the extremes and the usual


def golden_pictures(seed: int) -> list[npt.NDArray[np.uint8]]:
    """Draw the pictures that golden examples are made of: a colour wash between four corners, a box, some grain.

    Integer arithmetic only, so no mathematical library has a say in it; docs/model-file.md states the generator.

    Args:
        seed: any whole number from 0 to 2^32 - 1; other seeds give other pictures.
    Returns:
        Six pictures, uint8 (H, W, 3), of the sizes `SIZES`.
    """
    return [_picture(seed, k, height, width) for k, (height, width) in enumerate(SIZES)]


def _picture(seed: int, k: int, height: int, width: int) -> npt.NDArray[np.uint8]:
    noise = _bytes(seed, k, 32 + height * width * 3)
    corners = noise[:12].reshape(2, 2, 3)
    y = np.arange(height)[:, None, None]
    x = np.arange(width)[None, :, None]
    down, right = max(height - 1, 1), max(width - 1, 1)
    top = corners[0, 0] * (right - x) + corners[0, 1] * x  # (1, W, 3)
    bottom = corners[1, 0] * (right - x) + corners[1, 1] * x
    pixels = (top * (down - y) + bottom * y) // (down * right)  # (H, W, 3)
    first_row, first_column = noise[15] % height, noise[16] % width
    rows = slice(first_row, first_row + (height + 1) // 2)
    columns = slice(first_column, first_column + (width + 1) // 2)
    pixels[rows, columns] = noise[12:15]
    grain = noise[32:].reshape(height, width, 3) // 8 - 16  # -16 … 15
    picture: npt.NDArray[np.uint8] = np.clip(pixels + grain, 0, 255).astype(np.uint8)
    return picture


def _bytes(seed: int, k: int, n: int) -> npt.NDArray[np.int64]:
    """Bytes 0 … 255 as int64 (n,): the highest byte of splitmix64 (Steele et al. 2014) at each place."""
    start = np.array([seed << 32 | k << 24], np.uint64)
    z = start + (np.arange(n, dtype=np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    highest: npt.NDArray[np.int64] = ((z ^ (z >> np.uint64(31))) >> np.uint64(56)).astype(np.int64)
    return highest
