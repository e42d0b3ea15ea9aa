"""`curve`: the same candidate on growing parts of the training examples, and what twice as many would give."""

import math
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypedDict, Unpack

import numpy as np
import numpy.typing as npt

from bottega.data.splits import folds
from bottega.data.store import Store
from bottega.errors import BottegaError
from bottega.evaluation.calibration import apply_temperature, fit_temperature
from bottega.evaluation.intervals import bootstrap, clusters, interval
from bottega.evaluation.metrics import METRICS, Metric
from bottega.evaluation.wording import is_share, metric_name
from bottega.problem.curve_records import CurvePoint, CurveRecord, LawRecord
from bottega.problem.records import Progress, Score
from bottega.refinement.learning_curve import Doubling, doubling, nested_parts, shares_of
from bottega.workflow.candidates import Material, Spec, answer
from bottega.workflow.choose_network import choose_network
from bottega.workflow.clock import Clock
from bottega.workflow.features import cores_at_hand
from bottega.workflow.options import TrainOptions, train_options
from bottega.workflow.own_network import VIEW, Bench, OwnNetwork
from bottega.workflow.pictures import PictureViews
from bottega.workflow.specs import picture_specs
from bottega.workflow.threads import product_threads
from bottega.workflow.trial import Looked, look_at

__all__ = ["CurveKeywords", "curve"]

Numbers = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
FEWEST = 50  # training examples
N_DRAWS = 3  # orders in which examples are added
N_RESAMPLES = 1000
LITTLE = 0.005  # of a share: half a point is what nobody gathers pictures for
LITTLE_ELSE = 0.01  # of the error, where it is no share
PRETRAINED = "pretrained + linear"


class CurveKeywords(TypedDict, total=False):
    """The keywords of `bottega.curve`, as of `bottega.train`."""

    network: str
    metric: str
    epochs: int | None
    seed: int
    split_seed: int
    group_by: str | None
    time: str | float | None
    device: Literal["auto", "cpu", "cuda"]


@dataclass(frozen=True)
class _Draw:
    """One way to train and test: rows to draw parts from, to tune on, to score on; and the order of drawing."""

    pool: Integers
    val: Integers
    test: Integers
    order: int


@dataclass(frozen=True)
class _Size:
    """All trainings of one size: (T, C) probabilities on the scored rows, one for each draw."""

    n: int
    rows: Integers
    probabilities: list[Numbers]
    seconds: float


def curve(
    data: str | os.PathLike[str], *, progress: Progress | None = None, **keywords: Unpack[CurveKeywords]
) -> CurveRecord:
    """Say whether more data would help, by training on growing parts of the training pictures.

    Args:
        data: as of `bottega.train`.
        progress: called as the work goes on.
        keywords: `network` names the candidate; by default the one that `train` would try. `time` caps the work.
    Returns:
        The scores, the law that they follow, and what twice the pictures would give.
    Raises:
        BottegaError: the data or a choice can't be used; fewer than 50 training pictures; too little time for a law.
    Source: Cortes et al. 1993, "Learning curves: asymptotic values and rate of convergence".
    """
    options = train_options(data, keywords)
    clock = Clock(options.time_seconds)
    tell = progress or (lambda *_: None)
    looked = look_at(os.fspath(data), options, store=Store(), progress=progress)
    draws = _draws(looked, options)
    n_train = min(len(draw.pool) for draw in draws)
    if n_train < FEWEST:
        raise BottegaError(
            found=f"{n_train} pictures to train on in {os.fspath(data)!r}",
            expected=f"at least {FEWEST}: the curve of fewer is noise",
            fix="gather more pictures of each class first",
        )
    with tempfile.TemporaryDirectory(prefix="bottega-curve-") as scratch:
        material, make = _candidate(looked, options, Path(scratch), progress)
        shares = shares_of(n_train, material.n_classes)
        sizes, stopped = _train_all(material, make, draws, shares, clock, tell)
    return _record(material, make(0).name, sizes, options, looked.split.source, stopped, clock)


def _draws(looked: Looked, options: TrainOptions) -> list[_Draw]:
    """The held-out or given test part with several orders of adding; small data by folds."""
    divided = looked.split
    if divided.source != "cv":
        train, val, test = (divided.rows(part) for part in ("train", "val", "test"))
        return [_Draw(train, val, test, order) for order in range(N_DRAWS)]
    k = min(options.cv or 5, divided.n_groups)
    number = folds(divided.group_names, looked.labels, k=k, split_seed=options.split_seed)
    found = []
    for fold in range(k):
        test, val = number == fold, number == (fold + 1) % k
        found.append(_Draw(np.flatnonzero(~test & ~val), np.flatnonzero(val), np.flatnonzero(test), fold))
    return found


def _candidate(
    looked: Looked, options: TrainOptions, scratch: Path, progress: Progress | None
) -> tuple[Material, Callable[[int], Spec]]:
    """What is trained: vectors of all pictures, and the candidate for each draw."""
    threads = cores_at_hand()
    views = PictureViews(looked.everything, Store(), threads, progress)
    chosen = choose_network(options, looked.everything, None)
    if chosen is None:
        material = looked.material({"network": views.vectors("network")})
        made = picture_specs(["network"], material.n_classes, metric=options.metric, seed=options.seed, threads=threads)
        spec = next(one for one in made if one.name == PRETRAINED)
        return material, lambda _: spec
    pixels: dict[str, npt.NDArray[Any]] = {VIEW: chosen.examples(views)}
    material = looked.material(pixels)
    bench = Bench(threads, chosen.device, scratch, _Unlimited())
    own = OwnNetwork(chosen.architecture, options, material.n_classes, bench)
    return material, lambda order: own.spec(options.seed + order)


class _Unlimited:
    """No training is cut short: sizes are left out instead."""

    def seconds(self) -> float | None:
        """No limit."""
        return None

    def decide(self, what: str, make: Callable[[], int]) -> int:  # noqa: ARG002
        """Nothing depends on the time."""
        return make()


def _train_all(
    material: Material,
    make: Callable[[int], Spec],
    draws: Sequence[_Draw],
    shares: Sequence[float],
    clock: Clock,
    tell: Progress,
) -> tuple[list[_Size], str]:
    """Each size after the other, the smallest first, as far as the time goes."""
    parts = [
        nested_parts(material.y[draw.pool], material.group_names[draw.pool], shares, seed=draw.order) for draw in draws
    ]
    fixed = make(0) is make(1)  # the same fit for the same rows
    sizes: list[_Size] = []
    for number in range(len(shares)):
        if sizes and clock.left() < sizes[-1].seconds * shares[number] / shares[number - 1]:
            if len(sizes) >= len(shares) - 2 and len(sizes) > 2:
                break
            raise BottegaError(
                found=f"--time {clock.limit_seconds:g}s, which was over after {len(sizes)} of {len(shares)} sizes",
                expected="time for all sizes, or nearly all",
                fix=f"--time {math.ceil(clock.elapsed() + sizes[-1].seconds * 4 / shares[number])}s",
            )
        start = time.perf_counter()
        probabilities: list[Numbers] = []
        n = round(float(np.mean([len(rows[number]) for rows in parts])))
        for draw, rows in zip(draws, parts, strict=True):
            again = fixed and shares[number] == 1 and bool(probabilities) and draw.order > 0
            if again and len(draw.test) == len(draws[0].test) and (draw.test == draws[0].test).all():
                continue  # all rows are all rows, in whatever order
            tell(f"training on {n:,} pictures", len(probabilities), len(draws))
            probabilities.append(_answers(material, make(draw.order), draw, draw.pool[rows[number]]))
        sizes.append(_joined(n, draws, probabilities, time.perf_counter() - start))
    n_left = len(shares) - len(sizes)
    return sizes, f"--time left no room for the last {n_left} of {len(shares)} sizes" if n_left else ""


def _answers(material: Material, spec: Spec, draw: _Draw, rows: Integers) -> Numbers:
    """Train on the rows, tune on the validation part, answer the test part."""
    x, y = material.views[spec.view], material.y
    with product_threads(1):
        setting, form = spec.tune(x[rows], y[rows], x[draw.val], y[draw.val])
        form = form if form is not None else spec.fit(x[rows], y[rows], setting)
    temperature = fit_temperature(answer(form, x[draw.val], material.n_classes), y[draw.val])
    return apply_temperature(answer(form, x[draw.test], material.n_classes), temperature)


def _joined(n: int, draws: Sequence[_Draw], probabilities: list[Numbers], seconds: float) -> _Size:
    """Folds answer different rows: together they are one answer to all of them."""
    first = draws[0].test
    if all(len(draw.test) == len(first) and (draw.test == first).all() for draw in draws):
        return _Size(n, first, probabilities, seconds)
    rows = np.concatenate([draw.test for draw in draws])
    return _Size(n, rows, [np.concatenate(probabilities)], seconds)


def _record(
    material: Material,
    name: str,
    sizes: Sequence[_Size],
    options: TrainOptions,
    source: str,
    stopped: str,
    clock: Clock,
) -> CurveRecord:
    metric = METRICS[options.metric]
    y, groups = material.y[sizes[0].rows], material.groups[sizes[0].rows]
    points = tuple(_point(metric, size, y, groups) for size in sizes)
    if not all(math.isfinite(point.score.score) for point in points):
        raise BottegaError(
            found=f"a test part on which {metric.name} has no value",
            expected="pictures of every class in it",
            fix="--metric accuracy",
        )
    doubled = _doubled(metric, sizes, points, y, groups)
    expected, *ends = (_error(metric, value) for value in doubled.error)
    n = len(np.unique(groups))
    told, sentence = _sentence(metric, doubled, _error(metric, points[-1].score.score))
    law = LawRecord(doubled.law.floor, doubled.law.scale, doubled.law.rate)
    return CurveRecord(
        candidate=name,
        metric=metric.name,
        n_test=len(y),
        source=source,
        points=points,
        law=law,
        doubled=Score(2 * points[-1].n, expected, min(ends), max(ends), metric.higher_is_better, None),
        gain=Score(len(y), *doubled.gain, True, n),
        is_told=told,
        sentence=sentence,
        stopped=stopped,
        seconds=round(clock.elapsed(), 3),
    )


def _point(metric: Metric, size: _Size, y: Integers, groups: Integers) -> CurvePoint:
    found = [interval(metric, y, one, groups, 0) for one in size.probabilities]
    score, low, high = (float(np.mean([getattr(one, end) for one in found])) for end in ("score", "low", "high"))
    mean = replace(found[0], score=score, low=low, high=high)
    return CurvePoint(size.n, mean, tuple(one.score for one in found), round(size.seconds, 3))


def _doubled(
    metric: Metric, sizes: Sequence[_Size], points: Sequence[CurvePoint], y: Integers, groups: Integers
) -> Doubling:
    """Fit the law, with the test part resampled, and by how far the draws of one size lie apart."""
    scorers = [metric.prepare(y, one) for size in sizes for one in size.probabilities]
    sample = bootstrap(scorers, clusters(groups, len(y)), 0, n_resamples=N_RESAMPLES)
    sample = 1 - sample if metric.higher_is_better else sample
    ends = np.cumsum([len(size.probabilities) for size in sizes])[:-1]
    by_size = np.stack([part.mean(1) for part in np.split(sample, ends, axis=1)], axis=1)
    by_size = by_size[np.isfinite(by_size).all(1)]
    errors = np.array([_error(metric, point.score.score) for point in points])
    apart = [
        np.var(point.scores, ddof=1) / max(float(one), 1e-6) ** 2
        for point, one in zip(points, errors, strict=True)
        if len(point.scores) > 1
    ]
    luck = math.sqrt(float(np.mean(apart))) if apart else 0.0
    n = np.array([float(point.n) for point in points])
    return doubling(n, errors, by_size, luck=luck, n_draws=len(points[0].scores), seed=0)


def _error(metric: Metric, score: float) -> float:
    """What the law is about: 0 is perfect."""
    return 1 - score if metric.higher_is_better else score


def _sentence(metric: Metric, doubled: Doubling, error: float) -> tuple[bool, str]:
    """What twice the pictures would give, and whether that can be told.

    Args:
        error: with all pictures. Gains are positive for better, whatever the metric.
    """
    share = is_share(metric.name)
    gain, low, high = (f"{100 * one:+.1f}" if share else f"{one:+.2g}" for one in doubled.gain)
    unit = " points" if share else f" of {metric_name(metric.name)}"
    if doubled.gain[2] < (LITTLE if share else LITTLE_ELSE * error):
        return True, f"Twice the pictures would give hardly anything: at most {high}{unit}."
    if doubled.gain[1] <= 0 or low in ("+0.0", "+0"):
        return False, f"What twice the pictures would give can't be told: {_minus(low)} to {high}{unit}."
    if share:
        return True, f"Twice the pictures would give about {gain} points ({low[1:]} … {high[1:]})."
    change = "raise" if metric.higher_is_better else "lower"
    return True, (
        f"Twice the pictures would {change} {metric_name(metric.name)} by about {gain[1:]} ({low[1:]} … {high[1:]})."
    )


def _minus(number: str) -> str:
    return number.replace("-", "−")
