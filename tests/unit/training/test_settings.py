"""Settings: each value is checked, all faults are told at once, and the nearest name is suggested."""

import dataclasses

import pytest

from bottega.errors import BottegaError
from bottega.training.settings import Settings, settings_from


@pytest.mark.parametrize(
    ("stated", "text"),
    [
        ({"epochs": 0}, "epochs = 0.*\n.*whole number from 1.*\n.*epochs = 1"),
        ({"epochs": 2.5}, "epochs = 2.5"),
        ({"epochs": True}, "epochs = True"),
        ({"batch_size": "many"}, "batch_size = 'many'"),
        ({"learning_rate": -1.0}, "a number from 1e-08 to 100"),
        ({"learning_rate": float("nan")}, "learning_rate = nan"),
        ({"optimiser": "adamww"}, "one of adamw, adam, sgd\nfix: optimiser = 'adamw'"),
        ({"schedule": "onecycle"}, "fix: schedule = 'one-cycle'"),
        ({"precision": "bf16"}, "one of float32, bfloat16"),
        ({"augment": ("flipp",)}, "fix: augment = 'flip'"),
        ({"augment": "flip"}, "a list of names"),
        ({"label_smoothing": 1.0}, "fix: label_smoothing = 0.9"),
        ({"average": 1.0}, "average = 1.0"),
        ({"class_weights": (1.0, 0.0)}, "a positive number for each class"),
        ({"class_weights": ()}, "a positive number for each class"),
        ({"patience": 0}, "patience = 0"),
        ({"momentum": None}, "momentum = None"),
        ({"device": ""}, "device = ''"),
        ({"device": 3}, "device = 3"),
    ],
)
def test_a_value_out_of_range_is_refused(stated: dict[str, object], text: str) -> None:
    with pytest.raises(BottegaError, match=text):
        settings_from(stated)


def test_faults_are_told_together() -> None:
    with pytest.raises(BottegaError, match="epochs = 0; momentum = 7"):
        Settings(epochs=0, momentum=7)


@pytest.mark.parametrize(("name", "near"), [("nb_epochs", "epochs"), ("learning_rat", "learning_rate")])
def test_an_unknown_name_is_refused_and_the_nearest_told(name: str, near: str) -> None:
    with pytest.raises(BottegaError, match=f"{name}.*\n.*\n.*write {near} for {name}"):
        settings_from({name: 30})


def test_what_was_written_down_reads_the_same() -> None:
    settings = Settings(augment=("flip",), class_weights=(1.0, 2.0), learning_rate=None, patience=None)
    as_json = {name: list(v) if isinstance(v, tuple) else v for name, v in dataclasses.asdict(settings).items()}
    assert settings_from(as_json) == settings
