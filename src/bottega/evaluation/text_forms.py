"""What networks of texts learned from scratch, as plain arrays."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Filters", "Recurrent", "TextNetwork"]

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Filters:
    """One group for each length: `weight` (F, E, length) and `bias` (F,); the largest answer in a text counts."""

    weight: tuple[Floats, ...]
    bias: tuple[Floats, ...]


@dataclass(frozen=True)
class Recurrent:
    """An LSTM in both directions, its gates in the order of ONNX: input, output, forget, cell.

    Attributes:
        weight: (2, 4 H, E).
        recurrence: (2, 4 H, H).
        bias: (2, 8 H).
    """

    weight: Floats
    recurrence: Floats
    bias: Floats


@dataclass(frozen=True)
class TextNetwork:
    """Embeddings, what reads them, and a linear layer.

    Attributes:
        embedding: (V, E), zeros for the padding.
        body: None for the mean of a text's embeddings.
        weight, bias: (K, C), (C,).
    """

    embedding: Floats
    body: Filters | Recurrent | None
    weight: Floats
    bias: Floats
