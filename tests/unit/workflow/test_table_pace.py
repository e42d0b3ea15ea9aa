"""How much work gradient boosting gets under a time limit: the usual where there is time, else less, and that again."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bottega.workflow.clock import Clock
from bottega.workflow.run_folder import RunFolder
from bottega.workflow.table_pace import DECISION, FEWEST, BoostingPace
from bottega.workflow.table_specs import TableTask, table_specs
from table_material import mixed

START, EACH = 0.01, 0.004  # seconds of a fit without an iteration, and of each


class Watch:
    """Time that passes only while something is fitted."""

    def __init__(self) -> None:
        self.now = 0.0

    def perf_counter(self) -> float:
        return self.now

    def slow_fit(self, n: int, share: float = 1.0) -> None:
        self.now += START + n * EACH * share


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    found = Watch()
    monkeypatch.setattr("bottega.workflow.table_pace.time", found)
    return found


def pace(limit: float, **stated: float) -> BoostingPace:
    plan = {"n_tuned": 1, "n_fits": 5, "folds_work": 0.0, **stated}
    return BoostingPace(Clock.from_now(limit), **plan)


def test_with_time_enough_nothing_is_cut() -> None:
    asked: list[int] = []
    assert pace(60.0).most_iterations(3, asked.append, lambda _: pytest.fail("nothing is to be cut")) is None
    assert asked == [1, 5]


def test_a_short_time_is_shared_by_the_fits_that_are_needed(watch: Watch) -> None:
    both = watch.slow_fit, lambda n: watch.slow_fit(n, share=0.5)
    usual = (START + 200 * EACH) * (3 + 5)  # in seconds
    assert pace(2.1 * usual).most_iterations(3, *both) is None
    most = pace(6.0).most_iterations(3, *both)
    assert most == pytest.approx((0.5 * 6.0 / 6 - START) / (0.5 * EACH), rel=0.02)  # of the quickest setting
    in_folds = pace(6.0, folds_work=2.0).most_iterations(3, *both)
    assert in_folds == pytest.approx((0.5 * 6.0 / 3 / 6 - START) / (0.5 * EACH), rel=0.02)
    assert pace(0.01).most_iterations(3, *both) == FEWEST


def test_what_was_decided_is_journalled_and_holds_again(tmp_path: Path, watch: Watch) -> None:
    folder = RunFolder(tmp_path)
    first = pace(2.0)
    first.begin(folder)
    most = first.most_iterations(3, watch.slow_fit, watch.slow_fit)
    assert most is not None
    assert folder.decisions() == {DECISION: most}
    never = lambda _: pytest.fail("decided already")  # noqa: E731
    assert first.most_iterations(1, never, never) == most
    again = pace(3600.0)
    again.begin(folder)
    assert again.most_iterations(3, never, never) == most


def test_boosting_keeps_to_it_and_says_so_in_its_setting() -> None:
    table = mixed("two classes")
    x, y = table.encoded(), table.y
    task = TableTask(table.prepared.n_codes, 2, seed=0, threads=1)
    cut = replace(task, pace=pace(0.01))
    usual, short = (
        next(spec for spec in table_specs(one, 200, 20)[0] if spec.name == "gradient boosting") for one in (task, cut)
    )
    setting, form = short.tune(x[:200], y[:200], x[200:], y[200:])
    assert setting["most_iterations"] == FEWEST
    assert setting["n_iterations"] <= FEWEST
    assert len(setting["tried"]) == 1
    again = short.fit(x[:200], y[:200], setting)
    np.testing.assert_array_equal(cut.answer(form, x[200:]), cut.answer(again, x[200:]))
    setting, _ = usual.tune(x[:200], y[:200], x[200:], y[200:])
    assert "most_iterations" not in setting
    assert len(setting["tried"]) == 3
