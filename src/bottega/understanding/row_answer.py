"""What drove one row's answer: what it would be with the cells of other rows in a column's place.

Plain replacement, one group of columns at a time. The changes need not add up to anything, and they are no Shapley
values: those average over all sets of other columns too, and ask for thousands of answers a row.
"""

import numpy as np
from numpy.typing import NDArray

from bottega.problem.understanding_records import Effect, ReplacedCells, RowAnswer
from bottega.understanding.association import column_groups
from bottega.understanding.dependence import effect_of, grid_of
from bottega.understanding.rows import AskedRows, Cells, plain

__all__ = ["explain_row"]

N_BACKGROUND = 200
N_EFFECTS = 3
LEAST = 1e-6  # of a probability, or of the value: what float32 answers differ by in batches of another size

Numbers = NDArray[np.float64]


def explain_row(rows: AskedRows, place: int, name: str, *, seed: int = 0) -> RowAnswer:
    """Say which columns made a row's answer what it is.

    Args:
        rows: the row among others, whose cells are put in its place.
        place: of the row.
        name: that it is called by.
        seed: of the other rows.
    """
    background = rows.only(np.delete(np.arange(len(rows)), place)).drawn(N_BACKGROUND, seed)
    one = rows.only(np.array([place]))
    answer = rows.ask(one.cells)[0].astype(np.float64)  # (K,)
    said = int(rows.said(answer[None])[0]) if rows.labels else 0
    groups = column_groups(background.cells, rows.columns)
    found = []
    for group in groups:
        others = rows.ask(_put_in(one.cells, background.cells, group.columns))  # (B, K)
        switched = float((rows.said(others) != said).mean()) if rows.labels else None
        own = tuple(plain(one.cells[column][0]) for column in group.columns)
        change = float(answer[said] - others[:, said].mean())
        is_noise = abs(change) <= LEAST * (1.0 if rows.labels else abs(float(answer[said])))
        found.append(ReplacedCells(group.columns, own, 0.0 if is_noise else change, switched))
    found.sort(key=lambda change: (-abs(change.change), change.columns))
    return RowAnswer(
        name=name,
        label=rows.labels[said] if rows.labels else None,
        answer=float(answer[said]),
        columns=tuple(found),
        effects=tuple(
            _effect(rows, one, change.columns[0], said)
            for change in found[:N_EFFECTS]
            if abs(change.change) > 0 and rows.column(change.columns[0]).kind != "text"
        ),
        n_background=len(background),
    )


def _put_in(row: Cells, others: Cells, columns: tuple[str, ...]) -> Cells:
    """(B,) copies of a row, with the cells of B others in some columns."""
    n = len(next(iter(others.values())))
    repeated = {name: np.repeat(cells, n) for name, cells in row.items()}
    return repeated | {name: others[name] for name in columns}


def _effect(rows: AskedRows, one: AskedRows, column: str, said: int) -> Effect:
    effect = effect_of(one, column, grid_of(rows.cells[column], rows.column(column)), label=said)
    return Effect(
        effect.column, effect.kind, effect.answer, effect.label, effect.points, 1, plain(one.cells[column][0])
    )
