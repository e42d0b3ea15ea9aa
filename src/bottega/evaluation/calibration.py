"""Whether a stated 90 % is right nine times in ten, and the one number that mends most of it."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bottega.evaluation.intervals import proportion

__all__ = ["Reliability", "apply_temperature", "equal_mass_bins", "expected_error", "fit_temperature", "reliability"]

N_BINS = 15
LOWEST, HIGHEST = 0.05, 20.0  # temperatures outside would mean that the scores are no log-probabilities at all
FEWEST_EXAMPLES = 20  # one number fitted on fewer is noise

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Reliability:
    """The reliability curve: what was said against what came true, in bins of equally many examples.

    Attributes:
        confidence: (B,) mean probability of the answers in each bin, ascending.
        accuracy: (B,) share of them that were right.
        low: (B,) lower end of the 95 % interval of the accuracy.
        high: (B,) upper end.
        n: (B,) examples in each bin.
        ece: expected calibration error over these bins.
    """

    confidence: tuple[float, ...]
    accuracy: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    n: tuple[int, ...]
    ece: float


def fit_temperature(logits: NDArray[Any], y: NDArray[Any], weights: Numbers | None = None) -> float:
    """The temperature T for which softmax(logits / T) has the least log loss.

    Log loss is convex in 1 / T, so that Newton's method, kept inside a shrinking bracket, finds the one minimum.

    Args:
        logits: (N, C) scores before the softmax; log-probabilities do as well.
        y: (N,) class indices; -1 (a label that training never saw) is left out.
        weights: (N,) how much each example counts; None for all the same.
    Returns:
        T in [0.05, 20]; above 1 where the model was too sure. 1.0 for under 20 examples.
    Source: Guo et al. 2017, "On calibration of modern neural networks"; Platt 1999 (the example more).
    """
    known = np.flatnonzero(np.asarray(y) >= 0)
    if len(known) < FEWEST_EXAMPLES:
        return 1.0
    counts = np.ones(len(known)) if weights is None else weights[known]
    if not counts.any():
        return 1.0
    share = counts / counts.sum()
    scores = np.asarray(logits, dtype=np.float64)[known]
    scores = scores - scores.max(axis=1, keepdims=True)
    right = scores[np.arange(len(known)), np.asarray(y)[known].astype(np.int64)]
    doubt = 1 / (len(known) + 2)  # one example more that could have gone otherwise: all right is not certainty
    right = (1 - doubt) * right + doubt * (scores.sum(axis=1) - right) / max(scores.shape[1] - 1, 1)
    low, high = 1 / HIGHEST, 1 / LOWEST
    inverse = 1.0
    for _ in range(100):
        probabilities = _softmax(inverse * scores)
        mean = (probabilities * scores).sum(axis=1)
        slope = float(share @ (mean - right))
        curvature = float(share @ ((probabilities * scores**2).sum(axis=1) - mean**2))
        low, high = (low, inverse) if slope > 0 else (inverse, high)
        step = inverse - slope / curvature if curvature > 0 else math.inf
        previous, inverse = inverse, step if low < step < high else (low + high) / 2
        if abs(inverse - previous) <= 1e-10 * inverse:
            break
    return float(np.clip(1 / inverse, LOWEST, HIGHEST))


def apply_temperature(logits: NDArray[Any], temperature: float) -> Numbers:
    """softmax(logits / temperature), (N, C)."""
    return _softmax(np.asarray(logits, dtype=np.float64) / temperature)


def reliability(
    y: NDArray[Any], probabilities: NDArray[Any], groups: NDArray[Any] | None = None, *, n_bins: int = 10
) -> Reliability:
    """Stated confidence against accuracy, in bins of equally many examples.

    Args:
        y: (N,) class indices; -1 counts as wrong.
        probabilities: (N, C).
        groups: (N,) equal for examples that belong together; None when all are independent.
        n_bins: fewer where bins would hold under ten examples.
    Source: DeGroot and Fienberg 1983 (the diagram); Nguyen and O'Connor 2015 (bins of equal mass).
    """
    confidence, right = _answers(y, probabilities)
    bins = equal_mass_bins(confidence, max(1, min(n_bins, len(confidence) // 10)))
    n_filled = int(bins.max()) + 1 if len(bins) else 0
    members = [np.flatnonzero(bins == number) for number in range(n_filled)]
    scores = [proportion(right[rows], groups[rows] if groups is not None else None) for rows in members]
    return Reliability(
        confidence=tuple(float(confidence[rows].mean()) for rows in members),
        accuracy=tuple(score.score for score in scores),
        low=tuple(score.low for score in scores),
        high=tuple(score.high for score in scores),
        n=tuple(len(rows) for rows in members),
        ece=expected_error(confidence, right, bins, np.ones(len(right))) if len(right) else math.nan,
    )


def equal_mass_bins(confidence: Numbers, n_bins: int) -> NDArray[np.int64]:
    """(N,) the bin of each example, ascending; equal confidences share one, so that order can't matter."""
    if len(confidence) == 0:
        return np.zeros(0, dtype=np.int64)
    ordered = np.sort(confidence)
    edges = np.unique(ordered[(np.arange(1, n_bins) * len(ordered)) // n_bins])
    bins = np.searchsorted(edges, confidence, side="right")
    return np.unique(bins, return_inverse=True)[1].reshape(-1).astype(np.int64)


def expected_error(confidence: Numbers, right: NDArray[Any], bins: NDArray[np.int64], weights: Numbers) -> float:
    """Mean over examples of |stated confidence - accuracy| of their bin.

    Source: Naeini, Cooper and Hauskrecht 2015, "Obtaining well calibrated probabilities using Bayesian binning".
    """
    gaps = np.bincount(bins, weights=weights * (confidence - right))
    return float(np.abs(gaps).sum() / weights.sum())


def _answers(y: NDArray[Any], probabilities: NDArray[Any]) -> tuple[Numbers, NDArray[np.bool_]]:
    """Probability of each example's answer, and whether it was right."""
    answers = np.argmax(probabilities, axis=1) if len(y) else np.zeros(0, dtype=np.int64)
    confidence = np.asarray(probabilities, dtype=np.float64)[np.arange(len(answers)), answers]
    return confidence, answers == np.asarray(y)


def _softmax(logits: Numbers) -> Numbers:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))
