"""scikit-learn's digits on five splits: the network that suits them, beside a support vector machine.

python benchmarks/digits.py [--seeds 5] [--results FOLDER]

Each split holds a fifth out for the test and a sixth of the rest for validation, which keeps the best epoch; the
settings are those of `bottega train digits`. The support vector machine, with scikit-learn's defaults, is fitted on
training and validation together.
"""

import argparse
import dataclasses
import statistics
import time
from pathlib import Path
from typing import Any

from bottega.workflow.threads import calm_threads

calm_threads()  # before torch is loaded

import numpy as np  # noqa: E402
import torch  # noqa: E402
from ledger import RESULTS, append  # noqa: E402
from sklearn.datasets import load_digits  # noqa: E402
from sklearn.model_selection import train_test_split  # noqa: E402
from sklearn.svm import SVC  # noqa: E402

from bottega.models.networks import build_seeded  # noqa: E402
from bottega.models.plans import standard  # noqa: E402
from bottega.training.augmentation import mirror_probe, suggest  # noqa: E402
from bottega.training.loop import Data, Examples, Goal, fit  # noqa: E402
from bottega.training.precision import best_precision  # noqa: E402
from bottega.workflow.options import TrainOptions  # noqa: E402
from bottega.workflow.own_network import Planned, default_settings  # noqa: E402

WANTED = {"test_accuracy": 0.985, "seconds": 5.0}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--results", type=Path, default=RESULTS)
    stated = parser.parse_args()
    one_split(0)  # kernels are chosen once a process
    splits = [one_split(seed) for seed in range(stated.seeds)]
    record = {name: [split[name] for split in splits] for name in splits[0]}
    means = {f"mean_{name}": statistics.mean(values) for name, values in record.items() if name != "seed"}
    append("digits", stated.results, {"data": "digits", **record, **means, "wanted": WANTED})
    print(means)


def one_split(seed: int) -> dict[str, Any]:
    """Test accuracy and training seconds of one split, and the accuracy of the support vector machine."""
    found = load_digits()
    x, y = np.round(found.images * (255 / 16)).astype(np.uint8)[:, None], found.target.astype(np.int64)
    rows = np.arange(len(y))
    rest, test = train_test_split(rows, test_size=0.2, random_state=seed, stratify=y)
    train, val = train_test_split(rest, test_size=1 / 6, random_state=seed, stratify=y[rest])
    options = TrainOptions(seed=seed)
    start = time.perf_counter()
    plan = standard("cnn", x.shape[1:])
    network = build_seeded(plan, 10, seed)
    augment = suggest(x.shape[2], 1, mirrored=mirror_probe(x[train], y[train], seed=seed)).names
    settings = Planned(plan).suited(default_settings(len(train), options, threads=1, device="cpu"), len(train))
    settings = dataclasses.replace(settings, augment=augment, precision=best_precision(network))
    data = Data.standardised(Examples(x[train], y[train]), Examples(x[val], y[val]))
    fit(network, data, settings, goal=Goal(lambda y, p: float((p.argmax(1) == y).mean())))
    seconds = time.perf_counter() - start
    with torch.inference_mode():
        answers = network(torch.from_numpy((x[test] - data.mean) / data.scale)).argmax(1).numpy()
    rival = SVC().fit(found.data[rest], y[rest])
    return {
        "seed": seed,
        "test_accuracy": float((answers == y[test]).mean()),
        "seconds": round(seconds, 2),
        "svc_accuracy": float(rival.score(found.data[test], y[test])),
    }


if __name__ == "__main__":
    main()
