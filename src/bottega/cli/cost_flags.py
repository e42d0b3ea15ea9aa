"""The flags about what rows and mistakes weigh, with their help."""

from typing import Annotated

import typer

__all__ = ["Costs", "FalseAlarmCost", "MissCost", "Positive", "Weight"]

Flag = typer.Option

Weight = Annotated[
    str | None, Flag(metavar="COL", show_default=False, help="How much each row counts: a number of 0 or more.")
]
FalseAlarmCost = Annotated[
    float | None,
    Flag(metavar="X", show_default=False, help="Of saying the positive class where the other is true: two classes."),
]
MissCost = Annotated[
    float | None, Flag(metavar="X", show_default=False, help="Of saying the other class where the positive is true.")
]
Positive = Annotated[
    str | None,
    Flag(metavar="CLASS", show_default=False, help="The class that a miss overlooks; yes, true or 1 if not stated."),
]
Costs = Annotated[
    str | None,
    Flag(metavar="FILE", show_default=False, help="CSV of costs: a row for each true class, a column for each answer."),
]
