"""What values have in place of probabilities: a race by squared errors, and an interval in place of `sure`."""

from typing import Any

import numpy as np
import numpy.typing as npt

from bottega.evaluation.conformal import COVERAGE, Interval, split_conformal
from bottega.evaluation.forms import Form
from bottega.evaluation.table_forms import Mixture, Rescaled, Widened

__all__ = ["interval_of", "values_far_behind"]

Numbers = npt.NDArray[np.float64]
FAR = 1.1  # times the leader's rmse on the first fold: who is nearer runs on
STEPS_BEHIND = 3.3  # standard errors of the paired difference, one chance in two thousand


def values_far_behind(answers: Numbers, leader: Numbers, y: npt.NDArray[Any]) -> str | None:
    """Why a candidate need not run on: its squared errors are larger than the leader's, beyond doubt and by much.

    Args:
        answers, leader: (M, 1) values.
        y: (M,) true ones.
    """
    own, lead = np.square(answers[:, 0] - y), np.square(leader[:, 0] - y)
    rmse, best = float(np.sqrt(own.mean())), float(np.sqrt(lead.mean()))
    gaps = own - lead
    if rmse <= FAR * best or gaps.mean() <= STEPS_BEHIND * gaps.std() / np.sqrt(len(y)):
        return None
    return f"far behind on the first fold: rmse {rmse:.4g} against {best:.4g} on {len(y)}"


def interval_of(form: Form, y: npt.NDArray[Any], values: Numbers, *, out_of_fold: bool) -> Interval:
    """The interval around what a form answers; on the logarithm where it was fitted on it.

    Args:
        y, values: (M,) true and predicted, on rows that neither fitted nor chose it.
    """
    one = form.head if isinstance(form, Widened) else form
    one = one.forms[0] if isinstance(one, Mixture) else one
    log, shift = (one.log, one.shift) if isinstance(one, Rescaled) else (False, 0.0)
    y = y.astype(np.float64)
    return split_conformal(y, values, coverage=COVERAGE, log=log, shift=shift, out_of_fold=out_of_fold)
