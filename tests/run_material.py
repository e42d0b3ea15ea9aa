"""Finished runs as their folders tell of them, made up without any training."""

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bottega.problem.history import Epoch, LayerReading
from bottega.problem.records import Finding
from bottega.refinement.reading import Answers, Reading
from bottega.workflow.readings import KeptReading, keep
from bottega.workflow.recipe import Recipe
from bottega.workflow.run_folder import PREDICTIONS, RECIPE, RECORD, RunFolder

CLASSES = ("cat", "dog", "hen")
LAYER = LayerReading(weight=5.0, gradient=0.5, update=0.01, dead=0.05, saturated=None)
SETTINGS = {"learning_rate": 0.01, "batch_size": 32, "patience": 10, "schedule": "one-cycle", "epochs": 12}
MORE_SETTINGS = {"weight_decay": 0.01, "augment": ["shift"], "class_weights": None, "dropout": 0.0}


def answers(n: int, *, right: float, seed: int) -> Answers:
    """Answers to n examples of three classes, of which a share is right; the mistakes are less sure."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % len(CLASSES)
    is_right = rng.random(n) < right
    named = np.where(is_right, y, (y + rng.integers(1, 3, n)) % len(CLASSES))
    sure = np.where(is_right, 0.96, 0.4 + 0.2 * rng.random(n))
    probabilities = np.repeat((1 - sure[:, None]) / 2, len(CLASSES), axis=1)
    probabilities[np.arange(n), named] = sure
    return Answers(y, probabilities)


def reading(*, train: float = 0.96, val: float = 0.95, **changed: Any) -> Reading:
    """A healthy one, unless a share of right answers or anything else is changed."""
    losses = [0.1 + 1.2 * 0.6**epoch for epoch in range(12)]
    history = tuple(
        Epoch(at + 1.0, 50 * (at + 1), loss, 0.9, loss, 0.9, loss + 0.02, 0.9, 0.01, 1.0, 2.0, at + 1.0, 1000.0,
              layers={"first": LAYER, "second": LAYER})
        for at, loss in enumerate(losses)
    )  # fmt: skip
    held = {
        "history": history,
        "settings": {**SETTINGS, **MORE_SETTINGS},
        "classes": CLASSES,
        "train": answers(600, right=train, seed=1),
        "val": answers(300, right=val, seed=2),
        "n_train": 1600,
        "n_parameters": 10_000,
        "best_epoch": 9.0,
        "rival": "random forest",
        "rival_accuracy": 0.93,
    }
    return Reading(**{**held, **changed})


def make_run(
    path: Path,
    *,
    found: Reading | None = None,
    training: Mapping[str, Any] | None = None,
    data: Mapping[str, Any] | None = None,
    rows: Sequence[tuple[str, str, Sequence[float]]] = (),
    others: Sequence[Finding] = (),
) -> Path:
    """Write the folder of a finished run.

    Args:
        found: what its network's training shows; None where it trained none of its own.
        training, data: of the recipe.
        rows: name, label and probabilities of each test example.
    """
    path.mkdir(parents=True)
    folder = RunFolder(path)
    own = {"input": [1, 8, 8], "device": "cpu", "network": "cnn"} if found is not None else {"network": "pretrained"}
    own = {} if "table" in (training or {}) else own
    facts = {"name": "pets", "fingerprint": "00", "n": 2000, **(data or {})}
    recipe = Recipe("pets", facts, {}, {"threads": 1, **own, **(training or {})}, {}, {})
    folder.write(RECIPE, recipe.to_toml())
    if found is not None:
        n = np.arange(found.val.n)
        keep(folder, KeptReading(found, "cnn", n + found.val.n, n, tuple(others)))
    test = {"n": 100, "n_groups": 100, "score": 0.9, "low": 0.83, "high": 0.95, "source": "held-out"}
    record = {"chosen": "cnn", "metric": "accuracy", "test": test, "twins": [], "seconds": {"total": 12.5}}
    folder.write(RECORD, json.dumps(record))
    with folder.file(PREDICTIONS).open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["input", "label", "answer", "sure", *CLASSES])
        for name, label, probabilities in rows:
            table.writerow([name, label, CLASSES[int(np.argmax(probabilities))], "true", *probabilities])
    return path
