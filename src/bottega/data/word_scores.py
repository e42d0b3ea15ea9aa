"""What the words of a text say of a target: a ridge regression on which words a cell has, as a table of numbers."""

import numpy as np
import numpy.typing as npt

__all__ = ["fit_word_scores"]

Integers = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]
FEWEST_ROWS = 2
PENALTY = 1.0  # beside rows of length 1
N_STEPS = 30  # of conjugate gradients: beyond them no answer changes by what matters
BITS = 22  # of the largest entry: sums of 256 such numbers are exact in float64, in every order


def fit_word_scores(words: Integers, y: Numbers, n_words: int) -> Floats:
    """Fit weights, on rows of their own.

    A row is the inverse document frequency of each word that it has, brought to length 1 together; what is said of
    it is `table[words, 0].sum() / sqrt(table[words, 1].sum())`: how far the target lies above the mean.

    Args:
        words: (N, T) numbers from 1, each once a row; 0 for none.
        y: (N,) values, or 1 for rows of a class and 0 for the others.
        n_words: K.
    Returns:
        (1 + K, 2): weight times inverse frequency, and its square; 0 for what fewer than two of the rows have.
    Source: Hestenes and Stiefel 1952, "Methods of conjugate gradients for solving linear systems".
    """
    table = np.zeros((1 + n_words, 2))
    n_rows = np.bincount(words.ravel(), minlength=1 + n_words)
    n_rows[0] = 0
    known = n_rows >= FEWEST_ROWS
    rarity = np.where(known, np.log((1 + len(words)) / (1 + n_rows)) + 1, 0.0)
    row, place = np.nonzero(known[words])
    word = words[row, place]
    length = np.sqrt(np.bincount(row, weights=rarity[word] ** 2, minlength=len(words)))
    x = rarity[word] / length[row]  # of each occurrence
    found = _ridge(row, word, x, y, 1 + n_words)
    table[:, 0], table[:, 1] = found * rarity, rarity**2
    return np.stack([_in_steps(column) for column in table.T], axis=1)


def _ridge(row: Integers, word: Integers, x: Numbers, y: Numbers, n: int) -> Numbers:
    """(n,) weights of a regression with a mean of its own, by conjugate gradients on the normal equations."""
    centre = np.bincount(word, weights=x, minlength=n) / max(1, len(y))

    def answers(weights: Numbers) -> Numbers:
        return np.bincount(row, weights=x * weights[word], minlength=len(y)) - centre @ weights

    def back(residual: Numbers) -> Numbers:
        return np.asarray(np.bincount(word, weights=x * residual[row], minlength=n) - centre * residual.sum())

    weights = np.zeros(n)
    gap = back(y - y.mean())
    step, size = gap.copy(), float(gap @ gap)
    least = 1e-12 * size
    for _ in range(N_STEPS):
        if size <= least or size == 0:
            break
        image = back(answers(step)) + PENALTY * step
        along = size / float(step @ image)
        weights += along * step
        gap -= along * image
        before, size = size, float(gap @ gap)
        step = gap + size / before * step
    return weights


def _in_steps(values: Numbers) -> Floats:
    """Rounded to multiples of one power of two, so that float32 holds them and float64 adds them up exactly."""
    most = float(np.abs(values).max())
    if not most > 0:
        return np.zeros(len(values), np.float32)
    step = 2.0 ** (np.ceil(np.log2(most)) - BITS)
    rounded: Floats = (np.rint(values / step) * step).astype(np.float32)
    return rounded
