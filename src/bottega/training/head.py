"""What is learned on top of frozen features: one softmax layer, or a small perceptron."""

import math
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

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


def softmax_path(
    x: Floats, y: Integers, n_classes: int, strengths: Sequence[float], class_weights: Floats | None = None
) -> Iterator[Softmax]:
    """Fit a softmax layer for each strength, each starting from the one before; stop asking when it is enough.

    Args:
        x: (N, D) features.
        y: (N,) class indices.
        strengths: L2 penalties, descending; the loss is mean log loss + strength x sum of squared weights.
        class_weights: (C,) how much an example of each class counts; None for all the same.
    Yields:
        One fitted layer for each strength.
    """
    mean, scale = _standards(x)
    inputs = torch.from_numpy((x - mean) / scale)
    weights = None if class_weights is None else torch.from_numpy(class_weights)
    for weight, bias in descend(inputs, torch.from_numpy(y), n_classes, strengths, weights):
        yield Softmax(mean, scale, weight.numpy().copy(), bias.numpy().copy())


def fit_softmax(x: Floats, y: Integers, n_classes: int, strength: float, weights: Floats | None = None) -> Softmax:
    """Fit one softmax layer; see `softmax_path`."""
    return next(softmax_path(x, y, n_classes, [strength], weights))


def fit_perceptron(x: Floats, y: Integers, n_classes: int, *, seed: int, dropout: float = 0.3) -> Perceptron:
    """Fit one hidden layer of 32 units with AdamW and a one-cycle rate, for a fixed number of epochs.

    Args:
        seed: drives initial weights, order and dropout.
    """
    mean, scale = _standards(x)
    inputs, targets = torch.from_numpy((x - mean) / scale), torch.from_numpy(y)
    generator = torch.Generator().manual_seed(seed % 2**63)
    hidden = (torch.randn(x.shape[1], N_HIDDEN, generator=generator) * (2 / x.shape[1]) ** 0.5).requires_grad_()
    weight = (torch.randn(N_HIDDEN, n_classes, generator=generator) * (1 / N_HIDDEN) ** 0.5).requires_grad_()
    hidden_bias, bias = torch.zeros(N_HIDDEN, requires_grad=True), torch.zeros(n_classes, requires_grad=True)
    parameters = [hidden, hidden_bias, weight, bias]
    optimiser = _AdamW(parameters, n_steps=PERCEPTRON_EPOCHS * -(-len(x) // BATCH))
    for _ in range(PERCEPTRON_EPOCHS):
        for rows in torch.split(torch.randperm(len(x), generator=generator), BATCH):
            units = functional.relu(torch.addmm(hidden_bias, inputs[rows], hidden))  # (B, D) -> (B, 32)
            kept = torch.rand(units.shape, generator=generator) >= dropout
            logits = torch.addmm(bias, units * kept / (1 - dropout), weight)  # -> (B, C)
            loss = functional.cross_entropy(logits, targets[rows])
            optimiser.step(torch.autograd.grad(loss, parameters))
    arrays = [parameter.detach().numpy().copy() for parameter in parameters]
    return Perceptron(mean, scale, *arrays)


class _AdamW:
    """AdamW under a one-cycle rate: a few lines, because torch's own optimisers import its compiler first.

    Source: Loshchilov and Hutter 2019 (decay apart from the gradient); Smith 2018 (one cycle).
    """

    RATE, DECAY, BETAS, EPSILON, WARM_UP = 3e-3, 0.05, (0.9, 0.999), 1e-8, 0.3

    def __init__(self, parameters: Sequence[Tensor], n_steps: int) -> None:
        self.parameters = parameters
        self.n_steps = n_steps
        self.n_done = 0
        self.means = [torch.zeros_like(parameter) for parameter in parameters]
        self.squares = [torch.zeros_like(parameter) for parameter in parameters]

    def step(self, gradients: Sequence[Tensor]) -> None:
        rate = self._rate()
        self.n_done += 1
        first, second = self.BETAS
        with torch.no_grad():
            for parameter, gradient, mean, square in zip(
                self.parameters, gradients, self.means, self.squares, strict=True
            ):
                mean.lerp_(gradient, 1 - first)
                square.mul_(second).addcmul_(gradient, gradient, value=1 - second)
                scale = (square / (1 - second**self.n_done)).sqrt_().add_(self.EPSILON)
                if parameter.ndim > 1:  # biases don't decay
                    parameter.mul_(1 - rate * self.DECAY)
                parameter.addcdiv_(mean / (1 - first**self.n_done), scale, value=-rate)

    def _rate(self) -> float:
        """Up a cosine for the first 30 % of the steps, down another for the rest."""
        share = self.n_done / self.n_steps
        if share < self.WARM_UP:
            return self.RATE * (0.04 + 0.96 * (1 - math.cos(math.pi * share / self.WARM_UP)) / 2)
        return self.RATE * (1 + math.cos(math.pi * (share - self.WARM_UP) / (1 - self.WARM_UP))) / 2


def _standards(x: Floats) -> tuple[Floats, Floats]:
    mean = x.mean(0, dtype=np.float64).astype(np.float32)
    scale = x.std(0, dtype=np.float64).astype(np.float32)
    return mean, np.maximum(scale, np.float32(LEAST_SCALE))
