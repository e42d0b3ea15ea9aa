"""The flag about features that are made of a table's columns, with its help."""

from typing import Annotated

import typer

__all__ = ["Features"]

Features = Annotated[
    bool, typer.Option("--features", help="Make features of a table's columns, and keep those that are proved to help.")
]
