"""Which candidates a table gets: the rivals that are tried honestly, the networks, and a mixture of the best.

All of them see one view, the encoded matrix of `data.table_preparation`; what else they need (imputation, scaling,
the target's own scale) they learn from the rows that they are fitted on, and carry in their form.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from bottega.evaluation.baselines import fit_majority
from bottega.evaluation.forms import Constant, Form
from bottega.evaluation.table_forms import Dense, Rescaled, Staged
from bottega.evaluation.table_models import (
    fit_boosting,
    fit_dense,
    fit_forest,
    fit_kernel,
    fit_neighbours,
    ridge_path,
)
from bottega.models.table_plans import TABLE_PLANS
from bottega.shipping.tails import dense_model, tail_model
from bottega.training.head import STRENGTHS, fit_softmax, softmax_path
from bottega.workflow.candidates import Setting, Spec
from bottega.workflow.features import engine
from bottega.workflow.mixture import Remembered, mixture_spec

__all__ = ["VIEW", "TableTask", "table_specs"]

Floats = npt.NDArray[np.float32]
Targets = npt.NDArray[Any]
Fitted = tuple[Setting, Form | None]

VIEW = "encoded"
RIDGE = (10.0, 3.0, 1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001, 0.0001)
NEIGHBOURS = (45, 15, 5, 2)
COSTS = (0.3, 1.0, 10.0)  # C of the support vector machine
KERNEL_WORK = 4e9  # rows squared x dense columns, about half a minute of libsvm: above it the machine isn't tried
KERNEL_TUNED = 2e8  # below it every C is tried
FORESTS: tuple[Setting, ...] = (
    {"min_samples_leaf": 1, "max_features": "sqrt"},  # scikit-learn's default
    {"min_samples_leaf": 5, "max_features": 0.5},
)
VALUE_FORESTS: tuple[Setting, ...] = (
    {"min_samples_leaf": 1, "max_features": 1.0},  # scikit-learn's default
    {"min_samples_leaf": 2, "max_features": 0.4},
)
MANY_ROWS = 10_000  # from here on leaves of one row cost the most and foresee the least: they aren't tried
_DEFAULT = {"learning_rate": 0.1, "max_leaf_nodes": 31, "min_samples_leaf": 20, "l2_regularization": 0.0}
BOOSTINGS: tuple[Setting, ...] = (
    {**_DEFAULT, "max_features": 1.0},  # scikit-learn's default
    {**_DEFAULT, "max_leaf_nodes": 12, "l2_regularization": 1.0, "max_features": 0.5},
    {**_DEFAULT, "min_samples_leaf": 5, "l2_regularization": 1.0, "max_features": 0.5},
)
MANY_CLASSES = 8  # as many trees an iteration: from here on one setting with larger steps
QUICK = {**_DEFAULT, "max_features": 1.0, "n_iterations": 60}
SKEWED = 1.0  # skewness of a positive target from which its logarithm is tried


@dataclass(frozen=True)
class TableTask:
    """What candidates need to know beside their rows.

    Attributes:
        n_codes: (D,) codes of each encoded column, 0 for a number.
        n_classes: None for values.
    """

    n_codes: npt.NDArray[np.int64]
    n_classes: int | None
    seed: int
    threads: int

    @property
    def n_outputs(self) -> int:
        """Width of an answer."""
        return self.n_classes or 1

    def answer(self, form: Form, x: Floats) -> npt.NDArray[np.float64]:
        """Scores (N, C) or values (N, 1), by the operators that ship."""
        session = engine(tail_model(form, x.shape[1], self.n_outputs), threads=1)
        chunks = [session.run(None, {"x": x[start : start + 512]})[0] for start in range(0, len(x), 512)]
        return np.concatenate(chunks).astype(np.float64) if chunks else np.zeros((0, self.n_outputs))

    def loss(self, form: Form, x: Floats, y: Targets) -> float:
        """Mean log loss, or mean squared error."""
        scores = self.answer(form, x)
        if self.n_classes is None:
            return float(np.square(scores[:, 0] - y).mean())
        scores = scores - scores.max(1, keepdims=True)
        return float((np.log(np.exp(scores).sum(1)) - scores[np.arange(len(y)), y]).mean())

    def dense(self, x: Floats) -> tuple[Dense, Floats]:
        """Fit the dense stage on these rows; the stage and what it makes of them."""
        stage = fit_dense(x, self.n_codes)
        return stage, self.densified(stage, x)

    def densified(self, stage: Dense, x: Floats) -> Floats:
        """Dense rows, by the operators that ship."""
        z: Floats = engine(dense_model(stage, x.shape[1]), threads=1).run(None, {"x": x})[0]
        return z


def table_specs(task: TableTask, n_rows: int, n_dense: int) -> tuple[list[Spec], list[tuple[Spec, str]]]:
    """The candidates from the simplest to the most complex, and those that the size leaves out, with why.

    Args:
        n_rows: that they will be fitted on, about.
        n_dense: columns of the dense matrix, about.
    """
    values = task.n_classes is None
    plain = [
        _spec(task, "mean" if values else "most frequent class", _Constant(task)),
        _spec(task, "ridge regression" if values else "logistic regression", _Linear(task)),
        _spec(task, "nearest neighbours", _Neighbours(task)),
    ]
    members = [
        Remembered(_spec(task, "random forest", _Forest(task), alone=True)),
        Remembered(_spec(task, "support vector machine", _Kernel(task))),
        Remembered(replace(_spec(task, "gradient boosting", _Boosting(task), alone=True), leads=True)),
        *(Remembered(_spec(task, name, _Network(task, name), "network", alone=True)) for name in TABLE_PLANS),
    ]
    left_out = []
    if n_rows**2 * n_dense > KERNEL_WORK:
        why = f"not tried: on {n_rows:,} rows of {n_dense:,} numbers it would take minutes"
        left_out.append((members.pop(1).spec, why))
    return [*plain, *(member.spec for member in members), mixture_spec(task, members)], left_out


class _Candidate(ABC):
    """One kind of model: `tune` picks a setting, `fit` follows it; `y` is standardised where it is values."""

    def __init__(self, task: TableTask) -> None:
        self.task = task

    @abstractmethod
    def tune(self, x: Floats, y: Targets, x_val: Floats, y_val: Targets) -> Fitted: ...

    @abstractmethod
    def fit(self, x: Floats, y: Targets, setting: Setting) -> Form: ...

    def best(self, settings: Sequence[Setting], x: Floats, y: Targets, x_val: Floats, y_val: Targets) -> Fitted:
        """The setting with the least validation loss, what was tried, and its form."""
        forms = [self.fit(x, y, setting) for setting in settings]
        losses = [self.task.loss(form, x_val, y_val) for form in forms]
        best = int(np.argmin(losses))
        return {**settings[best], "tried": [round(loss, 6) for loss in losses]}, forms[best]


class _Constant(_Candidate):
    def tune(self, x: Floats, y: Targets, *_: Any) -> Fitted:
        return {}, self.fit(x, y, {})

    def fit(self, _: Floats, y: Targets, __: Setting) -> Form:
        return fit_majority(y, self.task.n_classes) if self.task.n_classes else Constant(np.zeros(1, np.float32))


class _Linear(_Candidate):
    def tune(self, x: Floats, y: Targets, x_val: Floats, y_val: Targets) -> Fitted:
        stage, z = self.task.dense(x)
        n_classes = self.task.n_classes
        heads = ridge_path(z, y, RIDGE) if n_classes is None else softmax_path(z, y, n_classes, STRENGTHS)
        losses: list[float] = []
        kept: Form | None = None
        for head in heads:
            form = Staged(stage, head)
            losses.append(self.task.loss(form, x_val, y_val))
            kept = form if losses[-1] == min(losses) else kept
        strengths = RIDGE if n_classes is None else STRENGTHS
        return {"strength": strengths[int(np.argmin(losses))], "tried": [round(loss, 6) for loss in losses]}, kept

    def fit(self, x: Floats, y: Targets, setting: Setting) -> Form:
        stage, z = self.task.dense(x)
        if self.task.n_classes is None:
            return Staged(stage, ridge_path(z, y, [setting["strength"]])[0])
        return Staged(stage, fit_softmax(z, y, self.task.n_classes, setting["strength"]))


class _Neighbours(_Candidate):
    def tune(self, x: Floats, y: Targets, x_val: Floats, y_val: Targets) -> Fitted:
        return self.best([{"k": k} for k in NEIGHBOURS], x, y, x_val, y_val)

    def fit(self, x: Floats, y: Targets, setting: Setting) -> Form:
        stage, z = self.task.dense(x)
        head = fit_neighbours(z, y, setting["k"], n_classes=self.task.n_classes, seed=self.task.seed)
        return Staged(stage, head)


class _Forest(_Candidate):
    def tune(self, x: Floats, y: Targets, x_val: Floats, y_val: Targets) -> Fitted:
        settings = VALUE_FORESTS if self.task.n_classes is None else FORESTS
        return self.best(settings[1:] if len(x) > MANY_ROWS else settings, x, y, x_val, y_val)

    def fit(self, x: Floats, y: Targets, setting: Setting) -> Form:
        task = self.task
        return fit_forest(x, y, setting, n_classes=task.n_classes, seed=task.seed, threads=task.threads)


class _Kernel(_Candidate):
    def tune(self, x: Floats, y: Targets, x_val: Floats, y_val: Targets) -> Fitted:
        work = len(x) ** 2 * len(self.task.n_codes)
        costs = COSTS if work < KERNEL_TUNED else COSTS[-1:] if (self.task.n_classes or 2) > 2 else COSTS[1:2]
        return self.best([{"C": c, "gamma": 1.0} for c in costs], x, y, x_val, y_val)

    def fit(self, x: Floats, y: Targets, setting: Setting) -> Form:
        stage, z = self.task.dense(x)
        if self.task.n_classes is not None and len(np.unique(y)) < 2:
            return fit_majority(y, self.task.n_classes)
        return Staged(stage, fit_kernel(z, y, setting, n_classes=self.task.n_classes))


class _Boosting(_Candidate):
    def tune(self, x: Floats, y: Targets, x_val: Floats, y_val: Targets) -> Fitted:
        task = self.task
        settings = BOOSTINGS
        if (task.n_classes or 0) >= MANY_CLASSES:
            settings = ({**BOOSTINGS[0], "learning_rate": 0.3, "max_leaf_nodes": 12},)
        tried = []
        for setting in settings:
            fitted = fit_boosting(
                x, y, task.n_codes, setting, n_classes=task.n_classes, seed=task.seed, val=(x_val, y_val)
            )
            tried.append((fitted.loss, {**setting, "n_iterations": fitted.n_iterations}, fitted.trees))
        _, setting, trees = min(tried, key=lambda one: one[0])
        return {**setting, "tried": [round(loss, 6) for loss, _, _ in tried]}, trees

    def fit(self, x: Floats, y: Targets, setting: Setting) -> Form:
        task = self.task
        return fit_boosting(x, y, task.n_codes, setting, n_classes=task.n_classes, seed=task.seed).trees


class _Network(_Candidate):
    def __init__(self, task: TableTask, name: str) -> None:
        super().__init__(task)
        self.plan = TABLE_PLANS[name]

    def tune(self, x: Floats, y: Targets, x_val: Floats, y_val: Targets) -> Fitted:
        from bottega.training.precision import working
        from bottega.training.table_fit import Held, fit_table_network, layout_of

        stage, z = self.task.dense(x)
        known = y_val >= 0 if self.task.n_classes is not None else np.ones(len(y_val), bool)
        held = Held(self.task.densified(stage, x_val[known]), y_val[known])
        task, layout = self.task, layout_of(stage)
        with working(1, task.seed):  # on batches this small a second thread gains nothing, and would change last bits
            fitted = fit_table_network(z, y, self.plan, layout, n_classes=task.n_classes, seed=task.seed, until=held)
        return {"epoch": fitted.epoch, "epochs": fitted.epochs}, Staged(stage, fitted.form)

    def fit(self, x: Floats, y: Targets, setting: Setting) -> Form:
        from bottega.training.precision import working
        from bottega.training.table_fit import fit_table_network, layout_of

        stage, z = self.task.dense(x)
        task, layout, epoch = self.task, layout_of(stage), setting["epoch"]
        with working(1, task.seed):
            fitted = fit_table_network(z, y, self.plan, layout, n_classes=task.n_classes, seed=task.seed, until=epoch)
        return Staged(stage, fitted.form)


def _spec(
    task: TableTask,
    name: str,
    candidate: _Candidate,
    kind: Literal["network", "baseline"] = "baseline",
    *,
    alone: bool = False,
) -> Spec:
    """A candidate as the contest takes it; one for values finds the target's scale first."""
    if task.n_classes is not None:
        return Spec(name, kind, VIEW, candidate.fit, candidate.tune, alone, leads=False)
    on_scale = _OnScale(task, candidate, quick=kind == "network")
    return Spec(name, kind, VIEW, on_scale.fit, on_scale.tune, alone, leads=False)


class _OnScale:
    """A candidate for values: it sees them standardised, as logarithms where validation says that this is better.

    Args:
        quick: let a small boosting decide between the two, where the candidate itself is dear.
    """

    def __init__(self, task: TableTask, candidate: _Candidate, *, quick: bool) -> None:
        self.task = task
        self.candidate = candidate
        self.quick = quick

    def tune(self, x: Floats, y: Targets, x_val: Floats, y_val: Targets) -> Fitted:
        scales = [_scale(y, log=False)]
        if _is_skewed(y):
            scales.append(_scale(y, log=True))
        if len(scales) > 1 and self.quick:
            scales = [min(scales, key=lambda scale: self._quick_loss(scale, x, y, x_val, y_val))]
        found = []
        for scale in scales:
            setting, form = self.candidate.tune(x, scale.inwards(y), x_val, scale.inwards(y_val))
            form = form if form is not None else self.candidate.fit(x, scale.inwards(y), setting)
            found.append(({**setting, "log": scale.log}, scale.outwards(form)))
        losses = [self.task.loss(form, x_val, y_val) for _, form in found]
        return found[int(np.argmin(losses))]

    def fit(self, x: Floats, y: Targets, setting: Setting) -> Form:
        scale = _scale(y, log=setting["log"])
        return scale.outwards(self.candidate.fit(x, scale.inwards(y), setting))

    def _quick_loss(self, scale: "_Scale", x: Floats, y: Targets, x_val: Floats, y_val: Targets) -> float:
        n_codes = self.task.n_codes
        fitted = fit_boosting(x, scale.inwards(y), n_codes, QUICK, n_classes=None, seed=self.task.seed)
        return self.task.loss(scale.outwards(fitted.trees), x_val, y_val)


@dataclass(frozen=True)
class _Scale:
    mean: float
    spread: float
    log: bool
    shift: float

    def inwards(self, y: Targets) -> npt.NDArray[np.float32]:
        """Standardised; a validation value below all of training stays finite."""
        values = np.log(np.maximum(y + self.shift, 1e-6 * self.spread)) if self.log else y
        return ((values - self.mean) / self.spread).astype(np.float32)

    def outwards(self, form: Form) -> Form:
        return Rescaled(form, self.mean, self.spread, self.log, self.shift)


def _scale(y: Targets, *, log: bool) -> _Scale:
    shift = 1.0 if log and y.min() == 0 else 0.0  # counts
    values = np.log(y + shift) if log else y
    spread = float(values.std())
    return _Scale(float(values.mean()), spread if spread > 0 else 1.0, log, shift)


def _is_skewed(y: Targets) -> bool:
    """Positive (or a count) with a long tail to the right."""
    spread = float(y.std())
    return bool(y.min() >= 0 and spread > 0 and np.mean(((y - y.mean()) / spread) ** 3) > SKEWED)
