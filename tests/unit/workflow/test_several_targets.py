"""Several targets: which ones are meant, what can't be beside them, and that their rows are divided once."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.datasets import load_breast_cancer

from bottega.errors import BottegaError
from bottega.workflow.options import TrainOptions, train_options
from bottega.workflow.several_targets import refuse_beside_targets, targets_of, with_target
from bottega.workflow.table_options import TableOptions
from bottega.workflow.table_trial import LookedTable, look_at_rows

BOTH = ("area", "kind")


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Breast cancer with two targets that are missing in some rows, and some rows twice."""
    x, y = load_breast_cancer(return_X_y=True)
    rng = np.random.default_rng(0)
    area = [None if gone else round(float(one), 1) for one, gone in zip(x[:, 3], rng.random(len(y)) < 0.1, strict=True)]
    kind = [None if gone else "mb"[one] for one, gone in zip(y, rng.random(len(y)) < 0.1, strict=True)]
    frame = pl.DataFrame({"texture": x[:, 1], "smooth": x[:, 4], "day": range(len(y)), "area": area, "kind": kind})
    path = tmp_path_factory.mktemp("cells") / "cells.csv"
    pl.concat([frame, frame.head(40)]).write_csv(path)
    return path


def stated(data: Path, **keywords: Any) -> TrainOptions:
    return train_options(data, keywords)


def table(options: TrainOptions) -> TableOptions:
    assert options.table is not None
    return options.table


def looked(data: Path, target: str, **keywords: Any) -> LookedTable:
    return look_at_rows(str(data), with_target(stated(data, **keywords), target, BOTH), progress=None)


def test_names_are_read_at_commas_where_no_column_is_called_so(tmp_path: Path, cells: Path) -> None:
    assert targets_of(str(cells), table(stated(cells, target="area, kind"))) == BOTH
    assert targets_of(str(cells), table(stated(cells, target=["area", "kind"]))) == BOTH
    assert targets_of(str(cells), table(stated(cells, target="area"))) == ()
    assert targets_of(str(cells), table(stated(cells))) == ()
    odd = tmp_path / "odd.csv"
    odd.write_text('"area,kind",area,kind\n1,2,3\n4,5,6\n')
    assert targets_of(str(odd), table(stated(odd, target="area,kind"))) == ()


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("area,kidn", r"no column 'kidn'.*\n.*\nfix: did you mean 'kind'\?"),
        ("area,area", "--target area,area: one column twice"),
        ("area,", "no column ''"),
    ],
)
def test_names_that_are_no_columns(cells: Path, target: str, said: str) -> None:
    with pytest.raises(BottegaError, match=said):
        targets_of(str(cells), table(stated(cells, target=target)))


@pytest.mark.parametrize("target", [["area", "area"], ["area", 3]])
def test_a_list_that_is_none(cells: Path, target: Any) -> None:
    with pytest.raises(BottegaError, match="expected: one column, or a list of different ones"):
        stated(cells, target=target)


def test_a_list_of_one_is_one(cells: Path) -> None:
    assert table(stated(cells, target=["area"])).choices.target == "area"


@pytest.mark.parametrize(
    ("keywords", "said"),
    [
        ({"text": "texture"}, "texts with several targets"),
        ({"miss_cost": 3.0, "false_alarm_cost": 1.0}, "costs of wrong answers with several targets"),
        ({"ship": "ridge"}, "--ship 'ridge' with several targets"),
    ],
)
def test_what_means_one_target_is_refused(cells: Path, keywords: dict[str, Any], said: str) -> None:
    with pytest.raises(BottegaError, match=re.escape(said)):
        refuse_beside_targets(str(cells), stated(cells, target="area,kind", **keywords), BOTH)


def test_a_table_of_nothing_but_texts_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "reviews.csv"
    words = "the film was very good and the plot was boring but I loved every scene of it".split()
    rows = [
        " ".join(np.random.default_rng(i).choice(words, 15)) + f",{'gb'[i % 2]},{'xy'[i % 3 // 2]}" for i in range(60)
    ]
    path.write_text("\n".join(["review,mood,tone", *rows]) + "\n")
    with pytest.raises(BottegaError, match="texts with several targets"):
        refuse_beside_targets(str(path), stated(path, target="mood,tone"), ("mood", "tone"))


def test_the_choices_of_one_of_them(cells: Path) -> None:
    options = stated(cells, target="area,kind", time="60s", name="both", ignore="day")
    one = with_target(options, "kind", BOTH)
    assert (table(one).choices.target, table(one).choices.ignore) == ("kind", ("day", "area"))
    assert (one.time_seconds, one.name, table(one).targets) == (30.0, None, BOTH)
    assert targets_of(str(cells), table(one)) == ()  # it is trained now, not divided again
    assert TableOptions.from_recipe(table(one).to_recipe()) == table(one)
    with pytest.raises(BottegaError, match="stated as target and as ignore"):
        with_target(stated(cells, target="area,kind", ignore="kind"), "kind", BOTH)


@pytest.mark.parametrize("keywords", [{}, {"time_column": "day"}])
def test_rows_are_divided_once_for_all(cells: Path, keywords: dict[str, Any]) -> None:
    area, kind = (looked(cells, target, **keywords) for target in BOTH)
    parts = [dict(zip(one.names, one.split.part.tolist(), strict=True)) for one in (area, kind)]
    shared = parts[0].keys() & parts[1].keys()
    assert len(shared) > 400
    assert {*parts[0]} != {*parts[1]}  # a row without a target is left out for that target alone
    assert all(parts[0][name] == parts[1][name] for name in shared)
    assert all(set(one.split.part.tolist()) == {"train", "val", "test"} for one in (area, kind))
    assert not {"area", "kind"} & {*area.taken.cells, *kind.taken.cells}
    assert "divided once for 2 targets, by what is in the other columns" in area.split.notes


def test_copies_stay_on_one_side(cells: Path) -> None:
    one = looked(cells, "kind")
    for group in np.unique(one.groups):
        assert len(set(one.split.part[one.groups == group].tolist())) == 1


def test_another_target_alone_has_its_own_split(cells: Path) -> None:
    alone = look_at_rows(str(cells), stated(cells, target="kind"), progress=None)
    assert not any("divided once" in note for note in alone.split.notes)
