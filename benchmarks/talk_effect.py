"""What a split that ignores near twins claims: how many of its test pictures have one among the training pictures.

python benchmarks/talk_effect.py DATA --name simpsons_seed --split-seeds 0 1 2 3 4     (seconds: nothing is trained)
"""

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from ledger import RESULTS, append

from bottega.data.checks import labelled
from bottega.data.profile import ImageSet, profile, select
from bottega.data.sources import open_source
from bottega.data.splits import naive_split
from bottega.data.store import Store


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--name", help="of the data in the records; by default the folder's")
    parser.add_argument("--split-seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--results", type=Path, default=RESULTS)
    stated = parser.parse_args()
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as cache:
        everything = profile(open_source(str(stated.data)), store=Store(Path(cache)))
    images = select(everything, labelled(everything))
    seconds = round(time.perf_counter() - start, 2)
    for seed in stated.split_seeds:
        found = twins_across(images, seed)
        record = {"data": stated.name or stated.data.name, "split_seed": seed, **found, "look_seconds": seconds}
        append("talk_effect", stated.results, record)
        print(record)


def twins_across(images: ImageSet, seed: int) -> dict[str, Any]:
    """Count the test pictures of a naive split whose group of near twins reaches into training or validation."""
    part = naive_split(images.hashes, seed)
    test = part == "test"
    seen = np.isin(images.twin_groups, np.unique(images.twin_groups[~test]))
    return {
        "n": len(images),
        "n_groups": len(np.unique(images.twin_groups)),
        "n_with_twin": sum(len(twin.members) for twin in images.twins),
        "twin_threshold": round(float(images.twin_threshold), 4),
        "n_test": int(test.sum()),
        "n_test_with_twin_in_training": int((test & seen).sum()),
    }


if __name__ == "__main__":
    main()
