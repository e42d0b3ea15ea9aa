"""Which words a text's answer hangs on: each is taken out, and the model is asked again."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from bottega.problem.understanding_records import WordEffect

__all__ = ["MAX_WORDS", "common_words", "text_words", "without", "words_of"]

MAX_WORDS = 200  # different ones of a text, from its beginning
FEWEST_TEXTS = 3  # that a word stands in: fewer are the matter of a single text
BATCH = 256

Numbers = NDArray[np.float64]
Ask = Callable[[list[str]], Numbers]
"""n texts to (n, n_classes) probabilities."""
_WORD = re.compile(r"\w+(?:['\u2019-]\w+)*")


def words_of(text: str) -> list[str]:
    """The different words of a text in the order in which they come, case folded.

    Example:
        >>> words_of("Free entry! It's FREE.")
        ['free', 'entry', "it's"]
    """
    return list(dict.fromkeys(word.casefold() for word in _WORD.findall(text)))[:MAX_WORDS]


def without(text: str, word: str) -> str:
    """The text with every occurrence of a word taken out, whatever its case.

    Example:
        >>> without("Free entry! It's FREE.", "free")
        " entry! It's ."
    """
    return _WORD.sub(lambda found: "" if found.group().casefold() == word else found.group(), text)


def text_words(ask: Ask, text: str, labels: Sequence[str]) -> tuple[WordEffect, ...]:
    """What each word of a text does to the answer that it gets, the largest change first.

    Returns:
        Changes of the probability of the answer's label: positive for a word that speaks for it.
    Source: Zeiler and Fergus 2014 (occlusion); Li, Monroe and Jurafsky 2016, "Understanding neural networks through
        representation erasure".
    """
    words = words_of(text)
    answers = _asked(ask, [text, *(without(text, word) for word in words)])
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
        words = words_of(text)
        answers = _asked(ask, [text, *(without(text, word) for word in words)])
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


def _asked(ask: Ask, texts: Sequence[str]) -> Numbers:
    return np.concatenate([ask(batch) for batch in _batches(texts)]).astype(np.float64)


def _batches(texts: Sequence[str]) -> Iterator[list[str]]:
    for start in range(0, len(texts), BATCH):
        yield list(texts[start : start + BATCH])
