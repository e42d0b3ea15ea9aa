"""What a proof has time for; that it trains as it says is tested end to end."""

from dataclasses import dataclass, field, replace
from typing import cast

import numpy as np
import pytest

from bottega.refinement.remedies import Remedy
from bottega.workflow.clock import Clock
from bottega.workflow.options import TrainOptions
from bottega.workflow.prove import FINISH_SECONDS, _affordable, _train_all, _Trainer, _Way, as_it_was
from bottega.workflow.readings import KeptReading
from run_material import reading


def ways(*work: float) -> list[_Way]:
    return [_Way(Remedy(f"remedy {i}", "overfitting", {}, one), TrainOptions()) for i, one in enumerate(work)]


@pytest.mark.parametrize(
    ("left", "n_seeds"),
    [
        (float("inf"), 5),
        (75.0, 4),  # four seeds of three remedies and of the run as it was, one of them done
        (55.0, 3),
        (25.0, 3),  # of one remedy: three seeds or fewer remedies, never two seeds
        (24.0, 0),
        (-3.0, 0),
    ],
)
def test_less_time_takes_seeds_first_and_then_remedies(left: float, n_seeds: int) -> None:
    assert _affordable(ways(1.0, 1.0, 1.0), 5, 5.0, left) == n_seeds


@dataclass
class Trainer:
    """Trains nothing, and takes its time."""

    clock: Clock
    each: float
    trained: list[str] = field(default_factory=list)

    def train(self, way: _Way, seed: int, _words: str) -> None:
        way.answers.append(np.zeros((1, 2)))
        way.seconds += self.each
        self.trained.append(f"{way.name} {seed}")


def clock(left: float) -> Clock:
    made = Clock()
    made.limit_seconds = made.elapsed() + left + FINISH_SECONDS
    return made


def test_each_seed_is_trained_once_and_what_there_is_no_time_for_not_at_all() -> None:
    (way,), base = ways(4.0), _Way(None, TrainOptions(), [np.zeros((1, 2))], 5.0)
    trainer = Trainer(clock(61.0), 20.0)
    _train_all(way, base, (7, 8, 9), cast(_Trainer, trainer))
    assert trainer.trained == ["remedy 0 7", "remedy 0 8", "remedy 0 9"]
    _train_all(base, base, (7, 8, 9), cast(_Trainer, trainer))
    assert trainer.trained[3:] == ["as it was 8", "as it was 9"]
    (slow,), late = ways(4.0), Trainer(clock(59.0), 20.0)
    _train_all(slow, _Way(None, TrainOptions(), [np.zeros((1, 2))], 5.0), (7, 8, 9), cast(_Trainer, late))
    assert late.trained == []
    assert slow.why == "too little time, it needs about 60 s more"


def test_a_remedy_that_turns_out_slow_is_given_up() -> None:
    (way,), base = ways(1.0), _Way(None, TrainOptions(), [np.zeros((1, 2))], 5.0)
    trainer = Trainer(clock(30.0), 40.0)
    _train_all(way, base, (7, 8, 9), cast(_Trainer, trainer))
    assert len(trainer.trained) == 1
    assert "it needs about 80 s more" in way.why


def test_a_run_under_a_time_limit_is_repeated_with_the_epochs_that_it_had() -> None:
    found = KeptReading(reading(), "cnn", np.arange(2), np.arange(2))
    options = TrainOptions(dropout=0.2)
    assert as_it_was(options, found) == options
    assert as_it_was(replace(options, time_seconds=60.0), found) == replace(options, epochs=12)
