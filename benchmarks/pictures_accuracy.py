"""How good: `bottega train` on one folder over several split seeds, each with its rivals on the same pictures.

python benchmarks/pictures_accuracy.py DATA --name simpsons_seed --split-seeds 0 1 2 3 4 [--preset accurate]
"""

import argparse
import statistics
import tempfile
import tomllib
from pathlib import Path
from typing import Any

from ledger import RESULTS, Ran, append, train

MAJORITY = "most frequent class"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--name", help="of the data in the records; by default the folder's")
    parser.add_argument("--split-seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--preset", choices=("fast", "accurate"), default="fast")
    parser.add_argument("--results", type=Path, default=RESULTS)
    stated = parser.parse_args()
    name = stated.name or stated.data.name
    records: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        for seed in stated.split_seeds:
            options = ("--split-seed", str(seed), "--preset", stated.preset)
            said, ran = train(stated.data, home, cache=home / "cache", name=str(seed), options=options)
            record = described(said, ran, home / "runs" / str(seed))
            record = {
                "data": name,
                "preset": stated.preset,
                "split_seed": seed,
                "cache_was_empty": not records,
                **record,
            }
            append("pictures_accuracy", stated.results, record)
            records.append(record)
            print(line(record), flush=True)
    print(summary(name, stated.preset, records))


def described(said: Any, ran: Ran, run_dir: Path) -> dict[str, Any]:
    """What of a training's record is kept, beside its whole recipe without the path of the data."""
    recipe = tomllib.loads((run_dir / "recipe.toml").read_text("utf-8"))
    del recipe["source"]
    candidates = [
        {
            "name": one["name"],
            "kind": one["kind"],
            "val": one["val"],
            "test": one["test"],
            "train_seconds": one["train_seconds"],
            "dropped": one["dropped"],
            "relation": one["relation"],
        }
        for one in said["candidates"]
    ]
    return {
        "metric": said["metric"],
        "chosen": said["chosen"],
        "test": said["test"],
        "twins_grouped": said["metrics"].get("twins_grouped", said["metrics"][said["metric"]]),
        "twins_split": said["metrics"].get("twins_split"),  # None: no twins, or out-of-fold scores
        "metrics": said["metrics"],
        "sure": said["sure"],
        "split": said["split"],
        "n_twin_groups": len(said["twins"]),
        "candidates": candidates,
        "seconds": round(ran.seconds, 2),
        "steps": said["seconds"],
        "peak_bytes": ran.peak_bytes,
        "model_bytes": (run_dir / "model.onnx").stat().st_size,
        "report_bytes": (run_dir / "report.html").stat().st_size,
        "recipe": recipe,
    }


def best_rival(record: dict[str, Any]) -> dict[str, Any]:
    """The baseline with the highest test score: the choice of the test part itself, so a rival at its luckiest."""
    rivals = [one for one in record["candidates"] if one["kind"] == "baseline" and one["test"]]
    return max(rivals, key=lambda one: float(one["test"]["score"]))


def line(record: dict[str, Any]) -> str:
    grouped, split, rival = record["twins_grouped"], record["twins_split"], best_rival(record)
    naive = f"{split['score']:.4f}" if split else "none"
    return (
        f"split {record['split_seed']}: {record['chosen']} {grouped['score']:.4f} "
        f"[{grouped['low']:.4f}, {grouped['high']:.4f}] n={grouped['n']} ({record['test']['source']}), "
        f"split naively {naive}, best rival {rival['name']} {rival['test']['score']:.4f}, "
        f"{record['seconds']:.1f} s, {record['peak_bytes'] / 1e6:.0f} MB"
    )


def summary(name: str, preset: str, records: list[dict[str, Any]]) -> str:
    split = [r["twins_split"]["score"] for r in records if r["twins_split"]]
    parts = {
        "twins_grouped": [r["twins_grouped"]["score"] for r in records],
        "twins_split": split,
        "best rival": [best_rival(r)["test"]["score"] for r in records],
        "seconds": [r["seconds"] for r in records],
    }
    said = [f"{what} {statistics.mean(values):.4f} ± {_spread(values):.4f}" for what, values in parts.items() if values]
    return f"{name}, {preset}, {len(records)} splits: " + ", ".join(said)


def _spread(values: list[float]) -> float:
    return statistics.stdev(values) if len(values) > 1 else 0.0


if __name__ == "__main__":
    main()
