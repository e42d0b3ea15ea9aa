"""How good on tables: `bottega train` as a user types it, every candidate on the same test part, over split seeds.

python benchmarks/tables.py DATA_DIR [--only concrete ...] [--split-seeds 0 1 2 3 4] [--time 60s] [--autogluon PYTHON]

DATA_DIR holds a folder for each set. Each training is a whole process. The rivals are scikit-learn's own models, tuned
on the same validation rows; the test part is read once a seed, and the difference to the best rival there is paired.
With --autogluon (the interpreter of its environment; benchmarks/peers/autogluon_tables.py says how to make one) it is
fitted too, under the same limit: on the rows that training and validation had, judged on the same test rows.
"""

import argparse
import csv
import json
import tempfile
from pathlib import Path
from typing import Any

from ledger import RESULTS, ROOT, append, run, train

RIVALS = (  # scikit-learn's
    "logistic regression",
    "ridge regression",
    "nearest neighbours",
    "random forest",
    "support vector machine",
    "gradient boosting",
)
SETS: dict[str, tuple[str, ...]] = {  # the target, and columns that a person who knows the data leaves out
    "concrete": ("strength",),
    "boston": ("medv",),
    "insurance": ("charges",),
    "bike_sharing": ("cnt", "instant"),
    "diamonds": ("price",),
    "ames_house_prices": ("SalePrice", "Id"),
    "adult_income": ("income >50K",),
    "telco_churn": ("Churn", "customerID"),
    "german_credit": ("default",),
    "credit_default": ("default",),
    "titanic": ("Survived", "PassengerId"),
    "wine_quality": ("quality",),
    "letters": ("letter",),
    "mushrooms": ("type",),
}
PEER = ROOT / "benchmarks" / "peers" / "autogluon_tables.py"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("--only", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--split-seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--time", help="limit of each training")
    parser.add_argument("--autogluon", type=Path, help="interpreter of an environment that has it; needs --time")
    parser.add_argument("--results", type=Path, default=RESULTS)
    stated = parser.parse_args()
    if stated.autogluon is not None and not (stated.time or "").endswith("s"):
        parser.error("--autogluon needs the same limit: --time 60s")
    for seed in stated.split_seeds:
        for name in stated.only:
            record = {
                "data": name,
                "split_seed": seed,
                **one(stated.data_dir / name / f"{name}.csv", seed, stated.time, stated.autogluon),
            }
            append("tables", stated.results, record)
            print(line(record), flush=True)


def one(data: Path, seed: int, time: str | None, python: Path | None) -> dict[str, Any]:
    """One training as a whole process, and what of its record is compared."""
    target, *ignored = SETS[data.stem]
    words = ["--target", target, "--split-seed", str(seed), *(word for name in ignored for word in ("--ignore", name))]
    words += ["--time", time] if time else []
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        said, ran = train(data, home, cache=home / "cache", name="run", options=tuple(words))
        n_bytes = (home / said["model_path"]).stat().st_size
        history = (home / said["run_dir"] / "history.jsonl").read_text("utf-8").splitlines()
        peer = None
        if python is not None and said["test"]["source"] == "held-out":  # else every row is tested, out of fold
            peer = autogluon(data, said, home, python, (time or "").removesuffix("s"))
    (shipped,) = [line for line in map(json.loads, history) if line.get("event") == "shipped"]
    tested = [
        {key: one[key] for key in ("name", "kind", "test", "difference", "train_seconds", "dropped", "relation")}
        for one in said["candidates"]
        if one["test"]
    ]
    metric = said["metric"]
    return {
        "limit": time,
        "metric": metric,
        "n": said["split"]["counts"],
        "source": said["test"]["source"],
        "chosen": said["chosen"],
        "test": said["test"],
        "metrics": said["metrics"],
        "candidates": tested,
        "left_out": {one["name"]: one["dropped"] for one in said["candidates"] if not one["test"]},
        "rival": best_rival(tested, higher=said["test"]["higher_is_better"]),
        "bytes": n_bytes,
        "agreement": shipped["largest"],
        "seconds": round(ran.seconds, 2),
        "peak_bytes": ran.peak_bytes,
        **({} if peer is None else {"autogluon": peer}),
    }


def autogluon(data: Path, said: dict[str, Any], home: Path, python: Path, seconds: str) -> dict[str, Any]:
    """The same rows in its hands: those of predictions.csv to be judged on, all others to learn from."""
    target, *ignored = SETS[data.stem]
    with (home / said["run_dir"] / "predictions.csv").open(encoding="utf-8", newline="") as file:
        tested = {int(line["input"].removeprefix("row ")) for line in csv.DictReader(file)}
    paths = {is_test: home / f"{name}.csv" for is_test, name in ((False, "train"), (True, "test"))}
    with data.open(encoding="utf-8", newline="") as file:
        head, *rows = csv.reader(file)
    kept = [place for place, name in enumerate(head) if name not in ignored]
    for is_test, path in paths.items():
        with path.open("w", encoding="utf-8", newline="") as file:
            lines = (row for number, row in enumerate(rows, 2) if (number in tested) == is_test)  # the header is row 1
            csv.writer(file).writerows([line[place] for place in kept] for line in (head, *lines))
    command = [str(python.absolute()), str(PEER), *map(str, (paths[False], paths[True])), target, said["metric"]]
    ran = run([*command, seconds], cwd=home)
    return {**ran.document(), "n": len(tested), "seconds": round(ran.seconds, 2), "peak_bytes": ran.peak_bytes}


def best_rival(tested: list[dict[str, Any]], *, higher: bool) -> dict[str, Any]:
    """Of scikit-learn's models the one that is best on the test part: luckier than any choice may be."""
    rivals = [one for one in tested if one["name"] in RIVALS]
    return (max if higher else min)(rivals, key=lambda one: float(one["test"]["score"]))


def line(record: dict[str, Any]) -> str:
    """One record as a line."""
    test, rival, peer = record["test"], record["rival"], record.get("autogluon")
    beside = f"; AutoGluon {peer['score']:.4g} in {peer['seconds']:.0f} s" if peer else ""
    return (
        f"{record['data']} seed {record['split_seed']}: {record['chosen']} {test['score']:.4g}, best of scikit-learn's "
        f"{rival['name']} {rival['test']['score']:.4g} ({record['metric']}); {record['bytes'] / 1e6:.2f} MB, "
        f"{record['seconds']:.0f} s, the file differs by {record['agreement']:.1e}{beside}"
    )


if __name__ == "__main__":
    main()
