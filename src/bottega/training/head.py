"""What is learned on top of frozen features: one softmax layer, or a small perceptron.

Both are a few matrix products in numpy: importing torch takes longer than fitting them.
"""

import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from bottega.evaluation.forms import Perceptron, Softmax
from bottega.training.softmax import descend

__all__ = ["STRENGTHS", "fit_perceptron", "fit_softmax", "softmax_path"]

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]

STRENGTHS = (0.3, 0.1, 0.03, 0.01, 0.003, 0.001, 0.0003)  # of the L2 penalty, the strongest first
LEAST_SCALE = 1e-4  # features that hardly move are not blown up
N_HIDDEN = 32
PERCEPTRON_EPOCHS = 12
BATCH = 256
CHUNK = 256  # rows summed in float32, before float64 takes over


def softmax_path(
    x: Floats,
    y: Integers,
    n_classes: int,
    strengths: Sequence[float],
    class_weights: Floats | None = None,
    row_weights: NDArray[np.float64] | None = None,
) -> Iterator[Softmax]:
    """Fit a softmax layer for each strength, each starting from the one before; stop asking when it is enough.

    Args:
        x: (N, D) features.
        y: (N,) class indices.
        strengths: L2 penalties, descending; the loss is mean log loss + strength x sum of squared weights.
        class_weights: (C,) how much an example of each class counts; None for all the same.
        row_weights: (N,) how much each example counts; None for all the same.
    Yields:
        One fitted layer for each strength.
    """
    mean, scale = _standards(x)
    for weight, bias in descend(_standardised(x, mean, scale), y, n_classes, strengths, class_weights, row_weights):
        yield Softmax(mean, scale, weight, bias)


def fit_softmax(x: Floats, y: Integers, n_classes: int, strength: float, weights: Floats | None = None) -> Softmax:
    """Fit one softmax layer; see `softmax_path`."""
    return next(softmax_path(x, y, n_classes, [strength], weights))


def fit_perceptron(x: Floats, y: Integers, n_classes: int, *, seed: int, dropout: float = 0.3) -> Perceptron:
    """Fit one hidden layer of 32 units with AdamW and a one-cycle rate, for a fixed number of epochs.

    Args:
        seed: drives initial weights, order and dropout.
    """
    mean, scale = _standards(x)
    inputs = _standardised(x, mean, scale)
    rng = np.random.default_rng(seed)
    hidden = rng.standard_normal((x.shape[1], N_HIDDEN), np.float32) * np.float32((2 / x.shape[1]) ** 0.5)
    weight = rng.standard_normal((N_HIDDEN, n_classes), np.float32) * np.float32((1 / N_HIDDEN) ** 0.5)
    parameters = [hidden, np.zeros(N_HIDDEN, np.float32), weight, np.zeros(n_classes, np.float32)]
    optimiser = _AdamW(parameters, n_steps=PERCEPTRON_EPOCHS * -(-len(x) // BATCH))
    for _ in range(PERCEPTRON_EPOCHS):
        order = rng.permutation(len(x))
        for rows in (order[start : start + BATCH] for start in range(0, len(x), BATCH)):
            kept = (rng.random((len(rows), N_HIDDEN), np.float32) >= dropout).astype(np.float32)
            optimiser.step(_gradients(parameters, inputs[rows], y[rows], kept / np.float32(1 - dropout)))
    return Perceptron(mean, scale, *parameters)


def _gradients(parameters: Sequence[Floats], x: Floats, y: Integers, kept: Floats) -> list[Floats]:
    """Of the mean log loss of a batch, for hidden weights and bias, output weights and bias.

    Args:
        x: (B, D), y: (B,), kept: (B, 32) 0 for a unit that is dropped, else 1 over the share that is kept.
    """
    hidden, hidden_bias, weight, bias = parameters
    before = x @ hidden + hidden_bias  # (B, D) -> (B, 32)
    units = np.maximum(before, 0) * kept
    logits = units @ weight + bias  # -> (B, C)
    slope = np.exp(logits - logits.max(1, keepdims=True))
    slope /= slope.sum(1, keepdims=True)
    slope[np.arange(len(y)), y] -= 1
    slope /= len(y)
    inner = (slope @ weight.T) * kept * (before > 0)  # -> (B, 32)
    return [x.T @ inner, inner.sum(0), units.T @ slope, slope.sum(0)]


class _AdamW:
    """AdamW under a one-cycle rate; it changes the parameters where they lie.

    Source: Loshchilov and Hutter 2019 (decay apart from the gradient); Smith 2018 (one cycle).
    """

    RATE, DECAY, BETAS, EPSILON, WARM_UP = 3e-3, 0.05, (0.9, 0.999), 1e-8, 0.3

    def __init__(self, parameters: Sequence[Floats], n_steps: int) -> None:
        self.parameters = parameters
        self.n_steps = n_steps
        self.n_done = 0
        self.means = [np.zeros_like(parameter) for parameter in parameters]
        self.squares = [np.zeros_like(parameter) for parameter in parameters]

    def step(self, gradients: Sequence[Floats]) -> None:
        rate = self._rate()
        self.n_done += 1
        first, second = self.BETAS
        for number, (parameter, gradient) in enumerate(zip(self.parameters, gradients, strict=True)):
            mean, square = self.means[number], self.squares[number]
            np.add(first * mean, (1 - first) * gradient, out=mean)
            np.add(second * square, (1 - second) * np.square(gradient), out=square)
            scale = np.sqrt(square / (1 - second**self.n_done)) + self.EPSILON
            if parameter.ndim > 1:  # biases don't decay
                np.multiply(parameter, 1 - rate * self.DECAY, out=parameter)
            np.subtract(parameter, rate / (1 - first**self.n_done) * mean / scale, out=parameter)

    def _rate(self) -> float:
        """Up a cosine for the first 30 % of the steps, down another for the rest."""
        share = self.n_done / self.n_steps
        if share < self.WARM_UP:
            return self.RATE * (0.04 + 0.96 * (1 - math.cos(math.pi * share / self.WARM_UP)) / 2)
        return self.RATE * (1 + math.cos(math.pi * (share - self.WARM_UP) / (1 - self.WARM_UP))) / 2


def _standards(x: Floats) -> tuple[Floats, Floats]:
    """Mean and standard deviation of every column (D,)."""
    starts = range(0, len(x), CHUNK)
    total = sum((x[start : start + CHUNK].sum(0).astype(np.float64) for start in starts), np.zeros(x.shape[1]))
    mean = (total / len(x)).astype(np.float32)
    squares = np.zeros(x.shape[1])
    for start in starts:
        gaps = x[start : start + CHUNK] - mean
        squares += np.einsum("nd,nd->d", gaps, gaps)
    scale = np.sqrt(squares / len(x)).astype(np.float32)
    return mean, np.maximum(scale, np.float32(LEAST_SCALE))


def _standardised(x: Floats, mean: Floats, scale: Floats) -> Floats:
    inputs = x - mean
    inputs /= scale
    return inputs
