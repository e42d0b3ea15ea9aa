"""Golden rows: made when a model of a table is exported, replayed wherever it runs."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from bottega.problem.records import CheckRecord
from bottega.problem.table import ColumnSpec
from bottega.shipping.model_file import GoldenRow
from bottega.shipping.table_predictor import Answered, TableModel, ask_rows

__all__ = ["SENTENCES", "differences", "golden_rows", "made_up_rows", "replay_rows", "shortest"]

N_GOLDEN = 6
SENTENCES = (  # in place of texts, which are somebody's
    "The quick brown fox jumps over the lazy dog.",
    "When does the next train to Firenze leave, and what does it cost?",
    "FREE!!! Call 0800 123 456 now and win 1,000 €",
    "Çok güzel, größer, naïve, 你好, مرحبا, हिन्दी 😀",
    "<b>not</b> bad & not good: $x^2$ …",
)
STRANGE = "\u2205"  # a category that no training row has
Cells = Mapping[str, npt.NDArray[Any]]


def made_up_rows(cells: Cells, rows: npt.NDArray[np.int64], columns: Sequence[ColumnSpec]) -> Cells:
    """Rows that are nobody's: each column drawn on its own from training cells; then an empty and a strange one.

    Texts are stock sentences, one of them twice.

    Args:
        cells: (N,) by column.
        rows: numbers of the training rows.
    """
    found = {}
    for place, one in enumerate(columns):
        drawn = np.random.default_rng(place).choice(rows, N_GOLDEN)
        texts = np.array([SENTENCES[i % len(SENTENCES)] for i in range(N_GOLDEN)], dtype=object)
        values = texts if one.kind == "text" else cells[one.column][drawn]
        empty, strange = (math.nan, -1.0) if one.kind == "number" else ("", STRANGE)
        found[one.column] = np.array([*values, empty, strange], dtype=values.dtype)
    return found


def golden_rows(session: Any, cells: Cells, columns: Sequence[ColumnSpec], outputs: list[str]) -> tuple[GoldenRow, ...]:
    """Answer rows with a model that has no card yet."""
    found = ask_rows(session, cells, columns, outputs)
    n = len(next(iter(found.values())))
    return tuple(_row(i, cells, found) for i in range(n))


def _row(i: int, cells: Cells, found: Answered) -> GoldenRow:
    row = {name: _plain(values[i]) for name, values in cells.items()}
    if "value" in found:
        value, lower, upper = (shortest(found[key][i]) for key in ("value", "lower", "upper"))
        return GoldenRow(row, value=value, lower=lower, upper=upper)
    shares = tuple(shortest(share) or 0.0 for share in found["probabilities"][i])
    return GoldenRow(row, label=str(found["label"][i]), probabilities=shares, sure=bool(found["sure"][i]))


def _plain(value: Any) -> str | float | None:
    if isinstance(value, str):
        return value or None
    with np.errstate(over="ignore"):
        return shortest(np.float32(value))


def shortest(number: Any) -> float | None:
    """The shortest decimal that gives the same float32 back; None where it is no finite number."""
    return float(str(number)) if np.isfinite(number) else None


def differences(found: Answered, then: Answered) -> npt.NDArray[np.float64]:
    """How far answers are apart, row by row (N,): of probabilities; of values as a share of the value or its interval.

    Rows whose labels differ though their probabilities tell the labels apart count as infinitely far.
    """
    if "value" in then:
        width = np.nan_to_num(then["upper"] - then["lower"], nan=0.0, posinf=0.0)
        scale = np.maximum(np.maximum(np.abs(then["value"]), width), 1e-9)
        ends = [np.abs(found[key] - then[key]) / scale for key in ("value", "lower", "upper")]
        both = np.stack(ends).astype(np.float64)
        return np.asarray(np.where(np.isfinite(then["lower"]), both.max(0), both[0]))
    return np.asarray(np.abs(found["probabilities"] - then["probabilities"]).max(1), dtype=np.float64)


def replay_rows(model: TableModel) -> CheckRecord:
    """Answer the golden rows again and compare.

    Returns:
        CheckRecord: `passed` when every answer is within the card's tolerance and every label and `sure` is the same;
        where two labels or a threshold lie nearer to each other than the tolerance, either side is right.
    """
    card = model.card
    golden = [one for one in card.golden if isinstance(one, GoldenRow)]
    found = model.predict_batch(_cells(golden, model.columns))
    if card.task == "regression":
        then: Answered = {
            key: np.array([_number(getattr(one, key)) for one in golden], np.float32)
            for key in ("value", "lower", "upper")
        }
        gaps = differences(found, then)
        return _record(gaps, bool((gaps <= card.tolerance).all()), card.tolerance)
    then = {"probabilities": np.array([one.probabilities for one in golden], np.float32)}
    gaps = differences(found, then)
    passed = bool((gaps <= card.tolerance).all())
    threshold = None if card.thresholds is None else card.thresholds.sure
    rates, slack = _rates(model, then["probabilities"]), 2 * card.tolerance * _largest_cost(model)
    for one, label, sure, shares, rated in zip(
        golden, found["label"], found["sure"], then["probabilities"], rates, strict=True
    ):
        own = card.labels.index(one.label or "")
        same_label = label == one.label or float(np.ptp(rated[[card.labels.index(str(label)), own]])) <= slack
        on_the_edge = threshold is not None and abs(float(shares[own]) - threshold) <= card.tolerance
        passed = passed and same_label and (bool(sure) == one.sure or on_the_edge)
    return _record(gaps, passed, card.tolerance)


def _rates(model: TableModel, probabilities: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """What labels are chosen by: their probabilities, or their expected costs (N, C)."""
    found = probabilities if model.costs is None else probabilities @ model.costs.table
    return np.asarray(found, np.float64)


def _largest_cost(model: TableModel) -> float:
    return 1.0 if model.costs is None else float(model.costs.table.max())


def _record(gaps: npt.NDArray[np.float64], passed: bool, tolerance: float) -> CheckRecord:
    return CheckRecord(passed, len(gaps), float(gaps.max()), tolerance)


def _cells(golden: Sequence[GoldenRow], columns: Sequence[ColumnSpec]) -> dict[str, npt.NDArray[Any]]:
    cells = {}
    for one in columns:
        values = [row.cells[one.column] for row in golden]
        if one.kind == "number":
            cells[one.column] = np.array([_number(value) for value in values])
        else:
            cells[one.column] = np.array(["" if value is None else str(value) for value in values], dtype=object)
    return cells


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)
