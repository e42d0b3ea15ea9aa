"""`bottega train` where mistakes don't cost the same and rows don't count the same, from the table to the file."""

import csv
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sklearn.datasets import load_breast_cancer

from bottega.evaluation.costs import Costs
from bottega.shipping.model_file import read
from command import Trained, run_bottega


def frame_of_cells() -> pl.DataFrame:
    x, y = load_breast_cancer(return_X_y=True)
    return pl.DataFrame(
        {
            "texture": x[:, 1],
            "smoothness": x[:, 4],
            "radius": x[:, 0],
            "patients": np.where(y == 1, 3, np.arange(len(y)) % 3).astype(float),
            "diagnosis": ["benign" if one else "malignant" for one in y],
        }
    )


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    home = tmp_path_factory.mktemp("costs")
    frame_of_cells().write_csv(home / "cells.csv")
    (home / "costs.csv").write_text("true,benign,malignant\nbenign,0,1\nmalignant,20,0\n", encoding="utf-8")
    outcome = run_bottega(
        "train", "cells.csv", "--target", "diagnosis", "--costs", "costs.csv", "--weight", "patients",
        "--time", "4s", "--json", cwd=home,
    )  # fmt: skip
    assert outcome.status == 0, outcome.err
    return Trained(home, outcome.document)


def test_the_record_says_what_answers_cost_and_what_rows_count(cells: Trained) -> None:
    record, found = cells.record, cells.record["costs"]
    assert record["metric"] == "mean_cost"
    assert found["by_cost"] == record["metrics"]["mean_cost"]
    assert found["threshold"] == pytest.approx(1 / 21)
    assert found["by_cost"]["score"] < found["always"]["score"]["score"]
    gap = found["most_probable"]["score"] - found["by_cost"]["score"]
    assert found["saved"]["score"] == pytest.approx(gap)
    assert record["split"]["weight_column"] == "patients"
    assert record["split"]["worth"]["test"] < record["test"]["n"]
    page = (cells.run_dir / "report.html").read_text("utf-8")
    assert "always giving the most probable class would cost" in page
    assert "Rows count by patients" in page


def test_the_mean_cost_is_that_of_the_answers_by_weight(cells: Trained) -> None:
    weights = dict(enumerate(frame_of_cells()["patients"].to_list(), start=2))
    with (cells.run_dir / "predictions.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    price = {"benign": {"benign": 0, "malignant": 1}, "malignant": {"benign": 20, "malignant": 0}}
    cost = [price[row["label"]][row["answer"]] for row in rows]
    share = [weights[int(row["input"].removeprefix("row "))] for row in rows]
    assert cells.record["test"]["score"] == pytest.approx(np.average(cost, weights=share))


def test_the_label_of_the_file_is_the_cheapest_answer(cells: Trained) -> None:
    card, _ = read(cells.model)
    assert card.table is not None
    assert (card.table.costs, card.table.weight) == (((0, 1), (20, 0)), "patients")
    assert "patients" in card.table.unused
    outcome = run_bottega("predict", str(cells.model), "cells.csv", "--json", cwd=cells.home)
    answers = outcome.document["answers"]
    shares = np.array([list(answer["probabilities"].values()) for answer in answers])
    said = Costs(card.table.costs).answers(shares)
    assert [answer["label"] for answer in answers] == [card.labels[i] for i in said]
    assert (said != shares.argmax(1)).sum() > 10
    assert run_bottega("check", str(cells.model), cwd=cells.home).status == 0


def test_evaluate_counts_as_training_did(cells: Trained, tmp_path: Path) -> None:
    record = run_bottega("evaluate", str(cells.model), "cells.csv", "--json", cwd=cells.home).document
    assert record["unseen"]["score"] == pytest.approx(cells.record["test"]["score"])
    frame_of_cells().drop("patients").write_csv(tmp_path / "bare.csv")
    outcome = run_bottega("evaluate", str(cells.model), "bare.csv", "--at-most", "0.01", "--json", cwd=tmp_path)
    assert outcome.status == 3
    assert "weight" in [suspect["kind"] for suspect in outcome.document["suspects"]]


def test_it_is_reproduced_and_the_recipe_holds_the_costs(cells: Trained) -> None:
    (cells.home / "costs.csv").unlink()
    outcome = run_bottega("reproduce", cells.record["run_dir"], "--json", cwd=cells.home)
    assert outcome.document["verdict"] == "identical", outcome.document
    assert json.loads((cells.run_dir / "record.json").read_text()) == cells.record


def test_a_finished_run_is_told_again(cells: Trained) -> None:
    outcome = run_bottega("train", "--resume", cells.record["run_dir"], cwd=cells.home)
    assert outcome.status == 0, outcome.err
    assert "always the most probable class would cost" in " ".join(outcome.out.split())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--false-alarm-cost", "1", "--miss-cost", "5"], "fix:      --positive 'malignant', or --positive 'benign'"),
        (["--miss-cost", "5"], "add --false-alarm-cost"),
        (["--false-alarm-cost", "0", "--miss-cost", "0", "--positive", "benign"], "costs that are all 0"),
        (["--weight", "diagnosis"], "stated as target and as weight"),
        (["--weight", "patient"], "did you mean 'patients'?"),
    ],
)
def test_costs_and_weights_that_cannot_be_followed_end_with_2(words: list[str], said: str, tmp_path: Path) -> None:
    frame_of_cells().write_csv(tmp_path / "cells.csv")
    outcome = run_bottega("train", "cells.csv", "--target", "diagnosis", *words, cwd=tmp_path)
    assert outcome.status == 2
    assert said in outcome.err
    assert not (tmp_path / "runs").exists()
