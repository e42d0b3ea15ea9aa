"""Which candidate ships, decided before the test part is read.

The rule in plain words, and why it is this one, is in docs/statistics.md, "The choice".
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bottega.errors import BottegaError, found_in, nearest_name
from bottega.evaluation.intervals import (
    LEVEL,
    bootstrap,
    clusters,
    difference_interval,
    resamples_for,
)
from bottega.evaluation.metrics import METRICS, Metric
from bottega.problem.records import Score

__all__ = ["Choice", "Contender", "choose", "default_margin", "holm"]

Relation = Literal["ships", "tied", "worse", "better", "cannot tell"]
Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Contender:
    """A candidate with its predictions on the examples that choose.

    Attributes:
        name: as in records.
        kind: whether `--ship network` means it.
        predictions: (N, C) probabilities, or (N,) values; the same examples for every contender.
    """

    name: str
    kind: Literal["network", "baseline"]
    predictions: NDArray[Any]


@dataclass(frozen=True)
class Choice:
    """What ships and how the others stand to it.

    Attributes:
        name: the contender that ships.
        relations: by name, as judged against the best: "tied" with it, "worse", or "cannot tell"; the one that ships
            says "ships". "better" stands only beside a contender that was asked for by name or kind.
        why: one sentence for the verdict.
        differences: by name of the rival: best minus rival in the metric's unit, with the plain 95 % interval.
        best: the contender that all were compared with.
        margin: differences inside it don't matter.
    """

    name: str
    relations: dict[str, Relation]
    why: str
    differences: dict[str, Score]
    best: str
    margin: float


@dataclass(frozen=True)
class _Pair:
    """One rival against the best: gains (in the direction of the metric), and what they prove."""

    name: str
    gain: float  # best minus rival, positive where the best is better
    sample: Numbers  # (B,) the same in each resample
    n_groups: int
    n_effective: float
    is_share: bool

    def p_differs(self) -> float:
        """Two-sided p of no difference."""
        if self.gain == 0 or not len(self.sample):
            return 1.0
        against = min(np.sum(self.sample <= 0), np.sum(self.sample >= 0))
        return float(min(1.0, max(2 * (against + 1) / (len(self.sample) + 1), self._p_unseen(abs(self.gain)))))

    def p_outside(self, margin: float) -> float:
        """The p of a difference as large as the margin, in whichever direction that is easier to believe."""
        if abs(self.gain) >= margin or not len(self.sample):
            return 1.0
        beyond = max(np.sum(self.sample <= -margin), np.sum(self.sample >= margin))
        return float(min(1.0, max(2 * (beyond + 1) / (len(self.sample) + 1), self._p_unseen(margin - abs(self.gain)))))

    def _p_unseen(self, room: float) -> float:
        """The level at which `intervals.unseen_share` is as wide as `room`: few examples prove little."""
        if not self.is_share or room >= 1:
            return 0.0
        return 2 * (1 - NormalDist().cdf(math.sqrt(self.n_effective * room / (1 - room))))


def default_margin(metric: Metric, best: float) -> float:
    """Differences that nobody would act on: a point of a share, 2 % of anything else."""
    return 0.01 if metric.is_share else 0.02 * abs(best)


def choose(
    contenders: Sequence[Contender],
    y: NDArray[Any],
    metric: Metric,
    *,
    groups: NDArray[Any] | None = None,
    ship: str = "best",
    margin: float | None = None,
    seed: int = 0,
) -> Choice:
    """Pick what ships from predictions on validation or out-of-fold examples.

    Args:
        contenders: from the simplest to the most complex: of tied ones the first ships.
        y: (N,) class indices (-1: a label that training never saw), or values.
        metric: what is judged; log loss (classes) or RMSE (values) decides where it can't.
        groups: (N,) equal for examples that belong together; None when all are independent.
        ship: "best", "network" (the best of the networks), or a contender's name.
        margin: differences inside it don't matter, in the metric's unit; None for `default_margin`.
        seed: of the resampling.
    Raises:
        BottegaError: `ship` names no contender.
    Source: docs/statistics.md; Schuirmann 1987 (two one-sided tests for equivalence), Holm 1979.
    """
    eligible = _eligible(contenders, ship)
    table = _Table(contenders, y, metric, groups, seed)
    best = table.best_of(eligible, margin)
    width = default_margin(metric, table.values[best]) if margin is None else margin
    pairs = table.pairs(best)
    relations = _relations(pairs, width)
    allowed = {contender.name for contender in eligible}
    tied = [c.name for c in contenders if c.name in allowed and relations.get(c.name) == "tied"]
    order = [contender.name for contender in contenders]
    name = min([best, *tied], key=order.index)
    shown: dict[str, Relation] = {contender.name: relations.get(contender.name, "tied") for contender in contenders}
    shown[name] = "ships"
    differences = {pair.name: table.difference(pair) for pair in pairs}
    why = _why(name, best, shown, ship, width, metric)
    return Choice(name, shown, why, differences, best, width)


class _Table:
    """Every contender scored on every resample, so that all comparisons are paired."""

    def __init__(
        self,
        contenders: Sequence[Contender],
        y: NDArray[Any],
        metric: Metric,
        groups: NDArray[Any] | None,
        seed: int,
    ) -> None:
        self.metric = metric
        self.names = [contender.name for contender in contenders]
        cells = clusters(groups, len(y), metric.row_weights)
        self.n, self.n_groups, self.n_effective = cells.n, cells.n_groups, cells.n_worth
        ones = np.ones(cells.n)
        scorers = [metric.prepare(y, contender.predictions) for contender in contenders]
        self.values = {name: scorer(ones) for name, scorer in zip(self.names, scorers, strict=True)}
        loss = METRICS["log_loss" if metric.kind == "classification" else "rmse"].under(None, metric.row_weights)
        self.quality = {c.name: -loss.prepare(y, c.predictions)(ones) for c in contenders}
        width = contenders[0].predictions.shape[-1] if contenders[0].predictions.ndim > 1 else 1
        cost = width if metric.name in ("roc_auc", "average_precision") else 1
        n_resamples = resamples_for(cells.n * len(scorers) * cost)
        self.sample = bootstrap(scorers, cells, seed, n_resamples=n_resamples) if cells.n_groups > 1 else None

    def best_of(self, eligible: Sequence[Contender], margin: float | None) -> str:
        """The least loss; but while another is better in the metric beyond doubt, the least loss of those."""
        names = [contender.name for contender in eligible]
        best = max(names, key=lambda name: _rank(self.quality[name]))
        for _ in names:  # the metric rises each time, so this ends
            width = default_margin(self.metric, self.values[best]) if margin is None else margin
            pairs = [pair for pair in self.pairs(best) if pair.name in names]
            better = [name for name, relation in _relations(pairs, width).items() if relation == "better"]
            if not better:
                break
            best = max(better, key=lambda name: _rank(self.quality[name]))
        return best

    def pairs(self, best: str) -> list[_Pair]:
        """The best against each rival."""
        sign = 1.0 if self.metric.higher_is_better else -1.0
        column = self.names.index(best)
        pairs = []
        for number, name in enumerate(self.names):
            if name == best:
                continue
            gain = sign * (self.values[best] - self.values[name])
            sample = np.zeros(0)
            if self.sample is not None and math.isfinite(gain):
                sample = sign * (self.sample[:, column] - self.sample[:, number])
                sample = sample[np.isfinite(sample)]
            pairs.append(_Pair(name, gain, sample, self.n_groups, self.n_effective, self.metric.is_share))
        return pairs

    def difference(self, pair: _Pair) -> Score:
        """Best minus rival in the metric's own direction, with the plain 95 % interval."""
        sign = 1.0 if self.metric.higher_is_better else -1.0
        value = sign * pair.gain
        low, high = difference_interval(self.metric, value, sign * pair.sample, self.n_groups, self.n_effective)
        return Score(self.n, value, low, high, self.metric.higher_is_better, self.n_groups)


def _eligible(contenders: Sequence[Contender], ship: str) -> list[Contender]:
    """The contenders that `--ship` leaves."""
    names = [contender.name for contender in contenders]
    if ship == "best":
        chosen = list(contenders)
    elif ship in names:
        chosen = [contender for contender in contenders if contender.name == ship]
    else:
        chosen = [contender for contender in contenders if contender.kind == "network"] if ship == "network" else []
    if not chosen:
        near = nearest_name(ship, ["best", "network", *names])
        raise BottegaError(
            found=f"--ship {ship!r}",
            expected=f"best, network or one of {found_in(names, limit=8)}" if names else "at least one candidate",
            fix=f"--ship {near}" if near and near != ship else "--ship best",
        )
    return chosen


def _relations(pairs: Sequence[_Pair], margin: float) -> dict[str, Relation]:
    """How each rival stands to the best; Holm's correction within each kind of claim."""
    differs = holm([pair.p_differs() for pair in pairs])
    inside = holm([pair.p_outside(margin) for pair in pairs])
    relations: dict[str, Relation] = {}
    for pair, is_inside, is_different in zip(pairs, inside, differs, strict=True):
        if is_inside:  # a real difference that is too small to matter is a tie too
            relations[pair.name] = "tied"
        elif is_different:
            relations[pair.name] = "worse" if pair.gain > 0 else "better"
        else:
            relations[pair.name] = "cannot tell"
    return relations


def holm(p_values: Sequence[float]) -> list[bool]:
    """Which hypotheses fall when the chance of even one false claim is held at 5 %.

    Source: Holm 1979, "A simple sequentially rejective multiple test procedure".
    """
    falls = [False] * len(p_values)
    for n_before, number in enumerate(np.argsort(p_values, kind="stable")):
        if p_values[number] > (1 - LEVEL) / (len(p_values) - n_before):
            break
        falls[number] = True
    return falls


def _rank(quality: float) -> float:
    return -math.inf if math.isnan(quality) else quality


def _why(name: str, best: str, relations: dict[str, Relation], ship: str, margin: float, metric: Metric) -> str:
    """The choice in one sentence."""
    room = f"{100 * margin:g} points" if metric.is_share else f"{margin:.3g}"
    room = "1 point" if room == "1 points" else room
    if ship == name:
        better = [rival for rival, relation in relations.items() if relation == "better"]
        return f"{name} ships because it was asked for" + (f"; {found_in(better)} did better" if better else "")
    among = "of the networks, " if ship == "network" else ""
    if name != best:
        return f"{among}{name} ships: it is the simplest of those within {room} of {best} in {metric.name}"
    open_ = [rival for rival, relation in relations.items() if relation == "cannot tell"]
    if open_:
        return (
            f"{among}{name} ships with the least validation loss; the examples are too few to tell it in "
            f"{metric.name} from {found_in(open_)}"
        )
    if "tied" in relations.values():
        return f"{among}{name} ships: it is the best on validation, and the simplest of those within {room} of it"
    if len(relations) == 1:
        return f"{name} ships: it is the only candidate"
    return f"{among}{name} ships: it is the best in {metric.name} beyond doubt"
