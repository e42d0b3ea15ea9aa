import numpy as np
import pytest

from bottega.problem.history import Epoch, LayerReading
from bottega.refinement.reading import Answers, Reading

CLASSES = ("cat", "dog", "hen", "owl")
LAYER = LayerReading(weight=5.0, gradient=0.5, update=0.01, dead=0.05, saturated=None)


def answers_of(y, *, accuracy, margin=4.0, seed=0, n_classes=4):
    """Probabilities that are right on a share of the labels, surer where they are right."""
    rng = np.random.default_rng(seed)
    right = np.zeros(len(y), dtype=bool)
    right[rng.permutation(len(y))[: round(accuracy * len(y))]] = True
    named = np.where(right, y, (y + rng.integers(1, n_classes, len(y))) % n_classes)
    logits = rng.normal(0, 0.1, (len(y), n_classes))
    logits[np.arange(len(y)), named] += np.where(right, margin, 1.0)
    odds = np.exp(logits)
    return Answers(y, odds / odds.sum(1, keepdims=True))


def labels(n, n_classes=4):
    return np.arange(n) % n_classes


def history(fit, val, *, steps=50, layers=None, **series):
    """One line an epoch; `series` are numbers or one for each epoch."""
    lines = []
    for at, (fit_loss, val_loss) in enumerate(zip(fit, val, strict=True)):
        own = {name: value[at] if isinstance(value, list) else value for name, value in series.items()}
        held = {
            "epoch": at + 1.0,
            "step": (at + 1) * steps,
            "train_loss": fit_loss,
            "train_score": 0.9,
            "fit_loss": fit_loss,
            "fit_score": 0.9,
            "val_loss": val_loss,
            "val_score": 0.9,
            "learning_rate": 0.01,
            "gradient_norm": 1.0,
            "largest_gradient_norm": 2.0,
            "seconds": at + 1.0,
            "examples_per_second": 1000.0,
            "layers": {"first": LAYER, "second": LAYER, "last": LAYER} if layers is None else layers,
        }
        lines.append(Epoch(**{**held, **own}))
    return tuple(lines)


def decay(n, start=1.3, end=0.05, at=2.0):
    """A loss that falls fast and then levels out."""
    return [end + (start - end) * float(np.exp(-epoch / at)) for epoch in range(1, n + 1)]


@pytest.fixture
def reading():
    """Make a healthy run, with whatever a test changes."""

    def make(*, fit=None, val=None, train_accuracy=0.97, val_accuracy=0.95, n_val=300, lines=None, **changed):
        fit = decay(15) if fit is None else fit
        val = [loss + 0.02 for loss in fit] if val is None else val
        own = {"settings": {"learning_rate": 0.01, "batch_size": 32, "patience": 10, "schedule": "one-cycle"}}
        held = {
            "history": history(fit, val, **(lines or {})),
            "classes": CLASSES,
            "train": answers_of(labels(400), accuracy=train_accuracy, seed=1),
            "val": answers_of(labels(n_val), accuracy=val_accuracy, seed=2),
            "n_train": 1600,
            "n_parameters": 10_000,
            "best_epoch": 8.0,
            "rival": "random forest",
            "rival_accuracy": 0.93,
            **own,
        }
        return Reading(**{**held, **changed})

    make.answers, make.labels, make.decay, make.layer = answers_of, labels, decay, LAYER
    return make
