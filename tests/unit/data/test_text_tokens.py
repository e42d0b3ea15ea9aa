"""Tokens as networks read them: words and signs in their order, numbered by what training texts have."""

import re

import numpy as np

from bottega.data.text_characters import fit_text_preparation, fold, is_letter
from bottega.data.text_tokens import MAX_TOKENS, UNKNOWN, fit_vocabulary
from bottega.workflow.text_features import character_codes, numbered_tokens, token_keys
from text_material import TORTURE, real_texts


def cut(text):
    """The Python twin of the operators."""
    words, word = [], ""
    for letter in fold(text):
        if is_letter(letter):
            word += letter
            continue
        words += [word] * bool(word) + [letter] * (not re.match(r"[\s\x00]", letter))
        word = ""
    return words + [word] * bool(word)


def numbered(texts, fitted_on, *, pairs=False):
    prepared = fit_text_preparation(fitted_on)
    vocabulary = fit_vocabulary([token_keys(character_codes(fitted_on, prepared), prepared)], pairs=pairs)
    return vocabulary, numbered_tokens(character_codes(texts, prepared), prepared, vocabulary)


def test_words_and_signs_are_told_apart():
    texts = real_texts()
    _, tokens = numbered(texts, texts)
    number_of = {}
    for text, row in zip(texts, tokens, strict=True):
        words = cut(text)[:MAX_TOKENS]
        assert (row > 0).sum() == len(words)
        for word, number in zip(words, row, strict=False):
            if number != UNKNOWN:
                assert number_of.setdefault(word, number) == number
    assert len(set(number_of.values())) == len(number_of)


def test_what_training_lacks_is_unknown_and_awkward_texts_have_as_many_tokens_as_they_should():
    vocabulary, tokens = numbered(["ab ab!", "ab, cd", "AB cd", "new words!"], ["ab ab!", "ab, cd", "ab cd"])
    assert tokens[:, :3].tolist() == [[2, 2, 1], [2, 1, 3], [2, 3, 0], [1, 1, 1]]
    assert vocabulary.n_tokens == 4
    _, tokens = numbered(list(TORTURE), real_texts())
    assert tokens[TORTURE.index(" ")].tolist() == [0] * tokens.shape[1]
    assert (tokens[TORTURE.index("don't!!!...")] > 0).sum() == 9


def test_pairs_stand_behind_the_words():
    texts = ["a b c", "a b d", "c b a", "c b"]
    vocabulary, tokens = numbered(texts, texts, pairs=True)
    assert len(vocabulary.pairs) == 2
    words, pairs = tokens[:, :3], tokens[:, 3:]
    start = 2 + len(vocabulary.keys)
    assert sorted(np.unique(pairs[pairs > 0])) == [start, start + 1]
    assert pairs[0, 0] == pairs[1, 0] >= start
    assert pairs[2, 0] == pairs[3, 0] >= start
    assert words.max() < start


def test_the_rest_of_a_long_text_is_not_read():
    _, tokens = numbered(["word " * 1000], ["word " * 1000, "word"])
    assert (tokens > 0).sum() == MAX_TOKENS
