"""Questions about words: sums of their vectors under both rules, neighbours, the odd one out, what lies between."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bottega.errors import BottegaError
from bottega.problem.words import Explained, Neighbour
from bottega.vectors.expression import ExpressionError, Term, parse
from bottega.vectors.rules import CosAdd, CosMul, Rule
from bottega.vectors.scan import Hit, search
from bottega.vectors.vector_file import VectorFile

__all__ = ["Answer", "Known", "ask", "cosines", "find_words", "odd_one_out"]

Rules = dict[str, dict[str, tuple[Neighbour, ...]]]


@dataclass(frozen=True)
class Known:
    """A word of the question that the vocabulary has.

    Attributes:
        row: in the file.
        word: as the file spells it.
        asked: as the user did.
    """

    row: int
    word: str
    asked: str


@dataclass(frozen=True)
class Answer:
    """What a sum of words came to.

    Attributes:
        rules: `cosadd` and `cosmul`, each `without` and `with` the words of the question.
        words: the distinct words of the question with their weights.
        explained: what pulls each answer of 3CosAdd.
    """

    rules: Rules
    words: tuple[tuple[Known, float], ...]
    explained: tuple[Explained, ...]


def ask(file: VectorFile, question: str | Sequence[Term], *, k: int = 10, case_sensitive: bool = False) -> Answer:
    """Answer `Rome - Italy + France` by both rules, with and without the words of the question.

    Args:
        file: the vectors.
        question: an expression, or its terms.
        k: answers for each.
        case_sensitive: take no other case where the exact form is missing.
    Raises:
        ExpressionError: a question that cannot be read, or unknown words.
        BottegaError: the sum is zero, or a word has no direction.
    """
    terms = parse(question) if isinstance(question, str) else tuple(question)
    expression = question if isinstance(question, str) else " ".join(term.word for term in terms)
    known = find_words(file, terms, expression=expression, case_sensitive=case_sensitive)
    weights: dict[int, float] = {}
    for word, term in zip(known, terms, strict=True):
        weights[word.row] = weights.get(word.row, 0.0) + term.weight
    words = list({word.row: word for word in known}.values())
    asked = [word for word in words if weights[word.row] != 0]
    units = _directed(file, asked)
    w = np.array([weights[word.row] for word in asked])
    length = float(np.linalg.norm(w @ units)) if asked else 0.0
    if length <= 1e-6 * max(np.abs(w).sum(), 1e-300):
        raise BottegaError(
            found=f"{expression!r} comes to nothing: its words cancel each other",
            expected="a sum that points somewhere",
            fix="leave out what is added and taken away alike",
        )
    rules: dict[str, Rule] = {"cosadd": CosAdd(w, length), "cosmul": CosMul(w)}
    found = search(file, units, list(rules.values()), k + len(words))
    own = {word.row for word in words}
    shown = {name: _both(file, hits, own, k) for name, hits in zip(rules, found, strict=True)}
    without = [hit for hit in found[0] if hit.row not in own][:k]
    explained = tuple(_explained(file, hit, asked, units, w / length) for hit in without)
    return Answer(shown, tuple((word, weights[word.row]) for word in words), explained)


def find_words(
    file: VectorFile, terms: Sequence[Term], *, expression: str | None = None, case_sensitive: bool = False
) -> list[Known]:
    """Find each word: its exact form, else the one that differs in case alone, else a phrase joined by `_`.

    Raises:
        ExpressionError: some are unknown; the nearest spellings are named.
    """
    known = [_find(file, term.word, case_sensitive) for term in terms]
    unknown = {term.word: term for term, found in zip(terms, known, strict=True) if not isinstance(found, Known)}
    if unknown:
        first = min(unknown.values(), key=lambda term: term.column)
        names = ", ".join(repr(word) for word in list(unknown)[:5])
        found_variants = _find(file, first.word, case_sensitive)
        raise ExpressionError(
            expression=expression if expression is not None else first.word,
            column=first.column,
            found=f"{'the word' if len(unknown) == 1 else 'the words'} {names} {'is' if len(unknown) == 1 else 'are'} "
            f"not among the {file.n_words:,} words of {file.name}",
            expected="words that the vectors know",
            fix=_advice(file, first.word, found_variants if isinstance(found_variants, list) else []),
        )
    return [word for word in known if isinstance(word, Known)]


def cosines(file: VectorFile, words: Sequence[Known]) -> NDArray[np.float64]:
    """The cosine of each word with each other: (n, n)."""
    units = _directed(file, words)
    return units @ units.T


def odd_one_out(file: VectorFile, words: Sequence[Known]) -> list[Neighbour]:
    """The words by their cosine with the mean of all, the odd one first."""
    units = _directed(file, words)
    mean = units.mean(axis=0)
    length = float(np.linalg.norm(mean)) or 1.0
    scores = units @ mean / length
    return [Neighbour(words[i].word, float(scores[i])) for i in np.argsort(scores, kind="stable")]


def _find(file: VectorFile, word: str, case_sensitive: bool) -> Known | list[int]:
    """The word, or the rows of several case variants between which the user must choose."""
    vocabulary = file.vocabulary
    spellings = [word] if " " not in word else [word, word.replace(" ", "_"), word.replace(" ", "-")]
    for spelling in spellings:
        if (row := vocabulary.row(spelling)) is not None:
            return Known(row, vocabulary.word(row), word)
    variants = [row for spelling in spellings for row in vocabulary.variants(spelling)]
    if len(variants) == 1 and not case_sensitive:
        return Known(variants[0], vocabulary.word(variants[0]), word)
    return variants


def _advice(file: VectorFile, word: str, variants: list[int]) -> str:
    """What may have been meant."""
    vocabulary = file.vocabulary
    if not word.strip():
        return "name a word"
    if "*" in word:
        return "write a factor as a plain number: 0.5*king"
    if variants:
        return f"did you mean {_either([vocabulary.word(row) for row in variants[:5]])}?"
    for sign in ("-", "+", "−", "–"):
        parts = [part for part in word.split(sign) if part]
        if sign in word and parts and all(isinstance(_find(file, part, False), Known) for part in parts):
            spaced = f" {sign} ".join(parts)
            return f"put spaces around the {sign}: {sign + ' ' + spaced if word.startswith(sign) else spaced}"
    near = vocabulary.nearest(word)
    return f"did you mean {_either(near)}?" if near else "check the spelling, or use vectors of more words"


def _either(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _directed(file: VectorFile, words: Sequence[Known]) -> NDArray[np.float64]:
    """(n, D) unit vectors; a vector of zeros has no direction."""
    units = file.units(np.array([word.row for word in words], dtype=np.int64))
    for word, unit in zip(words, units, strict=True):
        if not unit.any():
            raise BottegaError(
                found=f"the vector of {word.word!r} is all zeros",
                expected="a word with a direction",
                fix="ask without it",
            )
    return units


def _both(file: VectorFile, hits: list[Hit], own: set[int], k: int) -> dict[str, tuple[Neighbour, ...]]:
    def shown(some: list[Hit]) -> tuple[Neighbour, ...]:
        return tuple(Neighbour(file.vocabulary.word(hit.row), hit.score) for hit in some[:k])

    return {"without": shown([hit for hit in hits if hit.row not in own]), "with": shown(hits)}


def _explained(
    file: VectorFile, hit: Hit, asked: Sequence[Known], units: NDArray[np.float64], shares: NDArray[Any]
) -> Explained:
    """The similarity split into what each word of the question adds or takes."""
    pulls = shares * (units @ file.units(np.array([hit.row]))[0])
    return Explained(
        file.vocabulary.word(hit.row),
        hit.score,
        {word.word: float(pull) for word, pull in zip(asked, pulls, strict=True)},
    )
