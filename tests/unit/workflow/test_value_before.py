"""Saying the end of the window again: the rival of rows that are cut from one series."""

import numpy as np
import pytest

from bottega.workflow.candidates import answer
from bottega.workflow.options import train_options
from bottega.workflow.table_trial import look_at_rows
from bottega.workflow.train_table import TableTraining
from bottega.workflow.value_before import BEFORE, end_of_window, value_before


def windows(folder, n=300, *, width=4, day=False):
    series = 100 + np.cumsum(np.random.default_rng(0).normal(size=n + width))
    rows = [[f"{value:.4f}" for value in series[i : i + width + 1]] for i in range(n)]
    np.random.default_rng(1).shuffle(rows)
    head = [*(f"day_{k}" for k in range(width)), "next"]
    if day:
        head, rows = ["row", *head], [[str(i), *row] for i, row in enumerate(rows)]
    path = folder / "windows.csv"
    path.write_text("\n".join(",".join(row) for row in [head, *rows]), "utf-8")
    return str(path)


def looked_at(path, **stated):
    return look_at_rows(path, train_options(path, {"target": "next", **stated}), progress=None)


def test_the_end_of_the_window_is_found_where_no_time_is_declared(tmp_path):
    assert end_of_window(looked_at(windows(tmp_path))) == "day_3"
    assert end_of_window(looked_at(windows(tmp_path, day=True), time_column="row")) is None


def test_rows_of_a_table_have_none(tmp_path):
    path = tmp_path / "table.csv"
    rng = np.random.default_rng(0)
    path.write_text("a,b,next\n" + "\n".join(f"{a:.3f},{b:.3f},{a + b:.3f}" for a, b in rng.normal(size=(90, 2))))
    assert end_of_window(looked_at(str(path))) is None


@pytest.mark.parametrize("weights", [(), (np.array([0.0, 0.0, 2.0]),)])
def test_it_says_the_value_again_and_the_mean_where_there_is_none(weights):
    x = np.array([[7, 2000.5], [np.nan, 1000.25], [7, np.nan]], np.float32)
    spec = value_before(1)
    form = spec.fit(x, np.array([1.0, 2.0, 6.0]), {}, *weights)
    said = answer(form, x, 1)[:, 0]
    np.testing.assert_allclose(said, [2000.5, 1000.25, 6.0 if weights else 3.0], rtol=1e-6)
    assert (spec.name, spec.kind, spec.weighs) == (BEFORE, "baseline", True)


def test_a_column_of_nothing_says_the_mean():
    x = np.full((3, 1), np.nan, np.float32)
    assert answer(value_before(0).fit(x, np.array([1.0, 2.0, 6.0]), {}), x, 1).tolist() == [[3.0]] * 3


@pytest.mark.parametrize("features", [False, True])
def test_it_stands_among_the_candidates_and_can_be_asked_for(tmp_path, features):
    path = windows(tmp_path, 140)
    options = train_options(path, {"target": "next", "ship": BEFORE, "features": features}).settled("regression")
    training = TableTraining(path, options, None)
    contest = training.enter(training.look(), None)
    names = [spec.name for spec in contest.specs]
    assert names[:3] == ["mean", BEFORE, "ridge regression"]
    x = contest.material.views[contest.specs[1].view]
    form = contest.specs[1].fit(x, contest.material.y, {})
    np.testing.assert_allclose(answer(form, x, 1)[:, 0], x[:, 3], rtol=1e-6)
