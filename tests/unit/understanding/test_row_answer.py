"""What drove one row's answer, of a model that is known."""

from dataclasses import replace

import numpy as np
import pytest

from bottega.understanding.row_answer import explain_row
from rows_material import drawn_cells, known_rows


def test_of_a_weighted_sum_each_change_is_the_weight_times_the_distance_to_the_mean() -> None:
    rows = known_rows(drawn_cells(150), {"second": 2.0, "noise": -1.0})
    found = explain_row(rows, 7, "row 9")
    changes = {one.columns: one.change for one in found.columns}
    second, noise = rows.cells["second"], rows.cells["noise"]
    others = np.arange(150) != 7
    assert changes["second",] == pytest.approx(2 * (second[7] - second[others].mean()))
    assert changes["noise",] == pytest.approx(-(noise[7] - noise[others].mean()))
    assert changes["first", "copy"] == pytest.approx(0.0, abs=1e-12)  # together, and not used at all
    assert (found.name, found.label, found.n_background) == ("row 9", None, 149)
    assert found.answer == pytest.approx(2 * second[7] - noise[7])
    sizes = [abs(one.change) for one in found.columns]
    assert sizes == sorted(sizes, reverse=True)


def test_its_own_curve_goes_through_its_own_answer() -> None:
    rows = known_rows(drawn_cells(150), {"second": 2.0})
    found = explain_row(rows, 3, "row 5")
    (effect,) = [one for one in found.effects if one.column == "second"]
    assert effect.cell == rows.cells["second"][3]
    for point in effect.points:
        assert point.mean == pytest.approx(2 * point.cell)
        assert point.answers == (point.mean,)


def test_of_classes_it_is_the_probability_of_what_was_said_and_how_often_that_turns() -> None:
    rows = known_rows(drawn_cells(200), {"second": 4.0}, labels=("no", "yes"))
    place = int(np.argmax(rows.cells["second"]))
    found = explain_row(rows, place, "row 2")
    assert found.label == "yes"
    assert found.columns[0].columns == ("second",)
    assert found.columns[0].change > 0.3
    assert found.columns[0].switched == pytest.approx(np.sum(rows.cells["second"] < 0) / 199)
    low = explain_row(rows, int(np.argmin(rows.cells["second"])), "row 3")
    assert low.label == "no"
    assert low.columns[0].change > 0  # its own cell speaks for its own answer


def test_what_single_precision_makes_of_equal_answers_is_no_change() -> None:
    rows = known_rows({"second": np.ones(40), "noise": np.ones(40)}, {"second": 3.0})
    wavering = np.random.default_rng(0).normal(scale=1e-7, size=40)
    found = explain_row(
        replace(rows, ask=lambda cells: rows.ask(cells) + wavering[: len(cells["noise"]), None]), 3, "row 5"
    )
    assert [one.change for one in found.columns] == [0.0] * len(found.columns)
    assert found.effects == ()


def test_cells_of_a_row_are_told_as_they_are() -> None:
    cells = drawn_cells(50)
    cells["second"][4] = np.nan
    cells["colour"][4] = ""
    found = explain_row(known_rows(cells, {"second": 1.0}), 4, "row 6")
    told = {one.columns: one.cells for one in found.columns}
    assert told["second",] == (None,)
    assert told["colour",] == (None,)
    assert told["first", "copy"] == (cells["first"][4], cells["copy"][4])


def test_a_text_is_put_in_place_whole_and_has_no_curve() -> None:
    rows = known_rows(drawn_cells(150), {"colour": 2.0})
    columns = tuple(replace(one, kind="text") if one.column == "colour" else one for one in rows.columns)
    found = explain_row(replace(rows, columns=columns), 3, "row 5")
    assert found.columns[0].columns == ("colour",)
    assert all(effect.column != "colour" for effect in found.effects)
