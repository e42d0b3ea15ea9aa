"""The contest for values: candidates fitted on the same rows, one of them chosen, its interval measured.

The rules are those of `workflow.candidates.develop`; what differs is what a value has in place of a probability: no
temperature, and an interval in place of `sure`.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bottega.data.splits import folds
from bottega.evaluation.choice import Choice, Contender, choose
from bottega.evaluation.conformal import COVERAGE, Interval, split_conformal
from bottega.evaluation.forms import Form, form_bytes
from bottega.evaluation.metrics import METRICS
from bottega.evaluation.table_forms import Mixture, Rescaled
from bottega.workflow.candidates import (
    FEWEST_VALIDATION,
    HALVES,
    MAX_FORM_BYTES,
    Material,
    Rules,
    Setting,
    Spec,
    answer,
)

__all__ = ["AnsweredValues", "DevelopedValues", "develop_values", "values_of"]

Numbers = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
FAR = 1.1  # times the leader's rmse on the first fold: who is nearer runs on
STEPS_BEHIND = 3.3  # standard errors of the paired difference, one chance in two thousand


@dataclass
class AnsweredValues:
    """One candidate with what it answered out of sample: `values` (M,) on the rows of `DevelopedValues.rows`."""

    spec: Spec
    setting: Setting
    form: Form
    values: Numbers
    seconds: float
    dropped: str | None = None


@dataclass
class DevelopedValues:
    """All candidates, the chosen one, and its interval.

    Attributes:
        rows: (M,) the examples that chose and calibrated: validation, or out of fold.
        half: (M,) "select" or "calibrate".
        fold: (M,) of out-of-fold answers; empty where a validation part answered.
        interval: of the chosen one, from the calibrate half; from all rows when out of fold.
    """

    answered: dict[str, AnsweredValues]
    choice: Choice
    rows: Integers
    half: npt.NDArray[np.str_]
    fold: Integers
    interval: Interval
    skipped: list[tuple[Spec, str]]
    interrupted: bool = False

    @property
    def chosen(self) -> AnsweredValues:
        """The candidate that ships."""
        return self.answered[self.choice.name]


def develop_values(
    material: Material,
    specs: Sequence[Spec],
    train: Integers,
    val: Integers,
    rules: Rules,
    *,
    tell: Callable[[str], None] = lambda _: None,
    may_begin: Callable[[str], bool] = lambda _: True,
) -> DevelopedValues:
    """Fit all candidates, choose one, measure its interval. The test part is not among the arguments.

    Args:
        material: `y` are values.
        specs: from the simplest to the most complex.
        train, val: row numbers.
        tell: called with the name of each candidate before it is fitted.
        may_begin: whether there is time left for a candidate; the first one is always fitted.
    """
    held_out = len(val) >= FEWEST_VALIDATION
    rows = val if held_out else np.sort(np.concatenate([train, val]))
    half = np.where(_deal(material, rows, 2, rules, repeat=HALVES) == 0, "select", "calibrate")
    n_groups = len(np.unique(material.groups[rows]))
    fold = np.zeros(0, np.int64) if held_out else _deal(material, rows, min(rules.k, n_groups), rules)
    answered: dict[str, AnsweredValues] = {}
    skipped: list[tuple[Spec, str]] = []
    interrupted = False
    for spec in sorted(specs, key=lambda one: one.kind == "baseline"):  # the likely leader comes first
        if answered and not may_begin(spec.name):
            skipped.append((spec, "no time was left"))
            continue
        tell(spec.name)
        leaders = [] if spec.name == rules.ship else [one.values for one in answered.values() if not one.dropped]
        try:
            if held_out:
                answered[spec.name] = _held_out(material, spec, train, val, half)
            else:
                answered[spec.name] = _out_of_fold(material, spec, rows, fold, leaders)
        except KeyboardInterrupt:
            if all(one.dropped for one in answered.values()):
                raise
            interrupted = True
            break
    answered = {spec.name: answered[spec.name] for spec in specs if spec.name in answered}
    choice = _choose(material, answered, rows, half == "select", rules)
    calibrate = np.ones(len(rows), bool) if len(fold) else half == "calibrate"
    y = material.y[rows].astype(np.float64)
    interval = _interval(answered[choice.name], y, calibrate, out_of_fold=len(fold) > 0)
    return DevelopedValues(answered, choice, rows, half, fold, interval, skipped, interrupted)


def values_of(form: Form, x: npt.NDArray[np.float32]) -> Numbers:
    """Values (N,) of a fitted form, by the operators that ship."""
    return answer(form, x, 1)[:, 0]


def _held_out(
    material: Material, spec: Spec, train: Integers, val: Integers, half: npt.NDArray[np.str_]
) -> AnsweredValues:
    start = time.perf_counter()
    x, y = material.views[spec.view], material.y
    select = val[half == "select"]
    setting, form = spec.tune(x[train], y[train], x[select], y[select])
    form = form if form is not None else spec.fit(x[train], y[train], setting)
    values = values_of(form, x[val])
    return AnsweredValues(spec, setting, form, values, time.perf_counter() - start, _too_large(form))


def _out_of_fold(
    material: Material, spec: Spec, rows: Integers, fold: Integers, leaders: Sequence[Numbers]
) -> AnsweredValues:
    """Tune on the first fold, answer every fold by a model that hasn't seen it, fit the final one on all rows."""
    start = time.perf_counter()
    x, y = material.views[spec.view][rows], material.y[rows]
    values = np.full(len(rows), np.nan)
    first = fold == 0
    setting, tuned = spec.tune(x[~first], y[~first], x[first], y[first])
    dropped = None
    for number in range(int(fold.max()) + 1):
        inside = fold == number
        form = tuned if number == 0 else None  # the first fold's model is fitted already
        form = form if form is not None else spec.fit(x[~inside], y[~inside], setting)
        values[inside] = values_of(form, x[inside])
        if number == 0:
            dropped = next((why for one in leaders if (why := _far_behind(y[first], values[first], one[first]))), None)
            if dropped is not None:
                break
    final = spec.fit(x, y, setting)
    return AnsweredValues(spec, setting, final, values, time.perf_counter() - start, dropped or _too_large(final))


def _far_behind(y: Numbers, values: Numbers, leader: Numbers) -> str | None:
    """Why a candidate need not run on: its squared errors are larger than the leader's, beyond doubt and by much."""
    own, lead = np.square(values - y), np.square(leader - y)
    rmse, best = float(np.sqrt(own.mean())), float(np.sqrt(lead.mean()))
    gaps = own - lead
    if rmse <= FAR * best or gaps.mean() <= STEPS_BEHIND * gaps.std() / np.sqrt(len(y)):
        return None
    return f"far behind on the first fold: rmse {rmse:.4g} against {best:.4g} on {len(y)} rows"


def _too_large(form: Form) -> str | None:
    n_bytes = form_bytes(form)
    if n_bytes <= MAX_FORM_BYTES:
        return None
    return f"its file would take {n_bytes / 1e6:,.0f} MB, above the limit of {MAX_FORM_BYTES / 1e6:.0f}"


def _deal(material: Material, rows: Integers, k: int, rules: Rules, *, repeat: int = 0) -> Integers:
    """Groups dealt into k parts; values have no classes to be dealt evenly."""
    names = material.group_names[rows]
    return folds(names, [""] * len(rows), k=k, repeat=repeat, split_seed=rules.split_seed)


def _choose(
    material: Material,
    answered: dict[str, AnsweredValues],
    rows: Integers,
    select: npt.NDArray[np.bool_],
    rules: Rules,
) -> Choice:
    contenders = [
        Contender(one.spec.name, one.spec.kind, one.values[select]) for one in answered.values() if one.dropped is None
    ]
    return choose(
        contenders,
        material.y[rows[select]],
        METRICS[rules.metric],
        groups=material.groups[rows[select]],
        ship=rules.ship,
        margin=rules.margin,
        seed=rules.split_seed,
    )


def _interval(chosen: AnsweredValues, y: Numbers, calibrate: npt.NDArray[np.bool_], *, out_of_fold: bool) -> Interval:
    """On the logarithm where the model was fitted on it."""
    one = chosen.form.forms[0] if isinstance(chosen.form, Mixture) else chosen.form
    log, shift = (one.log, one.shift) if isinstance(one, Rescaled) else (False, 0.0)
    return split_conformal(
        y[calibrate], chosen.values[calibrate], coverage=COVERAGE, log=log, shift=shift, out_of_fold=out_of_fold
    )
