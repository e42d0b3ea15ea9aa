"""How long a report may ask the file."""

import pytest

from bottega.workflow.clock import Clock
from bottega.workflow.explain_run import seconds_for_drivers


class At(Clock):
    """A clock that stands still."""

    def __init__(self, elapsed: float, limit_seconds: float | None = None) -> None:
        super().__init__(limit_seconds)
        self._elapsed = elapsed

    def elapsed(self) -> float:
        return self._elapsed


@pytest.mark.parametrize(
    ("clock", "seconds"),
    [
        (At(8.0), 0.8),  # a tenth of the run
        (At(300.0), 5.0),  # a few seconds at most
        (At(28.0, 30.0), 1.0),  # what a time limit leaves
        (At(32.0, 30.0), 0.96),  # beyond it a glance
        (At(10.0, 300.0), 1.0),
    ],
)
def test_a_tenth_of_the_run_and_no_more(clock: Clock, seconds: float) -> None:
    assert seconds_for_drivers(clock) == pytest.approx(seconds)
