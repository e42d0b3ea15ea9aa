"""From a chosen candidate of a table to the file: built, asked for every test row, sealed with its card."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bottega.data.table_content import table_digests
from bottega.data.table_like import column_specs
from bottega.data.table_preparation import TablePreparation
from bottega.errors import BottegaError
from bottega.evaluation.forms import Form
from bottega.evaluation.table_forms import Widened
from bottega.evaluation.wording import joined
from bottega.problem.table import ColumnSpec
from bottega.shipping import bloom
from bottega.shipping.model_file import (
    Card,
    GoldenRow,
    TableCard,
    class_outputs,
    seal,
    value_outputs,
)
from bottega.shipping.predictor import open_session
from bottega.shipping.table_check import differences, golden_rows, made_up_rows
from bottega.shipping.table_graph import table_classifier, table_regressor
from bottega.shipping.table_predictor import Answered, ask_rows
from bottega.workflow.candidates import answer, predictions
from bottega.workflow.ship import Shipped, card_facts, thresholds_of, used_rows
from bottega.workflow.table_trial import LookedTable
from bottega.workflow.table_words import without_unused
from bottega.workflow.trial import Trial

__all__ = ["ship_table", "table_usage"]

TOLERANCE = 1e-5
N_REAL_GOLDEN = 6
Integers = npt.NDArray[np.int64]


def ship_table(trial: Trial[LookedTable], prepared: TablePreparation) -> Shipped:
    """Build the file and prove it.

    Raises:
        BottegaError: the file does not answer as the judged model did: nothing ships.
    """
    looked, developed = trial.looked, trial.developed
    prepared, form = without_unused(prepared, developed.chosen.form)
    used = used_rows(looked.split)
    columns = column_specs(looked.table, prepared, _cells(trial, np.flatnonzero(used)))
    thresholds = None if developed.sure is None else thresholds_of(developed)
    if developed.interval is not None:
        graph = table_regressor(prepared, form, developed.interval)
        outputs = value_outputs()
    else:
        graph = table_classifier(
            prepared,
            form,
            looked.classes,
            temperature=developed.temperature,
            threshold=None if thresholds is None else thresholds.sure,
            costs=trial.material.costs,
        )
        outputs = class_outputs(len(looked.classes))
    session = open_session(graph, threads=1)
    names = [one.name for one in outputs]
    largest = _replay(trial, columns, ask_rows(session, _cells(trial, _tested(trial)), columns, names))
    card = Card(
        task="classification" if looked.classes else "regression",
        modality="tables",
        outputs=outputs,
        thresholds=thresholds,
        weights=(),
        golden=_golden(trial, session, columns, names, used),
        tolerance=TOLERANCE,
        filter=bloom.build(_hashes(looked, columns)[used]) if trial.options.filter else None,
        inputs=columns,
        table=_facts(trial, columns),
        **card_facts(trial),
    )
    return Shipped(seal(graph, card), graph, card, largest, _inside(developed.chosen.form), has_network=False)


def table_usage(shipped: Shipped, path: Path) -> dict[str, Any]:
    """What the report says about the file: how to ask it from a terminal and from Python, what it does inside."""
    columns = [one for one in shipped.card.inputs if isinstance(one, ColumnSpec)]
    first = next(one for one in shipped.card.golden if isinstance(one, GoldenRow))
    row = json.dumps({one.column: first.cells[one.column] for one in columns}, ensure_ascii=False, indent=4)
    row = row.replace("null", "None")
    asked = (
        "answer.label, answer.probability, answer.sure"
        if shipped.card.labels
        else "answer.value, answer.lower, answer.upper"
    )
    code = f"import bottega\n\nmodel = bottega.load({str(path)!r})\nanswer = model({row})\nprint({asked})\n"
    ends = "label, probabilities and `sure`" if shipped.card.labels else "value, lower and upper"
    return {
        "snippets": {"Command line": f"bottega predict {path} new.csv --csv", "Python": code},
        "model_file": {"bytes": len(shipped.data), "sha256": hashlib.sha256(shipped.data).hexdigest()},
        "prepared": f"{len(columns)} raw columns go in, one input each: {shipped.words} are inside; then "
        f"{shipped.card.chosen!r}; {ends} come out.",
    }


def _inside(form: Form) -> str:
    """What stands before the fitted part."""
    if not isinstance(form, Widened):
        return "imputation, scaling and categories"
    return f"imputation, scaling, categories and {joined([one.words for one in form.features])}"


def _tested(trial: Trial[LookedTable]) -> Integers:
    tested = trial.judged.tested
    return tested.rows[tested.once]


def _cells(trial: Trial[LookedTable], rows: Integers) -> dict[str, npt.NDArray[Any]]:
    return {name: cells[rows] for name, cells in trial.looked.taken.everything.items()}


def _hashes(looked: LookedTable, columns: Sequence[ColumnSpec]) -> npt.NDArray[np.uint8]:
    """(N, 32) of what the file takes of each row: what `evaluate` looks up."""
    if not looked.taken.texts:
        return looked.hashes
    digests = table_digests(looked.table.frame, [one.column for one in columns])
    return np.frombuffer(b"".join(digests), np.uint8).reshape(-1, 32)[looked.places]


def _expected(trial: Trial[LookedTable]) -> Answered:
    """What the model that ships answers on the test rows, from the encoded matrix that it was judged on.

    On small data the folds were answered by other models; then it is the final one's own answers.
    """
    chosen, material, developed = trial.developed.chosen, trial.material, trial.developed
    logits = answer(chosen.form, material.views[chosen.spec.view][_tested(trial)], material.n_outputs)
    found = predictions(logits, developed.temperature)
    if developed.interval is None:
        return {"probabilities": found}
    lower, upper = developed.interval.around(found)
    return {"value": found, "lower": lower, "upper": upper}


def _replay(trial: Trial[LookedTable], columns: tuple[ColumnSpec, ...], found: Answered) -> float:
    """Compare the file's answers on raw cells with the judged ones, on every test row; returns the largest difference.

    Raises:
        BottegaError: it is over the tolerance.
    """
    expected = _expected(trial)
    gaps = differences(found, expected)
    if trial.material.classes:
        gaps[_other_label(trial, found["label"], expected["probabilities"])] = np.inf
    bad = np.flatnonzero(~(gaps <= TOLERANCE))
    if len(bad):
        worst = int(bad[np.argmax(gaps[bad])])
        raise BottegaError(
            found=f"{len(bad)} of {len(gaps)} test rows of {len(columns)} columns get another answer from the file "
            f"than in training, by up to {gaps[worst]:.2g}",
            expected=f"answers within {TOLERANCE:g}",
            fix="nothing shipped; this is a fault of ours: please report it with the run's recipe.toml",
            where=trial.looked.names[int(_tested(trial)[worst])],
        )
    return float(gaps.max()) if len(gaps) else 0.0


def _other_label(trial: Trial[LookedTable], labels: npt.NDArray[Any], expected: Any) -> npt.NDArray[np.bool_]:
    """(N,) where the file says another label than the judged model, and not for want of a difference."""
    material = trial.material
    rates, slack = expected, 2 * TOLERANCE
    if material.costs is not None:
        rates, slack = expected @ material.costs.table, slack * float(material.costs.table.max())
    said = np.array([material.classes.index(str(label)) for label in labels], np.int64)
    own, rows = material.said(expected), np.arange(len(said))
    return np.asarray(np.abs(rates[rows, said] - rates[rows, own]) > slack)


def _golden(
    trial: Trial[LookedTable],
    session: Any,
    columns: tuple[ColumnSpec, ...],
    outputs: list[str],
    used: npt.NDArray[np.bool_],
) -> tuple[GoldenRow, ...]:
    cells = {one.column: trial.looked.taken.everything[one.column] for one in columns}
    if trial.options.golden == "made-up":
        rows = made_up_rows(cells, np.flatnonzero(used), columns)
    else:
        rows = _cells(trial, _tested(trial)[:N_REAL_GOLDEN])
    return golden_rows(session, rows, columns, outputs)


def _facts(trial: Trial[LookedTable], columns: tuple[ColumnSpec, ...]) -> TableCard:
    table, interval = trial.looked.table, trial.developed.interval
    taken = {one.column for one in columns}
    target = table.target.name if table.target is not None else ""
    unused = tuple(one.name for one in table.columns if one.name not in taken and one.name != target)
    weight = table.choices.weight
    if interval is None:
        costs = trial.material.costs
        return TableCard(target, unused, costs=None if costs is None else costs.matrix, weight=weight)
    held = trial.judged.metrics["coverage"]
    return TableCard(target, unused, interval.coverage, interval.guarantee, held, weight=weight)
