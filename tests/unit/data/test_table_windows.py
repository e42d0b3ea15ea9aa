"""Rows cut from one series: that they overlap is told once, with the rival that a model of a series has to beat."""

import numpy as np
import polars as pl
import pytest

from bottega.data.table_leaks import find_leaks
from bottega.data.table_links import measure_links
from bottega.data.table_windows import find_windows, windows_suspects
from look_material import bundled, table_of, view_of


def cut(n=400, width=6, seed=0):
    steps = np.random.default_rng(seed).normal(0.001, 0.01, n + width)
    series = np.round(np.exp(steps.cumsum()) * 100, 4)
    return pl.DataFrame({f"day_{k}": series[k : n + k] for k in range(width)} | {"next": series[width : n + width]})


def view(frame, folder, **choices):
    return view_of(table_of(frame, folder, **choices))


@pytest.mark.parametrize("shuffled", [False, True])
@pytest.mark.parametrize("backwards", [False, True])
def test_the_last_value_is_the_rival_of_windows_whose_target_goes_on(tmp_path, shuffled, backwards):
    frame = cut()
    frame = frame.select(*reversed(frame.columns[:-1]), "next") if backwards else frame
    frame = frame.sample(fraction=1, shuffle=True, seed=1) if shuffled else frame
    seen = view(frame, tmp_path, target="next")
    found = find_windows(seen)
    assert (set(found.columns), found.nearest) == ({f"day_{k}" for k in range(6)}, "day_5")
    truth, last = frame["next"].to_numpy(), frame["day_5"].to_numpy()
    assert found.share == pytest.approx(1 - np.mean((truth - last) ** 2) / truth.var())
    (suspect,) = windows_suspects(seen, found)
    assert suspect.evidence.startswith("the rows are overlapping windows: saying 'day_5' again explains 98 %")
    assert "give --time-column" in suspect.fix
    assert find_leaks(seen, measure_links(seen), beside=found.explained) == []


def test_a_target_that_is_no_part_of_the_series_leaves_the_columns_open_to_suspicion(tmp_path):
    frame = cut().with_columns(
        next=pl.when(pl.col("day_5") > pl.col("day_4")).then(pl.lit("up")).otherwise(pl.lit("down"))
    )
    seen = view(frame, tmp_path, target="next")
    found = find_windows(seen)
    assert (found.nearest, found.explained) == ("", ())
    (suspect,) = windows_suspects(seen, found)
    assert "again explains" not in suspect.evidence
    (leak,) = find_leaks(seen, measure_links(seen), beside=found.explained)
    assert "'day_4' minus 'day_5' tells 'next' in every row" in leak.evidence


def test_where_the_time_is_declared_it_is_not_asked_for(tmp_path):
    frame = cut().with_row_index("day")
    seen = view(frame, tmp_path, target="next", time_column="day")
    (suspect,) = windows_suspects(seen, find_windows(seen))
    assert "same as last time" in suspect.fix


@pytest.mark.parametrize("name", ["wine", "diabetes", "breast_cancer"])
def test_other_rows_are_no_windows(tmp_path, name):
    assert find_windows(view(bundled(name), tmp_path, target="target")) is None
