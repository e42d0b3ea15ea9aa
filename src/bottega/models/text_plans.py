"""The networks that texts get from scratch, as plans; the standard library only."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["TEXT_PLANS", "TextPlan"]


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
