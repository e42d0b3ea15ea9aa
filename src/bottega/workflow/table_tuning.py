"""Tuning in the time that is left: the two best kinds of model, by trials that Optuna proposes.

Trials are judged on a quarter of the rows that may be fitted on, so that the rows that choose between candidates have
no part in them; the best setting is then fitted on all. How many trials there was time for is journalled before their
result is used: a run that goes on, or is reproduced, makes as many.
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

__all__ = ["SPACES", "Range", "Study", "TrialBudget", "inner_parts"]

FIXED_TRIALS = 40  # where the preset asks for more work and no time is stated
HELD_SHARE = 0.25  # of the rows: what trials are judged on
DECISION = "trials"
KEPT_SHARE = 0.15  # of the time limit: for intervals, the file and the report
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
class TrialBudget:
    """How many trials there are: a fixed number, or as many as the time allows.

    Args:
        n_again: how often the same number of trials is made anew after the first time: once for each outer fold.
        folds_work: what the other candidates take in these folds, as a multiple of what they took before.
        finish_seconds: what comes after the contest.
        tell: says what goes on.
    """

    clock: Clock
    n_again: int
    folds_work: float
    finish_seconds: float
    tell: Callable[[str], None]
    n: int | None = None
    _folder: "RunFolder | None" = None
    _until: float | None = None
    _begun: float = 0.0

    def begin(self, folder: "RunFolder") -> None:
        """Take what was decided in this run before, if anything was."""
        self._folder, self._begun = folder, self.clock.elapsed()
        decided = folder.decisions().get(DECISION)
        if decided is not None:
            self.n = int(decided)
        elif self.clock.limit_seconds is None:
            self.n = FIXED_TRIALS

    def goes_on(self, n_done: int, slowest: float) -> bool:
        """Whether another trial is made.

        Args:
            slowest: seconds of the slowest one so far; a fit on all rows and perhaps a second one follow.
        """
        if self.n is not None:
            return n_done < self.n
        if self._until is None:
            kept = max(self.finish_seconds, KEPT_SHARE * (self.clock.limit_seconds or 0.0))
            kept += self.folds_work * (self.clock.elapsed() - self._begun)
            self._until = self.clock.elapsed() + max(0.0, self.clock.left() - kept) / (1 + self.n_again)
        return self.clock.elapsed() + slowest * (1 + 1.5 / (1 - HELD_SHARE)) < self._until

    def settle(self, n_done: int) -> None:
        """Journal how many there were, before their result is used."""
        if self.n is None and self._folder is not None:
            self._folder.tell("decided", what=DECISION, value=n_done)
        self.n = n_done


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
