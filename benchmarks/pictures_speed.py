"""How fast: training end to end, cold and warm, beside the physical limits, all measured in one run.

The limits are the bare engine (the graph that ships, in ONNX Runtime, on pixels that lie ready) and the decoder.
python benchmarks/pictures_speed.py DATA --name simpsons_seed [--repeats 3]
"""

import argparse
import itertools
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from ledger import RESULTS, append, seconds_of_all, train

from bottega.data.profile import ImageSet, profile, select
from bottega.data.sources import open_source
from bottega.data.store import Store
from bottega.workflow.features import compute_features, cores_at_hand, engine
from bottega.workflow.pictures import PictureViews

ALLOWANCE_SECONDS = 12.0  # imports, fitting, replay and report, as the target states it
SLACK = 1.3
WARM_SECONDS = 8.0
BATCHES = (1, 4, 8, 16)
N_READY = 256  # pictures held decoded for the engine
ROUNDS = 3  # each round measures every limit once, so that a slow minute of the machine hits all alike


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--name", help="of the data in the records; by default the folder's")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--results", type=Path, default=RESULTS)
    stated = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ends = end_to_end(stated.data, Path(folder), stated.repeats)
        limits = measure_limits(stated.data, Path(folder) / "warm")
    record = {"data": stated.name or stated.data.name, "repeats": stated.repeats, **ends, **limits}
    record["ratios"] = ratios(record)
    append("pictures_speed", stated.results, record)
    for key in ("cold_seconds", "warm_seconds", "cold_steps", "warm_steps", "peak_bytes", "engine", "ratios"):
        print(f"{key}: {record[key]}")
    print({key: record[key] for key in ("n", "features_per_second", "decode_per_second")})


def end_to_end(data: Path, home: Path, repeats: int) -> dict[str, Any]:
    """Whole processes with an empty cache each, then with the cache of an earlier one."""
    cold, warm = [], []
    for i in range(repeats):
        cold.append(train(data, home, cache=home / f"cold-{i}", name=f"cold-{i}"))
    train(data, home, cache=home / "warm", name="warming")
    for i in range(repeats):
        warm.append(train(data, home, cache=home / "warm", name=f"warm-{i}"))
    found: dict[str, Any] = {"peak_bytes": max(ran.peak_bytes for _, ran in cold)}
    for what, runs in (("cold", cold), ("warm", warm)):
        found[f"{what}_seconds"] = [round(ran.seconds, 2) for _, ran in runs]
        found[f"{what}_steps"] = [said["seconds"] for said, _ in runs]
    return found


def measure_limits(data: Path, cache: Path) -> dict[str, Any]:
    """Pictures per second of the bare engine, of the decoder, and of `compute_features` with nothing cached."""
    workers = cores_at_hand()
    images = profile(open_source(str(data)), store=Store(cache))
    views = PictureViews(images, Store(cache), workers, None)
    graph, n_features = views.graph("efficientnet_lite0")
    part = one_size(images)
    ready = [part.pixels(i) for i in range(len(part))]
    engines: dict[str, list[float]] = {}
    decoding, describing = [], []
    for i in range(ROUNDS):
        for (n_workers, threads), batch in itertools.product(sorted({(1, workers), (workers, 1)}), BATCHES):
            rate = engine_rate(graph, ready, n_workers, threads, batch)
            how = f"{n_workers} worker(s) with {threads} thread(s), batches of {batch}"
            engines.setdefault(how, []).append(rate)
        decoding.append(decode_rate(images, workers))
        store = Store(cache.parent / f"features-{i}")  # empty
        describing.append(features_rate(images, graph, n_features, store, workers))
    medians = {how: round(statistics.median(rates), 2) for how, rates in engines.items()}
    return {
        "n": len(images),
        "n_ready": len(part),
        "size": part.sizes[0].tolist(),
        "workers": workers,
        "engine": medians,
        "engine_per_second": max(medians.values()),
        "decode_per_second": round(statistics.median(decoding), 2),
        "features_per_second": round(statistics.median(describing), 2),
        "features_rounds": [round(rate, 2) for rate in describing],
    }


def one_size(images: ImageSet) -> ImageSet:
    """Up to N_READY pictures of the commonest size, spread over the set."""
    sizes, counts = np.unique(images.sizes, axis=0, return_counts=True)
    rows = np.flatnonzero((images.sizes == sizes[counts.argmax()]).all(1))
    return select(images, rows[:: -(-len(rows) // N_READY)])


def engine_rate(graph: bytes, ready: list[npt.NDArray[np.uint8]], workers: int, threads: int, batch: int) -> float:
    """Pictures per second of ONNX Runtime alone: one session, `threads` in each worker's call, pixels in memory."""
    session = engine(graph, threads=threads)
    batches = [np.stack(ready[start : start + batch]) for start in range(0, len(ready) - batch + 1, batch)]
    session.run(None, {"image": batches[0]})  # the first run plans memory
    n = sum(len(one) for one in batches)
    return n / seconds_of_all(lambda one: session.run(None, {"image": one}), batches, workers)


def decode_rate(images: ImageSet, workers: int) -> float:
    """Pictures per second of reading and decoding alone."""
    return len(images) / seconds_of_all(images.pixels, list(range(len(images))), workers)


def features_rate(images: ImageSet, graph: bytes, n_features: int, store: Store, workers: int) -> float:
    start = time.perf_counter()
    compute_features(images, graph, (n_features,), store=store, threads=workers)
    return len(images) / (time.perf_counter() - start)


def ratios(record: dict[str, Any]) -> dict[str, float]:
    """Measured over allowed (cold, warm: at most 1), and features over the two limits (at most 1 by nature)."""
    bare = record["engine_per_second"]
    both = 1 / (1 / record["decode_per_second"] + 1 / bare)  # each worker decodes, then computes
    allowed = SLACK * record["n"] / bare + ALLOWANCE_SECONDS
    found = {
        "cold_allowed_seconds": allowed,
        "cold_over_allowed": statistics.median(record["cold_seconds"]) / allowed,
        "warm_over_allowed": statistics.median(record["warm_seconds"]) / WARM_SECONDS,
        "features_over_engine": record["features_per_second"] / bare,
        "features_over_decode_and_engine": record["features_per_second"] / both,
    }
    return {what: round(value, 3) for what, value in found.items()}


if __name__ == "__main__":
    main()
