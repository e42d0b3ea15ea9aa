"""How good on texts: `bottega train` as a user types it, every candidate on the same test part, and the seconds.

python benchmarks/texts.py DATA --target COL [--text COL] [--name trec] [--split-seeds 0] [--options=--preset=accurate]
    [--by language]

DATA is a file, or a folder with train.csv and test.csv. Each training is a whole process with an empty cache. The
rival is what needs no pretrained weights and no network: TF-IDF of words with a linear model. It is trained once more
to ship, with the cache of the first run, for its macro-F1: each class counts the same. With --by that is also told of
the test texts of each value of a column, where DATA is a CSV file.
"""

import argparse
import csv
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from ledger import RESULTS, append, train

from bottega.evaluation.metrics import METRICS

RIVAL = "words, logistic regression"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--target", required=True)
    parser.add_argument("--text")
    parser.add_argument("--name", help="of the data in the records; by default the file's or folder's")
    parser.add_argument("--split-seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--options", action="append", default=[], help="more words for `bottega train`")
    parser.add_argument("--by", help="column of DATA, whose values are scored apart")
    parser.add_argument("--results", type=Path, default=RESULTS)
    stated = parser.parse_args()
    name = stated.name or stated.data.stem
    values = column(stated.data, stated.by) if stated.by else {}
    for seed in stated.split_seeds:
        words = ["--target", stated.target, "--split-seed", str(seed), *stated.options]
        words += ["--text", stated.text] if stated.text else []
        with tempfile.TemporaryDirectory() as folder:
            home = Path(folder)
            said, ran = train(stated.data, home, cache=home / "cache", name="run", options=tuple(words))
            model = Path(said["model_path"])
            n_bytes = (home / model).stat().st_size
            f1 = {"chosen": macro_f1(home / "runs" / "run", values)}
            if any(one["name"] == RIVAL and one["test"] for one in said["candidates"]):
                asked = (*words, "--ship", RIVAL)
                train(stated.data, home, cache=home / "cache", name="rival", options=asked)
                f1["rival"] = macro_f1(home / "runs" / "rival", values)
        record = {"data": name, "split_seed": seed, "options": stated.options, **summary(said)}
        record |= {"seconds": round(ran.seconds, 1), "peak_bytes": ran.peak_bytes, "bytes": n_bytes, "f1_macro": f1}
        append("texts", stated.results, record)
        print({key: record[key] for key in ("data", "chosen", "test", "rival", "f1_macro", "seconds")}, flush=True)


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
