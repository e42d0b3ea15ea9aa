"""What a file keeps of how a column is spread."""

import numpy as np
import pytest

from bottega.data.table_summary import N_BINS, bin_counts, summary_of
from bottega.problem.table import ColumnSummary


def summary(cells: np.ndarray, kind: str, levels: tuple[str, ...] = ()) -> ColumnSummary:
    found = summary_of(cells, kind, levels)
    assert found is not None
    return found


def test_numbers_are_cut_into_tenths_and_missing_ones_are_counted() -> None:
    cells = np.concatenate([np.random.default_rng(0).normal(size=900), np.full(100, np.nan)])
    found = summary(cells, "number")
    assert (found.n, found.missing, len(found.edges)) == (1000, 0.1, N_BINS - 1)
    assert found.shares == pytest.approx([0.09] * N_BINS, abs=0.001)
    assert sum(found.shares) + found.missing == pytest.approx(1)


def test_few_different_numbers_have_a_bin_each_and_one_for_all_above() -> None:
    found = summary(np.array([0.0, 1.0, 1.0, 5.0]), "number")
    assert (found.edges, found.shares) == ((0.0, 1.0, 5.0), (0.25, 0.5, 0.25, 0.0))
    assert bin_counts(np.array([-3.0, 1.0, 9.0, np.nan]), found.edges, None).tolist() == [1, 1, 0, 1, 1]


def test_one_number_among_others_leaves_no_empty_edges() -> None:
    found = summary(np.concatenate([np.zeros(950), np.arange(1.0, 51.0)]), "number")
    assert found.edges == (0.0,)
    assert found.shares == (0.95, 0.05)


def test_categories_are_counted_by_level_then_all_others() -> None:
    cells = np.array(["b", "a", "a", "", "rare", "odd"], object)
    found = summary(cells, "category", ("a", "b"))
    assert found.shares == pytest.approx((2 / 6, 1 / 6, 2 / 6), abs=1e-6)
    assert found.missing == pytest.approx(1 / 6, abs=1e-6)
    assert bin_counts(cells, (), ("a", "b")).tolist() == [2, 1, 2, 1]


def test_a_column_that_is_all_missing_and_one_without_cells() -> None:
    found = summary(np.full(5, np.nan), "number")
    assert (found.edges, found.shares, found.missing) == ((), (0.0,), 1.0)
    assert summary_of(np.zeros(0), "number", ()) is None
    assert summary_of(np.array(["2020-01-01"], object), "date", ()) is None


def test_counting_the_training_cells_again_gives_the_shares_again() -> None:
    cells = np.random.default_rng(1).exponential(1e9, size=777).round(3)
    found = summary(cells, "number")
    assert bin_counts(cells, found.edges, None)[:-1] / 777 == pytest.approx(found.shares, abs=1e-6)
