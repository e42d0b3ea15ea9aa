"""The int8 variant of a text file, with what it loses on the test part."""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from bottega.evaluation.intervals import difference, interval
from bottega.problem.table import ColumnSpec
from bottega.shipping.model_file import GoldenRow, seal
from bottega.shipping.predictor import open_session
from bottega.shipping.table_check import golden_rows
from bottega.shipping.text_predictor import ask_texts
from bottega.shipping.text_small import shrink_texts
from bottega.workflow.ship import SMALL_TOLERANCE, Shipped, Small
from bottega.workflow.text_trial import LookedTexts
from bottega.workflow.trial import Trial

__all__ = ["ship_small_texts"]


def ship_small_texts(shipped: Shipped, trial: Trial[LookedTexts]) -> Small:
    """The file with 8-bit products, asked for every test text."""
    material, tested = trial.material, trial.judged.tested
    rows = tested.rows[tested.once]
    columns = tuple(one for one in shipped.card.inputs if isinstance(one, ColumnSpec))
    graph = shrink_texts(shipped.graph)
    session = open_session(graph, threads=1)
    asked = {one.column: trial.looked.cells[one.column][rows] for one in columns}
    found, full = (
        ask_texts(one, asked, columns, ["probabilities"])["probabilities"].astype(np.float64)
        for one in (session, open_session(shipped.graph, threads=1))
    )
    y, groups = material.y[rows], material.groups[rows]
    measure = material.measure(trial.options.metric, rows)
    score = interval(measure, y, found, groups, 0)
    golden = [one for one in shipped.card.golden if isinstance(one, GoldenRow)]
    cells = {name: _column([one.cells[name] for one in golden]) for name in golden[0].cells}
    card = replace(
        shipped.card,
        metrics={measure.name: score},
        golden=golden_rows(session, cells, columns, [one.name for one in shipped.card.outputs]),
        tolerance=SMALL_TOLERANCE,
        recipe={**shipped.card.recipe, "variant": "int8"},
    )
    return Small(seal(graph, card), score, difference(measure, y, full, found, groups))


def _column(cells: list[str | float | None]) -> npt.NDArray[Any]:
    """Cells as the model is asked with them; an empty text is written as missing in a card."""
    if any(isinstance(cell, str) for cell in cells):
        return np.array([cell or "" for cell in cells], object)
    return np.array([np.nan if cell is None else cell for cell in cells], np.float32)
