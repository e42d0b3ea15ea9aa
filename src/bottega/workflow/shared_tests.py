"""Runs on the test examples that they share: the one paired comparison that holds for different splits too."""

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from bottega.data.twins import group_by_name
from bottega.evaluation.metrics import METRICS
from bottega.problem.refinement_records import PairedTest
from bottega.problem.spreadsheet import safe_cell
from bottega.refinement.proof import paired_gain
from bottega.workflow.finished_run import FinishedRun

__all__ = ["paired_tests"]


def paired_tests(first: FinishedRun, others: Sequence[FinishedRun]) -> tuple[PairedTest, ...]:
    """Each of the others against the first, by the first one's metric."""
    return tuple(_test(one, first, len(others)) for one in others)


def _test(run: FinishedRun, first: FinishedRun, n_compared: int) -> PairedTest:
    metric = METRICS.get(first.metric)
    if run.answers is None or first.answers is None or metric is None or metric.kind != "classification":
        return _untold(run, first, 0, "only answers that are classes are compared so far")
    names = sorted({*run.answers} & {*first.answers})
    if len(names) < 2:
        why = "they share no test example: the data or the split seed differ"
        return _untold(run, first, len(names), why)
    n_other = sum(run.answers[name].label != first.answers[name].label for name in names)
    if n_other:
        why = f"another label in {n_other} of the {len(names)} shared test examples: the data differ"
        return _untold(run, first, len(names), why)
    classes = tuple(dict.fromkeys((*first.classes, *run.classes)))
    place = {label: number for number, label in enumerate(classes)}
    y = np.array([place.get(first.answers[name].label, -1) for name in names], np.int64)
    ours, theirs = (_probabilities(one, names, place) for one in (run, first))
    gain = paired_gain(metric, y, [ours], [theirs], _groups(first, names), n_compared=n_compared)
    verdict = "better" if gain.low > 0 else "worse" if gain.high < 0 else "cannot tell"
    why = _shipped(run, first)
    if run.recipe.data.get("fingerprint") != first.recipe.data.get("fingerprint"):
        why = "the data differ: examples of the same name are taken for the same"
    return PairedTest(run.path, first.path, metric.name, len(names), gain, verdict, why)  # type: ignore[arg-type]


def _shipped(run: FinishedRun, first: FinishedRun) -> str:
    """What is compared, where it isn't the network that was trained."""
    if all(one.kept is None or one.kept.network == one.chosen for one in (run, first)):
        return ""
    both = run.chosen if run.chosen == first.chosen else f"{run.chosen} with {first.chosen}"
    return f"this compares what ships: {both}"


def _untold(run: FinishedRun, first: FinishedRun, n: int, why: str) -> PairedTest:
    return PairedTest(run.path, first.path, first.metric, n, None, "cannot tell", why)


def _probabilities(run: FinishedRun, names: Sequence[str], place: dict[str, int]) -> npt.NDArray[np.float64]:
    """(N, C) over the classes of both runs: none for a class that a run doesn't know."""
    columns = [place[label] for label in run.classes]
    found = np.zeros((len(names), len(place)))
    answers = run.answers or {}
    found[:, columns] = [answers[name].probabilities for name in names]
    return found


def _groups(run: FinishedRun, names: Sequence[str]) -> npt.NDArray[np.int64]:
    """(N,) equal for twins, and for what the run was told belongs together."""
    number = {name: at for at, name in enumerate(names)}
    groups = np.arange(len(names), dtype=np.int64)
    for members in run.twins:
        inside = [number[name] for name in map(safe_cell, members) if name in number]
        groups[inside] = min(inside, default=0)
    pattern = run.recipe.training.get("group_by")
    if not isinstance(pattern, str) or not any(re.search(pattern, name) for name in names):
        return groups
    return group_by_name(names, groups, pattern)
