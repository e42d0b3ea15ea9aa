"""Names of files and classes that attack the terminal, the page, the spreadsheet and the shell: told, never obeyed."""

import csv
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

import bottega
from command import Outcome, run_bottega

CLASSES = (
    "<script>alert(1)",
    "\"><img src=x onerror='alert(1)'>",
    "=cmd()|' -C calc'!A0",
    "\x1b[2J\x1b]0;pwned\x07\u202egnp",
    'new\nline,"quoted"; rm -rf `pwd`',
)
UNSAFE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")  # all but the line break


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five digits under five names; enough groups for a held-out test part, which is quicker than folds."""
    folder = tmp_path_factory.mktemp("hostile") / "<b>da\u202eta"
    bundled = load_digits()
    for digit, name in enumerate(CLASSES):
        (folder / name).mkdir(parents=True)
        for k, i in enumerate(np.flatnonzero(bundled.target == digit)[:64]):
            file = f"+{name.replace('/', '')}{k}.png" if k % 2 else f"{k}.png"
            Image.fromarray((bundled.images[i] * 15.9).astype(np.uint8)).resize((24, 24)).save(folder / name / file)
    (folder / CLASSES[0] / '=HYPERLINK("x")\n.png').write_text("no picture")
    return folder


@pytest.fixture(scope="module")
def trained(data: Path) -> Outcome:
    return run_bottega("train", str(data), "--name", "run", cwd=data.parent)


def test_the_terminal(data: Path, trained: Outcome) -> None:
    assert trained.status == 0, trained.err
    for outcome in (trained, run_bottega("look", str(data), "--all", cwd=data.parent)):
        assert outcome.status == 0
        assert not UNSAFE.search(outcome.out + outcome.err)


def test_the_page_runs_nothing(data: Path, trained: Outcome) -> None:
    page = (data.parent / "runs/run/report.html").read_text(encoding="utf-8")
    assert not UNSAFE.search(page)
    found = _Reader()
    found.feed(page)
    assert found.suspicious == []
    assert "\\x1b[2J" in found.words
    assert "<script>alert(1)" in found.words


class _Reader(HTMLParser):
    """Collects what a browser would run, and what it would show."""

    def __init__(self) -> None:
        super().__init__()
        self.suspicious: list[str] = []
        self.words = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "iframe", "object", "embed", "link", "form", "base"):
            self.suspicious.append(tag)
        for key, value in attrs:
            if key.startswith("on") or (value or "").strip().lower().startswith("javascript:") or value == "x":
                self.suspicious.append(f"{tag} {key}={value}")

    def handle_data(self, data: str) -> None:
        self.words += data


def test_spreadsheets_calculate_nothing(data: Path, trained: Outcome) -> None:
    model = data.parent / "runs/run/model.onnx"
    asked = run_bottega("predict", str(model), CLASSES[2], "--csv", cwd=data)
    assert asked.status == 0
    for text in ((data.parent / "runs/run/predictions.csv").read_text(encoding="utf-8"), asked.out):
        rows = list(csv.reader(text.splitlines(keepends=True)))
        assert len({len(row) for row in rows}) == 1
        assert len(rows) > 40
        assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_names_survive_to_the_answers(data: Path, trained: Outcome) -> None:
    model = data.parent / "runs/run/model.onnx"
    assert set(bottega.load(model).labels) == set(CLASSES)
    outcome = run_bottega("predict", str(model), *CLASSES, "--json", cwd=data)
    right = [Path(one["input"]).parts[0] == one["label"] for one in outcome.document["answers"]]
    assert np.mean(right) > 0.8
    record = json.loads((data.parent / "runs/run/record.json").read_text(encoding="utf-8"))
    assert set(record["per_class"]) == set(CLASSES)
    assert [one["path"] for one in record["rejected"]] == [f'{CLASSES[0]}/=HYPERLINK("x")\n.png']
