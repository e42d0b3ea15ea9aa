"""What is stated about a table: read from keywords and from bottega.toml, kept in the recipe."""

from pathlib import Path
from typing import Any

import pytest

from bottega.errors import BottegaError
from bottega.workflow.options import train_options
from bottega.workflow.recipe import Recipe, read_recipe
from bottega.workflow.table_options import TableOptions, part_files

STATED = {
    "target": "price",
    "type": {"zip": "category", "sold": "date:%d/%m/%Y"},
    "ignore": ["id"],
    "group": "house",
    "missing": ["?", "rooms=0"],
    "test": "later.csv",
}


def test_choices_survive_the_recipe(tmp_path: Path) -> None:
    options = train_options("houses.csv", {**STATED, "seed": 3})
    assert options.table is not None
    assert options.table.choices.types == {"zip": "category", "sold": "date:%d/%m/%Y"}
    assert options.table.choices.missing_in == {"rooms": ("0",)}
    settled = options.settled("regression")
    recipe = Recipe("houses.csv", {"n": 3}, {}, {**settled.stated(), "threads": 2}, {}, {})
    path = tmp_path / "recipe.toml"
    path.write_text(recipe.to_toml(), "utf-8")
    again = read_recipe(path).options()
    assert again == settled
    assert again.metric == "rmse"
    assert "network" not in read_recipe(path).training  # what means nothing for a table isn't in its recipe


def test_pictures_have_no_table() -> None:
    assert train_options("flowers/", {}).table is None
    assert "table" not in train_options("flowers/", {}).stated()
    assert train_options("flowers/", {}).metric == "accuracy"


def test_columns_for_pictures_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BottegaError, match=r"--target 'price' for .*, which is no table"):
        train_options(str(tmp_path), {"target": "price"})


@pytest.mark.parametrize(
    ("keywords", "said"),
    [
        ({"width": 2.0, "augment": "flip"}, "--width, --augment with a table"),
        ({"network": "resnet"}, "(?s)network 'resnet'.*for texts one of auto, bag, cnn, lstm"),
        ({"metric": "rmsee"}, "fix: --metric rmse"),
        ({"metric": "rmse", "at_least": 3.0}, "fix: --at-most 3.0"),
        ({"metric": "r2", "at_least": 1.5}, "--at-least 1.5"),
        ({"type": "zip"}, "--type 'zip'"),
    ],
)
def test_choices_that_do_not_go_together(keywords: dict[str, Any], said: str) -> None:
    with pytest.raises(BottegaError, match=said):
        train_options("houses.csv", {"target": "price", **keywords})


def test_a_bar_waits_until_the_metric_is_known() -> None:
    options = train_options("houses.csv", {"target": "price", "at_most": 12.5})
    assert options.settled("regression").at_most == 12.5
    with pytest.raises(BottegaError, match="--at-most 12.5 with accuracy, of which higher is better"):
        options.settled("classification")


def test_the_written_question_holds_unless_another_is_stated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bottega.toml").write_text(
        'data = "houses.csv"\ntarget = "price"\nmetric = "mae"\nat_most = 9\nignore = ["id"]\n', "utf-8"
    )
    options = train_options("houses.csv", {})
    assert options.table is not None
    assert (options.table.choices.target, options.metric, options.at_most) == ("price", "mae", 9)
    stated = train_options("houses.csv", {"metric": "rmse", "target": "rooms"})
    assert stated.table is not None
    assert (stated.table.choices.target, stated.metric, stated.at_most) == ("rooms", "rmse", None)
    assert train_options("others.csv", {}).metric == "auto"
    (tmp_path / "bottega.toml").write_text('data = "houses.csv"\nat_most = "low"\n', "utf-8")
    with pytest.raises(BottegaError, match=r"at_most = 'low' \(bottega.toml\)\nexpected: a number"):
        train_options("houses.csv", {})
    (tmp_path / "bottega.toml").write_text('data = "houses.csv"\nweight = "n"\n', "utf-8")
    weighted = train_options("houses.csv", {})
    assert weighted.table is not None
    assert weighted.table.choices.weight == "n"


def test_costs_are_taken_from_the_command_line_or_else_from_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "loans.csv").write_text("a,paid\n1,no\n", "utf-8")
    (tmp_path / "bottega.toml").write_text('data = "loans.csv"\nfalse_alarm_cost = 1\nmiss_cost = 5\n', "utf-8")
    for keywords, miss in (({}, 5), ({"false_alarm_cost": 1, "miss_cost": 9}, 9)):
        options = train_options("loans.csv", keywords)
        assert options.table is not None
        assert options.table.costs is not None
        assert options.table.costs.miss_cost == miss
        assert options.settled("classification").metric == "mean_cost"
        assert TableOptions.from_recipe(options.table.to_recipe()) == options.table
    assert train_options("loans.csv", {"metric": "roc_auc"}).settled("classification").metric == "roc_auc"
    with pytest.raises(BottegaError, match=r"metric 'pinball'\nexpected: a metric of the value itself"):
        train_options("loans.csv", {"metric": "pinball"})
    with pytest.raises(BottegaError, match="costs of wrong answers for a target of numbers"):
        train_options("loans.csv", {}).settled("regression")
    (tmp_path / "bottega.toml").unlink()
    with pytest.raises(BottegaError, match=r"metric 'mean_cost'\n.*\nfix: .*--false-alarm-cost 1 --miss-cost 20"):
        train_options("loans.csv", {"metric": "mean_cost"})


def test_the_parts_of_a_folder(tmp_path: Path) -> None:
    assert part_files(str(tmp_path)) == {}
    for name in ("train.csv", "dev.parquet", "notes.md", "other.csv"):
        (tmp_path / name).write_text("a\n1\n")
    assert {part: Path(path).name for part, path in part_files(str(tmp_path)).items()} == {
        "train": "train.csv", "val": "dev.parquet",
    }  # fmt: skip
    (tmp_path / "val.csv").write_text("a\n1\n")
    with pytest.raises(BottegaError, match=r"dev.parquet and val.csv, both for the part 'val'"):
        part_files(str(tmp_path))


def test_an_edited_recipe_is_refused() -> None:
    with pytest.raises(BottegaError, match="in a recipe the table is"):
        TableOptions.from_recipe({"target": "price", "colour": "red"})
