import inspect
import re
from dataclasses import replace

import numpy as np
import pytest

from bottega.problem.records import to_json
from bottega.refinement import answer_rules, curve_rules, label_rules, step_rules
from bottega.refinement.diagnosis import EXPLAINS, RULES, diagnose
from bottega.refinement.reading import Answers


def names(run):
    return [finding.name for finding in diagnose(run)]


def test_a_healthy_run_has_nothing_to_mend(reading):
    (finding,) = diagnose(reading())
    assert finding.name == "nothing to mend"
    assert str(len(RULES)) in finding.evidence
    assert finding.sure == "high"


@pytest.mark.parametrize("n_epochs", [1, 2, 3, 30])
def test_short_and_long_runs_that_got_there_are_healthy(reading, n_epochs):
    fit = [0.06] * n_epochs
    assert names(reading(fit=fit, best_epoch=1.0, stopped="patience")) == ["nothing to mend"]


def test_a_run_without_layers_rival_or_settings_can_be_read(reading):
    run = reading(lines={"layers": {}}, settings={}, rival="", rival_accuracy=None)
    assert names(run) == ["nothing to mend"]


def test_two_validation_examples_can_be_read(reading):
    assert names(reading(n_val=2, val_accuracy=1.0)) == ["noisy validation"]


def test_a_cause_comes_before_its_consequences_and_explains_them(reading):
    wild = replace(reading.layer, update=0.6, dead=0.9)
    run = reading(
        fit=[1.2, 2.5, 1.9, 3.0, 1.39],
        lines={"layers": {"first": wild, "last": wild}},
        train_accuracy=0.3,
        val_accuracy=0.28,
    )
    assert names(run) == ["learning rate too high"]


def test_two_faults_are_both_told(reading):
    noisy = reading.answers(reading.labels(12), accuracy=0.75)
    layers = {"first": replace(reading.layer, dead=0.8), "last": reading.layer}
    assert names(reading(val=None, lines={"layers": layers})) == ["dead units"]
    both = replace(reading(lines={"layers": layers}), val=noisy)
    assert names(both) == ["dead units", "noisy validation"]


def test_a_gap_that_chance_may_make_is_not_told(reading):
    run = reading(train_accuracy=1.0, val_accuracy=0.8, n_val=50, rival_accuracy=0.8)
    assert 0.01 / len(RULES) < curve_rules.overfitting(run).p < 0.01  # proved alone, but not among so many rules
    assert "overfitting" not in names(run)


def test_copies_of_an_example_prove_no_more_than_one(reading):
    y = reading.labels(400)
    mixed = reading.answers(y, accuracy=0.86, seed=3)
    run = reading(train_accuracy=0.99, val_accuracy=0.86)
    assert names(replace(run, val=mixed)) == ["overfitting"]
    grouped = Answers(y, mixed.probabilities, groups=np.arange(400) // 40)
    assert "overfitting" not in names(replace(run, val=grouped))


def test_the_table_of_causes_speaks_of_findings_that_there_are():
    assert set(EXPLAINS) | set().union(*EXPLAINS.values()) <= _spoken()


def test_findings_are_sentences_for_a_record(reading):
    for finding in diagnose(reading(n_val=10)):
        record = to_json(finding)
        assert set(record) == {"name", "evidence", "meaning", "change", "sure"}
        assert all(record.values())


@pytest.mark.parametrize("seed", range(60))
def test_whatever_was_recorded_can_be_read(reading, seed):
    """Wild losses, odd layers, few examples, labels that nobody knows: findings, and no warning on the way."""
    rng = np.random.default_rng(seed)
    n_epochs, n, n_classes = rng.integers(1, 12), rng.integers(1, 40), rng.integers(2, 6)
    wild = [0.0, 1e-12, 0.3, 2.0, 1e9, float("nan"), float("inf")]
    odds = rng.exponential(size=(n, n_classes)) ** 5 + 1e-300
    y = rng.integers(-1 if n > 5 else 0, n_classes, n)
    y[0] = 0
    answers = Answers(y, odds / odds.sum(1, keepdims=True), rng.integers(0, 5, n) if seed % 3 else None)
    layer = replace(reading.layer, **{name: rng.choice(wild) for name in ("update", "gradient", "weight", "dead")})
    run = reading(
        fit=rng.choice(wild, n_epochs).tolist(),
        val=rng.choice(wild, n_epochs).tolist(),
        lines={"layers": {"a": layer, "b": reading.layer, "c": layer}, "gradient_norm": rng.choice(wild)},
        settings={} if seed % 2 else {"patience": None, "schedule": "constant"},
        rival_accuracy=float(rng.random()) if seed % 5 else None,
        stopped=str(rng.choice(["epochs", "patience", "time", "interrupted"])),
    )
    found = diagnose(replace(run, classes=tuple("abcde"[:n_classes]), train=answers, val=answers))
    assert found
    assert all("nan" not in finding.evidence for finding in found)


def _spoken():
    """The names that the rules give, as their sources spell them."""
    text = "".join(inspect.getsource(module) for module in (answer_rules, curve_rules, label_rules, step_rules))
    return set(re.findall(r'Symptom\(\s*"([^"]+)"', text))
