"""The model file of an estimator: what `bottega train` ships, scored on rows of the fit alone."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from bottega.data.table_like import share_unknown
from bottega.data.table_preparation import Kind, TablePreparation
from bottega.data.table_summary import summary_of
from bottega.errors import BottegaError
from bottega.evaluation.conformal import Interval
from bottega.evaluation.forms import Form
from bottega.problem.records import Score
from bottega.problem.table import ColumnSpec
from bottega.shipping.model_file import (
    Baseline,
    Card,
    DataCard,
    TableCard,
    Thresholds,
    class_outputs,
    seal,
    value_outputs,
)
from bottega.shipping.predictor import open_session
from bottega.shipping.table_check import differences, golden_rows, made_up_rows
from bottega.shipping.table_graph import table_classifier, table_regressor
from bottega.shipping.table_predictor import Answered, ask_rows
from bottega.workflow.candidates import answer, predictions
from bottega.workflow.recipe import versions

__all__ = ["Rows", "Winner", "sealed"]

TOLERANCE = 1e-5
PACKAGES = ("polars", "rtdl_num_embeddings", "tabm")


@dataclass(frozen=True)
class Rows:
    """What is learned from.

    Attributes:
        cells: (N,) by column: floats with NaN, or strings with "" where missing.
        formats: of the date columns.
        y: (N,) class indices, or values.
        classes: the labels of the class indices; () for values.
        target: what the answer is called.
    """

    cells: Mapping[str, npt.NDArray[Any]]
    kinds: Mapping[str, Kind]
    formats: Mapping[str, str]
    y: npt.NDArray[Any]
    classes: tuple[str, ...]
    target: str

    def at(self, rows: npt.NDArray[np.int64]) -> "Rows":
        """These rows, in this order."""
        return replace(self, cells={name: cells[rows] for name, cells in self.cells.items()}, y=self.y[rows])


@dataclass(frozen=True)
class Winner:
    """The candidate that ships.

    Attributes:
        name, form: who it is, and what it learned.
        temperature, thresholds: of classes.
        interval: of values.
        metric, score: on rows that chose nothing.
        source: "cv" where these were answered out of fold, else "held-out".
        n_val: rows that were set aside to choose and calibrate; 0 out of fold.
        tried: every candidate, and how it stands to this one.
    """

    name: str
    form: Form
    temperature: float
    thresholds: Thresholds | None
    interval: Interval | None
    metric: str
    score: Score
    source: str
    n_val: int
    tried: tuple[Baseline, ...]


def sealed(
    winner: Winner, rows: Rows, prepared: TablePreparation, x: npt.NDArray[np.float32], recipe: dict[str, Any]
) -> bytes:
    """Build the file, and prove that it answers every row as the fitted form does.

    Args:
        x: (N, D) the encoded rows.
        recipe: goes into the card.
    Raises:
        BottegaError: it does not.
    """
    classes = rows.classes
    columns = tuple(_spec(one, rows.cells[one.name]) for one in prepared.columns)
    graph = _graph(winner, prepared, classes)
    outputs = class_outputs(len(classes)) if classes else value_outputs()
    session, names = open_session(graph, threads=1), [one.name for one in outputs]
    _replay(winner, x, ask_rows(session, rows.cells, columns, names))
    everyone = np.arange(len(rows.y))
    cells = {one.column: rows.cells[one.column] for one in columns}
    card = Card(
        task="classification" if classes else "regression",
        modality="tables",
        labels=classes,
        outputs=outputs,
        thresholds=winner.thresholds,
        temperature=winner.temperature,
        metric=winner.metric,
        metrics={winner.metric: winner.score},
        test_source=winner.source,
        baselines=winner.tried,
        chosen=winner.name,
        verdict=_verdict(winner),
        data=DataCard(
            _fingerprint(rows),
            {"train": len(everyone) - winner.n_val, "val": winner.n_val, "test": 0},
            {name: int((rows.y == number).sum()) for number, name in enumerate(classes)},
        ),
        recipe=recipe,
        versions=versions(PACKAGES),
        weights=(),
        golden=golden_rows(session, made_up_rows(cells, everyone, columns), columns, names),
        tolerance=TOLERANCE,
        inputs=columns,
        table=_facts(winner, rows.target),
    )
    return seal(graph, card)


def _graph(winner: Winner, prepared: TablePreparation, classes: tuple[str, ...]) -> bytes:
    if winner.interval is not None:
        return table_regressor(prepared, winner.form, winner.interval)
    sure = None if winner.thresholds is None else winner.thresholds.sure
    return table_classifier(prepared, winner.form, classes, temperature=winner.temperature, threshold=sure)


def _spec(one: Any, cells: npt.NDArray[Any]) -> ColumnSpec:
    dtype = "float32" if one.kind == "number" else "string"
    rare = share_unknown(cells, one.levels) if one.kind == "category" else 0.0
    summary = summary_of(cells, one.kind, one.levels)
    place = one.input_name, one.kind, dtype, one.name
    return ColumnSpec(*place, one.levels, one.format, one.format, rare=round(rare, 6), summary=summary)


def _replay(winner: Winner, x: npt.NDArray[np.float32], found: Answered) -> None:
    """Compare the file's answers on the cells with the form's on the encoded rows.

    Raises:
        BottegaError: one is over the tolerance.
    """
    n_outputs = 1 if winner.interval is not None else found["probabilities"].shape[1]
    expected = answer(winner.form, x, n_outputs)
    if winner.interval is None:
        scaled = np.exp((expected - expected.max(1, keepdims=True)) / winner.temperature)
        gaps = differences(found, {"probabilities": scaled / scaled.sum(1, keepdims=True)})
    else:
        value = predictions(expected, 1.0)
        lower, upper = winner.interval.around(value)
        gaps = differences(found, {"value": value, "lower": lower, "upper": upper})
    bad = np.flatnonzero(~(gaps <= TOLERANCE))
    if len(bad):
        raise BottegaError(
            found=f"{len(bad)} of {len(gaps)} rows get another answer from the file than from {winner.name!r} "
            f"as it was fitted, by up to {gaps.max():.2g}",
            expected=f"answers within {TOLERANCE:g}",
            fix="nothing was fitted; this is a fault of ours: please report it",
        )


def _verdict(winner: Winner) -> str:
    score = winner.score
    if not score.n:
        return f"{winner.name}: too little to compare anything on"
    how = "answered out of fold" if winner.source == "cv" else "set aside"
    return (
        f"{winner.name}: {winner.metric} {score.score:.4g} on {score.n} rows {how}, of those that were given to fit; "
        "no test part was kept"
    )


def _facts(winner: Winner, target: str) -> TableCard:
    if winner.interval is None:
        return TableCard(target, ())
    return TableCard(target, (), winner.interval.coverage, winner.interval.guarantee)


def _fingerprint(rows: Rows) -> str:
    """Of the rows in the order of their contents."""
    digest = hashlib.sha256()
    for name in sorted(rows.cells):
        cells = rows.cells[name]
        digest.update(name.encode("utf-8", "surrogateescape") + b"\0")
        digest.update("\0".join(cells).encode("utf-8", "surrogateescape") if cells.dtype == object else cells.tobytes())
    digest.update(rows.y.tobytes())
    return digest.hexdigest()
