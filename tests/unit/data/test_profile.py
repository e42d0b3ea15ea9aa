import os

import numpy as np
import pytest
from PIL import Image

import bottega.data.profile as module
from bottega.data.images import content_hash, decode
from bottega.data.profile import profile, select
from bottega.data.sources import open_source


class Rows(dict):
    """The smallest thing that keeps rows."""

    def get(self, namespace, keys, row_shape, dtype):
        found = np.array([(namespace, k.tobytes()) in self for k in keys], bool)
        rows = np.zeros((len(keys), *row_shape), dtype)
        for i in np.flatnonzero(found):
            rows[i] = self[namespace, keys[i].tobytes()]
        return found, rows

    def put(self, namespace, keys, rows):
        self.update({(namespace, key.tobytes()): row for key, row in zip(keys, rows, strict=True)})


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    for i in range(12):
        path = tmp_path / f"{'ab'[i % 2]}/{i:02d}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(rng.integers(0, 255, (20 + i, 30, 3), np.uint8)).save(path)
    (tmp_path / "a/00.png").rename(tmp_path / "a/wrong.jpg")
    (tmp_path / "b/style.jpg").write_text("body { color: red }")
    (tmp_path / "b/empty.png").touch()
    return tmp_path


def test_what_is_kept_of_each_picture(folder):
    images = profile(open_source(folder))
    assert len(images) == 12
    assert images.names == sorted(images.names)
    assert images.classes == ("a", "b")
    assert [(r.path, r.reason) for r in images.rejected] == [
        ("b/empty.png", "empty: 0 bytes"),
        ("b/style.jpg", "not a picture: looks like a style sheet (CSS)"),
    ]
    i = images.names.index("a/wrong.jpg")
    data = (folder / "a/wrong.jpg").read_bytes()
    assert images.marks == {"wrong suffix": ("a/wrong.jpg (PNG)",)}
    assert images.sizes[i].tolist() == [20, 30]
    assert images.file_bytes[i] == len(data)
    assert (images.formats[i], images.modes[i]) == ("PNG", "RGB")
    assert np.array_equal(images.pixels(i), decode(data).pixels)
    assert images.hashes[i].tobytes() == content_hash(decode(data).pixels)
    assert images.thumbs.shape == (12, 16, 16, 3)


def test_a_second_look_decodes_nothing_and_finds_the_same(folder, monkeypatch):
    store = Rows()
    cold = profile(open_source(folder), store=store)
    monkeypatch.setattr(
        module, "_row", lambda item: pytest.fail("decoded again") if b"PNG" in item[:8] else "unreadable"
    )
    warm = profile(open_source(folder), store=store)
    for name in ("hashes", "thumbs", "twin_groups", "sizes", "file_bytes"):
        assert np.array_equal(getattr(cold, name), getattr(warm, name)), name
    assert (cold.marks, cold.formats, cold.modes) == (warm.marks, warm.formats, warm.modes)


def test_moving_and_renaming_changes_no_hash(folder):
    before = {h.tobytes() for h in profile(open_source(folder)).hashes}
    os.rename(folder / "a", folder / "z")
    assert {h.tobytes() for h in profile(open_source(folder)).hashes} == before


def test_progress_ends_at_the_number_of_files(folder):
    told = []
    profile(open_source(folder), progress=lambda *step: told.append(step))
    assert ("looking at pictures", 14, 14) in told


def test_parts_of_a_set_keep_groups_and_names(folder):
    images = profile(open_source(folder))
    some = select(images, [3, 5])
    assert some.names == [images.names[3], images.names[5]]
    assert np.array_equal(some.pixels(1), images.pixels(5))
    assert some.twin_groups.tolist() == images.twin_groups[[3, 5]].tolist()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_files_without_permission_are_named(folder):
    (folder / "a/02.png").chmod(0)
    assert [r.reason for r in profile(open_source(folder)).rejected if r.path == "a/02.png"] == [
        "no permission to read"
    ]


def test_a_file_that_vanishes_is_named(folder):
    source = open_source(folder)
    (folder / "a/02.png").unlink()
    assert any(r.path == "a/02.png" and "No such file" in r.reason for r in profile(source).rejected)


def test_nothing_readable_gives_an_empty_set(tmp_path):
    assert len(profile(open_source(tmp_path))) == 0
    (tmp_path / "a").mkdir()
    (tmp_path / "a/x.jpg").write_bytes(b"words")
    images = profile(open_source(tmp_path))
    assert (len(images), len(images.rejected), images.classes) == (0, 1, ())
