"""The little language of word algebra: `Rome - Italy + 0.5*(France + "New York")`; docs/words.md has its grammar."""

import re
from dataclasses import dataclass
from typing import NoReturn

from bottega.errors import BottegaError

__all__ = ["ExpressionError", "Term", "parse"]

SIGNS = {"+": 1.0, "-": -1.0, "−": -1.0, "–": -1.0}  # the last two are what word processors make of a minus
MAX_LETTERS = 1000  # a chain of factors is read by recursion
MAX_DEPTH = 50
_NUMBER = re.compile(r"\d+(?:\.\d*)?|\.\d+")
_TOKEN = re.compile(r'"(?P<quoted>[^"]*)"|“(?P<curly>[^”]*)”|(?P<open>\()|(?P<plain>[^\s"“]+)')


@dataclass(frozen=True)
class Term:
    """One word of a question with the weight that signs, factors and parentheses give it.

    Attributes:
        word: as written, without quotes.
        weight: its factor.
        column: where it begins in the question, from 0.
    """

    word: str
    weight: float
    column: int


class ExpressionError(BottegaError):
    """A question that cannot be read, or holds an unknown word.

    Args:
        expression: the question as it was typed.
        column: where it goes wrong, from 0; the command line puts a caret there.
    """

    def __init__(self, *, expression: str, column: int, found: str, expected: str, fix: str) -> None:
        super().__init__(found=found, expected=expected, fix=fix, where=f"column {column + 1} of the question")
        self.expression = expression
        self.column = column


@dataclass(frozen=True)
class _Token:
    kind: str  # word | number | sign | times | open | close | end
    text: str
    column: int


def parse(expression: str) -> tuple[Term, ...]:
    """Read a question into words and weights, in the order in which they were written.

    Args:
        expression: words joined by `+` and `-` with spaces around them, numbers with `*`, parentheses, quoted phrases.
    Raises:
        ExpressionError: it cannot be read; `column` says where.

    Example:
        >>> [(term.word, term.weight) for term in parse("mother-in-law - 0.5*(woman + man)")]
        [('mother-in-law', 1.0), ('woman', -0.5), ('man', -0.5)]
    """
    if len(expression) > MAX_LETTERS:
        raise BottegaError(
            found=f"a question of {len(expression):,} letters",
            expected=f"at most {MAX_LETTERS:,}",
            fix="ask with fewer words",
        )
    parser = _Parser(expression, _tokens(expression))
    terms = parser.sum(1.0, 0)
    if parser.now.kind != "end":
        parser.refuse()
    return tuple(terms)


class _Parser:
    """Recursive descent, one method for each rule of the grammar."""

    def __init__(self, expression: str, tokens: list[_Token]) -> None:
        self.expression = expression
        self.tokens = tokens
        self.place = 0

    @property
    def now(self) -> _Token:
        return self.tokens[self.place]

    def take(self) -> _Token:
        self.place += 1
        return self.tokens[self.place - 1]

    def sum(self, weight: float, depth: int) -> list[Term]:
        """`[sign] product (sign product)*`."""
        sign = SIGNS[self.take().text] if self.now.kind == "sign" else 1.0
        terms = self.product(weight * sign, depth)
        while self.now.kind == "sign":
            terms += self.product(weight * SIGNS[self.take().text], depth)
        return terms

    def product(self, weight: float, depth: int) -> list[Term]:
        """`(number "*")* factor ("*" number)*`."""
        while self.now.kind == "number":
            weight *= float(self.take().text)
            if self.now.kind != "times":
                self.refuse("a * and a word after the number")
            self.take()
        terms = self.factor(weight, depth)
        while self.now.kind == "times":
            self.take()
            if self.now.kind != "number":
                self.refuse("a number after the *")
            factor = float(self.take().text)
            terms = [Term(term.word, term.weight * factor, term.column) for term in terms]
        return terms

    def factor(self, weight: float, depth: int) -> list[Term]:
        """A word, or a sum in parentheses."""
        if self.now.kind == "word":
            token = self.take()
            return [Term(token.text, weight, token.column)]
        if self.now.kind != "open" or depth >= MAX_DEPTH:
            self.refuse("a word" if depth < MAX_DEPTH else "fewer parentheses inside each other")
        self.take()
        terms = self.sum(weight, depth + 1)
        if self.now.kind != "close":
            self.refuse("+, - or a closing parenthesis")
        self.take()
        return terms

    def refuse(self, expected: str = "+ or - between two words") -> NoReturn:
        token = self.now
        found = {"end": "the question ends here", "word": f"the word {token.text!r}"}.get(token.kind, repr(token.text))
        fix = "write it as in: Rome - Italy + France"
        if token.kind == "word" and self.place and self.tokens[self.place - 1].kind == "word":
            pair = f"{self.tokens[self.place - 1].text} {token.text}"
            fix = f'put + or - between them, or quote a phrase: "{pair}"'
        if not self.expression.strip():
            found = "an empty question"
        raise ExpressionError(expression=self.expression, column=token.column, found=found, expected=expected, fix=fix)


def _tokens(expression: str) -> list[_Token]:
    tokens: list[_Token] = []
    place = 0
    while place < len(expression):
        if expression[place].isspace():
            place += 1
            continue
        match = _TOKEN.match(expression, place)
        if match is None:
            raise ExpressionError(
                expression=expression,
                column=place,
                found="a quotation mark that is never closed",
                expected='a second " after the phrase',
                fix='write it as in: "New York" - USA + France',
            )
        quoted = match["quoted"] if match["quoted"] is not None else match["curly"]
        if quoted is not None:
            tokens.append(_Token("word", quoted, place))
        elif match["open"]:
            tokens.append(_Token("open", "(", place))
        else:
            tokens += _plain(match["plain"], place)
        place = match.end()
    return [*_numbers(tokens), _Token("end", "", len(expression.rstrip()))]


def _plain(text: str, column: int) -> list[_Token]:
    """What stands between two spaces: a sign, a word, a number joined by `*`, closing parentheses at its end."""
    if text in SIGNS or text == "*":
        return [_Token("times" if text == "*" else "sign", text, column)]
    number = _NUMBER.match(text)
    n = number.end() if number else 0
    if text[n : n + 1] == "*":  # a factor before a word, a parenthesis or a quoted phrase; or `*2` behind one
        factor = [_Token("number", text[:n], column)] if n else []
        rest, after = text[n + 1 :], column + n + 1
        opening = [_Token("open", "(", after)] if rest.startswith("(") else []
        rest, after = rest[len(opening) :], after + len(opening)
        return [*factor, _Token("times", "*", column + n), *opening, *(_plain(rest, after) if rest else [])]
    closing = 0
    while closing < len(text) and text[len(text) - 1 - closing] == ")" and _is_unmatched(text[: len(text) - closing]):
        closing += 1
    word = text[: len(text) - closing]
    tokens = _times_after(word, column) if word else []
    return [*tokens, *(_Token("close", ")", column + len(word) + i) for i in range(closing))]


def _is_unmatched(text: str) -> bool:
    """Whether the last parenthesis closes none inside the word itself, as that of `Pan_(film)` does."""
    return text.count(")") > text.count("(")


def _times_after(word: str, column: int) -> list[_Token]:
    """`king*0.5` is a word and a factor."""
    head, star, tail = word.rpartition("*")
    if star and head and _NUMBER.fullmatch(tail):
        place = column + len(head)
        return [*_plain(head, column), _Token("times", "*", place), _Token("number", tail, place + 1)]
    return [_Token("word", word, column)]


def _numbers(tokens: list[_Token]) -> list[_Token]:
    """A number beside a `*` is a factor, any other is a word of the vocabulary, as years are."""
    kinds = ["", *(token.kind for token in tokens), ""]
    return [
        _Token("number", token.text, token.column)
        if token.kind == "word" and _NUMBER.fullmatch(token.text) and "times" in (kinds[i], kinds[i + 2])
        else token
        for i, token in enumerate(tokens)
    ]
