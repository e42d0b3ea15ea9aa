"""The flags about columns of texts, with their help."""

from typing import Annotated

import typer

__all__ = ["Also", "Text"]

Flag = typer.Option

Text = Annotated[
    list[str] | None,
    Flag(metavar="COL[,COL...]", show_default=False, help="The columns of the texts; several are joined, a line each."),
]
Also = Annotated[
    list[str] | None,
    Flag(metavar="COL[,COL...]", show_default=False, help="Columns to be learned from beside the texts."),
]
