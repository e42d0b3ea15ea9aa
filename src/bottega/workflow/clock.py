"""How much time there is, counted from the start of the process."""

import os
import time
from pathlib import Path

__all__ = ["Clock"]


class Clock:
    """Wall time since the process began.

    Args:
        limit_seconds: what may be used in all; None for as much as it takes.
    """

    def __init__(self, limit_seconds: float | None = None) -> None:
        self.limit_seconds = limit_seconds
        self._start = time.perf_counter() - _seconds_before()

    def elapsed(self) -> float:
        """Seconds since the process began."""
        return time.perf_counter() - self._start

    def left(self) -> float:
        """Seconds that may still be used; infinite without a limit."""
        return float("inf") if self.limit_seconds is None else self.limit_seconds - self.elapsed()


def _seconds_before() -> float:
    """Age of this process in seconds where the system tells, else nothing; a long-lived Python session is no start."""
    try:
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        uptime = float(Path("/proc/uptime").read_text().split()[0])
        age = uptime - int(fields[19]) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return 0.0
    return age if 0 <= age < 20 else 0.0
