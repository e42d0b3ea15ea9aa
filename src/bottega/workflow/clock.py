"""How much time there is, counted from the start of the process."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bottega.workflow.run_folder import RunFolder

__all__ = ["Clock", "TimeBudget"]

FOR_TRAINING = 0.7  # of the time that is left: the rest is for judging, the file and the report


class Clock:
    """Wall time since the process began.

    Args:
        limit_seconds: what may be used in all; None for as much as it takes.
    """

    def __init__(self, limit_seconds: float | None = None) -> None:
        self.limit_seconds = limit_seconds
        self._start = time.perf_counter() - _seconds_before()

    @classmethod
    def from_now(cls, limit_seconds: float | None) -> "Clock":
        """A clock that starts now: of a piece of work that is not the first of its process."""
        clock = cls(limit_seconds)
        clock._start = time.perf_counter()
        return clock

    def elapsed(self) -> float:
        """Seconds since it started: with the process, unless it is `from_now`."""
        return time.perf_counter() - self._start

    def left(self) -> float:
        """Seconds that may still be used; infinite without a limit."""
        return float("inf") if self.limit_seconds is None else self.limit_seconds - self.elapsed()


class TimeBudget:
    """The time that a network may be trained for, and what was decided because of it: journalled before it is used.

    Args:
        n_fits: how often it will be trained.
    """

    def __init__(self, clock: Clock, folder: "RunFolder", *, n_fits: int) -> None:
        self.clock = clock
        self.folder = folder
        self.n_fits = n_fits

    def seconds(self) -> float | None:
        """For one fit, from now on; None for no limit."""
        return None if self.clock.limit_seconds is None else max(0.0, self.clock.left()) * FOR_TRAINING / self.n_fits

    def decide(self, what: str, make: Callable[[], int]) -> int:
        """A number that depends on the time: the one in the journal, else a new one that is put there."""
        decided = self.folder.decisions()
        if what not in decided:
            decided[what] = make()
            self.folder.tell("decided", what=what, value=decided[what])
        return int(decided[what])


def _seconds_before() -> float:
    """Age of this process in seconds where the system tells, else nothing; a long-lived Python session is no start."""
    try:
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        uptime = float(Path("/proc/uptime").read_text().split()[0])
        age = uptime - int(fields[19]) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return 0.0
    return age if 0 <= age < 20 else 0.0
