"""The code that is shown to users: it must be right, and nothing in a name may break out of it."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bottega.errors import BottegaError
from bottega.shipping.predictor import load
from bottega.shipping.snippets import LANGUAGES, snippets

TINY = Path(__file__).parent.parent.parent / "artefacts" / "v1.onnx"


def test_python_runs(tmp_path: Path) -> None:
    photo = tmp_path / 'a "photo".png'
    pixels = np.random.default_rng(0).integers(0, 256, (30, 50, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(photo)
    model = load(TINY)
    code = snippets(str(TINY), model.labels, photo=str(photo))["Python"]
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    answer = model(photo)
    label, top, *sure = result.stdout.split()
    assert label == answer.label
    assert float(top) == pytest.approx(answer.probability, abs=1e-6)
    assert " ".join(sure) == ("sure" if answer.sure else "not sure")


def test_names_are_filled_in() -> None:
    found = snippets("runs/a-1/model.onnx", ["daisy", "rose"])
    assert list(found) == ["Python", "JavaScript", "Java", "C#", "C++"]
    for code in found.values():
        assert '"runs/a-1/model.onnx"' in code
        assert '"daisy", "rose"' in code
        assert not any(mark in code for mark in ("{model}", "{photo}", "{labels}"))


def test_a_label_cannot_leave_its_comment() -> None:
    for code in snippets("m.onnx", ["a\nimport os", "b\u2028c", "d\\u000aSystem.exit(1);", "e\\"]).values():
        line = next(line for line in code.split("\n") if "in this order" in line)
        assert '"a?import os", "b?c", "d?u000aSystem.exit(1);", "e?"' in line


def test_a_path_with_a_line_break() -> None:
    with pytest.raises(BottegaError, match="the path 'a"):
        snippets("a\nb.onnx", ["x"])


def test_many_labels_are_cut() -> None:
    assert all("and 80 more" in code for code in snippets("m", [str(i) for i in range(100)]).values())
    assert len(LANGUAGES) == 5
