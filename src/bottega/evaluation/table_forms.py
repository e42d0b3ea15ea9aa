"""Fitted models of tables as plain arrays; they see the encoded matrix of `data.table_preparation`, float32 (N, D).

Answers are scores before the softmax, (N, C), or the value, (N, 1).
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bottega.data.table_features import MadeFeature

if TYPE_CHECKING:
    from bottega.evaluation.forms import Form

__all__ = [
    "Dense",
    "Kernel",
    "Linear",
    "Mixture",
    "Neighbours",
    "Rescaled",
    "Staged",
    "TableNetwork",
    "Trees",
    "Unfolding",
    "Widened",
]

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Dense:
    """Numbers imputed and standardised, then a mark for each that may be missing, then a place for each category.

    Attributes:
        number: (P,) encoded columns that are numbers.
        fill, mean, scale: (P,) what stands in for a missing one; (x - mean) / scale.
        marked: (Q,) encoded columns whose absence is told by 1.
        category, code: (L,) encoded column and code of each place: 1 where the column has the code.
    """

    number: Integers
    fill: Floats
    mean: Floats
    scale: Floats
    marked: Integers
    category: Integers
    code: Floats

    @property
    def width(self) -> int:
        """Columns of the dense matrix."""
        return len(self.number) + len(self.marked) + len(self.category)


@dataclass(frozen=True)
class Staged:
    """A form that sees the dense matrix."""

    stage: Dense
    head: "Form"


@dataclass(frozen=True)
class Widened:
    """A form that sees the encoded matrix with made features behind it.

    Attributes:
        n_seen: the first columns of the matrix, which the form sees too; None for all. Those of texts end here.
    """

    features: tuple[MadeFeature, ...]
    head: "Form"
    n_seen: int | None = None


@dataclass(frozen=True)
class Linear:
    """One linear layer: `weight` (D, C), `bias` (C,)."""

    weight: Floats
    bias: Floats


@dataclass(frozen=True)
class Neighbours:
    """The mean answer of the k nearest rows.

    Attributes:
        points: (M, D) dense rows.
        answers: (M, C) shares of the classes, or (M, 1) values.
        is_share: answers are shares; their logarithm is the score.
    """

    points: Floats
    answers: Floats
    k: int
    is_share: bool


@dataclass(frozen=True)
class Kernel:
    """A support vector machine with the kernel exp(-gamma |x - v|^2).

    Attributes:
        vectors: (S, D) dense rows.
        weight, bias: (S, P), (P,): one decision for each pair of classes, or the value (P = 1).
        pairs: (P, 2) first and second class of each pair; positive decisions speak for the first. Empty for values.
        n_classes: 1 for values.
    """

    vectors: Floats
    gamma: float
    weight: Floats
    bias: Floats
    pairs: Integers
    n_classes: int


@dataclass(frozen=True)
class Trees:
    """Trees side by side, node by node, with missing values and tests on categories.

    Attributes:
        tree, node: (M,) which tree, and the number within it.
        feature: (M,) tested column; from D on, test `feature - D` on a category, -1 where it goes left; -1 at a leaf.
        threshold: (M,) float32; smaller or equal goes left.
        missing_left: (M,) bool; where a missing value goes.
        left, right: (M,) numbers of the children.
        leaf, output, value: (K,) node (its place among the M), which answer, and what it adds to it.
        base: (C,) what all answers start from.
        column: (T,) the encoded column of each test on a category, ascending.
        goes_left: (T, n_codes) bool; codes that the column doesn't have go anywhere.
        is_share: answers are shares; their logarithm is the score.
    """

    tree: Integers
    node: Integers
    feature: Integers
    threshold: Floats
    missing_left: NDArray[np.bool_]
    left: Integers
    right: Integers
    leaf: Integers
    output: Integers
    value: Floats
    base: Floats
    column: Integers
    goes_left: NDArray[np.bool_]
    is_share: bool


@dataclass(frozen=True)
class Unfolding:
    """Each number becomes a vector, by a layer of its own on the number, its waves and its steps.

    Attributes:
        frequency: (P, F): cos and sin of 2 pi x frequency.
        slope, offset, low, high: (P, B): x slope + offset, cut to low … high.
        weight: (P, 1 + 2 F + B, E).
        bias: (P, E).
        relu: whether it is cut at 0.
    """

    frequency: Floats
    slope: Floats
    offset: Floats
    low: Floats
    high: Floats
    weight: Floats
    bias: Floats
    relu: bool


@dataclass(frozen=True)
class TableNetwork:
    """A perceptron on the dense matrix, or k of them that share most of their weights (TabM).

    Numbers are squashed to x / sqrt(1 + (x / 3)^2) first, so that outliers pull no weight.

    Attributes:
        n_number: the first columns of the dense matrix, which are numbers.
        unfolding: of the numbers; None for the numbers themselves.
        before, weight, after, bias: for each layer (k, I), (I, O), (k, O), (k, O): x times before, @ weight,
            times after, plus bias, ReLU.
        head, head_bias: (k, H, C), (k, C).
        is_share: members' probabilities are averaged, and their logarithm is the score; else values are averaged.
    """

    n_number: int
    unfolding: Unfolding | None
    before: tuple[Floats, ...]
    weight: tuple[Floats, ...]
    after: tuple[Floats, ...]
    bias: tuple[Floats, ...]
    head: Floats
    head_bias: Floats
    is_share: bool


@dataclass(frozen=True)
class Rescaled:
    """Values in the target's own unit: answer x scale + mean, and its exponential less `shift` where `log`.

    Attributes:
        most: where `log`, the logarithm that no answer exceeds.
    """

    form: "Form"
    mean: float
    scale: float
    log: bool = False
    shift: float = 0.0
    most: float = math.inf


@dataclass(frozen=True)
class Mixture:
    """A weighted mean of what several forms answer: of their probabilities, or of their values."""

    forms: "tuple[Form, ...]"
    weights: tuple[float, ...]
    is_share: bool
