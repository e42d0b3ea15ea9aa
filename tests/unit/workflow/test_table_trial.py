"""The rows of a table, looked at and divided: by content, by given parts, by groups, by time."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_wine

from bottega.errors import BottegaError
from bottega.workflow.options import TrainOptions, train_options
from bottega.workflow.table_trial import LookedTable, look_at_rows

COLUMNS = ("alcohol", "ash", "colour", "kind")
HEAD = ",".join(COLUMNS)


def lines(*, seed: int = 0) -> list[str]:
    """Wine as text, one of its columns in words, the rows shuffled."""
    data, y = load_wine(return_X_y=True)
    words = np.array(["pale", "ruby", "deep"])[np.digitize(data[:, 9], [3.5, 5.5])]
    rows = [f"{x[0]:g},{x[2]:g},{word},{'abc'[k]}" for x, word, k in zip(data, words, y, strict=True)]
    return [rows[i] for i in np.random.default_rng(seed).permutation(len(rows))]


def written(path: Path, rows: list[str], head: str = HEAD) -> str:
    path.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return str(path)


def looked(path: str, **stated: Any) -> LookedTable:
    options = train_options(path, {"target": "kind", **stated})
    return look_at_rows(path, options, progress=None)


def test_rows_are_divided_by_their_content(tmp_path: Path) -> None:
    first = looked(written(tmp_path / "one.csv", lines()))
    again = looked(written(tmp_path / "two.csv", lines(seed=1)))
    assert first.fingerprint == again.fingerprint
    np.testing.assert_array_equal(first.split.part, again.split.part)
    np.testing.assert_array_equal(first.hashes, again.hashes)
    assert first.classes == ("a", "b", "c")
    assert [first.classes[k] for k in first.y] == list(first.labels)
    assert first.table.frame["kind"][int(first.names[0].removeprefix("row ")) - 2] == first.labels[0]


def test_rows_of_one_content_stay_together_and_a_column_that_is_left_out_does_not_count(tmp_path: Path) -> None:
    rows = lines()
    found = looked(written(tmp_path / "wine.csv", [*rows, *rows[:30]]))
    for group in np.unique(found.groups):
        assert len(set(found.split.part[found.groups == group])) == 1
    assert len(np.unique(found.groups)) < len(found.y) - 29
    numbered = [f"{row},{i}" for i, row in enumerate(rows)]
    path = written(tmp_path / "numbered.csv", numbered, f"{HEAD},place")
    np.testing.assert_array_equal(
        looked(path, ignore=["place"]).hashes, looked(written(tmp_path / "a.csv", rows)).hashes
    )


def test_texts_divide_only_rows_that_are_alike_in_everything_else(tmp_path: Path) -> None:
    rows = sorted(set(lines()))
    notes = [f"the {word} note of this wine is number {i}" for i, word in enumerate(np.resize(["red", "dry"], 400))]
    twice = [f"{row},{note}" for row, note in zip([*rows, *rows[:30]], notes, strict=False)]
    path = written(tmp_path / "noted.csv", twice, f"{HEAD},note")
    plain = looked(path, type={"note": "text"})
    read = looked(path, type={"note": "text"}, features=True)
    assert list(read.taken.texts) == ["note"]
    assert read.taken.texts["note"].tolist() == [read.table.frame["note"][i] for i in read.places.tolist()]
    assert len(np.unique(read.groups)) == len(np.unique(plain.groups)) + 30
    part = dict(zip(plain.names, plain.split.part, strict=True))
    _, place, n_alike = np.unique(plain.groups, return_inverse=True, return_counts=True)
    alone = {name for name, n in zip(plain.names, n_alike[place.reshape(-1)], strict=True) if n == 1}
    assert {name: one for name, one in zip(read.names, read.split.part, strict=True) if name in alone} == {
        name: part[name] for name in alone
    }
    other = [*twice[:-1], f"{rows[29]},another note of the same row"]
    assert looked(written(tmp_path / "other.csv", other, f"{HEAD},note"), features=True).fingerprint != read.fingerprint


def test_a_group_column_is_kept_whole(tmp_path: Path) -> None:
    rows = [f"{row},barrel {i % 40}" for i, row in enumerate(lines())]
    found = looked(written(tmp_path / "wine.csv", rows, f"{HEAD},barrel"), group="barrel", cv=None)
    assert "barrel" not in found.taken.cells
    assert len(np.unique(found.groups)) <= 40
    assert found.facts == {"group_column": "barrel"}
    with pytest.raises(BottegaError, match="one group of rows by the column 'barrel'"):
        looked(written(tmp_path / "one.csv", [f"{row},x{i % 1}" for i, row in enumerate(lines())], f"{HEAD},barrel"),
               group="barrel")  # fmt: skip


def test_a_time_column_splits_by_time(tmp_path: Path) -> None:
    days = np.datetime64("2020-01-01") + np.arange(178)
    rows = [f"{row},{day}" for row, day in zip(lines(), days, strict=True)]
    found = looked(written(tmp_path / "wine.csv", rows, f"{HEAD},day"), time_column="day")
    assert found.split.source == "held-out"  # not folds, which would learn from the future
    when = {part: found.moments[found.split.part == part] for part in ("train", "val", "test")}
    assert when["train"].max() < when["val"].min() <= when["val"].max() < when["test"].min()
    assert 0.1 < len(when["test"]) / 178 < 0.2
    with pytest.raises(BottegaError, match="a time column 'colour' of category cells"):
        looked(str(tmp_path / "wine.csv"), time_column="colour")


def test_parts_come_from_a_folder_a_file_or_a_column(tmp_path: Path) -> None:
    rows = lines()
    folder = tmp_path / "wine"
    folder.mkdir()
    written(folder / "train.csv", rows[:120])
    written(folder / "test.csv", rows[120:])
    by_folder = looked(str(folder))
    assert by_folder.name == "wine"
    assert by_folder.split.source == "given"
    assert by_folder.n_per_part["test"] == 58
    assert {name.split(" row")[0] for name in by_folder.names} == {"train", "test"}
    by_file = looked(str(folder / "train.csv"), test=str(folder / "test.csv"))
    np.testing.assert_array_equal(by_file.split.part, by_folder.split.part)
    marked = [f"{row},{'train' if i < 120 else 'test'}" for i, row in enumerate(rows)]
    by_column = looked(written(tmp_path / "marked.csv", marked, f"{HEAD},split"))
    np.testing.assert_array_equal(by_column.split.part, by_folder.split.part)
    assert "split" not in by_column.taken.cells
    with pytest.raises(BottegaError, match="'pale'.* in the column 'colour'"):
        looked(str(tmp_path / "marked.csv"), split_column="colour")


def test_a_part_whose_columns_differ_is_refused(tmp_path: Path) -> None:
    rows = lines()
    train = written(tmp_path / "a.csv", rows[:120])
    test = written(tmp_path / "b.csv", rows[120:], HEAD.replace("ash", "asche"))
    with pytest.raises(BottegaError, match="no column 'ash'"):
        looked(train, test=test)
    odd = written(tmp_path / "c.csv", [rows[0].replace(rows[0].split(",")[0], "much"), *rows[121:]])
    with pytest.raises(BottegaError, match="cells of 'alcohol' that are no number: row 2 'much'"):
        looked(train, test=odd)


def test_rows_without_a_target_are_left_out_and_told(tmp_path: Path) -> None:
    rows = lines()
    rows[3] = rows[3][:-1]
    found = looked(written(tmp_path / "wine.csv", rows))
    assert [one.path for one in found.look.rejected] == ["row 5"]
    assert len(found.y) == 177


def test_a_number_is_predicted_as_a_value(tmp_path: Path) -> None:
    path = written(tmp_path / "wine.csv", lines())
    found = looked(path, target="alcohol")
    assert found.classes == ()
    assert set(found.labels) == {""}
    assert found.y.dtype == np.float64
    assert train_options(path, {"target": "alcohol"}).settled("regression").metric == "rmse"
    with pytest.raises(BottegaError, match="metric 'accuracy' for a target of numbers"):
        TrainOptions(metric="accuracy").settled("regression")


def test_rows_count_by_a_column_which_is_no_feature(tmp_path: Path) -> None:
    rows = [f"{row},{1 + i % 3}" for i, row in enumerate(lines())]
    path = written(tmp_path / "wine.csv", rows, f"{HEAD},n")
    found = looked(path, weight="n")
    assert found.weights is not None
    assert found.weights.tolist() == [1 + (int(name.removeprefix("row ")) - 2) % 3 for name in found.names]
    assert "n" not in found.taken.cells
    assert found.facts["weight_column"] == "n"
    assert found.facts["worth"]["test"] < found.n_per_part["test"]
    again = looked(written(tmp_path / "turned.csv", rows[::-1], f"{HEAD},n"), weight="n")
    assert again.fingerprint == found.fingerprint
    assert again.weights is not None
    np.testing.assert_array_equal(again.weights, found.weights)
    other = [row if i else f"{row.rpartition(',')[0]},2" for i, row in enumerate(rows)]
    assert looked(written(tmp_path / "c.csv", other, f"{HEAD},n"), weight="n").fingerprint != found.fingerprint


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        (["-2"], r"the weight -2 \(wine, row 2, column 'n'\)\nexpected: a number of 0 or more"),
        (["", "-1"], r"no weight, and 1 more such rows"),
        (["inf"], r"the weight inf"),
        (["0"] * 178, r"the weight 0 in every row, in 'n'"),
        (["1e30"], r"weights of at most 1e\+30, in 'n'\n.*\nfix: divide all of them by the largest"),
        (["1e-200"] * 178, r"weights of at most 1e-200, in 'n'"),
        (["heavy", "light"] * 89, r"a weight column 'n' of [a-z/]+ cells"),
    ],
)
def test_a_column_that_is_no_weight_is_refused_by_row(tmp_path: Path, weights: list[str], said: str) -> None:
    column = [*weights, *(str(1 + i % 4) for i in range(178 - len(weights)))]
    rows = [f"{row},{weight}" for row, weight in zip(lines(), column, strict=True)]
    path = written(tmp_path / "wine.csv", rows, f"{HEAD},n")
    with pytest.raises(BottegaError, match=said):
        looked(path, weight="n")
