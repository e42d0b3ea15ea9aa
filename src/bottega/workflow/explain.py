"""`explain`: what drives a model's answers, asked of the file that shipped."""

import os
import time
from typing import TYPE_CHECKING

from bottega.errors import BottegaError
from bottega.problem.records import Progress
from bottega.problem.understanding_records import ExplainRecord
from bottega.workflow.extras import missing_extra

if TYPE_CHECKING:
    from bottega.shipping.predictor import Model

__all__ = ["explain"]


def explain(
    model: "Model | str | os.PathLike[str]",
    data: str | os.PathLike[str],
    *,
    row: int | None = None,
    metric: str | None = None,
    rows: int | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> ExplainRecord:
    """Say which columns or words drive a model's answers.

    Columns are shuffled, and what the answers lose is measured with its interval; where the data have no target, how
    far the answers move. With `row`, one row's answer is compared with what it would be with other rows' cells. Words
    are taken out of texts.

    Args:
        model: a loaded model of a table or of texts, or the path of its file; of several targets one of its `targets`.
        data: a table with the model's columns, and its target where it is known; a folder of parts, of which the test
            part is read; for a model of texts also a .txt file, or a text.
        row: number of one row, as the file counts (the header of a CSV is row 1).
        metric: what is judged; the metric that the model was trained for by default.
        rows: how many rows to use, 20 at least; by default as many as about 20 seconds allow, at most 8,000 rows of a
            table, 500 texts.
        seed: of the rows and the shuffling.
        progress: called as columns or texts are done.
    Returns:
        ExplainRecord, with `drivers`, `row` or `words`.
    Raises:
        BottegaError: a model of pictures, too few rows, no such row, or a metric that does not judge this model.
    """
    from bottega.shipping.predictor import Model, PictureModel, load
    from bottega.understanding.rows import FEWEST_ROWS

    began = time.perf_counter()
    model_path = "" if isinstance(model, Model) else os.fspath(model)
    model = model if isinstance(model, Model) else load(model)
    if isinstance(model, PictureModel):
        raise BottegaError(
            found="a model of pictures",
            expected="a model of a table or of texts",
            fix="the run's report.html shows its surest mistakes beside the pictures that they resemble",
        )
    if rows is not None and rows < FEWEST_ROWS:
        raise BottegaError(found=f"--rows {rows}", expected=f"{FEWEST_ROWS} rows at least", fix="leave --rows out")
    try:
        from bottega.shipping.targets_predictor import of_target
        from bottega.shipping.text_predictor import TextModel
        from bottega.workflow.explain_table import explain_table, table_metric
        from bottega.workflow.explain_texts import explain_texts
    except ModuleNotFoundError as error:
        if (missing := missing_extra(error)) is not None:
            raise missing from error
        raise
    model = of_target(model, None)
    if isinstance(model, TextModel):
        if metric is not None:
            raise BottegaError(
                found=f"--metric {metric} with a model of texts",
                expected="no metric: words are judged by how much answers change without them",
                fix="leave --metric out",
            )
        found = explain_texts(model, os.fspath(data), row=row, n_texts=rows, seed=seed, progress=progress)
    else:
        judged = table_metric(model, metric)
        found = explain_table(model, os.fspath(data), row=row, metric=judged, n_rows=rows, seed=seed, progress=progress)
    return ExplainRecord(
        model=model_path,
        data=os.fspath(data),
        target=found.target,
        drivers=found.drivers,
        row=found.row,
        words=found.words,
        notes=found.notes,
        seconds=round(time.perf_counter() - began, 3),
    )
