import dataclasses

import numpy as np
import pytest

from bottega.errors import BottegaError
from bottega.refinement.reading import Answers


def test_what_guessing_gives(reading):
    run = reading()
    assert run.chance_loss == pytest.approx(np.log(4))
    assert run.chance_accuracy == 0.25
    assert run.unlearnt == pytest.approx(run.history[-1].fit_loss / np.log(4))
    assert run.gap == pytest.approx(0.02, abs=0.005)


def test_one_class_leaves_a_loss_to_divide_by(reading):
    y = np.zeros(50, dtype=int)
    assert reading(train=reading.answers(y, accuracy=1.0)).chance_loss > 0


def test_labels_that_training_never_saw_are_mistakes_without_a_loss(reading):
    y = reading.labels(100)
    known = reading.answers(y, accuracy=1.0)
    some = Answers(np.where(y == 0, -1, y), known.probabilities)
    assert some.accuracy == 0.75
    assert len(some.losses) == 75


def test_groups_count_once(reading):
    y = reading.labels(100)
    answers = Answers(y, reading.answers(y, accuracy=1.0).probabilities, groups=np.arange(100) // 10)
    assert answers.n_effective == 10


def test_layers_that_have_no_such_number_are_nan(reading):
    run = reading()
    assert list(run.layer_series("update")) == ["first", "second", "last"]
    assert np.isnan(run.layer_series("saturated")["first"]).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda run: {"history": ()}, "a history without epochs"),
        (lambda run: {"classes": ("cat", "dog")}, "probabilities of shape"),
        (lambda run: {"val": Answers(run.val.y[:0], run.val.probabilities[:0])}, "0 validation labels"),
        (lambda run: {"val": Answers(run.val.y, run.val.probabilities * np.nan)}, "with NaN or infinity"),
        (lambda run: {"val": Answers(run.val.y * 0 - 1, run.val.probabilities)}, "no validation example with a label"),
        (lambda run: {"train": Answers(run.train.y + 1, run.train.probabilities)}, "labels from 1 to 4"),
        (lambda run: {"train": Answers(run.train.y - 2, run.train.probabilities)}, "labels from -2 to 1"),
    ],
)
def test_what_can_not_be_read_is_refused(reading, change, message):
    run = reading()
    values = {field.name: getattr(run, field.name) for field in dataclasses.fields(run) if field.init}
    with pytest.raises(BottegaError, match=message):
        type(run)(**{**values, **change(run)})
