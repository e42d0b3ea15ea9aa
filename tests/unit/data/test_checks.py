import numpy as np
import pytest
from PIL import Image

from bottega.data.checks import find_suspects, require_trainable
from bottega.data.profile import profile
from bottega.data.sources import open_source
from bottega.errors import BottegaError

RNG = np.random.default_rng(0)


def noise(width=24, height=24):
    """A picture that is like no other, of few bytes and many edges."""
    return Image.fromarray(RNG.integers(0, 255, (height, width, 3), np.uint8))


def save(root, name, picture=None):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    (picture or noise()).save(path)


def fill(root, **counts):
    for label, n in counts.items():
        for i in range(n):
            save(root, f"{label}/{i:04d}.png")
    return root


def suspects(root, kind=None):
    found = find_suspects(profile(open_source(root)))
    return [s for s in found if kind is None or s.kind == kind]


def test_ordinary_pictures_are_not_suspect(tmp_path):
    assert suspects(fill(tmp_path, a=80, b=80)) == []


def test_label_conflicts_come_first(tmp_path):
    fill(tmp_path, a=30, b=30)
    twin = noise(40, 40)
    save(tmp_path, "a/twin.png", twin)
    save(tmp_path, "b/twin.png", twin)
    found = suspects(tmp_path)
    assert found[0].kind == "conflict"
    assert "the same picture has different labels: 'a/twin.png (a)', 'b/twin.png (b)'" in found[0].evidence


def test_twins_across_given_parts_and_labels_of_the_test_part_alone(tmp_path):
    twin = noise()
    for part in ("train", "test"):
        fill(tmp_path / part, a=5, b=5)
        save(tmp_path, f"{part}/a/twin.png", twin)
    fill(tmp_path / "test", new=2)
    leak = suspects(tmp_path, "leak")
    assert len(leak) == 1
    assert "1 of 13 test pictures have a twin in train" in leak[0].evidence
    assert "'new' only in the test part" in suspects(tmp_path, "drift")[0].evidence


@pytest.mark.parametrize(
    "trait", ["the size in pixels", "the file format", "the colour mode", "the file's size in bytes"]
)
def test_traits_of_the_file_that_give_the_class_away(tmp_path, trait):
    for i in range(40):
        for label in "ab":
            picture, suffix = noise(), "png"
            if trait == "the size in pixels":
                picture = noise(24 + 8 * (label == "a"), 24)
            elif trait == "the file format":
                suffix = "bmp" if label == "a" else "png"
            elif trait == "the colour mode":
                picture = picture.convert("L" if label == "a" else "RGB")
            elif label == "a":
                picture = Image.fromarray((np.asarray(picture) // 64) * 64)
            save(tmp_path, f"{label}/{i}.{suffix}", picture)
    found = suspects(tmp_path, "shortcut")
    assert trait in [s.where for s in found]
    assert "100 % right on 80 pictures it was not fitted on" in next(s.evidence for s in found if s.where == trait)


def test_a_border_that_gives_the_class_away(tmp_path):
    for i in range(40):
        for label, tone in (("a", 250), ("b", 20)):
            framed = Image.new("RGB", (48, 48), (tone, tone, tone))
            framed.paste(noise(36, 36), (6, 6))
            save(tmp_path, f"{label}/{i}.png", framed)
    assert "the brightness of the border" in [s.where for s in suspects(tmp_path, "shortcut")]


def test_one_class_of_many_that_is_given_away(tmp_path):
    fill(tmp_path, **{f"c{i}": 20 for i in range(9)})
    for i in range(20):
        save(tmp_path, f"odd/{i}.bmp")
    found = {s.where: s.evidence for s in suspects(tmp_path, "shortcut")}
    assert "the file format alone tells 'odd' from all other classes" in found["the file format"]


def test_few_pictures_and_what_they_do_to_the_interval(tmp_path):
    found = suspects(fill(tmp_path, a=79, b=90), "few")
    assert len(found) == 1
    assert "about 12 test pictures, where 92 % right means 65 … 99 %" in found[0].evidence


def test_imbalance(tmp_path):
    found = suspects(fill(tmp_path, a=60, b=10), "imbalance")
    assert "always saying 'a' is 86 % right" in found[0].evidence


def test_folders_below_the_class_may_be_groups(tmp_path):
    for subject in ("s1", "s2"):
        fill(tmp_path / "a", **{subject: 3})
    fill(tmp_path, b=6)
    found = suspects(tmp_path, "group")
    assert "2 folders below their class" in found[0].evidence
    assert "--group-by '^([^/]+/[^/]+)/'" in found[0].fix


def refused(root):
    with pytest.raises(BottegaError) as caught:
        require_trainable(profile(open_source(root)))
    assert caught.value.expected
    assert caught.value.fix
    return caught.value


def test_what_cannot_be_trained_on(tmp_path):
    assert "no picture in" in refused(tmp_path).found
    (tmp_path / "a").mkdir()
    (tmp_path / "a/x.jpg").touch()
    error = refused(tmp_path)
    assert "none of 1 files" in error.found
    assert error.rejected == [{"path": "a/x.jpg", "reason": "empty: 0 bytes"}]
    fill(tmp_path, a=3)
    assert "one class, 'a', with 3 pictures" in refused(tmp_path).found
    fill(tmp_path, b=3)
    require_trainable(profile(open_source(tmp_path)))


def test_flat_folder_and_one_folder_too_high(tmp_path):
    save(tmp_path, "flat/1.png")
    assert "1 pictures in 'flat', none with a class" in refused(tmp_path / "flat").found
    fill(tmp_path / "high/pets", cat=2, dog=2)
    assert "if 'cat', 'dog' are the classes, give the folder 'pets' itself" in refused(tmp_path / "high").fix


def test_more_classes_than_pictures_allow(tmp_path):
    fill(tmp_path, a=1, b=1, c=1)
    assert "3 classes with one picture each" in refused(tmp_path).found
    fill(tmp_path, a=2)
    assert "3 classes for 4 pictures" in refused(tmp_path).found


def test_a_class_of_one_is_refused_and_told(tmp_path):
    fill(tmp_path, a=10, b=10, rare=1)
    images = profile(open_source(tmp_path))
    assert refused(tmp_path).found == "one class with a single picture: 'rare'"
    assert "'rare' has 1 picture, about 1 test picture" in next(
        s.evidence for s in find_suspects(images) if s.kind == "few"
    )


def test_over_a_thousand_classes(tmp_path):
    x = RNG.integers(0, 255, (2002, 4, 4), np.uint8)
    np.savez(tmp_path / "many.npz", x_train=x, y_train=np.arange(2002) // 2)
    with pytest.raises(BottegaError, match="1,001 classes"):
        require_trainable(profile(open_source(tmp_path / "many.npz")))
