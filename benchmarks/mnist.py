"""MNIST with the training loop: how fast to 99 %, how good in a minute, and what the loop costs over a bare one.

python benchmarks/mnist.py DATA.npz [--seeds 3] [--only PART] [--keras PYTHON]

DATA.npz holds x_train, y_train, x_test, y_test. Of the training part 5,000 pictures, chosen by the hash of their
pixels, are held out for validation; the test part is read once, after each training has ended. The bare loops and
Keras (in an environment of its own, named by --keras) stand in benchmarks/peers.
"""

import argparse
import dataclasses
import hashlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bottega.workflow.threads import calm_threads

calm_threads()  # before torch is loaded

import numpy as np  # noqa: E402
import numpy.typing as npt  # noqa: E402
import torch  # noqa: E402
from ledger import RESULTS, ROOT, append, run, train  # noqa: E402
from peers.bare_torch import bare_epochs, time_to_accuracy  # noqa: E402
from torch import nn  # noqa: E402

from bottega.training.checkpoint import Checkpoint  # noqa: E402
from bottega.training.loop import Callbacks, Data, Examples, Fitted, Goal, Settings, fit  # noqa: E402
from bottega.training.precision import best_precision  # noqa: E402

N_VAL = 5000
QUICK = Settings(epochs=3, batch_size=256, learning_rate=0.01, augment=("shift",), threads=2)
GOOD = dataclasses.replace(QUICK, epochs=15, average=0.995)
WANTED = {"quick": (0.990, 13.0), "good": (0.995, 69.0), "accurate": (0.996, None)}  # test accuracy, seconds
ROUNDS = 3

Digits = tuple[Data, Examples]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", choices=("quick", "good", "accurate", "overhead", "bare", "busy", "resume", "keras"))
    parser.add_argument("--keras", type=Path, help="the Python of an environment with TensorFlow")
    parser.add_argument("--results", type=Path, default=RESULTS)
    stated = parser.parse_args()
    digits = read(stated.data)
    parts: dict[str, Callable[[], dict[str, Any]]] = {
        "quick": lambda: accuracy(digits, QUICK, "quick", stated.seeds),
        "good": lambda: accuracy(digits, GOOD, "good", stated.seeds),
        "accurate": lambda: shipped(stated.data, stated.seeds),
        "overhead": lambda: overhead(digits),
        "bare": lambda: bare(digits),
        "busy": lambda: busy(digits),
        "resume": lambda: resume(digits),
    }
    if stated.keras:
        parts["keras"] = lambda: keras(stated.keras, stated.data)
    for name, part in parts.items():
        if stated.only in (None, name):
            record = {"method": name, **part()}
            append("mnist", stated.results, record)
            print(name, {key: value for key, value in record.items() if key not in ("settings", "layers", "lines")})


def read(path: Path) -> Digits:
    """Training and validation pictures, and the test part."""
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    x, y = arrays["x_train"][:, None], arrays["y_train"].astype(np.int64)
    order = np.argsort([hashlib.sha256(picture.tobytes()).digest() for picture in x])
    val, train = order[:N_VAL], np.sort(order[N_VAL:])
    test = Examples(arrays["x_test"][:, None], arrays["y_test"].astype(np.int64))
    return Data.standardised(Examples(x[train], y[train]), Examples(x[val], y[val])), test


def network(seed: int) -> nn.Sequential:
    """Three convolutions without padding, each followed by norm and ReLU; strides in the place of pooling.

    At full resolution norm, ReLU and pooling take more time than the products: the first layer halves it. 24 and 48
    channels, because oneDNN's bfloat16 kernel for a strided step from 32 to 64 waits by spinning, and crawls as soon as
    another process wants a core.
    """
    torch.manual_seed(seed)
    layers: list[nn.Module] = []
    for n_in, n_out, side, stride in ((1, 24, 6, 2), (24, 48, 4, 2), (48, 96, 3, 1)):  # 28 -> 12 -> 5 -> 3
        layers += [nn.Conv2d(n_in, n_out, side, stride, bias=False), nn.BatchNorm2d(n_out), nn.ReLU()]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(96 * 9, 10))


def score(y: npt.NDArray[Any], probabilities: npt.NDArray[np.float32]) -> float:
    return float((probabilities.argmax(1) == y).mean())


def trained(data: Data, settings: Settings) -> tuple[nn.Sequential, Fitted, float]:
    """A network, and the seconds of the whole training with its evaluations."""
    module = network(settings.seed)
    start = time.perf_counter()
    fitted = fit(module, data, settings, goal=Goal(score), callbacks=Callbacks())
    return module, fitted, time.perf_counter() - start


def test_accuracy(module: nn.Module, data: Data, test: Examples) -> float:
    """In float32, as it would ship."""
    right = 0
    with torch.inference_mode():
        for start in range(0, len(test), 500):
            x = (test.x[start : start + 500] - data.mean) / data.scale
            right += int((module(torch.from_numpy(x)).argmax(1).numpy() == test.y[start : start + 500]).sum())
    return right / len(test)


def accuracy(digits: Digits, settings: Settings, name: str, n_seeds: int) -> dict[str, Any]:
    """Test accuracy and seconds of whole trainings."""
    data, test = digits
    settings = dataclasses.replace(settings, precision=best_precision(network(0)))
    trained(data, dataclasses.replace(settings, epochs=1))  # kernels are chosen and compiled once a process
    lines, scores, seconds = [], [], []
    for seed in range(n_seeds):
        module, fitted, took = trained(data, dataclasses.replace(settings, seed=seed))
        scores.append(test_accuracy(module, data, test))
        seconds.append(round(took, 2))
        lines.append([(round(line.seconds, 2), line.val_score) for line in fitted.history])
    return {
        "settings": dataclasses.asdict(settings),
        "layers": str(network(0)),
        "n_test": len(test),
        **summary(name, scores, seconds),
        "lines": lines,
    }


def summary(name: str, scores: list[float], seconds: list[float]) -> dict[str, Any]:
    """What is compared with the target."""
    least, most = WANTED[name]
    return {
        "test_accuracy": scores,
        "seconds": seconds,
        "median_accuracy": statistics.median(scores),
        "median_seconds": statistics.median(seconds),
        "wanted": {"test_accuracy": least, "seconds": most},
    }


def shipped(path: Path, n_seeds: int) -> dict[str, Any]:
    """The product's own network and choices as a user asks for them; seconds of whole processes."""
    scores, seconds = [], []
    for seed in range(n_seeds):
        words = ("--network", "cnn", "--ship", "network", "--preset", "accurate", "--seed", str(seed))
        with tempfile.TemporaryDirectory() as folder:
            said, ran = train(path, Path(folder), cache=Path(folder) / "cache", name="mnist", options=words)
        scores.append(said["test"]["score"])
        seconds.append(round(ran.seconds, 1))
    return {"options": words[:-2], "n_test": said["test"]["n"], **summary("accurate", scores, seconds)}


def overhead(digits: Digits) -> dict[str, Any]:
    """The loop against a bare one with the same network, precision, batches, optimiser and validation, in turns."""
    data = digits[0]
    settings = dataclasses.replace(QUICK, epochs=1, augment=(), precision=best_precision(network(0)))
    ours, bare_ = [], []
    for number in range(ROUNDS + 1):
        took = [trained(data, settings)[2]]
        start = time.perf_counter()
        bare_epochs(network(0), data, settings, validate=True)
        took.append(time.perf_counter() - start)
        if number:  # the first round warms up
            ours.append(round(took[0], 3))
            bare_.append(round(took[1], 3))
    ratios = [a / b for a, b in zip(ours, bare_, strict=True)]
    return {"seconds": ours, "bare_seconds": bare_, "median_ratio": round(statistics.median(ratios), 3)}


def bare(digits: Digits) -> dict[str, Any]:
    """The talks' network in a bare loop in the best precision: training seconds until the test part says 99 %."""
    data, test = digits
    return time_to_accuracy(data, test, precision=best_precision(network(0)), threads=QUICK.threads)


def busy(digits: Digits) -> dict[str, Any]:
    """A training alone, and beside a process that keeps one core busy: each thread has the same right to a core."""
    data = digits[0]
    settings = dataclasses.replace(QUICK, epochs=1, precision=best_precision(network(0)))
    trained(data, settings)
    alone, beside = [], []
    for _ in range(ROUNDS):
        alone.append(round(trained(data, settings)[2], 3))
        other = subprocess.Popen([sys.executable, "-c", "while True: pass"])
        try:
            beside.append(round(trained(data, settings)[2], 3))
        finally:
            other.kill()
            other.wait()
    fair = (settings.threads + 1) / settings.threads  # n threads and one more share n cores
    ratio = statistics.median(b / a for a, b in zip(alone, beside, strict=True))
    return {"alone": alone, "beside": beside, "over_fair_share": round(ratio / fair, 3)}


def resume(digits: Digits) -> dict[str, Any]:
    """Seconds to the imports, and from `fit` to the end of the first step: of a new training and of one taken up."""
    data = digits[0]
    settings = dataclasses.replace(QUICK, learning_rate=None, precision=best_precision(network(0)))
    imports, new, taken_up = [], [], []
    for _ in range(ROUNDS):
        code = "import time; t = time.perf_counter(); import bottega.training.loop; print(time.perf_counter() - t)"
        imports.append(round(float(run([sys.executable, "-c", code], cwd=ROOT).output), 3))
        with tempfile.TemporaryDirectory() as folder:
            checkpoint = Checkpoint(Path(folder) / "checkpoint.npz", every_seconds=0.0)
            new.append(round(to_first_step(data, settings, checkpoint, most_epochs=1.5), 3))
            taken_up.append(round(to_first_step(data, settings, checkpoint, most_epochs=1.6), 3))
    found = {"import_seconds": imports, "first_step_seconds": new, "resumed_step_seconds": taken_up}
    return {**found, **{f"median_{name}": statistics.median(values) for name, values in found.items()}}


def to_first_step(data: Data, settings: Settings, checkpoint: Checkpoint, most_epochs: float) -> float:
    """A training that ends in the middle of its second epoch; how long its first new step took to come."""
    start, first = time.perf_counter(), []

    def progress(_: int, __: int) -> None:
        first.append(time.perf_counter() - start)

    callbacks = Callbacks(progress=progress, may_continue=lambda _, epochs: epochs < most_epochs)
    fit(network(0), data, settings, goal=Goal(score), callbacks=callbacks, checkpoint=checkpoint)
    return first[0]


def keras(python: Path, data: Path) -> dict[str, Any]:
    """The talks' network in Keras, in a process of its own."""
    script = ROOT / "benchmarks" / "peers" / "keras_mnist.py"
    ran = run([str(python.absolute()), str(script), str(data.absolute())], cwd=ROOT)
    found: dict[str, Any] = ran.document()
    return found


if __name__ == "__main__":
    main()
