"""`evaluate`: the score, what makes it untrue, and the bar."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from artefacts.make_v1 import card, graph
from bottega.data.images import content_hash
from bottega.errors import BottegaError
from bottega.problem.records import Score
from bottega.shipping.bloom import build
from bottega.shipping.model_file import seal
from bottega.shipping.predictor import Model, load
from bottega.workflow.evaluate import evaluate
from bottega.workflow.scores import passed

LABELS = ("dark", "light", "red")


def pictures(label: str, n: int, seed: int) -> list[np.ndarray]:
    """Noise about a colour that the model of the tests calls `label`; no two are twins."""
    rng = np.random.default_rng([seed, len(label)])
    colour = {"dark": (40, 40, 40), "light": (215, 215, 215), "red": (215, 40, 40)}[label]
    blocks = rng.integers(-35, 36, (n, 6, 6, 1))
    return [np.clip(np.kron(b, np.ones((5, 5, 1))) + colour, 0, 255).astype(np.uint8) for b in blocks]


def write(folder: Path, label: str, arrays: list[np.ndarray]) -> None:
    (folder / label).mkdir(parents=True, exist_ok=True)
    for i, array in enumerate(arrays):
        Image.fromarray(array).save(folder / label / f"{i:03}.png")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for label in LABELS:
        write(tmp_path / "data", label, pictures(label, 20, 0))
    return tmp_path / "data"


@pytest.fixture(scope="module")
def model() -> Model:
    body = graph(labels=LABELS)
    whole = replace(card(body, labels=LABELS), filter=None)
    return load(seal(body, whole))


def trained_on(arrays: list[np.ndarray]) -> Model:
    body = graph(labels=LABELS)
    hashes = np.stack([np.frombuffer(content_hash(array), np.uint8) for array in arrays])
    return load(seal(body, replace(card(body, labels=LABELS), filter=build(hashes))))


def test_all_right(model: Model, data: Path) -> None:
    record = evaluate(model, data)
    assert (record.n, record.metric, record.score, record.passed) == (60, "accuracy", 1.0, None)
    assert 0.9 < record.low < record.high == 1.0
    assert record.labels == LABELS
    assert record.confusion == ((20, 0, 0), (0, 20, 0), (0, 0, 20))
    assert record.per_class["red"]["n"] == 20
    assert record.per_class["red"]["recall"].score == 1.0
    assert math.isnan(record.seen_in_training)
    assert record.suspects == ()


def test_wrong_ones_count(model: Model, data: Path) -> None:
    write(data, "light", pictures("dark", 10, 5))  # in place of the first ten
    record = evaluate(model, data)
    assert record.score == pytest.approx(50 / 60)
    assert record.confusion[1] == (10, 10, 0)
    assert record.per_class["dark"]["precision"].score == pytest.approx(20 / 30)
    assert record.per_class["light"]["recall"].score == 0.5


def test_bars_are_judged_at_the_end_of_the_interval(model: Model, data: Path) -> None:
    assert evaluate(model, data, at_least=0.9).passed is True
    assert evaluate(model, data, at_least=0.99).passed is False  # the score is 1, its lower end is not
    score = Score(60, 0.5, 0.4, 0.6)
    assert passed(score, None, 0.6) is True
    assert passed(score, None, 0.55) is False
    assert passed(score, 0.3, 0.55) is False
    assert passed(Score(60, math.nan, math.nan, math.nan), 0.0, None) is False


def test_a_label_that_the_model_does_not_know(model: Model, data: Path) -> None:
    (data / "dark").rename(data / "darc")
    record = evaluate(model, data)
    assert record.score == pytest.approx(40 / 60)
    (suspect,) = record.suspects
    assert suspect.kind == "unknown label"
    assert "20 of 60 pictures have a label that the model never saw ('darc')" in suspect.evidence
    assert "is 'darc' meant to be 'dark'?" in suspect.fix
    assert record.per_class["dark"]["n"] == 0


def test_what_it_was_trained_on(data: Path) -> None:
    write(data, "light", pictures("dark", 10, 5))
    known = [array for label in ("dark", "red") for array in pictures(label, 20, 0)]
    record = evaluate(trained_on(known), data)
    assert record.seen_in_training == pytest.approx(40 / 60)
    (suspect,) = record.suspects
    assert (suspect.kind, "40 of these 60" in suspect.evidence) == ("leak", True)
    assert record.unseen is not None
    assert (record.unseen.n, record.unseen.score) == (20, 0.5)


def test_nothing_but_training_pictures(data: Path) -> None:
    known = [array for label in LABELS for array in pictures(label, 20, 0)]
    record = evaluate(trained_on(known), data)
    assert (record.seen_in_training, record.unseen) == (1.0, None)
    assert record.suspects[0].fix == "evaluate on pictures it never saw"


def test_the_test_part_alone_is_scored(model: Model, tmp_path: Path) -> None:
    for part, n in (("train", 9), ("test", 5)):
        for label in LABELS:
            write(tmp_path / part, label, pictures(label, n, n))
    record = evaluate(model, tmp_path)
    assert record.n == 15
    (suspect,) = record.suspects
    assert (suspect.kind, suspect.where) == ("part", "test")
    assert suspect.evidence == "the part 'test' was scored: 15 of 42 labelled pictures"


def test_another_metric(model: Model, data: Path) -> None:
    assert evaluate(model, data, metric="log_loss", at_most=2.0).passed is True
    with pytest.raises(BottegaError, match=r"no metric 'acuracy'.*\n.*\nfix: did you mean 'accuracy'"):
        evaluate(model, data, metric="acuracy")


def test_pictures_have_no_columns_to_score_by(model: Model, data: Path) -> None:
    with pytest.raises(BottegaError, match=r"(?s)--by 'city' for pictures.*leave --by out"):
        evaluate(model, data, by="city")


def test_no_labels(model: Model, tmp_path: Path) -> None:
    (tmp_path / "flat").mkdir()
    Image.fromarray(pictures("dark", 1, 0)[0]).save(tmp_path / "flat" / "a.png")
    with pytest.raises(BottegaError, match="none of them with a label"):
        evaluate(model, tmp_path / "flat")
