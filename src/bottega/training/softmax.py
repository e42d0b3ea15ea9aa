"""A softmax layer fitted to the bottom: L-BFGS for a convex loss, in whichever of two coordinates is the shorter.

The layer is linear, so the scores of a step along a direction are known from the scores of the direction: the line
search costs no pass over the data. With fewer rows than columns the weights are a mixture of the rows, and the
mixture's coefficients are the coordinates: one product with the rows' Gram matrix is all that a step costs.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["descend"]

Floats = NDArray[np.float32]
Numbers = NDArray[np.float64]
Integers = NDArray[np.int64]

MAX_STEPS = 100
MEMORY = 8  # pairs that the curvature is read from
LEAST_GAIN = 1e-5  # of the loss, relative: below it the next steps change no answer
NEWTON_STEPS = 5  # of the line search


@dataclass(frozen=True)
class _Vector:
    """A direction in the space of layers.

    Attributes:
        weight: its coordinates, (D, C) or (N, C).
        bias: (C,).
        scores: (N, C) what it does to the rows: X @ weights + bias.
    """

    weight: Numbers
    bias: Numbers
    scores: Numbers

    def plus(self, other: "_Vector", factor: float) -> "_Vector":
        return _Vector(
            self.weight + factor * other.weight, self.bias + factor * other.bias, self.scores + factor * other.scores
        )

    def times(self, factor: float) -> "_Vector":
        return _Vector(factor * self.weight, factor * self.bias, factor * self.scores)


class _Space(Protocol):
    """Coordinates of the weights."""

    n_coordinates: int

    def gradient(self, residual: Numbers, weight: Numbers, strength: float) -> _Vector: ...

    def inner(self, a: _Vector, b: _Vector) -> float: ...

    def weights(self, weight: Numbers) -> Floats: ...


class _ByColumns:
    """Coordinates are the weights themselves: (D, C)."""

    def __init__(self, x: Floats) -> None:
        self.x = x
        self.n_coordinates = x.shape[1]

    def gradient(self, residual: Numbers, weight: Numbers, strength: float) -> _Vector:
        new = _product(self.x.T, residual) + 2 * strength * weight
        bias = residual.sum(0)
        return _Vector(new, bias, _product(self.x, new) + bias)

    def inner(self, a: _Vector, b: _Vector) -> float:
        return float(np.vdot(a.weight, b.weight) + a.bias @ b.bias)

    def weights(self, weight: Numbers) -> Floats:
        return weight.astype(np.float32)


class _ByRows:
    """Coordinates are coefficients of the rows: weights = X' @ coefficients, (N, C)."""

    def __init__(self, x: Floats) -> None:
        self.x = x
        self.gram: Floats = x @ x.T
        self.n_coordinates = x.shape[0]

    def gradient(self, residual: Numbers, weight: Numbers, strength: float) -> _Vector:
        new = residual + 2 * strength * weight
        bias = residual.sum(0)
        return _Vector(new, bias, _product(self.gram, new) + bias)

    def inner(self, a: _Vector, b: _Vector) -> float:
        return float(np.vdot(a.weight, b.scores - b.bias) + a.bias @ b.bias)

    def weights(self, weight: Numbers) -> Floats:
        return _product(self.x.T, weight).astype(np.float32)


def _product(matrix: Floats, right: Numbers) -> Numbers:
    """The large product, in float32: the smaller numbers around it are kept in float64."""
    product: Numbers = (matrix @ right.astype(np.float32)).astype(np.float64)
    return product


def descend(
    x: Floats,
    y: Integers,
    n_classes: int,
    strengths: Sequence[float],
    class_weights: Floats | None = None,
    row_weights: Numbers | None = None,
) -> Iterator[tuple[Floats, Floats]]:
    """Minimise mean log loss + strength x sum of squared weights, for each strength in turn.

    Args:
        x: (N, D) float32.
        y: (N,) int64 class indices.
        strengths: descending; each starts where the one before ended.
        class_weights: (C,) how much an example of each class counts; their mean over the examples is 1.
        row_weights: (N,) how much each example counts; only their proportions matter.
    Yields:
        Weights (D, C) and bias (C,), float32, for each strength.
    Source: Liu and Nocedal 1989 (L-BFGS); Kimeldorf and Wahba 1971 (the weights lie in the span of the rows).
    """
    space: _Space = _ByRows(x) if x.shape[0] <= x.shape[1] else _ByColumns(x)
    share = np.full(len(y), 1 / len(y)) if row_weights is None else row_weights / row_weights.sum()
    if class_weights is not None:
        share = share * class_weights.astype(np.float64)[y]
    at = _Vector(np.zeros((space.n_coordinates, n_classes)), np.zeros(n_classes), np.zeros((len(y), n_classes)))
    for strength in strengths:
        at = _minimum(space, at, y, share, strength)
        yield space.weights(at.weight), at.bias.astype(np.float32)


def _minimum(space: _Space, at: _Vector, y: Integers, share: Numbers, strength: float) -> _Vector:
    pairs: list[tuple[_Vector, _Vector, float]] = []
    slope = _slope(space, at, y, share, strength)
    loss = float("inf")
    for _ in range(MAX_STEPS):
        direction = _direction(space, slope, pairs)
        step, new_loss = _line(space, at, direction, y, share, strength)
        moved = direction.times(step)
        at = at.plus(moved, 1.0)
        if loss - new_loss <= LEAST_GAIN * abs(new_loss):
            break
        loss = new_loss
        new_slope = _slope(space, at, y, share, strength)
        bend = new_slope.plus(slope, -1.0)
        curvature = space.inner(moved, bend)
        if curvature > 0:
            pairs = [*pairs[-MEMORY + 1 :], (moved, bend, curvature)]
        slope = new_slope
    return at


def _slope(space: _Space, at: _Vector, y: Integers, share: Numbers, strength: float) -> _Vector:
    residual = _chances(at.scores)[0]
    residual[np.arange(len(y)), y] -= 1
    return space.gradient(residual * share[:, None], at.weight, strength)


def _direction(space: _Space, slope: _Vector, pairs: Sequence[tuple[_Vector, _Vector, float]]) -> _Vector:
    """The two-loop recursion: minus an estimate of the inverse curvature times the slope."""
    direction, factors = slope, []
    for moved, bend, curvature in reversed(pairs):
        factor = space.inner(moved, direction) / curvature
        direction = direction.plus(bend, -factor)
        factors.append(factor)
    if pairs:
        _, bend, curvature = pairs[-1]
        direction = direction.times(curvature / space.inner(bend, bend))
    for (moved, bend, curvature), factor in zip(pairs, reversed(factors), strict=True):
        direction = direction.plus(moved, factor - space.inner(bend, direction) / curvature)
    return direction.times(-1.0)


def _line(
    space: _Space, at: _Vector, direction: _Vector, y: Integers, share: Numbers, strength: float
) -> tuple[float, float]:
    """The best step along a direction, by Newton's method on a convex function of one number."""
    rows, no_bias = np.arange(len(y)), np.zeros_like(at.bias)
    start, along = (replace(v, bias=no_bias, scores=v.scores - v.bias) for v in (at, direction))
    square, mixed = space.inner(along, along), space.inner(start, along)
    base = space.inner(start, start)
    chosen = direction.scores[rows, y]
    step = 1.0
    for _ in range(NEWTON_STEPS):
        weighted = _chances(at.scores + step * direction.scores)[0] * direction.scores
        mean = weighted.sum(1)
        first = float(share @ (mean - chosen)) + 2 * strength * (mixed + step * square)
        spread = (weighted * direction.scores).sum(1) - np.square(mean)
        second = float(share @ spread) + 2 * strength * square
        change = first / second if second > 0 else 0.0
        step = max(step - change, step / 10)  # a direction of descent: the best step is forwards
        if abs(change) <= 0.03 * step:  # Newton squares the error: what is left is a thousandth
            break
    scores = at.scores + step * direction.scores
    losses = _chances(scores)[1] - scores[rows, y]
    return step, float(share @ losses) + strength * (base + 2 * step * mixed + step * step * square)


def _chances(scores: Numbers) -> tuple[Numbers, Numbers]:
    """The softmax of each row (N, C), and the logarithm of its denominator (N,)."""
    top = scores.max(1, keepdims=True)
    chances = np.exp(scores - top)
    total = chances.sum(1, keepdims=True)
    chances /= total
    return chances, (top + np.log(total))[:, 0]
