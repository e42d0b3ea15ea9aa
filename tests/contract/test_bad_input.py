"""Bad input to each verb: what was found, what was expected, what to do; exit 2, nothing half done."""

import io
import os
import random
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import bottega
from bottega.errors import BottegaError
from command import TrainedRun, run_bottega

RNG = np.random.default_rng(0)


def png() -> bytes:
    file = io.BytesIO()
    Image.fromarray(RNG.integers(0, 255, (9, 9, 3), np.uint8)).save(file, "PNG")
    return file.getvalue()


def fill(root: Path, **counts: int) -> Path:
    for label, n in counts.items():
        (root / label).mkdir(parents=True)
        for i in range(n):
            (root / label / f"{i}.png").write_bytes(png())
    return root


def nothing(_: Path) -> str:
    return ""


def empty(root: Path) -> str:
    (root / "data").mkdir()
    return "data"


def one_class(root: Path) -> str:
    return str(fill(root / "data", rose=1))


def a_class_of_one(root: Path) -> str:
    return str(fill(root / "data", rose=9, tulip=9, lily=1))


def all_unreadable(root: Path) -> str:
    fill(root / "data", rose=0, tulip=0)
    for name in ("rose/1.jpg", "tulip/2.jpg"):
        (root / "data" / name).write_text("body { color: red }")
    return "data"


def no_tar(root: Path) -> str:
    (root / "data.tar").write_bytes(random.Random(0).randbytes(3000))
    return "data.tar"


def links_out_of_a_tar(root: Path) -> str:
    with tarfile.open(root / "data.tar", "w") as archive:
        for name in ("../../rose/1.png", "/tulip/2.png"):
            member = tarfile.TarInfo(name)
            member.size = len(png())
            archive.addfile(member, io.BytesIO(png()))
        link = tarfile.TarInfo("rose/3.png")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/hostname"
        archive.addfile(link)
    return "data.tar"


def zip_bomb(root: Path) -> str:
    with zipfile.ZipFile(root / "data.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("rose/0.png", b"\0" * 30_000_000)
        archive.writestr("tulip/1.png", png())
    return "data.zip"


def pickled(root: Path) -> str:
    np.savez(root / "data.npz", x_train=np.array([{"a": 1}], dtype=object), y_train=np.array([1]))
    return "data.npz"


def over_the_pixel_limit(root: Path) -> str:
    fill(root / "data", rose=0, tulip=0)
    header = bytearray(png())
    header[16:24] = (30_000).to_bytes(4, "big") * 2
    header[29:33] = zlib.crc32(header[12:29]).to_bytes(4, "big")
    for name in ("rose/1.png", "tulip/2.png"):
        (root / "data" / name).write_bytes(header)
    return "data"


TRAIN: list[tuple[Callable[[Path], str], str, str]] = [
    (nothing, r"found: an empty name\n", "give a path; `.` is the working directory"),
    (empty, r"found: no picture in 'data'\n", "put at least 20 pictures of each class in a folder"),
    (one_class, r"found: one class, 'rose', with 1 picture\n", "add a folder for what is not 'rose'"),
    (a_class_of_one, r"found: one class with a single picture: 'lily'\n", "add pictures of it, or take its folder out"),
    (all_unreadable, r"found: none of 2 files in 'data' can be used; 'rose/1.jpg': not a picture", "`bottega look`"),
    (no_tar, r"found: 'data.tar' cannot be read as a tar archive: file could not be opened successfully\n", "again"),
    (links_out_of_a_tar, r"'../../rose/1.png': a path that leads out of the archive\n", "`bottega look` on it"),
    (zip_bomb, r"found: 'data.zip' unpacks to more than 200 times its size", "unpack it yourself"),
    (pickled, r"found: 'x_train.npy' in 'data.npz' holds pickled Python objects", "numpy.stack"),
    (over_the_pixel_limit, r"'rose/1.png': 900,000,000 pixels, over the limit", "`bottega look`"),
]


@pytest.mark.parametrize(("make", "found", "fix"), TRAIN, ids=[case[0].__name__ for case in TRAIN])
def test_train_on_bad_data(
    make: Callable[[Path], str], found: str, fix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BottegaError, match=found) as caught:
        bottega.train(make(tmp_path))
    assert fix in caught.value.fix
    assert caught.value.expected
    assert caught.value.exit_status == 2
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    ("keywords", "found"),
    [
        ({"small": "yes"}, r"found: small 'yes'\nexpected: True or False\n"),
        ({"filter": 1}, r"found: filter 1\nexpected: True or False\n"),
        ({"ship": 3}, r"found: ship 3\nexpected: a text\n"),
        ({"name": 3}, r"found: name 3\nexpected: a text\n"),
        ({"group_by": 3, "metric": 5}, r"found: metric 5; group_by 3\n"),
        ({"resume": 3}, r"found: resume 3\nexpected: the path of a run\n"),
        ({"time": [1]}, r"found: time \[1\]\nexpected: a time above 0\n"),
        ({"learning_rte": 1}, r"found: train has no option 'learning_rte'\n"),
    ],
)
def test_keywords_of_the_wrong_kind(keywords: dict[str, Any], found: str) -> None:
    with pytest.raises(BottegaError, match=found):
        bottega.train(None if "resume" in keywords else "digits", **keywords)


@pytest.mark.parametrize(
    ("old", "new", "found", "fix"),
    [
        (
            "threads = ",
            "threads = 9999999",
            r"'threads' is 9999999\d* \(.*\nexpected: a whole number from 1 to 1024",
            "",
        ),
        ("\nseed = 0", '\nseed = "zero"', r"found: seed 'zero' \(.*recipe.toml\)", "put back what training wrote"),
        ('preset = "fast"', 'preset = "slow"', r"found: preset 'slow' \(.*recipe.toml\)", "put back what"),
        ("small = false", 'small = "no"', r"found: small 'no' \(.*recipe.toml\)", "put back what training wrote"),
        ("\nseed = 0", "\nsed = 0", r"found: unknown key 'sed' in a recipe", "did you mean 'seed'?"),
        ("fingerprint = ", "n = 3\nfingerprint = ", "Cannot overwrite a value", "name the folder of a run"),
    ],
)
def test_an_edited_recipe(old: str, new: str, found: str, fix: str, trained_run: TrainedRun, tmp_path: Path) -> None:
    text = (trained_run.run_dir / "recipe.toml").read_text()
    assert old in text
    (tmp_path / "recipe.toml").write_text(text.replace(old, new, 1))
    for verb in (lambda: bottega.train(resume=str(tmp_path)), lambda: bottega.reproduce(tmp_path)):
        with pytest.raises(BottegaError, match=found) as caught:
            verb()
        assert fix in caught.value.fix


@pytest.mark.parametrize(
    ("bars", "found", "fix"),
    [
        ({"at_least": 90}, r"found: --at-least 90\n", "--at-least 0.9"),
        ({"at_least": float("nan")}, r"found: --at-least nan\n", "--at-least 0.9"),
        ({"at_most": 0.1}, r"found: --at-most 0.1 with accuracy, of which higher is better", "--at-least 0.1"),
        ({"at_least": 0.5, "metric": "log_loss"}, r"--at-least 0.5 with log_loss, of which lower", "--at-most 0.5"),
    ],
)
def test_bars_that_no_score_can_meet(bars: dict[str, Any], found: str, fix: str, trained_run: TrainedRun) -> None:
    with pytest.raises(BottegaError, match=found) as caught:
        bottega.evaluate(trained_run.model, trained_run.data, **bars)
    assert caught.value.fix == fix


def test_predict_goes_on_past_links_that_lead_nowhere(trained_run: TrainedRun, tmp_path: Path) -> None:
    shutil.copy(next(trained_run.data.glob("0/*.png")), tmp_path / "zero.png")
    for link, target in {"a.png": "b.png", "b.png": "a.png", "c.png": "gone.png", "d.png": "/etc/hostname"}.items():
        os.symlink(target, tmp_path / link)
    answers, rejected = bottega.predict(trained_run.model, tmp_path)
    assert [Path(answer.input).name for answer in answers] == ["zero.png"]
    assert {Path(one.path).name: one.reason for one in rejected} == {
        "a.png": "a link to nothing",
        "b.png": "a link to nothing",
        "c.png": "a link to nothing",
        "d.png": "a link that leads out of the folder",
    }


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["look", "nowhere"], "nothing at 'nowhere'"),
        (["train", ""], "an empty name"),
        (["train", "--resume", "nowhere"], "no run in 'nowhere': it has no recipe.toml"),
        (["evaluate", "MODEL", "digits", "--at-least", "90"], "--at-least 90.0"),
        (["predict", "MODEL", "nowhere.jpg"], "no picture could be read: 'nowhere.jpg': no such file"),
        (["check", "nowhere.onnx"], "'nowhere.onnx' cannot be read: No such file or directory"),
        (["reproduce", "nowhere"], "no run in 'nowhere': it has no recipe.toml"),
    ],
)
def test_one_document_whatever_is_wrong(words: list[str], found: str, trained_run: TrainedRun, tmp_path: Path) -> None:
    words = [str(trained_run.model) if word == "MODEL" else word for word in words]
    outcome = run_bottega(*words, "--json", cwd=tmp_path)
    assert outcome.status == 2
    assert outcome.document["error"]["found"] == found
    assert outcome.document["error"]["expected"]
    assert outcome.document["error"]["fix"]
    assert "Traceback" not in outcome.err
    assert not [*tmp_path.iterdir()]
