from dataclasses import replace

import pytest

from bottega.refinement.curve_rules import best_epoch_is_last, not_yet_converged, overfitting, plateau, underfitting

STEADY = [1.3 - 0.05 * at for at in range(12)]


def test_a_gap_between_what_it_knows_and_what_it_can(reading):
    fit = [1.0, 0.6, 0.3, 0.1, 0.02, 0.01]
    val = [1.0, 0.62, 0.5, 0.5, 0.5, 0.52]
    run = reading(fit=fit, val=val, train_accuracy=1.0, val_accuracy=0.8)
    symptom = overfitting(run)
    assert symptom.evidence.startswith(
        "since epoch 3: 100\u202f% on training examples, 80\u202f% on validation, a gap of 20 points"
    )
    assert "its 1,600 training examples" in symptom.meaning
    assert symptom.p < 1e-6


def test_the_same_gap_on_few_examples_is_no_proof(reading):
    assert overfitting(reading(train_accuracy=1.0, val_accuracy=0.92, n_val=25)).p > 0.001


def test_a_gap_of_a_network_that_errs_on_both_sides_is_no_overfitting(reading):
    assert overfitting(reading(train_accuracy=0.7, val_accuracy=0.64)) is None


def test_a_validation_loss_that_grows(reading):
    fit, val = reading.decay(20, end=0.01), [0.4, 0.3, 0.3, 0.3, *[0.3 + 0.05 * at for at in range(16)]]
    symptom = overfitting(reading(fit=fit, val=val))
    assert "since epoch 2 the validation loss grows from 0.3 to 1.05" in symptom.evidence
    assert overfitting(reading(fit=fit, val=val, stopped="patience")) is None  # the best epoch was kept
    assert overfitting(reading(fit=[*fit[:1], *[1.0] * 19], val=val)) is None  # both grow


def test_a_network_that_is_too_small(reading):
    run = reading(fit=[1.0] * 10, train_accuracy=0.5, val_accuracy=0.5)
    symptom = underfitting(run)
    assert "random forest does better on validation: 93\u202f% against 50\u202f%" in symptom.evidence
    assert symptom.sure == "high"
    assert symptom.p < 1e-6


def test_data_that_nothing_can_learn_are_no_underfitting(reading):
    assert underfitting(reading(fit=[1.0] * 10, train_accuracy=0.5, val_accuracy=0.5, rival_accuracy=0.5)) is None


def test_without_a_rival_nobody_can_be_sure(reading):
    alone = {"rival": "", "rival_accuracy": None, "train_accuracy": 0.3, "val_accuracy": 0.3}
    assert underfitting(reading(fit=[1.3] * 10, **alone)).sure == "low"
    assert underfitting(reading(rival="", rival_accuracy=None)) is None


def test_a_training_that_ended_too_early(reading):
    symptom = not_yet_converged(reading(fit=STEADY))
    assert "still falling when epoch 12 ended, in the last third from 0.97 to 0.77" in symptom.evidence
    assert symptom.change.startswith("more epochs: 24")
    assert symptom.p < 1e-3
    assert not_yet_converged(reading(fit=STEADY, stopped="patience")) is None
    assert not_yet_converged(reading(fit=STEADY, val=[*STEADY[:6], *[1.1] * 6])) is None  # validation has stopped
    turned = [1.3, 1.2, 1.1, 1.0, 0.9, 0.7, 1.2, 1.1, 1.0, 0.95, 0.9, 0.85]
    assert not_yet_converged(reading(fit=STEADY, val=turned)) is None  # validation was better before


@pytest.mark.parametrize("n", [1, 2])
def test_one_epoch_can_be_too_few(reading, n):
    assert not_yet_converged(reading(fit=[1.1, 0.6][:n])).p < 1e-3
    assert not_yet_converged(reading(fit=[0.05] * n, lines={"steps": 1000}, best_epoch=1.0, stopped="patience")) is None


def test_weights_that_could_not_go_far(reading):
    slow = {name: replace(reading.layer, update=0.001) for name in ("first", "last")}
    symptom = not_yet_converged(reading(fit=[1.3] * 6, lines={"steps": 10, "layers": slow}))
    assert symptom.evidence.startswith(
        "60 steps in 6 epochs could move the weights by 6\u202f% of their size; 94\u202f% of"
    )


def test_the_last_epoch_was_the_best_at_a_rate_that_was_still_high(reading):
    fit = [*reading.decay(10, end=0.3), 0.27, 0.22]
    still_high = {"settings": {"schedule": "constant"}, "best_epoch": 12.0}
    assert best_epoch_is_last(reading(fit=fit, **still_high)).change == "be patient: 24 epochs"
    assert best_epoch_is_last(reading(fit=fit, best_epoch=12.0)) is None  # the schedule brings it down at the end
    assert best_epoch_is_last(reading(fit=fit, settings={"schedule": "constant"})) is None
    assert best_epoch_is_last(reading(fit=reading.decay(12), **still_high)) is None  # by next to nothing


def test_epochs_that_changed_nothing(reading):
    fit = reading.decay(60, at=1.5)
    symptom = plateau(reading(fit=fit, settings={"patience": None}))
    assert symptom.evidence.startswith("since epoch 7 of 60 the validation loss hasn't come down")
    assert plateau(reading(fit=fit)) is None  # patience would have ended it
    assert plateau(reading(fit=fit, settings={})) is None
    assert plateau(reading(fit=fit[:20], settings={"patience": None})) is None
    assert plateau(reading(fit=fit, settings={"patience": None}, stopped="time")) is None


def test_heavy_dropout_is_named_and_more_epochs_are_not(reading):
    lines = {"layers": {"only": replace(reading.layer, update=0.0005)}}
    unlearnt = {"fit": [1.35] * 12, "train_accuracy": 0.72, "val_accuracy": 0.7, "lines": lines}
    assert not_yet_converged(reading(**unlearnt)) is not None
    held_back = reading(**unlearnt, settings={"dropout": 0.9})
    assert not_yet_converged(held_back) is None
    assert underfitting(held_back).change.startswith("less dropout: 90\u202f% of the units are left out in each step")
