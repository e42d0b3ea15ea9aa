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
from bottega.workflow.table_tuning import HELD_SHARE, SPACES, Spent, Study, TrialBudget, inner_parts

__all__ = ["NAME", "Kind", "Tunable", "tuned_spec"]

NAME = "best one, tuned"
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
        untuned = self._untuned(rows, val, weights)
        starts = {name: {key: v for key, v in one.items() if key != "tried"} for name, one in untuned.items()}
        studies = {name: Study(SPACES[name], start, seed=self.task.seed) for name, start in starts.items()}
        spent = {name: self._unspent(name, one) for name, one in untuned.items()}
        self._search(studies, starts, rows, spent)
        tried = {name: study.n for name, study in studies.items() if study.n}
        name = min(studies, key=lambda one: studies[one].best_loss)  # of none tried, the best one untuned
        setting = {**starts[name], **studies[name].best}
        setting, form = self.kinds[name].own.under(rows, val, setting)
        return {"kind": name, "trials": tried, "setting": setting}, form

    def fit(
        self, x: npt.NDArray[np.float32], y: npt.NDArray[np.float64], setting: Setting, weights: Numbers | None = None
    ) -> Form:
        return self.kinds[setting["kind"]].own.fit(Rows(x, y, weights), setting["setting"])

    def _untuned(self, rows: Rows, val: Rows, weights: tuple[Numbers, ...]) -> dict[str, Setting]:
        """Each kind with the setting that its untuned candidate has, the best one first."""
        known = {name: kind.untuned for name, kind in self.kinds.items() if kind.untuned.is_known}
        untuned = {name: one.tune(*rows[:2], *val[:2], *weights) for name, one in (known or self._first()).items()}
        losses = {name: self.task.loss(form, _known(val)) for name, (_, form) in untuned.items()}
        return {name: untuned[name][0] for name in sorted(losses, key=lambda name: losses[name])}

    def _unspent(self, name: str, setting: Setting) -> Spent:
        """What trials of a kind may take, from what its untuned candidate took for all that it tried."""
        untuned = self.kinds[name].untuned
        seconds = untuned.tune_seconds / max(1, len(setting.get("tried", ())))
        return Spent(seconds * (1 - HELD_SHARE), min(1.0, untuned.fit_seconds / seconds) if seconds else 1.0)

    def _first(self) -> dict[str, Remembered]:
        name = next(iter(self.kinds))
        return {name: self.kinds[name].untuned}

    def _search(
        self, studies: Mapping[str, Study], starts: Mapping[str, Setting], rows: Rows, spent: Mapping[str, Spent]
    ) -> None:
        """Trials, as many as the budget has."""
        inner, held = inner_parts(rows, seed=self.task.seed)
        self.budget.open()
        while (name := self.budget.next(spent)) is not None:
            begun = time.perf_counter()
            self.budget.tell(f"tuning {name}: trial {1 + sum(one.n for one in spent.values())}")
            setting = studies[name].ask()
            _, form = self.kinds[name].own.under(inner, held, {**starts[name], **setting})
            loss = self.task.loss(form, _known(held))
            studies[name].tell(setting, loss)
            spent[name].add(time.perf_counter() - begun, loss)
        self.budget.close(spent)


def _known(val: Rows) -> Rows:
    """Without labels that the fitted rows don't have."""
    if val.y.dtype.kind not in "iu" or (val.y >= 0).all():
        return val
    kept = val.y >= 0
    return Rows(val.x[kept], val.y[kept], None if val.weights is None else val.weights[kept])
