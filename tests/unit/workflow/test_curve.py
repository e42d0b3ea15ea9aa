"""What a curve refuses, and how it speaks. tests/e2e/test_curve.py trains."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bottega.cli.curve import curve_lines
from bottega.errors import BottegaError
from bottega.evaluation.metrics import METRICS
from bottega.problem.curve_records import CurvePoint, CurveRecord, LawRecord
from bottega.problem.records import Score
from bottega.refinement.learning_curve import Doubling, PowerLaw
from bottega.workflow.curve import _sentence, curve

POINTS = tuple(
    CurvePoint(n, Score(256, score, score - 0.05, score + 0.03, True), (score, score, score), 1.0)
    for n, score in ((43, 0.63), (83, 0.794), (628, 0.935), (1247, 0.952))
)
RECORD = CurveRecord(
    candidate="mlp",
    metric="accuracy",
    n_test=256,
    source="held-out",
    points=POINTS,
    law=LawRecord(0.01, 3.0, 0.6),
    doubled=Score(2494, 0.958, 0.93, 0.98, True),
    gain=Score(256, 0.006, 0.001, 0.015, True),
    is_told=True,
    sentence="Twice the pictures would give about +0.6 points (0.1 … 1.5).",
    stopped="",
    seconds=23.0,
)


def test_on_the_terminal() -> None:
    lines = curve_lines(RECORD)
    assert lines[0] == RECORD.sentence
    assert max(map(len, lines)) <= 80
    assert lines[3].split()[:2] == ["2,494", "95.8"]
    assert lines[3].endswith("expected")
    assert lines[4].split()[:2] == ["1,247", "95.2"]
    assert lines[-3:] == [
        "Trained      mlp, 3 draws a size",
        "Scored on    256 test pictures, the same at every size: accuracy in %",
        "Time         23 s",
    ]
    by_folds = replace(RECORD, source="cv", points=tuple(replace(p, scores=p.scores[:1]) for p in POINTS))
    assert "Trained      mlp" in curve_lines(by_folds)
    assert "Scored on    256 pictures, each in its fold: accuracy in %" in curve_lines(by_folds)
    cut = curve_lines(replace(RECORD, stopped="--time left no room for the last 1 of 5 sizes"))
    assert "Left out     --time left no room for the last 1 of 5 sizes" in cut


def pictures(place: Path, n: int) -> str:
    rng = np.random.default_rng(0)
    for i in range(n):
        (place / str(i % 2)).mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (8, 8), dtype=np.uint8)).save(place / str(i % 2) / f"{i}.png")
    return str(place)


def test_too_few(tmp_path: Path) -> None:
    with pytest.raises(BottegaError, match=r"found: \d+ pictures to train on in .*\nexpected: at least 50"):
        curve(pictures(tmp_path / "few", 60), network="mlp")


def test_other_choices() -> None:
    with pytest.raises(BottegaError, match=r"network 'mpl'\n.*\nfix: --network mlp"):
        curve("digits", network="mpl")
    with pytest.raises(BottegaError, match=r"no option 'epoch'\n.*\nfix: did you mean 'epochs'\?"):
        curve("digits", epoch=3)  # type: ignore[call-arg]
    with pytest.raises(BottegaError, match=r"found: .*digts"):
        curve("digts")


@pytest.mark.parametrize(
    ("metric", "gain", "said"),
    [
        ("accuracy", (0.021, 0.004, 0.035), "Twice the pictures would give about +2.1 points (0.4 … 3.5)."),
        ("accuracy", (0.01, -0.002, 0.04), "What twice the pictures would give can't be told: −0.2 to +4.0 points."),
        ("accuracy", (0.02, 0.0, 0.035), "What twice the pictures would give can't be told: +0.0 to +3.5 points."),
        ("accuracy", (0.001, -0.002, 0.003), "Twice the pictures would give hardly anything: at most +0.3 points."),
        ("log_loss", (0.05, -0.1, 0.1), "What twice the pictures would give can't be told: −0.1 to +0.1 of log loss."),
        ("log_loss", (0.05, 0.02, 0.1), "Twice the pictures would lower log loss by about 0.05 (0.02 … 0.1)."),
        ("roc_auc", (0.05, 0.02, 0.1), "Twice the pictures would raise ROC AUC by about 0.05 (0.02 … 0.1)."),
    ],
)
def test_in_words(metric: str, gain: tuple[float, float, float], said: str) -> None:
    doubled = Doubling(PowerLaw(0, 1, 0.5), (0.1, 0.05, 0.2), gain)
    told, sentence = _sentence(METRICS[metric], doubled, 0.12)
    assert sentence == said
    assert told == ("can't" not in said)
