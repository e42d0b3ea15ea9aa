"""`reproduce`: train a run again from its recipe, and compare the two files."""

import os
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bottega.errors import BottegaError
from bottega.problem.records import Progress, ReproduceRecord
from bottega.shipping.check import replay
from bottega.shipping.model_file import Card, read
from bottega.shipping.predictor import load
from bottega.workflow.recipe import Recipe, versions
from bottega.workflow.run_folder import HISTORY, MODEL, RECIPE, RunFolder
from bottega.workflow.train import train_recipe

__all__ = ["reproduce"]


def reproduce(run: str | os.PathLike[str], *, progress: Progress | None = None) -> ReproduceRecord:
    """Train again with the recipe and the journalled decisions of a run, in a folder that is thrown away.

    Args:
        run: the folder of a finished run that shipped a file.
    Returns:
        ReproduceRecord: `identical` when the bytes are, `within tolerance` when the golden examples are answered alike,
        else `different`; `differences` names the first things that differ.
    Raises:
        BottegaError: the run has no file, or its data are gone or changed.
    """
    folder = RunFolder.open(run)
    recipe = folder.recipe()
    model_path = folder.file(MODEL)
    if not model_path.exists():
        raise BottegaError(
            found=f"no {MODEL} in {str(run)!r}",
            expected="a finished run that shipped a file",
            fix=f"bottega train --resume {run}",
        )
    with tempfile.TemporaryDirectory(prefix="bottega-") as place:
        again = RunFolder(Path(place))
        again.write(RECIPE, recipe.to_toml())
        _replay_choices(folder, again)
        for part in folder.parts():  # of several targets, each has made its own
            part_again = RunFolder(again.path / part.path.name)
            part_again.path.mkdir()
            part_again.write(RECIPE, part.recipe().to_toml())
            _replay_choices(part, part_again)
        train_recipe(recipe, again, progress=progress)
        return _compare(model_path, again.file(MODEL), recipe)


def _replay_choices(folder: RunFolder, again: RunFolder) -> None:
    """Choices made under --time are replayed, not made anew."""
    if folder.file(HISTORY).exists():
        for what, value in folder.decisions().items():
            again.tell("decided", what=what, value=value)


def _compare(first: Path, second: Path, recipe: Recipe) -> ReproduceRecord:
    if first.read_bytes() == second.read_bytes():
        return ReproduceRecord("identical", ())
    old, new = read(first)[0], read(second)[0]
    differences = [
        f"{package}: {recipe.versions.get(package)} then, {now} now"
        for package, now in versions(recipe.versions).items()
        if recipe.versions.get(package) != now
    ]
    differences += _differing(asdict(old), asdict(new), "")
    return ReproduceRecord("within tolerance" if _alike(old, second) else "different", tuple(differences))


def _alike(card: Card, path: Path) -> bool:
    """Whether the new file answers the old file's golden examples within the tolerance."""
    model = load(path)
    if model.labels != card.labels or model.card.inputs != card.inputs:
        return False
    return replay(model.under(card)).passed


def _differing(old: Any, new: Any, where: str) -> list[str]:
    """Names of the keys whose values differ, the deepest ones, at most twenty."""
    if isinstance(old, dict) and isinstance(new, dict):
        found: list[str] = []
        for key in sorted({*old, *new}):
            found += _differing(old.get(key), new.get(key), f"{where}.{key}" if where else str(key))
        return found[:20]
    if old == new:
        return []
    shown = [repr(value) if len(repr(value)) <= 40 else repr(value)[:37] + "…" for value in (old, new)]
    return [f"{where}: {shown[0]} then, {shown[1]} now"]
