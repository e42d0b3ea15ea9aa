"""The test part, read once: scores with intervals for what ships and for every rival."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from bottega.data.splits import folds, naive_split
from bottega.errors import BottegaError
from bottega.evaluation.calibration import apply_temperature
from bottega.evaluation.intervals import difference, interval, proportion
from bottega.evaluation.metrics import METRICS, score_all
from bottega.problem.records import Candidate, Score
from bottega.workflow.candidates import Answered, Developed, Material, Rules, Spec, answer, develop
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
        probabilities: (T, C) of what ships.
        sure: (T,) bool.
        by_candidate: probabilities of every candidate.
        n: different examples among the rows.
    """

    rows: Integers
    probabilities: Numbers
    sure: npt.NDArray[np.bool_]
    by_candidate: Mapping[str, Numbers]
    n: int

    @property
    def once(self) -> slice:
        """The first repeat alone: each example once."""
        return slice(0, self.n)


@dataclass(frozen=True)
class Judged:
    """What the test part says."""

    tested: Tested
    metrics: dict[str, Score]
    per_class: dict[str, dict[str, Any]]
    sure: dict[str, Any]
    naive: Score | None
    lookalikes: Lookalikes | None = None


def held_out(material: Material, developed: Developed, rows: Integers) -> Tested:
    """Answer the test part with the fitted candidates."""
    by_candidate = {name: _probabilities(material, one, rows) for name, one in developed.answered.items()}
    chosen = developed.chosen
    logits = answer(chosen.form, material.views[chosen.spec.view][rows], material.n_classes)
    probabilities = apply_temperature(logits, developed.temperature)
    return Tested(rows, probabilities, probabilities.max(1) >= developed.sure.threshold, by_candidate, len(rows))


def cross_validated(
    material: Material, specs: Sequence[Spec], rules: Rules, *, n_repeats: int = N_REPEATS, tell: Callable[[str], None]
) -> Tested:
    """Repeated grouped k-fold, the choice and the calibration made anew inside each fold."""
    n = len(material.y)
    order = np.arange(n)
    names = [spec.name for spec in specs]
    by_candidate = {name: np.zeros((n_repeats * n, material.n_classes)) for name in names}
    probabilities = np.zeros((n_repeats * n, material.n_classes))
    sure = np.zeros(n_repeats * n, bool)
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
            probabilities[places], sure[places] = one.probabilities, one.sure
            for name in names:
                by_candidate[name][places] = one.by_candidate[name]
    return Tested(np.tile(order, n_repeats), probabilities, sure, by_candidate, n)


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
    alone = len(np.unique(groups)) == len(groups)
    clusters = None if alone else groups
    metrics = {name: replace(score, n=tested.n) for name, score in score_all(y, tested.probabilities, clusters).items()}
    metrics = {name: score for name, score in metrics.items() if np.isfinite(score.score)}
    if len(material.classes) != 2 and metric != "average_precision":
        metrics.pop("average_precision", None)
    if metric not in metrics:
        raise BottegaError(
            found=f"a test part on which {metric} has no value",
            expected="pictures of every class in it",
            fix="add pictures of the rare classes, or --metric accuracy",
        )
    single = _without_twins(groups[tested.once])
    if 0 < len(single) < tested.n:
        score = interval(METRICS[metric], y[single], tested.probabilities[single], None, 0)
        metrics[f"{metric}_without_twins"] = score
    lookalikes = _lookalikes(material, tested, metric) if varied else None
    if lookalikes is not None:
        metrics[f"{metric}_without_lookalikes"] = lookalikes.without
    if naive is not None:
        metrics["twins_grouped"] = metrics[metric]
        metrics["twins_split"] = naive
    once = tested.once
    per_class = _per_class(material.classes, y[once], tested.probabilities[once].argmax(1), groups[once])
    return Judged(tested, metrics, per_class, _sure(material, tested, developed), naive, lookalikes)


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
    train = train[material.y[train] >= 0]
    if len(test) == 0 or len(np.unique(material.y[train])) < 2:
        return None
    x = material.views[one.spec.view]
    with product_threads(threads):
        form = one.spec.fit(x[train], material.y[train], one.setting)
    probabilities = apply_temperature(answer(form, x[test], material.n_classes), one.temperature)
    return interval(METRICS[metric], material.y[test], probabilities, None, 0)


def candidate_records(
    material: Material, developed: Developed, tested: Tested, *, metric: str
) -> tuple[Candidate, ...]:
    """Every candidate with its validation and test scores, and how it stands to the one that ships."""
    measure = METRICS[metric]
    y, groups = material.y[tested.rows], material.groups[tested.rows]
    y_val, groups_val = material.y[developed.rows], material.groups[developed.rows]
    chosen = tested.by_candidate[developed.choice.name]
    found = []
    for name, one in developed.answered.items():
        answered = np.isfinite(one.logits[:, 0])
        val = interval(measure, y_val[answered], one.probabilities()[answered], groups_val[answered], 0)
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


def _probabilities(material: Material, one: Answered, rows: Integers) -> Numbers:
    return apply_temperature(answer(one.form, material.views[one.spec.view][rows], material.n_classes), one.temperature)


def _lookalikes(material: Material, tested: Tested, metric: str) -> Lookalikes | None:
    """On a held-out test part only: across folds everybody is somebody's training picture."""
    rows = tested.rows[tested.once]
    seen = np.setdiff1d(np.arange(len(material.y)), rows)
    return find_lookalikes(material, rows, tested.probabilities[tested.once], seen, metric=metric)


def _without_twins(groups: Integers) -> Integers:
    """The first example of each group."""
    _, first = np.unique(groups, return_index=True)
    return np.sort(first)


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
    right = tested.probabilities.argmax(1) == y
    sure = tested.sure
    finite = np.isfinite(developed.sure.threshold)
    return {
        "threshold": float(developed.sure.threshold) if finite else None,
        "coverage": float(sure.mean()) if len(sure) else 0.0,
        "accuracy": proportion(right[sure], groups[sure]) if sure.any() else None,
        "why": developed.sure.why,
        "sure_at": developed.sure.sure_at,
    }
