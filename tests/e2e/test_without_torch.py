"""The base install alone: what ships is looked at, asked, scored and checked where torch isn't installed."""

import hashlib
import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from command import TrainedRun, run_bottega

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="session")
def plain_python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A second environment: the built wheel and the base install, kept under .cache until the dependencies change."""
    wanted = b"".join((ROOT / name).read_bytes() for name in ("pyproject.toml", "constraints.txt"))
    key = hashlib.sha256(wanted + sys.version.encode()).hexdigest()[:16]
    folder = ROOT / ".cache" / f"plain-{key}"
    python = str(folder / "bin" / "python")
    wheel = build_wheel(tmp_path_factory.mktemp("wheel"))
    if not (folder / "complete").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        pip(python, "install", "-c", str(ROOT / "constraints.txt"), str(wheel))
        (folder / "complete").touch()
    pip(python, "install", "--no-deps", "--force-reinstall", str(wheel))
    return python


def build_wheel(folder: Path) -> Path:
    """Build from a copy, so that nothing left of an earlier build gets in."""
    shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("*.egg-info", "__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    pip(sys.executable, "wheel", "--no-deps", "--no-build-isolation", "-w", str(folder), str(folder))
    return next(folder.glob("*.whl"))


def pip(python: str, *words: str) -> None:
    result = subprocess.run([python, "-m", "pip", *words, "-q"], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


def test_the_wheel_has_every_file(tmp_path: Path) -> None:
    with zipfile.ZipFile(build_wheel(tmp_path)) as wheel:
        packed = {name for name in wheel.namelist() if name.startswith("bottega/")}
    sources = (ROOT / "src").rglob("*")
    ours = {path.relative_to(ROOT / "src").as_posix() for path in sources if path.is_file() and path.suffix != ".pyc"}
    assert packed == {name for name in ours if ".egg-info" not in name}


def test_the_environment_is_plain(plain_python: str) -> None:
    code = "import importlib.util as u; print([m for m in ('torch', 'sklearn', 'onnx', 'scipy') if u.find_spec(m)])"
    shown = subprocess.run([plain_python, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown == "[]\n"


def test_look(plain_python: str, trained_run: TrainedRun) -> None:
    outcome = run_bottega("look", "digits", "--json", cwd=trained_run.home, python=plain_python)
    assert outcome.status == 0, outcome.err
    assert outcome.document["n_per_class"] == {"0": 120, "1": 120, "2": 120, "3": 120}


def test_predict(plain_python: str, trained_run: TrainedRun) -> None:
    names = [f"digits/{label}/0007.png" for label in range(4)]
    here = run_bottega("predict", str(trained_run.model), *names, "--json", cwd=trained_run.home)
    there = run_bottega("predict", str(trained_run.model), *names, "--json", cwd=trained_run.home, python=plain_python)
    assert there.status == 0, there.err
    assert [answer["label"] for answer in there.document["answers"]] == ["0", "1", "2", "3"]
    assert there.document["answers"] == here.document["answers"]


def test_evaluate(plain_python: str, trained_run: TrainedRun) -> None:
    outcome = run_bottega(
        "evaluate", str(trained_run.model), "digits", "--json", cwd=trained_run.home, python=plain_python
    )
    assert outcome.status == 0, outcome.err
    assert outcome.document["n"] == 480
    assert outcome.document["score"] > 0.9
    assert outcome.document["seen_in_training"] > 0.5  # the file itself knows what it was trained on


def test_check(plain_python: str, trained_run: TrainedRun) -> None:
    outcome = run_bottega("check", str(trained_run.model), "--json", cwd=trained_run.home, python=plain_python)
    assert outcome.status == 0, outcome.err
    assert outcome.document["passed"] is True


def test_load(plain_python: str, trained_run: TrainedRun) -> None:
    code = (
        "import sys, json, bottega\nmodel = bottega.load(sys.argv[1])\n"
        "print(json.dumps([model(sys.argv[2]).label, 'torch' in sys.modules]))"
    )
    words = [plain_python, "-c", code, str(trained_run.model), str(trained_run.data / "2" / "0001.png")]
    assert json.loads(subprocess.run(words, capture_output=True, text=True, check=True).stdout) == ["2", False]


@pytest.mark.parametrize("words", [("train", "digits"), ("reproduce", "runs/digits-1")])
def test_training_says_what_to_install(words: tuple[str, ...], plain_python: str, trained_run: TrainedRun) -> None:
    outcome = run_bottega(*words, cwd=trained_run.home, python=plain_python)
    assert outcome.status == 2
    assert outcome.error_lines[0].startswith("found:    the package ")
    assert outcome.error_lines[2] == "fix:      pip install 'bottega[train]'"
    assert [path.name for path in (trained_run.home / "runs").iterdir()] == [trained_run.run_dir.name]
