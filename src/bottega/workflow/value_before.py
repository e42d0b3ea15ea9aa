"""The rival that rows cut from one series need: the last value of the row's own window, said again."""

from typing import Any

import numpy as np
import numpy.typing as npt

from bottega.data.table_links import View
from bottega.data.table_windows import find_windows
from bottega.evaluation.forms import Form
from bottega.evaluation.table_forms import Dense, Linear, Staged
from bottega.workflow.candidates import Setting, Spec
from bottega.workflow.table_specs import VIEW
from bottega.workflow.table_trial import LookedTable

__all__ = ["BEFORE", "end_of_window", "value_before"]

BEFORE = "same as the value before"
Floats = npt.NDArray[np.float32]
Targets = npt.NDArray[Any]


def end_of_window(looked: LookedTable) -> str | None:
    """The column next to the target, where the rows are windows over one series that the target goes on with.

    None under a split by time, which has a rival of its own, the target of the row before.
    """
    if len(looked.moments) or not looked.is_value or all(one.kind != "windows" for one in looked.look.suspects):
        return None
    windows = find_windows(View(looked.table, ()))
    return None if windows is None or not windows.nearest else windows.nearest


def value_before(place: int) -> Spec:
    """Answer with one column of the row; with the mean target where its cell is missing.

    Unlike "same as last time" it needs no other row, so a file can hold it.

    Args:
        place: of the column in the encoded matrix.
    """

    def fit(x: Floats, y: Targets, _: Setting, weights: npt.NDArray[np.float64] | None = None) -> Form:
        values = x[:, place].astype(np.float64)
        known = values[np.isfinite(values)]
        middle, spread = (float(known.mean()), float(known.std()) or 1.0) if len(known) else (0.0, 1.0)
        said, centre, scale = (np.array([one], np.float32) for one in (np.average(y, weights=weights), middle, spread))
        none = np.zeros(0, np.int64)
        stage = Dense(np.array([place]), said, centre, scale, none, none, none.astype(np.float32))
        return Staged(stage, Linear(np.array([[spread]], np.float32), np.array([middle], np.float32)))

    return Spec(BEFORE, "baseline", VIEW, fit, weighs=True)
