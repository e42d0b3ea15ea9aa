import fcntl
import os
import threading
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest

from bottega.errors import BottegaError
from bottega.vectors import convert
from bottega.vectors.convert import open_vectors
from bottega.vectors.vector_file import BLOCK, open_file
from word_material import as_binary, as_text, planted

WORDS, ROWS = planted()


@pytest.fixture
def original(tmp_path):
    path = tmp_path / "vectors.bin"
    path.write_bytes(as_binary(WORDS, ROWS))
    return path


def test_what_was_written_is_what_is_read(original):
    file = open_vectors(original)
    assert file.path == original.with_name("vectors.bin.bottega")
    assert (file.n_words, file.n_dims, file.has_codes) == (len(WORDS), 24, False)
    assert np.array_equal(file.rows(slice(None)), ROWS.astype(np.float64))
    assert file.vocabulary.all() == WORDS
    assert file.units(np.array([3])) @ file.units(np.array([3])).T == pytest.approx(1)
    file.verify()


def test_it_is_converted_once_and_again_when_the_original_changes(original):
    first = open_vectors(original).path
    made = first.stat().st_mtime_ns
    assert open_vectors(original).path.stat().st_mtime_ns == made
    original.write_bytes(as_binary(WORDS[:50], ROWS[:50]))
    assert open_vectors(original).n_words == 50


def test_a_converted_file_is_opened_by_its_own_name(original):
    place = open_vectors(original).path
    original.unlink()
    assert open_vectors(place).n_words == len(WORDS)
    with pytest.raises(BottegaError, match="converted already"):
        open_vectors(place, limit=10)


def test_a_folder_that_may_not_be_written_to_is_left_alone(original, tmp_path, monkeypatch):
    cache = tmp_path / "cache"
    cache.mkdir()
    monkeypatch.setenv("BOTTEGA_CACHE", str(cache))
    folder = tmp_path / "locked"
    folder.mkdir()
    original = original.rename(folder / original.name)
    folder.chmod(0o555)
    try:
        place = open_vectors(original).path
        assert cache in place.parents
        assert os.listdir(folder) == [original.name]
        assert open_vectors(original).path == place
    finally:
        folder.chmod(0o755)


def test_a_member_of_a_zip_is_converted_once(tmp_path):
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        archive.writestr("a/v.txt", as_text(WORDS, ROWS, header=False))
        archive.writestr("b.txt", "other")
    place = open_vectors(tmp_path / "two.zip" / "a" / "v.txt").path
    assert place == tmp_path / "v.txt.bottega"
    made = place.stat().st_mtime_ns
    assert open_vectors(tmp_path / "two.zip" / "a" / "v.txt").path.stat().st_mtime_ns == made


def test_half_precision_and_limit_have_files_of_their_own(original):
    half, few = open_vectors(original, precision="float16"), open_vectors(original, limit=20)
    assert half.sections["rows"].dtype == np.float16
    assert np.abs(half.rows(slice(None)) - ROWS).max() < 0.01
    assert (half.n_words, few.n_words) == (len(WORDS), 20)
    assert len({half.path, few.path, open_vectors(original).path}) == 3


def test_duplicates_and_zeros_stay_in_the_file_are_told_and_are_no_answers(tmp_path):
    words, rows = [*WORDS[:30], "Rome", "nothing"], np.concatenate([ROWS[:30], ROWS[:1], np.zeros((1, 24), np.float32)])
    path = tmp_path / "v.txt"
    path.write_bytes(as_text(words, rows))
    file = open_vectors(path)
    assert file.n_words == 32
    assert file.hidden.tolist() == [30, 31]
    assert file.vocabulary.row("Rome") == WORDS.index("Rome")
    assert [note.partition(";")[0].partition(" and")[0] for note in file.card["notes"]] == [
        "1 word stands twice",
        "1 word has a vector of zeros",
    ]


def test_a_number_that_is_not_finite_is_refused_and_nothing_is_left_behind(tmp_path):
    rows = ROWS.copy()
    rows[7, 3] = np.nan
    path = tmp_path / "v.bin"
    path.write_bytes(as_binary(WORDS, rows))
    with pytest.raises(BottegaError, match=rf"not finite in the vector of {WORDS[7]!r} .*word 8"):
        open_vectors(path)
    assert os.listdir(tmp_path) == ["v.bin"]
    assert open_vectors(path, limit=7).n_words == 7


def test_a_file_of_others_is_never_written_over(original):
    original.with_name("vectors.bin.bottega").write_text("my diary")
    with pytest.raises(BottegaError, match="none of our files"):
        open_vectors(original)
    assert original.with_name("vectors.bin.bottega").read_text() == "my diary"


def test_a_full_disk_is_told_before_anything_is_written(original, monkeypatch):
    monkeypatch.setattr(convert.shutil, "disk_usage", lambda _: SimpleNamespace(free=10))
    with pytest.raises(BottegaError, match="GB of free disk"):
        open_vectors(original)


@pytest.mark.parametrize("cut", [3, 30, 5000, 70_000, -1])
def test_a_damaged_file_is_refused(original, tmp_path, cut):
    data = open_vectors(original).path.read_bytes()
    broken = tmp_path / "broken.bottega"
    broken.write_bytes(data[:cut])
    with pytest.raises(BottegaError, match="found: "):
        open_file(broken)


def test_other_bytes_in_header_or_body_are_noticed(original, tmp_path):
    data = bytearray(open_vectors(original).path.read_bytes())
    broken = tmp_path / "broken.bottega"
    data[100] ^= 1
    broken.write_bytes(data)
    with pytest.raises(BottegaError, match="a header that isn't what was written"):
        open_file(broken)
    data[100] ^= 1
    data[70_000] ^= 1
    broken.write_bytes(data)
    with pytest.raises(BottegaError, match="the section 'rows'"):
        open_file(broken).verify()


@pytest.mark.parametrize("n", [BLOCK, BLOCK + 1, 2 * BLOCK - 1])
def test_codes_are_as_near_to_the_rows_as_the_file_says(tmp_path, monkeypatch, n):
    monkeypatch.setattr(convert, "CODES_FROM", 0)
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((n, 12)).astype(np.float32) * rng.uniform(1e-3, 1e3, (n, 1)).astype(np.float32)
    rows[5] = 0
    rows[6] = [1e-20, *[0] * 11]
    convert.write_vectors([f"w{i}" for i in range(n)], rows, tmp_path / "v.bottega", {"name": "v"})
    file = open_file(tmp_path / "v.bottega")
    file.verify()
    codes, scales, sums = (np.asarray(file.sections[name]) for name in ("codes", "scales", "sums"))
    near = (codes.transpose(0, 2, 1).astype(np.float64) * scales[:, :, None]).reshape(-1, 12)[:n]
    distance = np.linalg.norm(near - file.units(slice(None)), axis=1)
    bound = np.repeat(file.sections["errors"], BLOCK)[:n]
    assert (distance <= bound).all()
    assert bound.max() < 0.02
    assert np.array_equal(codes.sum(axis=1, dtype=np.int64), sums)


def test_a_header_that_promises_what_no_such_file_can_hold(tmp_path):
    (tmp_path / "v.bin").write_bytes(as_binary(WORDS, ROWS).replace(b"426 24", b"90000000 9000", 1))
    with pytest.raises(BottegaError, match=r"90,000,000 words with 9,000 numbers each, in 4\d,\d\d\d bytes"):
        open_vectors(tmp_path / "v.bin")
    assert [path.name for path in tmp_path.iterdir()] == ["v.bin"]


def test_what_a_killed_conversion_left_is_swept_and_a_living_one_is_not(original):
    dead, young, living = (original.parent / f".vectors.bin.bottega.{name}.part" for name in ("a", "b", "c"))
    for path in (dead, young, living):
        path.write_bytes(bytes(100))
    for path in (dead, living):
        os.utime(path, (0, 0))
    with living.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        open_vectors(original)
    assert [path.exists() for path in (dead, young, living)] == [False, True, True]


def test_two_conversions_at_once_leave_one_whole_file(original):
    found = []
    threads = [threading.Thread(target=lambda: found.append(open_vectors(original).n_words)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [len(WORDS)] * 2
    assert sorted(os.listdir(original.parent)) == ["vectors.bin", "vectors.bin.bottega"]
