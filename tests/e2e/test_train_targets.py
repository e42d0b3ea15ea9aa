"""`bottega train --target a,b`: one split, a contest for each, one file for all, and every way to ask it."""

import csv
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.datasets import load_breast_cancer

import bottega
from bottega.errors import BottegaError
from command import Trained, run_bottega


@dataclass(frozen=True)
class OfTargets(Trained):
    """A run of several targets."""

    def rows(self, name: str) -> list[dict[str, str]]:
        with (self.home / "runs" / "both" / name).open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))


def frame() -> pl.DataFrame:
    """Breast cancer: the area of a cell and what it is are asked for, and each is missing in some rows."""
    x, y = load_breast_cancer(return_X_y=True)
    rng = np.random.default_rng(0)
    area = [None if gone else round(float(one), 1) for one, gone in zip(x[:, 3], rng.random(len(y)) < 0.1, strict=True)]
    kind = [None if gone else "mb"[one] for one, gone in zip(y, rng.random(len(y)) < 0.1, strict=True)]
    return pl.DataFrame({"texture": x[:, 1], "smooth": x[:, 4], "concave": x[:, 7], "area, mm": area, "kind": kind})


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> OfTargets:
    home = tmp_path_factory.mktemp("targets")
    frame().write_csv(home / "cells.csv")
    frame().rename({"area, mm": "area"}).write_csv(home / "plain.csv")
    outcome = run_bottega(
        "train", "plain.csv", "--target", "area, kind", "--time", "2s", "--name", "both", "--json", cwd=home
    )
    assert outcome.status == 0, outcome.err
    return OfTargets(home, outcome.document)


def test_each_target_has_its_record_and_its_folder(both: Trained) -> None:
    assert list(both.record["targets"]) == ["area", "kind"]
    area, kind = both.record["targets"].values()
    assert (area["task"]["kind"], kind["task"]["kind"]) == ("regression", "classification")
    assert kind["test"]["score"] > 0.8
    assert "area" in both.record["verdict"]
    folder = both.home / "runs" / "both"
    assert {path.name for path in folder.iterdir()} == {
        "1-area", "2-kind", "recipe.toml", "history.jsonl", "record.json", "report.html", "predictions.csv",
        "model.onnx",
    }  # fmt: skip
    assert json.loads((folder / "record.json").read_text()) == both.record
    page = (folder / "report.html").read_text("utf-8")
    for target in ("1-area", "2-kind"):
        assert f'href="{target}/report.html"' in page
        assert (folder / target / "report.html").exists()


def test_no_target_is_a_feature_and_rows_are_divided_once(both: Trained) -> None:
    model = bottega.load(both.model)
    assert [one.name for one in model.card.inputs] == ["texture", "smooth", "concave"]
    parts = [both.record["targets"][target]["split"]["counts"] for target in ("area", "kind")]
    assert all(one["test"] > 50 for one in parts)
    tested = [{row["input"] for row in both.rows(f"{place}/predictions.csv")} for place in ("1-area", "2-kind")]
    written = frame()
    has_both = {f"row {i + 2}" for i in range(len(written)) if None not in (written["area, mm"][i], written["kind"][i])}
    assert tested[0] & has_both == tested[1] & has_both  # a row that has both is tested for both, or for none
    assert tested[0] != tested[1]
    together = both.rows("predictions.csv")
    assert {row["input"] for row in together} == tested[0] | tested[1]
    assert sum(row["area.value"] == "" for row in together) == len(tested[1] - tested[0])


def test_the_file_answers_as_the_files_of_its_targets(both: Trained) -> None:
    model: Any = bottega.load(both.model)
    rows = frame().drop("area, mm", "kind").head(40)
    answers = model(rows)
    for target, place in (("area", "1-area"), ("kind", "2-kind")):
        alone: Any = bottega.load(both.model.parent / place / "model.onnx")
        assert [one[target] for one in answers] == alone(rows)


def test_every_verb_takes_it(both: Trained) -> None:
    home, model = both.home, str(both.model)
    frame().drop("area, mm", "kind").head(3).write_csv(home / "new.csv")
    shown = run_bottega("predict", model, "new.csv", cwd=home).out.splitlines()
    assert [line.split()[0] for line in shown[:3]] == ["row", "area", "kind"]
    answer = run_bottega("predict", model, "new.csv", "--json", cwd=home).document["answers"][0]
    assert list(answer["targets"]["kind"]) == ["label", "probabilities", "sure"]
    scored = run_bottega("evaluate", model, "plain.csv", "--json", cwd=home).document["targets"]
    assert (scored["area"]["metric"], scored["kind"]["metric"]) == ("rmse", "accuracy")
    loaded: Any = bottega.load(both.model)
    assert bottega.evaluate(loaded.targets["kind"], home / "plain.csv").score == scored["kind"]["score"]
    assert bottega.check(loaded).passed
    found = run_bottega("explain", model, "plain.csv", "--target", "area", "--rows", "40", "--json", cwd=home).document
    assert (found["target"], found["model"]) == ("area", model)
    one = run_bottega("evaluate", model, "plain.csv", "--target", "kind", "--at-least", "0.999", cwd=home)
    assert (one.status, "area" in one.out) == (3, False)
    with pytest.raises(BottegaError, match="a model of 2 targets"):
        bottega.explain(loaded, home / "plain.csv")


def test_the_same_file_comes_out_again(both: Trained) -> None:
    outcome = run_bottega("reproduce", "runs/both", cwd=both.home)
    assert outcome.out.startswith("identical"), outcome.out
    again = run_bottega("train", "--resume", "runs/both", "--json", cwd=both.home)
    assert again.document == both.record


def test_a_run_that_lost_its_last_target_goes_on(both: Trained) -> None:
    folder = both.home / "runs" / "both"
    kept = {name: (folder / name).read_bytes() for name in ("model.onnx", "record.json")}
    for name in (*kept, "2-kind/record.json", "2-kind/model.onnx"):
        (folder / name).unlink()
    outcome = run_bottega("train", "--resume", "runs/both", "--json", cwd=both.home)
    assert outcome.status == 0, outcome.err
    assert (folder / "model.onnx").read_bytes() == kept["model.onnx"]


def test_what_means_one_target_is_refused_and_no_run_begins(both: OfTargets, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(both.home)
    with pytest.raises(BottegaError, match="for a target of numbers.*target 'area'"):
        bottega.train("plain.csv", target="area,kind", metric="accuracy", name="none")
    with pytest.raises(BottegaError, match="--ship 'ridge' with several targets"):
        bottega.train("plain.csv", target="area,kind", ship="ridge", name="none")
    assert not (both.home / "runs" / "none").exists()


def test_a_bar_that_one_target_misses_ships_nothing(both: OfTargets, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(both.home)
    with pytest.raises(bottega.UnmetBarError, match="Nothing shipped for all: area and smooth did not meet the bar"):
        bottega.train("plain.csv", target=["area", "smooth"], metric="r2", at_least=0.9999, time="1s", name="bar")
    assert not (both.home / "runs" / "bar" / "model.onnx").exists()
