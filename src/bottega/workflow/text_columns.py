"""One layer of two: on the features of a text, and on the few columns beside it, which many features would drown."""

from typing import Protocol

import numpy as np
import numpy.typing as npt

from bottega.evaluation.calibration import fit_temperature
from bottega.evaluation.forms import Form, Softmax
from bottega.workflow.candidates import Setting, answer

__all__ = ["JoinedHead"]

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]
SHARES = (0.0, 0.25, 0.5, 1.0, 2.0)  # how much the calibrated scores of the columns count beside those of the texts


class Head(Protocol):
    """What fits a softmax layer."""

    def tune(self, x: Floats, y: Integers, x_val: Floats, y_val: Integers) -> tuple[Setting, Form | None]:
        """The best strength on validation, and the layer."""

    def fit(self, x: Floats, y: Integers, setting: Setting) -> Softmax:
        """The layer again, on other rows."""


class Losses(Protocol):
    """What is known about the task."""

    @property
    def n_classes(self) -> int:
        """How many."""

    def loss(self, scores: npt.NDArray[np.float64], y: Integers) -> float:
        """Log loss."""


class JoinedHead:
    """Two layers whose scores are added, kept as one.

    One penalty for all would hold a telling column as small as one of a thousand features.

    Args:
        head: fits each of the two.
        n_columns: last columns of x, those beside the texts.
    """

    def __init__(self, task: Losses, head: Head, n_columns: int) -> None:
        self.task = task
        self.head = head
        self.n_columns = n_columns

    def tune(self, x: Floats, y: Integers, x_val: Floats, y_val: Integers) -> tuple[Setting, Form | None]:
        """Each on its own, then how much the columns count."""
        n, k = -self.n_columns, self.task.n_classes
        setting, first = self.head.tune(x[:, :n], y, x_val[:, :n], y_val)
        beside, second = self.head.tune(x[:, n:], y, x_val[:, n:], y_val)
        if not isinstance(first, Softmax) or not isinstance(second, Softmax):
            raise TypeError("tuning gave no layer")
        both = answer(first, x_val[:, :n], k), answer(second, x_val[:, n:], k)
        unit = fit_temperature(both[0], y_val) / fit_temperature(both[1], y_val)  # the penalties differ, so do scales
        losses = [self.task.loss(both[0] + share * unit * both[1], y_val) for share in SHARES]
        share = float(SHARES[int(np.argmin(losses))] * unit)
        setting = {**setting, "columns": beside["strength"], "columns_share": share}
        return setting, _joined(first, second, share)

    def fit(self, x: Floats, y: Integers, setting: Setting) -> Softmax:
        """Both again, on other rows."""
        n = -self.n_columns
        second = self.head.fit(x[:, n:], y, {**setting, "strength": setting["columns"]})
        return _joined(self.head.fit(x[:, :n], y, setting), second, setting["columns_share"])


def _joined(first: Softmax, second: Softmax, share: float) -> Softmax:
    return Softmax(
        np.concatenate([first.mean, second.mean]),
        np.concatenate([first.scale, second.scale]),
        np.concatenate([first.weight, second.weight * np.float32(share)]),
        first.bias + second.bias * np.float32(share),
    )
