"""Nested parts, the law that is fitted, and whether its interval holds the truth."""

import itertools

import numpy as np
import pytest

from bottega.refinement.learning_curve import PowerLaw, doubling, fit_power_law, nested_parts, shares_of

SIZES = np.array([100.0, 200, 400, 800, 1600])


def names(groups: np.ndarray) -> np.ndarray:
    """A content hash for each group."""
    return np.random.default_rng(0).integers(0, 256, (groups.max() + 1, 32), dtype=np.uint8)[groups]


@pytest.mark.parametrize(("n", "n_classes"), [(50, 2), (50, 10), (300, 10), (1e6, 10), (60, 60)])
def test_sizes(n: int, n_classes: int) -> None:
    shares = shares_of(int(n), n_classes)
    assert 4 <= len(shares) <= 6
    assert shares[-1] == 1
    assert shares == sorted(shares)
    assert shares[-2] >= 0.5  # the second largest is never far from the whole


def test_parts_are_nested_and_keep_the_classes() -> None:
    y = np.repeat([0, 1, 2], [200, 60, 4])
    groups = np.arange(264) // 3  # three of a kind; some groups hold two classes
    parts = nested_parts(y, names(groups), [0.1, 0.3, 0.5, 1.0], seed=0)
    for smaller, larger in itertools.pairwise(parts):
        assert set(smaller) < set(larger)
    for part, share in zip(parts, [0.1, 0.3, 0.5, 1.0], strict=True):
        assert set(y[part]) == {0, 1, 2}
        assert np.array_equal(part, np.flatnonzero(np.isin(groups, groups[part])))  # groups are whole
        assert len(part) == pytest.approx(264 * share, rel=0.25)
    assert len(parts[-1]) == 264


def test_another_seed_deals_another_order_and_rows_may_move() -> None:
    y, groups = np.arange(100) % 2, np.arange(100)
    (first,), (second,) = (nested_parts(y, names(groups), [0.3], seed=seed) for seed in (0, 1))
    assert set(first) != set(second)
    moved = np.random.default_rng(1).permutation(100)
    (again,) = nested_parts(y[moved], names(groups)[moved], [0.3], seed=0)
    assert set(moved[again]) == set(first)


@pytest.mark.parametrize("law", [PowerLaw(0.05, 2.0, 0.5), PowerLaw(0.0, 1.0, 0.2), PowerLaw(0.1, 0.0, 1.0)])
def test_a_law_is_found_again(law: PowerLaw) -> None:
    found = fit_power_law(SIZES, np.array([law.at(n) for n in SIZES]))
    for n in (150.0, 1600, 3200):
        assert found.at(n) == pytest.approx(law.at(n), rel=0.01)
    assert found.floor >= 0
    assert found.scale >= 0


def test_a_rising_error_is_a_flat_law() -> None:
    assert fit_power_law(SIZES, np.linspace(0.1, 0.2, 5)).scale == 0


@pytest.mark.parametrize("law", [PowerLaw(0.02, 1.5, 0.5), PowerLaw(0.0, 1.0, 0.3), PowerLaw(0.08, 20.0, 1.0)])
def test_the_interval_holds_the_truth(law: PowerLaw) -> None:
    """Accuracies on 500 test examples, the same at each size, so that their errors go together."""
    rng = np.random.default_rng(0)
    truth = law.at(1600) - law.at(3200)
    held, widths = 0, []
    for trial in range(60):
        hard = rng.uniform(size=500)  # an example is wrong where its difficulty is below the error
        level = np.array([law.at(n) for n in SIZES])
        wrong = hard[:, None] + rng.normal(0, 0.005, (500, 5)) < level
        drawn = rng.integers(0, 500, (300, 500))
        found = doubling(SIZES, wrong.mean(0), wrong[drawn].mean(1), luck=0.0, n_draws=1, seed=trial)
        held += found.gain[1] <= truth <= found.gain[2]
        widths.append(found.gain[2] - found.gain[1])
        assert found.gain[1] <= found.gain[0] <= found.gain[2]
        assert found.error[1] <= found.error[0] <= found.error[2]
    assert held >= 54  # of 60; 57 are promised
    assert np.median(widths) < 0.08  # and it isn't bought with width


def test_more_luck_of_the_draw_is_a_wider_interval() -> None:
    errors = np.array([PowerLaw(0.02, 1.5, 0.5).at(n) for n in SIZES])
    sample = np.tile(errors, (200, 1))
    narrow, wide = (doubling(SIZES, errors, sample, luck=luck, n_draws=3, seed=0).gain for luck in (0.0, 0.2))
    assert wide[2] - wide[1] > 3 * (narrow[2] - narrow[1])
