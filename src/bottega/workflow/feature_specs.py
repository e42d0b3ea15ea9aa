"""Candidates that make features first: what is searched on the rows of each fit is a part of that fit.

So a fold's features come from the fold's own training rows, and what is judged is the whole procedure.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from bottega.data.table_features import MadeFeature
from bottega.evaluation.forms import Form
from bottega.evaluation.table_forms import Widened
from bottega.evaluation.table_models import fit_dense
from bottega.workflow.candidates import Setting, Spec
from bottega.workflow.feature_search import FeatureSearch, Found, widened
from bottega.workflow.table_specs import VIEW, TableTask, table_specs

__all__ = ["Searched", "with_features"]

Floats = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.float64]
Targets = npt.NDArray[Any]
N_KEPT = 12  # sets of rows that are remembered: five folds, the tuned and the final one, twice


@dataclass(frozen=True)
class _Rows:
    """One set of rows: what was found for it, and the candidates that see it."""

    found: Found
    specs: dict[str, Spec]


class Searched:
    """What was found for each set of rows that a fit was asked for, each searched once.

    Args:
        view: the encoded rows, or those with texts behind them.
    """

    def __init__(self, task: TableTask, search: FeatureSearch, specs: Sequence[Spec], view: str = VIEW) -> None:
        self.task = task
        self.search = search
        self.view = view
        self.n_seen = search.columns.n_seen
        self.plain = {spec.name: spec for spec in specs}
        self._known: dict[bytes, _Rows] = {}

    def first(self, x: Floats, y: Targets, most_seconds: float) -> Found | None:
        """Search on the rows of the final fit; None where that would take longer."""
        found = self.search.find(x, y, most_seconds)
        if found is not None:
            self._known[self._key(x, y)] = self._searched(x, found)
        return found

    def rows(self, x: Floats, y: Targets) -> _Rows:
        """Search on these rows, or remember."""
        key = self._key(x, y)
        if key not in self._known:
            while len(self._known) >= N_KEPT:
                self._known.pop(next(iter(self._known)))
            self._known[key] = self._searched(x, self.search.find(x, y) or Found((), widened((), x, self.n_seen)))
        return self._known[key]

    def wide(self, features: tuple[MadeFeature, ...], form: Form) -> Form:
        """A form that sees the encoded rows, of one that sees them with features and without texts."""
        if self.view == VIEW:
            return Widened(features, form) if features else form
        return Widened(features, form, self.n_seen)

    def _key(self, x: Floats, y: Targets) -> bytes:
        digest = hashlib.blake2b(np.ascontiguousarray(x).tobytes(), digest_size=16)
        digest.update(np.ascontiguousarray(y).tobytes())
        return digest.digest()

    def _searched(self, x: Floats, found: Found) -> _Rows:
        if not found.features:
            return _Rows(found, self.plain)
        n_codes = np.append(self.task.n_codes, np.zeros(len(found.features), np.int64))
        n_dense = fit_dense(found.wide, n_codes).width
        specs, left_out = table_specs(replace(self.task, n_codes=n_codes), len(x), n_dense)
        everyone = [*specs, *(spec for spec, _ in left_out)]
        return _Rows(found, {spec.name: spec for spec in everyone})


def with_features(specs: Sequence[Spec], searched: Searched) -> list[Spec]:
    """The candidates, each of which makes the features that its rows speak for.

    Their fits are made one by one: the search sets the number of threads for the whole process.
    """
    return [_featured(spec, searched) for spec in specs]


def _featured(spec: Spec, searched: Searched) -> Spec:
    def tune(x: Floats, y: Targets, x_val: Floats, y_val: Targets, *weights: Numbers) -> tuple[Setting, Form | None]:
        rows = searched.rows(x, y)
        inner, features = rows.specs[spec.name], rows.found.features
        setting, form = inner.tune(rows.found.wide, y, widened(features, x_val, searched.n_seen), y_val, *weights)
        return setting, None if form is None else searched.wide(features, form)

    def fit(x: Floats, y: Targets, setting: Setting, *weights: Numbers) -> Form:
        rows = searched.rows(x, y)
        form = rows.specs[spec.name].fit(rows.found.wide, y, setting, *weights)
        return searched.wide(rows.found.features, form)

    return replace(spec, view=searched.view, fit=fit, tune=tune, alone=True, leads=spec.comes_first)
