"""Features that are made of the encoded columns of a table: what each one is, what it learned, and its operators.

They see the encoded matrix of `data.table_preparation`, float32 (N, D), and stand behind it: (N, D + F). One rule for
all: what has no finite result (a division by 0, the logarithm of what isn't positive, a missing part) is missing.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
from onnx import TensorProto

from bottega.data.graph import GraphBuilder
from bottega.data.word_scores import fit_word_scores

__all__ = ["BY_WORDS", "OF_TARGET", "MadeFeature", "MadeKind", "add_features", "features_graph", "learn_features"]

MadeKind = Literal[
    "sum", "difference", "product", "ratio", "logarithm", "wave", "at least", "where", "rows by category",
    "mean by category", "difference from mean", "ratio to mean", "target by category",
    "number of words", "has word", "target by words",
]  # fmt: skip
Floats = npt.NDArray[np.float32]
Targets = npt.NDArray[Any]
OF_TARGET: Final = "target by category"
BY_WORDS: Final = "target by words"
PULL = 1.0  # rows that speak for the overall mean beside those of the category
PULL_OF_TARGET = 10.0  # more of them: a target of few rows is mostly chance, and what learns from it would trust it
LEAST_SQUARE = 1e-12  # of a length: no text of known words is as short


@dataclass(frozen=True)
class MadeFeature:
    """One feature.

    Attributes:
        columns: of the encoded matrix, in the order of the words; a category comes last. Of a text, all that hold
            the numbers of its words.
        words: the feature as a person would write it.
        number: what is added before the logarithm; days of a wave's period, negative for one a quarter later; the
            least value of `at least`; the code of `where`; the class whose share is taken, -1 for a mean; the number
            of the word.
        table: (n_codes,) float32, what was learned for each code of the category, or (n_codes, 2) for each word
            (`data.word_scores`); None where nothing is learned.
        n_codes: of the category, or of the words with 0 for none; 0 where there is neither.

    Example:
        >>> MadeFeature("ratio", (0, 1), "price ÷ area").words
        'price ÷ area'
    """

    kind: MadeKind
    columns: tuple[int, ...]
    words: str
    number: float = 0.0
    table: Floats | None = None
    n_codes: int = 0

    @property
    def learns_target(self) -> bool:
        """Whether what it learned holds the targets of its rows."""
        return self.kind in (OF_TARGET, BY_WORDS)

    @property
    def is_of_text(self) -> bool:
        """Whether it is made of words."""
        return self.kind in ("number of words", "has word", BY_WORDS)


def learn_features(features: Sequence[MadeFeature], x: Floats, y: Targets) -> tuple[MadeFeature, ...]:
    """Fill the tables of those that look up a category.

    Args:
        x: (N, D) encoded training rows.
        y: (N,) class indices, or values.
    """
    return tuple(replace(one, table=_learned(one, x, y)) if one.n_codes else one for one in features)


def features_graph(features: Sequence[MadeFeature], n_inputs: int, n_seen: int | None = None) -> bytes:
    """The features alone: `x` float32 [N, D] -> `wide` float32 [N, n_seen + F]."""
    g = GraphBuilder()
    x = g.input("x", TensorProto.FLOAT, ["N", n_inputs])
    width = (n_inputs if n_seen is None else n_seen) + len(features)
    g.output(add_features(g, features, x, n_seen), "wide", TensorProto.FLOAT, ["N", width])
    return g.model()


def add_features(g: GraphBuilder, features: Sequence[MadeFeature], x: str, n_seen: int | None = None) -> str:
    """Make the features of encoded rows: float32 [N, D] -> [N, n_seen + F].

    Args:
        n_seen: the first columns, which models see; those of texts, behind them, end here. None for all.
    """
    seen = x if n_seen is None else g.op("Slice", x, *(g.constant([value], np.int64) for value in (0, n_seen, 1)))
    if not features:
        return seen
    parts, order = [], []
    for kind, make in _MAKERS.items():
        places = [place for place, one in enumerate(features) if one.kind == kind]
        if places:
            parts.append(make(g, x, [features[place] for place in places]))  # (N, how many are of this kind)
            order += places
    made = parts[0] if len(parts) == 1 else g.op("Concat", *parts, axis=1)
    if order != sorted(order):
        made = g.op("Gather", made, g.constant(np.argsort(order), np.int64), axis=1)
    made = g.op("Where", g.op("IsInf", made), g.constant(np.nan), made)
    return g.op("Concat", seen, made, axis=1)


def _learned(one: MadeFeature, x: Floats, y: Targets) -> Floats:
    if one.kind == BY_WORDS:
        words = x[:, one.columns[0] : one.columns[-1] + 1].astype(np.int64)
        return fit_word_scores(words, _of_target(one, y), one.n_codes - 1)
    codes = x[:, one.columns[-1]].astype(np.int64)
    if one.kind == "rows by category":
        return (np.bincount(codes, minlength=one.n_codes) / max(1, len(codes))).astype(np.float32)
    if one.kind == OF_TARGET:
        values = _of_target(one, y)
    else:
        values = x[:, one.columns[0]].astype(np.float64)
    return _means(codes, values, one.n_codes, PULL_OF_TARGET if one.kind == OF_TARGET else PULL)


def _of_target(one: MadeFeature, y: Targets) -> npt.NDArray[np.float64]:
    """(N,) values, or 1 for the rows of the class."""
    return y.astype(np.float64) if one.number < 0 else (y == int(one.number)).astype(np.float64)


def _means(codes: npt.NDArray[np.int64], values: npt.NDArray[np.float64], n_codes: int, pull: float) -> Floats:
    """The mean of each code, drawn towards the mean of all by as much as `pull` rows weigh.

    Source: Micci-Barreca 2001, "A preprocessing scheme for high-cardinality categorical attributes".
    """
    known = np.isfinite(values)
    codes, values = codes[known], values[known]
    overall = float(values.mean()) if len(values) else 0.0
    sums = np.bincount(codes, weights=values, minlength=n_codes)
    counts = np.bincount(codes, minlength=n_codes)
    return ((sums + pull * overall) / (counts + pull)).astype(np.float32)


_Maker = Callable[[GraphBuilder, str, Sequence[MadeFeature]], str]


def _side(g: GraphBuilder, x: str, features: Sequence[MadeFeature], side: int) -> str:
    """(N, D) -> (N, F): the first or the last column of each feature."""
    return g.op("Gather", x, g.constant([one.columns[side] for one in features], np.int64), axis=1)


def _pair(operator: str) -> _Maker:
    def make(g: GraphBuilder, x: str, features: Sequence[MadeFeature]) -> str:
        return g.op(operator, _side(g, x, features, 0), _side(g, x, features, 1))

    return make


def _in_double(g: GraphBuilder, value: str) -> str:
    return g.op("Cast", value, to=TensorProto.DOUBLE)


def _logarithm(g: GraphBuilder, x: str, features: Sequence[MadeFeature]) -> str:
    # In double, as the waves are: rounded to float32 it is the same on every machine and in every size of batch.
    shift = g.constant([one.number for one in features], np.float64)
    value = g.op("Log", g.op("Add", _in_double(g, _side(g, x, features, 0)), shift))
    return g.op("Cast", value, to=TensorProto.FLOAT)


def _wave(g: GraphBuilder, x: str, features: Sequence[MadeFeature]) -> str:
    turn = g.constant([2 * math.pi / abs(one.number) for one in features], np.float64)
    phase = g.constant([math.pi / 2 if one.number < 0 else 0.0 for one in features], np.float64)
    value = g.op("Sin", g.op("Add", g.op("Mul", _in_double(g, _side(g, x, features, 0)), turn), phase))
    return g.op("Cast", value, to=TensorProto.FLOAT)


def _at_least(g: GraphBuilder, x: str, features: Sequence[MadeFeature]) -> str:
    value = _side(g, x, features, 0)
    reached = g.op("GreaterOrEqual", value, g.constant([one.number for one in features]))
    return g.op("Where", g.op("IsNaN", value), value, g.op("Cast", reached, to=TensorProto.FLOAT))


def _where(g: GraphBuilder, x: str, features: Sequence[MadeFeature]) -> str:
    has_code = g.op("Equal", _side(g, x, features, 1), g.constant([one.number for one in features]))
    return g.op("Where", has_code, _side(g, x, features, 0), g.constant(0.0))


def _looked_up(g: GraphBuilder, x: str, features: Sequence[MadeFeature]) -> str:
    """(N, D) -> (N, F): what each feature's table says of the row's category; all tables stand in one."""
    tables = [one.table for one in features if one.table is not None]
    starts = np.cumsum([0, *(len(table) for table in tables[:-1])])
    codes = g.op("Cast", _side(g, x, features, -1), to=TensorProto.INT64)
    return g.op("Gather", g.constant(np.concatenate(tables)), g.op("Add", codes, g.constant(starts, np.int64)), axis=0)


def _beside_mean(operator: str) -> _Maker:
    def make(g: GraphBuilder, x: str, features: Sequence[MadeFeature]) -> str:
        return g.op(operator, _side(g, x, features, 0), _looked_up(g, x, features))

    return make


def _words(g: GraphBuilder, x: str, one: MadeFeature) -> str:
    """(N, D) -> (N, T) int64, the numbers of a text's words."""
    bounds = (g.constant([value], np.int64) for value in (one.columns[0], one.columns[-1] + 1, 1))
    return g.op("Cast", g.op("Slice", x, *bounds), to=TensorProto.INT64)


def _has_word(g: GraphBuilder, x: str, features: Sequence[MadeFeature]) -> str:
    parts, order = [], []
    for columns in dict.fromkeys(one.columns for one in features):
        places = [place for place, one in enumerate(features) if one.columns == columns]
        numbers = g.constant([int(features[place].number) for place in places], np.int64)
        words = g.op("Unsqueeze", _words(g, x, features[places[0]]), g.constant([2], np.int64))  # (N, T, 1)
        same = g.op("Cast", g.op("Equal", words, numbers), to=TensorProto.FLOAT)  # (N, T, how many)
        parts.append(g.op("ReduceMax", same, g.constant([1], np.int64), keepdims=0))
        order += places
    found = parts[0] if len(parts) == 1 else g.op("Concat", *parts, axis=1)
    return g.op("Gather", found, g.constant(np.argsort(order), np.int64), axis=1)


def _by_words(g: GraphBuilder, x: str, features: Sequence[MadeFeature]) -> str:
    parts = []
    for one in features:
        table = np.zeros((1, 2)) if one.table is None else one.table
        entries = g.op("Gather", g.constant(table, np.float64), _words(g, x, one), axis=0)  # (N, T) -> (N, T, 2)
        sums = g.op("ReduceSum", entries, g.constant([1], np.int64), keepdims=0)  # exact, see `data.word_scores`
        said, square = g.ops("Split", sums, n_outputs=2, axis=1, num_outputs=2)
        length = g.op("Sqrt", g.op("Max", square, g.constant(LEAST_SQUARE, np.float64)))  # 0 where no word is known
        parts.append(g.op("Cast", g.op("Div", said, length), to=TensorProto.FLOAT))
    return parts[0] if len(parts) == 1 else g.op("Concat", *parts, axis=1)


_MAKERS: dict[MadeKind, _Maker] = {
    "sum": _pair("Add"),
    "difference": _pair("Sub"),
    "product": _pair("Mul"),
    "ratio": _pair("Div"),
    "logarithm": _logarithm,
    "wave": _wave,
    "at least": _at_least,
    "where": _where,
    "rows by category": _looked_up,
    "mean by category": _looked_up,
    "difference from mean": _beside_mean("Sub"),
    "ratio to mean": _beside_mean("Div"),
    OF_TARGET: _looked_up,
    "number of words": lambda g, x, features: _side(g, x, features, 0),
    "has word": _has_word,
    BY_WORDS: _by_words,
}
