"""What learning on is worth: `bottega train --network finetune` beside the frozen features, on the same test pictures.

python benchmarks/finetune.py DATA --name flowers128 --split-seeds 0 1 2 [--network cnn] [--time 10m]
"""

import argparse
import tempfile
from pathlib import Path

from ledger import RESULTS, append, train


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--name", help="of the data in the records; by default the folder's")
    parser.add_argument("--network", choices=("finetune", "cnn", "resnet"), default="finetune")
    parser.add_argument("--split-seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--preset", choices=("fast", "accurate"), default="fast")
    parser.add_argument("--time", default="10m")
    parser.add_argument("--results", type=Path, default=RESULTS)
    stated = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        for seed in stated.split_seeds:
            network, split = ("--network", stated.network, "--ship", stated.network), ("--split-seed", str(seed))
            options = (*network, *split, "--preset", stated.preset, "--time", stated.time)
            said, ran = train(stated.data, home, cache=home / str(seed), name=str(seed), options=options)
            record = {
                "data": stated.name or stated.data.name,
                "network": stated.network,
                "preset": stated.preset,
                "split_seed": seed,
                "limit": stated.time,
                "seconds": round(ran.seconds, 2),
                "cpu_seconds": round(ran.cpu_seconds, 2),
                "peak_bytes": ran.peak_bytes,
                "chosen": said["chosen"],
                "test": said["test"],
                "candidates": {
                    one["name"]: {key: one[key] for key in ("val", "test", "difference", "dropped", "train_seconds")}
                    for one in said["candidates"]
                },
            }
            append("finetune", stated.results, record)
            print(record, flush=True)


if __name__ == "__main__":
    main()
