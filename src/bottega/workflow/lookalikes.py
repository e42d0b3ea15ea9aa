"""Shots of one scene or object that no comparison of pixels can find: the network finds them, and their effect is told.

They are not kept together by the split, since a network's likeness is a matter of degree; what they do to the score is
measured instead.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bottega.evaluation.intervals import interval
from bottega.evaluation.metrics import METRICS
from bottega.evaluation.wording import percent, percent_range
from bottega.problem.records import Score, Suspect
from bottega.workflow.candidates import Material

__all__ = ["Lookalikes", "find_lookalikes"]

LIKENESS = 0.6  # cosine of standardised features; on frames of films and photos of objects nearly all such pairs are
# shots of one scene or thing, on photos of flowers many are not: so the effect decides what is said, not the share
LEAST_SHARE = 0.02  # of the test part
LEAST_EFFECT = 0.003  # of the score
CHUNK = 256


@dataclass(frozen=True)
class Lookalikes:
    """Test pictures with a look-alike among the others, and the score without them."""

    n_test: int
    n_with: int
    all: Score
    without: Score

    @property
    def share(self) -> float:
        """Of the test part."""
        return self.n_with / self.n_test

    def suspect(self) -> Suspect | None:
        """What to tell, where the look-alikes flatter the score."""
        gain = self.all.score - self.without.score
        if (gain if self.all.higher_is_better else -gain) < LEAST_EFFECT:
            return None
        without = self.without
        return Suspect(
            kind="group",
            where=f"{self.n_with} of {self.n_test} test pictures",
            evidence=f"{percent(self.share)} of the test pictures look, to the network, much like a training picture: "
            "perhaps the same scene or object. Without them the score is "
            f"{percent(without.score, without.low, without.high)} ({percent_range(without.low, without.high)})",
            fix="name what belongs together: --group-by REGEX on the file names, or a sub-folder for each scene",
        )


def find_lookalikes(
    material: Material,
    tested: npt.NDArray[np.int64],
    probabilities: npt.NDArray[np.float64],
    seen: npt.NDArray[np.int64],
    *,
    metric: str,
) -> Lookalikes | None:
    """Measure what look-alikes do to the score.

    Args:
        tested: (T,) rows of the test part.
        probabilities: (T, C) of what ships.
        seen: rows that training saw.
    Returns:
        None without a network's vectors, or where hardly any, or nearly all, test pictures have a look-alike.
    """
    x = material.views.get("network")
    measure = METRICS[metric]
    if x is None or len(seen) == 0 or not measure.is_share:
        return None
    mean, scale = x[seen].mean(0), np.maximum(x[seen].std(0), 1e-4)
    others = _units((x[seen] - mean) / scale)
    alike = np.zeros(len(tested), bool)
    for start in range(0, len(tested), CHUNK):
        rows = tested[start : start + CHUNK]
        likeness = _units((x[rows] - mean) / scale) @ others.T  # (chunk, S)
        alike[start : start + CHUNK] = likeness.max(1) >= LIKENESS
    n_with = int(alike.sum())
    if not LEAST_SHARE * len(tested) <= n_with <= 0.9 * len(tested):
        return None
    y, groups = material.y[tested], material.groups[tested]
    scores = [
        interval(measure, y[rows], probabilities[rows], groups[rows], 0) for rows in (np.arange(len(tested)), ~alike)
    ]
    return Lookalikes(len(tested), n_with, *scores)


def _units(x: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    units: npt.NDArray[np.float32] = x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12)
    return units
