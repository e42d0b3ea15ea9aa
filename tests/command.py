"""The command as a process of its own, as a user runs it."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# of the session's run, for those that shall end with the same bytes
CHOICES = ("--network", "pretrained", "--ship", "network")


ON_FEW_CORES = """
import os, runpy, sys
os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: int(sys.argv.pop(1))])
runpy.run_module("bottega.cli.main", run_name="__main__", alter_sys=True)
"""


@dataclass(frozen=True)
class Outcome:
    """What one command line came to."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)

    @property
    def error_lines(self) -> list[str]:
        return self.err.strip().splitlines()[-3:]


@dataclass(frozen=True)
class Trained:
    """A run that a test has made, in the folder that it was made in."""

    home: Path
    record: dict[str, Any]

    @property
    def run_dir(self) -> Path:
        return self.home / self.record["run_dir"]

    @property
    def model(self) -> Path:
        return self.home / self.record["model_path"]


def run_bottega(
    *words: str, cwd: Path, python: str = sys.executable, timeout: float = 300, cores: int = 0, **environment: str
) -> Outcome:
    """Run `bottega WORDS` as a process of its own, as a user does.

    Args:
        cores: how many the process may use; 0 for all.
    """
    result = subprocess.run(
        [python, *(["-c", ON_FEW_CORES, str(cores)] if cores else ["-m", "bottega.cli.main"]), *words],
        cwd=cwd,
        env=os.environ | environment,
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        timeout=timeout,
        stdin=subprocess.DEVNULL,
    )
    return Outcome(result.returncode, result.stdout, result.stderr)


def start_bottega(*words: str, cwd: Path, **environment: str) -> "subprocess.Popen[bytes]":
    """Begin `bottega WORDS`, for a test that will disturb it; what it says is dropped into `cwd`/said.txt."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it, and pass that on
    with (cwd / "said.txt").open("wb") as said:
        return subprocess.Popen(
            [sys.executable, "-m", "bottega.cli.main", *words],
            cwd=cwd,
            env=os.environ | environment,
            stdout=said,
            stderr=said,
            stdin=subprocess.DEVNULL,
        )


@dataclass(frozen=True)
class TrainedRun:
    """One finished training that many tests read and none changes."""

    home: Path  # the working directory that training was started in
    data: Path
    run_dir: Path
    model: Path
    record: dict[str, Any]
