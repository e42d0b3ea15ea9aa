"""Candidates on digits: fitted without the test part, compared on the same rows, one chosen and calibrated."""

from dataclasses import replace

import numpy as np
import pytest

from bottega.errors import BottegaError
from bottega.evaluation.forms import Constant
from bottega.evaluation.metrics import METRICS
from bottega.workflow import candidates
from bottega.workflow.candidates import Developed, Material, Spec, answer, develop
from digits_material import RULES, digits, parts, specs

NETWORK = "pretrained + linear"


@pytest.fixture(scope="module")
def small() -> Material:
    return digits(420)


@pytest.fixture(scope="module")
def developed(small: Material) -> Developed:
    train, val, _ = parts(small, 260, 340)
    return develop(small, [*specs(small)[:3], specs(small)[4]], train, val, RULES)


def test_the_likely_leader_is_fitted_first_and_all_are_kept_in_order() -> None:
    told: list[str] = []
    few = digits(90, n_classes=3)
    train, val, _ = parts(few, 60, 80)
    one = develop(few, specs(few), train, val, RULES, tell=told.append)
    assert told[0] == NETWORK
    assert list(one.answered) == [spec.name for spec in specs(few)]


def test_few_validation_rows_mean_out_of_fold_answers(developed: Developed) -> None:
    assert developed.out_of_fold
    assert np.array_equal(developed.rows, np.arange(340))
    assert sorted(set(developed.half)) == ["calibrate", "select"]
    assert 0.3 < (developed.half == "select").mean() < 0.7
    for one in developed.answered.values():
        answered = np.isfinite(one.logits[:, 0])
        assert answered.all() == (one.dropped is None)


def test_out_of_fold_means_that_nobody_answers_what_he_was_fitted_on(small: Material) -> None:
    """With labels that say nothing, only a model that has seen a row could be right about it."""
    noise = replace(small, y=np.random.default_rng(0).integers(0, 10, len(small.y)))
    train, val, _ = parts(noise, 260, 340)
    one = develop(noise, specs(noise)[1:3], train, val, RULES)
    for item in one.answered.values():
        answered = np.isfinite(item.logits[:, 0])
        right = (item.logits[answered].argmax(1) == noise.y[one.rows[answered]]).mean()
        assert right < 0.25, item.spec.name


def test_groups_are_never_torn(small: Material) -> None:
    """Each row has a twin: a nearest neighbour that had seen it would always be right, even about noise."""
    twice = digits(150, twins=150)
    y = np.random.default_rng(0).integers(0, 10, 150)
    noise = replace(twice, y=np.concatenate([y, y]))
    everyone = np.arange(300)
    one = develop(noise, specs(noise)[1:2], everyone, everyone[:0], RULES)
    right = (one.answered["nearest neighbour"].logits.argmax(1) == noise.y).mean()
    assert right < 0.25
    assert np.array_equal(one.half[:150], one.half[150:])


def test_many_validation_rows_are_answered_by_one_fit() -> None:
    material = digits(1500)
    train, val, _ = parts(material, 700, 1300)
    one = develop(material, specs(material)[:3], train, val, RULES)
    assert not one.out_of_fold
    assert np.array_equal(one.rows, val)
    x = material.views["plain"]
    linear = one.answered["linear on thumbnails"]
    assert np.array_equal(linear.logits, answer(linear.form, x[val], 10))
    assert linear.setting["strength"] in [strength for strength, _ in linear.setting["tried"]]


def test_the_chosen_one_is_calibrated_on_the_other_half(developed: Developed, small: Material) -> None:
    assert developed.choice.relations[developed.choice.name] == "ships"
    assert 0.05 <= developed.temperature <= 20
    assert developed.sure.sure_at == 0.9
    calibrate = developed.half == "calibrate"
    probabilities = np.exp(developed.chosen.logits[calibrate] / developed.temperature)
    probabilities /= probabilities.sum(1, keepdims=True)
    sure = probabilities.max(1) >= developed.sure.threshold
    right = probabilities.argmax(1) == small.y[developed.rows[calibrate]]
    assert right[sure].mean() >= 0.9


@pytest.mark.parametrize(("ship", "chosen"), [("network", NETWORK), ("most frequent class", "most frequent class")])
def test_what_was_asked_for_ships(ship: str, chosen: str, small: Material) -> None:
    train, val, _ = parts(small, 260, 340)
    one = develop(small, [specs(small)[0], specs(small)[4]], train, val, replace(RULES, ship=ship))
    assert one.choice.name == chosen
    assert one.chosen.dropped is None  # what is asked for is never left out


def test_a_misspelt_candidate_is_named(small: Material) -> None:
    train, val, _ = parts(small, 200, 260)
    with pytest.raises(BottegaError, match="nearest neighbour"):
        develop(small, specs(small)[:2], train, val, replace(RULES, ship="nearest neighbor"))


def test_who_is_far_behind_leaves_the_race(developed: Developed) -> None:
    hopeless = developed.answered["most frequent class"]
    assert hopeless.dropped is not None
    assert hopeless.dropped.startswith("far behind on the first fold: ")
    assert 80 <= np.isfinite(hopeless.logits[:, 0]).sum() <= 145  # the first of three folds
    assert "most frequent class" not in developed.choice.relations


def test_what_is_too_large_for_a_file_cannot_ship(small: Material, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(candidates, "MAX_FORM_BYTES", 70_000)
    train, val, _ = parts(small, 260, 340)
    one = develop(small, specs(small)[1:3], train, val, RULES)
    assert one.choice.name == "linear on thumbnails"
    dropped = one.answered["nearest neighbour"].dropped
    assert dropped is not None
    assert dropped.startswith("its file would take ")


def test_without_time_the_first_is_fitted_and_the_others_told(small: Material) -> None:
    train, val, _ = parts(small, 200, 260)
    one = develop(small, specs(small), train, val, RULES, may_begin=lambda name: False)
    assert list(one.answered) == [NETWORK]
    assert [spec.name for spec, _ in one.skipped] == [s.name for s in specs(small) if s.name != NETWORK][-1:] + [
        s.name for s in specs(small) if s.kind == "baseline"
    ]


def test_an_interruption_keeps_the_best_so_far(small: Material) -> None:
    train, val, _ = parts(small, 200, 260)

    def stop(*_: object) -> Constant:
        raise KeyboardInterrupt

    stopping = Spec("stopping", "baseline", "plain", stop)
    one = develop(small, [stopping, specs(small)[4]], train, val, RULES)
    assert one.interrupted
    assert one.choice.name == NETWORK
    with pytest.raises(KeyboardInterrupt):
        develop(small, [stopping], train, val, RULES)


def test_class_weights_are_tried_where_the_imbalance_asks_for_it() -> None:
    material = digits(900)
    x, y = material.views["plain"], material.y
    for metric, rows in (("balanced_accuracy", (y != 8) | (np.arange(900) % 8 == 0)), ("accuracy", y >= 0)):
        linear = specs(material, metric=metric)[2]
        fit, val = rows & (np.arange(900) < 600), np.arange(900) >= 600
        setting, _ = linear.tune(x[fit], y[fit], x[val], y[val])
        weighted, even = (
            METRICS[metric].function(y[val], answer(linear.fit(x[fit], y[fit], {**setting, "balanced": b}), x[val], 10))
            for b in (True, False)
        )
        uneven = np.bincount(y[fit]).max() >= 3 * np.bincount(y[fit]).min()
        assert setting["balanced"] == (uneven and weighted > even)


def test_a_costly_candidate_is_left_out_where_little_is_left_to_gain() -> None:
    material, rules = digits(1500), replace(RULES, margin=0.2)
    train, val, _ = parts(material, 700, 1300)
    first, *_, last = specs(material)
    good, costly = replace(last, name="good"), replace(first, name="costly", leads=True, costly=True)
    told: list[str] = []
    one = develop(material, [costly, good], train, val, rules, tell=told.append)
    assert told == ["good"]
    assert [(spec.name, why[:19]) for spec, why in one.skipped] == [("costly", "not tried: good is ")]
    both = develop(material, [costly, good], train, val, replace(RULES, margin=0.0))
    assert list(both.answered) == ["costly", "good"]
