"""What `explain` found: columns that drive answers, how they do it, one row, one text."""

from dataclasses import dataclass

from bottega.problem.score import Score

__all__ = [
    "Cell",
    "Driver",
    "Drivers",
    "Effect",
    "EffectPoint",
    "ExplainRecord",
    "ReplacedCells",
    "RowAnswer",
    "WordEffect",
    "Words",
]

Cell = str | float | None
"""A number, a text, None where missing."""


@dataclass(frozen=True)
class Driver:
    """What answers lose when the cells of some columns are shuffled among the rows.

    Attributes:
        columns: one; or several that tell each other, shuffled together.
        importance: how much worse the metric gets, positive for worse whatever its direction; without a target, how
            far answers move.
        measurable: whether that is more than chance would give one column among so many.
        association: of the two columns of the group that are the least alike, 0 to 1; None for one column.
    """

    columns: tuple[str, ...]
    importance: Score
    measurable: bool
    association: float | None = None


@dataclass(frozen=True)
class EffectPoint:
    """Answers with one cell in place of the column's own.

    Attributes:
        mean: over all rows that were asked (partial dependence).
        answers: of single rows, the same ones at every point (individual conditional expectation).
    """

    cell: Cell
    mean: float
    answers: tuple[float, ...]


@dataclass(frozen=True)
class Effect:
    """How answers go with one column when nothing else changes.

    Attributes:
        kind: number, category or date.
        answer: what is drawn: the target, or one label's probability.
        label: that label; None for a number.
        points: in the order of the values, or the most frequent category first; a missing cell last.
        n: rows behind each mean.
        cell: of a single row, its own.
    """

    column: str
    kind: str
    answer: str
    label: str | None
    points: tuple[EffectPoint, ...]
    n: int
    cell: Cell = None


@dataclass(frozen=True)
class Drivers:
    """Which columns drive a model's answers, the strongest first.

    Attributes:
        n: rows at hand.
        n_used: rows that were shuffled.
        metric: what gets worse; None where there was no target and the movement of answers was measured.
        score: in that metric on the rows used.
        n_repeats: shufflings of each group of columns.
    """

    n: int
    n_used: int
    metric: str | None
    score: Score | None
    n_repeats: int
    columns: tuple[Driver, ...]
    effects: tuple[Effect, ...]


@dataclass(frozen=True)
class ReplacedCells:
    """One row's answer against what it would be with other rows' cells in some columns.

    Attributes:
        cells: the row's own, in the order of `columns`.
        change: its answer minus the mean answer with the cells of other rows.
        switched: share of those answers that name another label; None for a number.
    """

    columns: tuple[str, ...]
    cells: tuple[Cell, ...]
    change: float
    switched: float | None


@dataclass(frozen=True)
class RowAnswer:
    """One row, and what drove its answer.

    Attributes:
        answer: the value, or the probability of `label`.
        columns: the largest change first.
        effects: of the first columns: this row's answer with other cells there.
        n_background: rows whose cells were put in.
    """

    name: str
    label: str | None
    answer: float
    columns: tuple[ReplacedCells, ...]
    effects: tuple[Effect, ...]
    n_background: int


@dataclass(frozen=True)
class WordEffect:
    """What a word does to the answer, measured by taking it out.

    Attributes:
        label: that it speaks for.
        change: of that label's probability: with the word minus without, averaged over its texts.
    """

    word: str
    label: str
    change: float
    n_texts: int


@dataclass(frozen=True)
class Words:
    """Words that answers hang on.

    Attributes:
        text: name of the one text; None for many.
        answer: of one text: its label; with `probability`.
        n_used: texts that were taken apart.
    """

    n: int
    n_used: int
    words: tuple[WordEffect, ...]
    text: str | None = None
    answer: str | None = None
    probability: float | None = None


@dataclass(frozen=True)
class ExplainRecord:
    """What `bottega explain` did; one of `drivers`, `row` and `words` is there."""

    model: str
    data: str
    target: str
    drivers: Drivers | None
    row: RowAnswer | None
    words: Words | None
    notes: tuple[str, ...]
    seconds: float
