"""Which made features help: brainstorm, pick by evidence, all of it on the rows that a fit is given and on no others.

docs/statistics.md, "Made features", has the rule in words.
"""

import hashlib
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

from bottega.data.table_feature_ideas import TableColumns, brainstorm
from bottega.data.table_features import MadeFeature, features_graph, learn_features
from bottega.evaluation.table_forms import Staged, Trees
from bottega.evaluation.table_models import Rows, fit_boosting, ridge_path
from bottega.problem.records import Score
from bottega.training.head import fit_softmax
from bottega.workflow.feature_screen import Screen
from bottega.workflow.features import engine
from bottega.workflow.table_specs import TableTask, is_skewed

__all__ = ["Evidence", "FeatureSearch", "Found", "wide_for_training", "widened"]

Floats = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Targets = npt.NDArray[Any]
FEWEST_ROWS = 120  # below it nearly nothing can be proved
MOST_ROWS = 4000  # more of them cost time and change no choice that matters: drawn by lot, whole groups together
K = 5
N_MODELS = 5  # a usual search goes through the folds with as many sets of features; one that keeps much with more
N_TRIED = 2  # ideas a round, of each of the three ways to screen them
MOST_TRIED = 6  # ideas a round
MOST_COLUMNS = 30  # that the quick models see where there are more: those that a first one used most
MOST_KEPT = 6
LEVEL = 0.05
CUT = 3.0  # times the median absolute error: a larger one counts as this
LEAST_GAIN = 0.01  # share of the loss: less isn't worth a longer explanation
OVERLAP = 1 + K / (K - 1)  # times the variance, since the training parts of the folds overlap
QUICK = {"learning_rate": 0.2, "max_leaf_nodes": 12, "min_samples_leaf": 10, "l2_regularization": 1.0,
         "max_features": 1.0, "n_iterations": 30}  # fmt: skip
AT_ONCE = 512  # rows, where each word of a text is compared with each that is asked for
MANY_CLASSES = 8  # as many trees an iteration: from here on fewer iterations with larger steps
SHARES = tuple(number / 10 for number in range(11))  # of the boosting in the mixture
QUICK_RIDGE, QUICK_SOFTMAX = 0.01, 0.003


@dataclass(frozen=True)
class Evidence:
    """What one feature was worth: the share of the loss that it took away, out of fold."""

    feature: MadeFeature
    gain: Score
    is_proved: bool


@dataclass(frozen=True)
class Found:
    """What a search came to.

    Attributes:
        features: the kept ones, fitted on all rows that were given.
        wide: (N, n_seen + F) float32 what a model is fitted on: a mean of the target leaves out the row's own fold.
        kept, closest: in the order in which they were taken; of the first that was not.
        n_tried: how many were brainstormed.
        n_rows: that the evidence is from.
    """

    features: tuple[MadeFeature, ...]
    wide: Floats
    kept: tuple[Evidence, ...] = ()
    closest: tuple[Evidence, ...] = ()
    n_tried: int = 0
    n_rows: int = 0


class FeatureSearch:
    """Finds features for the rows of a fit; the same rows get the same ones.

    Args:
        group_of: of each encoded row by its bytes: rows of one group are never on both sides of a fold.
    """

    def __init__(self, task: TableTask, columns: TableColumns, group_of: Mapping[bytes, int]) -> None:
        import sklearn.ensemble  # noqa: F401  # its import takes longer than many a search, and is no part of it

        self.task = task
        self.columns = columns
        self.group_of = group_of

    def find(self, x: Floats, y: Targets, most_seconds: float = math.inf) -> Found | None:
        """Search on these rows.

        Args:
            x: (N, D) encoded, texts last; y: (N,) class indices, or values.
            most_seconds: that may be used.
        Returns:
            None where the first models took so long that a search would take more.
        """
        fold = self._folds(x)
        drawn = self._drawn(x)
        if len(drawn) < FEWEST_ROWS or len(np.unique(fold[drawn])) < K or len(np.unique(y[drawn])) < 2:
            return Found((), widened((), x, self.columns.n_seen), n_rows=len(drawn))
        begun = time.perf_counter()
        picking = _Picking(self.task, x[drawn], y[drawn], fold[drawn], self._groups(x[drawn]))
        if (time.perf_counter() - begun) * N_MODELS > most_seconds:
            return None
        ideas = brainstorm(self.columns, x[drawn], picking.uses())
        kept, closest = picking.pick(ideas)
        chosen = [one.feature for one in kept]
        features = learn_features(chosen, x, y)
        n_seen = self.columns.n_seen
        wide = wide_for_training(chosen, x, y, fold, n_seen) if chosen else widened((), x, n_seen)
        return Found(features, wide, kept, closest, len(ideas), len(drawn))

    def _groups(self, x: Floats) -> Integers:
        return np.array([self.group_of.get(row.tobytes(), -1) for row in x], np.int64)

    def _folds(self, x: Floats) -> Integers:
        """(N,) by a hash of the group, so that no other row has a say in it."""
        groups = self._groups(x)
        number = {int(one): _hashed(int(one), self.task.seed) % K for one in np.unique(groups)}
        return np.array([number[one] for one in groups.tolist()], np.int64)

    def _drawn(self, x: Floats) -> Integers:
        groups = self._groups(x)
        if len(groups) <= MOST_ROWS:
            return np.arange(len(groups))
        names, counts = np.unique(groups, return_counts=True)
        order = sorted(range(len(names)), key=lambda i: _hashed(int(names[i]), self.task.seed + 1))
        n_groups = max(1, int(np.searchsorted(np.cumsum(counts[order]), MOST_ROWS, side="right")))
        return np.flatnonzero(np.isin(groups, names[order[:n_groups]]))


class _Picking:
    """One search on one set of rows: what quick models answer out of fold, without and with features."""

    def __init__(self, task: TableTask, x: Floats, y: Targets, fold: Integers, groups: Integers) -> None:
        self.task, self.x, self.y, self.fold = task, x, y, fold
        self.group = np.unique(groups, return_inverse=True)[1].reshape(-1)
        self.cut: float | None = None  # of absolute errors, from the first model
        self.n_seen = len(task.n_codes)  # columns of x that models see; those of texts stand behind them
        self._uses = np.zeros(self.n_seen, np.float32)
        self.scales = [_Scale.of(y, log=False)] if task.n_classes is None else []
        if self.scales and is_skewed(y):
            self.scales.append(_Scale.of(y, log=True))
        self.seen = np.arange(self.n_seen)
        self.is_first = True  # while the first boosting is fitted, its use of the columns is counted
        self.base = self._measure(())
        self.is_first = False
        if self.n_seen > MOST_COLUMNS:
            self.seen = np.sort(np.argsort(-self._uses, kind="stable")[:MOST_COLUMNS])
            self.base = self._measure(())

    def uses(self) -> Floats:
        """(D,) how often the quick boosting asked for each column."""
        return self._uses

    def pick(self, ideas: Sequence[MadeFeature]) -> tuple[tuple[Evidence, ...], tuple[Evidence, ...]]:
        """Take the best of a few, again and again, as long as its gain is proved."""
        if not ideas:
            return (), ()
        values = widened(learn_features(ideas, self.x, self.y), self.x, 0)
        parents = [() if one.is_of_text else one.columns for one in ideas]
        screen = Screen(values, parents, self.x[:, : self.n_seen])
        kept: list[Evidence] = []
        taken: list[int] = []
        now = self.base
        while len(kept) < MOST_KEPT:
            chosen = [one.feature for one in kept]
            tried = {place: self._measure([*chosen, ideas[place]]) for place in self._promising(screen, now, taken)}
            found = {place: self._evidence(ideas[place], now, after, len(ideas)) for place, after in tried.items()}
            ranked = sorted(found, key=lambda place: -found[place].gain.score)
            if not ranked or not found[ranked[0]].is_proved:
                return tuple(kept), tuple(found[place] for place in ranked)
            taken.append(ranked[0])
            kept.append(found[ranked[0]])
            now = tried[ranked[0]]
        return tuple(kept), ()

    def _promising(self, screen: Screen, now: "_Measured", taken: Sequence[int]) -> list[int]:
        """Ideas that explain what either quick model leaves, or more of the target than their columns do."""
        found: list[int] = []
        for residual in now.residuals:
            found += screen.first_for(residual, N_TRIED, [*taken, *found])
        target = self.y[:, None] if self.task.n_classes is None else np.eye(self.task.n_classes)[self.y]
        found = [*screen.first_beyond_parents(target, N_TRIED, taken), *found]
        return list(dict.fromkeys(found))[:MOST_TRIED]

    def _measure(self, features: Sequence[MadeFeature]) -> "_Measured":
        """Answer every fold by the quick models, fitted on the others; what counts is the best mixture of two of them.

        So a feature that only a bad model can use gains nothing, and none gains by making one overtake the other.
        """
        answers = np.zeros((max(2, 1 + len(self.scales)), len(self.y), self.task.n_outputs))
        columns = np.append(self.seen, self.n_seen + np.arange(len(features)))
        n_codes = np.append(self.task.n_codes[self.seen], np.zeros(len(features), np.int64))
        task = replace(self.task, n_codes=n_codes)
        for number in range(K):
            inside = self.fold == number
            x, y = self.x[~inside], self.y[~inside]
            test = widened(learn_features(features, x, y), self.x[inside], self.n_seen)
            wide = wide_for_training(features, x, y, self.fold[~inside], self.n_seen)
            answers[:, inside] = self._answers(task, wide[:, columns], y, test[:, columns])
        boosted, *linear = (_residual(one, self.y, self.task.n_classes) for one in answers)
        mixed = [self._losses(share * boosted + (1 - share) * other) for other in linear for share in SHARES]
        return _Measured(min(mixed, key=lambda losses: float(losses.mean())), [boosted, *linear])

    def _losses(self, residual: Numbers) -> Numbers:
        """(N,) of which no single row can decide: Brier's, or absolute errors that are cut."""
        if self.task.n_classes is not None:
            return np.asarray(np.square(residual).sum(1))
        errors = np.abs(residual[:, 0])
        if self.cut is None:
            self.cut = CUT * float(np.median(errors))
        return np.minimum(errors, self.cut)

    def _answers(self, task: TableTask, x: Floats, y: Targets, test: Floats) -> Numbers:
        """(M, N, C) of a small boosting, then of a linear model; of values also of one for their logarithms."""
        stage, z = task.dense(x)
        if task.n_classes is not None:
            linear = fit_softmax(z, y, task.n_classes, QUICK_SOFTMAX)
            return np.stack([task.answer(self._boosted(task, x, y), test), task.answer(Staged(stage, linear), test)])
        found = [self.scales[0].outwards(task.answer(self._boosted(task, x, self.scales[0].inwards(y)), test))]
        for scale in self.scales:
            [ridge] = ridge_path(z, scale.inwards(y), [QUICK_RIDGE])
            found.append(scale.outwards(task.answer(Staged(stage, ridge), test)))
        return np.stack(found)

    def _boosted(self, task: TableTask, x: Floats, y: Targets) -> Trees:
        setting = QUICK
        if (task.n_classes or 0) > MANY_CLASSES:
            setting = {**QUICK, "learning_rate": 0.3, "n_iterations": 12}
        trees = fit_boosting(Rows(x, y), task.n_codes, setting, n_classes=task.n_classes, seed=task.seed).trees
        if self.is_first:
            by_number = trees.feature[(trees.feature >= 0) & (trees.feature < x.shape[1])]
            by_code = trees.column[trees.feature[trees.feature >= x.shape[1]] - x.shape[1]]
            self._uses += np.bincount(np.concatenate([by_number, by_code]), minlength=x.shape[1]).astype(np.float32)
        return trees

    def _evidence(self, feature: MadeFeature, before: "_Measured", after: "_Measured", n_ideas: int) -> Evidence:
        """The gain with its 95 % interval, and whether it holds after a correction for the number of ideas."""
        gains = np.bincount(self.group, weights=before.losses - after.losses)
        whole = float(before.losses.sum())
        mean = float(gains.sum()) / whole
        error = float(np.sqrt(OVERLAP * len(gains)) * gains.std(ddof=1)) / whole
        reach = NormalDist().inv_cdf(0.975) * error
        strict = NormalDist().inv_cdf(1 - LEVEL / max(1, n_ideas)) * error
        score = Score(len(self.y), mean, mean - reach, min(1.0, mean + reach), True, len(gains))
        return Evidence(feature, score, mean - strict > 0 and mean >= LEAST_GAIN)


@dataclass(frozen=True)
class _Scale:
    """What quick models see of values: standardised, or the logarithm standardised, as candidates do."""

    log: bool
    shift: float
    mean: float
    spread: float
    most: float

    @classmethod
    def of(cls, y: Targets, *, log: bool) -> "_Scale":
        shift = 1.0 if log and y.min() <= 0 else 0.0
        values = np.log(y + shift) if log else y.astype(np.float64)
        return cls(log, shift, float(values.mean()), float(values.std()) or 1.0, float(values.max()))

    def inwards(self, y: Targets) -> Numbers:
        values = np.log(y + self.shift) if self.log else y
        return np.asarray((values - self.mean) / self.spread)

    def outwards(self, answers: Numbers) -> Numbers:
        values = answers * self.spread + self.mean
        return np.exp(np.minimum(values, self.most + 1)) - self.shift if self.log else values


@dataclass(frozen=True)
class _Measured:
    """Out of fold: (N,) losses of the best mixture of the quick models, (N, C) what each of them leaves to explain."""

    losses: Numbers
    residuals: list[Numbers]


def widened(features: Sequence[MadeFeature], x: Floats, n_seen: int | None = None) -> Floats:
    """(N, D) -> (N, n_seen + F), by the operators that ship; `features` have learned what they look up.

    Args:
        n_seen: columns of x that models see; None for all.
    """
    if not features:
        return x if n_seen in (None, x.shape[1]) else np.ascontiguousarray(x[:, :n_seen])
    session = engine(features_graph(features, x.shape[1], n_seen), threads=1)
    n = AT_ONCE if any(one.is_of_text for one in features) else max(1, len(x))  # rows are answered one by one
    parts: list[Floats] = [session.run(None, {"x": x[start : start + n]})[0] for start in range(0, max(1, len(x)), n)]
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def wide_for_training(
    features: Sequence[MadeFeature], x: Floats, y: Targets, fold: Integers, n_seen: int | None = None
) -> Floats:
    """As `widened`, but that a row's own fold has no say in what was learned of the target: it would be given away."""
    wide = widened(learn_features(features, x, y), x, n_seen).copy()
    places = [place for place, one in enumerate(features) if one.learns_target]
    of_target = [features[place] for place in places]
    first = x.shape[1] if n_seen is None else n_seen
    for number in np.unique(fold) if places else ():
        inside = fold == number
        told = widened(learn_features(of_target, x[~inside], y[~inside]), x[inside], 0)
        wide[np.ix_(inside, [first + place for place in places])] = told
    return wide


def _residual(scores: Numbers, y: Targets, n_classes: int | None) -> Numbers:
    """(N, C) what is left to explain: the truth less the value, or less the probabilities."""
    if n_classes is None:
        return y[:, None] - scores
    shares = np.exp(scores - scores.max(1, keepdims=True))
    return np.asarray(np.eye(n_classes)[y] - shares / shares.sum(1, keepdims=True))


def _hashed(number: int, seed: int) -> int:
    return int.from_bytes(hashlib.blake2b(f"{seed} {number}".encode(), digest_size=8).digest(), "little")
