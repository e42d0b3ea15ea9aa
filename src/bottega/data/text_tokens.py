"""Texts as rows of whole numbers, one for each word and sign in their order: what networks of texts read.

The same nodes number the tokens of training texts and, in the file that ships, those of new ones.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from onnx import TensorProto

from bottega.data.graph import GraphBuilder
from bottega.data.text_characters import TextPreparation
from bottega.data.text_terms import PAIR, add_places, add_words, pair_keys

__all__ = [
    "MAX_TOKENS",
    "MAX_WORDS",
    "N_SPECIAL_TOKENS",
    "PADDING",
    "UNKNOWN",
    "Vocabulary",
    "add_known",
    "add_tokens",
    "fit_vocabulary",
    "token_keys_graph",
    "tokens_graph",
]

Integers = npt.NDArray[np.int64]
PADDING, UNKNOWN = 0, 1  # behind the end; a word that training texts don't have
N_SPECIAL_TOKENS = 2
MIN_TEXTS = 2  # a word of one text teaches nothing about others
MAX_WORDS = 20_000  # the most frequent have a number of their own
MAX_PAIRS = 20_000
MAX_TOKENS = 256  # of a text; what follows isn't read


@dataclass(frozen=True)
class Vocabulary:
    """The words that have numbers, and pairs of them where they are wanted.

    Attributes:
        keys: (K,) of words, as `data.text_terms` names them; word i has the number i + 2.
        pairs: (P,) keys of pairs of numbers, see `pair_keys`; pair i has the number i + 2 + K.
        length: tokens of a text that are read.
    """

    keys: Integers
    pairs: Integers
    length: int

    @property
    def n_tokens(self) -> int:
        """How many numbers a token may have."""
        return N_SPECIAL_TOKENS + len(self.keys) + len(self.pairs)


def fit_vocabulary(keys: Iterable[Integers], *, pairs: bool) -> Vocabulary:
    """Number the words of training texts, the most frequent first.

    Args:
        keys: (n, W) keys of words and signs, chunk by chunk.
    """
    chunks = [chunk[:, :MAX_TOKENS] for chunk in keys]
    words = _frequent(chunks, MAX_WORDS)
    longest = max((int((chunk != 0).sum(1).max()) for chunk in chunks if chunk.size), default=1)
    known = Vocabulary(words, words[:0], min(max(longest, 1), MAX_TOKENS))
    if not pairs or not len(words):
        return known
    both = []
    for chunk in chunks:
        number = _numbers(words, chunk)
        first, second = number[:, :-1], number[:, 1:]
        there = (first > 0) & (second > 0)
        both.append(np.where(there, pair_keys(first - 1, second - 1), 0))
    return Vocabulary(words, _frequent(both, MAX_PAIRS), known.length)


def add_tokens(g: GraphBuilder, prepared: TextPreparation, vocabulary: Vocabulary, codes: str) -> str:
    """Codes [N, L] -> tokens int64 [N, T], T at least 1; behind the words, where there are any, the pairs."""
    found = add_words(g, prepared, codes, signs=True)
    bounds = (g.constant([value], np.int64) for value in (0, vocabulary.length, 1))
    found = g.op("Slice", g.op("Pad", found, g.constant([0, 0, 0, 1], np.int64)), *bounds)
    there = g.op("Cast", g.op("Cast", found, to=TensorProto.BOOL), to=TensorProto.INT64)
    number = add_places(g, vocabulary.keys, np.arange(len(vocabulary.keys)) + 1, found, 0)
    words = g.op("Add", number, there)  # 0 behind the end, 1 for an unknown word, 2 and more for the others
    if not len(vocabulary.pairs):
        return words
    first, second = (_columns(g, number, *ends) for ends in ((0, -1), (1, np.iinfo(np.int64).max)))
    key = g.op("Add", g.op("Mul", first, g.constant(PAIR, np.int64)), second)
    start = N_SPECIAL_TOKENS + len(vocabulary.keys)
    pairs = add_places(g, vocabulary.pairs, np.arange(start, vocabulary.n_tokens), key, PADDING)
    return g.op("Concat", words, pairs, axis=1)


def add_known(g: GraphBuilder, tokens: str) -> str:
    """Whether a text has a word with a number of its own: tokens [N, T] -> bool [N]."""
    largest = g.op("ReduceMax", tokens, g.constant([1], np.int64), keepdims=0)
    return g.op("GreaterOrEqual", largest, g.constant(N_SPECIAL_TOKENS, np.int64))


def token_keys_graph(prepared: TextPreparation) -> bytes:
    """What words and signs are called: `codes` uint16 [N, L] -> `keys` int64 [N, W], 0 behind the end."""
    g = GraphBuilder()
    codes = g.op("Cast", g.input("codes", TensorProto.UINT16, ["N", "L"]), to=TensorProto.INT64)
    g.output(add_words(g, prepared, codes, signs=True), "keys", TensorProto.INT64, ["N", "W"])
    return g.model()


def tokens_graph(prepared: TextPreparation, vocabulary: Vocabulary) -> bytes:
    """`codes` uint16 [N, L] -> `tokens` int64 [N, T]."""
    g = GraphBuilder()
    codes = g.op("Cast", g.input("codes", TensorProto.UINT16, ["N", "L"]), to=TensorProto.INT64)
    g.output(add_tokens(g, prepared, vocabulary, codes), "tokens", TensorProto.INT64, ["N", "T"])
    return g.model()


def _columns(g: GraphBuilder, x: str, start: int, end: int) -> str:
    return g.op("Slice", x, *(g.constant([value], np.int64) for value in (start, end, 1)))


def _numbers(words: Integers, keys: Integers) -> Integers:
    """From 1 on, 0 for what has no number."""
    order = np.argsort(words)
    place = np.minimum(np.searchsorted(words, keys, sorter=order), len(words) - 1)
    return np.where(words[order[place]] == keys, order[place] + 1, 0)


def _frequent(chunks: Iterable[Integers], most: int) -> Integers:
    """Keys above 0 that enough texts have, the most frequent first."""
    rows = [np.unique(row[row > 0]) for chunk in chunks for row in chunk]
    if not rows:
        return np.zeros(0, np.int64)
    keys, counts = np.unique(np.concatenate(rows), return_counts=True)
    enough = counts >= MIN_TEXTS
    if not enough.any():
        enough = counts > 0
    keys, counts = keys[enough], counts[enough]
    return keys[np.argsort(-counts, kind="stable")[:most]]
