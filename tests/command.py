"""The command as a process of its own, as a user runs it."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any


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


def run_bottega(
    *words: str, cwd: Path, python: str = sys.executable, timeout: float = 300, **environment: str
) -> Outcome:
    """Run `bottega WORDS` as a process of its own, as a user does."""
    result = subprocess.run(
        [python, "-m", "bottega.cli.main", *words],
        cwd=cwd,
        env=os.environ | environment,
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        timeout=timeout,
        stdin=subprocess.DEVNULL,
    )
    return Outcome(result.returncode, result.stdout, result.stderr)


@dataclass(frozen=True)
class TrainedRun:
    """One finished training that many tests read and none changes."""

    home: Path  # the working directory that training was started in
    data: Path
    run_dir: Path
    model: Path
    record: dict[str, Any]
