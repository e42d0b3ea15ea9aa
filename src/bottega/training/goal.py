"""What a training minimises, and what it is judged by."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

__all__ = ["CrossEntropy", "Goal", "Objective", "SquaredError"]


class Objective(Protocol):
    """From the outputs of a network to a loss, and to the answers that are judged."""

    @property
    def ends_in_softmax(self) -> bool:
        """Whether the outputs are logits of classes."""
        ...

    def loss(self, outputs: Tensor, y: Tensor, class_weights: Tensor | None, smoothing: float) -> Tensor:
        """The mean over a batch: outputs float32 (B, ...), targets (B,)."""
        ...

    def answers(self, outputs: Tensor) -> NDArray[np.float32]:
        """Outputs (N, ...) as the metric wants them."""
        ...


class CrossEntropy:
    """Classes: logits (B, C), targets int64 (B,); the answers are probabilities (N, C)."""

    ends_in_softmax = True

    def loss(self, outputs: Tensor, y: Tensor, class_weights: Tensor | None, smoothing: float) -> Tensor:
        """Log loss, with targets smoothed and classes weighted where that is asked for."""
        return functional.cross_entropy(outputs, y, weight=class_weights, label_smoothing=smoothing)

    def answers(self, outputs: Tensor) -> NDArray[np.float32]:
        """Probabilities, (N, C)."""
        return _array(torch.softmax(outputs, 1))


class SquaredError:
    """Values: outputs (B, 1), targets float32 (B,); the answers are the values (N,)."""

    ends_in_softmax = False

    def loss(self, outputs: Tensor, y: Tensor, class_weights: Tensor | None, smoothing: float) -> Tensor:  # noqa: ARG002
        """Mean squared error; classes there are none."""
        return functional.mse_loss(outputs[:, 0], y)

    def answers(self, outputs: Tensor) -> NDArray[np.float32]:
        """Values, (N,)."""
        return _array(outputs[:, 0])


@dataclass(frozen=True)
class Goal:
    """What a training is for.

    Attributes:
        score: the judged metric: targets (N,) and answers -> one number.
        higher_is_better: of the score.
        objective: what is minimised.
    """

    score: Callable[[NDArray[Any], NDArray[np.float32]], float]
    higher_is_better: bool = True
    objective: Objective = field(default_factory=CrossEntropy)


def _array(tensor: Tensor) -> NDArray[np.float32]:
    array: NDArray[np.float32] = tensor.float().cpu().numpy()
    return array
