"""The tuned candidate: of the kinds that did best untuned, the best setting that trials found."""

import time
from collections.abc import Mapping
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from bottega.evaluation.forms import Form
from bottega.evaluation.table_models import Rows
from bottega.workflow.candidates import Setting, Spec
from bottega.workflow.mixture import Remembered
from bottega.workflow.table_tuning import SPACES, Study, TrialBudget, inner_parts

__all__ = ["NAME", "Kind", "Tunable", "tuned_spec"]

NAME = "best one, tuned"
N_KINDS = 2  # that are tuned
Numbers = npt.NDArray[np.float64]
Fitted = tuple[Setting, Form | None]


class Tunable(Protocol):
    """One kind of model, which can be fitted under a stated setting."""

    def under(self, rows: Rows, val: Rows, setting: Setting, /) -> tuple[Setting, Form]:
        """Fit under a setting, stopped early by the validation part where the kind is."""

    def fit(self, rows: Rows, setting: Setting) -> Form:
        """Fit under what `under` gave back."""


class Task(Protocol):
    """What tuning asks of a task."""

    @property
    def seed(self) -> int: ...

    def loss(self, form: Form, rows: Rows) -> float: ...


class Kind(NamedTuple):
    """A kind of model with its untuned candidate, which is fitted already."""

    untuned: Remembered
    own: Tunable


def tuned_spec(task: Task, kinds: Mapping[str, Kind], budget: TrialBudget) -> Spec:
    """The tuned candidate; it stands last, so that of tied ones a simpler one ships."""
    tuner = _Tuner(task, kinds, budget)
    view = next(iter(kinds.values())).untuned.spec.view
    return Spec(NAME, "baseline", view, tuner.fit, tuner.tune, alone=True, leads=False, weighs=True)


class _Tuner:
    def __init__(self, task: Task, kinds: Mapping[str, Kind], budget: TrialBudget) -> None:
        self.task = task
        self.kinds = kinds
        self.budget = budget

    def tune(
        self,
        x: npt.NDArray[np.float32],
        y: npt.NDArray[np.float64],
        x_val: npt.NDArray[np.float32],
        y_val: npt.NDArray[np.float64],
        *weights: Numbers,
    ) -> Fitted:
        both = weights or (None, None)
        rows, val = Rows(x, y, both[0]), Rows(x_val, y_val, both[1])
        starts = self._starts(rows, val, weights)
        studies = {name: Study(SPACES[name], start, seed=self.task.seed) for name, start in starts.items()}
        self._search(studies, starts, rows)
        tried = {name: study.n for name, study in studies.items()}
        name = min(studies, key=lambda one: studies[one].best_loss)
        setting = {**starts[name], **studies[name].best}
        setting, form = self.kinds[name].own.under(rows, val, setting)
        return {"kind": name, "trials": tried, "setting": setting}, form

    def fit(
        self, x: npt.NDArray[np.float32], y: npt.NDArray[np.float64], setting: Setting, weights: Numbers | None = None
    ) -> Form:
        return self.kinds[setting["kind"]].own.fit(Rows(x, y, weights), setting["setting"])

    def _starts(self, rows: Rows, val: Rows, weights: tuple[Numbers, ...]) -> dict[str, Setting]:
        """The kinds that are tuned, each with the setting that its untuned candidate has."""
        known = {name: kind.untuned for name, kind in self.kinds.items() if kind.untuned.is_known}
        untuned = {name: one.tune(*rows[:2], *val[:2], *weights) for name, one in (known or self._first()).items()}
        losses = {name: self.task.loss(form, _known(val)) for name, (_, form) in untuned.items()}
        best = sorted(losses, key=lambda name: losses[name])[:N_KINDS]
        return {name: {key: v for key, v in untuned[name][0].items() if key != "tried"} for name in best}

    def _first(self) -> dict[str, Remembered]:
        name = next(iter(self.kinds))
        return {name: self.kinds[name].untuned}

    def _search(self, studies: Mapping[str, Study], starts: Mapping[str, Setting], rows: Rows) -> None:
        """Trials in turn, as many as the budget has."""
        inner, held = inner_parts(rows, seed=self.task.seed)
        names, n_done, slowest = list(studies), 0, 0.0
        while self.budget.goes_on(n_done, slowest):
            name, begun = names[n_done % len(names)], time.perf_counter()
            self.budget.tell(f"tuning {name}: trial {n_done + 1}")
            setting = studies[name].ask()
            _, form = self.kinds[name].own.under(inner, held, {**starts[name], **setting})
            studies[name].tell(setting, self.task.loss(form, _known(held)))
            slowest = max(slowest, time.perf_counter() - begun)
            n_done += 1
        self.budget.settle(n_done)


def _known(val: Rows) -> Rows:
    """Without labels that the fitted rows don't have."""
    if val.y.dtype.kind not in "iu" or (val.y >= 0).all():
        return val
    kept = val.y >= 0
    return Rows(val.x[kept], val.y[kept], None if val.weights is None else val.weights[kept])
