"""What a training writes down as it goes: one `Epoch` a line, with a reading of each layer (docs/run-folder.md)."""

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["Epoch", "LayerReading"]


@dataclass(frozen=True)
class LayerReading:
    """One layer with weights, over the steps of one epoch.

    Attributes:
        weight: L2 norm of its weights at the end of the epoch.
        gradient: L2 norm of its gradient, mean over the steps that were read.
        update: L2 norm of a step's change over that of the weights, mean over the steps that were read.
        dead: share of its units that answer zero (or less, before a ReLU) to every example of the probe; None where
            no unit can die.
        saturated: share of its outputs at the flat ends of a sigmoid, tanh or softmax; None where none is flat.
    """

    weight: float
    gradient: float
    update: float
    dead: float | None = None
    saturated: float | None = None


@dataclass(frozen=True)
class Epoch:
    """One pass over the training examples, or the part of a long one.

    Attributes:
        epoch: passes done, from 1; a fraction within a long epoch (0.25, 0.5, ...).
        step: optimiser steps done.
        train_loss, train_score: in training mode over the epoch's batches: with dropout and augmentation, before each
            step.
        fit_loss, fit_score: of the weights that validation saw, in evaluation mode, on a fixed sample of the training
            examples without augmentation: what may be compared with validation.
        val_loss, val_score: on the validation examples, in evaluation mode; the score in the metric that is judged.
        learning_rate: at the last step.
        gradient_norm, largest_gradient_norm: of all weights together, before clipping: mean and largest over the
            steps.
        seconds: since the training began, resumed time included.
        examples_per_second: training alone, without validation.
        n_clipped: steps whose gradient was clipped.
        layers: by the name of the layer, in the order of the network.
    """

    epoch: float
    step: int
    train_loss: float
    train_score: float
    fit_loss: float
    fit_score: float
    val_loss: float
    val_score: float
    learning_rate: float
    gradient_norm: float
    largest_gradient_norm: float
    seconds: float
    examples_per_second: float
    n_clipped: int = 0
    layers: Mapping[str, LayerReading] = field(default_factory=dict)
