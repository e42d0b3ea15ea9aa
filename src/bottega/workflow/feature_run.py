"""`train --features`: the search of one training, what its record says, and whether there is time for it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bottega.data.splits import Split
from bottega.data.table_feature_ideas import TableColumns
from bottega.data.table_preparation import TablePreparation
from bottega.evaluation.wording import count, joined, percent, percent_range, plural
from bottega.problem.records import FeatureGain, FeatureRecord
from bottega.workflow.candidates import FEWEST_VALIDATION, Material, Spec
from bottega.workflow.clock import Clock
from bottega.workflow.feature_search import Evidence, FeatureSearch, Found
from bottega.workflow.feature_specs import Searched, with_features
from bottega.workflow.judge import INNER_K
from bottega.workflow.table_specs import VIEW, TableTask
from bottega.workflow.table_words import WITH_WORDS
from bottega.workflow.threads import product_threads

__all__ = ["Budget", "FeatureRun", "feature_recipe", "search_features", "without_features"]

FEWEST_SECONDS = 20.0  # under --time: with less left, not even one search is begun
SHARE_OF_TIME = 0.4  # of what is left under --time, for all searches together
NO_TIME = "no time was left for it"
ERRORS = {True: "squared errors of the probabilities (Brier)", False: "absolute errors"}


@dataclass(frozen=True)
class FeatureRun:
    """The candidates that take part, and what was found on the rows of the file that ships.

    Attributes:
        texts: columns of texts of which something kept is made.
    """

    specs: list[Spec]
    record: FeatureRecord
    texts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Budget:
    """What decides whether there is time: the clock, and what an earlier run of the same recipe decided.

    Attributes:
        decided: the recipe's words on features; None in a new run.
        n_repeats: of the cross-validation, where the data are few.
        k: folds of a choice out of fold.
    """

    clock: Clock
    decided: Mapping[str, Any] | None
    n_repeats: int
    k: int

    @property
    def is_out(self) -> bool:
        """Whether nothing is begun."""
        if self.decided is not None:
            return "skipped" in self.decided
        return self.clock.left() < FEWEST_SECONDS

    @property
    def most_seconds(self) -> float:
        """What features may take in all."""
        return SHARE_OF_TIME * self.clock.left() if self.decided is None else math.inf


def search_features(
    task: TableTask,
    prepared: TablePreparation,
    target: str,
    material: Material,
    divided: Split,
    specs: Sequence[Spec],
    budget: Budget,
) -> FeatureRun:
    """Search on the rows that the final fit will get, and let every candidate make what is found.

    Each fold's fits search on the fold's own rows; see `workflow.feature_specs`.
    """
    view = WITH_WORDS if WITH_WORDS in material.views else VIEW
    x = material.views[view]
    rows, n_searches = _final_rows(divided, len(x), budget)
    if budget.is_out:
        return without_features(specs)
    columns = TableColumns.of(prepared, target, material.classes)
    group_of = {row.tobytes(): int(group) for row, group in zip(x, material.groups, strict=True)}
    searched = Searched(task, FeatureSearch(task, columns, group_of), specs, view)
    begun = budget.clock.elapsed()
    with product_threads(1):
        found = searched.first(x[rows], material.y[rows], budget.most_seconds / n_searches)
    to_come = (n_searches - 1) * (budget.clock.elapsed() - begun)
    if found is None or to_come > budget.most_seconds:
        return without_features(specs)
    used = {place for one in found.features if one.is_of_text for place in one.columns}
    texts = tuple(one.name for one in columns.texts if used.intersection((one.start, *one.columns)))
    return FeatureRun(with_features(specs, searched), _record(found, is_class=bool(material.classes)), texts)


def feature_recipe(record: FeatureRecord) -> dict[str, Any]:
    """The outcome as the recipe holds it: what a resumed or reproduced run must come to."""
    if not record.n_rows:
        return {"skipped": NO_TIME}
    return {"kept": [one.words for one in record.kept], "tried": record.n_tried, "rows": record.n_rows}


def _final_rows(divided: Split, n: int, budget: Budget) -> tuple[npt.NDArray[np.int64], int]:
    """The rows that the file is fitted on, and on how many sets of rows candidates are fitted in all."""
    if divided.source == "cv":
        return np.arange(n), 1 + budget.k + budget.n_repeats * budget.k * (INNER_K + 1)
    train, val = divided.rows("train"), divided.rows("val")
    if len(val) >= FEWEST_VALIDATION:
        return train, 1
    return np.sort(np.concatenate([train, val])), 1 + budget.k


def without_features(specs: Sequence[Spec]) -> FeatureRun:
    """The candidates as they are, for want of time."""
    return FeatureRun(list(specs), FeatureRecord((), (), 0, 0, "", f"No features were made: {NO_TIME}."))


def _record(found: Found, *, is_class: bool) -> FeatureRecord:
    kept, closest = (tuple(map(_gain, part)) for part in (found.kept, found.closest))
    return FeatureRecord(kept, closest, found.n_tried, found.n_rows, ERRORS[is_class], _said(kept, found))


def _gain(one: Evidence) -> FeatureGain:
    return FeatureGain(one.feature.words, one.gain)


def _said(kept: Sequence[FeatureGain], found: Found) -> str:
    if not found.n_tried:
        rows = plural(found.n_rows, "row")
        return f"No features were made: {rows} are too few, or too much alike, to prove that one helps."
    if not kept:
        return f"No made feature is kept: of {count(found.n_tried)} that were thought of, none is proved to help."
    words = [
        f"{one.words} (errors {percent(one.gain.score, one.gain.low, one.gain.high)} smaller, "
        f"{percent_range(one.gain.low, one.gain.high)})"
        for one in kept
    ]
    help_ = "one helps" if len(kept) == 1 else "these help"
    return f"Of {count(found.n_tried)} made features that were thought of, {help_}: {joined(words)}."
