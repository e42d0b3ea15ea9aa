"""How much work gradient boosting gets under a time limit, found by short fits before the first whole one.

It is fitted first, so that a short limit leaves a good model; on a wide table its usual work alone would break the
limit. What was decided is journalled before it is used: a run that goes on, or is reproduced, does the same work.
"""

import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from bottega.workflow.clock import Clock

if TYPE_CHECKING:
    from bottega.workflow.run_folder import RunFolder

__all__ = ["BoostingPace"]

SHARE = 0.5  # of the time that is left, for everything that is fitted of it
USUAL = 200  # iterations of one fit: where so many fit into the time, nothing is cut
FEWEST = 10
SHORT, LONGER = 1, 5  # iterations of short fits, which tell what each begins with from what an iteration takes
LEAST = 1e-5  # seconds of an iteration, whatever the watch says
DECISION = "iterations of gradient boosting"
Fit = Callable[[int], object]


class BoostingPace:
    """What the time allows; decided once, for all rows and folds.

    Args:
        n_tuned: fits for each setting: one, or one on each scale of the target.
        n_fits: fits that follow: none, or those of the folds and the final one.
        folds_work: what cross-validation takes in the end, as a multiple of what all this took.
    """

    def __init__(self, clock: Clock, n_tuned: int, n_fits: int, folds_work: float) -> None:
        self.clock = clock
        self.n_tuned = n_tuned
        self.n_fits = n_fits
        self.folds_work = folds_work
        self._folder: RunFolder | None = None
        self._most: int | None = None
        self._is_known = False

    def begin(self, folder: "RunFolder") -> None:
        """Take what was decided in this run before, if anything was."""
        self._folder = folder
        decided = folder.decisions()
        if DECISION in decided:
            self._most, self._is_known = decided[DECISION], True

    def most_iterations(self, n_settings: int, usual: Fit, quick: Fit) -> int | None:
        """Of one setting, where there is no time for the usual work; None where there is.

        Args:
            n_settings: that are usually tried.
            usual, quick: make that many iterations on the rows of the first fit, under the first setting, and under
                the one that is the quickest.
        """
        if not self._is_known:
            self._most, self._is_known = self._affordable(n_settings, usual, quick), True
            if self._folder is not None:
                self._folder.tell("decided", what=DECISION, value=self._most)
        return self._most

    def _affordable(self, n_settings: int, usual: Fit, quick: Fit) -> int | None:
        short, longer = _seconds(usual, SHORT), _seconds(usual, LONGER)
        each = max(LEAST, (longer - short) / (LONGER - SHORT))
        start = max(0.0, short - SHORT * each)
        allowed = SHARE * max(0.0, self.clock.left()) / (1 + self.folds_work)
        if (start + USUAL * each) * (n_settings * self.n_tuned + self.n_fits) <= allowed:
            return None
        each = max(LEAST, (_seconds(quick, LONGER) - start) / LONGER)
        return max(FEWEST, math.floor((allowed / (self.n_tuned + self.n_fits) - start) / each))


def _seconds(fit: Fit, n: int) -> float:
    begun = time.perf_counter()
    fit(n)
    return time.perf_counter() - begun
