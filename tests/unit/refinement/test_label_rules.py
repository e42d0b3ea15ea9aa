from dataclasses import replace

import numpy as np
import pytest

from bottega.refinement.label_rules import label_noise, permuted_targets, random_labels, too_good, validation_better
from bottega.refinement.reading import Answers


def guessing(reading, n=300, seed=5):
    """Answers that have nothing to do with the labels."""
    y = reading.labels(n)
    return Answers(
        y, reading.answers(np.random.default_rng(seed).permutation(y), accuracy=1.0, margin=1.0).probabilities
    )


def test_labels_that_have_nothing_to_do_with_the_inputs(reading):
    run = reading(fit=[1.38, 1.2, 0.9, 0.5], val=[1.4, 1.45, 1.6, 2.0], rival_accuracy=0.25)
    symptom = random_labels(replace(run, val=guessing(reading)))
    assert symptom.evidence.startswith(
        "training examples are learnt (loss 0.5), but the validation loss never comes below 1.4"
    )
    assert "nor does random forest" in symptom.evidence
    assert symptom.sure == "high"
    assert symptom.p < 1e-4


def test_where_nothing_is_learnt_either_it_is_less_sure(reading):
    run = reading(fit=[1.39] * 5, val=[1.4] * 5, rival_accuracy=0.25)
    assert random_labels(replace(run, val=guessing(reading))).sure == "medium"


def test_a_rival_that_knows_better_clears_the_labels(reading):
    assert random_labels(replace(reading(fit=[1.4] * 5), val=guessing(reading))) is None
    assert random_labels(reading(rival_accuracy=0.25)) is None


def test_classes_in_another_order(reading):
    y = reading.labels(200)
    shifted = Answers((y + 1) % 4, reading.answers(y, accuracy=0.95).probabilities)
    symptom = permuted_targets(replace(reading(), val=shifted))
    assert "95\u202f% if the classes are renamed: cat → owl; dog → cat; hen → dog; …" in symptom.evidence
    assert symptom.p < 1e-6


def test_two_classes_exchanged(reading):
    y = reading.labels(200)
    swapped = np.select([y == 1, y == 2], [2, 1], y)
    symptom = permuted_targets(
        replace(reading(), val=Answers(swapped, reading.answers(y, accuracy=0.95).probabilities))
    )
    assert "dog → hen; hen → dog" in symptom.evidence


def test_learning_that_makes_validation_worse_than_guessing(reading):
    run = reading(lines={"val_score": 0.01, "fit_score": 0.99}, val_accuracy=0.3)
    symptom = permuted_targets(run)
    assert symptom.evidence == (
        "after the last epoch 99\u202f% of the training examples are right and only 1\u202f% of validation, "
        "where guessing gives 25\u202f%"
    )
    assert permuted_targets(reading(lines={"val_score": 0.01}, metric="log_loss")) is None


def test_a_network_that_knows_nothing_yet_permutes_nothing(reading):
    y = reading.labels(400)
    inverted = Answers(y, reading.answers((y + 1) % 4, accuracy=0.9).probabilities)
    run = reading(fit=[1.38] * 5)
    assert permuted_targets(replace(run, train=inverted, val=inverted)) is None
    assert permuted_targets(reading()) is None


def test_no_mistake_and_no_doubt(reading):
    y = reading.labels(400)
    perfect = reading.answers(y, accuracy=1.0, margin=14.0)
    symptom = too_good(replace(reading(train_accuracy=1.0), val=perfect))
    assert (
        symptom.evidence == "0 mistakes on 400 validation examples, and under 1\u202f% of the loss of guessing is left"
    )
    assert symptom.sure == "low"
    assert symptom.p < 1e-6
    few = Answers(y[:40], perfect.probabilities[:40])
    assert too_good(replace(reading(train_accuracy=1.0), val=few)).p > 0.05
    assert too_good(reading(train_accuracy=1.0, val_accuracy=1.0)) is None  # no mistakes, but some doubt


def test_validation_that_is_easier_than_training(reading):
    symptom = validation_better(reading(train_accuracy=0.7, val_accuracy=0.95))
    assert "25.0 points the wrong way round" in symptom.evidence or "25 points the wrong way round" in symptom.evidence
    assert symptom.p < 1e-6
    assert validation_better(reading(train_accuracy=0.93, val_accuracy=0.95)) is None


@pytest.mark.parametrize("share", [0.1, 0.3])
def test_labels_that_contradict_the_surest_answers(reading, share):
    y = reading.labels(1000)
    rng = np.random.default_rng(0)
    wrong = np.where(rng.random(1000) < share, (y + rng.integers(1, 4, 1000)) % 4, y)
    val = Answers(wrong, reading.answers(y, accuracy=0.98).probabilities)
    symptom = label_noise(replace(reading(), val=val))
    assert "of the 300 surest answers on validation" in symptom.evidence
    assert symptom.p < 1e-4


def test_a_network_that_errs_where_it_doubts_has_right_labels(reading):
    assert label_noise(reading(val_accuracy=0.7)) is None
    assert label_noise(reading(n_val=20, val_accuracy=0.7)) is None
