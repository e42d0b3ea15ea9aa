"""Tuning in the time that is left: the two best kinds of model, by trials that Optuna proposes.

Trials are judged on a quarter of the rows that may be fitted on, so that the rows that choose between candidates have
no part in them; the best setting is then fitted on all. The kinds share the time, not the number of trials; where none
of the two has a trial that would end in time, the next best kind that has goes on. How many trials of each there was
time for is journalled before their result is used: a run that goes on, or is reproduced, makes as many. No kind hears
of another's trials, so their order makes no difference.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bottega.evaluation.table_models import Rows
from bottega.workflow.candidates import Setting
from bottega.workflow.clock import Clock

if TYPE_CHECKING:
    from bottega.workflow.run_folder import RunFolder

__all__ = ["HELD_SHARE", "SPACES", "Outer", "Range", "Spent", "Study", "TrialBudget", "inner_parts"]

FIXED_TRIALS = 40  # where the preset asks for more work and no time is stated
HELD_SHARE = 0.25  # of the rows: what trials are judged on
DECISION = "trials"
FOLD_SHARE = 0.7  # what as many trials take in a fold, on four fifths of the rows, over what they took on all
FOLD_REFITS = 3  # in a fold: for the two other inner folds, and on all its rows
N_KINDS = 2  # that are tuned, as long as their trials end in time
N_RANDOM = 8  # trials of a kind before earlier ones guide the next


class Range(NamedTuple):
    """Where a number is looked for."""

    low: float
    high: float
    log: bool = False
    whole: bool = False


_NETWORK = {
    "learning_rate": Range(3e-4, 2e-2, log=True),
    "dropout": Range(0.0, 0.5),
    "width": Range(64, 384, log=True, whole=True),
    "depth": Range(1, 4, whole=True),
}
SPACES: Mapping[str, Mapping[str, Range]] = {
    "gradient boosting": {
        "learning_rate": Range(0.02, 0.3, log=True),
        "max_leaf_nodes": Range(4, 96, log=True, whole=True),
        "min_samples_leaf": Range(2, 80, log=True, whole=True),
        "l2_regularization": Range(1e-3, 20.0, log=True),
        "max_features": Range(0.2, 1.0),
    },
    "random forest": {
        "min_samples_leaf": Range(1, 20, log=True, whole=True),
        "max_features": Range(0.1, 1.0),
    },
    "support vector machine": {"C": Range(0.1, 100.0, log=True), "gamma": Range(0.1, 10.0, log=True)},
    "MLP": _NETWORK,
    "MLP on waves": _NETWORK,
    "TabM": _NETWORK,
}


@dataclass
class Spent:
    """What the trials of one kind of model took.

    Attributes:
        foreseen: seconds that the first one is expected to take.
        refit_share: what a fit under a known setting takes, over one that is stopped early by a validation part.
        slowest, best: seconds of the slowest one, and of the one with the least loss.
    """

    foreseen: float
    refit_share: float = 1.0
    n: int = 0
    seconds: float = 0.0
    slowest: float = 0.0
    best: float = 0.0
    loss: float = np.inf

    def add(self, seconds: float, loss: float) -> None:
        """One more trial."""
        self.n += 1
        self.seconds += seconds
        self.slowest = max(self.slowest, seconds)
        if self.n == 1 or loss < self.loss:
            self.best, self.loss = seconds, loss

    @property
    def next_seconds(self) -> float:
        """That another one may take."""
        return self.slowest if self.n else self.foreseen

    def following(self, n_refits: int) -> float:
        """Seconds of the fits on all rows under the best setting so far, or a usual one if that takes longer."""
        usual = self.seconds / self.n if self.n else self.foreseen
        return max(self.best, usual) / (1 - HELD_SHARE) * (1 + n_refits * self.refit_share)


@dataclass(frozen=True)
class Outer:
    """What follows the contest under a time limit.

    Attributes:
        n_refits: fits of the tuned one after that on the rows of its trials: none, or for each other fold and on all.
        n_folds: of a cross-validation, in each of which all is fitted and tuned anew; 0 for none.
        folds_work: what the other candidates take in all these folds, as a multiple of what they took before.
        kept_seconds: for judging, the file and the report.
    """

    n_refits: int = 0
    n_folds: int = 0
    folds_work: float = 0.0
    kept_seconds: float = 4.0


class TrialBudget:
    """How many trials of each kind there are: a fixed number, or as many as the time allows.

    The first search is that of the model which ships; each fold of a cross-validation then searches anew, for as many
    trials, or fewer where the time would not last.

    Args:
        clock: says how much time is left.
        outer: what follows.
        tell: says what goes on.
        n: a fixed number of trials, the kinds in turn.
    """

    def __init__(self, clock: Clock, outer: Outer, tell: Callable[[str], None], n: int | None = None) -> None:
        self.clock = clock
        self.outer = outer
        self.tell = tell
        self.n = FIXED_TRIALS if n is None and clock.limit_seconds is None else n
        self._folder: RunFolder | None = None
        self._decided: dict[str, Any] = {}
        self._number = -1  # of the search: 0 for the first one, then that of the fold
        self._first: Mapping[str, int] = {}
        self._begun = self._ended = self._until = clock.elapsed()

    def begin(self, folder: "RunFolder") -> None:
        """Take what was decided in this run before, if anything was."""
        self._folder, self._begun = folder, self.clock.elapsed()
        self._decided = folder.decisions()

    def open(self) -> None:
        """A search begins."""
        self._number += 1
        now, outer = self.clock.elapsed(), self.outer
        left = self.clock.left() - outer.kept_seconds
        if self._number == 0:
            fold = outer.folds_work * (now - self._begun) / max(1, outer.n_folds)  # without its trials
            self._until = now + (left - outer.n_folds * fold) / (1 + FOLD_SHARE * outer.n_folds)
        else:
            n_more = max(0, outer.n_folds - self._number)
            self._until = now + (left - n_more * (now - self._ended)) / (1 + n_more)

    def next(self, spent: Mapping[str, Spent]) -> str | None:
        """The kind of which another trial is made; None where there are enough.

        Args:
            spent: by kind, the best untuned one first.
        """
        names = list(spent)
        n_done = sum(one.n for one in spent.values())
        if self.n is not None:
            return names[n_done % N_KINDS % len(names)] if n_done < self.n else None
        most = self._decided.get(self._what, self._first if self._number else None)
        if most is not None:
            names = [name for name in names if spent[name].n < most.get(name, 0)]
            if self._what in self._decided:
                return next(iter(names), None)
        favoured = sorted(names[:N_KINDS], key=lambda name: spent[name].seconds)  # each gets its share of the time
        return next((name for name in [*favoured, *names[N_KINDS:]] if self._fits(name, spent)), None)

    def close(self, spent: Mapping[str, Spent]) -> None:
        """A search ends: journal how many trials there were, before their result is used."""
        counts = {name: one.n for name, one in spent.items()}
        if self.n is None and self._what not in self._decided and self._folder is not None:
            self._folder.tell("decided", what=self._what, value=counts)
        self._first = self._first or counts
        self._ended = self.clock.elapsed()

    @property
    def _what(self) -> str:
        return f"{DECISION} in fold {self._number}" if self._number else DECISION

    def _fits(self, name: str, spent: Mapping[str, Spent]) -> bool:
        """Whether a trial of this kind ends in time, with the fits of the best setting that follow."""
        leader = min(spent.values(), key=lambda one: one.loss if one.n else np.inf)
        n_refits = FOLD_REFITS if self._number else self.outer.n_refits
        follows = max(one.following(n_refits) for one in (leader, spent[name]))
        return self.clock.elapsed() + spent[name].next_seconds + follows < self._until


class Study:
    """The trials of one kind; the first one is the setting that it has already.

    Source: Akiba et al. 2019, "Optuna"; Bergstra et al. 2011 (the tree-structured Parzen estimator).
    """

    def __init__(self, space: Mapping[str, Range], start: Setting, *, seed: int) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        sampler = optuna.samplers.TPESampler(seed=seed % 2**32, n_startup_trials=N_RANDOM)
        self._study = optuna.create_study(sampler=sampler)
        self._space = space
        self._asked: Any = None
        self.best_loss, self.n = np.inf, 0
        self.best: Setting = {}
        self._study.enqueue_trial({name: _inside(start.get(name), where) for name, where in space.items()})

    def ask(self) -> Setting:
        """The next setting to be tried."""
        self._asked = self._study.ask()
        return {name: self._suggested(name, where) for name, where in self._space.items()}

    def tell(self, setting: Setting, loss: float) -> None:
        """What it came to."""
        self.n += 1
        self._study.tell(self._asked, loss if np.isfinite(loss) else 1e30)
        if loss < self.best_loss:
            self.best_loss, self.best = loss, setting

    def _suggested(self, name: str, where: Range) -> float | int:
        if where.whole:
            return int(self._asked.suggest_int(name, int(where.low), int(where.high), log=where.log))
        return float(self._asked.suggest_float(name, where.low, where.high, log=where.log))


def _inside(value: Any, where: Range) -> float | int:
    """The number in its range; the middle where it is none, as scikit-learn's "sqrt"."""
    if not isinstance(value, (int, float)):
        value = (where.low * where.high) ** 0.5 if where.log else (where.low + where.high) / 2
    inside = min(max(value, where.low), where.high)
    return round(inside) if where.whole else float(inside)


def inner_parts(rows: Rows, *, seed: int) -> tuple[Rows, Rows]:
    """Rows to fit trials on, and rows to judge them on."""
    order = np.random.default_rng([seed, 0x74756E65]).permutation(len(rows.x))
    n_held = max(1, round(HELD_SHARE * len(order)))
    return _at(rows, order[n_held:]), _at(rows, order[:n_held])


def _at(rows: Rows, places: Any) -> Rows:
    weights = None if rows.weights is None else rows.weights[places]
    return Rows(rows.x[places], rows.y[places], weights)
