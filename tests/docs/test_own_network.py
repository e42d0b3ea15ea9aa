"""docs/own-network.md is done as it is written: files, Python and commands, in one folder."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parent.parent.parent / "docs" / "own-network.md"


def blocks() -> list[tuple[str, str]]:
    """Language and text of each block, in order."""
    return re.findall(r"^```(\w+)\n(.*?)^```", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)


def run(words: list[str], cwd: Path) -> str:
    done = subprocess.run(words, cwd=cwd, capture_output=True, encoding="utf-8", timeout=300, env=os.environ)
    assert done.returncode == 0, f"{shlex.join(words)[-300:]}\n{done.stderr}"
    return done.stdout


def command(line: str, cwd: Path) -> str:
    line, _, file = line.partition(" > ")
    program, *words = shlex.split(line)
    out = run([sys.executable, *(["-m", "bottega.cli.main"] if program == "bottega" else []), *words], cwd)
    if file:
        (cwd / file).write_text(out, "utf-8")
    return out


def test_the_page_is_done_as_it_is_written(tmp_path: Path) -> None:
    python = ""  # what was defined in one block is used in the next
    said = ""
    for language, text in blocks():
        if (name := re.match(r"# (\w+\.py)\n", text)) is not None:
            (tmp_path / name[1]).write_text(text, "utf-8")
        elif language == "python":
            python += text
        elif language == "console":
            for line in text.splitlines():
                said += command(line.removeprefix("$ "), tmp_path) if line.startswith("$ ") else ""
    said += run([sys.executable, "-c", python], tmp_path)
    for shown in ("mlp, ", "dropout, 0.2", "fit has no option 'nb_epoch' – did you mean 'epochs'?", "\nNet\n"):
        assert shown in said
    assert "['0', '1', '2'" in said or "('0', '1', '2'" in said
    for made in ("digits.onnx", "my.toml", "my_training.py", "runs/by-class", "runs/by-command", "runs/by-file"):
        assert (tmp_path / made).exists()
    scores = [float(score) for score in re.findall(r"^(?:test accuracy )?(0\.\d+)$", said, re.MULTILINE)]
    assert len(scores) == 2
    assert min(scores) > 0.5
