"""Ask a model of texts: strings, .txt files or tables with a column of them in; answers out. No torch."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bottega.data.table_like import Cells
from bottega.data.table_names import TABLE_SUFFIXES
from bottega.data.text_files import SUFFIX, text_of_file
from bottega.errors import BottegaError, found_in
from bottega.problem.table import ColumnSpec
from bottega.shipping.predictor import Answer
from bottega.shipping.table_predictor import MAX_TEXTS, Answered, TableModel, ask_rows

__all__ = ["TextModel", "ask_texts", "names_text_file"]

MAX_PATH = 4096  # characters; what is longer is a text


class TextModel(TableModel):
    """A model of texts: call it with a string, a list of them, or the path of a table with its columns."""

    def __call__(self, x: Any) -> Any:
        """Answer for one text, or for each of several.

        Args:
            x: a text; a list of texts, or of mappings with the columns; the path of a .txt file, or of a table, that
                is there.
        Returns:
            One Answer for one text, else a list in the same order.
        Raises:
            BottegaError: a file is named that isn't there or can't be read, or a table lacks a column.
        Example:
            >>> model("Free entry! Text WIN to 80086").label  # doctest: +SKIP
            'spam'
        """
        if isinstance(x, str) and not _is_file(x):
            return super().__call__({self.one_column(): x})
        if isinstance(x, (list, tuple)):
            return super().__call__([{self.one_column(): one} if isinstance(one, str) else one for one in x])
        if isinstance(x, (str, os.PathLike)) and names_text_file(x):
            return self.texts([os.fspath(x)], [text_of_file(x)])[0]
        return super().__call__(x)

    def is_bare(self, x: str | os.PathLike[str]) -> bool:
        """Whether this is a text itself rather than the path of a file or folder.

        Raises:
            BottegaError: it looks like the path of a table or a text file, and nothing is there.
        """
        return isinstance(x, str) and not _is_file(x) and not os.path.isdir(x)

    def texts(self, names: Sequence[str], texts: Sequence[str]) -> list[Answer]:
        """Answers for texts under these names."""
        return self.answers(names, {self.one_column(): np.array(texts, dtype=object)})

    def predict_batch(self, cells: Cells) -> Answered:
        """Run rows, in batches of bounded memory.

        Args:
            cells: (N,) by column: texts; floats with NaN, or strings with "" where missing.
        """
        return ask_texts(self._session, cells, self.columns, [one.name for one in self.card.outputs])

    def one_column(self) -> str:
        """The column that a bare text is for.

        Raises:
            BottegaError: the model takes several columns.
        """
        names = [one.column for one in self.columns]
        if len(names) == 1:
            return names[0]
        cells = ", ".join(f"{one.column!r}: {'...' if one.dtype == 'string' else 0}" for one in self.columns)
        raise BottegaError(
            found="a bare text",
            expected=f"a value for each of the columns {found_in(names)}",
            fix=f"give a table with these columns, or in Python model({{{cells}}})",
        )


def ask_texts(
    session: Any, cells: Mapping[str, npt.NDArray[Any]], columns: Sequence[ColumnSpec], outputs: list[str]
) -> Answered:
    """Run rows through a session, texts of about one length together: the longest of a batch sets the cost of all.

    Args:
        cells: (N,) by column.
        columns: the session's inputs; of kind `text`, and those beside them.
    Returns:
        (N, ...) by output, in the order of the rows.
    """
    texts = [cells[one.column].tolist() for one in columns if one.kind == "text"]
    order = np.argsort([sum(map(len, row)) for row in zip(*texts, strict=True)], kind="stable")
    parts = []
    for start in range(0, max(len(order), 1), MAX_TEXTS):
        some = order[start : start + MAX_TEXTS]
        parts.append(ask_rows(session, {name: values[some] for name, values in cells.items()}, columns, outputs))
    back = np.argsort(order)
    return {name: np.concatenate([part[name] for part in parts])[back] for name in outputs}


def names_text_file(path: str | os.PathLike[str]) -> bool:
    """Whether a path is that of one text rather than of a table."""
    return os.fspath(path).lower().endswith(SUFFIX)


def _is_file(text: str) -> bool:
    """Whether a string is the path of a file; one that looks like a table's is refused where nothing is there."""
    if "\0" in text or len(text) > MAX_PATH:
        return False
    if os.path.isfile(text):
        return True
    if os.path.isdir(text):
        return False
    if "\n" not in text and " " not in text.strip() and Path(text).suffix.lower() in TABLE_SUFFIXES:
        raise BottegaError(
            found=f"nothing at {text!r}",
            expected="a text, or a table with the column of the texts",
            fix="check the spelling and the working directory",
        )
    return False
