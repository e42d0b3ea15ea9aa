"""The candidates of one training: fitted on the same rows, compared on the same rows, one of them chosen."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from bottega.data.splits import folds
from bottega.evaluation.abstention import Sure, sure_threshold
from bottega.evaluation.calibration import apply_temperature, fit_temperature
from bottega.evaluation.choice import Choice, Contender, choose
from bottega.evaluation.forms import Form, form_bytes
from bottega.evaluation.metrics import METRICS
from bottega.shipping.tails import tail_model
from bottega.workflow.features import engine

__all__ = ["Answered", "Developed", "Material", "Rules", "Spec", "develop"]

Floats = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Setting = dict[str, Any]
FEWEST_VALIDATION = 500  # rows; below that, out-of-fold predictions choose and calibrate
MAX_FORM_BYTES = 200_000_000  # of a model file beside its network
RACE_LEVEL = 1e-3
LEAST_LAG = 0.03  # share of right answers: who is nearer runs on
HALVES = 1 << 20  # the repeat number that deals groups into the select and the calibrate half


@dataclass(frozen=True)
class Material:
    """What candidates are fitted on.

    Attributes:
        views: (N, D) float32 vectors by name.
        y: (N,) class indices.
        groups: (N,) equal for examples that belong together.
        group_names: (N, 32) as in `data.splits.Split`.
        labels: (N,) the label of each example.
        classes: of the class indices.
    """

    views: Mapping[str, Floats]
    y: Integers
    groups: Integers
    group_names: npt.NDArray[np.uint8]
    labels: Sequence[str]
    classes: tuple[str, ...]

    @property
    def n_classes(self) -> int:
        """How many answers there are."""
        return len(self.classes)


@dataclass(frozen=True)
class Spec:
    """One way of answering, before it has seen data.

    Attributes:
        tune: `tune(x, y, x_val, y_val) -> (setting, form)`: the setting is JSON-like; the form is the one that `fit`
            would give for `x, y`, or None where tuning fitted none.
        fit: `fit(x, y, setting) -> form`.
        view: which vectors it sees.
    """

    name: str
    kind: Literal["network", "baseline"]
    view: str
    fit: Callable[[Floats, Integers, Setting], Form]
    tune: Callable[[Floats, Integers, Floats, Integers], tuple[Setting, Form | None]] = lambda *_: ({}, None)


@dataclass(frozen=True)
class Rules:
    """How the choice is made; all of it is in the recipe."""

    metric: str
    margin: float | None
    ship: str
    sure_at: float
    split_seed: int
    k: int = 5


@dataclass
class Answered:
    """One candidate with its out-of-sample scores on the rows that choose.

    Attributes:
        logits: (M, C) on the rows of `Developed.rows`.
        temperature: fitted on the select half, so that log losses compare fairly.
    """

    spec: Spec
    setting: Setting
    form: Form
    logits: Numbers
    temperature: float
    seconds: float
    dropped: str | None = None  # why it left the race after the first fold; its other rows are NaN

    def probabilities(self) -> Numbers:
        """(M, C) on the same rows, at its own temperature."""
        return apply_temperature(self.logits, self.temperature)


@dataclass
class Developed:
    """All candidates, the chosen one, and what calibration says about it.

    Attributes:
        rows: (M,) the examples that chose and calibrated: validation, or out of fold.
        half: (M,) "select" or "calibrate".
        out_of_fold: whether `rows` were answered out of fold.
        temperature, sure: of the chosen one, from the calibrate half.
    """

    answered: dict[str, Answered]
    choice: Choice
    rows: Integers
    half: npt.NDArray[np.str_]
    out_of_fold: bool
    temperature: float
    sure: Sure
    skipped: list[tuple[Spec, str]]  # candidates that were not fitted, and why
    interrupted: bool = False  # the user stopped before every candidate was fitted

    @property
    def chosen(self) -> Answered:
        """The candidate that ships."""
        return self.answered[self.choice.name]


def develop(
    material: Material,
    specs: Sequence[Spec],
    train: Integers,
    val: Integers,
    rules: Rules,
    *,
    tell: Callable[[str], None] = lambda _: None,
    may_begin: Callable[[str], bool] = lambda _: True,
) -> Developed:
    """Fit all candidates, choose one, calibrate it. The test part is not among the arguments.

    With at least 500 validation rows the candidates are fitted on `train` and compared on `val`; with fewer they are
    compared by grouped out-of-fold predictions over both, and then fitted on both.

    Args:
        specs: from the simplest to the most complex.
        train, val: row numbers.
        tell: called with the name of each candidate before it is fitted.
        may_begin: whether there is time left for a candidate; the first one is always fitted.
    """
    held_out = len(val) >= FEWEST_VALIDATION
    rows = val if held_out else np.sort(np.concatenate([train, val]))
    half = _halves(material, rows, rules.split_seed)
    answered: dict[str, Answered] = {}
    skipped: list[tuple[Spec, str]] = []
    interrupted = False
    leader_first = sorted(specs, key=lambda one: one.kind == "baseline")  # the likely leader: others race against it
    for spec in leader_first:
        if answered and not may_begin(spec.name):
            skipped.append((spec, "no time was left"))
            continue
        tell(spec.name)
        leaders = [] if spec.name == rules.ship else [one.logits for one in answered.values() if not one.dropped]
        try:
            answered[spec.name] = _fit(material, spec, train, val, half, rules, leaders if not held_out else None)
        except KeyboardInterrupt:
            if all(one.dropped for one in answered.values()):
                raise
            interrupted = True
            break
    answered = {spec.name: answered[spec.name] for spec in specs if spec.name in answered}
    choice = _choose(material, answered, rows[half == "select"], half == "select", rules)
    chosen, calibrate = answered[choice.name], half == "calibrate"
    temperature = fit_temperature(chosen.logits[calibrate], material.y[rows[calibrate]])
    probabilities = apply_temperature(chosen.logits[calibrate], temperature)
    sure = sure_threshold(
        material.y[rows[calibrate]], probabilities, material.groups[rows[calibrate]], sure_at=rules.sure_at
    )
    return Developed(answered, choice, rows, half, not held_out, temperature, sure, skipped, interrupted)


def _fit(
    material: Material,
    spec: Spec,
    train: Integers,
    val: Integers,
    half: npt.NDArray[np.str_],
    rules: Rules,
    leaders: Sequence[Numbers] | None,
) -> Answered:
    """One candidate: tuned, answered out of sample, fitted. `leaders` is None where a validation part answers."""
    start = time.perf_counter()
    rows = val if leaders is None else np.sort(np.concatenate([train, val]))
    if leaders is None:
        setting, form, logits = _held_out(material, spec, train, val, half)
        dropped = None
    else:
        setting, form, logits, dropped = _out_of_fold(material, spec, rows, rules, leaders)
    if form_bytes(form) > MAX_FORM_BYTES:
        dropped = f"its file would take {form_bytes(form) / 1e6:,.0f} MB, above the limit of {MAX_FORM_BYTES / 1e6:.0f}"
    select = (half == "select") & np.isfinite(logits[:, 0])
    temperature = fit_temperature(logits[select], material.y[rows[select]])
    return Answered(spec, setting, form, logits, temperature, time.perf_counter() - start, dropped)


def answer(form: Form, x: Floats, n_classes: int) -> Numbers:
    """Scores (N, C) of a fitted form, by the operators that ship."""
    session = engine(tail_model(form, x.shape[1], n_classes), threads=1)
    chunks = [session.run(None, {"x": x[start : start + 512]})[0] for start in range(0, len(x), 512)]
    return np.concatenate(chunks).astype(np.float64) if chunks else np.zeros((0, n_classes))


def _held_out(
    material: Material, spec: Spec, train: Integers, val: Integers, half: npt.NDArray[np.str_]
) -> tuple[Setting, Form, Numbers]:
    x, y = material.views[spec.view], material.y
    select = val[half == "select"]
    setting, form = spec.tune(x[train], y[train], x[select], y[select])
    form = form if form is not None else spec.fit(x[train], y[train], setting)
    return setting, form, answer(form, x[val], material.n_classes)


def _out_of_fold(
    material: Material, spec: Spec, rows: Integers, rules: Rules, leaders: Sequence[Numbers]
) -> tuple[Setting, Form, Numbers, str | None]:
    """Tune on the first fold, answer every fold by a model that hasn't seen it, fit the final one on all rows.

    Who is far behind a leader on the first fold is not asked for the others.
    """
    x, y = material.views[spec.view][rows], material.y[rows]
    fold = _folds(material, rows, rules)
    first = fold == 0
    setting, tuned = spec.tune(x[~first], y[~first], x[first], y[first])
    logits = np.full((len(rows), material.n_classes), np.nan)
    dropped = None
    for number in range(int(fold.max()) + 1):
        inside = fold == number
        form = tuned if number == 0 else None  # the first fold's model is fitted already
        form = form if form is not None else spec.fit(x[~inside], y[~inside], setting)
        logits[inside] = answer(form, x[inside], material.n_classes)
        if number == 0:
            dropped = next((why for one in leaders if (why := _far_behind(logits[first], one[first], y[first]))), None)
            if dropped is not None:
                break
    return setting, spec.fit(x, y, setting), logits, dropped


def _far_behind(logits: Numbers, leader: Numbers, y: Integers) -> str | None:
    """Why a candidate need not run on: one-sided sign test on the examples where only one of the two is right.

    Source: McNemar 1947; the level is strict, since each rival is tested against several leaders.
    """
    right, lead = logits.argmax(1) == y, leader.argmax(1) == y
    n_lost, n_won = int((lead & ~right).sum()), int((right & ~lead).sum())
    n = n_lost + n_won
    if n == 0 or lead.mean() - right.mean() < LEAST_LAG:
        return None
    p = sum(math.comb(n, k) for k in range(n_won + 1)) / 2**n
    if p > RACE_LEVEL:
        return None
    return f"far behind on the first fold: {right.mean():.1%} against {lead.mean():.1%} of {len(y)}"


def _folds(material: Material, rows: Integers, rules: Rules) -> Integers:
    n_groups = len(np.unique(material.groups[rows]))
    labels = [material.labels[i] for i in rows]
    return folds(material.group_names[rows], labels, k=min(rules.k, n_groups), split_seed=rules.split_seed)


def _halves(material: Material, rows: Integers, split_seed: int) -> npt.NDArray[np.str_]:
    labels = [material.labels[i] for i in rows]
    number = folds(material.group_names[rows], labels, k=2, repeat=HALVES, split_seed=split_seed)
    return np.where(number == 0, "select", "calibrate")


def _choose(
    material: Material,
    answered: Mapping[str, Answered],
    rows: Integers,
    select: npt.NDArray[np.bool_],
    rules: Rules,
) -> Choice:
    contenders = [
        Contender(one.spec.name, one.spec.kind, one.probabilities()[select])
        for one in answered.values()
        if one.dropped is None
    ]
    return choose(
        contenders,
        material.y[rows],
        METRICS[rules.metric],
        groups=material.groups[rows],
        ship=rules.ship,
        margin=rules.margin,
        seed=rules.split_seed,
    )
