"""What differs between the recipes of runs, key by key, in words that a person can compare."""

from collections.abc import Mapping, Sequence
from typing import Any

from bottega.problem.network import network_from_toml
from bottega.problem.network_summary import summarise
from bottega.problem.refinement_records import RecipeDifference
from bottega.workflow.finished_run import FinishedRun

__all__ = ["recipe_differences"]

PARTS = ("data", "split", "training", "preparation", "versions")


def recipe_differences(runs: Sequence[FinishedRun]) -> tuple[RecipeDifference, ...]:
    """Keys whose values differ, in the recipes' own order; None where a run has no such key.

    Where every run trained a network of its own, its settings are those that it came to have, such as the learning
    rate that a range test found.
    """
    found = [_flat(run) for run in runs]
    if all(run.kept is not None for run in runs):
        for flat, run in zip(found, runs, strict=True):
            settings = {} if run.kept is None else run.kept.reading.settings
            flat.update({f"training.{key}": _plain(value) for key, value in settings.items()})
    keys = sorted(dict.fromkeys(key for flat in found for key in flat), key=_part)
    differing = {key: tuple(flat.get(key) for flat in found) for key in keys}
    return tuple(
        RecipeDifference(key, values)
        for key, values in differing.items()
        if any(value != values[0] for value in values)
    )


def _part(key: str) -> int:
    part = key.partition(".")[0]
    return PARTS.index(part) if part in PARTS else -1


def _flat(run: FinishedRun) -> dict[str, Any]:
    recipe = run.recipe
    flat: dict[str, Any] = {"source": recipe.source}
    for part in PARTS:
        values: Mapping[str, Any] = getattr(recipe, part)
        flat.update({f"{part}.{key}": _plain(value) for key, value in values.items()})
    if isinstance(plan := recipe.training.get("plan"), str):
        flat["training.plan"] = _plan(plan, run)
    return flat


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _plan(plan: str, run: FinishedRun) -> str:
    """A plan as its size: the text itself is in the recipe."""
    n_channels, side, _ = run.recipe.training["input"]
    network = network_from_toml(plan, (int(n_channels), int(side), int(side)))
    summary = summarise(network, max(1, len(run.classes)))
    return f"{network.name}: {len(summary.layers)} layers, {summary.parameters:,} parameters"
