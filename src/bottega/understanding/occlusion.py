"""Which words a text's answer hangs on: each is taken out, and the model is asked again."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from bottega.data.text_characters import UNSPACED
from bottega.problem.understanding_records import WordEffect

__all__ = ["MAX_WORDS", "common_words", "text_words", "without", "words_of"]

MAX_WORDS = 200  # different ones of a text, from its beginning: each is a question more
FEWEST_TEXTS = 3  # that a word stands in: fewer are the matter of a single text

Numbers = NDArray[np.float64]
Ask = Callable[[list[str]], Numbers]
"""n texts to (n, n_classes) probabilities."""


def words_of(text: str) -> list[str]:
    """The different words of a text in the order in which they come, case folded.

    Of scripts without spaces two signs at a time stand for a word.

    Example:
        >>> words_of("Free entry! It's FREE.")
        ['free', 'entry', "it's"]
    """
    return list(dict.fromkeys(word.casefold() for word in _word().findall(text)))


def without(text: str, word: str) -> str:
    """The text with every occurrence of a word taken out, whatever its case.

    Example:
        >>> without("Free entry! It's FREE.", "free")
        " entry! It's ."
    """
    return _word().sub(lambda found: "" if found.group().casefold() == word else found.group(), text)


def text_words(ask: Ask, text: str, labels: Sequence[str]) -> tuple[WordEffect, ...]:
    """What each word of a text does to the answer that it gets, the largest change first.

    Args:
        ask: called with many texts at once.
        labels: of the classes, in the order of the probabilities.
    Returns:
        At most MAX_WORDS changes of the probability of the answer's label: positive for a word that speaks for it.
    Source: Zeiler and Fergus 2014 (occlusion); Li, Monroe and Jurafsky 2016, "Understanding neural networks through
        representation erasure".
    """
    words, answers = _taken_out(ask, text)
    said = int(np.argmax(answers[0]))
    changes = answers[0, said] - answers[1:, said]
    found = [WordEffect(word, labels[said], float(change), 1) for word, change in zip(words, changes, strict=True)]
    return tuple(sorted(found, key=lambda one: (-abs(one.change), one.word)))


def common_words(
    texts: Iterable[tuple[Ask, str]], labels: Sequence[str], *, tell: Callable[[int], None] = lambda _: None
) -> tuple[WordEffect, ...]:
    """The words that answers of many texts hang on: the mean change where they are taken out.

    Args:
        texts: each with whom to ask about it: what stands beside a text is the asker's matter.
        tell: called with the number of texts done.
    Returns:
        Words that stand in three texts or more, each with the label that it speaks for; the largest change first.
    """
    changes: dict[str, list[Numbers]] = defaultdict(list)
    for done, (ask, text) in enumerate(texts):
        words, answers = _taken_out(ask, text)
        for word, answer in zip(words, answers[1:], strict=True):
            changes[word].append(answers[0] - answer)
        tell(done + 1)
    found = []
    for word, gone in changes.items():
        mean = np.mean(gone, axis=0)
        if len(gone) >= FEWEST_TEXTS:
            for_ = int(np.argmax(mean))
            found.append(WordEffect(word, labels[for_], float(mean[for_]), len(gone)))
    return tuple(sorted(found, key=lambda one: (-one.change, one.word)))


def _taken_out(ask: Ask, text: str) -> tuple[list[str], Numbers]:
    """The words that are taken out, and (1 + words, n_classes) answers: as it is, and without each of them."""
    words = words_of(text)[:MAX_WORDS]
    return words, ask([text, *(without(text, word) for word in words)]).astype(np.float64)


@cache
def _word() -> re.Pattern[str]:
    """Letters with their marks, of which Python's own pattern for words makes gaps (in Hindi between all syllables)."""
    marks = "".join(sign for sign in map(chr, range(0x10000)) if unicodedata.category(sign)[0] == "M")
    letter = rf"(?:(?![{UNSPACED}])[\w{marks}])"
    return re.compile(rf"[{UNSPACED}]{{1,2}}|{letter}+(?:['\u2019-]{letter}+)*")
