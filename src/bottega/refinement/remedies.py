"""What may be changed about a training because of what was found: changes that an option of `train` can make."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bottega.problem.records import Finding

__all__ = ["RESHAPES", "Remedy", "remedies"]

MOST = 4
RESHAPES = ("network", "width", "depth", "dropout")  # options that make another network of it


@dataclass(frozen=True)
class Remedy:
    """One change to be tried.

    Attributes:
        finding: that it is for.
        changes: options of `train` by name, with their new values.
        work: times the steps of the training as it was.
    """

    name: str
    finding: str
    changes: Mapping[str, Any]
    work: float = 1.0


Now = Mapping[str, Any]
_Change = tuple[str, dict[str, Any], float] | None  # name, changes, work


def remedies(findings: Sequence[Finding], now: Now, *, can_reshape: bool, at_most: int = MOST) -> tuple[Remedy, ...]:
    """The changes that are worth a trial, the likeliest first: one for each finding, then their second ones.

    Args:
        findings: in the order in which they should be mended.
        now: the settings of the training, with `network`, `dropout`, `width`, `n_train`, and `rate_is_stated`: no range
            test found its rate.
        can_reshape: the network's size can be changed by an option: it isn't a file or class of the user's own.
    Returns:
        None for a finding that only other data or labels can mend.
    """
    rows = []
    for finding in findings:
        made = [make(now) for make in _FOR.get(finding.name, ())]
        rows.append([Remedy(one[0], finding.name, one[1], one[2]) for one in made if one is not None])
    found: dict[str, Remedy] = {}
    for place in range(max(map(len, rows), default=0)):
        for row in rows:
            if place < len(row) and (can_reshape or not set(row[place].changes) & set(RESHAPES)):
                found.setdefault(row[place].name, row[place])
    return tuple(found.values())[:at_most]


def _more_dropout(now: Now) -> _Change:
    rate = round(min(0.6, (now.get("dropout") or 0.0) + 0.2), 3)
    return (f"dropout {rate:g}", {"dropout": rate}, 1.0) if rate > (now.get("dropout") or 0.0) else None


def _no_dropout(now: Now) -> _Change:
    return ("no dropout", {"dropout": 0.0}, 1.0) if now.get("dropout") else None


def _half_dropout(now: Now) -> _Change:
    return ("dropout 0.5", {"dropout": 0.5}, 1.0) if (now.get("dropout") or 0.0) > 0.5 else None


def _more_decay(now: Now) -> _Change:
    decay = min(1.0, 10 * now["weight_decay"] or 0.01)
    return (f"weight decay {decay:g}", {"weight_decay": decay}, 1.0) if decay > now["weight_decay"] else None


def _augmentation(now: Now) -> _Change:
    return None if now.get("augment") else ("augmentation", {"augment": "auto"}, 1.0)


def _no_augmentation(now: Now) -> _Change:
    return ("no augmentation", {"augment": "none"}, 1.0) if now.get("augment") else None


def _wider(now: Now) -> _Change:
    width = min(16.0, 2 * (now.get("width") or 1.0))
    return (f"width {width:g}", {"width": width}, 4.0) if width != now.get("width") else None


def _narrower(now: Now) -> _Change:
    width = max(0.125, (now.get("width") or 1.0) / 2)
    return (f"width {width:g}", {"width": width}, 0.5) if width != now.get("width") else None


def _more_epochs(now: Now) -> _Change:
    epochs = min(100_000, 3 * now["epochs"])
    return f"{epochs} epochs", {"epochs": epochs}, 3.0


def _rate(factor: float) -> Callable[[Now], _Change]:
    def change(now: Now) -> _Change:
        rate = float(f"{now['learning_rate'] * factor:.2g}")
        return (f"learning rate {rate:g}", {"learning_rate": rate}, 1.0) if 1e-8 <= rate <= 100 else None

    return change


def _tested_rate(now: Now) -> _Change:
    """A range test finds a rate where none is stated."""
    return ("rate by range test", {"learning_rate": None}, 1.05) if now.get("rate_is_stated") else None


def _schedule(now: Now) -> _Change:
    return None if now["schedule"] == "one-cycle" else ("schedule one-cycle", {"schedule": "one-cycle"}, 1.0)


def _smaller_batch(now: Now) -> _Change:
    size = max(1, min(32, now["n_train"] // 20))
    return (f"batch {size}", {"batch_size": size}, 2.0) if size < now["batch_size"] else None


def _class_weights(now: Now) -> _Change:
    """`train` weighs classes where the metric does."""
    return None if now.get("class_weights") else ("class weights", {"metric": "balanced_accuracy"}, 1.0)


def _residual(now: Now) -> _Change:
    return None if now.get("network") == "resnet" else ("resnet", {"network": "resnet", "depth": None}, 2.0)


_FOR: dict[str, tuple[Callable[[Now], _Change], ...]] = {
    "exploding gradients": (_tested_rate, _rate(0.1), _rate(0.01)),
    "learning rate too high": (_tested_rate, _rate(0.1), _rate(0.01), _schedule),
    "learning rate too low": (_tested_rate, _rate(10), _rate(100), _more_epochs),
    "vanishing gradients": (_residual, _rate(10)),
    "saturated units": (_rate(0.1), _residual),
    "dead units": (_tested_rate, _rate(0.1), _residual),
    "batch too big": (_smaller_batch, _more_epochs),
    "not yet converged": (_more_epochs, _rate(3), _schedule),
    "a class that is never predicted": (_class_weights, _more_epochs),
    "underfitting": (_half_dropout, _wider, _more_epochs, _no_augmentation, _no_dropout),
    "confusion of two classes": (_wider, _no_augmentation, _more_epochs),
    "label noise": (_more_dropout, _narrower),
    "overfitting": (_augmentation, _more_dropout, _more_decay, _narrower),
    "best epoch is the last": (_more_epochs, _schedule),
}
