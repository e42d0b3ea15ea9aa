import numpy as np
import polars as pl
import pytest

from bottega.data import table_links
from bottega.data.table_links import Target, explained, measure_links
from look_material import bundled, table_of, view_of


def links(frame, folder, **choices):
    view = view_of(table_of(frame, folder, **choices))
    return {link.column: link for link in measure_links(view)}


def test_what_each_column_says_of_a_class(tmp_path):
    found = links(bundled("iris"), tmp_path, target="target")
    assert found["petal width (cm)"].share > 0.75
    assert found["sepal width (cm)"].share < 0.4
    for link in found.values():
        assert link.low < link.share < link.high <= 1


def test_what_each_column_says_of_a_number(tmp_path):
    found = links(bundled("diabetes"), tmp_path, target="target")
    assert next(iter(found)) == "bmi"
    assert found["bmi"].share == pytest.approx(0.344, abs=0.01)  # the squared correlation, 0.5865²
    assert found["sex"].share < 0.02


def test_noise_explains_nothing_though_it_has_many_values():
    rng = np.random.default_rng(0)
    codes, fold = rng.integers(0, 300, 1000), rng.integers(0, 2, 1000)
    for target in (Target(rng.normal(size=1000), ()), Target(rng.integers(0, 3, 1000) * 1.0, ("a", "b", "c"))):
        share, low, _ = explained(codes, 300, target, fold)
        assert share < 0.02
        assert low < 0


def test_intervals_hold_the_true_share():
    """The share of a two-valued column is known: half the variance is between its groups."""
    rng, inside = np.random.default_rng(1), 0
    for _ in range(100):
        codes = rng.integers(0, 2, 400)
        y = codes * 2.0 + rng.normal(size=400)
        _, low, high = explained(codes, 2, Target(y, ()), rng.integers(0, 2, 400))
        inside += low <= 0.5 <= high
    assert 88 <= inside <= 100


def test_missing_cells_are_an_answer_of_their_own(tmp_path):
    frame = bundled("iris").with_row_index("row")
    frame = frame.with_columns(note=pl.when(pl.col("row") < 50).then(pl.lit(None)).otherwise(pl.col("row") % 3 + 0.5))
    found = links(frame.drop("row"), tmp_path, target="target")
    assert found["note"].missing_share > 0.4
    assert found["petal width (cm)"].missing_share == 0


def test_large_tables_are_drawn_from(tmp_path, monkeypatch):
    monkeypatch.setattr(table_links, "MAX_ROWS", 100)
    found = links(bundled("iris"), tmp_path, target="target")
    assert found["petal width (cm)"].n == 100
