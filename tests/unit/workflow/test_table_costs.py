"""Costs as they are stated: two numbers, or a table."""

from pathlib import Path

import pytest

from bottega.errors import BottegaError
from bottega.workflow.table_costs import StatedCosts, stated_costs

CLASSES = ("good", "bad")


def write(folder: Path, text: str) -> str:
    path = folder / "costs.csv"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_two_numbers_say_what_a_miss_and_a_false_alarm_cost() -> None:
    stated = stated_costs({"false_alarm_cost": 1, "miss_cost": 20, "positive": "bad"})
    assert stated is not None
    assert stated.of(CLASSES).matrix == ((0, 1), (20, 0))
    assert stated.of(("bad", "good")).matrix == ((0, 20), (1, 0))
    assert StatedCosts(**stated.to_recipe()) == stated


@pytest.mark.parametrize("classes", [("no", "yes"), ("False", "True"), ("0", "1"), ("Negative", "positive")])
def test_the_positive_class_is_known_by_its_name_where_the_other_agrees(classes: tuple[str, str]) -> None:
    stated = StatedCosts(1, 5)
    assert stated.positive_of(classes) == classes[1]
    assert stated.positive_of(classes[::-1]) == classes[1]


def test_a_table_is_read_by_its_names(tmp_path: Path) -> None:
    path = write(tmp_path, "\ufefftrue;bad;good\nbad;0;5,5\ngood;1;0\n".replace(",", "."))
    stated = stated_costs({"costs": path})
    assert stated is not None
    assert stated.of(CLASSES).matrix == ((0, 1), (5.5, 0))
    assert StatedCosts(**stated.to_recipe()) == stated


def test_a_table_may_name_classes_that_only_the_test_part_has() -> None:
    table = {a: {b: float(a != b) for b in ("x", "y", "z")} for a in ("x", "y", "z")}
    stated = StatedCosts(table=table)
    assert stated.of(("x", "z"), ("x", "y", "z")).matrix == ((0, 1), (1, 0))
    with pytest.raises(BottegaError, match=r"a cost table with the class 'y'"):
        stated.of(("x", "z"))


def test_nothing_stated_is_nothing() -> None:
    assert stated_costs({"false_alarm_cost": None}) is None


@pytest.mark.parametrize(
    ("keywords", "said"),
    [
        ({"miss_cost": 5}, r"--miss-cost without --false-alarm-cost.*\n.*\nfix: add --false-alarm-cost"),
        ({"positive": "bad"}, r"--positive without --false-alarm-cost and --miss-cost"),
        ({"miss_cost": -5, "false_alarm_cost": 1}, r"--miss-cost -5\nexpected: a cost of 0 or more"),
        ({"miss_cost": float("nan"), "false_alarm_cost": 1}, r"--miss-cost nan"),
        ({"miss_cost": True, "false_alarm_cost": 1}, r"--miss-cost True"),
        ({"miss_cost": 1, "costs": {}}, r"--costs and --miss-cost"),
        ({"costs": {}}, r"the true classes \(none\)"),
        ({"costs": {"a": {"a": 0}, "b": {"a": 1, "b": 0}}}, r"expected: a square"),
        ({"costs": {"a": 1}}, r"expected: a square"),
        ({"costs": {"a": {"a": 0, "b": "x"}, "b": {"a": 1, "b": 0}}}, r"the cost of saying 'b' for 'a': 'x'"),
        ({"costs": "nowhere.csv"}, r"'nowhere.csv' cannot be read: No such file"),
    ],
)
def test_what_states_no_costs_is_refused(keywords: dict[str, object], said: str) -> None:
    with pytest.raises(BottegaError, match=said):
        stated_costs(keywords)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("true,good,bad\ngood,0,1,1\nbad,2,0\n", r"3 costs for the true class 'good' .*row 2"),
        ("true,good,bad\ngood,0,1\ngood,2,0\n", r"a class twice for the true class 'good' .*row 3"),
        ("true,good\ngood,0\nbad,2\n", r"expected: a square"),
        ("true,good,bad\ngood,0\nbad,2,0\n", r"1 cost for the true class 'good' .*row 2"),
        (f"true,good,bad\ngood,0,{'1' * 200_000}\nbad,2,0\n", r"is no CSV: field larger"),
        ("", r"the answers \(none\)"),
        ("true,good,bad\ngood,0,-1\nbad,2,0\n", r"the cost of saying 'bad' for 'good': '-1'"),
    ],
)
def test_a_file_of_costs_that_is_none_is_refused_by_row(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(BottegaError, match=said):
        stated_costs({"costs": write(tmp_path, text)})


@pytest.mark.parametrize(
    ("stated", "classes", "said"),
    [
        (StatedCosts(1, 5), CLASSES, r"the class that a miss overlooks.*\nfix: --positive 'bad'"),
        (StatedCosts(1, 5), ("1", "2"), r"the class that a miss overlooks"),
        (StatedCosts(1, 5, "bed"), CLASSES, r"--positive 'bed'\n.*\nfix: did you mean 'bad'\?"),
        (StatedCosts(1, 5), ("a", "b", "c"), r"for 3 classes\n.*\nfix: --costs FILE.csv"),
        (StatedCosts(0, 0, "bad"), CLASSES, r"costs that are all 0"),
        (StatedCosts(0, 5, "bad"), CLASSES, r"by which saying 'bad' is never dearer"),
        (StatedCosts(table={"good": {"good": 0.0}}), CLASSES, r"a cost table without 'bad'"),
        (
            StatedCosts(table={"good": {"good": 5.0, "bad": 1.0}, "bad": {"good": 2.0, "bad": 0.0}}),
            CLASSES,
            r"a cost of 5 for saying 'good' rightly, and of 1 for saying 'bad' in its place",
        ),
    ],
)
def test_costs_that_do_not_go_with_the_classes_are_refused(
    stated: StatedCosts, classes: tuple[str, ...], said: str
) -> None:
    with pytest.raises(BottegaError, match=said):
        stated.of(classes)
