"""Which features a text column of a table might give: its length, single words, and what all its words say."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bottega.data.table_features import BY_WORDS, MadeFeature
from bottega.data.table_words import TextEncoding

__all__ = ["TextPlace", "of_texts", "text_places"]

Floats = npt.NDArray[np.float32]
MOST_WORDS = 100  # of a column that are tried one by one: those that most of the rows have
FEWEST_ROWS = 10  # that have a word, and that don't


@dataclass(frozen=True)
class TextPlace:
    """A text column of the encoded matrix.

    Attributes:
        start: of its columns; the number of words stands there, the numbers of the words behind it.
        length: T, how many of these there are.
        words: by number, from 1.
    """

    name: str
    start: int
    length: int
    words: tuple[str, ...]

    @property
    def columns(self) -> tuple[int, ...]:
        """Those with the numbers of words."""
        return tuple(range(self.start + 1, self.start + 1 + self.length))


def text_places(texts: Sequence[TextEncoding], n_seen: int) -> tuple[TextPlace, ...]:
    """Where each text stands behind the `n_seen` columns that models see."""
    starts = n_seen + np.cumsum([0, *(text.width for text in texts)])
    return tuple(
        TextPlace(text.name, start, text.length, text.words)
        for text, start in zip(texts, starts.tolist(), strict=False)
    )


def of_texts(texts: Sequence[TextPlace], x: Floats, target: str, classes: Sequence[str]) -> Iterator[MadeFeature]:
    """Ideas for each text.

    Args:
        x: (N, D) encoded training rows.
        target: name of what is predicted.
        classes: whose shares are told, by class index; a name is "" where it is not wanted. () for values.
    """
    for text in texts:
        yield MadeFeature("number of words", (text.start,), f"number of words in {text.name}")
        wanted = [(number, f"{target} = {label}") for number, label in enumerate(classes) if label]
        for number, what in wanted if classes else [(-1, target)]:
            words = f"what the words of {text.name} say of {what}"
            yield MadeFeature(BY_WORDS, text.columns, words, float(number), n_codes=1 + len(text.words))
        n_rows = np.bincount(x[:, list(text.columns)].astype(np.int64).ravel(), minlength=1 + len(text.words))[1:]
        common = np.argsort(-n_rows, kind="stable")[:MOST_WORDS]
        for word in common[(n_rows[common] >= FEWEST_ROWS) & (n_rows[common] <= len(x) - FEWEST_ROWS)].tolist():
            words = f"whether {text.name} has the word {text.words[word]!r}"
            yield MadeFeature("has word", text.columns, words, float(word + 1))
