"""What `fit` of the estimators does: the contest of `bottega train`, without its test part."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bottega.data.splits import split
from bottega.data.table_content import cell_words, row_digests
from bottega.data.table_preparation import TablePreparation, encoder_graph, fit_preparation, graph_inputs
from bottega.errors import BottegaError, found_in, nearest_name
from bottega.evaluation.baselines import fit_majority
from bottega.evaluation.conformal import split_conformal
from bottega.evaluation.forms import Constant
from bottega.evaluation.intervals import interval
from bottega.evaluation.metrics import METRICS, Metric
from bottega.evaluation.table_models import fit_dense
from bottega.problem.records import Score
from bottega.shipping.model_file import Baseline, Thresholds
from bottega.workflow.candidates import FEWEST_VALIDATION, Developed, Material, Rules, Spec, develop, predictions
from bottega.workflow.estimator_file import Rows, Winner, sealed
from bottega.workflow.features import engine
from bottega.workflow.ship import thresholds_of
from bottega.workflow.table_specs import VIEW, TableTask, table_specs

__all__ = ["Contest", "fit_file"]

N_FAST = 3  # of `table_specs`, the simplest ones: fitted in a moment
N_FOLDS = 5
SURE_AT = 0.95
Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Contest:
    """How the choice is made.

    Attributes:
        candidates: "all", "fast", or names of `table_specs`.
        metric: a name of METRICS; None for accuracy or rmse.
    """

    candidates: str | Sequence[str]
    metric: str | None
    seed: int
    threads: int


def fit_file(rows: Rows, contest: Contest, recipe: Mapping[str, Any]) -> bytes:
    """Compare the candidates on these rows, and put the one that is chosen into a model file.

    Rows are put into the order of their contents first: the same rows in another order give the same file.

    Args:
        recipe: what the file shall remember beside what is resolved here.
    Raises:
        BottegaError: no such candidate or metric, or no column with a value.
    """
    metric = _metric(contest.metric, is_value=not rows.classes)
    rows, hashes = _in_order(rows)
    groups = np.unique(hashes.view("V32")[:, 0], return_inverse=True)[1].reshape(-1).astype(np.int64)
    labels = [rows.classes[i] for i in rows.y] if rows.classes else [""] * len(rows.y)
    val = split(hashes, labels, groups, split_seed=contest.seed).rows("val")
    if len(val) < FEWEST_VALIDATION:  # then all are compared out of fold
        val = val[:0]
    train = np.setdiff1d(np.arange(len(rows.y)), val)
    prepared = _prepared(rows, train)
    x = engine(encoder_graph(prepared), threads=1).run(None, graph_inputs(prepared, rows.cells))[0]
    specs = _entered(prepared, x[train], rows, contest)
    if len(rows.classes) == 1 or int(groups.max()) + 1 < N_FOLDS:
        winner = _without_contest(rows, metric)
    else:
        material = Material({VIEW: x}, rows.y, groups, hashes, labels, rows.classes)
        rules = Rules(metric.name, None, "best", SURE_AT, contest.seed, k=N_FOLDS, threads=contest.threads)
        winner = _winner(develop(material, specs, train, val, rules), material, metric)
    resolved = {
        "seed": contest.seed,
        "threads": contest.threads,
        "columns": {one.name: one.kind for one in prepared.columns},
    }
    return sealed(winner, rows, prepared, x, {**recipe, **resolved})


def _metric(name: str | None, *, is_value: bool) -> Metric:
    kind = "regression" if is_value else "classification"
    known = [metric.name for metric in METRICS.values() if metric.kind == kind]
    default = "rmse" if is_value else "accuracy"
    name = default if name is None else name
    if not isinstance(name, str) or name not in known:
        near = nearest_name(str(name), known) or default
        raise BottegaError(
            found=f"metric={name!r}", expected=f"one of {found_in(known, limit=12)}", fix=f"metric={near!r}"
        )
    return METRICS[name]


def _in_order(rows: Rows) -> tuple[Rows, npt.NDArray[np.uint8]]:
    """The rows in the order of their contents, and the SHA-256 of each (N, 32)."""
    import polars as pl

    digests = row_digests({name: cell_words(pl.Series(cells)) for name, cells in rows.cells.items()})
    order = sorted(range(len(rows.y)), key=lambda i: (digests[i], rows.y[i]))
    hashes = np.frombuffer(b"".join(digests[i] for i in order), np.uint8).reshape(-1, 32)
    return rows.at(np.array(order, np.int64)), hashes


def _prepared(rows: Rows, train: Integers) -> TablePreparation:
    """Fitted on training rows; a column that is empty in all of them is no feature."""
    kinds = {name: kind for name, kind in rows.kinds.items() if _says_something(rows.cells[name][train])}
    if not kinds:
        raise BottegaError(
            found=f"no value in any of {len(rows.kinds)} columns",
            expected="a column that says something",
            fix="look at X: every cell is missing",
        )
    return fit_preparation(rows.cells, kinds, train, rows.formats)


def _says_something(cells: npt.NDArray[Any]) -> bool:
    return bool((cells != "").any() if cells.dtype == object else np.isfinite(cells).any())


def _entered(prepared: TablePreparation, x: Floats, rows: Rows, contest: Contest) -> list[Spec]:
    """The candidates that were asked for, from the simplest to the most complex."""
    task = TableTask(prepared.n_codes, len(rows.classes) or None, contest.seed, contest.threads)
    specs, left_out = table_specs(task, len(x), fit_dense(x, prepared.n_codes).width)
    asked = contest.candidates
    if isinstance(asked, str) and asked in ("all", "fast"):
        return specs if asked == "all" else specs[:N_FAST]
    names = [str(name) for name in asked] if isinstance(asked, (list, tuple)) else [str(asked)]
    for spec, why in left_out:
        if spec.name in names:
            raise BottegaError(
                found=f"candidate {spec.name!r}, {why}", expected="candidates for these rows", fix="leave it out"
            )
    known = [spec.name for spec in specs]
    strange = [name for name in names if name not in known]
    if strange or not names:
        near = nearest_name(strange[0], ["all", "fast", *known]) if strange else None
        raise BottegaError(
            found=f"candidates={asked!r}",
            expected=f"'all', 'fast', or a list of some of {found_in(known, limit=12)}",
            fix=f"did you mean {near!r}?" if near else "candidates='all'",
        )
    return [spec for spec in specs if spec.name in names]


def _winner(developed: Developed, material: Material, metric: Metric) -> Winner:
    """What was chosen, scored on the half of the rows that chose nothing."""
    chosen, choice = developed.chosen, developed.choice
    kept = developed.half == "calibrate"
    rows = developed.rows[kept]
    found = predictions(chosen.logits[kept], developed.temperature)
    tried = (
        Baseline(name, one.spec.kind, None, one.dropped or choice.relations.get(name))
        for name, one in developed.answered.items()
    )
    return Winner(
        name=choice.name,
        form=chosen.form,
        temperature=developed.temperature,
        thresholds=None if developed.sure is None else thresholds_of(developed),
        interval=developed.interval,
        metric=metric.name,
        score=interval(metric, material.y[rows], found, material.groups[rows]),
        source="cv" if developed.out_of_fold else "held-out",
        n_val=0 if developed.out_of_fold else len(developed.rows),
        tried=tuple(tried),
    )


def _without_contest(rows: Rows, metric: Metric) -> Winner:
    """Nothing can be compared: the most frequent class, or the mean."""
    nothing = Score(0, float("nan"), float("nan"), float("nan"), metric.higher_is_better)
    if rows.classes:
        name, form = "most frequent class", fit_majority(rows.y, len(rows.classes))
        never = Thresholds(None, "nothing is sure: there was nothing to compare it on", SURE_AT)
        return Winner(name, form, 1.0, never, None, metric.name, nothing, "cv", 0, (Baseline(name, "baseline", None),))
    mean = Constant(np.array([rows.y.mean()], np.float32))
    reach = split_conformal(rows.y, np.full(len(rows.y), rows.y.mean()), out_of_fold=True)
    return Winner("mean", mean, 1.0, None, reach, metric.name, nothing, "cv", 0, (Baseline("mean", "baseline", None),))
