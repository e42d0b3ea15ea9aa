"""What turns the cells of a row into numbers: fitted on training rows, kept as JSON, written once as ONNX operators.

Every column is an input of the graph, float32 `[N]` or string `[N]`. A missing number is NaN, a missing text is "".
Out comes one float32 matrix `[N, D]`: numbers as they are (missing ones stay NaN), the code of each category with a
code of its own for *missing* and one for *unknown*, dates as parts. Imputation and scaling are learned with each
model, fold by fold (`evaluation.forms.Dense`), so that no fold's rows leak into another's means. Columns of texts,
where they are read, stand behind all others as numbers of words (`data.table_words`).
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from onnx import TensorProto

from bottega.data.dates import add_date, date_parts
from bottega.data.graph import GraphBuilder
from bottega.data.table_words import TextEncoding, add_word_numbers
from bottega.data.text_characters import TextGraphBuilder
from bottega.errors import BottegaError, found_in, nearest_name

__all__ = [
    "Encoding",
    "Feature",
    "TablePreparation",
    "add_encoder",
    "encoder_graph",
    "fit_preparation",
    "graph_builder",
    "graph_inputs",
    "input_name",
]

Kind = Literal["number", "category", "date"]
Cells = Mapping[str, npt.NDArray[Any]]
MAX_LEVELS = 253  # with missing and unknown 255, as many as gradient boosting can tell apart
FEWEST_ROWS = 2  # a level seen once teaches nothing; such levels together teach what "unknown" means
EXACT = 2**24  # from here on float32 skips whole numbers
ENCODED = "encoded"  # the output of the preparation alone
OUTPUTS = frozenset({"label", "probabilities", "sure", "value", "lower", "upper", ENCODED})
_INNER = re.compile(r"[a-z]+_[0-9]+")  # names that GraphBuilder gives to what lies inside


def input_name(column: str) -> str:
    """The graph's name for a column: its own, with an underscore where the graph uses that name itself.

    Example:
        >>> input_name("price"), input_name("label"), input_name("add_1_")
        ('price', 'label_', 'add_1__')
    """
    bare = column.rstrip("_")  # so that no two columns end up with one name
    taken = bare in OUTPUTS or _INNER.fullmatch(bare)
    return f"{column}_" if taken else column


@dataclass(frozen=True)
class Encoding:
    """How one column is read.

    Attributes:
        name: of the column.
        levels: of a category, in the order of their codes; then come the codes of missing and of unknown.
        format: of a date, as `strptime` writes it.
    """

    name: str
    kind: Kind
    levels: tuple[str, ...] = ()
    format: str = ""

    @property
    def input_name(self) -> str:
        """The graph's name for the column."""
        return input_name(self.name)


@dataclass(frozen=True)
class Feature:
    """One column of the encoded matrix: `n_codes` is 0 for a number."""

    name: str
    column: str
    n_codes: int = 0


@dataclass(frozen=True)
class TablePreparation:
    """The frozen state; what was learned are the levels of the categories, and which words there are.

    Attributes:
        columns: numbers, categories and dates.
        texts: columns whose words are read; no model sees them but through what is made of them.

    Example:
        >>> prepared = TablePreparation((Encoding("age", "number"), Encoding("sex", "category", ("f", "m"))))
        >>> [(feature.name, feature.n_codes) for feature in prepared.features]
        [('age', 0), ('sex', 4)]
        >>> TablePreparation.from_json(prepared.to_json()) == prepared
        True
    """

    columns: tuple[Encoding, ...]
    texts: tuple[TextEncoding, ...] = ()

    @property
    def features(self) -> tuple[Feature, ...]:
        """The columns of the encoded matrix, but for those of texts."""
        found: list[Feature] = []
        for column in self.columns:
            if column.kind == "date":
                found += [Feature(f"{column.name}: {part}", column.name) for part in date_parts(column.format)]
            else:
                found.append(Feature(column.name, column.name, len(column.levels) + 2 if column.levels else 0))
        return tuple(found)

    @property
    def n_codes(self) -> npt.NDArray[np.int64]:
        """(D,) codes of each feature, 0 where it is a number."""
        return np.array([feature.n_codes for feature in self.features], np.int64)

    @property
    def width(self) -> int:
        """Columns of the encoded matrix, with those of texts."""
        return len(self.features) + sum(text.width for text in self.texts)

    @property
    def names(self) -> list[str]:
        """The columns that are read, as the graph takes them one after the other."""
        return [*(one.name for one in self.columns), *(one.name for one in self.texts)]

    @property
    def text_inputs(self) -> dict[str, str]:
        """The graph's name for each column of texts."""
        return {text.name: input_name(text.name) for text in self.texts}

    def to_json(self) -> dict[str, Any]:
        """The state as plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, state: dict[str, Any]) -> "TablePreparation":
        """The same state again."""
        columns = (Encoding(**{**column, "levels": tuple(column["levels"])}) for column in state["columns"])
        texts = (TextEncoding(**{**text, "words": tuple(text["words"])}) for text in state["texts"])
        return cls(tuple(columns), tuple(texts))


def fit_preparation(
    cells: Cells, kinds: Mapping[str, Kind], rows: npt.NDArray[np.int64], formats: Mapping[str, str] | None = None
) -> TablePreparation:
    """Learn the levels of the categories from training rows.

    Args:
        cells: (N,) by column: numbers as floats with NaN, categories and dates as strings with "" where missing.
        kinds: what each column is; the order of the columns is kept. Columns that aren't named here are not used.
        rows: numbers of the training rows.
        formats: `strptime` formats of the date columns.
    Raises:
        BottegaError: a column of whole numbers is too long for float32, or holds nothing in the training rows.
    """
    formats = formats or {}
    found = []
    for name, kind in kinds.items():
        values = cells[name][rows]
        if kind == "number":
            _require_exact(name, values)
            found.append(Encoding(name, kind))
        elif kind == "date":
            found.append(Encoding(name, kind, format=formats.get(name, "%Y-%m-%d")))
            date_parts(found[-1].format)  # refuses a format that the graph can't read
        else:
            found.append(Encoding(name, kind, levels=_levels(name, values)))
    return TablePreparation(tuple(found))


def graph_inputs(prepared: TablePreparation, cells: Cells) -> dict[str, npt.NDArray[Any]]:
    """The cells as the graph takes them, by the graph's own names.

    Raises:
        BottegaError: a column is missing; the nearest name is told.
    """
    absent = [name for name in prepared.names if name not in cells]
    if absent:
        near = nearest_name(absent[0], [name for name in cells if name not in prepared.names])
        raise BottegaError(
            found=f"no column {found_in(absent)}",
            expected=f"the columns that it was trained on: {found_in(prepared.names)}",
            fix=f"rename {near!r} to {absent[0]!r}" if near else "add the column; an empty one counts as missing",
        )
    inputs: dict[str, npt.NDArray[Any]] = {}
    for column in prepared.columns:
        values = cells[column.name]
        with np.errstate(over="ignore"):  # beyond float32 is infinite there too
            inputs[column.input_name] = values.astype(np.float32 if column.kind == "number" else object)
    return inputs | {own: cells[name].astype(object) for name, own in prepared.text_inputs.items()}


def graph_builder(prepared: TablePreparation) -> GraphBuilder:
    """A builder for graphs over the preparation: texts need one more of the stock operators."""
    return TextGraphBuilder() if prepared.texts else GraphBuilder()


def encoder_graph(prepared: TablePreparation) -> bytes:
    """The preparation alone: one input per column -> `encoded` float32 [N, D]."""
    g = graph_builder(prepared)
    x = add_encoder(g, prepared)
    g.output(x, ENCODED, TensorProto.FLOAT, ["N", prepared.width])
    return g.model()


def add_encoder(g: GraphBuilder, prepared: TablePreparation) -> str:
    """Declare one input per column and encode them; returns float32 [N, D], texts last."""
    inputs = [
        g.input(column.input_name, TensorProto.FLOAT if column.kind == "number" else TensorProto.STRING, ["N"])
        for column in prepared.columns
    ]
    last = g.constant([1], np.int64)
    parts = []
    for column, cells in zip(prepared.columns, inputs, strict=True):
        if column.kind == "date":
            parts.append(add_date(g, cells, column.format))
        else:
            codes = cells if column.kind == "number" else _codes(g, column, cells)
            parts.append(g.op("Unsqueeze", codes, last))  # (N,) -> (N, 1)
    texts = [g.input(own, TensorProto.STRING, ["N"]) for own in prepared.text_inputs.values()]
    parts += [add_word_numbers(g, text, cells) for text, cells in zip(prepared.texts, texts, strict=True)]
    return g.op("Concat", *parts, axis=1)  # -> (N, D)


def _codes(g: GraphBuilder, column: Encoding, cells: str) -> str:
    n = len(column.levels)
    return g.op(
        "LabelEncoder",
        cells,
        domain="ai.onnx.ml",
        keys_strings=[*column.levels, ""],
        values_floats=np.arange(n + 1, dtype=np.float32).tolist(),
        default_float=float(n + 1),
    )


def _require_exact(name: str, values: npt.NDArray[Any]) -> None:
    """Whole numbers that float32 would change are names, not quantities."""
    known = values[np.isfinite(values.astype(np.float64))].astype(np.float64)
    with np.errstate(over="ignore"):
        changed = known[(np.abs(known) > EXACT) & (known == np.rint(known)) & (known != known.astype(np.float32))]
    if len(changed):
        raise BottegaError(
            found=f"whole numbers as large as {int(changed[np.abs(changed).argmax()])} in the column {name!r}",
            expected=f"whole numbers up to {EXACT:,}, which a model's arithmetic holds exactly",
            fix=f"--type {name}=category for a code, --ignore {name} for an identifier, or round an amount to 7 digits",
        )


def _levels(name: str, values: npt.NDArray[Any]) -> tuple[str, ...]:
    """The levels that are common enough: by number where all are numbers, else the most frequent first."""
    counts = Counter(str(value) for value in values.tolist() if value != "")
    common = [level for level, n in counts.items() if n >= FEWEST_ROWS] or list(counts)
    if not common:
        raise BottegaError(
            found=f"no value in the column {name!r} in all {len(values):,} training rows",
            expected="a column that says something",
            fix=f"--ignore {name}",
        )
    kept = sorted(common, key=lambda level: (-counts[level], level))[:MAX_LEVELS]
    numbers = {level: _number(level) for level in kept}
    if all(number is not None for number in numbers.values()):
        kept.sort(key=lambda level: (numbers[level] or 0.0, level))
    return tuple(kept)


def _number(level: str) -> float | None:
    try:
        number = float(level)
    except ValueError:
        return None
    return number if np.isfinite(number) else None
