import json

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from bottega.cli.look import look as look_command
from bottega.errors import BottegaError
from bottega.workflow.look import look


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("BOTTEGA_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def folder(tmp_path):
    """Digits 0 to 2 as pictures, with what goes wrong in real folders."""
    bundle = load_digits(n_class=3)
    for i, (image, label) in enumerate(zip(bundle.images[:180], bundle.target[:180], strict=True)):
        path = tmp_path / f"data/train/{label}/{i:03d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray((image * 255 / 16).astype(np.uint8)).save(path)
    (tmp_path / "data/test_unlabelled").mkdir()
    (tmp_path / "data/test_unlabelled/96.jpg").write_text("@font-face { font-family: x; }")
    return tmp_path / "data"


def test_the_record(folder):
    record = look(folder)
    assert record.task.kind == "classification"
    assert record.n_examples == sum(record.n_per_class.values()) == record.n_per_part["train"] == 180
    assert [(r.path, r.reason) for r in record.rejected] == [
        ("test_unlabelled/96.jpg", "not a picture: looks like a style sheet (CSS)")
    ]
    assert record.estimate_seconds is None or record.estimate_seconds > 0  # unknown without training's own packages
    assert look(folder, estimate=lambda images: 0.1 * len(images)).estimate_seconds == pytest.approx(18)


def test_the_page_fits_and_no_name_can_redraw_it(folder, capsys):
    odd = folder / "train/0/\x1b[2Jred\n\u202egnp.jpg"
    odd.write_bytes(b"no picture")
    assert look_command(str(folder)) == 0
    page = capsys.readouterr().out
    assert len(page.splitlines()) <= 25
    assert max(len(line) for line in page.splitlines() if "bottega train" not in line) <= 80
    assert "180 pictures in 3 classes" in page
    assert "style sheet (CSS)" in " ".join(page.split())
    assert r"\x1b[2Jred\n\u202egnp.jpg" in page
    assert "\x1b" not in page
    assert "\u202e" not in page
    assert page.splitlines()[-1].startswith("Next")


def test_the_worst_folder_still_fits_on_the_page(tmp_path, capsys):
    rng = np.random.default_rng(0)
    for k in range(30):
        for i in range(2 + 5 * (k == 0)):
            path = tmp_path / f"train/{'long name ' * 5}{k}/sub/{i}.{'png' if k % 2 else 'bmp'}"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(rng.integers(0, 255, (8 + k, 9, 3), np.uint8)).save(path)
        (path.parent / "bad.png").write_bytes(b"x" * k)
    look_command(str(tmp_path))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= 25
    assert max(len(line) for line in lines if "bottega train" not in line) <= 80
    look_command(str(tmp_path), everything=True)
    assert len(capsys.readouterr().out.splitlines()) > 60


def test_json_is_one_document_with_stable_keys(folder, capsys):
    look_command(str(folder), json=True)
    document = json.loads(capsys.readouterr().out)
    assert {"task", "n_examples", "n_per_class", "rejected", "twins", "suspects", "estimate_seconds"} <= set(document)
    assert document["rejected"][0] == {
        "path": "test_unlabelled/96.jpg",
        "reason": "not a picture: looks like a style sheet (CSS)",
    }


@pytest.mark.parametrize("kind", ["empty", "one class", "unreadable", "flat", "class of one"])
def test_whatever_opens_is_told(tmp_path, kind, capsys):
    if kind == "unreadable":
        (tmp_path / "a").mkdir()
        (tmp_path / "a/x.jpg").write_bytes(b"\0" * 9)
    elif kind != "empty":
        for i, name in enumerate({"one class": ["a/1"], "flat": ["1", "2"], "class of one": ["a/1", "b/2"]}[kind]):
            path = tmp_path / f"{name}.png"
            path.parent.mkdir(exist_ok=True)
            Image.new("RGB", (5, 5), (i, 0, 0)).save(path)
    assert look_command(str(tmp_path)) == 0
    assert (look(tmp_path).task.kind is None) == (kind != "class of one")
    assert "Next" in capsys.readouterr().out


def test_what_does_not_open_is_the_users_error(tmp_path):
    with pytest.raises(BottegaError, match="nothing at"):
        look(tmp_path / "gone")


def test_subjects_by_name(folder):
    assert look(folder, group_by=r"train/(\d)/").facts["n_groups"] == 3
