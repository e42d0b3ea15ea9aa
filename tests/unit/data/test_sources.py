import io
import os
import tarfile
import unicodedata
import zipfile

import numpy as np
import pytest
from PIL import Image

from bottega.data.layout import arrange
from bottega.data.sources import open_source
from bottega.errors import BottegaError


def png(value: int = 0) -> bytes:
    file = io.BytesIO()
    Image.new("L", (4, 4), value % 256).save(file, "PNG")
    return file.getvalue()


def write(root, *names, data=None):
    for i, name in enumerate(names):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png(i) if data is None else data)
    return root


def rows(source):
    return [(e.name, e.label, e.part, e.subfolder) for e in source.entries]


def test_classes_are_folders_and_deeper_ones_are_subfolders(tmp_path):
    write(tmp_path, "кошка/b.png", "кошка/a.png", "犬/one/two/c.png")
    assert rows(open_source(tmp_path)) == [
        ("кошка/a.png", "кошка", None, None),
        ("кошка/b.png", "кошка", None, None),
        ("犬/one/two/c.png", "犬", None, "one/two"),
    ]


def test_part_folders_are_stripped_first(tmp_path):
    write(tmp_path, "Train/a/1.png", "valid/a/2.png", "test/b/3.png", "test_Unlabeled/x/4.png")
    assert [(e.label, e.part, e.subfolder) for e in open_source(tmp_path).entries] == [
        ("a", "train", None),
        ("b", "test", None),
        (None, "unlabelled", "x"),
        ("a", "val", None),
    ]


@pytest.mark.parametrize("name", ["dev", "val", "validation"])
def test_names_of_the_validation_part(name):
    assert {e.part for e in arrange(["train/a/1.png", f"{name}/a/2.png"]).entries} == {"train", "val"}


def test_a_class_may_be_called_test():
    assert {(e.label, e.part) for e in arrange(["test/1.png", "control/2.png"]).entries} == {
        ("test", None),
        ("control", None),
    }


def test_test_part_without_classes_is_looked_at_only():
    layout = arrange(["train/a/1.png", "train/b/2.png", "test/3.png"])
    assert (layout.entries[0].label, layout.entries[0].part) == (None, "unlabelled")
    assert "looked at only" in layout.notes[0]


def test_loose_pictures_are_reported_and_other_loose_files_counted(tmp_path):
    write(tmp_path, "a/1.png", "loose.jpg", "README.md", ".DS_Store", "a/Thumbs.db", "a/.hidden/x.png")
    source = open_source(tmp_path)
    assert [r.path for r in source.rejected] == ["loose.jpg"]
    assert "no class" in source.rejected[0].reason
    assert any("2 hidden" in note for note in source.notes)
    assert any("1 other" in note for note in source.notes)


def test_flat_folder_is_looked_at_without_classes(tmp_path):
    write(tmp_path, "1.png", "2.png")
    assert rows(open_source(tmp_path)) == [("1.png", None, "unlabelled", None), ("2.png", None, "unlabelled", None)]


def test_order_of_listing_does_not_matter():
    names = ["b/2.png", "a/1.png", "a/10.png", "train/x"]
    assert arrange(names) == arrange(names[::-1])


@pytest.mark.parametrize(
    ("one", "other"),
    [("Cat", "cat"), ("straße", "STRASSE"), ("ｃat", "cat"), (unicodedata.normalize("NFD", "café"), "café")],
)
def test_colliding_class_names_are_refused_naming_both(one, other):
    with pytest.raises(BottegaError, match="differ only in case or Unicode form") as caught:
        arrange([f"{one}/1.png", f"{other}/2.png"])
    quoted = [text for name in (one, other) for text in (repr(name), ascii(name)) if text in caught.value.found]
    assert len(set(quoted)) >= 2


def test_links_out_are_rejected_and_links_inside_kept(tmp_path):
    outside = write(tmp_path / "outside", "secret.png")
    root = write(tmp_path / "data", "a/1.png")
    os.symlink(outside / "secret.png", root / "a/out.png")
    os.symlink(outside, root / "b")
    os.symlink(root / "a/1.png", root / "a/in.png")
    os.symlink("nowhere", root / "a/dead.png")
    source = open_source(root)
    assert [e.name for e in source.entries] == ["a/1.png", "a/in.png"]
    assert {r.path: r.reason for r in source.rejected} == {
        "a/dead.png": "a link to nothing",
        "a/out.png": "a link that leads out of the folder",
        "b": "a link that leads out of the folder",
    }


def test_odd_names_survive(tmp_path):
    names = ["a/new\nline.png", "a/quote'\".png", "a/\u202ertl.png"]
    write(tmp_path, *names)
    raw = os.fsencode(tmp_path) + b"/a/\xff\xfe.png"
    with open(raw, "wb") as file:
        file.write(png())
    source = open_source(tmp_path)
    assert {e.name for e in source.entries} == {*names, os.fsdecode(b"a/\xff\xfe.png")}
    assert all(source.read(i) for i in range(4))


def test_a_pipe_is_no_picture_and_does_not_hang(tmp_path):
    write(tmp_path, "a/1.png")
    os.mkfifo(tmp_path / "a/pipe.png")
    source = open_source(tmp_path)
    with pytest.raises(ValueError, match="no regular file"):
        source.read(1)


def archive(path, members):
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
            for name, data in members:
                file.writestr(name, data)
    else:
        with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as file:
            for name, data in members:
                info = tarfile.TarInfo(name)
                info.size = len(data)
                file.addfile(info, io.BytesIO(data))
    return path


@pytest.mark.parametrize("suffix", [".zip", ".tar", ".tar.gz"])
def test_archives_are_read_like_folders(tmp_path, suffix):
    members = [("pets/dog/2.png", png(2)), ("pets/cat/1.png", png(1)), ("pets/../../evil.png", png(3))]
    source = open_source(archive(tmp_path / f"my.pets{suffix}", members))
    assert source.name == "my.pets"
    assert [(e.name, e.label) for e in source.entries] == [("cat/1.png", "cat"), ("dog/2.png", "dog")]
    assert [source.read(i) for i in range(2)] == [png(1), png(2)]
    assert [r.reason for r in source.rejected] == ["a path that leads out of the archive"]
    assert sorted(os.listdir(tmp_path)) == [f"my.pets{suffix}"]


def test_an_archive_of_parts_keeps_them(tmp_path):
    source = open_source(archive(tmp_path / "x.zip", [("d/train/a/1.png", png()), ("d/train/b/2.png", png())]))
    assert [(e.label, e.part) for e in source.entries] == [("a", "train"), ("b", "train")]


def test_links_in_archives_are_rejected(tmp_path):
    path = tmp_path / "x.tar"
    with tarfile.open(path, "w") as file:
        link = tarfile.TarInfo("a/link.png")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        file.addfile(link)
    assert open_source(path).rejected[0].reason == "a link inside an archive"


@pytest.mark.parametrize("suffix", [".zip", ".tar.gz"])
def test_bombs_are_refused(tmp_path, suffix):
    path = archive(tmp_path / f"bomb{suffix}", [(f"a/{i}.png", b"\0" * 10_000_000) for i in range(4)])
    with pytest.raises(BottegaError, match="zip bomb"):
        open_source(path)


@pytest.mark.parametrize("name", ["x.zip", "x.tar", "x.tar.gz", "x.npz"])
def test_files_that_are_no_archives(tmp_path, name):
    (tmp_path / name).write_bytes(b"certainly not")
    with pytest.raises(BottegaError, match="cannot be read as"):
        open_source(tmp_path / name)


def test_damaged_member_is_that_members_fault(tmp_path):
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("a/1.png", b"A" * 1000)
        file.writestr("b/2.png", png())
    path.write_bytes(path.read_bytes().replace(b"A" * 1000, b"A" * 999 + b"B"))
    source = open_source(path)
    with pytest.raises(ValueError, match="damaged inside the zip"):
        source.read(0)
    assert source.read(1) == png()


def npz(path, **arrays):
    np.savez_compressed(path, **arrays)
    return path


def test_npz_as_keras_writes_it(tmp_path):
    x = np.arange(3 * 4 * 4, dtype=np.uint8).reshape(3, 4, 4)
    source = open_source(npz(tmp_path / "k.npz", x_train=x, y_train=[[0], [1], [1]], x_test=x[:1], y_test=[7]))
    assert rows(source) == [
        ("x_test[0]", "7", "test", None),
        ("x_train[0]", "0", "train", None),
        ("x_train[1]", "1", "train", None),
        ("x_train[2]", "1", "train", None),
    ]
    assert np.array_equal(source.read(0), x[0])
    assert np.array_equal(source.read(3), x[2])


def test_npz_floats_are_scaled_and_names_kept(tmp_path):
    x = np.array([0.0, 0.5, 1.0, 1.0], np.float32).reshape(2, 1, 2, 1)
    source = open_source(npz(tmp_path / "k.npz", x_train=x, y_train=np.array(["b", "é"])))
    assert [(e.label, e.part) for e in source.entries] == [("b", None), ("é", None)]
    assert source.read(0).reshape(-1).tolist() == [0, 128]


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"x_train": np.zeros((2, 3)), "y_train": [0, 1]}, r"x_train of shape \(2, 3\)"),
        ({"x_train": np.zeros((2, 3, 4, 4)) - 1, "y_train": [0, 1]}, "values from -1 to -1"),
        ({"x_train": np.zeros((2, 3, 4, 5)), "y_train": [0, 1]}, r"shape \(2, 3, 4, 5\)"),
        ({"x_train": np.zeros((2, 3, 4)), "y_train": [0]}, r"2 pictures in x_train, labels y_train of shape \(1,\)"),
        ({"x_train": np.full((2, 3, 4), np.nan), "y_train": [0, 1]}, "2 of 2 pictures in x_train with NaN"),
        ({"images": np.zeros(3)}, "with the arrays 'images'"),
        ({"x_train": np.array([np.zeros(2), np.zeros(3)], object), "y_train": [0, 1]}, "pickled Python objects"),
    ],
)
def test_npz_of_another_kind_is_refused(tmp_path, arrays, words):
    with pytest.raises(BottegaError, match=words) as caught:
        open_source(npz(tmp_path / "k.npz", **arrays))
    assert caught.value.fix


def test_npz_that_promises_more_than_it_holds(tmp_path):
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": (10**9, 10**3)})
    with zipfile.ZipFile(tmp_path / "k.npz", "w") as file:
        file.writestr("x_train.npy", header.getvalue() + b"\0" * 100)
        file.writestr("y_train.npy", b"")
    with pytest.raises(BottegaError, match="promises more values than it holds"):
        open_source(tmp_path / "k.npz")


def test_csv_of_paths(tmp_path):
    write(tmp_path, "p/1.png", "p/2.png")
    (tmp_path / "list.csv").write_text(
        "\ufefflabel;path;part\ncat;p/2.png;train\ndog;p/1.png;test\ndog;gone.png;\ndog;../x.png;\n"
    )
    source = open_source(tmp_path / "list.csv")
    assert rows(source) == [("p/1.png", "dog", "test", None), ("p/2.png", "cat", "train", None)]
    assert source.read(0) == png(0)
    assert {r.path: r.reason for r in source.rejected} == {
        "gone.png": "no such file",
        "../x.png": "lies outside the folder of the CSV",
    }


def test_csv_without_header_and_with_other_columns(tmp_path):
    write(tmp_path, "1.png")
    (tmp_path / "two.csv").write_text("1.png,cat\n")
    assert [e.label for e in open_source(tmp_path / "two.csv").entries] == ["cat"]
    (tmp_path / "bad.csv").write_text("a,b,c\n1,2,3\n")
    with pytest.raises(BottegaError, match="a CSV with the columns 'a', 'b', 'c'"):
        open_source(tmp_path / "bad.csv")
    (tmp_path / "short.csv").write_text("path,label\n1.png\n")
    with pytest.raises(BottegaError, match="short.csv, row 2"):
        open_source(tmp_path / "short.csv")


def test_digits_are_scaled_to_full_range():
    source = open_source("digits")
    assert (source.name, len(source.entries)) == ("digits", 1797)
    assert max(int(source.read(i).max()) for i in range(20)) == 255


def test_missing_data_names_the_nearest(tmp_path):
    (tmp_path / "flowers").mkdir()
    with pytest.raises(BottegaError, match="did you mean 'flowers'"):
        open_source(tmp_path / "flwers")
    with pytest.raises(BottegaError, match="did you mean 'digits'"):
        open_source(tmp_path / "digts")
