"""The test part, read once: scores with intervals for what ships and for every rival."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from bottega.data.splits import folds, naive_split
from bottega.errors import BottegaError
from bottega.evaluation.conformal import Interval
from bottega.evaluation.intervals import difference, interval, proportion
from bottega.evaluation.metrics import score_all
from bottega.evaluation.regression import score_values
from bottega.problem.records import Candidate, Score
from bottega.workflow.candidates import Answered, Developed, Material, Rules, Spec, answer, develop, predictions
from bottega.workflow.judge_costs import judge_costs
from bottega.workflow.lookalikes import Lookalikes, find_lookalikes
from bottega.workflow.threads import product_threads

__all__ = ["N_REPEATS", "Judged", "Tested", "candidate_records", "cross_validated", "held_out", "judge", "naive_score"]

Numbers = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
N_REPEATS = 2  # of 5-fold on small data: the second halves what the luck of the deal adds
INNER_K = 3


@dataclass(frozen=True)
class Tested:
    """Answers on examples that had no part in making them.

    Attributes:
        rows: (T,) examples; on small data each stands there once for each repeat.
        predictions: of what ships: (T, C) probabilities, or (T,) values.
        sure: (T,) bool; false for values.
        by_candidate: predictions of every candidate.
        n: different examples among the rows.
        ends: (T, 2) lower and upper ends of the intervals of values; None for classes.
    """

    rows: Integers
    predictions: Numbers
    sure: npt.NDArray[np.bool_]
    by_candidate: Mapping[str, Numbers]
    n: int
    ends: Numbers | None = None

    @property
    def once(self) -> slice:
        """The first repeat alone: each example once."""
        return slice(0, self.n)


@dataclass(frozen=True)
class Judged:
    """What the test part says.

    Attributes:
        per_class, sure: of classes; empty for values.
        interval: of values: what it promises, and what it held; empty for classes.
        costs: where they are stated: what answers cost, and what simpler rules would have cost.
    """

    tested: Tested
    metrics: dict[str, Score]
    per_class: dict[str, dict[str, Any]]
    sure: dict[str, Any]
    naive: Score | None
    lookalikes: Lookalikes | None = None
    interval: dict[str, Any] = field(default_factory=dict)
    costs: dict[str, Any] = field(default_factory=dict)


def held_out(material: Material, developed: Developed, rows: Integers) -> Tested:
    """Answer the test part with the fitted candidates."""
    by_candidate = {
        name: _predictions(material, one, rows, one.temperature) for name, one in developed.answered.items()
    }
    found = _predictions(material, developed.chosen, rows, developed.temperature)
    if developed.interval is not None:
        ends = np.stack(developed.interval.around(found), axis=1)
        return Tested(rows, found, np.zeros(len(rows), bool), by_candidate, len(rows), ends)
    said = material.said(found)
    return Tested(rows, found, found[np.arange(len(rows)), said] >= developed.threshold, by_candidate, len(rows))


def cross_validated(
    material: Material, specs: Sequence[Spec], rules: Rules, *, n_repeats: int = N_REPEATS, tell: Callable[[str], None]
) -> Tested:
    """Repeated grouped k-fold, the choice and the calibration made anew inside each fold."""
    n = len(material.y)
    order = np.arange(n)
    names = [spec.name for spec in specs]
    shape = (n_repeats * n, material.n_classes) if material.classes else (n_repeats * n,)
    by_candidate = {name: np.zeros(shape) for name in names}
    found, sure, ends = np.zeros(shape), np.zeros(n_repeats * n, bool), np.zeros((n_repeats * n, 2))
    k = min(rules.k, len(np.unique(material.groups)))
    for repeat in range(n_repeats):
        fold = folds(material.group_names, material.labels, k=k, repeat=repeat, split_seed=rules.split_seed)
        for number in range(k):
            tell(f"fold {repeat * k + number + 1} of {n_repeats * k}")
            inside = order[fold == number]
            inner = replace(rules, k=INNER_K)
            developed = develop(material, specs, order[fold != number], order[:0], inner)
            if developed.interrupted:  # half of the folds are no score: the run stops, and can be resumed
                raise KeyboardInterrupt
            one = held_out(material, developed, inside)
            places = repeat * n + inside
            found[places], sure[places] = one.predictions, one.sure
            ends[places] = 0.0 if one.ends is None else one.ends
            for name in names:
                by_candidate[name][places] = one.by_candidate[name]
    return Tested(np.tile(order, n_repeats), found, sure, by_candidate, n, None if material.classes else ends)


def judge(
    material: Material,
    tested: Tested,
    developed: Developed,
    *,
    metric: str,
    naive: Score | None,
    varied: bool = True,
) -> Judged:
    """Score what ships: every metric, each class, the answers that were sure.

    Args:
        metric: the one that is judged; it is also told without near twins and without look-alikes.
        naive: the score of a split that ignores near twins, where there is one.
        varied: unrelated pictures look different, so that likeness means something (photos; not digits).
    """
    y, groups = material.y[tested.rows], material.groups[tested.rows]
    metrics = _scores(material, tested, developed)
    if len(material.classes) > 2 and metric != "average_precision":
        metrics.pop("average_precision", None)
    if metric not in metrics:
        raise _without_value(material, metric)
    others = np.setdiff1d(np.arange(len(material.y)), tested.rows)  # of given parts, some may have twins in the test
    single = _without_twins(groups[tested.once], material.groups[others])
    if 0 < len(single) < tested.n:
        measure = material.measure(metric, tested.rows[single])
        score = interval(measure, y[single], tested.predictions[single], None, 0)
        metrics[f"{metric}_without_twins"] = score
    lookalikes = _lookalikes(material, tested, metric) if varied else None
    if lookalikes is not None:
        metrics[f"{metric}_without_lookalikes"] = lookalikes.without
    if naive is not None:
        metrics["twins_grouped"] = metrics[metric]
        metrics["twins_split"] = naive
    if developed.interval is not None:
        return Judged(tested, metrics, {}, {}, naive, interval=_interval(developed.interval, metrics))
    once = tested.once
    per_class = _per_class(material.classes, y[once], material.said(tested.predictions[once]), groups[once])
    sure, costs = _sure(material, tested, developed), judge_costs(material, tested, developed)
    return Judged(tested, metrics, per_class, sure, naive, lookalikes, costs=costs)


def _scores(material: Material, tested: Tested, developed: Developed) -> dict[str, Score]:
    """Every metric that has a value on these rows."""
    y, groups = material.y[tested.rows], material.groups[tested.rows]
    clusters = None if len(np.unique(groups)) == len(groups) else groups
    weights = None if material.weights is None else material.weights[tested.rows]
    if tested.ends is not None and developed.interval is not None:
        coverage, ends = developed.interval.coverage, (tested.ends[:, 0], tested.ends[:, 1])
        found = score_values(y, tested.predictions, ends, coverage=coverage, groups=clusters, weights=weights)
    else:
        found = score_all(y, tested.predictions, clusters, costs=material.costs, weights=weights)
    return {name: replace(score, n=tested.n) for name, score in found.items() if np.isfinite(score.score)}


def _without_value(material: Material, metric: str) -> BottegaError:
    return BottegaError(
        found=f"a test part on which {metric} has no value",
        expected="examples of every class in it" if material.classes else "several examples in it",
        fix=f"add examples{' of the rare classes' if material.classes else ''}, or choose another --metric",
    )


def naive_score(
    material: Material, one: Answered, hashes: npt.NDArray[np.uint8], *, metric: str, seed: int, threads: int = 1
) -> Score | None:
    """What a split that ignores near twins would have claimed for the same candidate: fitted and scored that way.

    None where there are no twins, so that both splits are one.
    """
    if len(np.unique(material.groups)) == len(material.groups):
        return None
    part = naive_split(hashes, seed)
    train, test = np.flatnonzero(part != "test"), np.flatnonzero(part == "test")
    if material.classes:
        train = train[material.y[train] >= 0]
    if len(test) == 0 or len(np.unique(material.y[train])) < 2:
        return None
    x = material.views[one.spec.view]
    with product_threads(threads):
        form = one.spec.fitted(material, train, one.setting)
    found = predictions(answer(form, x[test], material.n_outputs), one.temperature)
    return interval(material.measure(metric, test), material.y[test], found, None, 0)


def candidate_records(
    material: Material, developed: Developed, tested: Tested, *, metric: str
) -> tuple[Candidate, ...]:
    """Every candidate with its validation and test scores, and how it stands to the one that ships."""
    measure = material.measure(metric, tested.rows)
    y, groups = material.y[tested.rows], material.groups[tested.rows]
    y_val, groups_val = material.y[developed.rows], material.groups[developed.rows]
    chosen = tested.by_candidate[developed.choice.name]
    found = []
    for name, one in developed.answered.items():
        answered = np.isfinite(one.logits[:, 0])
        on_val = material.measure(metric, developed.rows[answered])
        val = interval(on_val, y_val[answered], one.predictions()[answered], groups_val[answered], 0)
        test = interval(measure, y, tested.by_candidate[name], groups, 0)
        gap = None
        if name != developed.choice.name:
            gap = difference(measure, y, chosen, tested.by_candidate[name], groups)
            gap = replace(gap, n=tested.n)
        relation = "worse" if one.dropped else developed.choice.relations.get(name)
        found.append(
            Candidate(
                name, one.spec.kind, val, replace(test, n=tested.n), round(one.seconds, 3), one.dropped, relation, gap
            )
        )
    for spec, why in developed.skipped:
        found.append(Candidate(spec.name, spec.kind, None, None, 0.0, why))
    return tuple(found)


def _predictions(material: Material, one: Answered, rows: Integers, temperature: float) -> Numbers:
    return predictions(answer(one.form, material.views[one.spec.view][rows], material.n_outputs), temperature)


def _lookalikes(material: Material, tested: Tested, metric: str) -> Lookalikes | None:
    """On a held-out test part only: across folds everybody is somebody's training picture."""
    rows = tested.rows[tested.once]
    seen = np.setdiff1d(np.arange(len(material.y)), rows)
    return find_lookalikes(material, rows, tested.predictions[tested.once], seen, metric=metric)


def _without_twins(groups: Integers, seen: Integers) -> Integers:
    """The first example of each group that training has nothing of."""
    _, first = np.unique(groups, return_index=True)
    first = np.sort(first)
    return first[~np.isin(groups[first], seen)]


def _per_class(classes: Sequence[str], y: Integers, said: Integers, groups: Integers) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for number, name in enumerate(classes):
        is_it, says_it = y == number, said == number
        found[name] = {
            "n": int(is_it.sum()),
            "recall": proportion(says_it[is_it], groups[is_it]) if is_it.any() else None,
            "precision": proportion(is_it[says_it], groups[says_it]) if says_it.any() else None,
        }
    return found


def _sure(material: Material, tested: Tested, developed: Developed) -> dict[str, Any]:
    """The threshold, and what it did on the test part."""
    y, groups = material.y[tested.rows], material.groups[tested.rows]
    right = material.said(tested.predictions) == y
    sure, promised = tested.sure, developed.sure
    if promised is None:
        return {}
    return {
        "threshold": float(promised.threshold) if np.isfinite(promised.threshold) else None,
        "coverage": float(sure.mean()) if len(sure) else 0.0,
        "accuracy": proportion(right[sure], groups[sure]) if sure.any() else None,
        "why": promised.why,
        "sure_at": promised.sure_at,
    }


def _interval(promised: Interval, metrics: Mapping[str, Score]) -> dict[str, Any]:
    """What the intervals of values promise, and what they held on the test part."""
    return {
        "coverage": promised.coverage,
        "held": metrics["coverage"],
        "width": metrics.get("width"),
        "scale": promised.scale,
        "reach": promised.reach,
        "n": promised.n,
        "guarantee": promised.guarantee,
    }
