"""Schedules: where they start, peak and end."""

import pytest

from bottega.training.schedule import PLATEAU_EPOCHS, PLATEAU_FACTOR, START, factor_at, plateau_factor


@pytest.mark.parametrize("schedule", ["one-cycle", "cosine", "constant", "plateau"])
def test_rates_rise_to_the_highest_and_never_above(schedule: str) -> None:
    factors = [factor_at(schedule, step / 1000, 0.2) for step in range(1000)]
    assert factors[0] == START
    assert factors[:200] == sorted(factors[:200])
    assert factors[200] == max(factors) == 1.0
    assert factors[200:] == sorted(factors[200:], reverse=True)
    assert factors[-1] == (1.0 if schedule in ("constant", "plateau") else pytest.approx(0.001, abs=1e-4))


def test_no_warm_up_starts_at_the_top() -> None:
    assert factor_at("one-cycle", 0.0, 0.0) == 1.0


def test_a_plateau_lowers_the_rate_again_and_again() -> None:
    falling = [1 / (1 + i) for i in range(20)]
    assert plateau_factor(falling) == 1.0
    assert plateau_factor([*falling, *[1.0] * (PLATEAU_EPOCHS - 1)]) == 1.0
    assert plateau_factor([*falling, *[1.0] * PLATEAU_EPOCHS]) == PLATEAU_FACTOR
    assert plateau_factor([*falling, *[1.0] * (2 * PLATEAU_EPOCHS)]) == pytest.approx(PLATEAU_FACTOR**2)
    assert plateau_factor([*falling, *[1.0] * PLATEAU_EPOCHS, 0.001, 1.0]) == PLATEAU_FACTOR
