"""How a network is trained: every choice in one frozen record that is checked as it is made."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from bottega.errors import BottegaError, found_in, nearest_name

__all__ = ["AUGMENTATIONS", "OPTIMISERS", "SCHEDULES", "Settings", "settings_from"]

OPTIMISERS = ("adamw", "adam", "sgd")
SCHEDULES = ("one-cycle", "cosine", "constant", "plateau")
PRECISIONS = ("float32", "bfloat16")
AUGMENTATIONS = ("flip", "shift", "crop", "rotation", "scale", "colour", "erasing")

_NAMES = {"optimiser": OPTIMISERS, "schedule": SCHEDULES, "precision": PRECISIONS}
_WHOLE = {  # field: least, most
    "epochs": (1, 100_000),
    "batch_size": (1, 1_000_000),
    "patience": (1, 100_000),
    "seed": (0, 2**63 - 1),
    "threads": (1, 1024),
    "report_steps": (1, 2**31),
}
_REAL = {
    "learning_rate": (1e-8, 100.0),
    "momentum": (0.0, 0.999),
    "warm_up": (0.0, 0.9),
    "weight_decay": (0.0, 10.0),
    "clip": (1e-6, 1e6),
    "label_smoothing": (0.0, 0.9),
    "average": (0.0, 0.99999),
    "mixup": (0.0, 10.0),
}
_MAY_BE_NONE = ("patience", "learning_rate", "clip", "class_weights")


@dataclass(frozen=True)
class Settings:
    """What decides a training, beside the network and the data: the same settings give the same bytes.

    Attributes:
        epochs: passes over the training examples, at most.
        batch_size: examples a step; an epoch is cut into batches of equal size (to one), none larger than this.
        optimiser: "adamw", "adam" or "sgd".
        learning_rate: the highest of the schedule; None to find one by a range test.
        momentum: of "sgd".
        schedule: "one-cycle", "cosine", "constant", or "plateau": lower when validation stops improving.
        warm_up: share of all steps over which the rate rises; "plateau" and "constant" too.
        weight_decay: pulls weights towards zero; biases and norms are left alone.
        clip: largest norm of the gradient of all weights together; None for no limit.
        label_smoothing: share of each target that is spread over all classes.
        average: decay of the exponential average of the weights that is judged and kept; 0 for the weights themselves.
        patience: epochs without a better validation score after which training stops; None for never.
        class_weights: how much an example of each class counts, in the order of the classes.
        augment: names of augmentations, see AUGMENTATIONS.
        mixup: alpha of the Beta distribution that mixes two examples; 0 for none.
        precision: "float32", or "bfloat16" for products (weights stay float32).
        device: as torch names it, "cpu" or "cuda".
        seed: drives order, augmentation and dropout; the initial weights are the caller's.
        threads: of the processor; part of the settings, since sums depend on it in their last bit.
        report_steps: a longer epoch is cut into equal parts of at most so many steps, each with a line in the history.
    Raises:
        BottegaError: a value is unknown or out of its range; all such are told at once.
    """

    epochs: int = 30
    batch_size: int = 128
    optimiser: str = "adamw"
    learning_rate: float | None = None
    momentum: float = 0.9
    schedule: str = "one-cycle"
    warm_up: float = 0.2
    weight_decay: float = 0.01
    clip: float | None = 10.0
    label_smoothing: float = 0.0
    average: float = 0.0
    patience: int | None = 10
    class_weights: tuple[float, ...] | None = None
    augment: tuple[str, ...] = ()
    mixup: float = 0.0
    precision: str = "float32"
    device: str = "cpu"
    seed: int = 0
    threads: int = 1
    report_steps: int = 1000

    def __post_init__(self) -> None:
        problems = [problem for field in fields(self) if (problem := _problem(field.name, getattr(self, field.name)))]
        if problems:
            raise BottegaError(
                found="; ".join(found for found, _, _ in problems),
                expected="; ".join(expected for _, expected, _ in problems),
                fix="; ".join(fix for _, _, fix in problems),
                where="settings of the training",
            )


def settings_from(stated: Mapping[str, Any]) -> Settings:
    """Settings from names and values, such as a recipe or keyword arguments give them.

    Raises:
        BottegaError: a name is unknown, or a value is out of its range.
    Example:
        >>> settings_from({"epochs": 3}).epochs
        3
    """
    known = [field.name for field in fields(Settings)]
    unknown = [name for name in stated if name not in known]
    if unknown:
        near = [nearest_name(name, known) for name in unknown]
        hints = [f"write {there} for {name}" for name, there in zip(unknown, near, strict=True) if there]
        raise BottegaError(
            found=f"unknown settings of the training: {found_in(unknown)}",
            expected=", ".join(known),
            fix="; ".join(hints) or "leave them out",
        )
    lists = {name: tuple(value) for name, value in stated.items() if isinstance(value, list)}
    return Settings(**{**stated, **lists})


def _problem(name: str, value: object) -> tuple[str, str, str] | None:
    """What is wrong with one value: found, expected, fix."""
    if value is None and name in _MAY_BE_NONE:
        return None
    if name in _NAMES:
        return _unknown(name, value, _NAMES[name])
    if name in _WHOLE:
        least, most = _WHOLE[name]
        right = isinstance(value, int) and not isinstance(value, bool) and least <= value <= most
        return None if right else _outside(name, value, f"a whole number from {least} to {most}", least, most)
    if name in _REAL:
        low, high = _REAL[name]
        right = _is_number(value) and low <= value <= high  # type: ignore[operator]
        return None if right else _outside(name, value, f"a number from {low:g} to {high:g}", low, high)
    if name == "augment":
        return _augment_problem(value)
    if name == "class_weights":
        right = isinstance(value, tuple) and bool(value) and all(_is_number(one) and one > 0 for one in value)
        return None if right else _outside(name, value, "a positive number for each class", 0, 0)
    return None if isinstance(value, str) and value else (f"{name} = {value!r}", f"{name}: a name", f"{name} = 'cpu'")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _unknown(name: str, value: object, known: tuple[str, ...]) -> tuple[str, str, str] | None:
    if value in known:
        return None
    near = nearest_name(str(value), known) or known[0]
    return f"{name} = {value!r}", f"{name}: one of {', '.join(known)}", f"{name} = {near!r}"


def _augment_problem(value: object) -> tuple[str, str, str] | None:
    if not isinstance(value, tuple):
        return f"augment = {value!r}", "augment: a list of names", f"augment = {list(AUGMENTATIONS[:2])!r}"
    return next((problem for one in value if (problem := _unknown("augment", one, AUGMENTATIONS))), None)


def _outside(name: str, value: object, expected: str, low: float, high: float) -> tuple[str, str, str]:
    """The nearest end of the range is the fix, where there is one."""
    if _is_number(value) and high > low:
        return f"{name} = {value!r}", f"{name}: {expected}", f"{name} = {low if value < low else high:g}"  # type: ignore[operator]
    return f"{name} = {value!r}", f"{name}: {expected}", f"give {name} {expected}"
