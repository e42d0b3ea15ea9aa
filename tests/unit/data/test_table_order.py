import numpy as np
import polars as pl
import pytest

from bottega.data.table_order import find_order, last_value
from look_material import bundled, table_of, view_of

RNG = np.random.default_rng(0)


def order(frame, folder, **choices):
    return {suspect.kind: suspect for suspect in find_order(view_of(table_of(frame, folder, **choices)))}


def days(n):
    return pl.date_range(pl.date(2015, 1, 1), pl.date(2015, 1, 1) + pl.duration(days=n - 1), eager=True)


def prices(n=600):
    return np.round(np.exp(RNG.normal(0.001, 0.01, n).cumsum()) * 100, 4)


def test_a_date_that_was_not_declared(tmp_path):
    frame = pl.DataFrame({"date": days(600), "volume": RNG.integers(1, 9999, 600), "close": prices()}).reverse()
    found = order(frame, tmp_path, target="close")
    assert (
        "runs from 2015-01-01 to 2016-08-22, newest first, and 'same as last time' explains" in found["time"].evidence
    )
    assert found["time"].fix.endswith("--time-column date")
    assert "'close'" in found["drift"].evidence
    assert "time" not in order(frame, tmp_path, target="close", time_column="date")


def test_the_rival_of_the_last_value():
    view = type("V", (), {})()
    view.target = type("T", (), {"values": np.array([0.0, 0, 0, 1, 1, 1] * 10), "n_classes": 2})()
    rival = last_value(view, np.arange(60))
    assert rival.right == pytest.approx(40 / 59)
    assert rival.by_chance == pytest.approx(0.5)


def test_rows_sorted_by_the_target(tmp_path):
    found = order(bundled("iris"), tmp_path, target="target")
    assert found["order"].evidence.startswith("the rows are sorted by 'target'")
    assert not order(bundled("iris").sample(fraction=1, shuffle=True, seed=0), tmp_path, target="target")


def test_rows_measured_one_after_the_other(tmp_path):
    frame = pl.DataFrame({"humidity": RNG.normal(size=600), "close": prices()})
    assert "the target of the row above explains" in order(frame, tmp_path, target="close")["order"].evidence


def test_the_same_person_in_many_rows(tmp_path):
    person = RNG.integers(1000, 1100, 500)
    ill = np.where((person % 3 == 0) ^ (RNG.random(500) < 0.05), "yes", "no")
    frame = pl.DataFrame({"patient_id": person, "pulse": RNG.normal(70, 9, 500), "ill": ill})
    suspect = order(frame, tmp_path, target="ill")["group"]
    assert "different 'patient_id' in 500 rows" in suspect.evidence
    assert suspect.fix.endswith("--group patient_id")
    assert "group" not in order(frame, tmp_path, target="ill", group="patient_id")


@pytest.mark.parametrize("name", ["wine", "diabetes", "breast_cancer"])
def test_shuffled_honest_tables_have_nothing(name, tmp_path):
    frame = bundled(name).sample(fraction=1, shuffle=True, seed=0)
    assert order(frame, tmp_path, target="target") == {}
