"""How fast one row is answered: in a loaded session beside the bare engine, and as a whole cold process.

python benchmarks/tables_speed.py DATA_DIR [--only adult_income titanic] [--runs 11]

DATA_DIR is that of benchmarks/tables.py. Each set is trained on once, as a user does, to have the file that ships.
A row goes in as a mapping from columns to cells, with every check that `predict` makes. The bare engine is ONNX Runtime
over the same file, on arrays of one row that lie ready.
"""

import argparse
import csv
import itertools
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from ledger import PYTHON, RESULTS, append, bottega, in_turn, train
from tables import SETS

from bottega.data.table_like import cells_of_records
from bottega.shipping.predictor import load
from bottega.shipping.table_predictor import TableModel

N_ASKED = 1000  # of the loaded model
N_ROUNDS = 5
TRAINED = ("adult_income", "titanic")
BARE = """
import json
import sys
import numpy
import onnxruntime
session = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
with open(sys.argv[2], encoding="utf-8") as file:
    cells = json.load(file)
kinds = {one.name: object if "string" in one.type else numpy.float32 for one in session.get_inputs()}
print(session.run(None, {name: numpy.array([cells[name]], kind) for name, kind in kinds.items()})[0])
"""

Rows = list[dict[str, str]]
Arrays = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("--only", nargs="+", choices=SETS, default=list(TRAINED))
    parser.add_argument("--runs", type=int, default=11, help="cold predictions")
    parser.add_argument("--results", type=Path, default=RESULTS)
    stated = parser.parse_args()
    for name in stated.only:
        with tempfile.TemporaryDirectory() as folder:
            record = one(stated.data_dir / name / f"{name}.csv", stated.runs, Path(folder))
        append("tables_speed", stated.results, {"data": name, **record})
        print(name, {key: record[key] for key in ("chosen", "bytes", "loaded_ms", "engine_ms", "median_seconds")})


def one(data: Path, n_runs: int, home: Path) -> dict[str, Any]:
    """Train, then ask the file that ships."""
    target, *ignored = SETS[data.stem]
    words = ("--target", target, *(word for name in ignored for word in ("--ignore", name)))
    said, _ = train(data, home, cache=home / "cache", name="asked", options=words)
    path = home / said["model_path"]
    with data.open(encoding="utf-8", newline="") as file:
        rows = [dict(row) for row in itertools.islice(csv.DictReader(file), N_ASKED)]
    for row in rows:
        del row[target]
    model = load(path)
    if not isinstance(model, TableModel):
        raise SystemExit(f"{data.name} gave a model of {model.card.modality}")
    return {
        "chosen": said["chosen"],
        "n_columns": len(model.columns),
        "bytes": path.stat().st_size,
        **loaded(model, path, rows),
        **cold(path, rows[0], arrays_of(model, rows[0]), n_runs, home),
    }


def loaded(model: TableModel, path: Path, rows: Rows) -> dict[str, Any]:
    """Milliseconds of one row, ours and the bare engine's in turn, so that a slow moment hits both."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    ready = [arrays_of(model, row) for row in rows]
    ours, bare = [], []
    for _ in range(N_ROUNDS + 1):
        ours.append(timed(model, rows))
        bare.append(timed(lambda arrays: session.run(None, arrays), ready))
    found: dict[str, Any] = {"n_asked": len(rows)}
    for what, rounds in (("loaded", ours[1:]), ("engine", bare[1:])):  # the first plans memory
        values = [ms for one in rounds for ms in one]
        found[f"{what}_ms"] = round(statistics.median(values), 4)
        found[f"{what}_ms_95"] = round(statistics.quantiles(values, n=20)[-1], 4)
    return found


def timed(ask: Callable[[Any], Any], asked: Sequence[Any]) -> list[float]:
    """Milliseconds of each."""
    found = []
    for one in asked:
        start = time.perf_counter()
        ask(one)
        found.append(1000 * (time.perf_counter() - start))
    return found


def arrays_of(model: TableModel, row: dict[str, str]) -> Arrays:
    """The inputs of the graph for one row."""
    cells = cells_of_records([row], model.columns, model.known)
    return {
        one.name: cells[one.column].astype(np.float32 if one.dtype == "float32" else object) for one in model.columns
    }


def cold(path: Path, row: dict[str, str], arrays: Arrays, n_runs: int, home: Path) -> dict[str, Any]:
    """Seconds of whole processes in turn; the first of each only fills the disk cache."""
    table, ready = home / "row.csv", home / "row.json"
    with table.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([list(row), list(row.values())])
    ready.write_text(json.dumps({name: values.tolist()[0] for name, values in arrays.items()}), "utf-8")
    commands = {
        "predict": bottega("predict", str(path), str(table)),
        "bare engine": [str(PYTHON), "-c", BARE, str(path), str(ready)],
    }
    ran = in_turn(commands, home, n_runs)
    seconds = {what: [round(one.seconds, 4) for one in found] for what, found in ran.items()}
    medians = {what: round(statistics.median(found), 4) for what, found in seconds.items()}
    return {"median_seconds": medians, "seconds": seconds}


if __name__ == "__main__":
    main()
