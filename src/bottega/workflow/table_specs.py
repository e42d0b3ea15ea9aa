"""Which candidates a table gets: the rivals that are tried honestly, the networks, and a mixture of the best.

All of them see one view, the encoded matrix of `data.table_preparation`; what else they need (imputation, scaling,
the target's own scale) they learn from the rows that they are fitted on, and carry in their form.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from bottega.evaluation.baselines import fit_majority
from bottega.evaluation.forms import Constant, Form
from bottega.evaluation.table_forms import Dense, Rescaled, Staged
from bottega.evaluation.table_models import (
    Boosting,
    Rows,
    fit_boosting,
    fit_dense,
    fit_forest,
    fit_kernel,
    fit_neighbours,
    ridge_path,
)
from bottega.models.table_plans import TABLE_PLANS
from bottega.shipping.tails import dense_model, tail_model
from bottega.training.head import STRENGTHS, softmax_path
from bottega.workflow.candidates import Setting, Spec
from bottega.workflow.features import engine
from bottega.workflow.mixture import Remembered, mixture_spec
from bottega.workflow.table_pace import BoostingPace
from bottega.workflow.table_tuned import Kind, tuned_spec
from bottega.workflow.table_tuning import TrialBudget

if TYPE_CHECKING:
    from bottega.training.table_fit import FittedNetwork

__all__ = ["VIEW", "TableTask", "is_skewed", "table_specs"]

Floats = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.float64]
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
PLANNED = ("learning_rate", "dropout", "width", "depth")  # of a network's plan, where it is tuned
ROOM = 0.1  # of the span of the logarithms that training saw: so far above the largest an answer may lie
SKEWED = 1.0  # skewness of a positive target from which its logarithm is tried


@dataclass(frozen=True)
class TableTask:
    """What candidates need to know beside their rows.

    Attributes:
        n_codes: (D,) codes of each encoded column, 0 for a number.
        n_classes: None for values.
        trials: for tuning the best kinds; None for none.
        pace: under a time limit, how much work gradient boosting gets.
    """

    n_codes: npt.NDArray[np.int64]
    n_classes: int | None
    seed: int
    threads: int
    trials: TrialBudget | None = None
    pace: BoostingPace | None = None

    @property
    def n_outputs(self) -> int:
        """Width of an answer."""
        return self.n_classes or 1

    def answer(self, form: Form, x: Floats) -> npt.NDArray[np.float64]:
        """Scores (N, C) or values (N, 1), by the operators that ship."""
        session = engine(tail_model(form, x.shape[1], self.n_outputs), threads=1)
        chunks = [session.run(None, {"x": x[start : start + 512]})[0] for start in range(0, len(x), 512)]
        return np.concatenate(chunks).astype(np.float64) if chunks else np.zeros((0, self.n_outputs))

    def loss(self, form: Form, rows: Rows) -> float:
        """Mean log loss, or mean squared error."""
        scores, y = self.answer(form, rows.x), rows.y
        if self.n_classes is None:
            return _mean(np.square(scores[:, 0] - y), rows.weights)
        scores = scores - scores.max(1, keepdims=True)
        return _mean(np.log(np.exp(scores).sum(1)) - scores[np.arange(len(y)), y], rows.weights)

    def dense(self, x: Floats) -> tuple[Dense, Floats]:
        """Fit the dense stage on these rows; the stage and what it makes of them."""
        stage = fit_dense(x, self.n_codes)
        return stage, self.densified(stage, x)

    def densified(self, stage: Dense, x: Floats) -> Floats:
        """Dense rows, by the operators that ship."""
        z: Floats = engine(dense_model(stage, x.shape[1]), threads=1).run(None, {"x": x})[0]
        return z


def _mean(losses: Numbers, weights: Numbers | None) -> float:
    return float(losses.mean() if weights is None else np.average(losses, weights=weights))


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
    kinds: dict[str, _Candidate] = {
        "random forest": _Forest(task),
        "support vector machine": _Kernel(task),
        "gradient boosting": _Boosting(task),
        **{name: _Network(task, name) for name in TABLE_PLANS},
    }
    specs = {name: _spec(task, name, one) for name, one in kinds.items()}
    left_out, work = [], n_rows**2 * n_dense
    if work > KERNEL_WORK:
        why = f"not tried: on {n_rows:,} rows of {n_dense:,} numbers it would take minutes"
        left_out.append((specs.pop("support vector machine"), why))
    members = [Remembered(spec) for spec in specs.values()]
    everyone = [*plain, *(member.spec for member in members), mixture_spec(task, members)]
    if task.trials is not None:
        own = {member.spec.name: Kind(member, _own(task, kinds[member.spec.name])) for member in members}
        if work > KERNEL_TUNED:
            own.pop("support vector machine", None)
        tuned = tuned_spec(task, own, task.trials)
        if find_spec("optuna") is None:
            left_out.append((tuned, "not tried: tuning needs optuna: pip install optuna"))
        else:
            everyone.append(tuned)
    return everyone, left_out


class _Candidate(ABC):
    """One kind of model: `tune` picks a setting, `fit` follows it; targets are standardised where they are values."""

    kind: Literal["network", "baseline"] = "baseline"
    weighs = True  # whether it takes how much rows count
    alone = False  # as `Spec.alone`
    leads = False  # as `Spec.leads`

    def __init__(self, task: TableTask) -> None:
        self.task = task

    @abstractmethod
    def tune(self, rows: Rows, val: Rows) -> Fitted: ...

    @abstractmethod
    def fit(self, rows: Rows, setting: Setting) -> Form: ...

    def under(self, rows: Rows, _: Rows, setting: Setting, /) -> tuple[Setting, Form]:
        """Fit under a setting; kinds that are stopped early ask the validation part when."""
        return setting, self.fit(rows, setting)

    def best(self, settings: Sequence[Setting], rows: Rows, val: Rows) -> Fitted:
        """The setting with the least validation loss, what was tried, and its form."""
        forms = [self.fit(rows, setting) for setting in settings]
        losses = [self.task.loss(form, val) for form in forms]
        best = int(np.argmin(losses))
        return {**settings[best], "tried": [round(loss, 6) for loss in losses]}, forms[best]


class _Constant(_Candidate):
    def tune(self, rows: Rows, _: Rows) -> Fitted:
        return {}, self.fit(rows, {})

    def fit(self, rows: Rows, _: Setting) -> Form:
        n_classes = self.task.n_classes
        return fit_majority(rows.y, n_classes, rows.weights) if n_classes else Constant(np.zeros(1, np.float32))


class _Linear(_Candidate):
    def tune(self, rows: Rows, val: Rows) -> Fitted:
        strengths = RIDGE if self.task.n_classes is None else STRENGTHS
        losses: list[float] = []
        kept: Form | None = None
        for form in self._path(rows, strengths):
            losses.append(self.task.loss(form, val))
            kept = form if losses[-1] == min(losses) else kept
        return {"strength": strengths[int(np.argmin(losses))], "tried": [round(loss, 6) for loss in losses]}, kept

    def fit(self, rows: Rows, setting: Setting) -> Form:
        return next(iter(self._path(rows, [setting["strength"]])))

    def _path(self, rows: Rows, strengths: Sequence[float]) -> Iterator[Form]:
        stage, z = self.task.dense(rows.x)
        n_classes = self.task.n_classes
        if n_classes is None:
            return (Staged(stage, head) for head in ridge_path(z, rows.y, strengths, rows.weights))
        path = softmax_path(z, rows.y, n_classes, strengths, row_weights=rows.weights)
        return (Staged(stage, head) for head in path)


class _Neighbours(_Candidate):
    weighs = False

    def tune(self, rows: Rows, val: Rows) -> Fitted:
        return self.best([{"k": k} for k in NEIGHBOURS], rows, val)

    def fit(self, rows: Rows, setting: Setting) -> Form:
        stage, z = self.task.dense(rows.x)
        head = fit_neighbours(z, rows.y, setting["k"], n_classes=self.task.n_classes, seed=self.task.seed)
        return Staged(stage, head)


class _Forest(_Candidate):
    alone = True

    def tune(self, rows: Rows, val: Rows) -> Fitted:
        settings = VALUE_FORESTS if self.task.n_classes is None else FORESTS
        return self.best(settings[1:] if len(rows.x) > MANY_ROWS else settings, rows, val)

    def fit(self, rows: Rows, setting: Setting) -> Form:
        task, (x, y, weights) = self.task, rows
        n_classes, seed, threads = task.n_classes, task.seed, task.threads
        return fit_forest(x, y, setting, n_classes=n_classes, seed=seed, threads=threads, weights=weights)


class _Kernel(_Candidate):
    def tune(self, rows: Rows, val: Rows) -> Fitted:
        work = len(rows.x) ** 2 * len(self.task.n_codes)
        costs = COSTS if work < KERNEL_TUNED else COSTS[-1:] if (self.task.n_classes or 2) > 2 else COSTS[1:2]
        return self.best([{"C": c, "gamma": 1.0} for c in costs], rows, val)

    def fit(self, rows: Rows, setting: Setting) -> Form:
        x, y, weights = _counting(rows)
        stage, z = self.task.dense(x)
        if self.task.n_classes is not None and len(np.unique(y)) < 2:
            return fit_majority(y, self.task.n_classes, weights)
        return Staged(stage, fit_kernel(z, y, setting, n_classes=self.task.n_classes, weights=weights))


class _Boosting(_Candidate):
    alone = leads = True

    def tune(self, rows: Rows, val: Rows) -> Fitted:
        settings = BOOSTINGS
        if (self.task.n_classes or 0) >= MANY_CLASSES:
            settings = ({**BOOSTINGS[0], "learning_rate": 0.3, "max_leaf_nodes": 12},)
        quick = settings[1:2] or settings
        most = self._most_iterations(rows, settings, quick[0])
        tried = []
        for setting in settings if most is None else [{**quick[0], "most_iterations": most}]:
            fitted = self._fitted(rows, setting, val)
            tried.append((fitted.loss, {**setting, "n_iterations": fitted.n_iterations}, fitted.trees))
        _, setting, trees = min(tried, key=lambda one: one[0])
        return {**setting, "tried": [round(loss, 6) for loss, _, _ in tried]}, trees

    def fit(self, rows: Rows, setting: Setting) -> Form:
        return self._fitted(rows, setting).trees

    def under(self, rows: Rows, val: Rows, setting: Setting, /) -> tuple[Setting, Form]:
        fitted = self._fitted(rows, setting, val)
        return {**setting, "n_iterations": fitted.n_iterations}, fitted.trees

    def _most_iterations(self, rows: Rows, settings: Sequence[Setting], quick: Setting) -> int | None:
        """Where a time limit has no room for the usual work."""
        if self.task.pace is None:
            return None
        import sklearn.ensemble  # noqa: F401 (so that the first short fit doesn't pay for it)

        def short(setting: Setting) -> Callable[[int], object]:
            return lambda n: self._fitted(rows, {**setting, "n_iterations": n})

        return self.task.pace.most_iterations(len(settings), short(settings[0]), short(quick))

    def _fitted(self, rows: Rows, setting: Setting, val: Rows | None = None) -> Boosting:
        task = self.task
        return fit_boosting(rows, task.n_codes, setting, n_classes=task.n_classes, seed=task.seed, val=val)


class _Network(_Candidate):
    kind = "network"
    alone = True

    def __init__(self, task: TableTask, name: str) -> None:
        super().__init__(task)
        self.plan = TABLE_PLANS[name]

    def tune(self, rows: Rows, val: Rows) -> Fitted:
        stated = {name: getattr(self.plan, name) for name in PLANNED} if self.task.trials is not None else {}
        return self.under(rows, val, stated)

    def under(self, rows: Rows, val: Rows, setting: Setting, /) -> tuple[Setting, Form]:
        stage, z = self.task.dense(rows.x)
        known = val.y >= 0 if self.task.n_classes is not None else np.ones(len(val.y), bool)
        weights = None if val.weights is None else val.weights[known]
        held = Rows(self.task.densified(stage, val.x[known]), val.y[known], weights)
        fitted = self._fitted(stage, rows._replace(x=z), setting, held)
        return {**setting, "epoch": fitted.epoch, "epochs": fitted.epochs}, Staged(stage, fitted.form)

    def fit(self, rows: Rows, setting: Setting) -> Form:
        stage, z = self.task.dense(rows.x)
        return Staged(stage, self._fitted(stage, rows._replace(x=z), setting, setting["epoch"]).form)

    def _fitted(self, stage: Dense, rows: Rows, setting: Setting, until: Rows | int) -> "FittedNetwork":
        """Fit on dense rows."""
        from bottega.training.precision import working
        from bottega.training.table_fit import Held, fit_table_network, layout_of

        task, held = self.task, Held(*rows)
        plan = replace(self.plan, **{name: setting[name] for name in PLANNED if name in setting})
        end = until if isinstance(until, int) else Held(*until)
        with working(1, task.seed):  # on batches this small a second thread gains nothing, and would change last bits
            return fit_table_network(held, plan, layout_of(stage), n_classes=task.n_classes, seed=task.seed, until=end)


def _counting(rows: Rows) -> Rows:
    """The rows that count: libsvm takes none without weight."""
    if rows.weights is None or rows.weights.all():
        return rows
    kept = rows.weights > 0
    return Rows(rows.x[kept], rows.y[kept], rows.weights[kept])


def _own(task: TableTask, candidate: _Candidate) -> "_Candidate | _OnScale":
    """The candidate; one for values finds the target's scale first."""
    if task.n_classes is not None:
        return candidate
    return _OnScale(task, candidate, quick=candidate.kind == "network")


def _spec(task: TableTask, name: str, candidate: _Candidate) -> Spec:
    """A candidate as the contest takes it."""
    own = _own(task, candidate)

    def fit(x: Floats, y: Targets, setting: Setting, weights: Numbers | None = None) -> Form:
        return own.fit(Rows(x, y, weights), setting)

    def tune(x: Floats, y: Targets, x_val: Floats, y_val: Targets, *weights: Numbers) -> Fitted:
        both = weights or (None, None)
        return own.tune(Rows(x, y, both[0]), Rows(x_val, y_val, both[1]))

    alone, leads, weighs = candidate.alone, candidate.leads, candidate.weighs
    return Spec(name, candidate.kind, VIEW, fit, tune, alone=alone, leads=leads, weighs=weighs)


class _OnScale:
    """A candidate for values: it sees them standardised, as logarithms where validation says that this is better.

    Args:
        quick: let a small boosting decide between the two, where the candidate itself is dear.
    """

    def __init__(self, task: TableTask, candidate: _Candidate, *, quick: bool) -> None:
        self.task = task
        self.candidate = candidate
        self.quick = quick

    def tune(self, rows: Rows, val: Rows) -> Fitted:
        scales = [_scale(rows, log=False)]
        if is_skewed(_counting(rows).y):
            scales.append(_scale(rows, log=True))
        if len(scales) > 1 and self.quick:
            scales = [min(scales, key=lambda scale: self._quick_loss(scale, rows, val))]
        found = []
        for scale in scales:
            setting, form = self.candidate.tune(scale.inside(rows), scale.inside(val))
            form = form if form is not None else self.candidate.fit(scale.inside(rows), setting)
            found.append(({**setting, "log": scale.log}, scale.outwards(form)))
        losses = [self.task.loss(form, val) for _, form in found]
        return found[int(np.argmin(losses))]

    def fit(self, rows: Rows, setting: Setting) -> Form:
        scale = _scale(rows, log=setting["log"])
        return scale.outwards(self.candidate.fit(scale.inside(rows), setting))

    def under(self, rows: Rows, val: Rows, setting: Setting, /) -> tuple[Setting, Form]:
        """Fit under a setting, on the scale that it states."""
        scale = _scale(rows, log=setting["log"])
        setting, form = self.candidate.under(scale.inside(rows), scale.inside(val), setting)
        return setting, scale.outwards(form)

    def _quick_loss(self, scale: "_Scale", rows: Rows, val: Rows) -> float:
        fitted = fit_boosting(scale.inside(rows), self.task.n_codes, QUICK, n_classes=None, seed=self.task.seed)
        return self.task.loss(scale.outwards(fitted.trees), val)


@dataclass(frozen=True)
class _Scale:
    """Standardised targets, or their logarithms.

    Attributes:
        most: the largest logarithm of an answer: where rows are odd, an exponential runs away from what a line says.
    """

    mean: float
    spread: float
    log: bool
    shift: float
    most: float

    def inwards(self, y: Targets) -> npt.NDArray[np.float32]:
        """Standardised; a validation value below all of training stays finite."""
        values = np.log(np.maximum(y + self.shift, 1e-6 * self.spread)) if self.log else y
        return ((values - self.mean) / self.spread).astype(np.float32)

    def inside(self, rows: Rows) -> Rows:
        """The same rows, their targets on the scale."""
        return rows._replace(y=self.inwards(rows.y))

    def outwards(self, form: Form) -> Form:
        return Rescaled(form, self.mean, self.spread, self.log, self.shift, self.most)


def _scale(rows: Rows, *, log: bool) -> _Scale:
    shift = 1.0 if log and rows.y.min() == 0 else 0.0  # counts
    values = np.log(rows.y + shift) if log else rows.y
    if rows.weights is None:
        mean, spread = float(values.mean()), float(values.std())
    else:
        mean = float(np.average(values, weights=rows.weights))
        spread = float(np.average((values - mean) ** 2, weights=rows.weights)) ** 0.5
    most = float(values.max() + ROOM * np.ptp(values)) if log else math.inf
    return _Scale(mean, spread if spread > 0 else 1.0, log, shift, most)


def is_skewed(y: Targets) -> bool:
    """Positive (or a count) with a long tail to the right."""
    spread = float(y.std())
    return bool(y.min() >= 0 and spread > 0 and np.mean(((y - y.mean()) / spread) ** 3) > SKEWED)
