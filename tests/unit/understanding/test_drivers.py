"""Drivers within a stretch of time: which rows are used, what is drawn."""

import time
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from bottega.evaluation.metrics import METRICS
from bottega.understanding.drivers import find_drivers
from bottega.understanding.rows import STEPS, Cells
from rows_material import drawn_cells, known_rows


def test_the_strongest_columns_are_drawn_and_no_others() -> None:
    rows = known_rows(drawn_cells(400), {"copy": 2.0, "second": 1.0, "colour": 0.5})
    found = find_drivers(rows, metric=METRICS["rmse"], seconds=5)
    assert (found.n, found.n_used, found.metric) == (400, 400, "rmse")
    assert found.score is not None
    assert found.score.score == pytest.approx(0.5, rel=0.15)
    assert [one.column for one in found.effects] == ["copy", "second", "colour"]  # of a pair the one that is used
    assert found.columns[-1].columns == ("noise",)


def test_without_a_target_answers_are_followed() -> None:
    rows = replace(known_rows(drawn_cells(200), {"second": 1.0}), y=None)
    found = find_drivers(rows, metric=METRICS["rmse"], seconds=5)
    assert (found.metric, found.score) == (None, None)
    assert found.columns[0].columns == ("second",)


def test_a_slow_model_is_asked_about_fewer_rows() -> None:
    quick = known_rows(drawn_cells(3000), {"second": 1.0})

    def slow(cells: Cells) -> npt.NDArray[np.float64]:
        time.sleep(len(next(iter(cells.values()))) * 2e-5)
        return quick.ask(cells)

    began = time.perf_counter()
    found = find_drivers(replace(quick, ask=slow), metric=METRICS["rmse"], seconds=0.3)
    assert found.n_used in STEPS
    assert found.n_used < 3000
    assert time.perf_counter() - began < 1.5
    assert find_drivers(replace(quick, ask=slow), metric=METRICS["rmse"], seconds=0.3, n_rows=60).n_used == 60


def test_stated_weights_weigh_the_loss() -> None:
    """The column matters in the first half of the rows alone; that half counts for nothing."""
    cells = drawn_cells(400)
    cells["second"][200:] = 0.0
    rows = known_rows(cells, {"second": 3.0})
    plain = find_drivers(rows, metric=METRICS["rmse"], seconds=5)
    late = find_drivers(replace(rows, weights=np.repeat([1e-9, 1.0], 200)), metric=METRICS["rmse"], seconds=5)
    early = find_drivers(replace(rows, weights=np.repeat([1.0, 1e-9], 200)), metric=METRICS["rmse"], seconds=5)
    second = [next(one for one in found.columns if one.columns == ("second",)) for found in (late, plain, early)]
    losses = [one.importance.score for one in second]
    assert losses[0] != losses[1] != losses[2]
    assert losses[2] > losses[1]


def test_a_column_of_one_value_is_not_drawn() -> None:
    cells = drawn_cells(60) | {"same": np.ones(60)}
    found = find_drivers(known_rows(cells, {"same": 1.0}), metric=METRICS["rmse"], seconds=1)
    assert found.effects == ()
    assert not any(one.measurable for one in found.columns)
