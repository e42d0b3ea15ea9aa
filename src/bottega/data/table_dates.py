"""Dates and times as people write them: the format is found from the cells, and said."""

import re

import polars as pl

__all__ = ["find_date_format", "parse_dates"]

FORMATS = (
    "%Y-%m-%d",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f%#z",
    "%Y-%m-%d %H:%M:%S%.f%#z",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M",
    "%Y/%m/%d",
    "%Y/%m/%d %H:%M:%S",
    "%Y%m%d",
    "%Y-%m",
    "%m/%d/%Y",
    "%d/%m/%Y",
    "%m/%d/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M",
    "%d/%m/%Y %H:%M",
    "%d.%m.%Y",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y %H:%M:%S",
    "%m-%d-%Y",
    "%d-%m-%Y",
    "%m/%d/%y",
    "%d/%m/%y",
    "%d.%m.%y",
    "%d %b %Y",
    "%d %B %Y",
    "%b %d, %Y",
    "%B %d, %Y",
    "%d-%b-%Y",
    "%d-%b-%y",
    "%H:%M:%S",
    "%H:%M",
)
SAMPLE = 300
SHARE = 0.95
EARLIEST = 1500  # `%Y` would take the 99 of 13-Jan-99 for the first century
_LIKE = re.compile(r"^[\w.,:/+\- ]{4,35}$")


def find_date_format(cells: pl.Series) -> tuple[str, bool] | None:
    """The format in which at least 95 % of the cells are dates, and whether no other fits as well.

    Where day and month can't be told apart, the reading in which the column ascends or descends is taken, else the
    month first.

    Args:
        cells: strings that are there, stripped.
    """
    some = cells.unique().head(SAMPLE)
    like = [cell for cell in some.to_list() if _LIKE.match(cell) and any(char.isdigit() for char in cell)]
    if len(like) < SHARE * len(some):
        return None
    fitting = [f for f in FORMATS if _share(some, f) >= SHARE]
    if fitting and len(some) < len(cells):  # a sample can't tell 3/4 from 4/3 where all its days are small
        fitting = [f for f in fitting if _share(cells, f) >= SHARE]
    if not fitting:
        return None
    best = max(_share(cells, f) for f in fitting)
    fitting = [f for f in fitting if _share(cells, f) == best]
    first = parse_dates(cells, fitting[0])
    if all(parse_dates(cells, f).equals(first) for f in fitting[1:]):
        return fitting[0], True
    ordered = [f for f in fitting if _is_ordered(parse_dates(cells, f))]
    return (ordered or fitting)[0], len(ordered) == 1


def _share(cells: pl.Series, format_: str) -> float:
    return 1 - parse_dates(cells, format_).null_count() / max(1, len(cells))


def _is_ordered(dates: pl.Series) -> bool:
    there = dates.drop_nulls()
    return there.is_sorted() or there.is_sorted(descending=True)


def parse_dates(cells: pl.Series, format_: str) -> pl.Series:
    """The cells as Datetime in microseconds, without a time zone (UTC where cells state one); null where none fits."""
    if format_ == "%Y-%m":
        cells, format_ = cells + "-01", "%Y-%m-%d"
    elif format_.startswith("%H"):
        cells, format_ = "1970-01-01 " + cells, f"%Y-%m-%d {format_}"
    found = cells.str.to_datetime(format_, time_unit="us", strict=False)
    if isinstance(found.dtype, pl.Datetime) and found.dtype.time_zone is not None:
        found = found.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    return found.zip_with((found.dt.year() >= EARLIEST).fill_null(False), pl.Series([None], dtype=found.dtype))
