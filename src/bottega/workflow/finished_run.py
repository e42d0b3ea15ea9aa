"""A finished run as its folder tells of it, read without the model or the data."""

import csv
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bottega.errors import BottegaError
from bottega.workflow.readings import KeptReading, kept
from bottega.workflow.recipe import Recipe
from bottega.workflow.run_folder import PREDICTIONS, RECORD, RunFolder

__all__ = ["Answer", "FinishedRun", "read_finished"]

BEFORE_CLASSES = ("input", "label", "answer", "sure")  # columns of predictions.csv


@dataclass(frozen=True)
class Answer:
    """What a run answered to one test example: the label and the probabilities of its classes."""

    label: str
    probabilities: tuple[float, ...]


@dataclass(frozen=True)
class FinishedRun:
    """What is compared of a run.

    Attributes:
        path: of its folder, as it was given.
        test, twins: as in its record.
        classes: in the order of the probabilities.
        answers: by the name of the example; None where its answers aren't classes.
        kept: the reading of the network that it trained, if it trained one.
    """

    path: str
    recipe: Recipe
    chosen: str
    metric: str
    test: Mapping[str, Any]
    twins: tuple[tuple[str, ...], ...]
    seconds: float
    classes: tuple[str, ...]
    answers: Mapping[str, Answer] | None
    kept: KeptReading | None


def read_finished(run: str | os.PathLike[str]) -> FinishedRun:
    """Read what a run left in its folder.

    Raises:
        BottegaError: it is no run, isn't finished, or a file of it is damaged.
    """
    folder = RunFolder.open(run)
    recipe, path = folder.recipe(), folder.file(RECORD)
    if parts := folder.parts():
        raise BottegaError(
            found=f"a run of {len(parts)} targets: {str(folder.path)!r}",
            expected="a run of one; each target has its own inside that folder",
            fix=f"name one of them: {parts[0].path}",
        )
    if not path.exists():
        raise BottegaError(
            found=f"a run that isn't finished: {str(folder.path)!r} has no {RECORD}",
            expected="a finished run",
            fix=f"bottega train --resume {folder.path}",
        )
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        classes, answers = _answers(folder)
        return FinishedRun(
            path=str(folder.path),
            recipe=recipe,
            chosen=str(record["chosen"]),
            metric=str(record["metric"]),
            test=record["test"],
            twins=tuple(tuple(one["members"]) for one in record["twins"]),
            seconds=float(record["seconds"]["total"]),
            classes=classes,
            answers=answers,
            kept=kept(folder),
        )
    except BottegaError:
        raise
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise BottegaError(
            found=f"a run whose {RECORD} or {PREDICTIONS} can't be read: {error}",
            expected="the files as training wrote them",
            fix=f"train it again: bottega train {recipe.source}",
            where=str(folder.path),
        ) from error


def _answers(folder: RunFolder) -> tuple[tuple[str, ...], Mapping[str, Answer] | None]:
    """The classes and the answers of predictions.csv."""
    with folder.file(PREDICTIONS).open(encoding="utf-8", newline="", errors="surrogateescape") as file:
        rows = csv.reader(file)
        head = next(rows, [])
        if tuple(head[:4]) != BEFORE_CLASSES:
            return (), None
        found = {row[0]: Answer(row[1], tuple(float(cell) for cell in row[4:])) for row in rows}
    if any(len(one.probabilities) != len(head) - 4 for one in found.values()):
        raise ValueError(f"a line of {PREDICTIONS} has another number of columns than its head")
    return tuple(head[4:]), found
