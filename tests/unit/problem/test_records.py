"""Records are frozen and go to JSON that any parser takes."""

import dataclasses
import json

import numpy as np
import pytest

from bottega.problem import records
from bottega.problem.records import Rejected, Score, Twin, to_json


def test_every_record_is_frozen() -> None:
    classes = [c for name in records.__all__ if dataclasses.is_dataclass(c := getattr(records, name))]
    assert len(classes) >= 10
    assert all(c.__dataclass_params__.frozen for c in classes)


def test_numbers_that_json_lacks_become_null() -> None:
    document = to_json(Score(n=3, score=float("nan"), low=float("-inf"), high=1.0))
    assert document["score"] is None
    assert document["low"] is None
    assert json.loads(json.dumps(document, allow_nan=False))["high"] == 1.0


def test_numpy_values_go_out_as_plain_numbers() -> None:
    document = to_json(
        {"a": np.float32(0.5), "b": np.arange(3), "c": np.array([np.nan]), 4: np.int64(7), "d": np.True_}
    )
    assert document == {"a": 0.5, "b": [0, 1, 2], "c": [None], "4": 7, "d": True}
    assert type(document["4"]) is int


def test_records_inside_records() -> None:
    assert to_json((Rejected("a", "empty"), {"x": [Rejected("b", "no")]})) == [
        {"path": "a", "reason": "empty"},
        {"x": [{"path": "b", "reason": "no"}]},
    ]


@pytest.mark.parametrize("value", [object(), {1, 2}, b"bytes", Rejected])
def test_what_has_no_place_in_json_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="has no place in a JSON record"):
        to_json(value)


@pytest.mark.parametrize(
    ("labels", "conflict"), [(("a", "a"), False), (("a", "b"), True), (("a", ""), False), (("", ""), False)]
)
def test_a_conflict_is_two_labels_on_one_content(labels: tuple[str, ...], conflict: bool) -> None:
    assert Twin("exact", tuple("xy"), labels).is_conflict is conflict
