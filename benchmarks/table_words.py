"""What are the words of a text column worth beside the other columns? Trained with and without `--features`.

python benchmarks/table_words.py ../shared/data/text/fine_foods/fine_foods.csv --target label --text text
python benchmarks/table_words.py ../shared/data/tables/titanic/titanic.csv --target Survived --text Name --text Ticket

The rows are drawn anew for each seed: 15 % are the test part of both trainings. Where a table has nothing but its
texts, the length of the first one in characters is a column beside them.
"""

import argparse
import csv
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from ledger import RESULTS, append, train

TEST = 0.15
LENGTH = "n_characters"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="a CSV")
    parser.add_argument("--target", required=True)
    parser.add_argument("--text", required=True, action="append", help="a column of texts; may be given again")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--time", help="of each training; none by default")
    parser.add_argument("--results", type=Path, default=RESULTS)
    stated = parser.parse_args()
    with stated.data.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    rows = [{name: cell for name, cell in row.items() if name != "split"} for row in rows]
    if len({*rows[0]} - {stated.target, *stated.text}) < 2:
        rows = [{**row, LENGTH: str(len(row[stated.text[0]]))} for row in rows]
    for seed in range(stated.seeds):
        for with_words in (False, True):
            record = trained(rows, stated, seed, with_words=with_words)
            append("table_words", stated.results, {"data": stated.data.stem, "seed": seed, **record})
            print(record, flush=True)


def trained(rows: list[dict[str, str]], stated: argparse.Namespace, seed: int, *, with_words: bool) -> dict[str, Any]:
    """One training on the rows of a seed, and what came of it."""
    order = np.random.default_rng(seed).permutation(len(rows))
    n_test = int(TEST * len(rows))
    options = ["--target", stated.target, *(() if stated.time is None else ("--time", stated.time))]
    options += [word for name in stated.text for word in ("--type", f"{name}=text")]
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        for name, places in (("train", order[n_test:]), ("test", order[:n_test])):
            write(home / f"{name}.csv", [rows[i] for i in places])
        options += ["--test", "test.csv", *(["--features"] if with_words else [])]
        record, ran = train(home / "train.csv", home, cache=home, name="run", options=tuple(options))
        n_bytes = (home / "runs" / "run" / "model.onnx").stat().st_size
    found = record["features"]
    return {
        "features": with_words,
        "kept": [] if found is None else [[one["words"], one["gain"]] for one in found["kept"]],
        "tried": 0 if found is None else found["n_tried"],
        "metric": record["metric"],
        "chosen": record["chosen"],
        "test": record["test"],
        "file_bytes": n_bytes,
        "seconds": round(ran.seconds, 1),
    }


def write(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
