"""The rival that every split by time needs: the same as last time."""

import numpy as np
import numpy.typing as npt

from bottega.evaluation.intervals import difference, interval
from bottega.problem.records import Candidate
from bottega.workflow.candidates import Material
from bottega.workflow.judge import Tested

__all__ = ["LAST", "last_value"]

LAST = "same as last time"
SURE = 0.99  # probability that it gives its answer: of 1, a single error would be infinitely wrong in log loss


def last_value(
    material: Material, tested: Tested, moments: npt.NDArray[np.float64], *, metric: str
) -> Candidate | None:
    """Answer each test row with the target of the latest row before it; None where a test row has none before it.

    Args:
        moments: (N,) of each example, ascending with time.
    Returns:
        A candidate that can't ship, since a file knows no last time; scored on the same rows.
    """
    order = np.argsort(moments, kind="stable")
    order = order[np.isfinite(moments[order])]
    rows = tested.rows
    before = np.searchsorted(moments[order], moments[rows], side="left") - 1
    if len(rows) == 0 or (before < 0).any():
        return None
    y = material.y[order[before]]
    said = y.astype(np.float64) if not material.classes else _shares(y, material.n_classes)
    truth, groups, measure = material.y[rows], material.groups[rows], material.measure(metric, rows)
    score = interval(measure, truth, said, groups, 0)
    gap = difference(measure, truth, tested.predictions, said, groups)
    return Candidate(LAST, "baseline", None, score, 0.0, None, None, gap)


def _shares(y: npt.NDArray[np.int64], n_classes: int) -> npt.NDArray[np.float64]:
    shares = np.full((len(y), n_classes), (1 - SURE) / (n_classes - 1))
    known = np.flatnonzero(y >= 0)
    shares[known, y[known]] = SURE
    return shares
