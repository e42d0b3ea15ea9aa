"""The run folder: found or made, and never half written."""

import csv
import errno
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bottega.errors import BottegaError
from bottega.workflow.run_folder import HISTORY, MODEL, PREDICTIONS, RunFolder


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@contextmanager
def no_file_above(n_bytes: int) -> Iterator[None]:
    """The kernel stops a file from growing further, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_names_are_counted_on() -> None:
    assert [RunFolder.make("flowers", None).path.as_posix() for _ in range(3)] == [
        f"runs/flowers-{n}" for n in (1, 2, 3)
    ]
    assert RunFolder.make("flowers", "mine").path == Path("runs/mine")


@pytest.mark.parametrize(
    ("data_name", "folder"),
    [
        ("../../etc", "etc-1"),
        ("a b\n\u202ec", "a-b-c-1"),
        ("...", "data-1"),
        ("日本", "日本-1"),
        ("x" * 99, f"{'x' * 60}-1"),
    ],
)
def test_names_that_are_no_folders(data_name: str, folder: str) -> None:
    assert RunFolder.make(data_name, None).path == Path("runs") / folder


def test_a_name_that_is_taken() -> None:
    RunFolder.make("flowers", "mine").write("recipe.toml", "")
    with pytest.raises(BottegaError, match="a run named 'mine' is there already") as caught:
        RunFolder.make("flowers", "mine")
    assert caught.value.fix == "another --name, or: bottega train --resume runs/mine"


def test_a_folder_that_was_never_begun_is_taken_over() -> None:
    RunFolder.make("flowers", "mine")  # and then the process was killed
    assert RunFolder.make("flowers", "mine").path == Path("runs/mine")


def test_what_a_kill_left_is_tidied() -> None:
    folder = RunFolder.make("flowers", "mine")
    folder.write(MODEL, b"whole")
    folder.file(f".{MODEL}-x1y2").write_bytes(b"half")
    folder.file("notes.txt").write_text("of the user")
    folder.tidy()
    assert sorted(path.name for path in folder.path.iterdir()) == [MODEL, "notes.txt"]


def test_where_nothing_can_be_made(here: Path) -> None:
    (here / "runs").write_text("a file")
    with pytest.raises(BottegaError, match="no folder can be made in 'runs'"):
        RunFolder.make("flowers", None)


def test_what_is_no_run(here: Path) -> None:
    with pytest.raises(BottegaError, match="no run in 'flowers': it has no recipe.toml") as caught:
        RunFolder.open("flowers")
    assert caught.value.fix == "bottega train FOLDER"
    RunFolder.make("flowers", "mine").write("recipe.toml", "")
    with pytest.raises(BottegaError) as caught:
        RunFolder.open("runs/other")
    assert caught.value.fix == "one of runs/mine"
    assert RunFolder.open("runs/mine").path == Path("runs/mine")


def test_a_file_is_there_whole_or_not_at_all() -> None:
    folder = RunFolder.make("flowers", None)
    folder.write(MODEL, b"old")
    with no_file_above(50_000), pytest.raises(BottegaError, match="model.onnx could not be written") as caught:
        folder.write(MODEL, b"x" * 100_000)
    assert caught.value.expected == "100,000 bytes of room in 'runs/flowers-1'"
    assert caught.value.fix == "free some space, then: bottega train --resume runs/flowers-1"
    assert folder.file(MODEL).read_bytes() == b"old"
    assert [path.name for path in folder.path.iterdir()] == [MODEL]
    folder.write(MODEL, b"x" * 100_000)
    assert folder.file(MODEL).stat().st_size == 100_000
    assert folder.file(MODEL).stat().st_mode & 0o777 == 0o644


def test_a_reader_of_the_old_file_keeps_it() -> None:
    folder = RunFolder.make("flowers", None)
    folder.write(MODEL, b"old")
    with folder.file(MODEL).open("rb") as reader:
        folder.write(MODEL, b"new")
        assert reader.read() == b"old"  # moved into its place, not written over
    assert folder.file(MODEL).read_bytes() == b"new"


def test_a_disk_that_fills_up_at_the_last_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = RunFolder.make("flowers", None)
    folder.write(MODEL, b"old")

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(BottegaError, match="No space left on device"):
        folder.write(MODEL, b"new")
    assert folder.file(MODEL).read_bytes() == b"old"
    assert [path.name for path in folder.path.iterdir()] == [MODEL]


def test_an_interruption_leaves_no_litter(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = RunFolder.make("flowers", None)

    def stop(handle: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", stop)
    with pytest.raises(KeyboardInterrupt):
        folder.write(MODEL, b"new")
    assert list(folder.path.iterdir()) == []


def test_decisions_survive_a_torn_line() -> None:
    folder = RunFolder.make("flowers", None)
    folder.tell("looked", n=3)
    folder.tell("decided", what="views", value=["network"])
    with folder.file(HISTORY).open("a") as file:
        file.write('{"event": "decided", "what": "views", "va')
    assert folder.decisions() == {"views": ["network"]}
    again = RunFolder(folder.path)
    again.tell("decided", what="steps", value=3)
    assert again.decisions() == {"views": ["network"], "steps": 3}


def test_history_on_a_full_disk() -> None:
    folder = RunFolder.make("flowers", None)
    folder.tell("looked", n=3)
    with no_file_above(60), pytest.raises(BottegaError, match=r"history.jsonl could not be written"):
        folder.tell("looked", n=3)


def test_predictions_run_nothing_in_a_spreadsheet() -> None:
    folder = RunFolder.make("flowers", None)
    name = '=cmd|" /C calc"!A0\n.png'
    head = ["input", "label", "answer", "sure", "-1", "räd"]
    folder.write_predictions(head, [[name, "-1", "räd", "true", "0.25", "0.75"]])
    with folder.file(PREDICTIONS).open(newline="") as file:
        head, row = csv.reader(file)
    assert head[:4] == ["input", "label", "answer", "sure"]
    assert row == ['\'=cmd|" /C calc"!A0\\n.png', "'-1", "räd", "true", "0.25", "0.75"]  # no command, no line break
