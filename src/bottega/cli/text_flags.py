"""The flags about columns of texts, with their help."""

from typing import Annotated

import typer

__all__ = ["Also", "Text", "Vectors"]

Flag = typer.Option

Text = Annotated[
    list[str] | None,
    Flag(metavar="COL[,COL...]", show_default=False, help="The columns of the texts; several are joined, a line each."),
]
Also = Annotated[
    list[str] | None,
    Flag(metavar="COL[,COL...]", show_default=False, help="Columns to be learned from beside the texts."),
]
Vectors = Annotated[
    str | None,
    Flag(metavar="FILE", show_default=False, help="Word vectors (`bottega words` reads them) to try as features."),
]
