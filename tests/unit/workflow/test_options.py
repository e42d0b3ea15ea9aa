"""What `train` may be asked, and what it answers to the rest."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bottega.errors import BottegaError
from bottega.workflow.options import TrainKeywords, TrainOptions, parse_duration, train_options
from bottega.workflow.table_options import COLUMN_KEYWORDS


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("5m", 300), ("1h30m", 5400), ("2.5m", 150), ("90", 90), (" 1H 5S ", 3605), ("10min", 600)],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "0", "0s", "-5m", "5 d", "m", "1.2.3s", "five", "30m1h", "inf", "nan", "٥m"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(BottegaError, match=r"expected: a duration above 0 such as 90s, 5m or 1h30m"):
        parse_duration(text)


@given(st.integers(0, 99), st.integers(0, 99), st.integers(1, 99))
def test_durations_add_up(hours: int, minutes: int, seconds: int) -> None:
    assert parse_duration(f"{hours}h{minutes}m{seconds}s") == 3600 * hours + 60 * minutes + seconds


@pytest.mark.parametrize(
    ("keywords", "said"),
    [
        ({"preset": "fats"}, r"found: preset 'fats'\nexpected: one of fast, accurate\nfix: --preset fast"),
        ({"metric": "acuracy"}, r"found: metric 'acuracy'\n.*\nfix: --metric accuracy"),
        ({"golden": "true"}, r"found: golden 'true'"),
        ({"ship": " "}, r"found: ship ' '"),
        ({"seed": -1}, r"found: seed -1\nexpected: a whole number from 0"),
        ({"seed": 1.5}, r"found: seed 1.5"),
        ({"split_seed": True}, r"found: split-seed True"),
        ({"sure_at": 1.0}, r"found: sure-at 1.0\nexpected: an accuracy from 0.5 to below 1"),
        ({"margin": -0.1}, r"found: margin -0.1"),
        ({"margin": float("nan")}, r"found: margin nan"),
        ({"time": 0}, r"found: time 0"),
        ({"time": "soon"}, r"found: time 'soon'"),
        ({"at_least": 90}, r"found: --at-least 90\n.*\nfix: --at-least 0.9"),
        ({"at_most": 0.1}, r"found: --at-most 0.1 with accuracy, of which higher is better"),
        ({"at_least": 0.1, "metric": "log_loss"}, r"fix: --at-most 0.1"),
        ({"group_by": "("}, r"found: group-by '\('"),
        ({"name": "a/b"}, r"found: name 'a/b'\nexpected: a plain folder name"),
        ({"name": ".."}, r"found: name '\.\.'"),
        ({"name": "a\nb"}, r"found: name 'a\\nb'"),
        ({"name": ""}, r"found: name ''"),
        ({"name": "x" * 101}, r"found: name 'xxx"),
        ({"tme": "5m"}, r"found: train has no option 'tme'\n.*\nfix: did you mean 'time'\?"),
        ({"zzzzzz": 1}, r"found: train has no option 'zzzzzz'"),
        ({"resume": "runs/a"}, r"found: data 'x' together with --resume"),
    ],
)
def test_each_refusal_says_how_to_go_on(keywords: dict[str, Any], said: str) -> None:
    with pytest.raises(BottegaError, match=said) as caught:
        train_options("x", keywords)
    assert caught.value.fix


def test_several_problems_are_told_at_once() -> None:
    with pytest.raises(BottegaError, match="found: preset 'x'; seed -1; name ''"):
        TrainOptions(preset="x", seed=-1, name="")  # type: ignore[arg-type]


def test_no_data_and_no_run() -> None:
    with pytest.raises(BottegaError, match="found: no data to train on"):
        train_options(None, {})


def test_a_resumed_run_keeps_its_choices() -> None:
    assert train_options(None, {"resume": "runs/a"}).resume == "runs/a"
    with pytest.raises(BottegaError, match="found: seed, small together with --resume"):
        train_options(None, {"resume": "runs/a", "seed": 3, "small": True})


def test_keywords_are_the_fields() -> None:
    fields = set(TrainOptions.__dataclass_fields__)
    assert set(TrainKeywords.__annotations__) == fields - {"time_seconds", "table"} | {"time", *COLUMN_KEYWORDS}


def test_time_is_taken_in_words_and_in_seconds() -> None:
    assert train_options("x", {"time": "5m"}) == train_options("x", {"time": 300}) == TrainOptions(time_seconds=300)
