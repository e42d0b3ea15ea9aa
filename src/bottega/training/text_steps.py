"""What the trainings on texts share: batches of about one length, the course of the rate, classes without rows."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

__all__ = ["batches_by_length", "forbid_absent", "rate_share"]

SORTED = 16  # batches whose texts are sorted by length together: little padding, and yet other neighbours each epoch
ABSENT = -20.0  # score of a class that none of the rows has


def batches_by_length(lengths: Tensor, size: int) -> Iterator[Tensor]:
    """Rows of each batch, of about one length; in a new order each time, by torch's own generator.

    Args:
        lengths: (N,) of the texts.
        size: rows of a batch; the last one of a stretch may have fewer.
    """
    order = torch.randperm(len(lengths))
    batches: list[Tensor] = []
    for part in torch.split(order, SORTED * size):
        batches += torch.split(part[lengths[part].argsort(stable=True)], size)
    for number in torch.randperm(len(batches)).tolist():
        yield batches[number]


def rate_share(done: float, warm_up: float) -> float:
    """Of the highest rate: up a line, down a line.

    Args:
        done: share of the steps of all epochs, in [0, 1).
        warm_up: share of them after which the rate falls.
    """
    return min((done + 1e-3) / warm_up, (1 - done) / (1 - warm_up))


def forbid_absent(head: nn.Linear, y: NDArray[np.int64]) -> None:
    """Let a linear layer never answer a class that none of the rows has.

    Args:
        y: (N,) class indices of the rows that it was fitted on.
    """
    absent = np.setdiff1d(np.arange(head.out_features), y)
    with torch.no_grad():
        head.weight[absent] = 0
        head.bias[absent] = ABSENT
