"""All samples of the sweeps and kill tests, with a record of each: `make soak` runs it.

python benchmarks/soak.py [PATH ...]     (of tests; all of them by default)
BOTTEGA_TEXTS=FOLDER adds the texts of that folder to the sweep of the tokeniser.
"""

import argparse
import collections
import subprocess
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from ledger import PYTHON, RESULTS, ROOT, append


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="*", default=["tests"])
    parser.add_argument("--results", type=Path, default=RESULTS)
    stated = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        start = time.perf_counter()
        command = [str(PYTHON), "-m", "pytest", "-q", "-m", "soak", f"--junit-xml={report}", *stated.paths]
        status = subprocess.run(command, cwd=ROOT, check=False).returncode
        seconds = time.perf_counter() - start
        outcomes = outcomes_of(report)
    record = {"seconds": round(seconds, 1), "tests": outcomes, "failed": names_of_failed(outcomes)}
    append("soak", stated.results, record)
    return status


def outcomes_of(report: Path) -> dict[str, dict[str, int]]:
    """How many samples of each test passed, failed or were skipped."""
    found: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    for case in ElementTree.parse(report).getroot().iter("testcase"):
        said = {child.tag for child in case}
        outcome = "failed" if said & {"failure", "error"} else "skipped" if "skipped" in said else "passed"
        found[str(case.get("name")).split("[")[0]][outcome] += 1
    return {name: dict(counts) for name, counts in sorted(found.items())}


def names_of_failed(outcomes: dict[str, dict[str, int]]) -> list[str]:
    return [name for name, counts in outcomes.items() if counts.get("failed")]


if __name__ == "__main__":
    raise SystemExit(main())
