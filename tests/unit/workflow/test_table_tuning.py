"""Tuning: trials within a budget, the same ones again, and a candidate that is no worse for them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bottega.evaluation.table_models import Rows
from bottega.workflow.candidates import answer
from bottega.workflow.clock import Clock
from bottega.workflow.run_folder import RunFolder
from bottega.workflow.table_specs import VIEW, TableTask, table_specs
from bottega.workflow.table_tuned import NAME
from bottega.workflow.table_tuning import SPACES, Outer, Range, Spent, Study, TrialBudget, inner_parts
from table_material import mixed

N_FIT = 200


class Stopped(Clock):
    """A clock that stands where it is put."""

    def __init__(self, limit: float | None, at: float = 0.0) -> None:
        super().__init__(limit)
        self.at = at

    def elapsed(self) -> float:
        return self.at


def budget(n: int) -> TrialBudget:
    return TrialBudget(Stopped(None), Outer(), lambda _: None, n)


def tuned(name: str, n_trials: int, kinds: tuple[str, ...] = ("random forest", "gradient boosting")):
    """The tuned candidate after these kinds were tried untuned."""
    table = mixed(name)
    n_classes = None if name == "values" else 2
    task = TableTask(table.prepared.n_codes, n_classes, seed=0, threads=1, trials=budget(n_trials))
    specs = {spec.name: spec for spec in table_specs(task, N_FIT, 20)[0]}
    x, y = table.encoded(), table.y
    parts = x[:N_FIT], y[:N_FIT], x[N_FIT:], y[N_FIT:]
    for kind in kinds:
        specs[kind].tune(*parts)
    return specs[NAME], parts, task


def test_the_study_begins_where_the_untuned_one_is_and_finds_what_is_better() -> None:
    space = {"a": Range(0.001, 1.0, log=True), "n": Range(1, 64, log=True, whole=True)}
    study = Study(space, {"a": 0.1, "n": 500}, seed=3)
    first = study.ask()
    assert (first["a"], first["n"]) == (pytest.approx(0.1), 64)  # put into the range
    study.tell(first, (np.log10(0.1) + 2) ** 2 + 1)
    for _ in range(40):
        setting = study.ask()
        assert 0.001 <= setting["a"] <= 1
        assert isinstance(setting["n"], int)
        study.tell(setting, (np.log10(setting["a"]) + 2) ** 2 + abs(setting["n"] - 8) / 8)
    assert study.best_loss < 0.3
    assert study.n == 41
    again = Study(space, {"a": "sqrt", "n": 4}, seed=3)
    assert 0.001 < again.ask()["a"] < 1  # what is no number begins in the middle


def test_the_same_seed_asks_for_the_same_settings_whatever_the_losses_are_told_to_be_without() -> None:
    asked = []
    for _ in range(2):
        study = Study(SPACES["gradient boosting"], {}, seed=7)
        settings = []
        for number in range(15):
            settings.append(study.ask())
            study.tell(settings[-1], float("nan") if number == 3 else settings[-1]["learning_rate"])
        asked.append(settings)
    assert asked[0] == asked[1]


def timed(clock: Clock, **outer: float) -> TrialBudget:
    return TrialBudget(clock, Outer(**outer), lambda _: None)


def spent(**seconds: list[float]) -> dict[str, Spent]:
    """Kinds with the seconds of their trials; the first number is what the first trial was expected to take."""
    found = {}
    for name, (foreseen, *others) in seconds.items():
        found[name] = Spent(foreseen)
        for number, one in enumerate(others):
            found[name].add(one, loss=1.0 + number)
    return found


def test_a_trial_begins_where_it_and_the_fits_that_follow_end_in_time() -> None:
    clock = Stopped(100.0, at=20.0)
    found = timed(clock, n_refits=2, kept_seconds=10.0)
    found.open()
    clock.at = 84.9
    assert found.next(spent(trees=[1.0])) == "trees"  # 1 for itself, 3 x 1 / (3/4) for the fits, 10 kept
    clock.at = 85.1
    assert found.next(spent(trees=[1.0])) is None
    assert found.next(spent(trees=[9.0, 0.5])) == "trees"  # what was seen counts, not what was foreseen
    assert found.next(spent(trees=[9.0, 0.5, 4.0])) is None
    quickly = {"trees": Spent(1.0, refit_share=0.5)}  # as networks, which go on after their best epoch once only
    assert found.next(quickly) == "trees"


def test_kinds_share_the_time_and_a_third_one_fills_what_they_leave() -> None:
    clock = Stopped(60.0)
    found = timed(clock, kept_seconds=0.0)
    found.open()
    both = {"slow": [4.0, 4.0], "quick": [1.0, 1.0, 1.0, 1.0], "third": [0.1]}
    assert found.next(spent(**both)) == "quick"
    assert found.next(spent(**{**both, "quick": [1.0] * 6})) == "slow"
    clock.at = 53.0
    assert found.next(spent(**{**both, "quick": [1.0] * 6})) == "quick"
    clock.at = 53.9
    assert found.next(spent(**{**both, "quick": [1.0] * 6})) == "third"
    clock.at = 59.9
    assert found.next(spent(**both)) is None


def test_folds_get_what_is_left_for_them_and_no_more_trials_than_the_first_search(tmp_path: Path) -> None:
    clock = Stopped(100.0, at=10.0)
    found = timed(clock, n_folds=5, folds_work=2.0, kept_seconds=10.0)
    found.begin(RunFolder(tmp_path))
    clock.at = 20.0
    found.open()  # 70 are left, of which the others take 20 in the folds; as many trials follow there, each quicker
    clock.at = 29.9
    assert found.next(spent(trees=[0.5] * 3)) == "trees"
    clock.at = 30.0
    assert found.next(spent(trees=[0.5] * 3)) is None
    found.close(spent(trees=[0.5] * 4))
    clock.at = 34.0
    found.open()
    assert found.next(spent(trees=[0.5] * 3)) == "trees"
    assert found.next(spent(trees=[0.5] * 4)) is None  # three were made the first time
    found.close(spent(trees=[0.5] * 4))
    clock.at = 70.0
    found.open()
    assert found.next(spent(trees=[0.5])) is None  # the folds so far took far longer than was foreseen
    found.close(spent(trees=[0.5]))
    assert RunFolder(tmp_path).decisions() == {
        "trials": {"trees": 3},
        "trials in fold 1": {"trees": 3},
        "trials in fold 2": {"trees": 0},
    }


def test_the_numbers_of_trials_are_journalled_and_replayed(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    first = timed(Stopped(100.0))
    first.begin(folder)
    first.open()
    first.close(spent(trees=[1.0] * 5, network=[1.0] * 2))
    again = timed(Stopped(1.0, at=50.0))
    again.begin(folder)
    again.open()
    assert again.next(spent(trees=[9.0], network=[9.0])) == "trees"
    assert again.next(spent(trees=[9.0] * 5, network=[9.0])) == "network"
    assert again.next(spent(trees=[9.0] * 5, network=[9.0] * 2)) is None


def test_without_a_limit_the_two_best_kinds_are_tried_in_turn() -> None:
    fixed = TrialBudget(Stopped(None), Outer(), lambda _: None)
    fixed.begin(RunFolder(Path("none")))
    fixed.open()
    asked = [fixed.next(spent(a=[1.0] * (1 + n), b=[1.0], c=[1.0])) for n in (0, 1, 38, 40)]
    assert asked == ["a", "b", "a", None]


@pytest.mark.parametrize("name", ["two classes", "values"])
def test_the_tuned_one_is_fitted_again_from_its_setting(name: str) -> None:
    spec, parts, task = tuned(name, 4)
    setting, form = spec.tune(*parts)
    assert sum(setting["trials"].values()) == 4
    assert set(setting["trials"]) == {"random forest", "gradient boosting"}
    assert setting["kind"] in setting["trials"]
    again = spec.fit(*parts[:2], setting)
    n = task.n_outputs
    np.testing.assert_array_equal(answer(form, parts[2], n), answer(again, parts[2], n))
    other, same, _ = tuned(name, 4)
    assert other.tune(*same)[0] == setting


def test_networks_are_tuned_by_their_plan() -> None:
    spec, parts, task = tuned("two classes", 2, kinds=("MLP",))
    setting, form = spec.tune(*parts)
    assert setting["kind"] == "MLP"
    assert set(setting["setting"]) >= {"learning_rate", "dropout", "width", "depth", "epoch"}
    again = spec.fit(*parts[:2], setting)
    np.testing.assert_array_equal(answer(form, parts[2], 2), answer(again, parts[2], 2))
    assert task.loss(form, Rows(*parts[2:])) < 0.5


def test_trials_see_no_row_that_chooses() -> None:
    x, y = np.arange(40, dtype=np.float32)[:, None], np.arange(40)
    inner, held = inner_parts(Rows(x, y, np.arange(40.0)), seed=1)
    assert len(held.y) == 10
    assert sorted([*inner.y, *held.y]) == list(range(40))
    for part in (inner, held):
        assert part.weights is not None
        np.testing.assert_array_equal(part.weights, part.y)
        np.testing.assert_array_equal(part.x[:, 0], part.y)


def test_without_a_budget_there_is_no_tuned_candidate() -> None:
    task = TableTask(np.array([0, 3]), 2, seed=0, threads=1)
    assert NAME not in [spec.name for spec in table_specs(task, 1000, 20)[0]]
    specs = table_specs(replace(task, trials=budget(1)), 1000, 20)[0]
    assert (specs[-1].name, specs[-1].view) == (NAME, VIEW)
