"""What a rule gives back: a finding with how likely chance is to look like it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from bottega.problem.records import Finding
from bottega.refinement.reading import Reading

__all__ = ["COUNTED", "Rule", "Symptom"]

COUNTED = 0.0  # the p of what was counted or read off, and not estimated from a sample


@dataclass(frozen=True)
class Symptom:
    """A finding that is beyond its least effect, and the p of seeing as much where there is no fault."""

    name: str
    p: float
    evidence: str
    meaning: str
    change: str
    sure: Literal["high", "medium", "low"] = "high"

    def finding(self) -> Finding:
        """What the user is told."""
        return Finding(self.name, self.evidence, self.meaning, self.change, self.sure)


Rule = Callable[[Reading], Symptom | None]
"""Looks at one thing; None where the effect is too small to matter."""
