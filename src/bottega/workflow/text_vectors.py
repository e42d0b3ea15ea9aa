"""Word vectors as features of texts: which of a file's words the texts have, and the candidate that stands on them."""

import hashlib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from bottega.data.text_characters import TextPreparation
from bottega.data.text_codes import CodedTexts
from bottega.data.text_tokens import MAX_TOKENS, MAX_WORDS, Vocabulary
from bottega.errors import BottegaError
from bottega.evaluation.baselines import fit_majority
from bottega.evaluation.forms import Form, Graph, Softmax
from bottega.problem.records import Progress
from bottega.shipping.text_vectors import vector_features_graph, vector_scores_graph
from bottega.vectors.convert import open_vectors
from bottega.vectors.sources import located
from bottega.workflow.candidates import Setting
from bottega.workflow.features import engine
from bottega.workflow.text_features import CODES_AT_ONCE, character_codes, token_keys

__all__ = [
    "VECTORS",
    "VECTORS_AND_WORDS",
    "FoundWords",
    "KnownWords",
    "VectorHead",
    "find_words",
    "known_words",
    "vectors_sha256",
]

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]
Fitted = tuple[Setting, Form | None]
VECTORS, VECTORS_AND_WORDS = "word vectors", "word vectors and words"  # the candidates


@dataclass(frozen=True)
class FoundWords:
    """The words and signs of some texts, in lower case, that a file of vectors has.

    Attributes:
        name: of the file.
        rows: (K, D) the vector of each.
    """

    name: str
    words: tuple[str, ...]
    rows: Floats


@dataclass(frozen=True)
class KnownWords:
    """The same as networks read them: `keys` (K,) ascending, `rows` (K, D)."""

    keys: Integers
    rows: Floats


def vectors_sha256(path: str) -> str:
    """Of the file as it lies there.

    Raises:
        BottegaError: there is none.
    """
    place, _ = located(Path(path))
    with place.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def find_words(path: str, texts: Sequence[str], *, progress: Progress | None = None) -> FoundWords:
    """Look up the words of texts in a file of vectors.

    A word is one whatever its case: its vector is that of the form in lower case, else of the capitalised form, else
    of the one in capitals.

    Args:
        path: whatever `bottega words` reads.
    Raises:
        BottegaError: the file can't be read, or has no word of the texts.
    """
    file = open_vectors(path, progress=progress)
    found: dict[str, int] = {}
    for word in _words(texts):
        forms = (word, word.capitalize(), word.upper())
        row = next((row for form in forms if (row := file.vocabulary.row(form)) is not None), None)
        if row is not None:
            found[word] = row
    if not found:
        raise _nothing_shared(file.name)
    return FoundWords(file.name, tuple(found), file.rows(np.array([*found.values()])).astype(np.float32))


def known_words(found: FoundWords, prepared: TextPreparation) -> KnownWords:
    """Call words as the graph does; what it reads as several is left out.

    Raises:
        BottegaError: nothing is left.
    """
    keys = token_keys(character_codes(found.words, prepared), prepared)
    single = np.flatnonzero((keys != 0).sum(1) == 1)
    if not len(single):
        raise _nothing_shared(found.name)
    unique, first = np.unique(keys[single].max(1), return_index=True)
    return KnownWords(unique, found.rows[single[first]])


def _nothing_shared(name: str) -> BottegaError:
    return BottegaError(
        found=f"no word of the texts in {name}",
        expected="vectors of the language of the texts",
        fix="name other vectors, or leave --vectors out",
    )


def _words(texts: Sequence[str]) -> list[str]:
    """What may be words or signs of the texts, in lower case, sorted; the graph has the last word on each."""
    letters = {letter for text in texts for letter in text}
    apart = {ord(one): f" {one} " for one in letters if one != "_" and unicodedata.category(one)[0] not in "LMN"}
    return sorted({word for text in texts for word in text.translate(apart).lower().split()})


class Head(Protocol):
    """What fits a softmax layer."""

    def tune(self, x: Floats, y: Integers, x_val: Floats, y_val: Integers) -> Fitted:
        """The best strength on validation, and the layer."""

    def fit(self, x: Floats, y: Integers, setting: Setting) -> Softmax:
        """The layer again, on other rows."""


class Texts(Protocol):
    """What is known about the texts."""

    @property
    def prepared(self) -> TextPreparation:
        """How characters are numbered."""

    @property
    def n_classes(self) -> int:
        """How many."""

    @property
    def token_keys(self) -> Integers:
        """(N, W)."""


class VectorHead:
    """A softmax layer on the mean and the largest values of the vectors of a text's words.

    Args:
        known: words that have a vector; those that the rows have it is fitted on go into the file, the others are
            unknown to it.
    """

    def __init__(self, task: Texts, known: KnownWords, head: Head) -> None:
        self.task = task
        self.known = known
        self.head = head

    def tune(self, x: CodedTexts, y: Integers, x_val: CodedTexts, y_val: Integers) -> Fitted:
        """The best strength on validation, and what it gives."""
        if len(np.unique(y)) < 2:
            return {"strength": 1.0}, None
        vocabulary, vectors = self._read(x)
        seen, unseen = (self._features(some, vocabulary, vectors) for some in (x, x_val))
        setting, layer = self.head.tune(seen, y, unseen, y_val)
        if not isinstance(layer, Softmax):
            raise TypeError("tuning gave no layer")
        return setting, Graph(vector_scores_graph(self.task.prepared, vocabulary, vectors, layer))

    def fit(self, x: CodedTexts, y: Integers, setting: Setting) -> Form:
        """The same on other rows."""
        if len(np.unique(y)) < 2:
            return fit_majority(y, self.task.n_classes)
        vocabulary, vectors = self._read(x)
        layer = self.head.fit(self._features(x, vocabulary, vectors), y, setting)
        return Graph(vector_scores_graph(self.task.prepared, vocabulary, vectors, layer))

    def _read(self, x: CodedTexts) -> tuple[Vocabulary, Floats]:
        """The words of these texts that have a vector, the most frequent first."""
        keys = self.task.token_keys[x.rows][:, :MAX_TOKENS]
        place = np.minimum(np.searchsorted(self.known.keys, keys), len(self.known.keys) - 1)
        numbers = place[self.known.keys[place] == keys]
        counts = np.bincount(numbers, minlength=len(self.known.keys))
        kept = np.argsort(-counts, kind="stable")[: min(MAX_WORDS, int((counts > 0).sum()))]
        longest = int((keys != 0).sum(1).max(initial=1))
        return Vocabulary(self.known.keys[kept], self.known.keys[:0], longest), self.known.rows[kept]

    def _features(self, x: CodedTexts, vocabulary: Vocabulary, vectors: Floats) -> Floats:
        """(n, 2 D), by the operators that ship."""
        session = engine(vector_features_graph(self.task.prepared, vocabulary, vectors), threads=1)
        found = np.zeros((len(x), 2 * vectors.shape[1]), np.float32)
        for job in x.by_length(CODES_AT_ONCE):
            found[job] = session.run(None, {"codes": x[job].numbers()})[0]
        return found
