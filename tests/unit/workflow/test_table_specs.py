"""The candidates of a table: which, on what scale, and in the contest for classes as it stands."""

from dataclasses import replace

import numpy as np
import pytest

from bottega.evaluation.metrics import METRICS
from bottega.evaluation.table_forms import Rescaled
from bottega.models.table_plans import TABLE_PLANS
from bottega.workflow.candidates import Material, Rules, answer, develop
from bottega.workflow.judge import held_out
from bottega.workflow.table_specs import BOOSTINGS, VIEW, TableTask, table_specs
from table_material import mixed

RULES = Rules(metric="accuracy", margin=None, ship="best", sure_at=0.9, split_seed=0, k=3)
SETTINGS = {
    "logistic regression": {"strength": 0.01}, "ridge regression": {"strength": 0.01},
    "random forest": {"min_samples_leaf": 2, "max_features": 0.5}, "support vector machine": {"C": 1.0, "gamma": 1.0},
    "gradient boosting": BOOSTINGS[0] | {"n_iterations": 20},
}  # fmt: skip
QUICK = ("most frequent class", "mean", "logistic regression", "ridge regression", "gradient boosting")


def material(name):
    table = mixed(name)
    n = len(table.y)
    names = np.random.default_rng(0).integers(0, 256, (n, 32), dtype=np.uint8)
    classes = () if name == "values" else tuple("abc"[: int(table.y.max()) + 1])
    labels = ["" if name == "values" else classes[number] for number in table.y]
    y = table.y if name == "values" else table.y.astype(np.int64)
    found = Material({VIEW: table.encoded()}, y, np.arange(n), names, labels, classes)
    task = TableTask(table.prepared.n_codes, None if name == "values" else len(classes), seed=0, threads=1)
    return found, [spec for spec in table_specs(task, n, 20)[0] if spec.name in QUICK]


def values_of(form, x):
    return answer(form, x, 1)[:, 0]


def test_the_simplest_come_first_and_networks_are_networks():
    task = TableTask(np.array([0, 3]), 2, seed=0, threads=1)
    specs, left_out = table_specs(task, 1000, 20)
    names = [spec.name for spec in specs]
    assert names[:3] == ["most frequent class", "logistic regression", "nearest neighbours"]
    assert names[-1] == "mixture of the best"
    assert [spec.name for spec in specs if spec.kind == "network"] == list(TABLE_PLANS)
    assert not left_out


def test_a_machine_that_would_take_minutes_is_left_out_and_said():
    task = TableTask(np.array([0, 3]), None, seed=0, threads=1)
    specs, left_out = table_specs(task, 50_000, 100)
    assert "support vector machine" not in [spec.name for spec in specs]
    [(spec, why)] = left_out
    assert spec.name == "support vector machine"
    assert why == "not tried: on 50,000 rows of 100 numbers it would take minutes"


@pytest.mark.parametrize("name", ["two classes", "three classes"])
def test_classes_run_through_the_contest_of_pictures(name):
    found, specs = material(name)
    n = len(found.y)
    train, test = np.arange(n - 50), np.arange(n - 50, n)
    developed = develop(found, specs, train, train[:0], RULES)
    tested = held_out(found, developed, test)
    assert METRICS["accuracy"].function(found.y[test], tested.predictions) > 0.85
    assert developed.answered["most frequent class"].dropped or developed.choice.name != "most frequent class"


def test_values_run_through_the_same_contest():
    found, specs = material("values")
    n = len(found.y)
    train, test = np.arange(n - 100), np.arange(n - 100, n)
    rules = Rules(metric="rmse", margin=None, ship="best", sure_at=0.9, split_seed=0, k=3)
    developed = develop(found, specs, train, train[:0], rules)
    values = values_of(developed.chosen.form, found.views[VIEW][test])
    assert METRICS["r2"].function(found.y[test], values) > 0.2
    lower, upper = developed.interval.around(values)
    assert 0.8 <= np.mean((lower <= found.y[test]) & (found.y[test] <= upper)) <= 0.98
    assert developed.interval.guarantee == "cv"
    assert developed.answered["mean"].dropped.startswith("far behind on the first fold: rmse")


def test_who_is_far_behind_a_network_on_the_first_fold_is_dropped_and_listed():
    found, specs = material("values")
    specs = [replace(spec, kind="network") if spec.name == "ridge regression" else spec for spec in specs]
    rules = Rules(metric="rmse", margin=None, ship="best", sure_at=0.9, split_seed=0, k=3)
    developed = develop(found, specs, np.arange(400), np.arange(0), rules)
    assert developed.answered["mean"].dropped.startswith("far behind on the first fold: rmse")
    assert np.isnan(developed.answered["mean"].logits).any()
    assert "mean" not in developed.choice.relations


def test_a_validation_part_of_its_own_chooses_and_calibrates(monkeypatch):
    monkeypatch.setattr("bottega.workflow.candidates.FEWEST_VALIDATION", 100)
    found, specs = material("values")
    rules = Rules(metric="rmse", margin=None, ship="ridge regression", sure_at=0.9, split_seed=0)
    developed = develop(found, specs, np.arange(200), np.arange(200, 400), rules)
    assert developed.choice.name == "ridge regression"
    assert developed.interval.guarantee == "split"
    assert developed.interval.n == int((developed.half == "calibrate").sum())
    assert not developed.out_of_fold


def test_time_that_is_up_leaves_candidates_out():
    found, specs = material("values")
    rules = Rules(metric="rmse", margin=None, ship="best", sure_at=0.9, split_seed=0, k=2)
    developed = develop(found, specs, np.arange(300), np.arange(0), rules, may_begin=lambda _: False)
    assert len(developed.answered) == 1
    assert {why for _, why in developed.skipped} == {"no time was left"}


def test_a_skewed_target_is_learnt_on_its_logarithm_where_that_helps():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(600, 3)).astype(np.float32)
    task = TableTask(np.zeros(3, np.int64), None, seed=0, threads=1)
    ridge = table_specs(task, 400, 3)[0][1]
    for log, y in ((True, np.exp(x @ [1, 0.5, 0.2])), (False, 100 + x @ [1, 0.5, 0.2] + rng.exponential(0.2, 600))):
        setting, form = ridge.tune(x[:400], y[:400], x[400:], y[400:])
        assert setting["log"] == log
        assert isinstance(form, Rescaled)
        assert METRICS["r2"].function(y[400:], values_of(form, x[400:])) > 0.95
    counts = rng.poisson(np.exp(x @ [1.0, 0.5, 0.2]))
    assert np.isfinite(values_of(ridge.fit(x, counts.astype(np.float64), {"strength": 0.1, "log": True}), x)).all()


def test_an_odd_row_does_not_run_away_on_the_logarithm():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 1)).astype(np.float32)
    y = np.exp(x[:, 0] + 0.1 * rng.normal(size=400))
    task = TableTask(np.zeros(1, np.int64), None, seed=0, threads=1)
    form = table_specs(task, 400, 1)[0][1].fit(x, y, {"strength": 1e-3, "log": True})
    usual, odd = values_of(form, np.array([[0.5], [9.0]], np.float32))
    assert usual == pytest.approx(np.exp(0.5), rel=0.1)
    assert odd == pytest.approx(y.max() * (y.max() / y.min()) ** 0.1, rel=1e-4)
    assert odd < np.exp(9) / 100


@pytest.mark.parametrize("name", ["two classes", "values"])
def test_rows_without_weight_say_nothing_to_any_candidate_that_weighs(name):
    found, _ = material(name)
    x, y = found.views[VIEW], found.y
    n_classes = None if name == "values" else len(found.classes)
    specs = table_specs(TableTask(mixed(name).prepared.n_codes, n_classes, seed=0, threads=1), len(y), 20)[0]
    weights = np.random.default_rng(1).integers(0, 3, len(y)).astype(float)
    nothing = weights == 0
    other = y.copy()
    other[nothing] = y[nothing][::-1] if name == "values" else 1 - y[nothing]
    assert [spec.name for spec in specs if not spec.weighs] == ["nearest neighbours"]
    for spec in specs[:-1]:
        if not spec.weighs:
            continue
        setting = {**SETTINGS.get(spec.name, {"epoch": 2}), "log": False}
        first, second = (spec.fit(x, targets, setting, weights) for targets in (y, other))
        np.testing.assert_array_equal(answer(first, x, n_classes or 1), answer(second, x, n_classes or 1), spec.name)
        plain = spec.fit(x, y, setting)
        assert (answer(plain, x, n_classes or 1) != answer(first, x, n_classes or 1)).any(), spec.name


def test_the_choice_and_the_scores_count_rows_by_weight():
    found, specs = material("two classes")
    weights = np.where(found.y == 0, 10.0, 0.1)
    heavy = replace(found, weights=weights)
    train, val = np.arange(300), np.arange(300, 400)
    rules = Rules("accuracy", None, "best", 0.95, 0)
    plain, weighed = (develop(one, specs, train, val, rules) for one in (found, heavy))
    always, usual = (np.exp(one.answered["most frequent class"].form.logits[0]) for one in (weighed, plain))
    assert always > 0.9 > usual
    assert weighed.answered["most frequent class"].temperature < 1.5  # it is right about the rows that count
    rows = weighed.rows
    score = heavy.measure("accuracy", rows).function(found.y[rows], weighed.chosen.predictions())
    said = weighed.chosen.predictions().argmax(1) == found.y[rows]
    assert score == pytest.approx(np.average(said, weights=weights[rows]))
