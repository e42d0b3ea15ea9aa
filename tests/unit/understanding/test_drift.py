"""Drift is told where a column moved, and not where rows are drawn again, at the stated rate."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy.stats import chi2

from bottega.data.table_summary import summary_of
from bottega.problem.drift import ColumnDrift, Drift
from bottega.problem.table import ColumnSpec
from bottega.understanding.drift import chi_square_above, find_drift

LEVELS = tuple("abcdef")


def drawn(n: int, rng: np.random.Generator) -> dict[str, npt.NDArray[Any]]:
    cells: dict[str, npt.NDArray[Any]] = {f"number {i}": rng.normal(size=n) for i in range(4)}
    cells["number 0"][rng.random(n) < 0.1] = np.nan
    cells["counts"] = rng.poisson(2, n).astype(float)
    cells["level"] = np.array(LEVELS, object)[rng.integers(0, 6, n)]
    return cells


def specs(cells: dict[str, npt.NDArray[Any]]) -> tuple[ColumnSpec, ...]:
    found = []
    for name, column in cells.items():
        kind, levels = ("category", LEVELS) if column.dtype == object else ("number", ())
        summary = summary_of(column, kind, levels)
        found.append(ColumnSpec(name, kind, "", name, levels=levels, summary=summary))
    return tuple(found)


def drift_of(cells: dict[str, npt.NDArray[Any]], columns: tuple[ColumnSpec, ...], groups: Any = None) -> Drift:
    n = len(next(iter(cells.values())))
    found = find_drift(cells, columns, np.arange(n) if groups is None else groups)
    assert found is not None
    return found


def named(found: Drift, name: str) -> ColumnDrift:
    return next(one for one in found.columns if one.column == name)


TRAINING = drawn(3000, np.random.default_rng(0))
COLUMNS = specs(TRAINING)


@pytest.mark.parametrize("n", [30, 300, 3000])
def test_rows_drawn_again_move_nothing_at_the_stated_rate(n: int) -> None:
    fires = 0
    for seed in range(100):
        rng = np.random.default_rng([seed, n])
        columns = specs(drawn(2000, rng))
        found = drift_of(drawn(n, rng), columns)
        fires += any(one.p < found.rate / len(columns) for one in found.columns)  # before size is asked for
    assert fires <= 11  # 5 of 100 are allowed; more than 11 come once in 200 trials


def test_a_shifted_column_is_named_and_no_other() -> None:
    cells = drawn(400, np.random.default_rng(11))
    cells["number 2"] += 0.6
    found = drift_of(cells, COLUMNS)
    assert [one.column for one in found.moved] == ["number 2"]
    assert found.columns[0].column == "number 2"
    assert found.columns[0].distance == pytest.approx(0.24, abs=0.06)
    assert "in training" in found.columns[0].evidence


def test_more_missing_cells_are_a_move_and_are_named() -> None:
    cells = drawn(400, np.random.default_rng(2))
    cells["number 0"][:150] = np.nan
    (moved,) = drift_of(cells, COLUMNS).moved
    assert moved.column == "number 0"
    assert moved.evidence.startswith("missing: 4")


def test_strange_categories_are_counted() -> None:
    cells = drawn(200, np.random.default_rng(3))
    cells["level"][:50] = "new"
    found = drift_of(cells, COLUMNS)
    assert named(found, "level").unknown == 0.25
    assert named(found, "level").evidence == (
        "a category that training did not know: 25 % of the rows, in training 0 %"
    )
    assert named(found, "level").moved
    assert named(found, "counts").unknown is None


def test_among_many_rows_a_tiny_shift_is_no_news() -> None:
    rng = np.random.default_rng(4)
    columns = specs(drawn(100_000, rng))
    cells = drawn(100_000, rng)
    cells["number 1"] += 0.05
    found = drift_of(cells, columns)
    assert named(found, "number 1").p < 1e-6
    assert found.moved == ()


def test_a_row_that_stands_there_often_is_one_piece_of_news() -> None:
    few = drawn(12, np.random.default_rng(5))
    cells = {name: np.tile(column, 50) for name, column in few.items()}
    groups = np.tile(np.arange(12), 50)
    assert drift_of(cells, COLUMNS).moved != ()
    found = drift_of(cells, COLUMNS, groups)
    assert found.moved == ()
    assert (found.n, found.n_independent) == (600, 12.0)


def test_how_small_a_move_can_be_told_falls_with_the_root_of_the_rows() -> None:
    rng = np.random.default_rng(6)
    smallest = {n: drift_of(drawn(n, rng), COLUMNS).smallest for n in (20, 100, 400)}
    assert smallest[20] > smallest[100] > smallest[400]
    assert smallest[400] == pytest.approx(smallest[100] / 2, rel=0.1)
    told = 0
    for seed in range(60):  # a move of that size to one side is told four times out of five
        cells = drawn(400, np.random.default_rng([seed, 8]))
        up = np.random.default_rng([seed, 9]).random(400) < 2 * smallest[400]
        cells["number 3"] = np.where(up, np.abs(cells["number 3"]), cells["number 3"])
        told += any(one.column == "number 3" for one in drift_of(cells, COLUMNS).moved)
    assert told >= 0.7 * 60


def test_few_rows_and_files_without_summaries_are_told_as_such() -> None:
    one = drift_of({name: column[:1] for name, column in TRAINING.items()}, COLUMNS)
    assert one.moved == ()
    assert one.smallest > 0.9
    bare = tuple(ColumnSpec(spec.name, spec.kind, "", spec.column, levels=spec.levels) for spec in COLUMNS)
    assert find_drift(TRAINING, bare, np.arange(3000)) is None
    dated = (*COLUMNS, ColumnSpec("day", "date", "string", "day", format="%Y-%m-%d"))
    assert drift_of(TRAINING, dated).left_out == ("day",)


@pytest.mark.parametrize("degrees", [1, 2, 3, 8, 9, 40, 255])
def test_the_tail_of_chi_square_is_scipys(degrees: int) -> None:
    for x in (0.01, 1.0, 7.5, 40.0, 300.0):
        assert chi_square_above(x, degrees) == pytest.approx(float(chi2.sf(x, degrees)), abs=1e-12)
    assert chi_square_above(3.0, 0) == 1.0
    assert not math.isnan(chi_square_above(0.0, 3))
