"""The first step of every text model, as operators: strings in, one number for each character out.

Upper and lower case are one letter; nothing else is normalised, and nothing is dropped: white space, punctuation and
marks keep their places. The letters that were seen in training have numbers of their own, the others share two.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import TensorProto

from bottega.data.graph import OPSETS, GraphBuilder
from bottega.data.text_sums import MAX_LETTERS

__all__ = [
    "MAX_CHARACTERS",
    "N_SPECIAL",
    "PAD",
    "SPACE",
    "TextGraphBuilder",
    "TextPreparation",
    "UNSPACED",
    "add_characters",
    "add_codes",
    "codes_graph",
    "fit_text_preparation",
    "fold",
    "is_letter",
    "text_input",
]

PAD, SPACE, OTHER, LETTER = range(4)  # after the end; white space; an unknown sign; an unknown letter
N_SPECIAL = 4
MAX_CODES = MAX_LETTERS  # four of them fit into one int64
MAX_CHARACTERS = 10_000  # of a text; the rest is cut off, before it takes memory
PIECE = 1_000  # characters that one repetition of the engine's regular expressions may count
LAST_CASED = 0x20000  # no character from here on has another case
WORD_CHARACTER = r"[\pL\pM\pN_]"
UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff"  # scripts without spaces between words


class TextGraphBuilder(GraphBuilder):
    """A builder whose models may use `com.microsoft`'s Tokenizer, which each official ONNX Runtime has built in."""

    opsets = MappingProxyType({**OPSETS, "com.microsoft": 1})


@dataclass(frozen=True)
class TextPreparation:
    """The frozen state: the letters that have a number of their own, the most frequent first.

    Example:
        >>> prepared = fit_text_preparation(["Ab b", "B!"])
        >>> prepared.letters
        'b!a'
        >>> TextPreparation.from_json(prepared.to_json()) == prepared
        True
    """

    letters: str

    @property
    def n_codes(self) -> int:
        """How many numbers a character may have."""
        return N_SPECIAL + len(self.letters)

    @property
    def word_codes(self) -> npt.NDArray[np.int64]:
        """(n_codes,) 1 for what words are made of."""
        return np.array([0, 0, 0, 1, *map(is_letter, self.letters)], np.int64)

    @property
    def digits_alike(self) -> npt.NDArray[np.int64]:
        """(n_codes,) the code of each character, of every digit that of the most frequent one."""
        codes = np.arange(self.n_codes)
        digits = [code for code, letter in enumerate(self.letters, start=N_SPECIAL) if letter.isdecimal()]
        codes[digits] = min(digits, default=0)
        return codes

    def to_json(self) -> dict[str, Any]:
        """The state as it stands in the card."""
        return asdict(self)

    @classmethod
    def from_json(cls, state: dict[str, Any]) -> "TextPreparation":
        """The same state again."""
        return cls(**state)


def fit_text_preparation(texts: Iterable[str]) -> TextPreparation:
    """Number the letters of training texts.

    Example:
        >>> fit_text_preparation(["  "]).letters
        ''
    """
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(fold(text[:MAX_CHARACTERS]))
    letters = [letter for letter in counts if not letter.isspace()]
    letters.sort(key=lambda letter: (-counts[letter], letter))
    return TextPreparation("".join(letters[: MAX_CODES - N_SPECIAL]))


def fold(text: str) -> str:
    """One letter for each letter, whatever its case and its place in the word: the Python twin of the operators.

    Example:
        >>> fold("ΣΊΣΥΦΟΣ Straße İK")
        'σίσυφοσ straße ik'
    """
    return text.translate(_folding())


def is_letter(character: str) -> bool:
    """Whether words are made of it: letters, marks, numbers and the underscore, in any script.

    Example:
        >>> [is_letter(character) for character in "é_9-😀"] + [is_letter("\u093f")]
        [True, True, True, False, False, True]
    """
    return character == "_" or unicodedata.category(character)[0] in "LMN"


def text_input(g: GraphBuilder, names: Sequence[str] = ("text",)) -> str:
    """Declare the inputs of texts, string [N] each; several are joined, a line each, to one string [N]."""
    first, *others = (g.input(name, TensorProto.STRING, ["N"]) for name in names)
    for other in others:
        first = g.op("StringConcat", g.op("StringConcat", first, g.constant("\n")), other)
    return first


def add_characters(g: GraphBuilder, text: str) -> str:
    """Take texts apart: string [N] -> string [N + 1, L], "" after the end of each.

    The last row is a guard, a single space: without it a batch without rows, or of empty texts only, has no L.
    """
    guarded = g.op("Concat", text, g.constant([" "]), axis=0)
    pieces = g.op(
        "Tokenizer",
        guarded,
        domain="com.microsoft",
        mark=0,
        mincharnum=1,
        pad_value="",
        tokenexp=f"(?s).{{1,{PIECE}}}",
    )  # -> (N + 1, K); all but a text's last piece are whole
    first = [g.constant(value, np.int64) for value in ([0], [MAX_CHARACTERS // PIECE], [1])]
    kept = g.op("Slice", pieces, *first)
    parts = g.op(
        "Tokenizer", kept, domain="com.microsoft", mark=0, mincharnum=1, pad_value="", separators=[""]
    )  # -> (N + 1, K, characters of a piece)
    return g.op("Reshape", parts, g.constant([0, -1], np.int64))


def add_codes(g: GraphBuilder, prepared: TextPreparation, text: str) -> str:
    """Texts as numbers: string [N] -> int64 [N, L], 0 after the end of each."""
    characters = add_characters(g, text)
    keys, values = [""], [PAD]
    keys += _SPACES
    values += [SPACE] * len(_SPACES)
    for code, letter in enumerate(prepared.letters, start=N_SPECIAL):
        forms = [letter, *_unfolded().get(letter, ())]
        keys += forms
        values += [code] * len(forms)
    known = g.op(
        "LabelEncoder", characters, domain="ai.onnx.ml", keys_strings=keys, values_int64s=values, default_int64=-1
    )
    letter = g.op("Cast", g.op("RegexFullMatch", characters, pattern=WORD_CHARACTER), to=TensorProto.INT64)
    unknown = g.op("Add", letter, g.constant(OTHER, np.int64))
    codes = g.op("Where", g.op("Less", known, g.constant(0, np.int64)), unknown, known)
    ends = [g.constant(value, np.int64) for value in ([0], [-1], [0])]
    return g.op("Slice", codes, *ends)  # without the guard: (N + 1, L) -> (N, L)


def codes_graph(prepared: TextPreparation) -> bytes:
    """The first step alone: `text` string [N] -> `codes` uint16 [N, L]."""
    g = TextGraphBuilder()
    codes = g.op("Cast", add_codes(g, prepared, text_input(g)), to=TensorProto.UINT16)
    g.output(codes, "codes", TensorProto.UINT16, ["N", "L"])
    return g.model()


_SPACES = [chr(number) for number in range(0x3001) if chr(number).isspace()]


@cache
def _folding() -> dict[int, str]:
    """Each character that has a lower case -> that, as one character."""
    cased = {number: chr(number).lower()[0] for number in range(LAST_CASED) if chr(number).lower() != chr(number)}
    return {**cased, ord("ς"): "σ", ord("Σ"): "σ"}


@cache
def _unfolded() -> dict[str, tuple[str, ...]]:
    """Each lower-case letter -> the characters that become it."""
    found: dict[str, list[str]] = {}
    for number, letter in _folding().items():
        found.setdefault(letter, []).append(chr(number))
    return {letter: tuple(forms) for letter, forms in found.items()}
