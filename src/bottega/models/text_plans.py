"""The networks that texts get from scratch, as plans; the standard library only."""

import math
from dataclasses import dataclass
from typing import Literal

__all__ = ["BATCH", "TEXT_PLANS", "TextPlan", "planned_epochs"]

BATCH = 64
STEPS = 1500  # of a training, whatever its texts; so small data are gone through more often
MOST_TOKENS = 3_000_000  # of all epochs together: long texts are gone through less often
MIN_EPOCHS, MAX_EPOCHS = 3, 30


@dataclass(frozen=True)
class TextPlan:
    """What a network of texts is made of.

    Attributes:
        body: the mean of all embeddings, filters with their largest answers, or a network that reads in both
            directions.
        n_embedding: numbers for each word.
        width: filters of each length, or units of each direction; nothing for the mean.
        dropout: of the last layer's inputs.
    """

    body: Literal["mean", "filters", "recurrent"]
    n_embedding: int
    width: int
    dropout: float
    learning_rate: float


TEXT_PLANS = {
    "bag of embeddings": TextPlan("mean", 64, 0, 0.2, 5e-3),
    "convolutional network": TextPlan("filters", 64, 96, 0.5, 2e-3),
    "LSTM": TextPlan("recurrent", 64, 64, 0.5, 2e-3),
}


def planned_epochs(plan: TextPlan, n_texts: int, n_tokens: int) -> int:
    """How often training goes through texts at most.

    Args:
        n_tokens: of all of them together; a mean costs little however many it is of.

    Example:
        >>> [planned_epochs(TEXT_PLANS["LSTM"], n, n * each) for n, each in ((300, 10), (5_000, 10), (5_000, 200))]
        [30, 18, 3]
    """
    epochs = STEPS // math.ceil(n_texts / BATCH)
    if plan.body != "mean":
        epochs = min(epochs, MOST_TOKENS // max(n_tokens, 1))
    return min(max(epochs, MIN_EPOCHS), MAX_EPOCHS)
