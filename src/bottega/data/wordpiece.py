"""BERT's WordPiece as operators: strings in, numbers of word pieces out, equal to the reference tokenizer.

Three steps. Characters are looked up: what each becomes without case and accents, and whether it ends a word. What
remains is moved together into rows of symbols. From every symbol at once the longest piece that begins there is
looked up, length by length; then a word's first piece leads to its second, and so on, in seven doublings.

The pieces are looked up by sums, as the words of `data.text_terms` are: which piece is which is settled when the graph
is made, where two with one sum would be refused. `[CLS]` and its like in a text are read as they are written.

Source: Devlin et al. 2019, "BERT"; Schuster and Nakajima 2012 (WordPiece).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from onnx import TensorProto

from bottega.data.bert_characters import IDEOGRAPH, PRIVATE, ideographs, normalised, punctuation, removed
from bottega.data.graph import GraphBuilder
from bottega.data.text_characters import TextGraphBuilder, add_characters, text_input
from bottega.data.text_sums import letter_numbers, place_numbers

__all__ = ["MAX_PIECES", "Pieces", "add_known_pieces", "add_pieces", "known_pieces_graph", "pieces_graph"]

Integers = npt.NDArray[np.int64]
SPECIAL = ("[UNK]", "[CLS]", "[SEP]")  # pieces that say nothing of a text
MAX_PIECES = 128  # with [CLS] and [SEP]: what the sentence network was trained with
MAX_SYMBOLS = 2_048  # of a text that are looked at; 126 pieces have about 500
MAX_WORD = 100  # symbols; a longer word is [UNK], as in the reference
DOUBLINGS = 7  # 2^7 pieces, more than 100 symbols have
N_OUT = 3  # symbols that one character becomes at most
UNKNOWN = 0  # the symbol of every letter that no piece has
CONTINUES = 2**25  # added to the sum of a piece that continues a word, times the number of the first place


@dataclass(frozen=True)
class Pieces:
    """The vocabulary: pieces by number, those that continue a word with `##` before them."""

    names: tuple[str, ...]

    def number(self, name: str) -> int:
        """Of one piece."""
        return self.names.index(name)


@dataclass(frozen=True)
class _Row:
    """What one character becomes: symbols, and whether it ends the word before it, or also is one by itself."""

    symbols: tuple[int, ...]
    is_space: bool = False
    is_alone: bool = False


@dataclass(frozen=True)
class _Symbols:
    """Rows of symbols: `number` int64 [N, S]; `word` int64 [N, S]; `inside` bool [N, S], False behind the end."""

    number: str
    word: str
    inside: str


def pieces_graph(pieces: Pieces) -> bytes:
    """The tokenizer alone: `text` string [N] -> `pieces` int64 [N, T], 0 behind the end of each text."""
    g = TextGraphBuilder()
    g.output(add_pieces(g, pieces, text_input(g)), "pieces", TensorProto.INT64, ["N", "T"])
    return g.model()


def add_pieces(g: GraphBuilder, pieces: Pieces, text: str) -> str:
    """Numbers of the pieces of each text, [CLS] first and [SEP] last: string [N] -> int64 [N, T], T at most 128."""
    letters = sorted({letter for name in pieces.names for letter in _letters(name)})
    symbols = _add_symbols(g, {letter: number for number, letter in enumerate(letters, start=1)}, text)
    longest, length = _add_longest(g, pieces, letters, symbols)
    return _add_path(g, pieces, symbols, longest, length)


def known_pieces_graph(pieces: Pieces) -> bytes:
    """Which texts have a piece with a meaning: `text` string [N] -> `known` bool [N]."""
    g = TextGraphBuilder()
    g.output(add_known_pieces(g, pieces, add_pieces(g, pieces, text_input(g))), "known", TensorProto.BOOL, ["N"])
    return g.model()


def add_known_pieces(g: GraphBuilder, pieces: Pieces, found: str) -> str:
    """Whether a text has a piece with a meaning: numbers [N, T], as `add_pieces` gives them -> bool [N]."""
    known = g.op("Greater", found, g.constant(0, np.int64))
    for name in SPECIAL:
        other = g.op("Not", g.op("Equal", found, g.constant(pieces.number(name), np.int64)))
        known = g.op("And", known, other)
    any_known = g.op("ReduceMax", g.op("Cast", known, to=TensorProto.INT64), g.constant([1], np.int64), keepdims=0)
    return g.op("Cast", any_known, to=TensorProto.BOOL)


def _letters(name: str) -> str:
    return name[2:] if _continues(name) else name


def _continues(name: str) -> bool:
    return name.startswith("##") and len(name) > 2


def _is_special(name: str) -> bool:
    return name.startswith("[") and name.endswith("]") and len(name) > 2


def _add_symbols(g: GraphBuilder, symbols: dict[str, int], text: str) -> _Symbols:
    """What is left of the characters, moved together."""
    rows, keys, values = _table(symbols)
    characters = add_characters(g, text)  # (N + 1, C): the guard stays until the end
    row = g.op(
        "LabelEncoder", characters, domain="ai.onnx.ml", keys_strings=keys, values_int64s=values, default_int64=-1
    )
    for pattern, special in ((IDEOGRAPH, _ALONE), (PRIVATE, _NOTHING)):
        other = g.op("RegexFullMatch", characters, pattern=pattern)
        missing = g.op("Less", row, g.constant(0, np.int64))
        row = g.op("Where", g.op("And", other, missing), g.constant(rows.index(special), np.int64), row)
    row = g.op("Where", g.op("Less", row, g.constant(0, np.int64)), g.constant(rows.index(_LETTER), np.int64), row)
    axis = g.constant(1, np.int64)
    n_out = _look_up(g, [len(one.symbols) for one in rows], row)
    alone = _look_up(g, [one.is_alone for one in rows], row)
    ends = g.op("Add", alone, _look_up(g, [one.is_space for one in rows], row))
    word = g.op("Add", g.op("CumSum", ends, axis), g.op("CumSum", alone, axis, exclusive=1))
    after = g.op("CumSum", n_out, axis)
    place = g.op("Sub", after, n_out)
    total = g.op("ReduceMax", after, g.constant([1], np.int64), keepdims=1)  # (N + 1, 1)
    width = g.op(
        "Min", g.op("Reshape", g.op("ReduceMax", total, keepdims=0), _shape(g, 1)), g.constant([MAX_SYMBOLS], np.int64)
    )
    width = g.op("Max", width, g.constant([1], np.int64))
    wide = g.op("Concat", g.op("Shape", row, start=0, end=1), g.op("Add", width, g.constant([1], np.int64)), axis=0)
    number = words = g.op("Expand", g.constant(0, np.int64), wide)
    for k in range(N_OUT):
        to = g.op("Where", _more(g, n_out, k), g.op("Add", place, g.constant(k, np.int64)), width)
        to = g.op("Min", to, width)  # the last column takes what is not kept
        kept = _look_up(g, [one.symbols[k] if len(one.symbols) > k else 0 for one in rows], row)
        number = g.op("ScatterElements", number, to, kept, axis=1)
        words = g.op("ScatterElements", words, to, word, axis=1)
    at = g.op("Range", g.constant(0, np.int64), g.op("Squeeze", width), g.constant(1, np.int64))
    return _Symbols(_but_last(g, number), _but_last(g, words), g.op("Less", at, total))


_NOTHING, _SPACE = _Row(()), _Row((), is_space=True)
_LETTER, _ALONE = _Row((UNKNOWN,)), _Row((UNKNOWN,), is_alone=True)


def _table(symbols: dict[str, int]) -> tuple[list[_Row], list[str], list[int]]:
    """All different rows; the characters that have another than an unknown letter's, and the row of each."""
    rows = {row: number for number, row in enumerate((_NOTHING, _SPACE, _LETTER, _ALONE))}
    keys, values = [""], [rows[_NOTHING]]
    for number in range(0x30000):
        if 0xD800 <= number < 0xE000:  # halves of a pair are no characters
            continue
        row = _row(number, symbols)
        if row == (_ALONE if number in ideographs() else _LETTER):
            continue
        keys.append(chr(number))
        values.append(rows.setdefault(row, len(rows)))
    for number in (number for number in removed() if number >= 0x30000):
        keys.append(chr(number))
        values.append(rows[_NOTHING])
    return list(rows), keys, values


def _row(number: int, symbols: dict[str, int]) -> _Row:
    parts = normalised(number)
    if parts == " ":
        return _SPACE
    alone = number in ideographs() or any(ord(part) in punctuation() for part in parts)
    found = tuple(symbols.get(part, UNKNOWN) for part in parts)
    return _Row(found, is_alone=alone and bool(found)) if found else _NOTHING


def _add_longest(g: GraphBuilder, pieces: Pieces, letters: Sequence[str], symbols: _Symbols) -> tuple[str, str]:
    """The longest piece that begins at each symbol, 0 for none, and its length: int64 [N, S] each."""
    sums = _Sums(letters)
    by_length: dict[int, dict[int, int]] = {}
    for key, length, number in sums.keys(pieces):
        if by_length.setdefault(length, {}).setdefault(key, number) != number:
            raise ValueError(f"{pieces.names[number]!r} has the sum of another piece")
    reach = max(by_length)
    zero = g.constant(0, np.int64)
    first = _is_first(g, symbols)
    total = g.op("Where", first, zero, g.constant(sums.continues, np.int64))
    letter = g.op("Gather", g.constant(sums.letters, np.int64), symbols.number)
    padded = g.op("Pad", letter, g.constant([0, 0, 0, reach], np.int64))
    words = g.op("Pad", symbols.word, g.constant([0, 0, 0, reach], np.int64), g.constant(-1, np.int64))
    longest = found_length = g.op("Mul", symbols.number, zero)
    for place in range(reach):
        end = place - reach
        total = g.op(
            "Add", total, g.op("Mul", _columns(g, padded, place, end), g.constant(sums.places[place], np.int64))
        )
        if place + 1 not in by_length:
            continue
        found = by_length[place + 1]
        piece = g.op(
            "LabelEncoder",
            total,
            domain="ai.onnx.ml",
            keys_int64s=list(found),
            values_int64s=list(found.values()),
            default_int64=0,
        )
        together = g.op("Equal", _columns(g, words, place, end), symbols.word)
        longer = g.op("And", together, g.op("Greater", piece, zero))
        longest = g.op("Where", longer, piece, longest)
        found_length = g.op("Where", longer, g.constant(place + 1, np.int64), found_length)
    return longest, found_length


class _Sums:
    """Numbers of letters and places, and what continuing adds: sums of them are the keys of pieces."""

    def __init__(self, letters: Sequence[str]) -> None:
        self.index = {letter: number for number, letter in enumerate(letters, start=1)}
        self.letters = letter_numbers(len(letters) + 1)
        self.places = place_numbers(MAX_WORD)
        self.continues = CONTINUES * int(self.places[0])

    def keys(self, pieces: Pieces) -> Iterator[tuple[int, int, int]]:
        """Sum, length and number of each piece that a text can have."""
        for number, name in enumerate(pieces.names):
            if _is_special(name):
                continue
            parts = np.array([self.index[letter] for letter in _letters(name)])
            key = int((self.letters[parts] * self.places[: len(parts)]).sum())
            yield key + self.continues * _continues(name), len(parts), number


def _add_path(g: GraphBuilder, pieces: Pieces, symbols: _Symbols, longest: str, length: str) -> str:
    """Follow each word from piece to piece and number what is met: int64 [N, T]."""
    zero, one, axis = g.constant(0, np.int64), g.constant(1, np.int64), g.constant(1, np.int64)
    size = g.op("Shape", symbols.number, start=1, end=2)
    end = g.op("Squeeze", size)  # S, one column behind the last
    at = g.op("Range", zero, end, one)
    following = g.op("Min", g.op("Add", at, g.op("Max", length, one)), end)
    following = g.op(
        "Concat", following, g.op("Expand", end, _column(g, symbols.number)), axis=1
    )  # the end leads to itself
    first = g.op("And", _is_first(g, symbols), symbols.inside)
    none = g.op("Expand", zero, _column(g, symbols.number))
    met = g.op("Concat", g.op("Cast", first, to=TensorProto.INT64), none, axis=1)  # (N, S + 1)
    for _ in range(DOUBLINGS):
        met = g.op("ScatterElements", met, following, met, axis=1, reduction="max")
        following = g.op("GatherElements", following, following, axis=1)
    met = g.op("And", g.op("Greater", _but_last(g, met), zero), symbols.inside)
    missing = g.op("And", met, g.op("Equal", length, zero))
    failed = _any_in_word(g, symbols, first, missing)
    piece = g.op("Where", failed, g.constant(pieces.number("[UNK]"), np.int64), longest)
    kept = g.op("And", met, g.op("Or", first, g.op("Not", failed)))
    rank = g.op("CumSum", g.op("Cast", kept, to=TensorProto.INT64), axis)
    n = g.op(
        "Min", g.op("ReduceMax", rank, g.constant([1], np.int64), keepdims=1), g.constant(MAX_PIECES - 2, np.int64)
    )
    width = g.op("Add", g.op("ReduceMax", n, keepdims=0), g.constant(2, np.int64))  # T
    to = g.op("Where", kept, g.op("Min", rank, g.op("Sub", width, one)), g.op("Sub", width, one))
    to = g.op("Where", g.op("Greater", rank, n), g.op("Sub", width, one), to)  # cut off: under [SEP], or behind it
    rows = g.op("Shape", symbols.number, start=0, end=1)
    shape = g.op("Concat", rows, g.op("Reshape", width, _shape(g, 1)), axis=0)
    out = g.op("ScatterElements", g.op("Expand", zero, shape), to, piece, axis=1)
    column = g.op("Range", zero, width, one)
    out = g.op("Where", g.op("LessOrEqual", column, n), out, zero)
    out = g.op("Where", g.op("Equal", column, zero), g.constant(pieces.number("[CLS]"), np.int64), out)
    behind = g.op("Equal", column, g.op("Add", n, one))
    out = g.op("Where", behind, g.constant(pieces.number("[SEP]"), np.int64), out)
    ends = [g.constant(value, np.int64) for value in ([0], [-1], [0])]
    return g.op("Slice", out, *ends)  # without the guard


def _any_in_word(g: GraphBuilder, symbols: _Symbols, first: str, missing: str) -> str:
    """Whether a word has a symbol that no piece begins with, or more than 100 symbols: bool [N, S]."""
    axis, one = g.constant(1, np.int64), g.constant(1, np.int64)
    rank = g.op("CumSum", g.op("Cast", first, to=TensorProto.INT64), axis)  # number of the word, from 1
    size = g.op("Add", g.op("Shape", symbols.number), g.constant([0, 1], np.int64))
    none = g.op("Expand", g.constant(0, np.int64), size)
    bad = g.op("ScatterElements", none, rank, g.op("Cast", missing, to=TensorProto.INT64), axis=1, reduction="add")
    letters = g.op("Cast", symbols.inside, to=TensorProto.INT64)
    n_letters = g.op("ScatterElements", none, rank, letters, axis=1, reduction="add")
    too_long = g.op("GreaterOrEqual", n_letters, g.constant(MAX_WORD + 1, np.int64))
    bad = g.op("Or", g.op("GreaterOrEqual", bad, one), too_long)
    return g.op("GatherElements", bad, rank, axis=1)


def _is_first(g: GraphBuilder, symbols: _Symbols) -> str:
    """Whether a symbol begins a word: bool [N, S]."""
    before = g.op("Pad", symbols.word, g.constant([0, 1, 0, -1], np.int64), g.constant(-1, np.int64))
    return g.op("Not", g.op("Equal", before, symbols.word))


def _look_up(g: GraphBuilder, values: Sequence[int], index: str) -> str:
    return g.op("Gather", g.constant(np.array(values, np.int64), np.int64), index)


def _more(g: GraphBuilder, n: str, k: int) -> str:
    return g.op("Greater", n, g.constant(k, np.int64))


def _shape(g: GraphBuilder, *sizes: int) -> str:
    return g.constant(sizes, np.int64)


def _column(g: GraphBuilder, x: str) -> str:
    """The shape of one column of x [N, S]."""
    return g.op("Concat", g.op("Shape", x, start=0, end=1), g.constant([1], np.int64), axis=0)


def _columns(g: GraphBuilder, x: str, start: int, end: int) -> str:
    return g.op("Slice", x, *(g.constant([value], np.int64) for value in (start, end, 1)))


def _but_last(g: GraphBuilder, x: str) -> str:
    return _columns(g, x, 0, -1)
