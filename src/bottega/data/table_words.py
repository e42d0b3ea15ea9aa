"""Text columns of a table as numbers: which of the known words a cell has, made by the operators that ship.

A cell becomes 1 + T numbers: how many words it has, then the number of each known word among its first T ones, each
once, 0 for none. What the words are worth is learned elsewhere, by each fit on its own rows (`data.word_scores`).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from onnx import TensorProto

from bottega.data.graph import GraphBuilder
from bottega.data.text_characters import (
    MAX_CHARACTERS,
    N_SPECIAL,
    TextPreparation,
    add_codes,
    fit_text_preparation,
    fold,
    is_letter,
)
from bottega.data.text_sums import letter_numbers, place_numbers
from bottega.data.text_terms import MAX_WORD, add_places, add_words

__all__ = ["TextEncoding", "add_word_numbers", "fit_text_column"]

FEWEST_ROWS = 2  # a word of one row teaches nothing about others
MOST_KNOWN = 5_000  # words of a column that have numbers: the most frequent
MOST_READ = 256  # words of a cell that are read
MOST_NUMBERS = 1 << 27  # of one column in all rows: 512 MB


@dataclass(frozen=True)
class TextEncoding:
    """How one column of texts is read.

    Attributes:
        name: of the column.
        letters: that have numbers of their own, as in `data.text_characters.TextPreparation`.
        words: known ones in small letters, the most frequent first; word i has the number i + 1.
        length: T, words of a cell that are read.

    Example:
        >>> fit_text_column("note", ["Old house", "old: an old barn", ""], n_rows=3).words
        ('old',)
    """

    name: str
    letters: str
    words: tuple[str, ...]
    length: int

    @property
    def width(self) -> int:
        """Columns of the encoded matrix."""
        return 1 + self.length

    @cached_property
    def keys(self) -> npt.NDArray[np.int64]:
        """(K,) what the operators call each word."""
        code = {letter: number for number, letter in enumerate(self.letters, N_SPECIAL)}
        letters, places = letter_numbers(N_SPECIAL + len(self.letters)), place_numbers(MAX_WORD)
        return np.array(
            [int((letters[[code[one] for one in word]] * places[: len(word)]).sum()) for word in self.words], np.int64
        )


def fit_text_column(name: str, cells: Sequence[str], *, n_rows: int) -> TextEncoding | None:
    """Number the words of training cells; nothing is learned about what they mean.

    Args:
        n_rows: of the whole table: of very many rows fewer words each are read, so that they stay within memory.
    Returns:
        None where no two cells share a word.
    """
    letters = fit_text_preparation(cells).letters
    signs = {ord(letter): " " for letter in letters if not is_letter(letter)}
    counts: Counter[str] = Counter()
    longest = 1
    for cell in cells:
        words = fold(cell[:MAX_CHARACTERS]).translate(signs).split()
        longest = max(longest, len(words))
        counts.update({word for word in words if len(word) <= MAX_WORD})
    common = sorted((word for word, n in counts.items() if n >= FEWEST_ROWS), key=lambda word: (-counts[word], word))
    known = set(letters)  # of tens of thousands of letters some have none
    common = [word for word in common if known.issuperset(word)][:MOST_KNOWN]
    length = max(1, min(longest, MOST_READ, MOST_NUMBERS // max(1, n_rows)))
    found = TextEncoding(name, letters, tuple(common), length)
    _, first = np.unique(found.keys, return_index=True)  # two words of one key are one: the more frequent names it
    kept = tuple(common[place] for place in sorted(first.tolist()))
    return TextEncoding(name, letters, kept, length) if kept else None


def add_word_numbers(g: GraphBuilder, column: TextEncoding, text: str) -> str:
    """Cells as numbers: string [N] -> float32 [N, 1 + T].

    Args:
        g: one whose models may use `com.microsoft`'s Tokenizer.
    """
    prepared = TextPreparation(column.letters)
    keys = add_words(g, prepared, add_codes(g, prepared, text))  # (N, W), 0 behind the end
    last = g.constant([1], np.int64)
    there = g.op("Cast", g.op("Cast", keys, to=TensorProto.BOOL), to=TensorProto.INT64)
    n_words = g.op("ReduceSum", there, last, keepdims=1)
    bounds = (g.constant([value], np.int64) for value in (0, column.length, 1))
    padded = g.op("Pad", keys, g.constant([0, 0, 0, column.length], np.int64))
    read = g.op("Slice", padded, *bounds)  # -> (N, T)
    number = add_places(g, column.keys, np.arange(len(column.words)) + 1, read, 0)
    once = g.op("Where", _repeats(g, column.length, number), g.constant(0, np.int64), number)
    return g.op("Cast", g.op("Concat", n_words, once, axis=1), to=TensorProto.FLOAT)


def _repeats(g: GraphBuilder, length: int, number: str) -> str:
    """Bool [N, T]: whether the same number stands further to the front."""
    own, other = (g.op("Unsqueeze", number, g.constant([axis], np.int64)) for axis in (2, 1))
    earlier = g.constant(np.tril(np.ones((length, length)), -1), np.bool_)
    same = g.op("Cast", g.op("And", g.op("Equal", own, other), earlier), to=TensorProto.FLOAT)  # (N, T, T)
    return g.op("Cast", g.op("ReduceMax", same, g.constant([2], np.int64), keepdims=0), to=TensorProto.BOOL)
