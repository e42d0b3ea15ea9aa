"""How fast `bottega look` is on a table: as it is, and grown to a million rows of 20 columns by drawing real rows.

The large table takes each row's left cells from one table and its right cells from another, both drawn with
replacement, so that rows rarely repeat as a whole while every cell is a real one.
python benchmarks/tables_look.py adult_income.csv 'income >50K' --beside credit_default.csv [--repeats 3]
"""

import argparse
import csv
import statistics
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from ledger import RESULTS, append, bottega, run

N_ROWS, N_COLUMNS = 1_000_000, 20
LIMITS = {"as it is": (2.0, None), "a million rows": (20.0, 2 * 10**9)}  # seconds, bytes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("target")
    parser.add_argument("--beside", type=Path, required=True, help="the table whose columns fill up to 20")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--results", type=Path, default=RESULTS)
    stated = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        large = Path(folder) / "large.csv"
        grow(stated.data, stated.beside, large)
        for size, data in (("as it is", stated.data), ("a million rows", large)):
            record = measure(data, stated.target, Path(folder), stated.repeats)
            record |= {"data": stated.data.stem, "size": size, "limits": LIMITS[size]}
            append("tables_look", stated.results, record)
            print(size, {key: record[key] for key in ("n_rows", "n_columns", "seconds", "peak_bytes")})


def grow(left: Path, right: Path, target: Path) -> None:
    """Write the large table."""
    rng = np.random.default_rng(0)
    halves = [table(left), table(right)]
    n_beside = N_COLUMNS - len(halves[0][0])
    halves[1] = [row[:n_beside] for row in halves[1]]
    drawn = [rng.integers(1, len(half), N_ROWS) for half in halves]
    with target.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(halves[0][0] + halves[1][0])
        for i, j in zip(*drawn, strict=True):
            writer.writerow(halves[0][i] + halves[1][j])


def table(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.reader(file))


def measure(data: Path, target: str, cwd: Path, repeats: int) -> dict[str, Any]:
    """Whole processes, from start to exit."""
    seconds, peak = [], 0
    document: Any = None
    for _ in range(repeats):
        ran = run(bottega("look", str(data.resolve()), "--target", target, "--json"), cwd=cwd)
        document = ran.document()
        seconds.append(round(ran.seconds, 2))
        peak = max(peak, ran.peak_bytes)
    facts = document["facts"]
    return {
        "n_rows": facts["n_rows"],
        "n_columns": facts["n_columns"],
        "file_bytes": data.stat().st_size,
        "seconds": seconds,
        "median_seconds": statistics.median(seconds),
        "peak_bytes": peak,
    }


if __name__ == "__main__":
    main()
