"""Partial dependence of a known model is that model."""

import numpy as np
import pytest

from bottega.problem.table import ColumnSpec
from bottega.understanding.dependence import MOST_VALUES, N_POINTS, effect_of, grid_of
from rows_material import drawn_cells, known_rows, spec


def test_of_a_weighted_sum_it_is_the_line() -> None:
    rows = known_rows(drawn_cells(200), {"first": 1.0, "second": 2.5})
    grid = grid_of(rows.cells["second"], rows.column("second"))
    effect = effect_of(rows, "second", grid)
    cells = np.array([point.cell for point in effect.points], float)
    means = np.array([point.mean for point in effect.points])
    np.testing.assert_allclose(np.diff(means) / np.diff(cells), 2.5)
    for point in effect.points:
        assert np.mean(rows.cells["first"]) + 2.5 * point.cell == pytest.approx(point.mean)
    singles = np.array([point.answers for point in effect.points])  # (points, rows): parallel lines
    np.testing.assert_allclose(np.diff(singles, axis=0), np.diff(means)[:, None].repeat(singles.shape[1], 1))
    assert (effect.answer, effect.label, effect.n) == ("answer", None, 200)


def test_of_a_category_each_level_has_its_mean_and_missing_has_its_own() -> None:
    rows = known_rows(drawn_cells(300), {"colour": 2.0})
    effect = effect_of(rows, "colour", grid_of(rows.cells["colour"], rows.column("colour")))
    means = {point.cell: point.mean for point in effect.points}
    assert means == {"red": 2.0, "green": 0.0, "blue": -2.0, None: 0.0}
    assert effect.points[-1].cell is None


def test_of_two_classes_it_is_the_second_and_of_more_the_one_that_moves() -> None:
    rows = known_rows(drawn_cells(100), {"second": 1.0}, labels=("no", "yes"))
    effect = effect_of(rows, "second", [-1.0, 1.0])
    assert (effect.label, effect.answer) == ("yes", "probability of 'yes'")
    assert effect.points[0].mean < effect.points[1].mean


def test_a_grid_has_all_values_where_they_are_few_and_quantiles_where_they_are_many() -> None:
    hours = np.tile(np.arange(24.0), 10)
    assert grid_of(hours, spec("hour", hours)) == list(range(24))
    many = np.random.default_rng(0).exponential(size=1000)
    grid = grid_of(many, spec("many", many))
    assert len(grid) == N_POINTS
    assert set(grid) <= set(many.tolist())


def test_where_nearly_all_cells_are_zero_the_others_are_looked_for() -> None:
    cells = np.concatenate([np.zeros(970), np.arange(1.0, 31.0)])
    assert len(np.unique(cells)) > MOST_VALUES
    assert len(grid_of(cells, spec("gain", cells))) >= N_POINTS // 2


def test_missing_cells_stand_last_and_dates_in_the_order_of_time() -> None:
    cells = np.array([1.0, np.nan, 2.0])
    assert np.isnan(grid_of(cells, spec("x", cells))[-1])
    dates = np.array(["05/01/2021", "", "20/12/2020", "01/06/2021"], object)
    date = ColumnSpec("day", "date", "string", "day", format="%d/%m/%Y")
    assert grid_of(dates, date) == ["20/12/2020", "05/01/2021", "01/06/2021", ""]


def test_only_categories_that_the_model_knows_are_tried() -> None:
    cells = np.array(["a", "b", "strange", "a"], object)
    one = ColumnSpec("c", "category", "string", "c", levels=("a", "b"))
    assert grid_of(cells, one) == ["a", "b"]


def test_of_texts_there_is_no_grid() -> None:
    cells = np.array(["one text", "", "another"], object)
    assert grid_of(cells, ColumnSpec("note", "text", "string", "note")) == []
