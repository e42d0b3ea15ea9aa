from dataclasses import replace

import numpy as np
import pytest

from bottega.refinement.step_rules import (
    batch_too_big,
    dead_units,
    exploding_gradients,
    rate_too_high,
    rate_too_low,
    saturated_units,
    vanishing_gradients,
)

STUCK = [1.386] * 10  # the loss of guessing among four classes


def layers(reading, *, last=None, **changed):
    """Three layers; `changed` in all of them, `last` in the last."""
    own = replace(reading.layer, **changed)
    return {"layers": {"first": own, "second": own, "last": replace(own, **(last or {}))}}


@pytest.mark.parametrize(
    ("fit", "accuracy", "seen"),
    [
        ([0.5, 2.4, 0.9, 3.0, 0.8], 0.7, "the loss grows to 2.2 times that of guessing"),
        ([0.5, 0.7, 0.4, 0.8, 0.3, 0.7, 0.2, 0.6], 0.8, "the loss jumps up in 4 of 7 epochs"),
        (STUCK, 0.3, "100\u202f% of the loss of guessing is left"),
        ([0.13] * 8, 0.7, "random forest does better: 93\u202f% against 70\u202f%"),
        ([0.3] * 8, 0.9, "22\u202f% of the loss of guessing is left"),
    ],
)
def test_large_steps_that_do_harm(reading, fit, accuracy, seen):
    run = reading(fit=fit, lines=layers(reading, update=0.3), val_accuracy=accuracy)
    symptom = rate_too_high(run)
    assert symptom.evidence == f"at a rate of 0.01 a step changes the weights by up to 30\u202f%; {seen}"


def test_a_loss_that_jumps_and_learns_nothing_needs_no_test(reading):
    fit = [2.0, 1.5, 2.5, 1.4, 1.9, 1.3, 1.6]
    train = {"train_loss": [1.39, 1.5, 1.45, 1.4, 1.42, 1.4, 1.4]}  # the steps' own loss hides it
    run = reading(fit=fit, lines={**layers(reading, update=0.3), **train}, val_accuracy=0.3)
    assert rate_too_high(run).p == 0


def test_large_steps_that_do_none(reading):
    assert rate_too_high(reading(lines=layers(reading, update=0.3))) is None


def test_a_loss_that_jumps_at_usual_steps_is_something_else(reading):
    assert rate_too_high(reading(fit=[0.5, 2.4, 0.9, 3.0, 0.8])) is None


def test_jumps_are_enough_where_layers_were_not_read(reading):
    run = reading(fit=[0.5, 0.9, 0.4, 0.8, 0.3, 0.7, 0.2, 0.6], lines={"layers": {}}, settings={})
    assert rate_too_high(run).evidence == "the loss jumps up in 4 of 7 epochs"
    assert rate_too_high(reading(fit=STUCK, lines={"layers": {}})) is None
    assert rate_too_high(reading(fit=[1.0, 90.0, 80.0], lines={"layers": {}})) is None


def test_steps_that_lead_nowhere(reading):
    symptom = rate_too_low(reading(fit=STUCK, lines=layers(reading, update=1e-5)))
    assert "no layer changes by more than 0.001\u202f% in a step" in symptom.evidence
    assert rate_too_low(reading(fit=[0.05] * 10, lines=layers(reading, update=1e-5))) is None  # fine-tuning
    assert rate_too_low(reading(fit=STUCK, lines=layers(reading, update=1e-5, last={"update": 0.01}))) is None
    assert rate_too_low(reading(fit=STUCK, lines={"layers": {}})) is None


def test_gradients_that_do_not_reach_the_first_layer(reading):
    lost = layers(reading, gradient=1e-8, last={"gradient": 0.3})
    symptom = vanishing_gradients(reading(fit=STUCK, lines=lost))
    assert symptom.evidence == "in the first epoch the gradient of layer first is 1 / 30,000,000 of that of layer last"
    assert vanishing_gradients(reading(lines=lost)) is None  # it learns all the same
    gone = layers(reading, gradient=0.0, last={"gradient": 0.3})
    assert "layer first is none of that" in vanishing_gradients(reading(fit=STUCK, lines=gone)).evidence
    nothing = layers(reading, gradient=0.0)
    assert vanishing_gradients(reading(fit=STUCK, lines=nothing)) is None


def test_gradients_that_explode(reading):
    fit = [90.0, 20.0, 12.0, 11.0]
    huge = {"gradient_norm": [900.0, 400.0, 120.0, 90.0]}
    symptom = exploding_gradients(reading(fit=fit, lines={**layers(reading, update=1e-4), **huge}))
    assert "the norm of the gradient reaches 900" in symptom.evidence
    assert "65 times that of guessing" in symptom.evidence
    assert exploding_gradients(reading(fit=fit, lines=huge | layers(reading, update=0.3))) is None  # the rate does it
    assert exploding_gradients(reading(fit=fit)) is None
    assert exploding_gradients(reading(lines={"gradient_norm": 900.0})) is None


def test_units_that_are_of_no_use(reading):
    dead = dead_units(reading(lines=layers(reading, last={"dead": 0.75})))
    assert dead.evidence == "75\u202f% of the units of layer last answer 0 to every example of the probe"
    assert dead_units(reading(lines=layers(reading, dead=None))) is None
    assert dead_units(reading(lines={"layers": {}})) is None
    flat = saturated_units(reading(lines=layers(reading, saturated=0.9)))
    assert "90\u202f% of the answers of layer first" in flat.evidence


def test_a_sure_last_layer_is_not_saturated(reading):
    assert saturated_units(reading(lines=layers(reading, last={"saturated": 1.0}))) is None


def test_too_few_steps_an_epoch(reading):
    slow = [1.3 - 0.02 * at for at in range(12)]
    few = {"steps": 1, **layers(reading, update=0.005)}
    symptom = batch_too_big(reading(fit=slow, lines=few, settings={"batch_size": 1600}))
    assert symptom.evidence.startswith("batches of 1,600 make 1 step an epoch from 1,600 examples, 12 in all")
    assert symptom.change == "a batch of 32, or many more epochs"
    assert batch_too_big(reading(fit=reading.decay(12), lines=few)) is None  # it got there
    assert batch_too_big(reading(fit=slow, lines={**few, "steps": 50})) is None
    assert batch_too_big(reading(fit=slow[:3], lines=few)) is None  # too few epochs instead


def test_numbers_that_were_not_read_are_no_evidence(reading):
    run = reading(fit=STUCK, lines=layers(reading, update=float("nan"), gradient=float("nan"), dead=float("nan")))
    for rule in (rate_too_high, rate_too_low, vanishing_gradients, dead_units, saturated_units, batch_too_big):
        assert rule(run) is None
    assert np.isnan(run.layer_series("update")["first"]).all()
