"""What a Python user holds, as the cells that a model takes: a frame of pandas or polars, an array, lists of rows.

The kind of a column follows from its type alone: nothing is guessed from values, as it has to be for a CSV.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from bottega.data.table_like import cells_of_records, is_frame
from bottega.data.table_preparation import Kind
from bottega.errors import BottegaError, found_in
from bottega.problem.table import ColumnSpec

__all__ = ["cells_as", "date_format", "is_mixed", "kinds_of", "raw_columns"]

Cells = npt.NDArray[Any]
DAY, MOMENT = "%Y-%m-%d", "%Y-%m-%d %H:%M:%S"
MISSING_TYPES = ("NAType", "NaTType")  # of pandas, which need not be installed
PLAIN = (str, bool, int, float, np.bool_, np.integer, np.floating)


def is_mixed(X: Any) -> bool:
    """Whether some column holds anything but numbers; then no plain matrix of numbers can stand for it."""
    if is_frame(X):
        return any(kind != "number" for kind in kinds_of(raw_columns(X)).values())
    kind = getattr(getattr(X, "dtype", None), "kind", None)
    if kind is None and isinstance(X, (list, tuple)):
        return any(isinstance(cell, str) for row in X if isinstance(row, (list, tuple)) for cell in row)
    if kind == "O" and isinstance(X, np.ndarray):
        return any(isinstance(cell, str) for cell in X.flat)
    return kind in ("U", "T", "M")


def raw_columns(X: Any) -> dict[str, Cells]:
    """The columns by name, (N,) each, as they are; those of an array are called x0, x1 and so on.

    Raises:
        BottegaError: two columns of one name, or one without a name.
    """
    if is_frame(X):
        names = [str(name) for name in X.columns]
        if len(set(names)) < len(names) or not all(name.strip() for name in names):
            raise BottegaError(
                found=f"columns named {found_in(names)}", expected="different names, none empty", fix="rename them"
            )
        return {name: _column(X[original]) for name, original in zip(names, X.columns, strict=True)}
    rows = X if isinstance(X, np.ndarray) else np.array(X, dtype=object)
    if rows.ndim != 2:
        raise BottegaError(
            found=f"an array of shape {rows.shape}",
            expected="rows and columns: (n_samples, n_features)",
            fix="X.reshape(-1, 1) for a single column, X.reshape(1, -1) for a single row",
        )
    return {f"x{place}": rows[:, place] for place in range(rows.shape[1])}


def _column(series: Any) -> Cells:
    """As numpy has it; a categorical one as objects, so that codes that are numbers stay names."""
    values = np.asarray(series.to_numpy())
    if str(series.dtype).lower().startswith(("categor", "enum")):
        known = np.empty(len(values), object)
        known[:] = [None if _is_missing(cell) else str(cell) for cell in values.tolist()]
        return known
    return values


def kinds_of(columns: Mapping[str, Cells]) -> dict[str, Kind]:
    """What each column is taken for, by its type: numbers (true is 1), dates (datetime64), else categories."""
    return {name: _kind(values) for name, values in columns.items()}


def _kind(values: Cells) -> Kind:
    if values.dtype.kind in "iufb":
        return "number"
    if values.dtype.kind == "M":
        return "date"
    if values.dtype.kind != "O":
        return "category"
    there = [cell for cell in values.tolist() if not _is_missing(cell)]
    is_number = there and all(isinstance(cell, PLAIN) and not isinstance(cell, str) for cell in there)
    return "number" if is_number else "category"


def date_format(values: Cells) -> str:
    """How the dates of a column are written: to the day where none has a time of day."""
    known = values[~np.isnat(values)]
    return DAY if bool((known == known.astype("datetime64[D]")).all()) else MOMENT


def cells_as(name: str, values: Cells, kind: Kind, format_: str = "") -> Cells:
    """The cells of a column as the preparation takes them: floats with NaN, or strings with "" where missing.

    Raises:
        BottegaError: a cell is no number, or infinite, or no date, where these are wanted.
        TypeError: a cell is neither a string nor a number.
    """
    if kind == "date":
        return _dates(name, values, format_)
    if kind == "number" and values.dtype.kind in "iufb":
        return _finite(name, values.astype(np.float64))
    cells = values.tolist()
    for row, cell in enumerate(cells):
        if not isinstance(cell, PLAIN) and not _is_missing(cell):
            raise TypeError(
                f"row {row:,}, column {name!r}: a cell must be a string or a number, not {type(cell).__name__!r}; "
                "make dates a column of type datetime64"
            )
    return _finite(name, _numbers(name, cells)) if kind == "number" else _texts(name, cells)


def _finite(name: str, numbers: Cells) -> Cells:
    infinite = np.flatnonzero(np.isinf(numbers))
    if len(infinite):
        raise BottegaError(
            found=f"infinity in column {name!r}",
            expected="finite numbers; NaN where one is missing",
            fix="X = X.replace([inf, -inf], nan), or what your library has for it",
            where=f"row {infinite[0]:,}",
        )
    return numbers


def _numbers(name: str, cells: list[Any]) -> Cells:
    found = np.full(len(cells), np.nan)
    for row, cell in enumerate(cells):
        if _is_missing(cell):
            continue
        try:
            found[row] = float(cell)
        except ValueError as error:
            raise BottegaError(
                found=f"{cell!r} in column {name!r}",
                expected="a number, as in fit",
                fix="mend the cell, or make it NaN: it then counts as missing",
                where=f"row {row:,}",
            ) from error
    return found


def _texts(name: str, cells: list[Any]) -> Cells:
    """As a saved file would read them; each different cell once."""
    keys = [(type(cell), cell) if not _is_missing(cell) else None for cell in cells]
    distinct = [key for key in dict.fromkeys(keys) if key is not None]
    spec = ColumnSpec(name, "category", "string", name)
    texts = cells_of_records([{name: cell} for _, cell in distinct], [spec])[name].tolist()
    known: dict[Any, str] = dict(zip(distinct, texts, strict=True))
    return np.array([*(known.get(key, "") for key in keys), ""], dtype=object)[:-1]


def _dates(name: str, values: Cells, format_: str) -> Cells:
    if values.dtype.kind != "M":
        raise BottegaError(
            found=f"column {name!r} of type {values.dtype}",
            expected="dates (datetime64), as in fit",
            fix=f"pandas.to_datetime(X[{name!r}]), or X[{name!r}].str.to_datetime() in polars",
        )
    texts = np.datetime_as_string(values, unit="D" if format_ == DAY else "s")
    texts = np.where(np.isnat(values), "", np.strings.replace(texts, "T", " "))
    return texts.astype(object)


def _is_missing(cell: Any) -> bool:
    return (
        cell is None
        or type(cell).__name__ in MISSING_TYPES
        or (isinstance(cell, (float, np.floating)) and cell != cell)
    )
