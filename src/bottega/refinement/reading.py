"""What a diagnosis reads: the history of a training and the answers of the weights that were kept."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bottega.errors import BottegaError
from bottega.evaluation.intervals import effective_n
from bottega.problem.history import Epoch

__all__ = ["Answers", "Reading"]

Numbers = NDArray[np.float64]
ENDLESS = 1e9
SMALLEST = 1e-7  # a probability of zero mustn't make one example outweigh all others


@dataclass(frozen=True)
class Answers:
    """Answers of the weights that were kept, in evaluation mode.

    Attributes:
        y: (N,) class indices; -1 for a label that training never saw.
        probabilities: (N, C).
        groups: (N,) equal for examples that belong together; None when all are independent.
    """

    y: NDArray[Any]
    probabilities: NDArray[Any]
    groups: NDArray[Any] | None = None

    @property
    def n(self) -> int:
        """Examples."""
        return len(self.y)

    @property
    def n_effective(self) -> float:
        """Number of independent examples that the groups are worth at worst."""
        return effective_n(self.groups, self.n)

    @property
    def named(self) -> NDArray[np.int64]:
        """(N,) the class that was answered."""
        return np.asarray(np.argmax(self.probabilities, axis=1), dtype=np.int64)

    @property
    def confidence(self) -> Numbers:
        """(N,) the probability of the answer."""
        return np.asarray(self.probabilities.max(axis=1), dtype=np.float64)

    @property
    def right(self) -> NDArray[np.bool_]:
        """(N,) whether the answer is the label."""
        return np.asarray(self.named == self.y, dtype=np.bool_)

    @property
    def accuracy(self) -> float:
        """Share of right answers."""
        return float(self.right.mean())

    @property
    def losses(self) -> Numbers:
        """(M,) minus the log of the probability of the truth, of the examples whose label training saw."""
        known = self.y >= 0
        chosen = self.probabilities[known, self.y[known]].astype(np.float64)
        return np.asarray(-np.log(np.clip(chosen, SMALLEST, 1.0)), dtype=np.float64)


@dataclass(frozen=True)
class Reading:
    """One run as the rules see it.

    Attributes:
        history: one line an epoch, in order.
        settings: of the training, by the names of its settings; what isn't there is not spoken of.
        classes: names, in the order of the columns of the probabilities.
        train: a fixed sample of the training examples, without augmentation.
        val: the validation examples.
        n_train: training examples in all.
        n_parameters: numbers that the training could change.
        best_epoch: of the weights that were kept.
        stopped: why it ended.
        metric: that `val_score` and `fit_score` of the history are in.
        rival: name of the best rival that is no network, "" where none was tried.
        rival_accuracy: its share of right answers on the same validation examples.
    Raises:
        BottegaError: nothing was recorded, or the answers don't fit the labels or classes.
    """

    history: tuple[Epoch, ...]
    settings: Mapping[str, Any]
    classes: tuple[str, ...]
    train: Answers
    val: Answers
    n_train: int
    n_parameters: int
    best_epoch: float
    stopped: Literal["epochs", "patience", "time", "interrupted"] = "epochs"
    metric: str = "accuracy"
    rival: str = ""
    rival_accuracy: float | None = None
    chance_loss: float = field(init=False)  # of always giving the frequencies of the training sample: knowing nothing
    chance_accuracy: float = field(init=False)  # of always naming the commonest class of validation

    def __post_init__(self) -> None:
        if not self.history:
            raise BottegaError(
                found="a history without epochs",
                expected="at least one epoch",
                fix="train for longer, or with more time",
            )
        for part, answers in (("training", self.train), ("validation", self.val)):
            _check(part, answers, len(self.classes))
        counts = np.bincount(self.train.y[self.train.y >= 0], minlength=len(self.classes))
        shares = counts[counts > 0] / counts.sum()
        object.__setattr__(self, "chance_loss", max(float(-(shares * np.log(shares)).sum()), math.log(2) / 10))
        commonest = np.bincount(self.val.y[self.val.y >= 0], minlength=len(self.classes)).max()
        object.__setattr__(self, "chance_accuracy", float(commonest / self.val.n))

    def series(self, name: str) -> Numbers:
        """(E,) one number of each epoch, such as "val_loss"; a loss or norm that isn't finite is as good as ENDLESS."""
        values = np.array([getattr(epoch, name) for epoch in self.history], dtype=np.float64)
        if name.endswith(("loss", "norm")):
            return np.nan_to_num(values, nan=ENDLESS, posinf=ENDLESS)
        return values

    @property
    def steps_per_epoch(self) -> float:
        """Steps of the optimiser in one pass."""
        last = self.history[-1]
        return last.step / last.epoch

    @property
    def epochs(self) -> float:
        """Passes that were made."""
        return self.history[-1].epoch

    @property
    def unlearnt(self) -> float:
        """Share of the loss of knowing nothing that is left at the end, on training examples: 0 is all learnt."""
        return float(self.series("fit_loss")[-1]) / self.chance_loss

    @property
    def gap(self) -> float:
        """Accuracy on training examples less that on validation, of the weights that were kept."""
        return self.train.accuracy - self.val.accuracy

    def layer_series(self, name: str) -> dict[str, Numbers]:
        """One number of each layer, (E,) by the layer's name; NaN where it has none."""
        lines = [epoch.layers for epoch in self.history]
        found: dict[str, Numbers] = {}
        for layer in dict.fromkeys(layer for line in lines for layer in line):
            values = [getattr(line[layer], name) if layer in line else None for line in lines]
            numbers = np.array([math.nan if value is None else value for value in values], dtype=np.float64)
            found[layer] = np.clip(numbers, None, ENDLESS)
        return found


def _check(part: str, answers: Answers, n_classes: int) -> None:
    """Refuse answers that can't be compared with their labels."""
    shape = answers.probabilities.shape
    if answers.n == 0 or shape != (answers.n, n_classes):
        raise BottegaError(
            found=f"{answers.n} {part} labels and probabilities of shape {shape}",
            expected=f"at least one label, and probabilities of shape (N, {n_classes})",
            fix="read labels and answers from the same run",
        )
    if not np.isfinite(answers.probabilities).all():
        raise BottegaError(
            found=f"{part} probabilities with NaN or infinity",
            expected="the answers of the last finite weights",
            fix="read the weights that were kept, not those of the last step",
        )
    if answers.y.max() < 0:
        raise BottegaError(
            found=f"no {part} example with a label that training saw",
            expected="at least one",
            fix="give both parts the same classes",
        )
    if answers.y.min() < -1 or answers.y.max() >= n_classes:
        raise BottegaError(
            found=f"{part} labels from {answers.y.min()} to {answers.y.max()}",
            expected=f"class indices from 0 to {n_classes - 1}, or -1",
            fix="number the labels in the order of the classes",
        )
