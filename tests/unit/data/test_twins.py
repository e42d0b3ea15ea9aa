import io

import numpy as np
import pytest
from PIL import Image, ImageEnhance
from sklearn.datasets import load_digits, load_sample_images

from bottega.data.twins import NEAR, STRICT, grey_views, group_by_name, group_twins, twin_records
from bottega.errors import BottegaError


@pytest.fixture(scope="module")
def photos():
    """32 different cut-outs of two photographs."""
    cut = []
    for photo in load_sample_images().images:
        for row in range(4):
            for column in range(4):
                cut.append(Image.fromarray(photo[row * 100 : row * 100 + 100, column * 150 : column * 150 + 150]))
    return cut


def grouped(pictures):
    views = np.stack([grey_views(p.convert("RGB").resize((64, 64), Image.Resampling.BOX)) for p in pictures])
    hashes = np.random.default_rng(0).integers(0, 256, (len(pictures), 32), np.uint8)
    return group_twins(views, hashes)


def jpeg(picture, quality):
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality)
    return Image.open(io.BytesIO(file.getvalue()))


def inset(picture, share):
    x, y = round(picture.width * share), round(picture.height * share)
    return picture.crop((x, y, picture.width - x, picture.height - y))


COPIES = {
    "re-encoded": lambda p: jpeg(p, 30),
    "halved": lambda p: p.resize((p.width // 2, p.height // 2)),
    "stretched": lambda p: p.resize((p.width * 2, p.height)),
    "brighter": lambda p: ImageEnhance.Brightness(p).enhance(1.2),
    "darker": lambda p: ImageEnhance.Brightness(p).enhance(0.6),
    "flatter": lambda p: ImageEnhance.Contrast(p).enhance(0.6),
    "grey": lambda p: p.convert("L"),
    "cropped": lambda p: inset(p, 0.03),
    "shifted": lambda p: p.crop((0, 4, p.width - 6, p.height)),
}


def test_different_photographs_are_no_twins(photos):
    groups, threshold = grouped(photos)
    assert len(set(groups.tolist())) == len(photos)
    assert threshold == NEAR


@pytest.mark.parametrize("change", COPIES)
def test_changed_copies_are_twins_of_their_original_alone(photos, change):
    groups, _ = grouped(photos + [COPIES[change](p) for p in photos])
    n = len(photos)
    found = sum(groups[i] == groups[i + n] for i in range(n))
    wrong = sum(groups[i] == groups[j] for i in range(n) for j in range(n) if i < j)
    assert found >= 0.85 * n  # some cut-outs are even sky, where little is left to compare
    assert wrong == 0


def test_written_digits_are_not_chained_but_their_copies_are_found():
    digits = [Image.fromarray((d * 255 / 16).astype(np.uint8)) for d in load_digits().images[:600]]
    groups, threshold = grouped([*digits, *(d.point(lambda v: v * 0.6) for d in digits[:20])])
    assert threshold == STRICT
    assert [groups[i] == groups[600 + i] for i in range(20)] == [True] * 20
    assert len(set(groups[:600].tolist())) >= 595


def test_even_pictures_are_twins_only_when_equal():
    tones = [Image.new("RGB", (20, 20), (v, v, v)) for v in range(0, 240, 10)]
    assert len(set(grouped(tones)[0].tolist())) == len(tones)


def test_equal_hashes_are_twins_and_order_only_renumbers(photos):
    views = np.stack([grey_views(p.resize((64, 64), Image.Resampling.BOX)) for p in [*photos, *photos[:5]]])
    hashes = np.random.default_rng(0).integers(0, 256, (len(views), 32), np.uint8)
    hashes[-5:] = hashes[:5]
    groups, _ = group_twins(views, hashes)
    assert groups[-5:].tolist() == groups[:5].tolist()
    order = np.random.default_rng(1).permutation(len(views))
    moved, _ = group_twins(views[order], hashes[order])
    assert np.array_equal(moved[:, None] == moved, (groups[order][:, None] == groups[order]))


def test_a_double_exposure_is_the_twin_of_neither():
    cells = np.random.default_rng(3).integers(0, 255, (40, 16, 16, 3), np.uint8)  # of equal contrast: neither prevails
    pictures = [Image.fromarray(c).resize((64, 64), Image.Resampling.NEAREST) for c in cells]
    pairs = list(zip(pictures[:20], pictures[20:], strict=True))
    faint, _ = grouped(pictures + [Image.blend(p, q, 0.1) for p, q in pairs])
    assert faint[40:].tolist() == faint[:20].tolist()
    half, threshold = grouped(pictures + [Image.blend(p, q, 0.5) for p, q in pairs])  # a cosine of about 0.7 to each
    assert threshold == NEAR
    assert len(set(half.tolist())) == len(half)


def test_a_long_chain_is_divided():
    photo = Image.fromarray(load_sample_images().images[0])
    pan = [photo.crop((x, 0, x + 300, 300)) for x in range(0, 330, 5)]  # a slow pan: each like the next
    noise = np.random.default_rng(2).integers(0, 255, (400, 16, 16, 3), np.uint8)  # so that likeness means something
    groups, threshold = grouped([*pan, *(Image.fromarray(n).resize((64, 64), Image.Resampling.NEAREST) for n in noise)])
    assert threshold == NEAR
    assert groups[0] == groups[1]
    assert 1 < np.bincount(groups).max() <= 50 < len(pan)


def test_no_pictures_and_one():
    empty, _ = group_twins(np.zeros((0, 6, 16, 16), np.uint8), np.zeros((0, 32), np.uint8))
    assert empty.tolist() == []
    assert grouped([Image.new("RGB", (5, 5))])[0].tolist() == [0]


def test_names_join_groups():
    groups = np.array([0, 1, 2, 3, 3])
    joined = group_by_name(["a/s1_1", "b/s2_1", "b/s1_2", "x", "a/s2_9"], groups, r"(s\d)_")
    assert joined.tolist() == [0, 1, 0, 1, 1]
    with pytest.raises(BottegaError, match="unterminated"):
        group_by_name(["a"], groups[:1], "(")
    with pytest.raises(BottegaError, match="matches none of 1 names"):
        group_by_name(["a"], groups[:1], "z+")


def test_conflicts_come_first_and_exact_copies_are_told_apart():
    hashes = np.zeros((7, 32), np.uint8)
    hashes[:, 0] = [1, 1, 2, 3, 4, 5, 5]
    groups = np.array([0, 0, 0, 1, 1, 2, 2])
    twins = twin_records([*"abcdefg"], ["x", "x", "x", "x", "y", "x", None], hashes, groups)
    assert [(t.kind, t.members, t.is_conflict) for t in twins] == [
        ("near", ("d", "e"), True),
        ("exact", ("a", "b"), False),
        ("exact", ("f", "g"), False),
        ("near", ("a", "b", "c"), False),
    ]
    assert twins[2].labels == ("x", "")
