"""The candidates of one training: fitted on the same rows, compared on the same rows, one of them chosen."""

import math
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from bottega.data.splits import folds
from bottega.data.text_codes import CodedTexts
from bottega.evaluation.abstention import Sure, sure_threshold
from bottega.evaluation.calibration import apply_temperature, fit_temperature
from bottega.evaluation.choice import Choice, Contender, choose
from bottega.evaluation.conformal import Interval
from bottega.evaluation.costs import Costs
from bottega.evaluation.forms import Form, form_bytes
from bottega.evaluation.metrics import Metric, metric_named
from bottega.shipping.tails import tail_model
from bottega.workflow.enough import nothing_to_gain
from bottega.workflow.features import engine
from bottega.workflow.table_values import interval_of, values_far_behind
from bottega.workflow.threads import product_threads

__all__ = ["Answered", "Developed", "Material", "Rules", "Spec", "answer", "dealt_folds", "develop", "predictions"]

Floats = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Targets = npt.NDArray[Any]
Setting = dict[str, Any]
FEWEST_VALIDATION = 500  # rows; below that, out-of-fold predictions choose and calibrate
MAX_FORM_BYTES = 200_000_000  # of a model file beside its network
RACE_LEVEL = 1e-3
LEAST_LAG = 0.03  # share of right answers: who is nearer runs on
ANSWERED = 1 << 20  # numbers that are answered at once: what a network makes of them fits into the processor's cache
HALVES = 1 << 20  # the repeat number that deals groups into the select and the calibrate half


@dataclass(frozen=True)
class Material:
    """What candidates are fitted on.

    Attributes:
        views: (N, D) float32 vectors by name; pictures, or texts, which are indexed by rows too.
        y: (N,) class indices, or values where there are no classes.
        groups: (N,) equal for examples that belong together.
        group_names: (N, 32) as in `data.splits.Split`.
        labels: (N,) the label of each example; "" for all where the target is a value.
        classes: of the class indices; () for values.
        costs: by which answers are chosen; None for the most probable one.
        weights: (N,) how much each example counts; None for all the same.
    """

    views: Mapping[str, Any]
    y: Targets
    groups: Integers
    group_names: npt.NDArray[np.uint8]
    labels: Sequence[str]
    classes: tuple[str, ...]
    costs: Costs | None = None
    weights: Numbers | None = None

    @property
    def n_classes(self) -> int:
        """How many answers there are; 0 for values."""
        return len(self.classes)

    @property
    def n_outputs(self) -> int:
        """Width of what a form answers."""
        return self.n_classes or 1

    def weights_of(self, *parts: Integers) -> tuple[Numbers, ...]:
        """How much the examples of each part count; () where all count the same."""
        return () if self.weights is None else tuple(self.weights[rows] for rows in parts)

    def measure(self, name: str, rows: Integers) -> Metric:
        """A metric as it is asked about these rows: with their weights, of the answers that the costs choose."""
        return metric_named(name).under(self.costs, None if self.weights is None else self.weights[rows])

    def said(self, probabilities: Numbers) -> Integers:
        """(N,) the class index that is answered: the most probable one, or the cheapest where costs are stated."""
        found = probabilities.argmax(1) if self.costs is None else self.costs.answers(probabilities)
        return np.asarray(found, np.int64)


@dataclass(frozen=True)
class Spec:
    """One way of answering, before it has seen data.

    Attributes:
        tune: `tune(x, y, x_val, y_val) -> (setting, form)`: the setting is JSON-like; the form is the one that `fit`
            would give for `x, y`, or None where tuning fitted none.
        fit: `fit(x, y, setting) -> form`.
        view: which vectors it sees.
        alone: whether its fits are long, use all cores, or ask for what others have fitted: then nothing is tuned
            beside it, its fits are made one by one, and they can be interrupted.
        leads: whether it is likely to lead, and so is fitted first; networks are, unless said otherwise.
        costly: whether it is tried only where the others, on a validation part, leave something to gain.
        weighs: whether `fit` and `tune` take, as their last arguments, how much each example counts (N,) and, for
            `tune`, each of the validation part.
    """

    name: str
    kind: Literal["network", "baseline"]
    view: str
    fit: Callable[..., Form]
    tune: Callable[..., tuple[Setting, Form | None]] = lambda *_: ({}, None)
    alone: bool = False
    leads: bool | None = None
    costly: bool = False
    weighs: bool = False

    @property
    def comes_first(self) -> bool:
        """Whether others are measured against it, and it gets its share of a short time."""
        return self.kind == "network" if self.leads is None else self.leads

    def fitted(self, material: Material, rows: Integers, setting: Setting) -> Form:
        """Fit on these rows."""
        weights = material.weights_of(rows) if self.weighs else ()
        return self.fit(material.views[self.view][rows], material.y[rows], setting, *weights)

    def tuned(self, material: Material, rows: Integers, val: Integers) -> tuple[Setting, Form]:
        """The setting that is best on `val`, and the form that `rows` give under it."""
        x, y = material.views[self.view], material.y
        weights = material.weights_of(rows, val) if self.weighs else ()
        setting, form = self.tune(x[rows], y[rows], x[val], y[val], *weights)
        return setting, form if form is not None else self.fitted(material, rows, setting)


@dataclass(frozen=True)
class Rules:
    """How the choice is made; all of it is in the recipe.

    Attributes:
        threads: cores that may work: on one fit of a large training part, or on as many folds side by side.
    """

    metric: str
    margin: float | None
    ship: str
    sure_at: float
    split_seed: int
    k: int = 5
    threads: int = 1


@dataclass
class Answered:
    """One candidate with its out-of-sample scores on the rows that choose.

    Attributes:
        logits: (M, C) on the rows of `Developed.rows`; (M, 1) values.
        temperature: fitted on the select half, so that log losses compare fairly; 1 for values.
    """

    spec: Spec
    setting: Setting
    form: Form
    logits: Numbers
    temperature: float
    seconds: float
    dropped: str | None = None  # why it left the race after the first fold; its other rows are NaN

    def predictions(self) -> Numbers:
        """(M, C) probabilities on the same rows, at its own temperature; or (M,) values."""
        return predictions(self.logits, self.temperature)


@dataclass
class Developed:
    """All candidates, the chosen one, and what calibration says about it.

    Attributes:
        rows: (M,) the examples that chose and calibrated: validation, or out of fold.
        half: (M,) "select" or "calibrate".
        out_of_fold: whether `rows` were answered out of fold.
        temperature, sure: of the chosen one, from the calibrate half; 1 and None for values.
        interval: of values, from the calibrate half, or from all rows where they were answered out of fold.
    """

    answered: dict[str, Answered]
    choice: Choice
    rows: Integers
    half: npt.NDArray[np.str_]
    out_of_fold: bool
    temperature: float
    sure: Sure | None
    skipped: list[tuple[Spec, str]]  # candidates that were not fitted, and why
    interrupted: bool = False  # the user stopped before every candidate was fitted
    interval: Interval | None = None

    @property
    def chosen(self) -> Answered:
        """The candidate that ships."""
        return self.answered[self.choice.name]

    @property
    def threshold(self) -> float:
        """From which probability on an answer is sure; infinite where none is."""
        return self.sure.threshold if self.sure is not None else math.inf


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
    compared by grouped out-of-fold predictions over both, and then fitted on both. Classes are calibrated, values get
    an interval.

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
    with product_threads(rules.threads if held_out else 1), ThreadPoolExecutor(rules.threads) as pool:
        begin = _HeldOut(material, train, val, half).begin if held_out else _Race(material, rows, rules, pool).begin
        begun: list[_Begun] = []
        under_way: deque[Callable[[], _Begun]] = deque()

        def settle(most: int) -> None:
            while len(under_way) > most:
                begun.append(under_way.popleft()())

        try:
            for spec in sorted(specs, key=lambda one: (held_out and one.costly, not one.comes_first)):
                if spec.alone:
                    settle(0)
                if (begun or under_way) and not may_begin(spec.name):
                    skipped.append((spec, "no time was left"))
                    continue
                if held_out and spec.costly and (why := _nothing_to_gain(begun, material, rows, half, rules)):
                    skipped.append((spec, why))
                    continue
                tell(spec.name)
                under_way.append(begin(spec))
                settle(0 if spec.alone or held_out else rules.threads - 1)
            settle(0)
        except KeyboardInterrupt:
            interrupted = True
        for one in begun:
            try:
                answered[one.spec.name] = _finished(one, material, rows, half)
            except KeyboardInterrupt:
                interrupted = True
                pool.shutdown(cancel_futures=True)
                break
    if interrupted and all(one.dropped for one in answered.values()):
        raise KeyboardInterrupt
    answered = {spec.name: answered[spec.name] for spec in specs if spec.name in answered}
    choice = _choose(material, answered, rows[half == "select"], half == "select", rules)
    chosen, calibrate = answered[choice.name], half == "calibrate"
    found = Developed(answered, choice, rows, half, not held_out, 1.0, None, skipped, interrupted)
    y = material.y[rows]
    if not material.classes:
        kept = calibrate if held_out else np.ones(len(rows), bool)
        found.interval = interval_of(chosen.form, y[kept], chosen.predictions()[kept], out_of_fold=not held_out)
        return found
    found.temperature = fit_temperature(chosen.logits[calibrate], y[calibrate], *material.weights_of(rows[calibrate]))
    probabilities = apply_temperature(chosen.logits[calibrate], found.temperature)
    groups, said = material.groups[rows[calibrate]], material.said(probabilities)
    found.sure = sure_threshold(y[calibrate], probabilities, groups, sure_at=rules.sure_at, said=said)
    return found


def predictions(logits: Numbers, temperature: float) -> Numbers:
    """Probabilities (N, C) of scores (N, C), of two classes or more; values (N,) of (N, 1)."""
    return apply_temperature(logits, temperature) if logits.shape[1] > 1 else logits[:, 0]


def answer(form: Form, x: Floats | CodedTexts, n_classes: int) -> Numbers:
    """Scores (N, C) of a fitted form, or values (N, 1), by the operators that ship.

    Args:
        x: (N, D) vectors, or (N, C, H, W) pictures, which may be bytes; or texts.
    """
    if isinstance(x, CodedTexts):  # each as long as it is: the longest of a batch sets the cost of all
        session, found = engine(tail_model(form, ("L",), n_classes), threads=1), np.zeros((len(x), n_classes))
        for places in x.by_length(ANSWERED):
            found[places] = session.run(None, {"x": x[places].matrix()})[0]
        return found
    session = engine(tail_model(form, x.shape[1:], n_classes), threads=1)
    n = min(512, max(1, ANSWERED // math.prod(x.shape[1:])))
    parts = (x[start : start + n].astype(np.float32, copy=False) for start in range(0, len(x), n))
    chunks = [session.run(None, {"x": part})[0] for part in parts]
    return np.concatenate(chunks).astype(np.float64) if chunks else np.zeros((0, n_classes))


@dataclass
class _Fitted:
    """A fitted form, what it answers on the rows that it hasn't seen, and how long that took."""

    form: Form
    logits: Numbers
    seconds: float


@dataclass
class _Begun:
    """A candidate that is in the race: what it has answered, and what is still being fitted.

    Attributes:
        logits: (M, C), NaN where `rest` will answer.
        rest: the rows (M,) that each of the other folds answers, and the answers on their way.
        final: the form that ships, on its way.
    """

    spec: Spec
    setting: Setting
    logits: Numbers
    seconds: float
    final: Future[_Fitted]
    rest: Sequence[tuple[npt.NDArray[np.bool_], Future[_Fitted]]] = ()
    dropped: str | None = None


def _finished(begun: _Begun, material: Material, rows: Integers, half: npt.NDArray[np.str_]) -> Answered:
    """Wait for what is still being fitted."""
    logits, seconds = begun.logits.copy(), begun.seconds
    for inside, future in begun.rest:
        fitted = future.result()
        logits[inside] = fitted.logits
        seconds += fitted.seconds
    final = begun.final.result()
    dropped = begun.dropped or _too_large(final.form)
    select = (half == "select") & np.isfinite(logits[:, 0])
    kept = rows[select]
    temperature = 1.0
    if logits.shape[1] > 1:
        temperature = fit_temperature(logits[select], material.y[kept], *material.weights_of(kept))
    return Answered(begun.spec, begun.setting, final.form, logits, temperature, seconds + final.seconds, dropped)


def _nothing_to_gain(
    begun: Sequence[_Begun], material: Material, rows: Integers, half: npt.NDArray[np.str_], rules: Rules
) -> str | None:
    """Why a costly candidate isn't tried after these."""
    select = half == "select"
    done = (_finished(one, material, rows, half) for one in begun)
    answers = {one.spec.name: one.predictions()[select] for one in done if one.dropped is None}
    kept = rows[select]
    return nothing_to_gain(answers, material.y[kept], material.measure(rules.metric, kept), rules.margin)


def _too_large(form: Form) -> str | None:
    n_bytes = form_bytes(form)
    if n_bytes <= MAX_FORM_BYTES:
        return None
    return f"its file would take {n_bytes / 1e6:,.0f} MB, above the limit of {MAX_FORM_BYTES / 1e6:.0f}"


@dataclass(frozen=True)
class _HeldOut:
    """Candidates by their answers on the validation part."""

    material: Material
    train: Integers
    val: Integers
    half: npt.NDArray[np.str_]

    def begin(self, spec: Spec) -> Callable[[], _Begun]:
        """Tune on the select half of the validation part, answer all of it."""
        start = time.perf_counter()
        setting, form = spec.tuned(self.material, self.train, self.val[self.half == "select"])
        logits = answer(form, self.material.views[spec.view][self.val], self.material.n_outputs)
        final = _at_once(_Fitted, form, logits[:0], 0.0)
        begun = _Begun(spec, setting, logits, time.perf_counter() - start, final)
        return lambda: begun


class _Race:
    """Candidates by out-of-fold answers: all answer the first fold; who is far behind is not asked for the others.

    Where costs or weights are stated nobody is left behind: who is right most often need not be the best.

    As many fits as there are threads run side by side. Each is a matter of one thread, so that neither their number nor
    their order changes a bit.
    """

    def __init__(self, material: Material, rows: Integers, rules: Rules, pool: ThreadPoolExecutor) -> None:
        self.material = material
        self.rows = rows
        self.y = material.y[rows]
        self.fold = dealt_folds(material, rows, rules)
        self.exempt = rules.ship  # what was asked for is never left out
        self.pool = pool
        self.leaders: list[Numbers] = []

    def begin(self, spec: Spec) -> Callable[[], _Begun]:
        """Send the first fold on its way; what is returned waits for it, and sends the others."""
        x, y, submit = self.material.views[spec.view][self.rows], self.y, self._submit(spec)

        def fit(inside: npt.NDArray[np.bool_], setting: Setting) -> _Fitted:
            start = time.perf_counter()
            form = spec.fitted(self.material, self.rows[~inside], setting)
            return _Fitted(form, answer(form, x[inside], self.material.n_outputs), time.perf_counter() - start)

        first = submit(self._first, spec, x)

        def go_on() -> _Begun:
            setting, fitted = first.result()
            logits = np.full((len(y), self.material.n_outputs), np.nan)
            logits[self.fold == 0] = fitted.logits
            dropped = self._dropped(spec, fitted)
            rest = []
            if dropped is None:
                self.leaders.append(fitted.logits)
                others = (self.fold == number for number in range(1, int(self.fold.max()) + 1))
                rest = [(inside, submit(fit, inside, setting)) for inside in others]
            final = submit(fit, np.zeros(len(y), bool), setting)
            return _Begun(spec, setting, logits, fitted.seconds, final, rest, dropped)

        return go_on

    def _submit(self, spec: Spec) -> Callable[..., Future[Any]]:
        return _at_once if spec.alone else self.pool.submit

    def _first(self, spec: Spec, x: Floats) -> tuple[Setting, _Fitted]:
        """Tune on the first fold and answer it."""
        start = time.perf_counter()
        first = self.fold == 0
        setting, form = spec.tuned(self.material, self.rows[~first], self.rows[first])
        logits = answer(form, x[first], self.material.n_outputs)
        return setting, _Fitted(form, logits, time.perf_counter() - start)

    @property
    def _is_unequal(self) -> bool:
        """Whether examples or mistakes don't count the same, so that a count of right answers decides nothing."""
        return self.material.costs is not None or self.material.weights is not None

    def _dropped(self, spec: Spec, first: _Fitted) -> str | None:
        """Why a candidate need not run on, after its first fold."""
        too_large = _too_large(first.form)
        if too_large is not None or self.exempt in (spec.name, spec.kind) or self._is_unequal:
            return too_large
        behind, y = _far_behind if self.material.classes else values_far_behind, self.y[self.fold == 0]
        return next(filter(None, (behind(first.logits, one, y) for one in self.leaders)), None)


def _at_once(work: Callable[..., Any], *stated: Any) -> Future[Any]:
    done: Future[Any] = Future()
    done.set_result(work(*stated))
    return done


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


def dealt_folds(material: Material, rows: Integers, rules: Rules) -> Integers:
    """(M,) the fold that answers each of the rows out of sample."""
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
        Contender(one.spec.name, one.spec.kind, one.predictions()[select])
        for one in answered.values()
        if one.dropped is None
    ]
    return choose(
        contenders,
        material.y[rows],
        material.measure(rules.metric, rows),
        groups=material.groups[rows],
        ship=rules.ship,
        margin=rules.margin,
        seed=rules.split_seed,
    )
