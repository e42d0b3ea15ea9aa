from dataclasses import replace

import numpy as np

from bottega.refinement.answer_rules import dominating_confusion, miscalibration, never_predicted, noisy_validation
from bottega.refinement.reading import Answers


def told(y, named, sure=0.9, n_classes=4):
    """Answers that name what is given, all as sure."""
    probabilities = np.full((len(y), n_classes), (1 - sure) / (n_classes - 1))
    probabilities[np.arange(len(y)), named] = sure
    return Answers(y, probabilities)


def test_too_few_validation_examples(reading):
    symptom = noisy_validation(reading(n_val=20, val_accuracy=0.8))
    assert symptom.evidence.startswith(
        "80\u202f% right of 20 validation examples: the true value is anywhere in 58 … 92"
    )
    assert symptom.change.startswith("about 290 validation examples give ± 5 points")
    assert noisy_validation(reading(n_val=100)) is None


def test_scores_that_jump_are_said_in_their_own_unit(reading):
    scores = {"val_score": [0.7, 0.9] * 7 + [0.7]}
    assert "moves by 20 points from one epoch to the next" in noisy_validation(reading(n_val=20, lines=scores)).evidence
    assert "moves by 0.200 from" in noisy_validation(reading(n_val=20, lines=scores, metric="log_loss")).evidence


def test_a_class_that_never_comes(reading):
    y = reading.labels(200)
    run = replace(reading(), val=told(y, np.where(y == 2, 0, y)))
    symptom = never_predicted(run)
    assert symptom.evidence.startswith("hen is none of 200 answers on validation, where 50 examples are of that class")
    assert symptom.p < 1e-6
    seldom = replace(run, val=told(y, np.where((y == 2) & (np.arange(200) > 20), 0, y)))
    assert never_predicted(seldom).evidence.startswith("hen is five of 200 answers")


def test_a_rare_class_that_never_comes_is_no_proof(reading):
    y = np.array([0, 1, 3] * 66 + [2, 2])
    assert never_predicted(replace(reading(), val=told(y, np.where(y == 2, 0, y)))).p > 0.1


def test_a_network_that_says_one_thing_only_has_another_fault(reading):
    y = reading.labels(200)
    assert never_predicted(replace(reading(), val=told(y, np.zeros(200, dtype=int)))) is None
    assert never_predicted(reading()) is None


def test_two_classes_that_are_taken_for_each_other(reading):
    y = reading.labels(400)
    rows = np.arange(400)
    named = np.where((y == 1) & (rows % 8 == 1), 3, np.where((y == 3) & (rows % 16 == 3), 1, y))
    symptom = dominating_confusion(replace(reading(), val=told(y, named)))
    assert symptom.evidence.startswith(
        "75 of 75 mistakes on validation are between dog and owl: 50 one way, 25 the other"
    )
    assert symptom.p < 1e-6


def test_mistakes_that_are_spread_evenly(reading):
    assert dominating_confusion(reading(val_accuracy=0.6)) is None


def test_two_classes_that_are_told_apart_by_a_coin(reading):
    rng = np.random.default_rng(0)
    y = rng.integers(0, 8, 1600)
    named = np.where(rng.random(1600) < 0.45, rng.integers(0, 8, 1600), y)
    named = np.where(np.isin(y, (2, 5)) & np.isin(named, (2, 5)), rng.choice([2, 5], 1600), named)
    answers = told(y, named, n_classes=8)
    run = replace(reading(), classes=tuple("abcdefgh"), train=answers, val=answers)
    assert "between c and f" in dominating_confusion(run).evidence


def test_two_classes_alone_have_no_pair_that_dominates(reading):
    y = reading.labels(100) % 2
    answers = told(y, 1 - y, n_classes=2)
    assert dominating_confusion(replace(reading(), classes=("no", "yes"), train=answers, val=answers)) is None


def test_probabilities_that_promise_too_much_or_too_little(reading):
    y = reading.labels(300)
    named = np.where(np.arange(300) < 60, (y + 1) % 4, y)  # 80 % are right
    sure = miscalibration(replace(reading(), val=told(y, named, sure=0.98)))
    assert sure.evidence.startswith(
        "answers are stated with 98\u202f% on average and 80\u202f% are right: 18 points too sure"
    )
    assert sure.p < 1e-4
    modest = miscalibration(replace(reading(), val=told(y, y, sure=0.5)))
    assert "50 points too modest" in modest.evidence
    assert "label smoothing" in modest.change
    assert miscalibration(replace(reading(), val=told(y, named, sure=0.85))) is None
    assert miscalibration(replace(reading(), val=told(y, y, sure=0.88))) is None  # smooth targets are meant


def test_a_loss_that_has_grown_since_is_a_drift(reading):
    y = reading.labels(300)
    named = np.where(np.arange(300) < 60, (y + 1) % 4, y)
    run = reading(val=[0.5, 0.4, 0.3, *[0.4] * 12])
    assert "has grown since epoch 3" in miscalibration(replace(run, val=told(y, named, sure=0.98))).evidence


def test_what_a_network_that_knows_little_mixes_up_says_nothing_about_two_classes(reading):
    y = reading.labels(300)
    named = np.where(y == 2, 3, 0)  # all hens are owls to it, and all else are cats
    assert dominating_confusion(replace(reading(), val=told(y, named))) is None
