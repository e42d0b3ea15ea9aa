"""No look ends with advice that training refuses."""

from pathlib import Path

import pytest
from PIL import Image

from bottega.cli.look import look


def test_pictures_of_too_many_classes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(30):
        (tmp_path / f"c{number}").mkdir()
        Image.new("RGB", (8, 8), (number, 2 * number, 3 * number)).save(tmp_path / f"c{number}" / "a.png")
    look(str(tmp_path))
    shown = capsys.readouterr().out
    assert "bottega train" not in shown
    assert "Not yet      30 classes with one picture each" in shown
    assert "Next         add pictures" in shown


def test_texts_of_one_class(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = "".join(f"this is the text number {i} of them,same\n" for i in range(40))
    (tmp_path / "one.csv").write_text("said,label\n" + lines, "utf-8")
    look(str(tmp_path / "one.csv"), text=["said"], target="label")
    shown = capsys.readouterr().out
    assert "bottega train" not in shown
    assert "Not yet      one class, 'same'" in shown


def test_a_table_that_training_takes_is_sent_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = "".join(f"{i * 7 % 13}.5,{'yes' if i % 3 else 'no'}\n" for i in range(60))
    (tmp_path / "fine.csv").write_text("size,label\n" + lines, "utf-8")
    look(str(tmp_path / "fine.csv"), target="label")
    assert "bottega train" in capsys.readouterr().out
