"""Fitted models as plain arrays: what a candidate learned, whoever fitted it, ready to be written as operators.

None of them can answer by itself. Answers come from the operators that ship (shipping/tails.py), so there is one
arithmetic only.
"""

from dataclasses import dataclass, is_dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bottega.evaluation.table_forms import (
    Kernel,
    Linear,
    Mixture,
    Neighbours,
    Rescaled,
    Staged,
    TableNetwork,
    Trees,
    Widened,
)

__all__ = ["Constant", "Forest", "Form", "Graph", "Nearest", "Perceptron", "Softmax", "form_bytes"]

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Constant:
    """The same answer for everything: `logits` (C,)."""

    logits: Floats


@dataclass(frozen=True)
class Softmax:
    """Standardisation and one linear layer: `mean`, `scale` (D,), `weight` (D, C), `bias` (C,)."""

    mean: Floats
    scale: Floats
    weight: Floats
    bias: Floats


@dataclass(frozen=True)
class Perceptron:
    """Standardisation, one hidden layer with ReLU, one linear layer; `hidden` (D, K), `weight` (K, C)."""

    mean: Floats
    scale: Floats
    hidden: Floats
    hidden_bias: Floats
    weight: Floats
    bias: Floats


@dataclass(frozen=True)
class Nearest:
    """The label of the nearest thumbnail.

    Attributes:
        thumbnails: (K, 768) whole numbers 0 … 63, so that float32 distances are exact and ties are real ties.
        logits: (K, C) what each of them answers.
    """

    thumbnails: Floats
    logits: Floats


@dataclass(frozen=True)
class Forest:
    """Trees side by side, node by node (docs of scikit-learn's `tree_` and ONNX's TreeEnsembleRegressor).

    Attributes:
        tree, node: (M,) which tree, and the number within it.
        feature: (M,) tested column, -1 at a leaf.
        threshold: (M,) float32; smaller or equal goes left.
        left, right: (M,) numbers of the children.
        leaf: (M, C) class shares divided by the number of trees, at leaves.
    """

    tree: Integers
    node: Integers
    feature: Integers
    threshold: Floats
    left: Integers
    right: Integers
    leaf: Floats


@dataclass(frozen=True)
class Graph:
    """A network of layers as a whole graph: `data` is a model, `x` float32 [N, ...] -> `logits` float32 [N, C]."""

    data: bytes


PictureForm = Constant | Softmax | Perceptron | Nearest | Forest | Graph
TableForm = Staged | Linear | Neighbours | Kernel | Trees | TableNetwork | Rescaled | Mixture | Widened
Form = PictureForm | TableForm


def form_bytes(form: Form) -> int:
    """Bytes of its arrays or of its graph: about what it adds to the model file."""
    return _bytes(form)


def _bytes(value: Any) -> int:
    if isinstance(value, np.ndarray):
        return value.nbytes
    if isinstance(value, bytes):
        return len(value)
    if isinstance(value, tuple):
        return sum(_bytes(item) for item in value)
    return sum(_bytes(item) for item in vars(value).values()) if is_dataclass(value) else 0
