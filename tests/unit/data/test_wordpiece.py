"""On a vocabulary of a few pieces, against the algorithm as its paper tells it; the real one: tests/contract."""

import itertools

import pytest

from bottega.data.bert_characters import normalised, punctuation
from bottega.data.wordpiece import MAX_PIECES, Pieces, known_pieces_graph, pieces_graph
from text_material import TORTURE, real_texts, run

NAMES = "[PAD] [UNK] [CLS] [SEP] un ##aff ##able affable the ##e ##r ##re a ##a b ##b ##abababab , . ! # 世 e é x ##x"
PIECES = Pieces(tuple(NAMES.split()))
GRAPH = pieces_graph(PIECES)
PAD, UNK, CLS, SEP = range(4)


def reference(text: str) -> list[int]:
    """Greedy longest match from the left."""
    letters = "".join(normalised(ord(character)) if character not in "世你" else f" {character} " for character in text)
    separated = "".join(f" {letter} " if ord(letter) in punctuation() else letter for letter in letters)
    found = list(itertools.chain.from_iterable(split(word) for word in separated.split()))
    return [CLS, *found[: MAX_PIECES - 2], SEP]


def split(word: str) -> list[int]:
    numbers, start = [], 0
    while start < len(word):
        for end in range(len(word), start, -1):
            piece = word[start:end] if start == 0 else "##" + word[start:end]
            if piece in PIECES.names:
                numbers.append(PIECES.names.index(piece))
                start = end
                break
        else:
            return [UNK]
    return numbers if len(word) <= 100 else [UNK]


def read(texts: list[str]) -> list[list[int]]:
    return [[number for number in row if number != PAD] for row in run(GRAPH, text=texts)[0].tolist()]


@pytest.mark.parametrize("text", [
    "unaffable", "UNAFFABLE!", "the there thé", "abababababab", "un aff able", "x" * 100, "x" * 101, "a,b", ",",
    "世a世", "  ", "", "unaffablez a", "a" * 99, "ab" * 50, "ab" * 51, "\u0301a\u0301", "[CLS] #a", "a\x00b",
    "a b " * 100,
])  # fmt: skip
def test_pieces_are_the_greedy_longest_ones(text: str) -> None:
    assert read([text]) == [reference(text)]


def test_a_row_does_not_depend_on_its_batch() -> None:
    texts = [*TORTURE[::2], *real_texts()[:10]]
    assert read(texts) == [read([text])[0] for text in texts]


def test_only_what_the_stated_length_allows_is_read() -> None:
    pieces = run(GRAPH, text=["the " * 250_000, "a"])[0]
    assert pieces.shape == (2, MAX_PIECES)
    assert pieces[0, 0] == CLS
    assert pieces[0, -1] == SEP


def test_a_batch_may_be_empty_or_hold_only_empty_texts() -> None:
    assert run(GRAPH, text=[])[0].shape[0] == 0
    assert run(GRAPH, text=["", ""])[0].tolist() == [[CLS, SEP]] * 2


def test_a_text_that_gives_no_piece_is_told() -> None:
    texts = ["", " ", "\x00", "éé", NAMES.split()[-1].removeprefix("##"), "[SEP]"]
    expected = [any(number > SEP for number in row) for row in read(texts)]
    assert run(known_pieces_graph(PIECES), text=texts)[0].tolist() == expected
    assert expected[:2] == [False, False]


def test_two_pieces_with_one_sum_are_refused() -> None:
    with pytest.raises(ValueError, match="'ab' has the sum of another piece"):
        pieces_graph(Pieces(("[UNK]", "[CLS]", "[SEP]", "ab", "ab")))


def test_the_graph_is_the_same_every_time() -> None:
    assert pieces_graph(PIECES) == GRAPH
