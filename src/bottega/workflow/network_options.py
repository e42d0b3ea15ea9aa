"""The choices about a network of one's own, checked before any work is done."""

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bottega.errors import BottegaError, nearest_name
from bottega.training.settings import AUGMENTATIONS, settings_from

if TYPE_CHECKING:
    from bottega.workflow.options import TrainOptions

__all__ = ["NETWORKS", "OWN", "check_network_options", "is_own_network", "stated_settings"]

NETWORKS = ("auto", "pretrained", "mlp", "cnn", "resnet", "finetune")
TEXT_NETWORKS = ("auto", "bag", "cnn", "lstm", "pretrained", "finetune")  # of texts
OWN = ("mlp", "cnn", "resnet")
FINETUNE = "finetune"
DEVICES = ("auto", "cpu", "cuda")
# Of `TrainOptions` and of the training's settings alike; None leaves the choice to what suits the data.
_SETTINGS = ("epochs", "batch_size", "optimiser", "learning_rate", "schedule", "weight_decay", "patience")
_Problem = tuple[str, str, str]  # found, expected, fix

# name: lowest, highest, whole, what it is, an example
_COUNTS: dict[str, tuple[float, float, bool, str, str]] = {
    "seeds": (1, 50, True, "a number of seeds from 1 to 50", "5"),
    "cv": (2, 50, True, "a number of folds from 2 to 50", "5"),
}


def is_own_network(network: str) -> bool:
    """Whether a choice of `--network` names a network that is trained as a whole: a kind, a TOML file or a class."""
    return network in (*OWN, FINETUNE) or network.endswith(".toml") or ":" in network


def stated_settings(options: "TrainOptions") -> dict[str, Any]:
    """The settings of the training that were stated, by name; `augment` where it names some."""
    stated = {name: getattr(options, name) for name in _SETTINGS if getattr(options, name) is not None}
    if options.augment != "auto":
        words = () if options.augment == "none" else tuple(word.strip() for word in options.augment.split(","))
        stated["augment"] = words
    return stated


def check_network_options(options: "TrainOptions") -> list[_Problem]:
    """What is wrong with the choices about the network, each as found, expected, fix."""
    problems = [problem for name, rule in _COUNTS.items() if (problem := _range(name, getattr(options, name), rule))]
    problems += [*_check_settings(stated_settings(options)), *_check_network(options)]
    if options.device not in DEVICES:
        near = nearest_name(str(options.device), DEVICES) or "auto"
        problems.append((f"device {options.device!r}", f"one of {', '.join(DEVICES)}", f"--device {near}"))
    return problems


def _check_network(options: "TrainOptions") -> list[_Problem]:
    network = options.network
    if options.table is not None:
        if network in TEXT_NETWORKS:
            return []
        fix = f"--network {nearest_name(network, TEXT_NETWORKS) or 'cnn'}"
        return [(f"network {network!r}", f"for texts one of {', '.join(TEXT_NETWORKS)}", fix)]
    if network not in NETWORKS and not network.endswith(".toml") and not re.fullmatch(r"[\w./-]+:\w+", network):
        near = nearest_name(network, NETWORKS)
        expected = f"one of {', '.join(NETWORKS)}, a file FILE.toml or a class MODULE:CLASS"
        return [(f"network {network!r}", expected, f"--network {near or 'cnn'}")]
    if network.endswith(".toml") and not Path(network).is_file():
        fix = f"bottega summary cnn --input 28x28x1 --toml > {network}"
        return [(f"no file {network!r}", "a network written as TOML", fix)]
    shaped = [f"--{name}" for name in ("width", "depth", "dropout") if getattr(options, name) is not None]
    if shaped and network not in ("auto", *OWN):
        flags = ", ".join(shaped)
        return [(f"{flags} with --network {network}", f"{flags} with mlp, cnn or resnet", "--network cnn")]
    if shaped:
        from bottega.models.plans import standard

        try:  # the ranges are the plan's; any shape will do to ask for them
            kind = "cnn" if network == "auto" else network
            standard(kind, (1, 28, 28), width=options.width, depth=options.depth, dropout=options.dropout)
        except BottegaError as error:
            return [(error.found, error.expected, f"leave out {', '.join(shaped)}, or stay within the range")]
    return []


def _check_settings(stated: Mapping[str, Any]) -> list[_Problem]:
    augment = [word for word in stated.get("augment", ()) if word not in AUGMENTATIONS]
    if augment:
        near = nearest_name(augment[0], AUGMENTATIONS)
        expected = f"auto, none, or some of {', '.join(AUGMENTATIONS)} with commas between"
        return [(f"augment {augment[0]!r}", expected, f"--augment {near or 'auto'}")]
    try:
        settings_from(stated)
    except BottegaError as error:
        return [(error.found, error.expected, re.sub(r"(\w+) = '?([^';]+)'?", _as_flag, error.fix))]
    return []


def _as_flag(stated: re.Match[str]) -> str:
    return f"--{stated[1].replace('_', '-')} {stated[2]}"


def _range(name: str, value: object, rule: tuple[float, float, bool, str, str]) -> _Problem | None:
    low, high, whole, expected, example = rule
    if value is None and name != "seeds":
        return None
    number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    if number and low <= value <= high and (not whole or value == int(value)):  # type: ignore[operator, call-overload]
        return None
    return f"{name} {value!r}", expected, f"--{name} {example}"
