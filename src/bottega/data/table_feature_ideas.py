"""Which features might help a table: everything that a person would try, before anything was measured."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from bottega.data.table_features import OF_TARGET, MadeFeature
from bottega.data.table_preparation import TablePreparation
from bottega.data.table_text_ideas import TextPlace, of_texts, text_places

__all__ = ["TableColumns", "brainstorm"]

Floats = npt.NDArray[np.float32]
MOST_NUMBERS = 10  # that are combined with each other: 45 pairs
MOST_WITH_CATEGORIES = 6  # numbers that are combined with categories
MOST_CATEGORIES = 8
FEW_LEVELS = 4  # of a category: a number is also tried inside each of them
MOST_CLASSES = 6  # whose shares are tried, one feature each
YEAR, WEEK, DAY = 365.2425, 7.0, 24.0
SATURDAY = 5.0  # Monday is 0


@dataclass(frozen=True)
class TableColumns:
    """The encoded columns by what they are.

    Attributes:
        names: (D,) as people know them; texts are not among the D.
        n_codes: (D,) 0 for a number.
        levels: of each category, by its encoded column, in the order of their codes.
        dates: encoded column of each part, by date column.
        target: name of what is predicted; `classes` is () for values.
        texts: behind the others.
    """

    names: tuple[str, ...]
    n_codes: npt.NDArray[np.int64]
    levels: Mapping[int, tuple[str, ...]]
    dates: Mapping[str, Mapping[str, int]]
    target: str
    classes: tuple[str, ...]
    texts: tuple[TextPlace, ...] = ()

    @classmethod
    def of(cls, prepared: TablePreparation, target: str, classes: tuple[str, ...]) -> "TableColumns":
        """The columns of a preparation."""
        place = {feature.name: number for number, feature in enumerate(prepared.features)}
        levels = {place[one.name]: one.levels for one in prepared.columns if one.kind == "category"}
        dates = {
            one.name: {
                feature.name.removeprefix(f"{one.name}: "): place[feature.name]
                for feature in prepared.features
                if feature.column == one.name
            }
            for one in prepared.columns
            if one.kind == "date"
        }
        texts = text_places(prepared.texts, len(place))
        return cls(tuple(place), prepared.n_codes, levels, dates, target, classes, texts)

    @property
    def n_seen(self) -> int:
        """D: the columns that models see."""
        return len(self.names)

    @property
    def numbers(self) -> list[int]:
        """Encoded columns that are numbers of their own; parts of dates are not."""
        parts = {place for date in self.dates.values() for place in date.values()}
        return [place for place in np.flatnonzero(self.n_codes == 0).tolist() if place not in parts]


def brainstorm(columns: TableColumns, x: Floats, uses: Floats) -> list[MadeFeature]:
    """Features that have learned nothing yet.

    Args:
        x: (N, D + texts) encoded training rows: what is constant in them is combined with nothing.
        uses: (D,) how much a first model made of each column: the most used ones are combined.
    """
    moving = {place for place in range(columns.n_seen) if _moves(x[:, place])}
    numbers = [place for place in _by_use(columns.numbers, uses) if place in moving]
    categories = [place for place in _by_use(columns.levels, uses) if place in moving][:MOST_CATEGORIES]
    return [
        *_of_dates(columns),
        *_logarithms(columns, numbers, x),
        *_pairs(columns, sorted(numbers[:MOST_NUMBERS])),
        *_of_categories(columns, categories),
        *_inside_categories(columns, sorted(numbers[:MOST_WITH_CATEGORIES]), categories),
        *of_texts(columns.texts, x, columns.target, _shown(columns.classes)),
    ]


def _shown(classes: tuple[str, ...]) -> list[str]:
    """The classes whose shares are tried, "" for the others: of two the second, of many the first few."""
    if len(classes) == 2:
        return ["", classes[1]]
    return [label if number < MOST_CLASSES else "" for number, label in enumerate(classes)]


def _by_use(places: Sequence[int] | Mapping[int, object], uses: Floats) -> list[int]:
    return sorted(places, key=lambda place: (-float(uses[place]), place))


def _moves(values: Floats) -> bool:
    known = values[np.isfinite(values)]
    return len(known) > 1 and bool(known.min() < known.max())


def _of_dates(columns: TableColumns) -> Iterator[MadeFeature]:
    """What the parts that every model gets don't say: the circle of the year, the weekend, days between two dates."""
    for name, part in columns.dates.items():
        for phase, side in (("sine", 1), ("cosine", -1)):
            yield MadeFeature("wave", (part["days"],), f"time of year of {name} ({phase})", side * YEAR)
            if "hour" in part:
                yield MadeFeature("wave", (part["hour"],), f"time of day of {name} ({phase})", side * DAY)
        yield MadeFeature("at least", (part["weekday"],), f"{name} at a weekend", SATURDAY)
    for first, second in combinations(columns.dates, 2):
        ends = columns.dates[first]["days"], columns.dates[second]["days"]
        yield MadeFeature("difference", ends, f"days from {second} to {first}")


def _logarithms(columns: TableColumns, numbers: Sequence[int], x: Floats) -> Iterator[MadeFeature]:
    for place in numbers:
        least = float(np.nanmin(np.where(np.isfinite(x[:, place]), x[:, place], np.nan)))
        if least > 0:
            yield MadeFeature("logarithm", (place,), f"log({columns.names[place]})")
        elif least == 0:
            yield MadeFeature("logarithm", (place,), f"log(1 + {columns.names[place]})", 1.0)


def _pairs(columns: TableColumns, numbers: Sequence[int]) -> Iterator[MadeFeature]:
    for first, second in combinations(numbers, 2):
        pair, (a, b) = (first, second), (columns.names[first], columns.names[second])
        yield MadeFeature("ratio", pair, f"{a} ÷ {b}")
        yield MadeFeature("ratio", (second, first), f"{b} ÷ {a}")
        yield MadeFeature("product", pair, f"{a} × {b}")
        yield MadeFeature("difference", pair, f"{a} − {b}")
        yield MadeFeature("sum", pair, f"{a} + {b}")


def _of_categories(columns: TableColumns, categories: Sequence[int]) -> Iterator[MadeFeature]:
    for place in categories:
        name, n_codes = columns.names[place], int(columns.n_codes[place])
        yield MadeFeature("rows by category", (place,), f"share of rows with the same {name}", n_codes=n_codes)
        if not columns.classes:
            yield MadeFeature(OF_TARGET, (place,), f"mean {columns.target} by {name}", -1.0, n_codes=n_codes)
        for number, label in enumerate(_shown(columns.classes)):
            if label:
                words = f"share of {columns.target} = {label} by {name}"
                yield MadeFeature(OF_TARGET, (place,), words, float(number), n_codes=n_codes)


def _inside_categories(
    columns: TableColumns, numbers: Sequence[int], categories: Sequence[int]
) -> Iterator[MadeFeature]:
    for category in categories:
        by, n_codes, levels = columns.names[category], int(columns.n_codes[category]), columns.levels[category]
        for number in numbers:
            name, pair = columns.names[number], (number, category)
            yield MadeFeature("mean by category", pair, f"mean {name} by {by}", n_codes=n_codes)
            yield MadeFeature("difference from mean", pair, f"{name} − mean {name} by {by}", n_codes=n_codes)
            yield MadeFeature("ratio to mean", pair, f"{name} ÷ mean {name} by {by}", n_codes=n_codes)
            for code, level in enumerate(levels if len(levels) <= FEW_LEVELS else ()):
                yield MadeFeature("where", pair, f"{name} where {by} is {level}, else 0", float(code))
