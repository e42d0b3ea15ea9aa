"""A measured number that never goes out alone."""

from dataclasses import dataclass

__all__ = ["Score"]


@dataclass(frozen=True)
class Score:
    """One metric on one part, with the 95 % interval of its true value."""

    n: int
    score: float
    low: float
    high: float
    higher_is_better: bool = True
    n_groups: int | None = None
