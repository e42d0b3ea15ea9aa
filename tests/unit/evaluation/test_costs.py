"""The cheapest answer, and the mean cost of answers."""

from dataclasses import replace

import numpy as np
import pytest

from bottega.evaluation.costs import Costs
from bottega.evaluation.intervals import interval
from bottega.evaluation.metrics import MEAN_COST, METRICS, score_all

RARE = Costs(((0.0, 1.0), (20.0, 0.0)))
THREE = Costs(((0.0, 1.0, 4.0), (2.0, 0.0, 1.0), (9.0, 3.0, 0.0)))


def some(n: int, n_classes: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    probabilities = rng.dirichlet(np.ones(n_classes), n)
    y = np.array([rng.choice(n_classes, p=p) for p in probabilities])
    return y, probabilities


def test_the_threshold_of_two_classes_is_where_both_answers_cost_the_same() -> None:
    assert RARE.threshold == pytest.approx(1 / 21)
    near = np.array([[1 - 1 / 21 + 1e-9, 1 / 21 - 1e-9], [1 - 1 / 21 - 1e-9, 1 / 21 + 1e-9]])
    assert RARE.answers(near).tolist() == [0, 1]
    assert THREE.threshold is None


@pytest.mark.parametrize("costs", [RARE, THREE])
def test_no_other_rule_is_cheaper_where_probabilities_are_true(costs: Costs) -> None:
    y, probabilities = some(20_000, len(costs.matrix))
    ones = np.ones(len(y))
    own = costs.mean_cost(y, probabilities)(ones)
    others = [costs.mean_cost_of(y, probabilities.argmax(1))(ones)]
    others += [costs.mean_cost_of(y, np.full(len(y), k))(ones) for k in range(len(costs.matrix))]
    assert own < min(others)
    assert own == pytest.approx(
        np.mean([costs.matrix[t][s] for t, s in zip(y, costs.answers(probabilities), strict=True)])
    )


def test_metrics_of_answers_obey_the_costs_and_those_of_probabilities_do_not() -> None:
    y, probabilities = some(500, 2)
    plain, by_cost = score_all(y, probabilities), score_all(y, probabilities, costs=RARE)
    assert set(by_cost) - set(plain) == {"mean_cost"}
    assert by_cost["accuracy"].score == (RARE.answers(probabilities) == y).mean()
    assert by_cost["accuracy"].score < plain["accuracy"].score
    for name in ("log_loss", "brier", "roc_auc", "average_precision", "ece"):
        assert by_cost[name] == plain[name]
    mean = by_cost["mean_cost"]
    assert mean.low < mean.score < mean.high
    assert not mean.higher_is_better


def test_accuracy_by_cost_has_the_interval_of_a_share() -> None:
    y, probabilities = some(200, 2)
    told = RARE.told(probabilities)
    assert interval(METRICS["accuracy"].under(RARE), y, probabilities) == interval(METRICS["accuracy"], y, told)


def test_a_label_that_training_never_saw_has_no_cost() -> None:
    y, probabilities = some(50, 2)
    more = np.concatenate([y, [-1, -1]]), np.concatenate([probabilities, probabilities[:2]])
    measure = MEAN_COST.under(RARE)
    assert measure.function(*more) == pytest.approx(measure.function(y, probabilities))
    assert np.isnan(measure.function(np.array([-1]), probabilities[:1]))


def test_until_costs_are_stated_every_mistake_costs_one() -> None:
    y, probabilities = some(100, 3)
    accuracy = METRICS["accuracy"].function(y, probabilities)
    assert MEAN_COST.function(y, probabilities) == pytest.approx(1 - accuracy)


def test_whole_weights_are_as_good_as_repeated_rows() -> None:
    y, probabilities = some(80, 3)
    times = np.random.default_rng(0).integers(0, 4, 80)
    again = np.repeat(np.arange(80), times)
    for name, metric in METRICS.items():
        if metric.kind != "classification" or name == "ece":  # its bins hold equally many rows
            continue
        repeated = metric.under(THREE).function(y[again], probabilities[again])
        assert metric.under(THREE, times.astype(float)).function(y, probabilities) == pytest.approx(repeated), name


def test_unequal_weights_widen_an_interval() -> None:
    y, probabilities = some(400, 2)
    ones, few = np.ones(400), np.where(np.arange(400) < 40, 100.0, 0.01)
    metric = METRICS["accuracy"]
    alike = interval(metric, y, probabilities)
    same = interval(metric.under(None, ones), y, probabilities)
    forty = interval(metric, y[:40], probabilities[:40])
    wide = interval(metric.under(None, few), y, probabilities)
    assert (same.low, same.high) == pytest.approx((alike.low, alike.high), abs=0.01)
    assert wide.score == pytest.approx(forty.score, abs=0.01)
    assert wide.high - wide.low == pytest.approx(forty.high - forty.low, rel=0.1)
    all_right = replace(metric.under(None, few), prepare=lambda *_: lambda weights: 1.0)
    assert interval(all_right, y, probabilities).low == pytest.approx(0.912, abs=0.01)  # as of 40 rows, not of 400
