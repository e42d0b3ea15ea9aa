"""How good on texts: `bottega train` as a user types it, every candidate on the same test part, and the seconds.

python benchmarks/texts.py DATA --target COL [--text COL] [--name trec] [--split-seeds 0] [--options=--preset=accurate]

DATA is a file, or a folder with train.csv and test.csv. Each training is a whole process with an empty cache. The
rival is what needs no pretrained weights and no network: TF-IDF of words with a linear model.
"""

import argparse
import tempfile
from pathlib import Path
from typing import Any

from ledger import RESULTS, append, train

RIVAL = "words, logistic regression"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--target", required=True)
    parser.add_argument("--text")
    parser.add_argument("--name", help="of the data in the records; by default the file's or folder's")
    parser.add_argument("--split-seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--options", action="append", default=[], help="more words for `bottega train`")
    parser.add_argument("--results", type=Path, default=RESULTS)
    stated = parser.parse_args()
    name = stated.name or stated.data.stem
    for seed in stated.split_seeds:
        words = ["--target", stated.target, "--split-seed", str(seed), *stated.options]
        words += ["--text", stated.text] if stated.text else []
        with tempfile.TemporaryDirectory() as folder:
            home = Path(folder)
            said, ran = train(stated.data, home, cache=home / "cache", name="run", options=tuple(words))
            model = Path(said["model_path"])
            n_bytes = (home / model).stat().st_size
        record = {"data": name, "split_seed": seed, "options": stated.options, **summary(said)}
        record |= {"seconds": round(ran.seconds, 1), "peak_bytes": ran.peak_bytes, "bytes": n_bytes}
        append("texts", stated.results, record)
        print({key: record[key] for key in ("data", "chosen", "test", "rival", "seconds")}, flush=True)


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
