import hashlib
import multiprocessing
import os
import time
from pathlib import Path

import numpy as np
import pytest

from bottega.data.store import Store, default_root

MIB = 1024**2


def keys_of(numbers):
    raw = b"".join(hashlib.sha256(b"%d" % number).digest() for number in numbers)
    return np.frombuffer(raw, dtype=np.uint8).reshape(-1, 32)


def rows_of(numbers, width=4):
    return (np.array(numbers, dtype=np.float32).reshape(-1, 1) * 10 + np.arange(width)).astype(np.float32)


def fill(store, numbers, namespace="features", width=4):
    store.put(namespace, keys_of(numbers), rows_of(numbers, width))


def found_in(store, numbers, namespace="features", width=4):
    """Which are found; what is found must be right."""
    found, rows = store.get(namespace, keys_of(numbers), (width,), np.float32)
    assert (rows[found] == rows_of(numbers, width)[found]).all()
    assert (rows[~found] == 0).all()
    return found.tolist()


def segments(store):
    return sorted(store.folder.rglob("*.seg"))


def test_what_was_put_is_found_and_nothing_else(tmp_path):
    store = Store(tmp_path)
    fill(store, range(100))
    fill(store, range(200, 300))
    assert found_in(store, [5, 250, 150, 99, 5, 300]) == [True, True, False, True, True, False]
    assert found_in(Store(tmp_path), [250, 150]) == [True, False]  # another process
    assert found_in(store, [5], namespace="other") == [False]
    assert found_in(store, []) == []
    assert store.notes == ()


@pytest.mark.parametrize("dtype", [np.uint8, np.float16, np.float32, np.int64, bool])
@pytest.mark.parametrize("shape", [(), (3,), (16, 16, 3)])
def test_every_kind_of_row_comes_back(tmp_path, dtype, shape):
    rows = np.random.default_rng(0).integers(0, 2, (20, *shape)).astype(dtype)
    store = Store(tmp_path)
    store.put("x", keys_of(range(20)), rows)
    found, back = store.get("x", keys_of(range(20)), shape, dtype)
    assert found.all()
    assert back.dtype == dtype
    assert (back == rows).all()


def test_keys_with_zero_bytes_are_told_apart(tmp_path):
    keys = np.zeros((3, 32), dtype=np.uint8)
    keys[1, 31], keys[2, 0] = 1, 1
    store = Store(tmp_path)
    store.put("x", keys, rows_of(range(3)))
    found, rows = store.get("x", keys, (4,), np.float32)
    assert found.all()
    assert (rows == rows_of(range(3))).all()


def test_rows_of_another_shape_are_not_taken_for_these(tmp_path):
    store = Store(tmp_path)
    fill(store, range(5))
    assert not store.get("features", keys_of(range(5)), (2,), np.float64)[0].any()
    assert not store.get("features", keys_of(range(5)), (4,), np.int32)[0].any()


def test_few_rows_far_apart_are_read_without_the_rest(tmp_path):
    store = Store(tmp_path)
    fill(store, range(2000))
    found_in(store, [1])
    assert found_in(store, [1999, 3, 700]) == [True] * 3
    assert found_in(store, list(range(500, 900))) == [True] * 400


@pytest.mark.parametrize("warm", [True, False])
@pytest.mark.parametrize("cut", [0, 10, 64, 65, 200, -1])
def test_a_torn_file_is_absent_and_deleted(tmp_path, cut, warm):
    store = Store(tmp_path)
    fill(store, range(10))
    if warm:
        assert all(found_in(store, range(10)))
    [path] = segments(store)
    path.write_bytes(path.read_bytes()[:cut])
    assert not any(found_in(store, range(10)))
    assert segments(store) == []
    fill(store, range(10))
    assert all(found_in(store, range(10)))


def test_one_altered_bit_anywhere_is_noticed(tmp_path):
    store = Store(tmp_path)
    fill(store, range(3))
    [path] = segments(store)
    good = path.read_bytes()
    for place in range(len(good)):
        path.write_bytes(good[:place] + bytes([good[place] ^ 4]) + good[place + 1 :])
        assert not any(found_in(Store(tmp_path), range(3)))
        path.write_bytes(good)
    assert all(found_in(store, range(3)))


def test_a_file_that_was_checked_before_is_checked_again_when_it_changes(tmp_path):
    store = Store(tmp_path)
    fill(store, range(3))
    assert all(found_in(store, range(3)))
    [path] = segments(store)
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    os.utime(path, (0, 0))
    assert not any(found_in(store, range(3)))


def test_segments_that_are_merged_meanwhile_are_looked_for_again(tmp_path, monkeypatch):
    store, other = Store(tmp_path), Store(tmp_path)
    for number in range(15):
        fill(store, [number])
    before = segments(store)
    listed = Store._listed
    stale = [before]  # the first look sees the folder as it was
    monkeypatch.setattr(
        Store, "_listed", lambda self, place: stale.pop() if stale and self is store else listed(self, place)
    )
    fill(other, [15])
    assert len(segments(other)) == 1
    assert all(found_in(store, range(16)))


def test_a_foreign_file_is_not_read(tmp_path):
    store = Store(tmp_path)
    fill(store, range(3))
    (segments(store)[0].parent / "a.seg").write_bytes(b"not a segment" * 50)
    assert all(found_in(store, range(3)))


def test_a_deleted_cache_is_an_empty_one(tmp_path):
    store = Store(tmp_path / "cache")
    fill(store, range(3))
    for path in segments(store):
        path.unlink()
    assert not any(found_in(store, range(3)))
    fill(store, range(3))
    assert all(found_in(store, range(3)))
    assert store.notes == ()


def test_small_segments_are_merged(tmp_path):
    store = Store(tmp_path)
    for number in range(100):
        fill(store, [number, number + 1])
    assert len(segments(store)) < 16
    assert all(found_in(store, range(101)))
    assert not list(store.folder.rglob("*.tmp"))


def test_the_least_recently_used_goes_first(tmp_path):
    store = Store(tmp_path, max_bytes=3 * MIB)
    for name in ("a", "b"):
        fill(store, range(64), namespace=name, width=4096)  # 1 MiB
    for path, age in zip(segments(store), (200, 200), strict=True):
        os.utime(path, (time.time() - age, time.time() - age))
    fresh = Store(tmp_path, max_bytes=3 * MIB)
    assert found_in(fresh, [1], "a", 4096) == [True]  # used just now
    fill(fresh, range(64), namespace="c", width=4096)
    assert fresh.size_bytes() <= 3 * MIB
    assert [found_in(fresh, [1], name, 4096)[0] for name in ("a", "b", "c")] == [True, False, True]


def test_the_bound_holds(tmp_path):
    store = Store(tmp_path, max_bytes=MIB)
    for start in range(0, 4000, 100):
        fill(store, range(start, start + 100), width=64)
        assert store.size_bytes() <= MIB
    assert all(found_in(store, range(3950, 4000), width=64))


def test_large_rows_are_cut_into_segments(tmp_path, monkeypatch):
    monkeypatch.setattr("bottega.data.store.SEGMENT_BYTES", 100_000)
    store = Store(tmp_path)
    fill(store, range(100), width=1000)
    assert len(segments(store)) == 5
    assert all(found_in(store, range(100), width=1000))


def test_what_a_killed_process_left_is_removed(tmp_path):
    store = Store(tmp_path)
    fill(store, range(3))
    old, new = (segments(store)[0].with_name(f".{name}.tmp") for name in ("old", "new"))
    for path in (old, new):
        path.write_bytes(b"half a segm")
    os.utime(old, (0, 0))
    fill(store, range(3, 6))
    assert not old.exists()
    assert new.exists()  # it may be another process at work
    assert all(found_in(store, range(6)))


def test_files_of_others_are_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_bytes(b"x" * MIB)
    store = Store(tmp_path, max_bytes=1000)
    fill(store, range(10))
    fill(store, range(10, 20))
    assert (tmp_path / "thesis.txt").exists()


def test_a_root_that_is_no_folder_stops_nothing(tmp_path):
    root = tmp_path / "file"
    root.write_text("")
    store = Store(root)
    fill(store, range(3))
    fill(store, range(3))
    assert not any(found_in(store, range(3)))
    assert store.get_blob("b", bytes(32)) is None
    [note] = [note for note in store.notes if "nothing more is kept in the cache" in note]
    assert repr(str(root)) in note


def test_a_full_disk_stops_nothing(tmp_path):
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no full device here")
    store = Store(tmp_path)
    fill(store, range(3))
    original = Path.open

    tried = []

    def to_full(self, mode="r", *args, **kwargs):
        if mode != "xb":
            return original(self, mode, *args, **kwargs)
        tried.append(self)
        return original(full, "wb")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "open", to_full)
        fill(store, range(3, 6))
        fill(store, range(6, 9))
    assert all(found_in(store, range(3)))
    assert not any(found_in(store, range(3, 9)))
    assert len(tried) == 1  # a full disk isn't asked again for each row
    assert len(store.notes) == 1
    assert "No space left on device" in store.notes[0]


def test_blobs_come_back_whole_or_not_at_all(tmp_path):
    store = Store(tmp_path)
    data = bytes(range(256)) * 100
    assert store.get_blob("graphs", b"k" * 32) is None
    store.put_blob("graphs", b"k" * 32, data)
    assert store.get_blob("graphs", b"k" * 32) == data
    assert store.get_blob("others", b"k" * 32) is None
    path = store.blob_path("graphs", b"k" * 32)
    good = path.read_bytes()
    for bad in (b"", good[:31], good[:-1], good + b"x", good[:100] + b"\xff\xff" + good[102:]):
        path.write_bytes(bad)
        assert store.get_blob("graphs", b"k" * 32) is None
        assert not path.exists()


def test_the_root_is_where_the_user_says(monkeypatch, tmp_path):
    monkeypatch.setenv("BOTTEGA_CACHE", str(tmp_path))
    assert default_root() == tmp_path
    monkeypatch.delenv("BOTTEGA_CACHE")
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert default_root() == tmp_path / "xdg" / "bottega"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert default_root() == Path.home() / ".cache" / "bottega"
    monkeypatch.setattr("sys.platform", "darwin")
    assert default_root() == Path.home() / "Library" / "Caches" / "bottega"
    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    assert default_root() == tmp_path / "local" / "bottega"


def test_mismatched_arguments_are_refused(tmp_path):
    with pytest.raises(ValueError, match="2 keys for 3 rows"):
        Store(tmp_path).put("x", keys_of(range(2)), rows_of(range(3)))
    with pytest.raises(ValueError, match=r"keys of shape \(2, 16\)"):
        Store(tmp_path).get("x", np.zeros((2, 16), np.uint8), (1,), np.float32)


def work(root, first, failures):
    """One of several processes that write and read the same numbers at once."""
    store = Store(root, max_bytes=64 * MIB)
    for start in range(0, 60, 2):
        numbers = [(first + start) % 60, (first + start + 1) % 60]
        fill(store, numbers)
        if not all(found_in(store, numbers)):
            failures.put(numbers)


def test_processes_write_and_merge_at_once(tmp_path):
    context = multiprocessing.get_context("fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn")
    failures = context.Queue()
    workers = [context.Process(target=work, args=(tmp_path, first, failures)) for first in (0, 20, 40)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    assert failures.empty()
    assert all(found_in(Store(tmp_path), range(60)))


def test_ten_thousand_features_load_in_no_time(tmp_path):
    rng = np.random.default_rng(0)
    keys = rng.integers(0, 256, (10_000, 32), dtype=np.uint8)
    rows = rng.random((10_000, 1280), dtype=np.float32)
    Store(tmp_path).put("features", keys, rows)
    order = rng.permutation(10_000)
    seconds = []
    for _ in range(3):
        store, start = Store(tmp_path), time.perf_counter()
        found, back = store.get("features", keys[order], (1280,), np.float32)
        seconds.append(time.perf_counter() - start)
    assert found.all()
    assert (back == rows[order]).all()
    assert min(seconds) < 1.0  # 0.1 s on two cores; the rest is room for a busy machine
