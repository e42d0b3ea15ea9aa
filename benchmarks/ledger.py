"""What every benchmark shares: it runs a child, and appends a record with the machine, the versions and the code."""

import hashlib
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

__all__ = ["PYTHON", "RESULTS", "ROOT", "Ran", "append", "bottega", "in_turn", "run", "seconds_of_all", "train"]

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results"
PYTHON = Path(sys.executable).absolute()  # children run in folders of their own
PACKAGES = ("bottega", "numpy", "onnxruntime", "Pillow", "onnx", "scikit-learn", "torch")
ABILITIES = re.compile(r"sse4_2|fma|f16c|avx\w*|amx\w*|asimd\w*|bf16|i8mm|sve\w*")  # those that change speed or bits


@dataclass(frozen=True)
class Ran:
    """What a child process did.

    Attributes:
        seconds: wall time from start to exit.
        cpu_seconds: of all its threads: what others on the machine take doesn't count.
        peak_bytes: its largest resident memory; that of its own children, if larger. Linux counts in what the process
            that started it held, so that a small child of a large benchmark looks as large.
    """

    status: int
    seconds: float
    cpu_seconds: float
    peak_bytes: int
    output: str
    errors: str

    def document(self) -> Any:
        """What it printed, read as JSON; a child that failed ends the benchmark with its own words."""
        if self.status != 0:
            raise SystemExit(f"a child ended with {self.status}:\n{self.errors}\n{self.output}")
        return json.loads(self.output)


def run(command: list[str], *, cwd: Path, cache: Path | None = None) -> Ran:
    """Run a whole process and measure it."""
    env = dict(os.environ) if cache is None else {**os.environ, "BOTTEGA_CACHE": str(cache)}
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        start = time.perf_counter()
        child = subprocess.Popen(command, cwd=cwd, env=env, stdout=output, stderr=errors, stdin=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(status)  # it is reaped: Popen must not look for it
        output.seek(0)
        errors.seek(0)
        unit = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss
        cpu = usage.ru_utime + usage.ru_stime
        return Ran(child.returncode, seconds, cpu, usage.ru_maxrss * unit, output.read(), errors.read())


def bottega(*words: str) -> list[str]:
    """The command as a user types it: the script beside this interpreter."""
    return [str(PYTHON.parent / "bottega"), *words]


def train(data: Path, home: Path, *, cache: Path, name: str, options: tuple[str, ...] = ()) -> tuple[Any, Ran]:
    """`bottega train` as a whole process; its record and what the process took.

    Args:
        home: working directory; the run is in `home/runs/NAME`.
    """
    ran = run(bottega("train", str(data.resolve()), "--name", name, "--json", *options), cwd=home, cache=cache)
    return ran.document(), ran


def in_turn(commands: dict[str, list[str]], home: Path, n_runs: int) -> dict[str, list[Ran]]:
    """Every command in turn, so that a slow minute hits all alike; the first round, left out, fills the disk cache."""
    found: dict[str, list[Ran]] = {what: [] for what in commands}
    for number in range(n_runs + 1):
        for what, command in commands.items():
            ran = run(command, cwd=home)
            if ran.status != 0:
                raise SystemExit(f"{what} ended with {ran.status}: {ran.errors}")
            if number > 0:
                found[what].append(ran)
    return found


def seconds_of_all(work: Callable[[Any], Any], jobs: Sequence[Any], workers: int) -> float:
    """Of jobs done by so many threads, from the first one's start to the last one's end."""
    with ThreadPoolExecutor(workers) as pool:
        start = time.perf_counter()
        for _ in pool.map(work, jobs):
            pass
        return time.perf_counter() - start


def append(task: str, results: Path, record: dict[str, Any]) -> None:
    """Add one line to `results/<date>-<task>.jsonl`."""
    results.mkdir(parents=True, exist_ok=True)
    line = {
        "task": task,
        "date": time.strftime("%Y-%m-%d"),
        "command": " ".join([f"python benchmarks/{Path(sys.argv[0]).name}", *(_nameless(w) for w in sys.argv[1:])]),
        **record,
        "machine": _machine(),
        "versions": _versions(),
        "code": _code(),
    }
    with (results / f"{line['date']}-{task}.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(line, ensure_ascii=False) + "\n")


def _nameless(word: str) -> str:
    """A path of this machine is nobody's business: only its last part stays."""
    return Path(word).name if "/" in word else word


def _machine() -> dict[str, Any]:
    info = Path("/proc/cpuinfo")
    text = info.read_text(errors="replace") if info.exists() else ""
    model = re.search(r"^model name\s*: (.*)$", text, re.MULTILINE)
    flags = re.search(r"^(?:flags|Features)\s*: (.*)$", text, re.MULTILINE)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "processor": model[1] if model else platform.processor(),
        "flags": [flag for flag in flags[1].split() if ABILITIES.fullmatch(flag)] if flags else [],
        "cores": cores,
        "memory_gb": round(memory / 1e9, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "busy_elsewhere": _busy_elsewhere(),
    }


def _work() -> tuple[float, float, float]:
    """Now; processor seconds of the whole machine since it started; those of this process and its finished children."""
    stat = Path("/proc/stat")
    ticks = [int(word) for word in stat.read_text().split("\n", 1)[0].split()[1:]] if stat.exists() else [0] * 8
    busy = (sum(ticks[:3]) + sum(ticks[5:7])) / os.sysconf("SC_CLK_TCK")  # user, nice, system, interrupts
    return time.monotonic(), busy, sum(os.times()[:4])


BEGUN = _work()


def _busy_elsewhere() -> float:
    """Share of the machine that others used since this benchmark began: was it quiet?"""
    now = _work()
    elapsed, busy, own = (after - before for after, before in zip(now, BEGUN, strict=True))
    return round(max(0.0, busy - own) / elapsed / (os.cpu_count() or 1), 3)


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _code() -> str:
    """A hash of the package's source, since a benchmark may run before its commit."""
    digest = hashlib.sha256()
    for path in sorted((ROOT / "src" / "bottega").rglob("*.py")):
        digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]
