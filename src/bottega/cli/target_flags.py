"""The flag that names one target of a model of several."""

from typing import Annotated

import typer

__all__ = ["Target"]

Target = Annotated[
    str | None, typer.Option(metavar="COL", show_default=False, help="Which target, of a model of several.")
]
