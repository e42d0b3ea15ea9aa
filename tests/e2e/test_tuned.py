"""The tuned candidate from the table to the file: trials, the journal of a run under `--time`, the same file again."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from sklearn.datasets import load_breast_cancer

import bottega
from bottega.problem.records import TrainRecord
from bottega.shipping.model_file import read
from bottega.workflow import table_tuning
from bottega.workflow.options import train_options
from bottega.workflow.table_tuned import NAME
from bottega.workflow.table_tuning import Spent, TrialBudget
from bottega.workflow.train import train


@pytest.fixture(autouse=True)
def cells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two hundred rows to learn from, a validation and a test part of their own; a few trials."""
    x, y = load_breast_cancer(return_X_y=True)
    names = [f"c{i}" for i in range(4)]
    frame = pl.DataFrame(x[:, :4], schema=names).with_columns(pl.Series("kind", ["mb"[k] for k in y]))
    for name, rows in (("train", frame[:200]), ("val", frame[200:320]), ("test", frame[320:440])):
        rows.write_csv(tmp_path / f"{name}.csv")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(table_tuning, "FIXED_TRIALS", 4)
    monkeypatch.setattr("bottega.workflow.candidates.FEWEST_VALIDATION", 100)


def trained(**stated: Any) -> TrainRecord:
    return train(".", train_options(".", {"target": "kind", "ship": NAME, **stated}))


def test_it_ships_where_it_is_asked_for_and_is_made_again() -> None:
    record = trained(preset="accurate", name="tuned")
    assert record.chosen == NAME
    assert record.model_path is not None
    assert any(one.startswith("Tuned in 4 trials (2 of ") for one in record.believe)
    assert record.candidates[-1].name == NAME
    card, _ = read(record.model_path)
    assert (card.chosen, card.recipe["training"]["preset"]) == (NAME, "accurate")
    assert bottega.check(record.model_path).passed
    assert bottega.reproduce("runs/tuned").verdict == "identical"


def test_the_number_of_trials_of_a_run_under_time_is_replayed(monkeypatch: pytest.MonkeyPatch) -> None:
    def is_one_of_five(_: TrialBudget, __: str, spent: Mapping[str, Spent]) -> bool:
        return sum(one.n for one in spent.values()) < 5

    monkeypatch.setattr(TrialBudget, "_fits", is_one_of_five)
    record = trained(time="10m", name="timed")
    history = Path("runs/timed/history.jsonl")
    decided = [line for line in map(json.loads, history.read_text("utf-8").splitlines()) if line["event"] == "decided"]
    [trials] = [line["value"] for line in decided if line["what"] == "trials"]
    assert sum(trials.values()) == 5
    assert any(one.startswith("Tuned in 5 trials") for one in record.believe)
    monkeypatch.setattr(table_tuning.Clock, "left", lambda _: 0.0)
    assert bottega.reproduce("runs/timed").verdict == "identical"
