"""The examples of a training, their order, and how a batch of them reaches the network."""

import hashlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor

from bottega.training.augmentation import augment, mixup
from bottega.training.precision import for_processor
from bottega.training.settings import Settings

__all__ = ["Batch", "Data", "Examples", "Feeder", "drawn", "epoch_batches", "fit_sample"]

CHUNK = 4096  # rows that are converted at once
LEAST_SCALE = 1e-4  # what never varies is not blown up
MOST_SAMPLED = 2000
LEAST_SAMPLED = 200
FEWEST_STATES = 32  # of a batch where examples are what some layers have made of pictures: the others are wide
EVALUATED = 2**18  # numbers a batch of an evaluation may hold: small enough for the processor's cache


@dataclass(frozen=True)
class Examples:
    """Inputs with their targets; arrays may be memory-mapped, and are never written to.

    Attributes:
        x: uint8, float16 or float32, (N, C, H, W) pictures or (N, D) rows; with `Data.has_views` (N, V, C, H, W).
        y: (N,) int64 class indices, or float32 values.
    """

    x: NDArray[Any]
    y: NDArray[Any]

    def __len__(self) -> int:
        return len(self.y)


@dataclass(frozen=True)
class Data:
    """What is trained on, what judges, and the constants that scale both: `(x - mean) / scale`.

    The constants are learned from the training examples alone and have to ship with the network.

    Attributes:
        val: None where nothing is left to judge by: the last epoch is kept then, and `fit_*` stand for `val_*`.
        mean, scale: float32, (C, 1, 1) or (D,).
        has_views: whether each example lies there in V views; each step draws one of them for each of its examples, and
            all else sees the first.
    """

    train: Examples
    val: Examples | None
    mean: NDArray[np.float32]
    scale: NDArray[np.float32]
    has_views: bool = False

    @property
    def parts(self) -> Mapping[str, Examples]:
        """The examples by the name of their part."""
        return {"train": self.train} if self.val is None else {"train": self.train, "val": self.val}

    @classmethod
    def standardised(cls, train: Examples, val: Examples | None) -> "Data":
        """With the constants that give each channel or column of the training examples mean 0 and spread 1."""
        axes = (0, *range(2, train.x.ndim))
        n = train.x.size // train.x.shape[1]
        total, squares = np.zeros(train.x.shape[1]), np.zeros(train.x.shape[1])
        for start in range(0, len(train), CHUNK):
            total += train.x[start : start + CHUNK].sum(axes, dtype=np.float64)
        mean = total / n
        shape = (-1, *[1] * (train.x.ndim - 2))
        for start in range(0, len(train), CHUNK):
            chunk = train.x[start : start + CHUNK].astype(np.float32) - mean.reshape(shape).astype(np.float32)
            squares += np.square(chunk, out=chunk).sum(axes, dtype=np.float64)
        scale = np.maximum(np.sqrt(squares / n), LEAST_SCALE)
        return cls(train, val, mean.reshape(shape).astype(np.float32), scale.reshape(shape).astype(np.float32))


def drawn(seed: int, what: str, number: int = 0) -> Generator:
    """A generator of its own for each purpose and step.

    Nothing has to be kept for a resumed training to draw what an uninterrupted one would have drawn.
    """
    digest = hashlib.sha256(f"{seed} {what} {number}".encode()).digest()
    return Generator().manual_seed(int.from_bytes(digest[:8]) >> 1)


def epoch_batches(n: int, batch_size: int, seed: int, epoch: int) -> list[NDArray[np.int64]]:
    """The rows of each batch of an epoch: all rows, shuffled, in batches that differ by one row at most.

    Equal batches, since a last one of a few rows would be a noisier step, and one of a single row none that batch norm
    could take.

    Example:
        >>> [len(rows) for rows in epoch_batches(10, 4, seed=0, epoch=0)]
        [4, 3, 3]
    """
    order: NDArray[np.int64] = torch.randperm(n, generator=drawn(seed, "order", epoch)).numpy()
    return np.array_split(order, math.ceil(n / batch_size))


def fit_sample(n: int, seed: int) -> NDArray[np.int64]:
    """The rows of the training examples that are evaluated beside validation: a twentieth, 200 to 2,000 of them."""
    n_sampled = min(n, MOST_SAMPLED, max(LEAST_SAMPLED, n // 20))
    rows: NDArray[np.int64] = torch.randperm(n, generator=drawn(seed, "fit sample"))[:n_sampled].numpy()
    return np.sort(rows)


@dataclass(frozen=True)
class Batch:
    """What one step learns from; with mixup, `partner` are the other targets and `share` that of the first."""

    x: Tensor
    y: Tensor
    partner: Tensor | None = None
    share: float = 1.0


class Feeder:
    """Brings examples to the device, augmented for a step and scaled for all."""

    def __init__(self, data: Data, settings: Settings) -> None:
        self._data = data
        self._settings = settings
        self._device = torch.device(settings.device)
        self._mean, self._scale = (torch.tensor(array, device=self._device) for array in (data.mean, data.scale))
        fewest, first = (FEWEST_STATES, 2) if data.has_views else (1, 1)
        self._per_batch = max(fewest, EVALUATED // max(1, math.prod(data.train.x.shape[first:])))

    def for_step(self, rows: NDArray[np.int64], step: int) -> Batch:
        """The batch of one step, drawn from the seed and the number of the step alone."""
        settings, train = self._settings, self._data.train
        drawn_views: NDArray[np.int64] | None = None
        if self._data.has_views:
            generator = drawn(settings.seed, "view", step)
            drawn_views = torch.randint(train.x.shape[1], (len(rows),), generator=generator).numpy()
        x, y = self._moved(train, rows, drawn_views)
        if settings.augment:
            x = augment(x, settings.augment, drawn(settings.seed, "augment", step))
        x = self._scaled(x)
        if settings.mixup == 0:
            return Batch(x, y)
        return Batch(*_mixed(x, y, settings.mixup, drawn(settings.seed, "mixup", step)))

    def plain(self, examples: Examples, rows: NDArray[np.int64] | None = None) -> Iterator[Tensor]:
        """Scaled inputs in batches for evaluation, in order."""
        rows = np.arange(len(examples)) if rows is None else rows
        for start in range(0, len(rows), self._per_batch):
            yield self._scaled(self._moved(examples, rows[start : start + self._per_batch])[0])

    def _moved(
        self, examples: Examples, rows: NDArray[np.int64], views: NDArray[np.int64] | None = None
    ) -> tuple[Tensor, Tensor]:
        chosen = (rows, 0 if views is None else views) if self._data.has_views else rows
        x, y = torch.from_numpy(examples.x[chosen]), torch.from_numpy(examples.y[rows])
        return x.to(self._device, non_blocking=True), y.to(self._device, non_blocking=True)

    def _scaled(self, x: Tensor) -> Tensor:
        return for_processor((x.float() - self._mean) / self._scale)


def _mixed(x: Tensor, y: Tensor, alpha: float, generator: Generator) -> tuple[Tensor, Tensor, Tensor, float]:
    x, partner, share = mixup(x, y, alpha, generator)
    return x, y, partner, share
