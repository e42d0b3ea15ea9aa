"""Runs beside each other: shared test examples, curves, and what differs in the recipes."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bottega.errors import BottegaError
from bottega.workflow.compare import compare
from bottega.workflow.run_folder import PREDICTIONS, RECORD
from run_material import CLASSES, make_run, reading

N = 300


def rows(right: float, *, seed: int = 0, n: int = N) -> list[tuple[str, str, Sequence[float]]]:
    rng = np.random.default_rng(seed)
    found = []
    for i in range(n):
        truth = i % 3
        named = truth if rng.random() < right else (truth + 1) % 3
        found.append((f"pets/{i:03}.png", CLASSES[truth], [0.9 if j == named else 0.05 for j in range(3)]))
    return found


@pytest.fixture
def good(tmp_path: Path) -> Path:
    return make_run(tmp_path / "good", found=reading(), rows=rows(0.95))


def test_a_worse_run_is_proved_worse(good: Path, tmp_path: Path) -> None:
    poor = make_run(tmp_path / "poor", found=reading(), rows=rows(0.7, seed=1))
    (test,) = compare([good, poor]).tests
    assert (test.run, test.against, test.n, test.verdict) == (str(poor), str(good), N, "worse")
    assert test.gain is not None
    assert -0.4 < test.gain.low < test.gain.score < test.gain.high < 0


def test_only_shared_examples_count(good: Path, tmp_path: Path) -> None:
    other = make_run(tmp_path / "other", found=reading(), rows=rows(0.95)[200:])
    (test,) = compare([good, other]).tests
    assert (test.n, test.verdict) == (100, "cannot tell")
    assert test.gain is not None
    assert test.gain.score == 0


def test_nothing_shared_is_said(good: Path, tmp_path: Path) -> None:
    renamed = [(f"x{name}", label, p) for name, label, p in rows(0.9)]
    (test,) = compare([good, make_run(tmp_path / "other", found=reading(), rows=renamed)]).tests
    assert test.gain is None
    assert "share no test example" in test.why


def test_labels_must_agree(good: Path, tmp_path: Path) -> None:
    relabelled = [(name, "hen" if i == 0 else label, p) for i, (name, label, p) in enumerate(rows(0.9))]
    (test,) = compare([good, make_run(tmp_path / "other", found=reading(), rows=relabelled)]).tests
    assert test.gain is None
    assert test.why == "another label in 1 of the 300 shared test examples: the data differ"


def test_other_data_under_the_same_names_are_told(good: Path, tmp_path: Path) -> None:
    other = make_run(tmp_path / "other", found=reading(), rows=rows(0.9), data={"fingerprint": "11"})
    assert "the data differ" in compare([good, other]).tests[0].why


def test_several_runs_make_wider_intervals(good: Path, tmp_path: Path) -> None:
    others = [make_run(tmp_path / f"other{i}", found=reading(), rows=rows(0.9, seed=i)) for i in range(4)]
    alone, together = (compare([good, *some]).tests[0].gain for some in (others[:1], others))
    assert alone is not None
    assert together is not None
    assert together.score == alone.score
    assert together.high - together.low > 1.2 * (alone.high - alone.low)


def test_what_differs_is_what_was_settled(good: Path, tmp_path: Path) -> None:
    found = reading()
    found.settings["learning_rate"] = 0.03  # type: ignore[index]
    other = make_run(tmp_path / "other", found=found, rows=rows(0.9), training={"threads": 4})
    record = compare([good, other])
    assert [(one.key, one.values) for one in record.differences] == [
        ("training.threads", (1, 4)),
        ("training.learning_rate", (0.01, 0.03)),
    ]


def test_curves_are_those_of_the_networks(good: Path, tmp_path: Path) -> None:
    pretrained = make_run(tmp_path / "pretrained", rows=rows(0.9))
    first, second = compare([good, pretrained]).runs
    assert (first.network, first.best_epoch, len(first.curve)) == ("cnn", 9.0, 12)
    assert first.curve[0].val_loss > first.curve[-1].val_loss
    assert (second.network, second.best_epoch, second.curve) == (None, None, ())


def test_the_page_holds_everything(good: Path, tmp_path: Path) -> None:
    other = make_run(tmp_path / "a <b>", found=reading(), rows=rows(0.7, seed=1))
    place = tmp_path / "compare.html"
    compare([good, other, make_run(tmp_path / "pretrained", rows=rows(0.9))], html=place)
    page = place.read_text("utf-8")
    assert "are worse than" in page
    assert page.count("<polyline") == 2 * 2  # two curves, for a wide and for a narrow page
    assert "<b>/" not in page
    assert "a &lt;b&gt;" in page


@pytest.mark.parametrize(
    ("runs", "html", "found"),
    [
        (["good"], None, "1 run"),
        ("good", None, "1 run"),
        (["good", "./good"], None, "the same run twice"),
        (["good", "none"], None, "no run in"),
        (["good", "other"], "x.txt", "page 'x.txt'"),
        (["good", "other"], "none/x.html", "page 'none/x.html'"),
    ],
)
def test_what_is_refused(
    runs: Any, html: str | None, found: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("good", "other"):
        make_run(Path(name), found=reading(), rows=rows(0.9))
    with pytest.raises(BottegaError, match=found):
        compare(runs, html=html)


def test_damaged_and_unfinished_runs_are_refused(good: Path, tmp_path: Path) -> None:
    other = make_run(tmp_path / "other", found=reading(), rows=rows(0.9))
    whole = (other / PREDICTIONS).read_text("utf-8")
    for text in (whole.replace("0.05", "x", 1), whole.rpartition(",")[0]):
        (other / PREDICTIONS).write_text(text, "utf-8")
        with pytest.raises(BottegaError, match="can't be read"):
            compare([good, other])
    (other / RECORD).unlink()
    with pytest.raises(BottegaError, match="isn't finished"):
        compare([good, other])
