"""What each column of a table is: number, category, yes/no, date, text, identifier or constant, and why."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from bottega.data.table_dates import find_date_format, parse_dates
from bottega.data.table_numbers import NumberFormat, find_format, parse
from bottega.errors import BottegaError
from bottega.problem.table import MISSING_CODES, Column, TableChoices

__all__ = ["has_identifier_name", "typed_column"]

MAX_FLOAT32 = float(np.finfo(np.float32).max)  # beyond it a number is infinite to a model
_NINES = (-99.0, -999.0, -9999.0, -99999.0)  # what instruments and old programs write for "no value"
SHARE = 0.95  # of the cells must be of a kind for a column to be of that kind
SHOWN = 5
UNIQUE = 0.95
FEW = 20  # rows under which "all different" means nothing
_IDENTIFIER = re.compile(
    r"(^|[^a-z])(id|ids|key|uuid|guid|index|no|nr|num|serial|code|ref|hash|passport|ssn|iban|email|phone|instant)$|id$"
)

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class _Cells:
    """The strings of a column that are there, and where they stand."""

    name: str
    text: pl.Series  # (n,) stripped; null where missing
    rows: Rows
    missing: dict[str, int]

    @property
    def present(self) -> pl.Series:
        return self.text.drop_nulls()


def typed_column(
    series: pl.Series, rows: Rows, choices: TableChoices, *, decimal_comma: bool | None
) -> tuple[Column, pl.Series]:
    """Find out what a column is, and give its cells in that type.

    Args:
        series: strings, or a type that the file has.
        rows: (n,) number of each row in the file.
        choices: what the user stated.
        decimal_comma: whether other columns of the file have decimal commas; None where none tells.
    Returns:
        The column, and its cells: Float64 for numbers, Datetime for dates, else String; null where missing.
    Raises:
        BottegaError: a stated kind that the cells are not, with the rows.
    """
    role, stated = choices.role(series.name), choices.types.get(series.name)
    if not isinstance(series.dtype, pl.String):
        column, values = _native(series, rows, choices, stated)
    else:
        cells = _cells(series, rows, choices)
        column, values = _stated(cells, stated, decimal_comma) if stated else _inferred(cells, decimal_comma)
    return replace(column, role=role, stated=stated is not None), values


def has_identifier_name(name: str) -> bool:
    """Whether a column is called like something that names rows or persons."""
    return bool(_IDENTIFIER.search(re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()))


def _cells(series: pl.Series, rows: Rows, choices: TableChoices) -> _Cells:
    text = series.str.strip_chars()
    own = choices.missing_in.get(series.name)
    codes = ["", *(own if own is not None else [*MISSING_CODES, *choices.missing])]
    is_code = text.is_in(codes)
    found = text.filter(is_code.fill_null(False)).alias("value").value_counts()
    missing = {str(code): int(n) for code, n in found.iter_rows()}
    if n_null := text.null_count():
        missing[""] = missing.get("", 0) + n_null
    text = text.set(is_code.fill_null(False), None) if is_code.any() else text
    return _Cells(series.name, text, rows, dict(sorted(missing.items(), key=lambda item: -item[1])))


def _inferred(cells: _Cells, decimal_comma: bool | None) -> tuple[Column, pl.Series]:
    present = cells.present
    if len(present) == 0:
        return _column(cells, "constant", "every cell is missing"), cells.text
    plain = cells.text.cast(pl.Float64, strict=False)
    n_plain = len(plain) - plain.null_count()
    if n_plain == len(present):
        if present.str.contains(r"^-?0\d").any():
            return _of_strings(cells, "digits with leading zeros, which a number would lose: ")
        if _is_date_number(present, plain, cells.name):
            return _dates(cells, "%Y%m%d", "eight digits that are dates")
        return _number(cells, plain, NumberFormat())
    written = find_format(present, decimal_comma=decimal_comma)
    if written is not None:
        values = parse(cells.text, written)
        if len(values) - values.null_count() >= max(n_plain, SHARE * len(present)):
            return _number(cells, values, written)
    found = find_date_format(present)
    if found is not None:
        format_, sure = found
        unsure = "; day and month could be the other way round" if not sure and "%d" in format_ else ""
        return _dates(cells, format_, f"dates like {present[0]!r}, read as {format_}{unsure}")
    if n_plain >= SHARE * len(present):
        return _number(cells, plain, NumberFormat())
    return _of_strings(cells, "")


def _is_date_number(present: pl.Series, plain: pl.Series, name: str) -> bool:
    low, high = plain.min(), plain.max()
    if not (isinstance(low, float) and isinstance(high, float) and low >= 19000101 and high <= 21001231):
        return False
    named = re.search(r"date|day|dt", name.lower()) is not None
    return (named or plain.n_unique() > FEW) and parse_dates(present, "%Y%m%d").null_count() == 0


def _number(cells: _Cells, values: pl.Series, written: NumberFormat) -> tuple[Column, pl.Series]:
    """A column of numbers: its odd cells, codes for missing values, and what its values are like."""
    wrong = np.flatnonzero((values.is_null() & cells.text.is_not_null()).to_numpy())
    unreadable = tuple((int(cells.rows[i]), str(cells.text[int(i)])) for i in wrong[:SHOWN])
    return _numeric(cells, values, (written.said, written.sure), (len(wrong), unreadable))


def _numeric(
    cells: _Cells, values: pl.Series, written: tuple[str, bool], wrong: tuple[int, tuple[tuple[int, str], ...]]
) -> tuple[Column, pl.Series]:
    beyond = values.is_finite() & (values.abs() > MAX_FLOAT32)
    values = values.set(beyond.fill_null(False), float("inf"))
    endless = np.flatnonzero(values.is_infinite().fill_null(False).to_numpy())
    code = _nine_code(values)
    if code is not None:
        n = int((values == code).sum())
        values = values.set((values == code).fill_null(False), None)
        cells = replace(cells, missing={**cells.missing, f"{code:g}": n})
    present = values.drop_nulls()
    n_distinct = present.n_unique() if len(present) else 0
    whole = len(present) > 0 and bool((present == present.round()).all())
    kind, why = _kind_of_numbers(cells, present, n_distinct, whole)
    said, sure = written
    if said:
        why += f"; {said}" + ("" if sure else ", which the other columns decided")
    column = replace(
        _column(cells, kind, why),
        n_distinct=n_distinct,
        format=said,
        whole=whole,
        n_unreadable=wrong[0],
        unreadable=wrong[1],
        n_infinite=len(endless),
        infinite=tuple(int(cells.rows[i]) for i in endless[:SHOWN]),
    )
    return column, values


def _kind_of_numbers(cells: _Cells, present: pl.Series, n_distinct: int, whole: bool) -> tuple[Any, str]:
    n = len(present)
    if n_distinct <= 1:
        return "constant", f"one value in every row: {present[0]:g}" if n else "every cell is missing"
    if n_distinct == 2:
        low, high = present.unique().sort()
        return "yes/no", f"two values, {low:g} and {high:g}"
    if whole and n_distinct == n and n >= FEW:
        steps = present.diff().drop_nulls()
        timed = re.search(r"year|yr|month|week|day|date|time|hour", cells.name.lower())
        if not timed and abs(float(steps[0])) == 1 and (steps == steps[0]).all():
            return "identifier", "counts the rows"
        if has_identifier_name(cells.name):
            return "identifier", "a different whole number in each row, and the name of a key"
    if whole and n_distinct <= 12:
        return "number", f"{n_distinct} different whole numbers; --type {cells.name}=category if they stand for names"
    return "number", "whole numbers" if whole else "every cell is a number"


def _nine_code(values: pl.Series) -> float | None:
    """-999 and its kin, where it stands alone far below all other values."""
    low = values.min()
    if not isinstance(low, float) or low not in _NINES:
        return None
    rest = values.filter(values != low)
    least, most = rest.min(), rest.max()
    if not isinstance(least, float) or not isinstance(most, float) or not np.isfinite(most):
        return None
    far = least - low > most - least
    return low if least >= 0 or far else None


def _dates(cells: _Cells, format_: str, why: str) -> tuple[Column, pl.Series]:
    values = parse_dates(cells.text, format_)
    wrong = np.flatnonzero((values.is_null() & cells.text.is_not_null()).to_numpy())
    column = replace(
        _column(cells, "date", why),
        n_distinct=values.drop_nulls().n_unique(),
        format=format_,
        n_unreadable=len(wrong),
        unreadable=tuple((int(cells.rows[i]), str(cells.text[int(i)])) for i in wrong[:SHOWN]),
    )
    if column.n_distinct == 1:
        column = replace(column, kind="constant", why=f"one date in every row: {cells.present[0]}")
    return column, values


def _of_strings(cells: _Cells, before: str) -> tuple[Column, pl.Series]:
    present = cells.present
    n, n_distinct = len(present), present.n_unique()
    kind, why = _kind_of_strings(cells.name, present, n, n_distinct)
    return replace(_column(cells, kind, before + why), n_distinct=n_distinct), cells.text


def _kind_of_strings(name: str, present: pl.Series, n: int, n_distinct: int) -> tuple[Any, str]:
    if n_distinct == 1:
        return "constant", f"one value in every row: {present[0]!r}"
    if n_distinct == 2:
        values = present.unique().sort().to_list()
        return "yes/no", f"two values, {values[0]!r} and {values[1]!r}"
    some = present.head(2000)
    n_words = float(some.str.count_matches(r"\S+").mean() or 0)  # type: ignore[arg-type]
    if n_distinct > 0.5 * n and n_words >= 3 and n >= FEW:
        return "text", f"{n_words:.0f} words a cell, {n_distinct:,} different in {n:,} rows"
    if n_distinct >= UNIQUE * n and n >= FEW:
        return "identifier", f"{n_distinct:,} different values in {n:,} rows"
    if n_distinct > 0.2 * n and n >= FEW and has_identifier_name(name):
        return "identifier", f"the name of a key, {n_distinct:,} different values in {n:,} rows"
    return "category", f"{n_distinct:,} different values in {n:,} rows"


def _native(series: pl.Series, rows: Rows, choices: TableChoices, stated: str | None) -> tuple[Column, pl.Series]:
    """A column that has a type in its file."""
    kind = series.dtype
    if kind == pl.Boolean or isinstance(kind, pl.Categorical | pl.Enum) or stated in ("category", "text", "identifier"):
        number = kind.is_numeric()
        text = series.cast(pl.Int64 if number and _is_whole(series) else kind, strict=False).cast(pl.String)
        return typed_column(text.alias(series.name), rows, choices, decimal_comma=None)
    missing = {"": series.null_count()} if series.null_count() else {}
    cells = _Cells(series.name, pl.Series(series.name, [None] * 0, dtype=pl.String), rows, missing)
    if kind.is_numeric():
        values = series.cast(pl.Float64, strict=False).fill_nan(None)
        n_nan = values.null_count() - series.null_count()
        cells = replace(cells, missing={**missing, **({"NaN": n_nan} if n_nan else {})})
        return _numeric(cells, values, ("", True), (0, ()))
    if kind.is_temporal():
        values = _as_datetime(series)
        column = replace(_column(cells, "date", f"{kind} in the file"), n_distinct=values.drop_nulls().n_unique())
        if column.n_distinct <= 1:
            column = replace(column, kind="constant", why="one date in every row")
        return column, values
    cells = replace(cells, missing={"": len(series)})
    return _column(cells, "constant", "every cell is missing"), series.cast(pl.String, strict=False)


def _is_whole(series: pl.Series) -> bool:
    return series.dtype.is_integer() or bool((series.drop_nulls() == series.drop_nulls().round()).all())


def _as_datetime(series: pl.Series) -> pl.Series:
    if isinstance(series.dtype, pl.Time | pl.Duration):
        return series.cast(pl.Int64).cast(pl.Datetime("us"))
    if isinstance(series.dtype, pl.Datetime) and series.dtype.time_zone is not None:
        series = series.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    return series.cast(pl.Datetime("us"))


def _stated(cells: _Cells, stated: str, decimal_comma: bool | None) -> tuple[Column, pl.Series]:
    """A column of the kind that the user chose."""
    kind, _, format_ = stated.partition(":")
    why = "as you stated"
    if kind == "number":
        written = find_format(cells.present, decimal_comma=decimal_comma) or NumberFormat()
        column, values = _number(cells, parse(cells.text, written), written)
        _refuse_unreadable(column, "number")
        return replace(column, kind="number", why=why), values
    if kind == "date":
        found = (format_, True) if format_ else find_date_format(cells.present)
        column, values = _dates(cells, found[0] if found else "%Y-%m-%d", why)
        _refuse_unreadable(column, "date")
        return replace(column, kind="date", why=f"{why}, {column.format}"), values
    column, values = _of_strings(cells, "")
    return replace(column, kind=kind, why=why), values  # type: ignore[arg-type]


def _refuse_unreadable(column: Column, kind: str) -> None:
    if not column.n_unreadable:
        return
    shown: Sequence[str] = [f"row {row:,} {cell!r}" for row, cell in column.unreadable]
    more = f" and {column.n_unreadable - len(shown):,} more" if column.n_unreadable > len(shown) else ""
    first = column.unreadable[0][1]
    raise BottegaError(
        found=f"cells of {column.name!r} that are no {kind}: {', '.join(shown)}{more}",
        expected=f"a {kind} in each cell, as --type {column.name}={kind} states",
        fix=f"mend them, or count one as missing: --missing '{column.name}={first}'",
        where=f"column {column.name!r}, row {column.unreadable[0][0]:,}",
    )


def _column(cells: _Cells, kind: Any, why: str) -> Column:
    return Column(cells.name, kind, why, n_missing=sum(cells.missing.values()), missing=cells.missing)
