"""Asking a model file: every kind of input gives the same answer, and bad ones say what they are."""

import io
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from PIL import Image

from artefacts.make_v1 import card, graph
from bottega.errors import BottegaError
from bottega.shipping import predictor
from bottega.shipping.check import replay
from bottega.shipping.model_file import seal
from bottega.shipping.predictor import Model, load

TINY = Path(__file__).parent.parent.parent / "artefacts" / "v1.onnx"


@pytest.fixture(scope="module")
def model() -> Model:
    return load(TINY, threads=1)


@pytest.fixture
def pixels() -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (40, 60, 3), dtype=np.uint8)


def png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def test_all_kinds_of_input_agree(model: Model, pixels: np.ndarray, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(png(pixels))
    kinds = [path, str(path), png(pixels), Image.fromarray(pixels), pixels]
    answers = model(kinds)
    assert [answer.input for answer in answers] == [str(path), str(path), "picture 3", "picture 4", "picture 5"]
    assert {tuple(answer.probabilities.items()) for answer in answers} == {tuple(answers[0].probabilities.items())}
    assert model(path) == answers[0]


def test_an_answer(model: Model) -> None:
    answer = model(np.full((9, 9, 3), 255, np.uint8))
    assert answer.label == "light"
    assert answer.sure is True
    assert answer.probability == max(answer.probabilities.values())
    assert sum(answer.probabilities.values()) == pytest.approx(1)
    assert list(answer.to_json()) == ["input", "label", "probabilities", "sure"]
    assert tuple(answer.probabilities) == model.labels


def test_grey_alpha_palette_and_turned(model: Model, pixels: np.ndarray) -> None:
    grey = pixels[:, :, 0]
    assert model(grey).probabilities == model(np.stack([grey] * 3, axis=2)).probabilities
    clear = np.dstack([pixels, np.zeros(pixels.shape[:2], np.uint8)])
    assert model(clear).probabilities == model(np.full_like(pixels, 255)).probabilities  # alpha on white
    palette = Image.fromarray(pixels).quantize(8)
    assert model(palette).probabilities == model(palette.convert("RGB")).probabilities
    cmyk = Image.fromarray(pixels).convert("CMYK")
    assert model(cmyk).probabilities == model(cmyk.convert("RGB")).probabilities
    turned = Image.fromarray(pixels)
    exif = turned.getexif()
    exif[0x0112] = 3
    buffer = io.BytesIO()
    turned.save(buffer, "PNG", exif=exif)
    upright = model(np.ascontiguousarray(pixels[::-1, ::-1]))
    assert model(buffer.getvalue()).probabilities == upright.probabilities
    assert model(Image.open(buffer)).probabilities == upright.probabilities


def test_one_is_as_many(model: Model) -> None:
    """Mixed sizes, more than one batch of one size, in order."""
    rng = np.random.default_rng(0)
    sizes = [(1, 1), (7, 5), (64, 8), (7, 5)] * 20
    pictures = [rng.integers(0, 256, (*size, 3), dtype=np.uint8) for size in sizes]
    labels, probabilities, sure = model.predict_batch(pictures)
    assert probabilities.shape == (80, 3)
    for i in (0, 1, 2, 3, 41, 79):
        one = model.predict_batch([pictures[i]])
        assert one[0] == [labels[i]]
        np.testing.assert_array_equal(one[1][0], probabilities[i])
        assert one[2][0] == sure[i]


def test_no_pictures(model: Model) -> None:
    assert model([]) == []
    assert model.predict_batch([])[1].shape == (0, 3)


def test_batches_are_bounded() -> None:
    shapes = [(1000, 2000, 3)] * 5 + [(9000, 9000, 3)] * 2 + [(10, 10, 3)] * 70
    batches = predictor._batches(shapes)
    assert [len(rows) for rows in batches] == [2, 2, 1, 1, 1, *[8] * 8, 6]
    assert sorted(i for rows in batches for i in rows) == list(range(77))


@pytest.mark.parametrize(
    ("wrong", "found"),
    [
        (np.zeros((4, 4, 3), np.float32), r"shape \(4, 4, 3\) and type float32"),
        (np.zeros((4, 4, 2), np.uint8), r"shape \(4, 4, 2\)"),
        (np.zeros((0, 4, 3), np.uint8), r"shape \(0, 4, 3\)"),
        (7, "<class 'int'>"),
        (b"no picture", "a value of type bytes cannot be read: not a picture"),
        (b"", "empty"),
        ("no/such.jpg", "'no/such.jpg' cannot be read: no such file"),
        ("a\0b", "null"),
        ("/dev/zero", "no regular file"),
        ("/", "a folder"),
    ],
)
def test_what_is_no_picture(model: Model, wrong: object, found: str) -> None:
    with pytest.raises(BottegaError, match=found):
        model(wrong)  # type: ignore[call-overload]


def test_a_picture_over_the_limit(model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(predictor, "MAX_PICTURE_BYTES", 10)
    (tmp_path / "a").write_bytes(b"x" * 11)
    with pytest.raises(BottegaError, match="11 bytes, over the limit of 10"):
        model(tmp_path / "a")


def test_a_graph_that_the_engine_refuses() -> None:
    proto = onnx.load_from_string(graph())
    proto.graph.node[0].op_type = "NoSuchOperator"
    broken = proto.SerializeToString()
    with pytest.raises(BottegaError, match=r"the model cannot be loaded: .*NoSuchOperator"):
        load(seal(broken, card(graph())))


def test_a_graph_that_fails_while_it_runs() -> None:
    proto = onnx.load_from_string(graph())
    next(t for t in proto.graph.initializer if t.name == "names").dims[0] = 1
    names = next(t for t in proto.graph.initializer if t.name == "names")
    del names.string_data[1:]
    model = load(seal(proto.SerializeToString(), card(graph())))
    with pytest.raises(BottegaError, match="the model cannot answer a batch of shape"):
        model(np.full((5, 5, 3), 255, np.uint8))


def test_a_graph_that_answers_with_a_foreign_label() -> None:
    model = load(seal(graph(labels=("dark", "bright", "red")), card(graph())))
    with pytest.raises(BottegaError, match="the graph answers 'bright'"):
        model(np.full((5, 5, 3), 255, np.uint8))


def test_replay(model: Model) -> None:
    record = replay(model)
    assert (record.passed, record.n, record.tolerance) == (True, 6, 1e-4)
    assert record.largest_difference <= 1e-4


def test_replay_sees_a_changed_graph() -> None:
    proto = onnx.load_from_string(graph())
    resize = next(node for node in proto.graph.node if node.op_type == "Resize")
    next(a for a in resize.attribute if a.name == "antialias").i = 0
    record = replay(load(seal(proto.SerializeToString(), card(graph()))))
    assert not record.passed
    assert record.largest_difference > 1e-4


@pytest.mark.parametrize("change", [{"label": "dark"}, {"sure": False}])
def test_replay_sees_changed_labels(change: dict[str, object]) -> None:
    whole = card(graph())
    golden = (replace(whole.golden[0], **change), *whole.golden[1:])
    assert not replay(load(seal(graph(), replace(whole, golden=golden)))).passed


def test_replay_forgives_a_threshold_that_is_touched() -> None:
    whole = card(graph())
    first = whole.golden[0]
    on_the_edge = replace(whole.thresholds, sure=max(first.probabilities) + 5e-5)
    golden = (replace(first, sure=not first.sure),)
    assert replay(load(seal(graph(), replace(whole, golden=golden, thresholds=on_the_edge)))).passed


def test_it_is_no_pickle(model: Model) -> None:
    with pytest.raises((TypeError, pickle.PicklingError)):
        pickle.dumps(model._session.run)
    assert "3 classes (dark, light" in repr(model)
