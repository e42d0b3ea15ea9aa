"""Examples with their truth, as `evaluate` compares answers with: here those of a folder of text files."""

import os
from dataclasses import dataclass

import polars as pl

from bottega.data.texts import read_text_folder
from bottega.errors import BottegaError
from bottega.problem.records import Rejected, Suspect
from bottega.shipping.table_predictor import TableModel

__all__ = ["Labelled", "labelled_files"]


@dataclass(frozen=True)
class Labelled:
    """Rows that have a target.

    Attributes:
        frame: with the columns that the model takes.
        labels: (N,) the truth, as text.
        rejected: what was left out, and why.
    """

    frame: pl.DataFrame
    labels: tuple[str, ...]
    rejected: tuple[Rejected, ...]
    suspects: tuple[Suspect, ...] = ()


def labelled_files(model: TableModel, folder: str | os.PathLike[str]) -> Labelled:
    """The texts of a folder with one sub-folder a class; where there are parts, those of the test part.

    Raises:
        BottegaError: the model takes several columns, or no text has a label.
    """
    columns = [one.column for one in model.columns]
    if len(columns) > 1:
        raise BottegaError(
            found=f"a folder of text files, for a model of {len(columns)} columns",
            expected=f"a table with the columns {', '.join(map(repr, columns))}",
            fix="give a table",
            where=os.fspath(folder),
        )
    found = read_text_folder(folder)
    known = [i for i, label in enumerate(found.labels) if label is not None]
    test = [i for i in known if found.parts[i] == "test"]
    rows = test or known
    if not rows:
        raise BottegaError(
            found=f"{len(found):,} texts, none of them with a label",
            expected="a folder with one sub-folder for each class",
            fix="bottega predict answers for texts without labels",
            where=os.fspath(folder),
            rejected=[{"path": one.path, "reason": one.reason} for one in found.rejected],
        )
    suspects: tuple[Suspect, ...] = ()
    if len(rows) < len(known):
        evidence = f"the part 'test' was scored: {len(rows):,} of {len(known):,} labelled texts"
        suspects = (Suspect("part", "test", evidence, "name the folder of another part to score that one"),)
    frame = pl.DataFrame({columns[0]: [found.texts[i] for i in rows]})
    return Labelled(frame, tuple(str(found.labels[i]) for i in rows), found.rejected, suspects)
