"""What is learned from depends on contents alone: not on names, folders below the class, or the order of a listing."""

import random
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from bottega.workflow.options import TrainOptions
from bottega.workflow.trial import Looked, look_at, split_facts

COUNTS = {"one": 40, "two": 40}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two classes, of which some pictures come twice."""
    root = tmp_path_factory.mktemp("data") / "digits"
    bundle = load_digits(n_class=3)
    for number, name in ((1, "one"), (2, "two")):
        (root / name).mkdir(parents=True)
        for i, pixels in enumerate(bundle.images[bundle.target == number][: COUNTS[name]]):
            Image.fromarray((pixels * 15.9).astype(np.uint8)).resize((24, 24)).save(root / name / f"{i:03}.png")
        for i in range(5):
            shutil.copy(root / name / f"{i:03}.png", root / name / f"copy of {i}.png")
    return root


def looked_at(data: Path, **choices: int) -> Looked:
    return look_at(str(data), TrainOptions(**choices), store=None, progress=None)  # type: ignore[arg-type]


@pytest.fixture
def moved(folder: Path, tmp_path: Path) -> Path:
    rng = random.Random(0)
    for path in sorted(folder.rglob("*.png"), key=lambda _: rng.random()):
        place = tmp_path / "elsewhere" / path.parent.name / f"{rng.getrandbits(32):08x}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, place)
    return tmp_path / "elsewhere"


def test_names_and_order_change_nothing(folder: Path, moved: Path) -> None:
    first, second = looked_at(folder), looked_at(moved)
    assert first.images.names != second.images.names
    assert np.array_equal(first.images.hashes, second.images.hashes)
    assert np.array_equal(first.y, second.y)
    assert np.array_equal(first.groups, second.groups)
    assert np.array_equal(first.split.part, second.split.part)
    assert (first.fingerprint, first.labels) == (second.fingerprint, second.labels)
    assert split_facts(first) == split_facts(second)


def test_rows_lead_to_the_pictures(folder: Path) -> None:
    looked = looked_at(folder)
    vectors = np.arange(len(looked.everything), dtype=np.float32)[:, None]
    material = looked.material({"plain": vectors})
    for row, place in enumerate(material.views["plain"][:, 0].astype(int)):
        assert looked.everything.names[place] == looked.images.names[row]
    assert [looked.classes[i] for i in material.y] == material.labels
    assert len(np.unique(looked.groups)) == 80  # the copies are no pictures of their own
    assert looked.groups.max() == 79


def test_contents_change_the_fingerprint(folder: Path, moved: Path) -> None:
    before = looked_at(moved).fingerprint
    (picture,) = sorted(moved.rglob("*.png"))[:1]
    picture.rename(moved / ("one" if picture.parent.name == "two" else "two") / picture.name)
    assert looked_at(moved).fingerprint != before


def test_the_split_seed_splits(folder: Path) -> None:
    first, second = (looked_at(folder, split_seed=seed) for seed in (0, 1))
    assert first.fingerprint == second.fingerprint
    assert not np.array_equal(first.split.part, second.split.part)
