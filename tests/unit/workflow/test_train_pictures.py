"""When one training of a network from nothing gets all of a stated time, and when folds share it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bottega.workflow.options import TrainOptions
from bottega.workflow.own_network import architecture_of, training_seconds
from bottega.workflow.train_pictures import PictureTraining


def entered(**stated: Any) -> tuple[PictureTraining, Any]:
    training = PictureTraining("digits", TrainOptions(ship="best", **stated), None)
    looked = training.look()
    training.describe(looked)
    return training, looked


@pytest.mark.parametrize(
    ("stated", "fewest", "n_fits"),
    [
        ({"network": "cnn", "time_seconds": 1.0}, 100, 1),
        ({"network": "cnn", "time_seconds": 3600.0}, None, 6),
        ({"network": "cnn"}, None, 6),
        ({"network": "pretrained", "time_seconds": 1.0}, None, 6),
    ],
)
def test_too_short_for_the_folds(
    stated: dict[str, Any], fewest: int | None, n_fits: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    training, looked = entered(**stated)
    assert training.fewest_validation(looked) == fewest
    assert training._n_fits(looked) == n_fits


def test_seconds_grow_with_the_work() -> None:
    options = TrainOptions(network="cnn")
    architecture = architecture_of(options, (3, 64, 64))
    once = training_seconds(architecture, options, 1000, 5)
    assert 100 < once < 2000
    assert training_seconds(architecture, replace(options, epochs=1), 1000, 5) == pytest.approx(once / 40)
    assert training_seconds(architecture_of(options, (1, 8, 8)), options, 1000, 5) < once / 50
