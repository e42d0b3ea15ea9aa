"""Words, pairs of words and runs of characters as numbers: found by operators, counted and weighted by operators.

From character codes (`data.text_characters`) on. The same nodes name the terms of a text for fitting, where they are
counted row by row into sparse matrices, and in the file that ships. What counts as a term:

- a word: letters, marks, numbers and underscores in a row, at most 127 of them; a pair: two words in a row;
- a token: a word in which every digit is the same, or a sign that is part of none; and pairs of them;
- a run: 2 to 4 characters inside what white space encloses, with a space on each side (scikit-learn's `char_wb`).
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from onnx import TensorProto

from bottega.data.graph import GraphBuilder
from bottega.data.text_characters import MAX_CODES, SPACE, TextPreparation
from bottega.data.text_sums import letter_numbers, place_numbers

__all__ = ["RUNS", "Terms", "add_places", "add_tf_idf", "add_words", "keys_graph", "pair_keys"]

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]
RUNS = (2, 3, 4)  # characters
MAX_WORD = 127  # characters; a longer word is none
TOO_LONG = -(2**38)  # of the place behind the last: times any letter it outweighs the rest
PAIR = 2**20  # a pair's key is the number of its first word times this, plus that of the second
CODE_BITS = MAX_CODES.bit_length() - 1


@dataclass(frozen=True)
class Terms:
    """The terms that a model counts, and what each of them weighs.

    Attributes:
        kind: "words" or "tokens" (and pairs of them), or "runs" of characters.
        keys: (K,) of the words, tokens or runs, as `keys_graph` names them; the first `n_counted` words or tokens
            count by themselves.
        pairs: (P,) keys of pairs, see `pair_keys`.
        n_counted: U; words after it are there because a pair needs them.
        idf: (U + P,) weight of each term.
        is_logarithmic: 1 + log of the count instead of the count.
    """

    kind: Literal["words", "tokens", "runs"]
    keys: Integers
    pairs: Integers
    n_counted: int
    idf: Floats
    is_logarithmic: bool = True

    @property
    def n_terms(self) -> int:
        """Columns of the matrix that it makes."""
        return self.n_counted + len(self.pairs)


def keys_graph(prepared: TextPreparation) -> bytes:
    """What the terms of a text are called, 0 for none.

    `codes` uint16 [N, L] -> `words` int64 [N, W], `tokens` int64 [N, T], `runs` int64 [N, R], in the order of the text.
    """
    g = GraphBuilder()
    codes = g.op("Cast", g.input("codes", TensorProto.UINT16, ["N", "L"]), to=TensorProto.INT64)
    g.output(add_words(g, prepared, codes), "words", TensorProto.INT64, ["N", "W"])
    g.output(_add_tokens(g, prepared, codes), "tokens", TensorProto.INT64, ["N", "T"])
    g.output(_add_runs(g, codes), "runs", TensorProto.INT64, ["N", "R"])
    return g.model()


def pair_keys(first: Integers, second: Integers) -> Integers:
    """Keys of pairs of words, from the numbers of both in `Terms.keys`, counted from 0."""
    return (first + 1) * PAIR + second + 1


def add_tf_idf(g: GraphBuilder, prepared: TextPreparation, terms: Terms, codes: str) -> tuple[str, str]:
    """Weighted counts of length 1, occurrence by occurrence: there is no matrix of all terms.

    Args:
        codes: int64 [N, L].
    Returns:
        Places int64 [N, P], the column of the term at each occurrence, `n_terms` where there is none; and values
        float32 [N, P], of which those at one column add up to what scikit-learn's TfidfTransformer has there.
    """
    if terms.kind == "runs":
        places = add_places(g, terms.keys, np.arange(terms.n_terms), _add_runs(g, codes), terms.n_terms)
    else:
        found = add_words(g, prepared, codes) if terms.kind == "words" else _add_tokens(g, prepared, codes)
        places = _add_word_places(g, terms, found)
    n = g.op("Shape", codes, start=0, end=1)
    shape = g.op("Concat", n, g.constant([terms.n_terms + 1], np.int64), axis=0)
    none, one = g.op("Expand", g.constant(0.0), shape), g.constant(1.0)
    once = g.op("Expand", one, g.op("Shape", places))
    counts = g.op("ScatterElements", none, places, once, axis=1, reduction="add")  # -> (N, n_terms + 1)
    count = g.op("GatherElements", counts, places, axis=1)  # -> (N, P)
    amount = g.op("Add", g.op("Log", count), one) if terms.is_logarithmic else count
    weight = g.op("Mul", amount, g.op("Gather", g.constant(np.append(terms.idf, 0.0)), places))
    square = g.op("ReduceSum", g.op("Div", g.op("Mul", weight, weight), count), g.constant([1], np.int64), keepdims=1)
    length = g.op("Max", g.op("Sqrt", square), g.constant(1e-12))
    return places, g.op("Div", g.op("Div", weight, count), length)


def _add_word_places(g: GraphBuilder, terms: Terms, words: str) -> str:
    """Columns of the words and pairs: keys [N, W] -> int64 [N, 2 W - 1]."""
    n, numbers = terms.n_terms, np.arange(len(terms.keys)) + 1
    number = add_places(g, terms.keys, numbers, words, 0)
    counted = np.full(len(terms.keys) + 1, n, np.int64)
    counted[1 : terms.n_counted + 1] = np.arange(terms.n_counted)
    single = g.op("Gather", g.constant(counted, np.int64), number)
    if not len(terms.pairs):
        return single
    first, second = _part(g, number, 0, -1), _part(g, number, 1)
    key = g.op("Add", g.op("Mul", first, g.constant(PAIR, np.int64)), second)
    both = add_places(g, terms.pairs, np.arange(terms.n_counted, n), key, n)
    return g.op("Concat", single, both, axis=1)


def add_places(g: GraphBuilder, keys: Integers, values: Integers, found: str, default: int) -> str:
    """The value of each key that was found, `default` where it has none."""
    if not len(keys):  # the operator wants at least one; no term is called -1
        keys, values = np.array([-1]), np.array([default])
    return g.op(
        "LabelEncoder",
        found,
        domain="ai.onnx.ml",
        keys_int64s=keys.tolist(),
        values_int64s=values.tolist(),
        default_int64=default,
    )


def add_words(g: GraphBuilder, prepared: TextPreparation, codes: str, *, signs: bool = False) -> str:
    """One key for each word, in their order: codes [N, L] -> int64 [N, W], 0 where a text has fewer words.

    The keys are those of `data.text_sums`; a word that is too long has a negative one.

    Args:
        signs: each sign that is no part of a word is a word of its own.
    """
    one = g.constant(1, np.int64)
    last = g.constant(1, np.int64)  # the axis
    of_words = prepared.word_codes
    used = (np.arange(prepared.n_codes) > SPACE).astype(np.int64) if signs else of_words
    inside = g.op("Gather", g.constant(used, np.int64), codes)
    within = g.op("Gather", g.constant(of_words, np.int64), codes) if signs else inside
    before = g.op("Pad", within, g.constant([0, 1, 0, -1], np.int64))  # moved to the right by one
    follows = g.op("Mul", within, before) if signs else before
    start = g.op("Mul", inside, g.op("Sub", one, follows))
    number = g.op("CumSum", start, last)  # 1 in the first word and behind it, and so on
    so_far = g.op("Sub", g.op("CumSum", inside, last), one)
    numbers = g.op("Concat", g.op("Reshape", number, g.constant([-1], np.int64)), g.constant([0], np.int64), axis=0)
    n_words = g.op("Add", g.op("ReduceMax", numbers, keepdims=1), g.constant([2], np.int64))  # one more than there are
    shape = g.op("Concat", g.op("Shape", codes, start=0, end=1), n_words, axis=0)
    none = g.op("Expand", g.constant(0, np.int64), shape)
    begins = g.op("ScatterElements", none, number, g.op("Mul", start, so_far), axis=1, reduction="add")
    place = g.op("Sub", so_far, g.op("GatherElements", begins, number, axis=1))
    place = g.op("Max", g.op("Min", place, g.constant(MAX_WORD + 1, np.int64)), g.constant(0, np.int64))
    letters = letter_numbers(prepared.n_codes)
    places = np.array([*place_numbers(MAX_WORD), TOO_LONG, 0])
    product = g.op(
        "Mul",
        g.op("Gather", g.constant(letters * used, np.int64), codes),
        g.op("Gather", g.constant(places, np.int64), place),
    )
    sums = g.op("ScatterElements", none, number, product, axis=1, reduction="add")
    return _part(g, sums, 1)  # what stands before the first word is none


def _add_tokens(g: GraphBuilder, prepared: TextPreparation, codes: str) -> str:
    """One key for each word and sign, in their order, whatever digits it has: codes [N, L] -> int64 [N, T]."""
    alike = g.op("Gather", g.constant(prepared.digits_alike, np.int64), codes)
    return add_words(g, prepared, alike, signs=True)


def _add_runs(g: GraphBuilder, codes: str) -> str:
    """One key for each run, in their order: codes [N, L] -> int64 [N, R], 0 for what is none."""
    space = g.constant(SPACE, np.int64)
    filled = g.op("Max", codes, space)  # the end of a text is white space too
    wide = g.op("Pad", filled, g.constant([0, 1, 0, max(RUNS) - 1], np.int64), space)
    ink = g.op("Cast", g.op("Greater", wide, space), to=TensorProto.INT64)
    found = []
    for length in RUNS:
        key, kept = _part(g, wide, 0, 1 - length), None
        for place in range(1, length):
            end = place - length + 1 or None
            key = g.op("Mul", key, g.constant(MAX_CODES, np.int64))
            key = g.op("Add", key, _part(g, wide, place, end))
            if place < length - 1:  # no white space within
                within = _part(g, ink, place, end)
                kept = within if kept is None else g.op("Mul", kept, within)
        if kept is None:  # a run of two: not two spaces
            kept = g.op("Max", _part(g, ink, 0, -1), _part(g, ink, 1))
        found.append(g.op("Mul", key, kept))
    return g.op("Concat", *found, axis=1)


def _part(g: GraphBuilder, x: str, start: int, end: int | None = None) -> str:
    """Columns of x [N, ...]."""
    stop = np.iinfo(np.int64).max if end is None else end
    return g.op("Slice", x, *(g.constant([value], np.int64) for value in (start, stop, 1)))
