"""The two rules by which cosines become the score of an answer: 3CosAdd and 3CosMul."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["EPSILON", "CosAdd", "CosMul", "Rule", "Slack"]

EPSILON = 1e-6  # keeps the quotient finite; gensim's value, so that scores are equal (the paper has 0.001)
_ROUNDING = 1e-5  # relative: some hundred times what a dozen operations in float32 can lose

Cosines = NDArray[Any]  # (T, n), float32 in a scan and float64 for the answers


@dataclass(frozen=True)
class Slack:
    """How far cosines from a scan may be from the true ones.

    Attributes:
        row: the distance of a row's codes from the row: it moves all T cosines of the row together.
        own: (T,) what each cosine may be off besides.
    """

    row: float
    own: NDArray[np.float64]


class Rule(Protocol):
    """Scores words by their cosines with the words of the question."""

    def score(self, cosines: Cosines) -> NDArray[Any]:
        """(T, n) cosines -> (n,) scores."""

    def highest(self, cosines: Cosines, slack: Slack) -> NDArray[Any]:
        """(n,): what the true score cannot be above."""

    def lowest(self, cosines: Cosines, slack: Slack) -> NDArray[Any]:
        """(n,): what the true score cannot be below."""


@dataclass(frozen=True)
class CosAdd:
    """The cosine with the weighted sum of the question's unit vectors.

    Attributes:
        weights: (T,).
        length: norm of the sum.
    Source: Mikolov et al. 2013, "Linguistic regularities in continuous space word representations".
    """

    weights: NDArray[np.float64]
    length: float

    def score(self, cosines: Cosines) -> NDArray[Any]:
        """The weighted sum, divided by its length."""
        total = np.zeros(cosines.shape[1], cosines.dtype)
        for cosine, share in zip(cosines, self.weights / self.length, strict=True):
            total += cosine * cosines.dtype.type(share)  # no product of matrices: equal words get equal bits
        return total

    def highest(self, cosines: Cosines, slack: Slack) -> NDArray[Any]:
        """The score of cosines that are all as far up as they can be."""
        return np.asarray(self.score(cosines) + cosines.dtype.type(self._reach(slack)))

    def lowest(self, cosines: Cosines, slack: Slack) -> NDArray[Any]:
        """The score of cosines that are all as far down as they can be."""
        return np.asarray(self.score(cosines) - cosines.dtype.type(self._reach(slack)))

    def _reach(self, slack: Slack) -> float:
        """A row's own error meets the sum as one vector, the others add up."""
        share = np.abs(self.weights) / self.length
        return float(slack.row + share @ slack.own + _ROUNDING * share.sum())


@dataclass(frozen=True)
class CosMul:
    """The product of the wanted similarities over the product of the unwanted; a weight is an exponent.

    Cosines are moved to 0 … 1 first. No single large similarity can outweigh the others, as it can in a sum.

    Attributes:
        weights: (T,); negative ones stand below the line.
    Source: Levy and Goldberg 2014, "Linguistic regularities in sparse and explicit word representations".
    """

    weights: NDArray[np.float64]

    def score(self, cosines: Cosines) -> NDArray[Any]:
        """The product of the wanted over that of the unwanted."""
        kind = cosines.dtype.type
        above, below = np.ones(cosines.shape[1], kind), np.ones(cosines.shape[1], kind)
        for cosine, weight in zip(cosines, self.weights, strict=True):
            part = np.maximum(cosine + kind(1), kind(0))
            part *= kind(0.5)
            if abs(weight) != 1:
                part = part ** kind(abs(weight))
            side = above if weight > 0 else below
            side *= part
        if (self.weights < 0).any():
            below += kind(EPSILON)
            above /= below
        return above

    def highest(self, cosines: Cosines, slack: Slack) -> NDArray[Any]:
        """The score of wanted cosines that are as far up, unwanted as far down as they can be."""
        return np.asarray(self.score(cosines + self._shift(slack, cosines)) * cosines.dtype.type(1 + _ROUNDING))

    def lowest(self, cosines: Cosines, slack: Slack) -> NDArray[Any]:
        """The score of wanted cosines that are as far down, unwanted as far up as they can be."""
        return np.asarray(self.score(cosines - self._shift(slack, cosines)) * cosines.dtype.type(1 - _ROUNDING))

    def _shift(self, slack: Slack, cosines: Cosines) -> NDArray[Any]:
        shift = np.sign(self.weights) * (slack.row + slack.own + _ROUNDING)
        return shift[:, None].astype(cosines.dtype)
