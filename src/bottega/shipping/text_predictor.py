"""Ask a model of texts: strings, .txt files or tables with a column of them in; answers out. No torch."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bottega.data.table_names import TABLE_SUFFIXES
from bottega.errors import BottegaError
from bottega.shipping.table_predictor import TableModel

__all__ = ["TextModel"]


class TextModel(TableModel):
    """A model of texts: call it with a string, a list of them, or the path of a table with its column."""

    def __call__(self, x: Any) -> Any:
        """Answer for one text, or for each of several.

        Args:
            x: a text; a list of texts, or of mappings with the column; the path of a .txt file, or of a table, that
                is there.
        Returns:
            One Answer for one text, else a list in the same order.
        Raises:
            BottegaError: a file is named that isn't there or can't be read, or a table lacks the column.
        Example:
            >>> model("Free entry! Text WIN to 80086").label  # doctest: +SKIP
            'spam'
        """
        column = self.columns[0].column
        if isinstance(x, str) and not _is_file(x):
            return super().__call__({column: x})
        if isinstance(x, (list, tuple)) and not isinstance(x, Mapping):
            return super().__call__([{column: one} if isinstance(one, str) else one for one in x])
        if isinstance(x, (str, os.PathLike)) and os.fspath(x).lower().endswith(".txt"):
            return self.answers([os.fspath(x)], {column: np.array([_read(Path(x))], object)})[0]
        return super().__call__(x)


def _read(path: Path) -> str:
    """A file as one text."""
    try:
        return path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else error.strerror
        raise BottegaError(
            found=f"{str(path)!r}, which can't be read: {reason}",
            expected="a text in UTF-8",
            fix="save the file as UTF-8",
        ) from error


def _is_file(text: str) -> bool:
    """Whether a string names a table: one that is there; a name that looks like one but isn't is refused."""
    if os.path.isfile(text):
        return True
    if "\n" not in text and " " not in text.strip() and Path(text).suffix.lower() in TABLE_SUFFIXES:
        raise BottegaError(
            found=f"nothing at {text!r}",
            expected="a text, or a table with the column of the texts",
            fix="check the spelling and the working directory",
        )
    return False
