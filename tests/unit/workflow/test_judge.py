"""The test part on digits: read once, by what was fitted without it."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, precision_score, recall_score

from bottega.evaluation.calibration import apply_temperature
from bottega.evaluation.forms import Constant
from bottega.workflow.candidates import Developed, Material, Spec, answer, develop
from bottega.workflow.judge import Judged, candidate_records, cross_validated, held_out, judge, naive_score
from digits_material import NAMES, RULES, digits, parts, specs


@pytest.fixture(scope="module")
def material() -> Material:
    return digits(500)


@pytest.fixture(scope="module")
def developed(material: Material) -> Developed:
    train, val, _ = parts(material, 240, 320)
    return develop(material, [*specs(material)[:3], specs(material)[4]], train, val, RULES)


@pytest.fixture(scope="module")
def judged(material: Material, developed: Developed) -> Judged:
    *_, test = parts(material, 240, 320)
    return judge(material, held_out(material, developed, test), developed, metric="accuracy", naive=None)


def test_scores_are_the_references(judged: Judged, material: Material) -> None:
    tested = judged.tested
    y, said = material.y[tested.rows], tested.predictions.argmax(1)
    score = judged.metrics["accuracy"]
    assert (score.n, score.score) == (180, accuracy_score(y, said))
    assert score.low < score.score < score.high
    recalls = recall_score(y, said, average=None, zero_division=0)
    precisions = precision_score(y, said, average=None, zero_division=0)
    for number, name in enumerate(NAMES):
        facts = judged.per_class[name]
        assert facts["n"] == (y == number).sum()
        assert facts["recall"].score == pytest.approx(recalls[number])
        assert facts["precision"].score == pytest.approx(precisions[number])
    assert "average_precision" not in judged.metrics  # of two classes alone
    assert {"balanced_accuracy", "roc_auc", "log_loss", "ece"} <= set(judged.metrics)


def test_answers_are_those_of_the_shipped_candidate(judged: Judged, developed: Developed, material: Material) -> None:
    chosen = developed.chosen
    logits = answer(chosen.form, material.views[chosen.spec.view][judged.tested.rows], 10)
    assert np.array_equal(judged.tested.predictions, apply_temperature(logits, developed.temperature))
    sure = judged.tested.predictions.max(1) >= developed.sure.threshold
    assert np.array_equal(judged.tested.sure, sure)
    assert judged.sure["coverage"] == pytest.approx(sure.mean())


def test_every_candidate_stands_beside_it(judged: Judged, developed: Developed, material: Material) -> None:
    records = candidate_records(material, developed, judged.tested, metric="accuracy")
    assert [record.name for record in records] == list(developed.answered)
    ships = next(record for record in records if record.relation == "ships")
    assert ships.name == developed.choice.name
    assert ships.difference is None
    for record in records:
        assert record.test is not None
        assert record.test.n == 180
        if record is not ships:
            assert record.difference is not None
            gap = ships.test.score - record.test.score  # type: ignore[union-attr]
            assert record.difference.score == pytest.approx(gap, abs=0.02)  # each at its own temperature: ties may turn
    assert records[0].relation == "worse"
    assert records[0].dropped


def test_twins_in_the_test_part_are_counted_once() -> None:
    material = digits(300, twins=100)  # the last 100 rows are twins of the first 100
    train, test = np.arange(100, 300), np.concatenate([np.arange(100), np.arange(300, 400)])
    one = develop(material, specs(material)[1:2], train, train[:0], RULES)
    found = judge(material, held_out(material, one, test), one, metric="accuracy", naive=None)
    score = found.metrics["accuracy"]
    assert (score.n, score.n_groups) == (200, 100)
    assert found.metrics["accuracy_without_twins"].n == 100
    alone = judge(material, held_out(material, one, test[:100]), one, metric="accuracy", naive=None)
    width, alone_width = (s.high - s.low for s in (score, alone.metrics["accuracy"]))
    assert width > 0.8 * alone_width  # a twin is no second witness
    assert "accuracy_without_twins" not in alone.metrics


def test_twins_of_a_given_train_part_are_left_out_of_the_score_without_twins() -> None:
    material = digits(300, twins=100)  # the last 100 rows are twins of the first 100
    train, test = np.arange(200), np.arange(200, 400)
    one = develop(material, specs(material)[1:2], train, train[:0], RULES)
    found = judge(material, held_out(material, one, test), one, metric="accuracy", naive=None)
    assert found.metrics["accuracy"].n == 200
    without = found.metrics["accuracy_without_twins"]
    assert without.n == 100
    tested = found.tested.predictions.argmax(1) == material.y[test]
    assert without.score == pytest.approx(tested[:100].mean())


def test_a_label_that_was_never_seen_counts_as_an_error(developed: Developed, material: Material) -> None:
    *_, test = parts(material, 240, 320)
    y = material.y.copy()
    y[test[:18]] = -1
    strange = replace(material, y=y)
    found = judge(strange, held_out(strange, developed, test), developed, metric="accuracy", naive=None)
    known = (found.tested.predictions.argmax(1) == y[test]).mean()
    assert found.metrics["accuracy"].score == pytest.approx(known)
    assert found.metrics["accuracy"].n == 180


def test_what_a_split_by_lot_would_have_claimed() -> None:
    """Every picture has a twin; a nearest neighbour looks much better when twins are torn apart."""
    material = digits(200, twins=200)
    train = np.concatenate([np.arange(140), np.arange(200, 340)])
    test = np.setdiff1d(np.arange(400), train)
    one = develop(material, specs(material)[1:2], train, train[:0], RULES)
    honest = judge(material, held_out(material, one, test), one, metric="accuracy", naive=None)
    hashes = np.random.default_rng(0).integers(0, 256, (400, 32), dtype=np.uint8)
    claimed = naive_score(material, one.chosen, hashes, metric="accuracy", seed=0)
    assert claimed is not None
    assert claimed.score > honest.metrics["accuracy"].score
    both = judge(material, held_out(material, one, test), one, metric="accuracy", naive=claimed)
    assert both.metrics["twins_split"] is claimed
    assert both.metrics["twins_grouped"] == both.metrics["accuracy"]
    untwinned = digits(200)
    assert naive_score(untwinned, one.chosen, hashes[:200], metric="accuracy", seed=0) is None


def test_cross_validation_answers_each_example_once_a_repeat() -> None:
    material = digits(120, n_classes=3)
    told: list[str] = []
    found = cross_validated(material, specs(material)[:2], RULES, tell=told.append)
    assert (found.n, len(found.rows)) == (120, 240)
    assert np.array_equal(found.rows[found.once], np.arange(120))
    np.testing.assert_allclose(found.predictions.sum(1), 1, atol=1e-6)
    assert (found.predictions.argmax(1) == material.y[found.rows]).mean() > 0.9
    assert told == [f"fold {n} of 6" for n in range(1, 7)]


def test_an_interrupted_cross_validation_is_no_score() -> None:
    material = digits(120, n_classes=3)

    def stop(*_: object) -> Constant:
        raise KeyboardInterrupt

    stopping = Spec("stopping", "baseline", "plain", stop)
    with pytest.raises(KeyboardInterrupt):
        cross_validated(material, [specs(material)[0], stopping], RULES, tell=lambda _: None)


def test_cross_validation_of_noise_finds_nothing() -> None:
    material = replace(digits(120, n_classes=3), y=np.random.default_rng(0).integers(0, 3, 120))
    found = cross_validated(material, specs(material)[1:2], RULES, tell=lambda _: None)
    assert (found.predictions.argmax(1) == material.y[found.rows]).mean() < 0.5
