"""The commands of the README run, in order, on a folder of real pictures."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from demo import write_digits

ROOT = Path(__file__).parent.parent.parent
SKIPPED = ("pip ", "git ", "make ")  # they change the machine; .ci/run goes through them


def commands(text: str) -> list[str]:
    """Every line after `$` in the ```console blocks."""
    blocks = re.findall(r"^```console\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    return [line[2:] for block in blocks for line in block.splitlines() if line.startswith("$ ")]


def test_commands_run(tmp_path: Path) -> None:
    found = [line for line in commands((ROOT / "README.md").read_text("utf-8")) if not line.startswith(SKIPPED)]
    assert {shlex.split(line)[1] for line in found} >= {"look", "train", "predict", "evaluate", "check", "reproduce"}
    write_digits(tmp_path / "flowers", labels=range(3), n_per_class=110, side=32)
    write_digits(tmp_path / "new-flowers", labels=range(3), n_per_class=150, side=32)
    for label in range(3):  # what is new has not been trained on
        for i in range(110):
            (tmp_path / "new-flowers" / str(label) / f"{i:04}.png").unlink()
    (tmp_path / "photo.jpg").write_bytes((tmp_path / "flowers" / "1" / "0005.png").read_bytes())
    for line in found:
        program, *words = shlex.split(line, comments=True)
        assert program == "bottega", line
        command = [sys.executable, "-m", "bottega.cli.main", *words]
        result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, env=os.environ)
        assert result.returncode == 0, f"{line}\n{result.stderr}"


def test_python_runs(tmp_path: Path, digits_dir: Path) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL | re.MULTILINE)
    assert blocks
    (tmp_path / "flowers").symlink_to(digits_dir)
    (tmp_path / "photo.jpg").write_bytes((digits_dir / "1" / "0005.png").read_bytes())
    for block in blocks:
        subprocess.run([sys.executable, "-c", block], cwd=tmp_path, check=True, timeout=300)


def test_links_lead_somewhere() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
