"""The card inside: read as it was written, and strict about everything else."""

import json
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from artefacts.make_v1 import card, graph
from bottega.errors import BottegaError
from bottega.shipping import model_file, wire
from bottega.shipping.model_file import Card, class_outputs, read, seal


@pytest.fixture(scope="module")
def model() -> bytes:
    return graph()


@pytest.fixture(scope="module")
def whole(model: bytes) -> Card:
    return card(model)


def document(whole: Card, change: Callable[[dict[str, Any]], object]) -> str:
    parsed = json.loads(replace(whole, graph_sha256="ef" * 32).to_json())
    change(parsed)
    return json.dumps(parsed)


def test_round_trip(model: bytes, whole: Card) -> None:
    found, data = read(seal(model, whole))
    assert found.graph_sha256 == wire.graph_sha256(model)
    again = replace(whole, graph_sha256=found.graph_sha256)
    assert found.to_json() == again.to_json()  # not ==: an undefined score is NaN
    assert replace(found, metrics={}) == replace(again, metrics={})
    assert wire.without_metadata(data) == model


def test_the_same_card_gives_the_same_bytes(model: bytes, whole: Card) -> None:
    turned = replace(whole, recipe=dict(reversed(whole.recipe.items())))
    assert seal(model, whole) == seal(model, turned) == seal(seal(model, whole), whole)


def test_metadata_of_the_exporter_are_dropped(model: bytes, whole: Card) -> None:
    named = wire.with_metadata(model, {"exporter": "/home/me/secret"})
    assert seal(named, whole) == seal(model, whole)


@pytest.mark.parametrize("key", [f.name for f in fields(Card) if not f.metadata.get("optional")])
def test_a_missing_key_is_named(whole: Card, key: str) -> None:
    with pytest.raises(BottegaError, match=key):
        Card.from_json(document(whole, lambda d: d.pop(key)))


@pytest.mark.parametrize("key", [f.name for f in fields(Card)])
def test_a_key_of_the_wrong_type_is_named(whole: Card, key: str) -> None:
    wrong = "x" if key in ("temperature", "tolerance", "format_version") else 7.5
    for value in (wrong, [wrong, None], True):
        with pytest.raises(BottegaError, match=key):
            Card.from_json(document(whole, lambda d, value=value: d.update({key: value})))


def test_unknown_keys_are_left_alone(whole: Card) -> None:
    Card.from_json(document(whole, lambda d: d.update(later={"x": 1})))


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda d: d.update(format_version=2), r"format version 2\nexpected: format version 1\nfix: upgrade"),
        (lambda d: d.update(format_version=0), r"format version 0\nexpected: format version 1\nfix: train again"),
        (lambda d: d.update(format_version=True), "'format_version' is True"),
        (lambda d: d.update(task="regression"), "a model for 'regression' of 'images'"),
        (lambda d: d["labels"].append("dark"), "'labels' is 'dark', 'light'"),
        (lambda d: d.update(labels=[]), "'labels' is none"),
        (lambda d: d.update(metric="speed"), "'metric' is 'speed'"),
        (lambda d: d.update(temperature=0), "'temperature' is 0"),
        (lambda d: d.update(tolerance=1), "'tolerance' is 1"),
        (lambda d: d["thresholds"].update(sure=1.5), "'thresholds.sure' is 1.5"),
        (lambda d: d["thresholds"].update(sure="0.5"), "'thresholds.sure' is '0.5'"),
        (lambda d: d["weights"][0].update(sha256="xyz"), r"'weights\[0\].sha256' is 'xyz'"),
        (lambda d: d["golden"][0].update(pixels="A"), r"'golden\[0\].pixels' is 'A'"),
        (lambda d: d["golden"][0].update(height=2), r"'golden\[0\].pixels' is '3 bytes'"),
        (lambda d: d["golden"][0].update(height=10**9), r"'golden\[0\]' is '1000000000 x 1 pixels'"),
        (lambda d: d["golden"][0].update(label="nobody"), r"'golden\[0\].label' is 'nobody'"),
        (lambda d: d["golden"][0]["probabilities"].pop(), r"'golden\[0\].probabilities' is 2"),
        (lambda d: d.update(golden=[]), r"'golden' is \[\]"),
        (lambda d: d["inputs"][0].update(dtype="float32"), "'inputs' is"),
        (lambda d: d["outputs"].pop(), "'outputs' is"),
        (lambda d: d["filter"].update(bits=""), "'filter' is '0 bytes, 20 positions'"),
        (lambda d: d["filter"].update(n_positions=10**6), "'filter' is"),
        (lambda d: d["metrics"]["accuracy"].pop("low"), "no key 'metrics.accuracy.low'"),
        (lambda d: d["data"]["n_per_part"].update(train=1.5), "'data.n_per_part.train' is 1.5"),
    ],
)
def test_contradictions(whole: Card, change: Callable[[dict[str, Any]], object], found: str) -> None:
    with pytest.raises(BottegaError, match=found):
        Card.from_json(document(whole, change))


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{", '{"a": 1, "a": 2}', '{"a": NaN}', '{"a": 1e999, "format_version": 1}', "[" * 100_000, "9" * 5000],
)
def test_no_json_document(text: str) -> None:
    with pytest.raises(BottegaError, match="found: "):
        Card.from_json(text)


def test_a_card_that_has_no_json_form(whole: Card) -> None:
    with pytest.raises(BottegaError, match="a card that has no JSON form"):
        replace(whole, recipe={"x": float("nan")}).to_json()
    with pytest.raises(BottegaError, match="a card that has no JSON form"):
        replace(whole, recipe={"x": object()}).to_json()
    with pytest.raises(BottegaError, match="a card that has no JSON form"):
        replace(whole, recipe={1: "x"}).to_json()


def test_sealing_checks_the_graph_against_the_card(model: bytes, whole: Card) -> None:
    more = (*whole.labels, "more")
    with pytest.raises(BottegaError, match=r"'golden\[0\].probabilities' is 3"):
        seal(model, replace(whole, labels=more, outputs=class_outputs(4)))
    turned = model.replace(b"image", b"photo")
    with pytest.raises(BottegaError, match="a graph with the inputs and outputs 'photo'"):
        seal(turned, whole)


def test_a_label_without_a_utf_8_form(model: bytes, whole: Card) -> None:
    with pytest.raises(BottegaError, match="without a UTF-8 form"):
        seal(model, replace(whole, verdict="\udcff"))


def test_paths_that_hold_no_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BottegaError, match="cannot be read: No such file"):
        read(tmp_path / "nothing.onnx")
    with pytest.raises(BottegaError, match="the folder"):
        read(tmp_path)
    (tmp_path / "model.onnx").write_bytes(b"x" * 100)
    with pytest.raises(BottegaError, match=r"fix: name the file in it: .*model.onnx"):
        read(tmp_path)
    with pytest.raises(BottegaError, match="no regular file"):
        read("/dev/zero")
    with pytest.raises(BottegaError, match="null"):
        read("a\0b")
    monkeypatch.setattr(wire, "MAX_FILE_BYTES", 99)
    with pytest.raises(BottegaError, match="with 100 bytes"):
        read(tmp_path / "model.onnx")


def test_the_place_is_named(tmp_path: Path) -> None:
    path = tmp_path / "bad.onnx"
    path.write_bytes(b"")
    with pytest.raises(BottegaError, match=r"an empty file \(.*bad.onnx\)"):
        read(path)


def test_a_plain_onnx_model(model: bytes) -> None:
    with pytest.raises(BottegaError, match="without a card"):
        read(model)


def test_a_card_over_its_limit(model: bytes, whole: Card, monkeypatch: pytest.MonkeyPatch) -> None:
    data = seal(model, whole)
    monkeypatch.setattr(model_file, "MAX_DOCUMENT_BYTES", 1000)
    with pytest.raises(BottegaError, match="above the limit of 1,000"):
        read(data)
