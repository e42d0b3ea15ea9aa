"""What is learned on top of frozen features: one softmax layer, or a small perceptron."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from bottega.evaluation.forms import Perceptron, Softmax

__all__ = ["STRENGTHS", "fit_perceptron", "fit_softmax", "softmax_path"]

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]

STRENGTHS = (0.3, 0.1, 0.03, 0.01, 0.003, 0.001, 0.0003)  # of the L2 penalty, the strongest first
LEAST_SCALE = 1e-4  # features that hardly move are not blown up
MAX_STEPS = 60  # L-BFGS; on frozen features the loss has settled to three digits by then
N_HIDDEN = 32
PERCEPTRON_EPOCHS = 12
BATCH = 128


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
    Source: Liu and Nocedal 1989 (L-BFGS).
    """
    mean, scale = _standards(x)
    inputs = torch.from_numpy((x - mean) / scale)
    targets = torch.from_numpy(y)
    weights = None if class_weights is None else torch.from_numpy(class_weights)
    weight = torch.zeros(x.shape[1], n_classes, requires_grad=True)
    bias = torch.zeros(n_classes, requires_grad=True)
    for strength in strengths:
        _descend(inputs, targets, weight, bias, strength, weights)
        layer = weight.detach().numpy().copy(), bias.detach().numpy().copy()
        yield Softmax(mean, scale, *layer)


def fit_softmax(x: Floats, y: Integers, n_classes: int, strength: float, weights: Floats | None = None) -> Softmax:
    """Fit one softmax layer; see `softmax_path`."""
    return next(softmax_path(x, y, n_classes, [strength], weights))


def _descend(
    inputs: Tensor, targets: Tensor, weight: Tensor, bias: Tensor, strength: float, class_weights: Tensor | None
) -> None:
    optimiser = torch.optim.LBFGS(
        [weight, bias], max_iter=MAX_STEPS, tolerance_grad=1e-5, tolerance_change=1e-7, line_search_fn="strong_wolfe"
    )

    def closure() -> Tensor:
        optimiser.zero_grad()
        logits = torch.addmm(bias, inputs, weight)  # (N, D) x (D, C) -> (N, C)
        loss = functional.cross_entropy(logits, targets, class_weights)
        loss = loss + strength * weight.square().sum()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimiser.step(closure)  # type: ignore[no-untyped-call]


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
    optimiser = torch.optim.AdamW(parameters, lr=2e-3, weight_decay=0.05)
    n_steps = PERCEPTRON_EPOCHS * -(-len(x) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=2e-3, total_steps=n_steps)
    for _ in range(PERCEPTRON_EPOCHS):
        for rows in torch.randperm(len(x), generator=generator).split(BATCH):
            units = functional.relu(torch.addmm(hidden_bias, inputs[rows], hidden))  # (B, D) -> (B, 32)
            kept = torch.rand(units.shape, generator=generator) >= dropout
            logits = torch.addmm(bias, units * kept / (1 - dropout), weight)  # -> (B, C)
            loss = functional.cross_entropy(logits, targets[rows])
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
    arrays = [parameter.detach().numpy().copy() for parameter in parameters]
    return Perceptron(mean, scale, *arrays)


def _standards(x: Floats) -> tuple[Floats, Floats]:
    mean = x.mean(0, dtype=np.float64).astype(np.float32)
    scale = x.std(0, dtype=np.float64).astype(np.float32)
    return mean, np.maximum(scale, np.float32(LEAST_SCALE))
