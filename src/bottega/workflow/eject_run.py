"""`eject`: what a run has written down, put together into a script of plain PyTorch."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from bottega.data.sources import Source, open_source
from bottega.errors import BottegaError
from bottega.problem.network import network_from_toml
from bottega.training.settings import Settings, settings_from
from bottega.workflow.eject import EjectData, eject_script
from bottega.workflow.recipe import Recipe
from bottega.workflow.run_folder import HISTORY, RECORD, RunFolder

__all__ = ["Ejected", "eject"]

OUT_OF_FOLD = "out-of-fold predictions"  # in a record: a small validation part was trained on, too
SETTLED = "settings"  # the event that tells how a network was trained
_KINDS = {"folder": "folder", "npz": "npz", "built-in": "digits"}  # of a source, and what a script calls it
_NAMES = {field.name for field in fields(Settings)}


@dataclass(frozen=True)
class Ejected:
    """A run as a script, and in what the two differ, as sentences."""

    script: str
    differs: tuple[str, ...]


def eject(run: str | os.PathLike[str], path: str | os.PathLike[str] | None = None) -> Ejected:
    """Write a run's network, data, split and settings as one script of plain PyTorch.

    Args:
        run: the folder of a finished run that trained a network of its own.
        path: where to put the script; None for nowhere.
    Returns:
        The script, which reads the data from where they lie now.
    Raises:
        BottegaError: it is no run, or trained no network whose layers are known; its data are gone or in an archive;
            the script can't be written there.
    """
    folder = RunFolder.open(run)
    recipe = folder.recipe()
    plan = network_from_toml(_plan(recipe, folder), _shape(recipe))
    facts = _settled(folder, plan.name)
    settings = settings_from({key: value for key, value in facts.items() if key in _NAMES})
    record = _record(folder)
    script = eject_script(plan, settings, _data(recipe, record, facts))
    if path is not None:
        _write(script, Path(path))
    return Ejected(script, tuple(_differs(recipe, record, plan.name)))


def _differs(recipe: Recipe, record: Mapping[str, Any], network: str) -> list[str]:
    """What the script does otherwise: it divides pictures by their own content alone, and chooses by accuracy."""
    split, options = recipe.split, recipe.options()
    said = []
    if record["chosen"] != network:
        said.append(f"the run shipped {record['chosen']}; the script trains {network}, which it was compared with")
    if split.get("source") == "cv":
        said.append("the run was judged by folds; the script by one test part, whose score says less")
    elif record["split"]["chosen_by"] == OUT_OF_FOLD:
        said.append("the run trained on the validation part too, in the end; the script keeps it to choose the epoch")
    n_together = int(recipe.data["n"]) - int(split.get("n_groups", recipe.data["n"]))
    if n_together > 0:
        said.append("the run kept twins (near-duplicates) and groups whole; the script knows equal pictures alone")
    if split.get("by_rank"):
        said.append("the run dealt rare classes by rank; the script deals every picture by its hash")
    if options.metric != "accuracy":
        said.append(f"the run kept the epoch with the best {options.metric}; the script the one with the best accuracy")
    return said


def _plan(recipe: Recipe, folder: RunFolder) -> str:
    plan = recipe.training.get("plan")
    if isinstance(plan, str):
        return plan
    if ":" in str(recipe.training.get("network")):
        raise BottegaError(
            found=f"a run of {recipe.training['network']}, a module of your own",
            expected="a network that is known layer by layer",
            fix="keep your module: it is plain PyTorch already",
            where=str(folder.path),
        )
    raise BottegaError(
        found="a run that trained no network from nothing: the body of its network is pretrained",
        expected="a run of mlp, cnn, resnet or a FILE.toml on pictures",
        fix=f"bottega train {recipe.source} --network cnn",
        where=str(folder.path),
    )


def _shape(recipe: Recipe) -> tuple[int, ...]:
    n_channels, side, _ = recipe.training["input"]
    return int(n_channels), int(side), int(side)


def _settled(folder: RunFolder, network: str) -> Mapping[str, Any]:
    """The facts of the first fit that had a validation part: the script has one too."""
    path = folder.file(HISTORY)
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        try:
            record = json.loads(line)
        except ValueError:  # torn by a kill
            continue
        if isinstance(record, dict) and record.get("event") == SETTLED and record.get("network") == network:
            return record
    raise BottegaError(
        found=f"a run that hasn't trained {network} to its end",
        expected=f"a line {SETTLED!r} in {HISTORY}",
        fix=f"bottega train --resume {folder.path}",
        where=str(path),
    )


def _data(recipe: Recipe, record: Mapping[str, Any], facts: Mapping[str, Any]) -> EjectData:
    source = open_source(recipe.source)
    return EjectData(
        kind=_KINDS.get(source.kind, source.kind),
        source=_place(recipe.source, source),
        has_parts=any(entry.part in ("train", "val", "test") for entry in source.entries),
        labels=[*record["per_class"]],  # in the order of the answers
        split_seed=recipe.options().split_seed,
        mean=facts["mean"],
        scale=facts["scale"],
    )


def _record(folder: RunFolder) -> Mapping[str, Any]:
    """What a finished run came to."""
    path = folder.file(RECORD)
    if not path.exists():
        raise BottegaError(
            found=f"no {RECORD} in {str(folder.path)!r}: the run isn't finished",
            expected="a finished run",
            fix=f"bottega train --resume {folder.path}",
        )
    found: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _place(stated: str, source: Source) -> str:
    """A path that holds from any working directory; a built-in name as it is."""
    return stated if source.kind == "built-in" else str(Path(stated).resolve())


def _write(script: str, path: Path) -> None:
    try:
        path.write_text(script, "utf-8")
    except OSError as error:
        raise BottegaError(
            found=f"{str(path)!r} can't be written: {error.strerror}",
            expected="a folder that can be written to",
            fix="name another place with -o",
        ) from error
