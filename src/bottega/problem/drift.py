"""What `evaluate` says of how new rows differ from those that a model was trained on."""

from dataclasses import dataclass

__all__ = ["ColumnDrift", "Drift"]


@dataclass(frozen=True)
class ColumnDrift:
    """One column of new rows beside the same column in training.

    Attributes:
        distance: total variation: the share of rows that would have to change to be spread as in training.
        p: how often rows of training's own kind would differ as much, by chance.
        moved: whether it differs beyond chance and by enough to matter; chance is held over all columns together.
        evidence: where it differs most, in words.
        unknown: share of cells with a category that training did not know; None for a number.
    """

    column: str
    distance: float
    p: float
    moved: bool
    evidence: str
    unknown: float | None = None


@dataclass(frozen=True)
class Drift:
    """All columns, those that moved farthest first.

    Attributes:
        n: rows that were compared.
        n_independent: what they are worth, copies counted once.
        rate: how often any column at all is said to have moved when none has, at most.
        smallest: distance that as many rows would most likely show (4 of 5 times); a smaller one may hide.
        left_out: columns that aren't compared: dates.
    """

    n: int
    n_independent: float
    rate: float
    smallest: float
    columns: tuple[ColumnDrift, ...]
    left_out: tuple[str, ...] = ()

    @property
    def moved(self) -> tuple[ColumnDrift, ...]:
        """Columns that are not spread as in training."""
        return tuple(one for one in self.columns if one.moved)
