"""`--features` in a training: what is said and written down, and when there is no time for it."""

from types import SimpleNamespace

import numpy as np
import pytest

from bottega.data.splits import split
from bottega.data.table_preparation import Encoding, TablePreparation
from bottega.errors import BottegaError
from bottega.workflow import feature_run
from bottega.workflow.candidates import Material
from bottega.workflow.clock import Clock
from bottega.workflow.feature_run import Budget, feature_recipe, search_features
from bottega.workflow.options import train_options
from bottega.workflow.recipe import Recipe, read_recipe
from bottega.workflow.table_specs import VIEW, TableTask, table_specs

PREPARED = TablePreparation((Encoding("distance", "number"), Encoding("hours", "number")))
TASK = TableTask(PREPARED.n_codes, None, seed=0, threads=1)


class LateClock(Clock):
    """So much of its time is gone."""

    def __init__(self, limit, gone):
        super().__init__(limit)
        self.gone = gone

    def elapsed(self):
        return self.gone


@pytest.fixture(scope="module")
def trips():
    rng = np.random.default_rng(0)
    x = np.stack([rng.uniform(20, 400, 160), rng.uniform(0.5, 6, 160)], 1).astype(np.float32)
    y = x[:, 0] / x[:, 1] + 3 * rng.normal(size=160)
    names = rng.integers(0, 256, (160, 32), dtype=np.uint8)
    return Material({VIEW: x}, y, np.arange(160), names, [""] * 160, ()), split(names, [""] * 160, np.arange(160))


def searched(trips, clock=None, decided=None):
    material, divided = trips
    specs = table_specs(TASK, 160, 2)[0]
    budget = Budget(clock or Clock(), decided, n_repeats=2, k=5)
    found = search_features(TASK, PREPARED, "speed", material, divided, specs, budget)
    return found, specs


def test_what_is_kept_is_said_with_its_gain_and_written_in_words(trips):
    found, specs = searched(trips)
    record = found.record
    assert record.kept[0].words == "distance ÷ hours"
    assert record.said.startswith(
        f"Of {record.n_tried} made features that were thought of, one helps: distance ÷ hours"
    )
    assert feature_recipe(record) == {"kept": ["distance ÷ hours"], "tried": record.n_tried, "rows": 160}
    assert [spec.name for spec in found.specs] == [spec.name for spec in specs]
    assert all(spec.alone for spec in found.specs)


@pytest.mark.parametrize(
    ("clock", "decided"), [(LateClock(60.0, 45.0), None), (None, {"skipped": feature_run.NO_TIME})]
)
def test_without_time_nothing_is_searched_and_a_later_run_follows(trips, clock, decided):
    found, specs = searched(trips, clock, decided)
    assert found.specs == specs
    assert found.record.said == "No features were made: no time was left for it."
    assert feature_recipe(found.record) == {"skipped": "no time was left for it"}


def test_a_run_that_goes_on_searches_however_late_it_is(trips):
    found, _ = searched(trips, LateClock(60.0, 59.0), {"kept": ["distance ÷ hours"], "tried": 12, "rows": 160})
    assert found.record.kept


def test_searches_that_would_take_too_long_together_are_given_up(trips, monkeypatch):
    monkeypatch.setattr(feature_run, "SHARE_OF_TIME", 0.0)
    clock = Clock(3600.0)
    found, specs = searched(trips, clock)
    assert found.specs == specs
    assert not found.record.n_rows


def test_nothing_kept_and_too_few_rows_are_said():
    none = SimpleNamespace(n_tried=120, n_rows=300, kept=(), closest=())
    few = SimpleNamespace(n_tried=0, n_rows=40, kept=(), closest=())
    said = [feature_run._record(found, is_class=True).said for found in (none, few)]
    assert said[0] == "No made feature is kept: of 120 that were thought of, none is proved to help."
    assert said[1] == "No features were made: 40 rows are too few, or too much alike, to prove that one helps."


def test_the_flag_survives_the_recipe(tmp_path):
    options = train_options("trips.csv", {"target": "speed", "features": True}).settled("regression")
    recipe = Recipe(
        "trips.csv", {"n": 3}, {}, {**options.stated(), "threads": 2}, {"features": {"kept": ['a ÷ "b"']}}, {}
    )
    path = tmp_path / "recipe.toml"
    path.write_text(recipe.to_toml(), "utf-8")
    again = read_recipe(path)
    assert again.options().table.features is True
    assert again.preparation["features"] == {"kept": ['a ÷ "b"']}
    plain = train_options("trips.csv", {"target": "speed", "features": False})
    assert "features" not in plain.stated()["table"]


def test_what_is_no_flag_or_no_table_is_refused():
    with pytest.raises(BottegaError, match=r"features 'yes'\nexpected: True or False\nfix: features=True"):
        train_options("trips.csv", {"features": "yes"})
    with pytest.raises(BottegaError, match=r"--features for 'flowers/', which is no table"):
        train_options("flowers/", {"features": True})
