"""The examples of docs/json.md have the keys that the records give."""

import json
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from bottega.errors import BottegaError
from bottega.problem import records

PAGE = (Path(__file__).parent.parent.parent / "docs" / "json.md").read_text("utf-8")
EXAMPLES = {
    name: json.loads(text)
    for name, text in re.findall(r"^## (\w+)\n\n```json\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
}
RECORDS = {
    "look": records.LookRecord,
    "train": records.TrainRecord,
    "evaluate": records.EvaluateRecord,
    "check": records.CheckRecord,
    "reproduce": records.ReproduceRecord,
}
PARTS = {
    "task": records.Task,
    "rejected": records.Rejected,
    "twins": records.Twin,
    "suspects": records.Suspect,
    "candidates": records.Candidate,
    "findings": records.Finding,
}


def keys(record: Any) -> list[str]:
    return [field.name for field in fields(record)]


@pytest.mark.parametrize("verb", RECORDS)
def test_examples_have_the_keys_of_the_records(verb: str) -> None:
    example = EXAMPLES[verb]
    assert list(example) == keys(RECORDS[verb])
    for name, part in PARTS.items():
        inside = example.get(name, [])
        for item in inside if isinstance(inside, list) else [inside]:
            assert list(item) == keys(part)
    for score in example.get("metrics", {}).values():
        assert list(score) == keys(records.Score)


def test_the_error_document() -> None:
    error = EXAMPLES["error"]["error"]
    document = BottegaError(found=error["found"], expected=error["expected"], fix=error["fix"]).to_json()
    assert document == EXAMPLES["error"]


def test_every_verb_is_there() -> None:
    assert set(EXAMPLES) == {*RECORDS, "predict", "error"}
