"""The examples of docs/json.md have the keys that the records give."""

import json
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from bottega.errors import BottegaError
from bottega.problem import curve_records, drift, records, refinement_records, understanding_records, words

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
    "curve": curve_records.CurveRecord,
    "diagnose": refinement_records.DiagnoseRecord,
    "compare": refinement_records.CompareRecord,
    "explain": understanding_records.ExplainRecord,
    "words": words.WordsRecord,
}
PARTS = {
    "task": records.Task,
    "rejected": records.Rejected,
    "twins": records.Twin,
    "suspects": records.Suspect,
    "candidates": records.Candidate,
    "findings": records.Finding,
    "points": curve_records.CurvePoint,
    "law": curve_records.LawRecord,
    "answers": words.Neighbour,
    "vectors": words.VectorsFacts,
    "explained": words.Explained,
    "proof": refinement_records.Proof,
    "runs": refinement_records.ComparedRun,
    "differences": refinement_records.RecipeDifference,
    "tests": refinement_records.PairedTest,
    "drivers": understanding_records.Drivers,
}


def keys(record: Any) -> list[str]:
    return [field.name for field in fields(record)]


@pytest.mark.parametrize("verb", RECORDS)
def test_examples_have_the_keys_of_the_records(verb: str) -> None:
    example = EXAMPLES[verb]
    assert list(example) == keys(RECORDS[verb])
    for name, part in PARTS.items():
        inside = example.get(name, [])
        for item in inside if isinstance(inside, list) else [inside] if inside is not None else []:
            assert list(item) == keys(part)
    for score in example.get("metrics", {}).values():
        assert list(score) == keys(records.Score)


def test_what_drives_a_model_has_the_keys_of_its_records() -> None:
    drivers = EXAMPLES["explain"]["drivers"]
    assert list(drivers["columns"][0]) == keys(understanding_records.Driver)
    assert list(drivers["effects"][0]) == keys(understanding_records.Effect)
    assert list(drivers["effects"][0]["points"][0]) == keys(understanding_records.EffectPoint)
    for record in (
        understanding_records.RowAnswer,
        understanding_records.ReplacedCells,
        understanding_records.Words,
        understanding_records.WordEffect,
        drift.ColumnDrift,
        drift.Drift,
    ):
        assert {key for key in keys(record) if f'"{key}"' not in PAGE} == set()


def test_the_error_document() -> None:
    error = EXAMPLES["error"]["error"]
    document = BottegaError(found=error["found"], expected=error["expected"], fix=error["fix"]).to_json()
    assert document == EXAMPLES["error"]


@pytest.mark.parametrize(
    ("mode", "record"),
    [
        ("analogies", words.AnalogiesRecord),
        ("pairs", words.PairsRecord),
        ("bias", words.BiasRecord),
        ("map", words.MapRecord),
        ("train", words.TrainWordsRecord),
    ],
)
def test_the_other_modes_of_words(mode: str, record: Any) -> None:
    (line,) = re.findall(rf"^\| `--{mode}` \| (.*) \|$", PAGE, re.MULTILINE)
    assert {key for key in keys(record) if f"`{key}`" not in line} == {"question", "notes"}


def test_every_verb_is_there() -> None:
    assert set(EXAMPLES) == {*RECORDS, "predict", "eject", "error"}
