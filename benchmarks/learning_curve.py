"""Does a curve foretell the score? Pictures are withheld, and what they would have given is then measured.

python benchmarks/learning_curve.py ../shared/data/images/mnist/mnist.npz

From N pictures `bottega curve` says what 2N would give; then 2N are trained on, with the same test part, and so on.
"""

import argparse
import itertools
import statistics
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from ledger import RESULTS, append

from bottega.workflow.curve import CurveKeywords, curve

SIZES = (500, 1000, 2000, 4000, 8000)  # pictures that training and validation share
N_TEST = 2000
CANDIDATES: dict[str, CurveKeywords] = {"mlp": {"network": "mlp", "epochs": 10}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="an .npz with x_train, y_train, x_test, y_test")
    parser.add_argument("--seeds", type=int, default=3, help="draws of the pictures")
    parser.add_argument("--results", type=Path, default=RESULTS)
    stated = parser.parse_args()
    for name, keywords in CANDIDATES.items():
        lines = [foretold(stated.data, keywords, seed) for seed in range(stated.seeds)]
        for same_size in zip(*lines, strict=True):
            came = statistics.fmean(line["measured_gain"] for line in same_size)  # the mean is what is foretold
            for line in same_size:
                record = {**line, "mean_gain": round(came, 5), "inside": line["low"] <= came <= line["high"]}
                append("learning_curve", stated.results, {"data": stated.data.stem, "candidate": name, **record})
                print(record, flush=True)


def foretold(path: Path, keywords: CurveKeywords, seed: int) -> list[dict[str, Any]]:
    """One line for each doubling: what was expected, and what came."""
    with np.load(path, allow_pickle=False) as arrays:
        x, y, x_test, y_test = (arrays[name] for name in ("x_train", "y_train", "x_test", "y_test"))
    rng = np.random.default_rng(seed)
    order, tested = rng.permutation(len(x)), rng.permutation(len(x_test))[:N_TEST]
    records = []
    with tempfile.TemporaryDirectory() as folder:
        for n in SIZES:
            part = Path(folder) / f"{path.stem}-{n}.npz"
            rows = order[:n]
            np.savez(part, x_train=x[rows], y_train=y[rows], x_test=x_test[tested], y_test=y_test[tested])
            seeded: CurveKeywords = {**keywords, "seed": seed}
            records.append(curve(str(part), **seeded))
    lines = []
    for before, after in itertools.pairwise(records):
        came = after.points[-1].score.score - before.points[-1].score.score
        lines.append(
            {
                "seed": seed,
                "n_train": before.points[-1].n,
                "expected_gain": round(before.gain.score, 5),
                "low": round(before.gain.low, 5),
                "high": round(before.gain.high, 5),
                "measured_gain": round(came, 5),
                "sentence": before.sentence,
                "seconds": before.seconds,
            }
        )
    return lines


if __name__ == "__main__":
    main()
