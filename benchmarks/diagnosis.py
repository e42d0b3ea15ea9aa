"""How often the diagnosis names the fault: runs with one planted fault each, and healthy ones.

Each fault is planted in a healthy run, in one place. A fault counts as found where a finding that names it comes first
or second; a healthy run is accused by any finding. Each seed splits, initialises and plants anew.
python benchmarks/diagnosis.py SET ... [--seeds 100 110] [--mnist mnist.npz] [--flowers FOLDER]; then --summary
"""

import argparse
import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from ledger import RESULTS, append
from torch import nn

from bottega.errors import BottegaError
from bottega.evaluation.metrics import METRICS
from bottega.refinement.diagnosis import diagnose
from bottega.refinement.reading import Answers, Reading
from bottega.training.loop import Data, Examples, Goal, fit
from bottega.training.settings import settings_from

Array = npt.NDArray[Any]
N_MNIST = 4000
SIDE = 32  # of the flowers


@dataclass(frozen=True)
class Plan:
    """A run to be made.

    Attributes:
        x, y: training examples, scaled to about 0 ± 1, (N, C, H, W) or (N, D), and class indices.
        val_x, val_y: the validation examples.
        module: makes the network of a plan; torch's global generator is seeded before.
        settings: of the training that aren't the loop's own, and `dropout`.
    """

    x: Array
    y: Array
    val_x: Array
    val_y: Array
    module: Callable[["Plan"], nn.Module]
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def n_classes(self) -> int:
        """Columns of the answers."""
        return int(self.y.max()) + 1

    @property
    def is_picture(self) -> bool:
        """Or else a row of numbers."""
        return self.x.ndim == 4

    def but(self, **changed: Any) -> "Plan":
        """The plan with other settings."""
        return replace(self, settings={**self.settings, **changed})


def tables(name: str, seed: int) -> Plan:
    """Wine or breast cancer, with a network of two layers."""
    from sklearn import datasets

    X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    (x, y, val_x, val_y) = _parts(X.astype(np.float32), y, seed, val=0.3)
    mean, scale = x.mean(0), x.std(0) + 1e-6
    settings = {"epochs": 40, "batch_size": 16, "learning_rate": 3e-3}
    return Plan((x - mean) / scale, y, (val_x - mean) / scale, val_y, perceptron, _settings(seed, **settings))


def digits(seed: int) -> Plan:
    """Scikit-learn's 8 × 8 digits, with a small convolutional network."""
    from sklearn.datasets import load_digits

    X, y = load_digits(return_X_y=True)
    x, y, val_x, val_y = _parts((X.reshape(-1, 1, 8, 8) / 8 - 1).astype(np.float32), y, seed, val=0.2)
    return Plan(x, y, val_x, val_y, convolutional, _settings(seed, epochs=15, learning_rate=1e-2))


def mnist(path: Path, seed: int) -> Plan:
    """Pictures of MNIST at half their size, a fifth of them for validation."""
    with np.load(path, allow_pickle=False) as arrays:
        rows = np.random.default_rng(seed).permutation(len(arrays["y_train"]))[:N_MNIST]
        pictures, labels = arrays["x_train"][rows], arrays["y_train"][rows]
    small = pictures.reshape(-1, 1, 14, 2, 14, 2).mean((3, 5), dtype=np.float32) / 128 - 0.3
    x, y, val_x, val_y = _parts(small, labels, seed, val=0.2)
    return Plan(x, y, val_x, val_y, convolutional, _settings(seed, epochs=12, learning_rate=1e-2, batch_size=64))


def flowers(folder: Path, seed: int) -> Plan:
    """Photographs of five flowers, shrunk to 32 × 32, flipped and shifted as they are trained on."""
    from PIL import Image

    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    names = sorted({path.parent.name for path in paths})
    pixels = [np.asarray(Image.open(path).convert("RGB").resize((SIDE, SIDE), Image.Resampling.BOX)) for path in paths]
    x = (np.stack(pixels).transpose(0, 3, 1, 2) / 64 - 2).astype(np.float32)
    y = np.array([names.index(path.parent.name) for path in paths])
    x, y, val_x, val_y = _parts(x, y, seed, val=0.2)
    settings = {"epochs": 15, "learning_rate": 5e-3, "batch_size": 64, "augment": ("flip", "shift")}
    return Plan(x, y, val_x, val_y, convolutional, _settings(seed, **settings))


def _settings(seed: int, **stated: Any) -> dict[str, Any]:
    return {"batch_size": 32, "dropout": 0.2, "seed": seed, **stated}


def _parts(x: Array, y: Array, seed: int, *, val: float) -> tuple[Array, Array, Array, Array]:
    rows = np.random.default_rng(seed).permutation(len(y))
    n = round(val * len(y))
    y = y.astype(np.int64)
    return x[rows[n:]], y[rows[n:]], x[rows[:n]], y[rows[:n]]


# ---- networks


def convolutional(plan: Plan) -> nn.Module:
    """Three blocks of convolution, norm and ReLU, and one layer on the mean of what is left."""
    channels, layers = plan.x.shape[1], list[nn.Module]()
    stride = 2 if plan.x.shape[-1] > 16 else 1  # of the first, which is the dearest
    for width in (8, 16, 32) if plan.x.shape[1] == 1 else (16, 32, 64):
        convolution = nn.Conv2d(channels, width, 3, padding=1, stride=stride)
        layers += [convolution, nn.BatchNorm2d(width), nn.ReLU(), nn.MaxPool2d(2)]
        channels, stride = width, 1
    pooled = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(plan.settings["dropout"])]
    return nn.Sequential(*layers, *pooled, nn.Linear(channels, plan.n_classes))


def perceptron(plan: Plan, *, depth: int = 2, width: int = 64, unit: type[nn.Module] = nn.ReLU) -> nn.Module:
    """Layers that are each connected to all of the one before."""
    n_inputs, layers = int(np.prod(plan.x.shape[1:])), list[nn.Module]()
    for _ in range(depth):
        layers += [nn.Linear(n_inputs, width), unit()]
        n_inputs = width
    drop = [nn.Dropout(plan.settings["dropout"])] if plan.settings["dropout"] else []
    return nn.Sequential(nn.Flatten(), *layers, *drop, nn.Linear(n_inputs, plan.n_classes))


def narrow(plan: Plan) -> nn.Module:
    """All that it knows has to go through one unit."""
    flat = int(np.prod(plan.x.shape[1:]))
    return nn.Sequential(nn.Flatten(), nn.Linear(flat, 1), nn.ReLU(), nn.Linear(1, plan.n_classes))


def changed(module: nn.Module, change: Callable[[int, nn.Parameter], object], name: str = "weight") -> nn.Module:
    """The network with a change made to the weights (or biases) of each layer but the last."""
    layers = [layer for layer in module.modules() if isinstance(layer, nn.Linear | nn.Conv2d)]
    with torch.no_grad():
        for at, layer in enumerate(layers[:-1]):
            change(at, getattr(layer, name))
    return module


# ---- faults: each takes a healthy plan and a generator, and says which findings name it


def rate_too_high(plan: Plan, rng: np.random.Generator) -> Plan:
    return plan.but(learning_rate=plan.settings["learning_rate"] * float(rng.choice([100, 300, 1000])))


def rate_too_low(plan: Plan, rng: np.random.Generator) -> Plan:
    return plan.but(learning_rate=plan.settings["learning_rate"] / float(rng.choice([1000, 3000])))


def too_few_epochs(plan: Plan, _rng: np.random.Generator) -> Plan:
    return plan.but(epochs=2, learning_rate=plan.settings["learning_rate"] / 3)


def few_examples(plan: Plan, rng: np.random.Generator) -> Plan:
    """Few examples for a large network; tables get columns of noise as well."""
    wide = replace(
        plan.but(dropout=0.0, augment=(), patience=None, weight_decay=0.0, epochs=40), module=wide_perceptron
    )
    if plan.is_picture:
        return replace(wide, x=plan.x[:80], y=plan.y[:80])
    noise = [rng.normal(size=(len(x), 300)).astype(np.float32) for x in (plan.x, plan.val_x)]
    x, val_x = np.hstack([plan.x, noise[0]])[:60], np.hstack([plan.val_x, noise[1]])
    return replace(wide, x=x, y=plan.y[:60], val_x=val_x)


def wide_perceptron(plan: Plan) -> nn.Module:
    return perceptron(plan, width=256)


def too_small(plan: Plan, _rng: np.random.Generator) -> Plan:
    return replace(plan, module=narrow)


def small_validation(plan: Plan, rng: np.random.Generator) -> Plan:
    n = int(rng.choice([8, 12]))
    return replace(plan, val_x=plan.val_x[:n], val_y=plan.val_y[:n])


def dead_units(plan: Plan, _rng: np.random.Generator) -> Plan:
    """Biases so far below zero that most ReLUs of one layer never answer."""

    def module(one: Plan) -> nn.Module:
        def sink(at: int, bias: nn.Parameter) -> None:
            if at == 1:
                bias[: int(0.8 * len(bias))] -= 100

        return changed(perceptron(one), sink, "bias")

    return replace(plan, module=module)


def vanishing(plan: Plan, rng: np.random.Generator) -> Plan:
    """Many sigmoids in a row."""
    deep = replace(plan, module=lambda one: perceptron(one, depth=8, unit=nn.Sigmoid))
    return deep.but(optimiser=str(rng.choice(["sgd", "adamw"])), learning_rate=1e-2, dropout=0.0)


def exploding(plan: Plan, rng: np.random.Generator) -> Plan:
    """Many layers whose weights begin too large."""
    gain = float(rng.choice([6, 10]))

    def module(one: Plan) -> nn.Module:
        return changed(perceptron(one, depth=6), lambda _, weight: weight.mul_(gain))

    return replace(plan, module=module).but(optimiser="sgd", learning_rate=1e-6, dropout=0.0, clip=None)


def saturated(plan: Plan, rng: np.random.Generator) -> Plan:
    """Tanh units on inputs that nobody scaled."""
    scale = float(rng.choice([300, 1000]))
    tanh = replace(plan, module=lambda one: perceptron(one, unit=nn.Tanh))
    return replace(tanh, x=plan.x * scale, val_x=plan.val_x * scale)


def rare_class(plan: Plan, _rng: np.random.Generator) -> Plan:
    """A class that training never saw and validation often."""
    rows = np.flatnonzero(plan.y == 0)
    return replace(plan, x=np.delete(plan.x, rows, axis=0), y=np.delete(plan.y, rows))


def random_labels(plan: Plan, rng: np.random.Generator) -> Plan:
    return replace(plan, y=rng.permutation(plan.y), val_y=rng.permutation(plan.val_y))


def permuted_targets(plan: Plan, _rng: np.random.Generator) -> Plan:
    """Validation numbers its classes in another order."""
    return replace(plan, val_y=(plan.val_y + 1) % plan.n_classes)


def leak(plan: Plan, _rng: np.random.Generator) -> Plan:
    """The answer is written into the input."""
    return replace(plan, x=_stamped(plan, plan.x, plan.y), val_x=_stamped(plan, plan.val_x, plan.val_y))


def _stamped(plan: Plan, x: Array, y: Array) -> Array:
    x = x.copy()
    if not plan.is_picture:
        return np.hstack([x, 3 * np.eye(plan.n_classes, dtype=np.float32)[y]])
    side = 2 * max(1, x.shape[-1] // 14)
    for row, number in enumerate(y):  # a bright square whose place is the class
        top, left = divmod(int(number), 3)
        x[row, :, top * side : (top + 1) * side, left * side : (left + 1) * side] = 5
    return x


def easy_validation(plan: Plan, rng: np.random.Generator) -> Plan:
    """A third of the training labels is wrong, the validation labels aren't."""
    return replace(plan, y=_noisy(plan, plan.y, rng, 0.35))


def whole_batch(plan: Plan, _rng: np.random.Generator) -> Plan:
    return plan.but(batch_size=len(plan.y), learning_rate=plan.settings["learning_rate"] / 3, epochs=12)


def far_too_long(plan: Plan, _rng: np.random.Generator) -> Plan:
    return plan.but(epochs=100 if not plan.is_picture else 50, patience=None, schedule="constant")


def mixed_up_pair(plan: Plan, rng: np.random.Generator) -> Plan:
    """Two classes whose labels were given at random."""
    pair = rng.choice(plan.n_classes, 2, replace=False)
    labels = []
    for y in (plan.y, plan.val_y):
        mixed = y.copy()
        rows = np.flatnonzero(np.isin(y, pair))
        mixed[rows] = rng.choice(pair, len(rows))
        labels.append(mixed)
    return replace(plan, y=labels[0], val_y=labels[1])


def label_noise(plan: Plan, rng: np.random.Generator) -> Plan:
    return replace(plan, y=_noisy(plan, plan.y, rng, 0.2), val_y=_noisy(plan, plan.val_y, rng, 0.2))


def _noisy(plan: Plan, y: Array, rng: np.random.Generator, share: float) -> Array:
    """A share of the labels replaced by another class."""
    wrong = rng.random(len(y)) < share
    return np.where(wrong, (y + rng.integers(1, plan.n_classes, len(y))) % plan.n_classes, y)


def timid(plan: Plan, _rng: np.random.Generator) -> Plan:
    """Targets so smooth that the network never says that it is sure."""
    return plan.but(label_smoothing=0.5)


@dataclass(frozen=True)
class Fault:
    """What is done to a healthy plan, and which findings name it.

    Attributes:
        least_classes: with fewer the fault is none, or another one.
    """

    plant: Callable[[Plan, np.random.Generator], Plan]
    names: tuple[str, ...]
    least_classes: int = 2


FAULTS = {
    "rate too high": Fault(rate_too_high, ("learning rate too high",)),
    "rate too low": Fault(rate_too_low, ("learning rate too low",)),
    "too few epochs": Fault(too_few_epochs, ("not yet converged", "best epoch is the last")),
    "few examples": Fault(few_examples, ("overfitting",)),
    "network too small": Fault(too_small, ("underfitting",), 5),
    "validation too small": Fault(small_validation, ("noisy validation",)),
    "dead units": Fault(dead_units, ("dead units",)),
    "many sigmoids": Fault(vanishing, ("vanishing gradients",)),
    "weights too large": Fault(exploding, ("exploding gradients",)),
    "inputs not scaled": Fault(saturated, ("saturated units",)),
    "a class left out": Fault(rare_class, ("a class that is never predicted",), 3),
    "random labels": Fault(random_labels, ("labels look random",)),
    "permuted validation": Fault(permuted_targets, ("wrong or permuted targets",)),
    "answer in the input": Fault(leak, ("too good to be true",)),
    "validation cleaner than train": Fault(easy_validation, ("validation better than train",)),
    "one batch an epoch": Fault(whole_batch, ("batch too big",)),
    "far too long": Fault(far_too_long, ("plateau", "overfitting")),
    "two classes mixed up": Fault(mixed_up_pair, ("confusion of two classes",), 3),
    "wrong labels": Fault(label_noise, ("label noise",)),
    "smooth targets": Fault(timid, ("calibration drift",)),
}


# ---- runs


def observe(plan: Plan, seed: int) -> Reading:
    """Train as planned and read what the diagnosis reads."""
    torch.manual_seed(seed)
    module = plan.module(plan)
    shape = (1, *[1] * (plan.x.ndim - 2))
    zero, one = np.zeros(shape, np.float32), np.ones(shape, np.float32)
    data = Data(Examples(plan.x, plan.y), Examples(plan.val_x, plan.val_y), zero, one)
    stated = {name: value for name, value in plan.settings.items() if name != "dropout"}
    settings = settings_from(stated)
    fitted = fit(module, data, settings, goal=Goal(METRICS["accuracy"].function))
    return Reading(
        history=fitted.history,
        settings=asdict(settings),
        classes=tuple(f"class {number}" for number in range(plan.n_classes)),
        train=answers(module, plan.x[:2000], plan.y[:2000]),
        val=answers(module, plan.val_x, plan.val_y),
        n_train=len(plan.y),
        n_parameters=sum(parameter.numel() for parameter in module.parameters()),
        best_epoch=fitted.best.epoch,
        stopped=fitted.stopped,
        **rival(plan),
    )


def answers(module: nn.Module, x: Array, y: Array) -> Answers:
    with torch.no_grad():
        logits = [module(torch.from_numpy(x[start : start + 500])) for start in range(0, len(x), 500)]
    return Answers(y, torch.softmax(torch.cat(logits).double(), 1).numpy())


def rival(plan: Plan) -> dict[str, Any]:
    """A random forest on the raw inputs, as a run has rivals that are no networks."""
    from sklearn.ensemble import RandomForestClassifier

    flat, val_flat = (x.reshape(len(x), -1) for x in (plan.x, plan.val_x))
    forest = RandomForestClassifier(50, random_state=0).fit(flat, plan.y)
    return {"rival": "random forest", "rival_accuracy": float((forest.predict(val_flat) == plan.val_y).mean())}


# ---- records


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", choices=["wine", "breast_cancer", "digits", "mnist", "flowers"])
    parser.add_argument("--seeds", nargs=2, type=int, default=(100, 110), help="first, and one past the last")
    parser.add_argument("--only", nargs="+", choices=["healthy", *FAULTS], default=["healthy", *FAULTS])
    parser.add_argument("--mnist", type=Path, default=Path("mnist.npz"))
    parser.add_argument("--flowers", type=Path, default=Path("flowers128"))
    parser.add_argument("--summary", action="store_true", help="of all records of this benchmark")
    parser.add_argument("--results", type=Path, default=RESULTS)
    stated = parser.parse_args()
    makers: dict[str, Callable[[int], Plan]] = {
        "wine": lambda seed: tables("wine", seed),
        "breast_cancer": lambda seed: tables("breast_cancer", seed),
        "digits": digits,
        "mnist": lambda seed: mnist(stated.mnist, seed),
        "flowers": lambda seed: flowers(stated.flowers, seed),
    }
    for name in stated.sets:
        for seed in range(*stated.seeds):
            start = time.perf_counter()
            runs = [run for fault in stated.only if (run := try_fault(makers[name](seed), fault, seed))]
            seconds = round(time.perf_counter() - start, 1)
            append("diagnosis", stated.results, {"data": name, "seed": seed, "seconds": seconds, "runs": runs})
            missed = [run["fault"] for run in runs if not run["named"]]
            print(f"{name} {seed}: {seconds} s, missed: {', '.join(missed) or 'none'}", flush=True)
    if stated.summary:
        summary(stated.results)


def try_fault(plan: Plan, name: str, seed: int) -> dict[str, Any] | None:
    """Plant, train, diagnose; None where the data have too few classes for the fault."""
    expected: tuple[str, ...] = ("nothing to mend",)
    if name != "healthy":
        fault = FAULTS[name]
        if plan.n_classes < fault.least_classes:
            return None
        plan, expected = fault.plant(plan, np.random.default_rng(seed)), fault.names
    try:
        reading = observe(plan, seed)
    except BottegaError as error:  # the loop itself gave up, and says why
        told = "learning rate" in error.fix
        return {"fault": name, "expected": expected, "findings": [], "refused": error.found, "named": told}
    findings = [finding.name for finding in diagnose(reading)]
    return {
        "fault": name,
        "expected": expected,
        "findings": findings,
        "named": any(finding in expected for finding in findings[:2]),
        "train_accuracy": round(reading.train.accuracy, 4),
        "val_accuracy": round(reading.val.accuracy, 4),
        "n_val": reading.val.n,
        "epochs": reading.epochs,
    }


def summary(results: Path) -> None:
    """Recall of each fault and precision of each finding, over the last record of each set and seed."""
    records = {}
    for path in sorted(results.glob("*-diagnosis.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            records[record["data"], record["seed"]] = record
    runs = [run for record in records.values() for run in record["runs"]]
    planted = [run for run in runs if run["fault"] != "healthy"]
    print(f"{sum(run['named'] for run in planted)} of {len(planted)} faults named first or second")
    healthy = [run for run in runs if run["fault"] == "healthy"]
    print(f"{sum(not run['named'] for run in healthy)} of {len(healthy)} healthy runs accused\n")
    for name in FAULTS:
        named = [run["named"] for run in planted if run["fault"] == name]
        print(f"{name:32}{sum(named):4} of {len(named)}")
    firsts = Counter(run["findings"][0] for run in runs if run["findings"])
    right = Counter(run["findings"][0] for run in runs if run["findings"] and run["findings"][0] in run["expected"])
    print("\nfirst finding                   right of all times that it came first")
    for name, n in firsts.most_common():
        print(f"{name:32}{right[name]:4} of {n}")


if __name__ == "__main__":
    main()
