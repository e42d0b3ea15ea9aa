"""`words`: questions to word vectors, in one line each."""

import os
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from bottega.errors import BottegaError
from bottega.problem.records import Progress
from bottega.problem.words import Neighbour, VectorsFacts, WordsRecord
from bottega.vectors.algebra import Answer, Known, ask, cosines, find_words, odd_one_out
from bottega.vectors.convert import Precision, open_vectors
from bottega.vectors.expression import ExpressionError, Term
from bottega.vectors.vector_file import VectorFile

__all__ = ["ExpressionError", "Words", "facts_of", "refuse_seed", "respelled", "words"]

FEMALE = frozenset("she her hers herself woman women girl girls female mother daughter sister wife aunt queen".split())
MALE = frozenset("he him his himself man men boy boys male father son brother husband uncle king".split())
BIAS_NOTE = (
    "This sum moves a word from one gender to the other. What comes out repeats how the texts speak of women and men, "
    "and the rule that leaves out the question's words cannot answer with the word itself. "
    "Measure it: bottega words VECTORS --bias"
)


class Words:
    """Opened word vectors that can be asked again and again.

    Args:
        vectors: path of word2vec, GloVe or fastText `.vec` vectors (also `.gz`, `.zip`), or of a `.bottega` file.
        limit: keep the first words alone.
        precision: of the rows in the converted file.
        case_sensitive: take no other case where the exact form is missing.
        progress: called while the vectors are converted, which happens once.
    Raises:
        BottegaError: no such file, or one that cannot be read.

    Example:
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> rows = "Italy 1 0 0", "Rome 1 0 1", "France 0 1 0", "Paris 0 1 1", "sun 1 1 -1"
        >>> with TemporaryDirectory() as folder:
        ...     written = Path(folder, "vectors.txt").write_text("\\n".join(rows))
        ...     Words(Path(folder, "vectors.txt")).ask("Rome - Italy + France").answers[0].word
        'Paris'
    """

    def __init__(
        self,
        vectors: str | os.PathLike[str],
        *,
        limit: int | None = None,
        precision: Precision = "float32",
        case_sensitive: bool = False,
        progress: Progress | None = None,
    ) -> None:
        self.file: VectorFile = open_vectors(vectors, limit=limit, precision=precision, progress=progress)
        self.case_sensitive = case_sensitive

    def ask(self, question: str, *, k: int = 10) -> WordsRecord:
        """Answer a sum of words by 3CosAdd and 3CosMul, with and without the question's words."""
        _positive(k)
        answer = ask(self.file, question, k=k, case_sensitive=self.case_sensitive)
        return self._record(question, answer, [*_exclusion(answer), *_bias(answer)])

    def near(self, word: str, *, k: int = 10) -> WordsRecord:
        """The words nearest to one word or phrase."""
        _positive(k)
        answer = ask(self.file, [Term(word.strip(), 1.0, 0)], k=k, case_sensitive=self.case_sensitive)
        known = [one for one, _ in answer.words]
        return self._list(f"near {word}", answer.rules["cosadd"]["without"], known, "by cosine")

    def odd_one_out(self, text: str) -> WordsRecord:
        """The word of a list that fits the others least: the first answer."""
        known = self._known(text)
        if len({word.row for word in known}) < 3:
            raise BottegaError(
                found=f"{text!r}", expected="at least three different words", fix='as in "breakfast lunch car dinner"'
            )
        rule = "by cosine with the mean of them all, the lowest first"
        return self._list(f"odd one out of {text}", odd_one_out(self.file, known), known, rule)

    def similarity(self, first: str, second: str) -> WordsRecord:
        """The cosine of two words."""
        known = find_words(self.file, [Term(first, 1, 0), Term(second, 1, 0)], case_sensitive=self.case_sensitive)
        value = float(cosines(self.file, known)[0, 1])
        return self._list(
            f"similarity of {first} and {second}", [Neighbour(known[1].word, value)], known, "a cosine, from -1 to 1"
        )

    def between(self, first: str, second: str, *, k: int = 10) -> WordsRecord:
        """The words nearest to the middle of two, each as a unit vector."""
        _positive(k)
        terms = [Term(first, 1.0, 0), Term(second, 1.0, 0)]
        answer = ask(self.file, terms, k=k, case_sensitive=self.case_sensitive)
        return self._record(f"between {first} and {second}", answer)

    def complete(self, start: str) -> list[str]:
        """Words that begin so, for a prompt."""
        return self.file.vocabulary.complete(start)

    def _known(self, text: str) -> list[Known]:
        found = [(match[1] or match[0], match.start()) for match in re.finditer(r'"([^"]+)"|\S+', text)]
        terms = [Term(word, 1.0, column) for word, column in found]
        return find_words(self.file, terms, expression=text, case_sensitive=self.case_sensitive)

    def _record(self, question: str, answer: Answer, notes: Sequence[str] = ()) -> WordsRecord:
        answers = answer.rules["cosadd"]["without"]
        told = (*notes, *respelled([word for word, _ in answer.words]))
        return WordsRecord(question, answers, answer.rules, told, facts_of(self.file), answer.explained)

    def _list(self, question: str, answers: Sequence[Neighbour], known: Sequence[Known], rule: str) -> WordsRecord:
        notes = [rule, *respelled(known)]
        return WordsRecord(question, tuple(answers), {}, tuple(notes), facts_of(self.file))


def words(vectors: str | os.PathLike[str], question: str, *, k: int = 10, **keywords: Any) -> WordsRecord:
    """Ask word vectors one question, such as `Rome - Italy + France`.

    Args:
        vectors: path of the vectors; converted once, then only mapped.
        question: words with `+` and `-` between spaces, factors as in `0.5*king`, parentheses, quoted phrases.
        k: answers for each rule.
        keywords: as for `Words`: `limit`, `precision`, `case_sensitive`, `progress`.
    Returns:
        The record: `answers` by 3CosAdd without the question's words, and `rules` with all four lists.
    Raises:
        BottegaError: the vectors cannot be read, the question cannot be read, or holds an unknown word.
    """
    return Words(vectors, **keywords).ask(question, k=k)


def facts_of(file: VectorFile) -> VectorsFacts:
    """What a record says of the vectors."""
    dtype = {"<f4": "float32", "<f2": "float16"}[file.sections["rows"].dtype.str]
    return VectorsFacts(file.name, str(file.path), file.n_words, file.n_dims, dtype, tuple(file.card["notes"]))


def _positive(k: int) -> None:
    if not 1 <= k <= 10_000:
        raise BottegaError(found=f"{k} answers", expected="1 to 10,000", fix="-n 10")


def refuse_seed(seed: int) -> None:
    """What scikit-learn and gensim take no seed from."""
    if not 0 <= seed < 2**31:
        raise BottegaError(found=f"seed {seed}", expected=f"0 to {2**31 - 1:,}", fix="--seed 0")


def respelled(known: Sequence[Known]) -> list[str]:
    """What is said when another spelling was used."""
    changed = [f"{word.asked} → {word.word}" for word in known if word.asked != word.word]
    return [f"Not in the vocabulary as written: {', '.join(changed)}."] if changed else []


def _exclusion(answer: Answer) -> list[str]:
    """What leaving out the question's words did."""
    own = {word.word for word, _ in answer.words}
    named = {"cosadd": "3CosAdd", "cosmul": "3CosMul"}
    caught = [
        f"{named[rule]}: {sides['with'][0].word}"
        for rule, sides in answer.rules.items()
        if sides["with"][0].word in own
    ]
    if not caught:
        return []
    return [f"Without leaving out the question's own words the answer is one of them ({', '.join(caught)})."]


def _bias(answer: Answer) -> list[str]:
    """A note where a word is moved from one gender to the other."""
    weights = {word.word.casefold(): weight for word, weight in answer.words}
    female = [weight for word, weight in weights.items() if word in FEMALE]
    male = [weight for word, weight in weights.items() if word in MALE]
    others = len(weights) - len(female) - len(male)
    moved = any(np.sign(one) == -np.sign(other) for one in female for other in male)
    return [BIAS_NOTE] if moved and others else []
