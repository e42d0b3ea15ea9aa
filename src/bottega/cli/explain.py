"""`bottega explain`: parse, ask the file, lay the findings out."""

from dataclasses import replace
from typing import Annotated

import typer

from bottega.cli import terminal
from bottega.cli.target_flags import Target

__all__ = ["explain"]


def explain(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A model file, as in runs/wine-1/model.onnx.")],
    data: Annotated[
        str,
        typer.Argument(
            metavar="DATA", help="A table with the model's columns; for a model of texts also a .txt or a text."
        ),
    ],
    row: Annotated[
        int | None,
        typer.Option(
            metavar="N", show_default=False, help="What drove this row's answer; the header of a CSV is row 1."
        ),
    ] = None,
    metric: Annotated[
        str | None, typer.Option(metavar="METRIC", show_default=False, help="What is judged; by default the model's.")
    ] = None,
    rows: Annotated[
        int | None,
        typer.Option(metavar="N", show_default=False, help="Rows or texts to use; by default what 20 s allow."),
    ] = None,
    target: Target = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Of the rows and the shuffling.")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")] = False,
) -> int:
    """Say which columns or words drive a model's answers."""
    from bottega.cli.explain_lines import explain_lines
    from bottega.workflow.explain import explain as run
    from bottega.workflow.predict import models_by_target, open_model

    with terminal.live(quiet=row is not None) as progress:
        asked = model if target is None else models_by_target(open_model(model), target)[target]
        record = run(asked, data, row=row, metric=metric, rows=rows, seed=seed, progress=progress)
        record = replace(record, model=model)
    if json:
        terminal.say_json(record)
    else:
        terminal.say(*explain_lines(record))
    return 0
