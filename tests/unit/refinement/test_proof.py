import numpy as np
import pytest

from bottega.evaluation.metrics import METRICS
from bottega.refinement.proof import paired_gain

ACCURACY = METRICS["accuracy"]
N, SEEDS = 300, 3


def answered(rng, y, share):
    """Answers of which a share is right."""
    named = np.where(rng.random(len(y)) < share, y, 1 - y)
    return np.eye(2)[named] * 0.8 + 0.1


def test_a_large_gain_is_proved():
    rng, y = np.random.default_rng(0), np.arange(N) % 2
    changed, unchanged = ([answered(rng, y, share) for _ in range(SEEDS)] for share in (0.95, 0.75))
    gain = paired_gain(ACCURACY, y, changed, unchanged, n_compared=4)
    assert gain.low > 0
    assert gain.score == pytest.approx(0.2, abs=0.05)
    assert gain.n == N
    back = paired_gain(ACCURACY, y, unchanged, changed, n_compared=4)
    assert (back.score, back.low, back.high) == pytest.approx((-gain.score, -gain.high, -gain.low), abs=0.01)


def test_a_metric_of_which_less_is_better_gains_when_it_falls():
    rng, y = np.random.default_rng(1), np.arange(N) % 2
    changed, unchanged = ([answered(rng, y, share) for _ in range(SEEDS)] for share in (0.95, 0.75))
    assert paired_gain(METRICS["log_loss"], y, changed, unchanged).low > 0


def test_luck_of_the_seeds_widens_it():
    rng, y = np.random.default_rng(2), np.arange(N) % 2
    unchanged = [answered(rng, y, 0.85) for _ in range(SEEDS)]
    steady = [answered(rng, y, 0.9) for _ in range(SEEDS)]
    lucky = [answered(rng, y, share) for share in (0.99, 0.9, 0.81)]
    widths = [(gain := paired_gain(ACCURACY, y, changed, unchanged)).high - gain.low for changed in (steady, lucky)]
    assert widths[1] > 1.5 * widths[0]


def test_chance_is_hardly_ever_taken_for_a_gain():
    n_proved, y = 0, np.arange(N) % 2
    for trial in range(30):
        rng = np.random.default_rng(100 + trial)
        changed, unchanged = ([answered(rng, y, 0.9) for _ in range(SEEDS)] for _ in range(2))
        gain = paired_gain(ACCURACY, y, changed, unchanged)
        n_proved += gain.low > 0 or gain.high < 0
    assert n_proved <= 2  # of 30, at one in twenty


def test_more_changes_make_wider_intervals_and_groups_count_once():
    rng, y = np.random.default_rng(3), np.arange(N) % 2
    changed, unchanged = ([answered(rng, y, share) for _ in range(SEEDS)] for share in (0.93, 0.9))
    alone = paired_gain(ACCURACY, y, changed, unchanged)
    among = paired_gain(ACCURACY, y, changed, unchanged, n_compared=4)
    grouped = paired_gain(ACCURACY, y, changed, unchanged, np.arange(N) // 30)
    assert among.high - among.low > alone.high - alone.low
    assert grouped.n_groups == 10
