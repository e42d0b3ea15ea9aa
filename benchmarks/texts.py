"""How good on texts: `bottega train` as a user types it, every candidate on the same test part, and the seconds.

python benchmarks/texts.py DATA --target COL [--text COL] [--name trec] [--split-seeds 0] [--options=--preset=accurate]
    [--by language] [--folds 10]

DATA is a file, or a folder with train.csv and test.csv. Each training is a whole process with an empty cache. The
rival is what needs no pretrained weights and no network: TF-IDF of words with a linear model. Macro-F1 counts each
class the same; with --by it is also told of the test texts of each value of a column, where DATA is a CSV file, and
of the rival, which is then trained once more to ship, with the cache of the first run.

With --folds K, of a CSV file, each training is tested on another K-th of its rows, which are dealt class by class; all
share a cache, so that only the first has the seconds of an empty one. What is no test part is ours to split further.
"""

import argparse
import csv
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from ledger import RESULTS, append, train

from bottega.evaluation.metrics import METRICS

RIVAL = "words, logistic regression"
PART = "part_of_fold"  # the column that names it


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--target", required=True)
    parser.add_argument("--text")
    parser.add_argument("--name", help="of the data in the records; by default the file's or folder's")
    parser.add_argument("--split-seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--options", action="append", default=[], help="more words for `bottega train`")
    parser.add_argument("--by", help="column of DATA, whose values are scored apart")
    parser.add_argument("--folds", type=int, help="of the rows of a CSV file, each a test part in turn")
    parser.add_argument("--results", type=Path, default=RESULTS)
    stated = parser.parse_args()
    name = stated.name or stated.data.stem
    values = column(stated.data, stated.by) if stated.by else {}
    with tempfile.TemporaryDirectory() as folder:
        for number, (data, words, cache) in enumerate(trainings(stated, Path(folder))):
            home = Path(folder) / str(number)
            home.mkdir()
            said, ran = train(data, home, cache=cache, name="run", options=words)
            n_bytes = (home / said["model_path"]).stat().st_size
            f1 = {"chosen": macro_f1(home / "runs" / "run", values)}
            if values and any(one["name"] == RIVAL and one["test"] for one in said["candidates"]):
                train(data, home, cache=cache, name="rival", options=(*words, "--ship", RIVAL))
                f1["rival"] = macro_f1(home / "runs" / "rival", values)
            at = {"fold": number, "split_seed": 0} if stated.folds else {"split_seed": stated.split_seeds[number]}
            record = {"data": name, **at, "options": stated.options, **summary(said)}
            record |= {"seconds": round(ran.seconds, 1), "peak_bytes": ran.peak_bytes, "bytes": n_bytes, "f1_macro": f1}
            append("texts", stated.results, record)
            print({key: record[key] for key in ("data", "chosen", "test", "rival", "f1_macro", "seconds")}, flush=True)


def trainings(stated: argparse.Namespace, folder: Path) -> Iterator[tuple[Path, tuple[str, ...], Path]]:
    """What is trained on, with which words, and where the cache is."""
    words = ["--target", stated.target, *(["--text", stated.text] if stated.text else []), *stated.options]
    if not stated.folds:
        for seed in stated.split_seeds:
            yield stated.data, (*words, "--split-seed", str(seed)), folder / f"cache-{seed}"
        return
    with stated.data.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    n_dealt: Counter[str] = Counter()
    folds = []
    for number in np.random.default_rng(0).permutation(len(rows)):
        label = rows[number][stated.target]
        folds.append((number, n_dealt[label] % stated.folds))
        n_dealt[label] += 1
    for fold in range(stated.folds):
        parts = {number: "test" if one == fold else "train" for number, one in folds}
        path = folder / f"{stated.data.stem}-{fold}.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, [*rows[0], PART])
            writer.writeheader()
            writer.writerows({**row, PART: parts[number]} for number, row in enumerate(rows))
        yield path, (*words, "--split-column", PART), folder / "cache"


def column(path: Path, name: str) -> dict[str, str]:
    """The value of each row of a CSV file, by the row's name in predictions."""
    with path.open(encoding="utf-8", newline="") as file:
        return {f"row {number}": row[name] for number, row in enumerate(csv.DictReader(file), start=2)}


def macro_f1(run_dir: Path, values: Mapping[str, str]) -> dict[str, float]:
    """Of the answers on the test part: of `all`, and of those of each value."""
    with (run_dir / "predictions.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    classes = sorted({row["label"] for row in rows} | {row["answer"] for row in rows})
    index = {label: number for number, label in enumerate(classes)}
    y = np.array([index[row["label"]] for row in rows])
    said = np.eye(len(classes))[[index[row["answer"]] for row in rows]]
    of_row = np.array([values.get(row["input"], "") for row in rows])
    parts = {"all": np.ones(len(rows), bool)} | {one: of_row == one for one in sorted({*of_row.tolist()}) if one}
    return {what: round(METRICS["f1_macro"].function(y[part], said[part]), 4) for what, part in parts.items()}


def summary(said: dict[str, Any]) -> dict[str, Any]:
    """What of a run's record is compared."""
    candidates = {one["name"]: one for one in said["candidates"]}
    rival = candidates.get(RIVAL, {})
    return {
        "metric": said["metric"],
        "chosen": said["chosen"],
        "test": said["test"],
        "rival": rival.get("test"),
        "difference": rival.get("difference"),
        "steps": said["seconds"],
        "candidates": {
            name: {
                "val": one["val"] and one["val"]["score"],
                "test": one["test"] and one["test"]["score"],
                "seconds": one["train_seconds"],
                "dropped": one["dropped"],
            }
            for name, one in candidates.items()
        },
    }


if __name__ == "__main__":
    main()
