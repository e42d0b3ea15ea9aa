"""How fast on texts: sentence features from strings beside the bare engine, and one prediction, cold and loaded.

python benchmarks/texts_speed.py TEXTS.csv --text COL --target COL [--name sms_spam] [--n 2000] [--runs 7]

The bare engine is the sentence network's graph in ONNX Runtime on word pieces that lie ready, texts of about as many
pieces together, the best of several batch sizes. Predictions are asked of a file with that network, trained on 600 of
the texts.
"""

import argparse
import csv
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ledger import PYTHON, RESULTS, append, bottega, in_turn, seconds_of_all, train

from bottega.data.store import Store
from bottega.data.text_codes import CodedTexts
from bottega.data.texts import digests
from bottega.models.sentence import SentenceNetwork, find_sentence_network
from bottega.shipping.predictor import load
from bottega.workflow.features import cores_at_hand, engine
from bottega.workflow.text_features import BATCH, sentence_features, sentence_graphs, word_pieces

N_TRAINED = 600
BATCHES = (8, 16, 32)
ASKED = "Free entry! Text WIN to 80086 before Friday, 09:00."
N_ASKED = 100  # of the loaded model
CANDIDATE = "sentence network"
BARE = """
import sys
import numpy
import onnxruntime
session = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
print(session.run(None, {"text": numpy.array([sys.argv[2]], object)})[0])
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--text", required=True)
    parser.add_argument("--target", required=True)
    parser.add_argument("--name", help="of the data in the records; by default the file's")
    parser.add_argument("--n", type=int, default=2000, help="texts that features are made of")
    parser.add_argument("--rounds", type=int, default=3, help="each measures every rate once")
    parser.add_argument("--runs", type=int, default=7, help="cold predictions")
    parser.add_argument("--results", type=Path, default=RESULTS)
    stated = parser.parse_args()
    network = find_sentence_network()
    if network is None:
        raise SystemExit("the sentence network is not installed: pip install 'bottega[text]'")
    with stated.data.open(encoding="utf-8", newline="") as file:
        rows = [(row[stated.text], row[stated.target]) for row in csv.DictReader(file)]
    with tempfile.TemporaryDirectory() as folder:
        record = {"data": stated.name or stated.data.stem}
        record |= rates([text for text, _ in rows][: stated.n], network, stated.rounds, Path(folder))
        record |= predictions(rows[:N_TRAINED], stated.runs, Path(folder))
    append("texts_speed", stated.results, record)
    shown = ("features_per_second", "engine_per_second", "features_over_engine", "share_of_tokenising")
    print({key: record[key] for key in (*shown, "median_seconds", "loaded_ms", "bytes")})


def rates(texts: Sequence[str], network: SentenceNetwork, n_rounds: int, folder: Path) -> dict[str, Any]:
    """Texts per second of everything, of the engine on ready pieces, and of the cutting into pieces."""
    workers = cores_at_hand()
    hashes, graphs = digests(texts), sentence_graphs(network)
    cutting, bare = engine(graphs.cutting, threads=1), engine(graphs.describing, threads=1)
    pieces = word_pieces(texts, network)
    ready = {size: batches(pieces, size) for size in BATCHES}
    strings = [np.array(sorted(texts, key=len)[i : i + BATCH], object) for i in range(0, len(texts), BATCH)]
    n_pieces = int(pieces.lengths.sum())
    features, cut = [], []
    engines: dict[int, list[float]] = {size: [] for size in BATCHES}
    for number in range(n_rounds):
        store = Store(folder / f"store-{number}")  # empty
        start = time.perf_counter()
        sentence_features(texts, hashes, graphs, store=store, threads=workers)
        features.append(time.perf_counter() - start)
        cut.append(seconds_of_all(lambda one: cutting.run(None, {"text": one}), strings, workers))
        for size in BATCHES:
            engines[size].append(seconds_of_all(lambda one: bare.run(None, {"pieces": one}), ready[size], workers))
    medians = {size: len(texts) / statistics.median(seconds) for size, seconds in engines.items()}
    whole_seconds, best = statistics.median(features), max(medians.values())
    return {
        "n": len(texts),
        "pieces_per_text": round(n_pieces / len(texts), 1),
        "workers": workers,
        "engine": {f"batches of {size}": round(rate, 1) for size, rate in medians.items()},
        "engine_per_second": round(best, 1),
        "features_per_second": round(len(texts) / whole_seconds, 1),
        "features_rounds": [round(len(texts) / seconds, 1) for seconds in features],
        "features_over_engine": round(len(texts) / whole_seconds / best, 3),
        "share_of_tokenising": round(statistics.median(cut) / whole_seconds, 4),
    }


def batches(pieces: CodedTexts, size: int) -> list[Any]:
    """(size, T) pieces each, texts of about as many pieces together, as features are made."""
    order = np.argsort(pieces.lengths, kind="stable")
    jobs = (order[start : start + size] for start in range(0, len(order), size))
    return [pieces[job].numbers().astype(np.int64) for job in jobs]


def predictions(rows: Sequence[tuple[str, str]], n_runs: int, home: Path) -> dict[str, Any]:
    """Seconds of whole processes in turn, the first of each only to fill the disk cache; then of a loaded model."""
    data = home / "texts.csv"
    with data.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *rows])
    options = ("--text", "text", "--target", "label", "--ship", CANDIDATE)
    train(data, home, cache=home / "cache", name="asked", options=options)
    model = str(home / "runs" / "asked" / "model.onnx")
    commands = {"predict": bottega("predict", model, ASKED), "bare engine": [str(PYTHON), "-c", BARE, model, ASKED]}
    ran = in_turn(commands, home, n_runs)
    seconds = {what: [round(one.seconds, 4) for one in found] for what, found in ran.items()}
    return {
        "bytes": Path(model).stat().st_size,
        "median_seconds": {what: round(statistics.median(found), 4) for what, found in seconds.items()},
        "seconds": seconds,
        "loaded_ms": round(1000 * statistics.median(loaded(model)), 2),
    }


def loaded(path: str) -> list[float]:
    """Seconds of each of many questions, as `bottega serve` or a notebook asks them; the first plans memory."""
    model = load(path)
    model(ASKED)
    found = []
    for number in range(N_ASKED):
        start = time.perf_counter()
        model(f"{ASKED} {number}")
        found.append(time.perf_counter() - start)
    return found


if __name__ == "__main__":
    main()
