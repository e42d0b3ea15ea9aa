"""`predict` on files, folders and patterns."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bottega.errors import BottegaError
from bottega.shipping.predictor import load
from bottega.workflow.check import check
from bottega.workflow.predict import predict

TINY = Path(__file__).parent.parent.parent / "artefacts" / "v1.onnx"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """100 pictures of growing brightness, one style sheet called .jpg, one truncated, one hidden, one link out."""
    root = tmp_path / "photos"
    (root / "b" / "deep").mkdir(parents=True)
    for i in range(100):
        size = (20, 30) if i % 2 else (31, 17)
        name = f"b/deep/{i:03}.png" if i % 3 else f"{i:03}.png"
        Image.new("L", size, 2 * i).save(root / name)
    (root / "style.jpg").write_text("body { margin: 0 }")
    Image.new("RGB", (50, 50)).save(root / "cut.bmp")
    (root / "cut.bmp").write_bytes((root / "cut.bmp").read_bytes()[:500])
    (root / ".hidden.png").write_bytes(b"")
    Image.new("L", (9, 9)).save(tmp_path / "outside.png")
    (root / "link.png").symlink_to(tmp_path / "outside.png")
    (root / "within.png").symlink_to(root / "000.png")
    return root


def test_a_folder(folder: Path) -> None:
    seen: list[tuple[str, int, int | None]] = []
    answers, rejected = predict(TINY, folder, progress=lambda *step: seen.append(step))
    assert len(answers) == 101
    names = [os.path.relpath(answer.input, folder) for answer in answers]
    assert names == [n for n in names if "/" not in n] + [n for n in names if "/" in n]
    reasons = {os.path.relpath(r.path, folder): r.reason for r in rejected}
    assert reasons["style.jpg"] == "not a picture: looks like a style sheet (CSS)"
    assert reasons["cut.bmp"].startswith("truncated")
    assert reasons["link.png"] == "a link that leads out of the folder"
    assert len(rejected) == 3
    assert seen[-1][1:] == (104, 103)
    model = load(TINY)
    for answer in answers[::17]:
        assert model(answer.input) == answer


def test_files_patterns_and_what_is_missing(folder: Path) -> None:
    inputs = [folder / "003.png", "nothing.png", str(folder / "**/00[12].png"), "no*such", folder / "style.jpg"]
    answers, rejected = predict(load(TINY), inputs)
    assert [Path(answer.input).name for answer in answers] == ["003.png", "001.png", "002.png"]
    reasons = {r.path: r.reason for r in rejected}
    assert reasons["nothing.png"] == "no such file"
    assert reasons["no*such"] == "no file matches this pattern"
    assert len(rejected) == 3


def test_a_name_that_looks_like_a_pattern(tmp_path: Path) -> None:
    path = tmp_path / "a[1].png"
    Image.new("L", (9, 9)).save(path)
    answers, _ = predict(TINY, path)
    assert answers[0].input == str(path)


def test_nothing_could_be_read(folder: Path) -> None:
    with pytest.raises(BottegaError, match=r"no picture could be read: .*style.jpg.*CSS.*, and 1 more") as caught:
        predict(TINY, [folder / "style.jpg", "x.png"])
    assert [item["path"] for item in caught.value.rejected] == [str(folder / "style.jpg"), "x.png"]
    with pytest.raises(BottegaError, match="no file in an empty list"):
        predict(TINY, [])


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    Image.new("L", (9, 9)).save(tmp_path / "a.png")
    answers, rejected = predict(TINY, tmp_path)
    assert (len(answers), rejected[0].reason) == (1, "no regular file")


def test_large_pictures_go_in_small_windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bottega.workflow.predict.WINDOW_PIXELS", 1000)
    for i in range(5):
        Image.fromarray(np.full((30, 30), 50 * i, np.uint8)).save(tmp_path / f"{i}.png")
    steps: list[int] = []
    answers, _ = predict(TINY, tmp_path, progress=lambda step, done, total: steps.append(done))
    assert len(answers) == 5
    assert steps == [2, 4, 5]


def test_check() -> None:
    assert check(TINY) == check(load(TINY))
    assert check(TINY).passed
