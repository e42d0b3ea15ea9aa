"""A network of one's own that is killed and resumed ends with the same bytes; two processes don't share a run."""

import random
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from command import run_bottega, start_bottega

KILLS = 3  # of one run, one after the other
CHAINS_IN_SOAK = 17  # 51 kills
CHOICES = ("digits", "--network", "cnn", "--width", "0.25", "--epochs", "5", "--ship", "network")
RUN = Path("runs") / "broken"


@dataclass(frozen=True)
class Whole:
    """A run that nothing disturbed."""

    model: bytes
    seconds: float


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    home = tmp_path_factory.mktemp("whole")
    start = time.monotonic()
    outcome = run_bottega("train", *CHOICES, "--name", RUN.name, "--json", cwd=home)
    assert outcome.status == 0, outcome.err
    return Whole((home / RUN / "model.onnx").read_bytes(), time.monotonic() - start)


def words(home: Path) -> list[str]:
    """Resume what was begun, or begin."""
    if (home / RUN / "recipe.toml").exists():
        return ["--resume", str(RUN)]
    shutil.rmtree(home / RUN, ignore_errors=True)  # killed between making the folder and writing into it
    return [*CHOICES, "--name", RUN.name]


@pytest.mark.parametrize("number", [0, *(pytest.param(n, marks=pytest.mark.soak) for n in range(1, CHAINS_IN_SOAK))])
def test_killed_again_and_again(number: int, whole: Whole, tmp_path: Path) -> None:
    rng = random.Random(number)
    for _ in range(KILLS):
        process = start_bottega("train", *words(tmp_path), cwd=tmp_path)
        time.sleep(rng.uniform(0, whole.seconds))
        process.kill()
        process.wait()
    outcome = run_bottega("train", *words(tmp_path), "--json", cwd=tmp_path)
    assert outcome.status == 0, outcome.err
    assert (tmp_path / RUN / "model.onnx").read_bytes() == whole.model
    assert not (tmp_path / RUN / "checkpoint").exists()  # nothing is left to go on with
    assert not list((tmp_path / RUN).glob(".*"))


@pytest.mark.parametrize("number", [0, *(pytest.param(n, marks=pytest.mark.soak) for n in range(1, 5))])
def test_killed_at_a_checkpoint(number: int, whole: Whole, tmp_path: Path) -> None:
    process = start_bottega("train", *words(tmp_path), cwd=tmp_path)
    end = time.monotonic() + 10 * whole.seconds
    wanted = number + 1
    seen: set[str] = set()  # names of checkpoints on their way to the disk
    while len(seen) < wanted and time.monotonic() < end and process.poll() is None:
        seen |= {path.name for path in (tmp_path / RUN / "checkpoint").glob("*") if path.suffix != ".npz"}
        time.sleep(0.0005)
    process.kill()
    process.wait()
    assert seen
    outcome = run_bottega("train", *words(tmp_path), "--json", cwd=tmp_path)
    assert outcome.status == 0, outcome.err
    assert (tmp_path / RUN / "model.onnx").read_bytes() == whole.model


def test_a_second_process_is_refused(whole: Whole, tmp_path: Path) -> None:
    process = start_bottega("train", *words(tmp_path), cwd=tmp_path)
    try:
        _wait_for(tmp_path / RUN / "recipe.toml", process, 10 * whole.seconds)
        outcome = run_bottega("train", "--resume", str(RUN), "--json", cwd=tmp_path)
    finally:
        process.kill()
        process.wait()
    assert outcome.status == 2
    error = outcome.document["error"]
    assert error["found"] == f"another process is training in {str(RUN)!r}"
    assert error["expected"] == "one process for one run"


def _wait_for(path: Path, process: "subprocess.Popen[bytes]", seconds: float) -> None:
    end = time.monotonic() + seconds
    while not path.exists():
        if process.poll() is not None or time.monotonic() > end:
            pytest.fail(f"{path.name} was not written")
        time.sleep(0.01)
