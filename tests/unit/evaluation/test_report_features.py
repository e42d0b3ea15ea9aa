"""The part of a report that tells of made features."""

from dataclasses import replace

import pytest

from bottega.evaluation.report_features import features
from bottega.problem.records import FeatureGain, FeatureRecord, Score, Task, TrainRecord

GAIN = FeatureGain("price ÷ <area>", Score(300, 0.31, 0.2, 0.42))
FOUND = FeatureRecord((GAIN,), (), 120, 300, "absolute errors", "Of 120 made features …")
RECORD = TrainRecord(
    "runs/a-1", None, None, Task("regression", "tables", "rent", (), ""), "ridge regression", "rmse", "", {}, {}, (),
    (), (), (), {},
)  # fmt: skip


def shown(found):
    return str(features(replace(RECORD, features=found)))


def test_kept_features_stand_with_their_gains():
    page = shown(FOUND)
    assert "1 made feature proved to help: made inside the file" in page
    assert "price ÷ &lt;area&gt;" in page
    assert "31" in page
    assert "20 … 42" in page
    assert "a correction for all 120" in page
    assert "<details" not in page


def test_what_came_closest_is_folded_and_not_called_proved():
    page = shown(replace(FOUND, kept=(), closest=(GAIN,), said="No made feature is kept: …"))
    assert "No made feature is kept" in page
    assert "Came closest, and not proved" in page.partition("<details")[2]


@pytest.mark.parametrize("said", ["No features were made: no time was left for it."])
def test_where_nothing_was_searched_there_is_one_sentence(said):
    page = shown(FeatureRecord((), (), 0, 0, "", said))
    assert said in page
    assert "<table" not in page


def test_who_did_not_ask_is_not_told():
    assert shown(None) == ""
