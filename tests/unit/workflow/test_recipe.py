"""The recipe: what goes into TOML comes out of it, and nothing else is taken."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bottega.errors import BottegaError
from bottega.workflow.options import TrainOptions
from bottega.workflow.recipe import Recipe, read_recipe, versions


def recipe(**changes: Any) -> Recipe:
    whole: dict[str, Any] = {
        "source": "flowers",
        "data": {"name": "flowers", "fingerprint": "ab" * 32, "n": 480},
        "split": {"source": "held-out", "train": 300, "val": 90, "test": 90, "by_rank": False},
        "training": {**stated(TrainOptions(seed=7, at_least=0.9)), "threads": 2},
        "preparation": {"scale": "(x - 127) / 128"},
        "versions": versions(),
    }
    return Recipe(**{**whole, **changes})


def stated(options: TrainOptions) -> dict[str, Any]:
    return {key: value for key, value in vars(options).items() if key not in ("resume", "name")}


def written(text: str, folder: Path) -> Path:
    path = folder / "recipe.toml"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    return path


def test_round_trip(tmp_path: Path) -> None:
    before = recipe()
    after = read_recipe(written(before.to_toml(), tmp_path))
    assert after.to_toml() == before.to_toml()
    assert after.options() == TrainOptions(seed=7, at_least=0.9)
    assert after.training["threads"] == 2
    assert after.options(name="again").name == "again"


ODD = ["räd \u200f", "\x00\x07\n\t\r\x1b[2J", "\x7f\x85", '"""', "'''\\", "日本 😀", "caf\udce9", "[a]\nb = 1", "# no"]


@pytest.mark.parametrize("name", ODD)
def test_names_of_any_letters(name: str, tmp_path: Path) -> None:
    before = recipe(source=name, data={"name": name, "n": 1, "odd": {name: [name, {"x": name}]}})
    after = read_recipe(written(before.to_toml(), tmp_path))
    assert (after.source, after.data) == (name, before.data)


@given(st.text(), st.floats(allow_nan=False, allow_infinity=False), st.integers(-(2**63), 2**63 - 1), st.booleans())
def test_values_of_any_kind(text: str, number: float, whole: int, flag: bool) -> None:
    data = {"t": text, "f": number, "i": whole, "b": flag, "l": [text, text]}
    assert tomllib.loads(recipe(data=data).to_toml())["data"] == data


def test_what_is_not_there_is_left_out(tmp_path: Path) -> None:
    text = recipe(data={"name": None, "n": 3}).to_toml()
    assert "name" not in text.partition("[data]")[2].partition("[split]")[0]
    assert read_recipe(written(text, tmp_path)).data == {"n": 3}


@pytest.mark.parametrize(
    ("old", "new", "found", "fix"),
    [
        ("seed = 7", "sede = 7", "unknown key 'sede' in a recipe", "did you mean 'seed'?"),
        ("[split]", "[spilt]", "unknown key 'spilt' in a recipe", "did you mean 'split'?"),
        ("format = 1", "format = 1\nqqqqqqqq = 1", "unknown key 'qqqqqqqq' in a recipe", "remove it"),
        ("format = 1", "format = 2", "recipe format 2", "train again"),
        ('source = "flowers"', "", "no 'source'", "train again"),
        ("[split]", "[split", "a recipe that is no TOML", "name the folder of a run, as in runs/flowers-1"),
        ("flowers", "\udcff\x00", "a recipe that is no TOML", "name the folder of a run, as in runs/flowers-1"),
    ],
)
def test_other_recipes_are_refused(old: str, new: str, found: str, fix: str, tmp_path: Path) -> None:
    path = written(recipe().to_toml().replace(old, new), tmp_path)
    with pytest.raises(BottegaError) as caught:
        read_recipe(path)
    assert caught.value.found.startswith(found)
    assert caught.value.fix == fix
    assert caught.value.where == str(path)


@pytest.mark.parametrize("threads", ["0", "'two'", "true", "1.0"])
def test_threads_are_counted(threads: str, tmp_path: Path) -> None:
    path = written(recipe().to_toml().replace("threads = 2", f"threads = {threads}"), tmp_path)
    with pytest.raises(BottegaError, match="in a recipe 'threads' is "):
        read_recipe(path)


@pytest.mark.parametrize("text", ["split = 3", "data = []", "training = 'x'", "source = 1"])
def test_values_of_the_wrong_kind_are_refused(text: str, tmp_path: Path) -> None:
    key = text.split(" ", 1)[0]
    kept = [part for part in recipe().to_toml().split("\n\n") if not part.startswith(f"[{key}]")]
    kept[0] = "\n".join([line for line in kept[0].splitlines() if not line.startswith(f"{key} =")] + [text])
    with pytest.raises(BottegaError, match=f"{key!r} is "):
        read_recipe(written("\n\n".join(kept), tmp_path))


def test_no_recipe(tmp_path: Path) -> None:
    with pytest.raises(BottegaError, match="no recipe that can be read: No such file"):
        read_recipe(tmp_path / "recipe.toml")


def test_the_card_has_no_path_and_no_name() -> None:
    card = recipe(source="/home/someone/secret").card()
    assert "secret" not in repr(card)
    assert "name" not in card["data"]
    assert "versions" not in card
    assert card == recipe(source="elsewhere", data={**recipe().data, "name": "other"}).card()


def test_files_stated_beside_the_data_are_not_named_in_the_card() -> None:
    table = {"target": "topic", "test": "/home/secret/test.csv", "val": "secret.csv", "vectors": "secret/glove.txt"}
    card = recipe(training={**recipe().training, "table": table}).card()
    assert card["training"]["table"] == {"target": "topic"}
