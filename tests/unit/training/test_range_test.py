"""The range test, on losses whose best rate is known."""

import math

import pytest

from bottega.training.range_test import DEFAULTS, n_range_steps, run_range_test


def parabola(n_dimensions: int = 1) -> tuple[list[float], object]:
    """Gradient descent on a bowl of curvature 1: it falls fastest at a rate of 1 and leaves it beyond 2."""
    place = [3.0]

    def step(_number: int, rate: float) -> float:
        loss = place[0] ** 2 / 2
        place[0] -= rate * place[0]
        return loss

    return place, step


def test_a_rate_below_the_edge_is_chosen() -> None:
    _, step = parabola()
    tested = run_range_test(step, 100, "sgd")  # type: ignore[arg-type]
    assert 0.01 < tested.chosen < 1
    assert list(tested.rates) == sorted(tested.rates)
    assert len(tested.rates) == len(tested.losses)
    assert "fell fastest" in tested.why


def test_it_stops_where_the_loss_ends_in_nan() -> None:
    tested = run_range_test(lambda _, rate: math.nan if rate > 0.01 else 1.0 / (1 + 1e4 * rate), 50, "adamw")
    assert max(tested.rates) <= 0.01
    assert tested.chosen < 0.01


@pytest.mark.parametrize("loss", [math.nan, 1.0])
def test_where_nothing_is_learned_the_usual_rate_is_taken(loss: float) -> None:
    tested = run_range_test(lambda *_: loss, 50, "adamw")
    assert tested.chosen == DEFAULTS["adamw"]
    assert "no rate lowered the loss" in tested.why


def test_it_costs_a_twentieth_at_most() -> None:
    for n in (1, 100, 239, 240, 1000, 10**6):
        assert n_range_steps(n) <= n / 20
    assert n_range_steps(10**6) == 100
    assert run_range_test(lambda *_: 1.0, n_range_steps(100), "sgd").why.startswith("0.05: the usual rate")
