"""Kill, Ctrl-C, changed data, a full disk: what was begun can be finished, and ends as if nothing had happened."""

import json
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from command import CHOICES, TrainedRun, run_bottega, start_bottega

KILLS_IN_TEST, KILLS_IN_SOAK = 3, 20
LONGEST = 12.0  # seconds after the run folder is there; a run that ends earlier is a moment too
RUN = Path("runs") / "broken"


def wait_for(path: Path, process: "subprocess.Popen[bytes]", text: str = "", seconds: float = 120) -> bool:
    """Until a file is there and has the text; False when the process ended before."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if path.exists() and text in path.read_text("utf-8"):
            return True
        if process.poll() is not None:
            return False
        time.sleep(0.01)
    pytest.fail(f"{path.name} with {text!r} was not written in {seconds} s")


def finish(cwd: Path, **environment: str) -> bytes:
    """Resume, or train anew where nothing had been begun; gives the file."""
    words = ["--resume", str(RUN)] if (cwd / RUN / "recipe.toml").exists() else ["data", *CHOICES, "--name", RUN.name]
    if words[0] == "data" and (cwd / RUN).exists():
        (cwd / RUN).rmdir()  # killed between making the folder and writing into it
    outcome = run_bottega("train", *words, "--json", cwd=cwd, **environment)
    assert outcome.status == 0, outcome.err
    assert not list((cwd / RUN).glob(".*"))  # no half-written files are left
    return (cwd / RUN / "model.onnx").read_bytes()


@pytest.mark.parametrize(
    "number",
    [pytest.param(n, marks=pytest.mark.soak) if n >= KILLS_IN_TEST else n for n in range(KILLS_IN_SOAK)],
)
def test_killed(number: int, trained_run: TrainedRun, tmp_path: Path) -> None:
    (tmp_path / "data").symlink_to(trained_run.data)
    rng = random.Random(number)
    environment = {"BOTTEGA_CACHE": str(tmp_path / "cache")} if number % 4 == 3 else {}  # cold: while it describes
    process = start_bottega("train", "data", *CHOICES, "--name", RUN.name, cwd=tmp_path, **environment)
    if number % 5 == 4:
        time.sleep(rng.uniform(0, 4))  # before there is a folder
    else:
        wait_for(tmp_path / RUN / "recipe.toml", process)
        time.sleep(rng.uniform(0, LONGEST * (3 if environment else 1)))
    process.kill()
    process.wait()
    assert finish(tmp_path, **environment) == trained_run.model.read_bytes()


def test_killed_while_the_file_is_written(trained_run: TrainedRun, tmp_path: Path) -> None:
    (tmp_path / "data").symlink_to(trained_run.data)
    process = start_bottega("train", "data", *CHOICES, "--name", RUN.name, cwd=tmp_path)
    assert wait_for(tmp_path / RUN / "history.jsonl", process, '"chosen"')
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None and not list((tmp_path / RUN).glob("*.onnx*")):
        time.sleep(0.001)
    process.kill()
    process.wait()
    assert finish(tmp_path) == trained_run.model.read_bytes()


def test_ctrl_c_keeps_the_best_so_far(trained_run: TrainedRun, tmp_path: Path) -> None:
    (tmp_path / "data").symlink_to(trained_run.data)
    process = start_bottega("train", "data", *CHOICES, "--name", RUN.name, cwd=tmp_path)
    assert wait_for(tmp_path / RUN / "history.jsonl", process, '"random forest"')  # the last, when others are fitted
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=120) == 130
    said = (tmp_path / "said.txt").read_text("utf-8").splitlines()
    assert said[-3].startswith("found:    interrupted")
    assert said[-1].startswith("fix:      ")
    assert f"bottega train --resume {RUN}" in said[-1]
    assert run_bottega("check", str(RUN / "model.onnx"), cwd=tmp_path).status == 0
    assert (tmp_path / RUN / "report.html").exists()
    assert finish(tmp_path) == trained_run.model.read_bytes()


def test_ctrl_c_while_it_looks(trained_run: TrainedRun, tmp_path: Path) -> None:
    (tmp_path / "data").symlink_to(trained_run.data)
    process = start_bottega("train", "data", "--name", RUN.name, cwd=tmp_path, BOTTEGA_CACHE=str(tmp_path / "cache"))
    assert wait_for(tmp_path / "said.txt", process, "…")
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 130
    said = (tmp_path / "said.txt").read_text("utf-8")
    assert "found:    interrupted" in said
    assert "Traceback" not in said


def test_a_finished_run_gives_its_record_again(trained_run: TrainedRun) -> None:
    outcome = run_bottega("train", "--resume", trained_run.record["run_dir"], "--json", cwd=trained_run.home)
    assert outcome.status == 0
    assert outcome.document == trained_run.record


def unfinished(trained_run: TrainedRun, home: Path) -> Path:
    """A copy of the run as a kill leaves it late, and of its data."""
    shutil.copytree(trained_run.data, home / trained_run.data.name)
    shutil.copytree(trained_run.run_dir, home / RUN)
    for name in ("record.json", "model.onnx"):
        (home / RUN / name).unlink()
    return home / trained_run.data.name


@pytest.mark.parametrize("change", ["added", "removed", "relabelled", "repainted"])
def test_changed_data_are_refused(change: str, trained_run: TrainedRun, tmp_path: Path) -> None:
    data = unfinished(trained_run, tmp_path)
    picture = data / "0" / "0000.png"
    if change == "added":
        moved = picture.read_bytes()
        (data / "0" / "new.png").write_bytes(moved)
    elif change == "removed":
        picture.unlink()
    elif change == "relabelled":
        picture.rename(data / "1" / "was-0.png")
    else:
        (data / "1" / "0000.png").replace(picture)
    outcome = run_bottega("train", "--resume", str(RUN), "--json", cwd=tmp_path)
    assert outcome.status == 2
    error = outcome.document["error"]
    assert error["found"] == "other data in 'digits' than this run was begun with"
    assert error["expected"] == "the same 480 pictures under the same labels"
    assert error["fix"] == "put the pictures back as they were, or begin anew: bottega train digits"
    assert not (tmp_path / RUN / "model.onnx").exists()


def test_data_that_are_gone(trained_run: TrainedRun, tmp_path: Path) -> None:
    shutil.rmtree(unfinished(trained_run, tmp_path))
    outcome = run_bottega("train", "--resume", str(RUN), "--json", cwd=tmp_path)
    assert outcome.status == 2
    assert "digits" in outcome.document["error"]["found"]


def test_a_recipe_that_was_changed(trained_run: TrainedRun, tmp_path: Path) -> None:
    unfinished(trained_run, tmp_path)
    recipe = tmp_path / RUN / "recipe.toml"
    recipe.write_text(recipe.read_text("utf-8").replace("split_seed", "spilt_seed"), "utf-8")
    outcome = run_bottega("train", "--resume", str(RUN), cwd=tmp_path)
    assert outcome.status == 2
    assert outcome.error_lines[0].startswith("found:    unknown key 'spilt_seed' in a recipe")
    assert outcome.error_lines[2] == "fix:      did you mean 'split_seed'?"


def test_a_name_that_is_taken(trained_run: TrainedRun) -> None:
    name = trained_run.run_dir.name
    outcome = run_bottega("train", trained_run.data.name, "--name", name, cwd=trained_run.home)
    assert outcome.status == 2
    assert outcome.error_lines[2] == f"fix:      another --name, or: bottega train --resume runs/{name}"


def _can_mount() -> bool:
    words = ["unshare", "-rm", "mount", "-t", "tmpfs", "none", "/mnt"]
    return shutil.which("unshare") is not None and subprocess.run(words, capture_output=True).returncode == 0


ON_A_SMALL_DISK = """
import json, os, subprocess, sys
disk, out, size, *words = sys.argv[1:]
subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", disk], check=True)
os.chdir(disk)

def train(*words):
    result = subprocess.run([sys.executable, "-m", "bottega.cli.main", "train", *words, "--json"], capture_output=True)
    return result.returncode, json.loads(result.stdout), result.stderr.decode()

told = {"first": train(*words), "left": sorted(os.listdir("runs/broken"))}
subprocess.run(["mount", "-o", "remount,size=64m", disk], check=True)
resume = ["--resume", "runs/broken"] if "recipe.toml" in told["left"] else words
told["second"] = train(*resume)
with open("runs/broken/model.onnx", "rb") as model, open(f"{out}/model.onnx", "wb") as kept:
    kept.write(model.read())
print(json.dumps(told))
"""


SOAK = pytest.mark.soak
SIZES = [pytest.param("4k", marks=SOAK), "16k", pytest.param("12000k", marks=SOAK), "13300k"]  # history … file, report


@pytest.mark.parametrize("size", SIZES)
def test_a_full_disk(size: str, trained_run: TrainedRun, tmp_path: Path) -> None:
    if not _can_mount():
        pytest.skip("no file system can be mounted here; tests/unit/workflow/test_run_folder.py limits the files' size")
    (tmp_path / "disk").mkdir()
    words = ["unshare", "-rm", sys.executable, "-c", ON_A_SMALL_DISK, str(tmp_path / "disk"), str(tmp_path), size]
    words += [str(trained_run.data), *CHOICES, "--name", "broken"]
    result = subprocess.run(words, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr
    told = json.loads(result.stdout)
    status, document, said = told["first"]
    assert status == 2, document
    assert "No space left on device" in document["error"]["found"]
    assert "free some space" in document["error"]["fix"]
    assert "Traceback" not in said
    assert not [name for name in told["left"] if name.startswith(".")]
    assert told["second"][0] == 0, told["second"]
    assert (tmp_path / "model.onnx").read_bytes() == trained_run.model.read_bytes()
