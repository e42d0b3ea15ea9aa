import pytest

from bottega.errors import BottegaError
from bottega.vectors.expression import ExpressionError, parse


def read(text):
    return [(term.word, term.weight) for term in parse(text)]


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("Rome - Italy + France", [("Rome", 1), ("Italy", -1), ("France", 1)]),
        ("Rome − Italy", [("Rome", 1), ("Italy", -1)]),  # the typographic minus
        ("mother-in-law + x", [("mother-in-law", 1), ("x", 1)]),
        ("0.5*king + queen*2", [("king", 0.5), ("queen", 2)]),
        ("0.5 * king", [("king", 0.5)]),
        ("2*(a - b) + c", [("a", 2), ("b", -2), ("c", 1)]),
        ("(a - (b - c))*2", [("a", 2), ("b", -2), ("c", 2)]),
        ('"New York" - USA', [("New York", 1), ("USA", -1)]),
        ('0.5*"New York"*3', [("New York", 1.5)]),
        ("2004 - 2003", [("2004", 1), ("2003", -1)]),  # numbers that nothing multiplies are words
        ("Pan_(film) + (x)", [("Pan_(film)", 1), ("x", 1)]),
        ("- man + king", [("man", -1), ("king", 1)]),
        ("東京 - 日本", [("東京", 1), ("日本", -1)]),
    ],
)
def test_what_is_read(text, terms):
    assert read(text) == terms


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("Rome - - Italy", 7, "found: '-' .*column 8"),
        ("Rome Italy", 5, r'quote a phrase: "Rome Italy"'),
        ("Rome -", 6, "the question ends here"),
        ("(a + b", 6, "a closing parenthesis"),
        ("a + b)", 5, r"found: '\)'"),
        ('a + "b', 4, "never closed"),
        ("a * b", 4, r"a number after the \*"),
        ("2*", 2, "expected: a word"),
        ("", 0, "an empty question"),
        ("   ", 0, "an empty question"),
        ("(" * 60 + "a" + ")" * 60, 50, "fewer parentheses"),
    ],
)
def test_what_cannot_be_read_is_shown_by_its_column(text, column, message):
    with pytest.raises(ExpressionError, match=message) as caught:
        parse(text)
    assert (caught.value.expression, caught.value.column) == (text, column)


def test_a_question_without_end_is_refused():
    with pytest.raises(BottegaError, match="at most 1,000"):
        parse("1*" * 5000 + "a")
    assert len(read("1*" * 490 + "a")) == 1


def test_columns_point_at_the_words():
    assert [term.column for term in parse('0.5*king - "New York"')] == [4, 11]
