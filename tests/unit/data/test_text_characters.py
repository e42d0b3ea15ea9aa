import sys

import numpy as np
import pytest

from bottega.data.text_characters import (
    LETTER,
    MAX_CHARACTERS,
    N_SPECIAL,
    OTHER,
    PAD,
    SPACE,
    TextPreparation,
    codes_graph,
    fit_text_preparation,
    fold,
    is_letter,
)
from text_material import TORTURE, real_texts, run


def decoded(prepared: TextPreparation, row: np.ndarray) -> str:
    """A text again, from its codes; unknown letters are ?, other unknown signs are !."""
    names = {PAD: "", SPACE: " ", OTHER: "!", LETTER: "?"}
    return "".join(names.get(code) or prepared.letters[code - N_SPECIAL] for code in row.tolist() if code != PAD)


def spaced(text: str) -> str:
    return "".join(" " if character.isspace() else character for character in fold(text))


def test_codes_are_the_folded_characters_and_nothing_is_dropped() -> None:
    texts = [*TORTURE, *real_texts()[:200]]
    prepared = fit_text_preparation(texts)
    codes = run(codes_graph(prepared), text=texts)[0]
    assert [decoded(prepared, row) for row in codes] == [spaced(text) for text in texts]


def test_every_letter_of_every_script_folds_as_in_python() -> None:
    letters = "".join(map(chr, (n for n in range(33, 0x1F000) if not 0xD800 <= n < 0xE000 and chr(n).isalpha())))
    texts = [letters[start : start + 500] for start in range(0, len(letters), 5000)]
    prepared = fit_text_preparation(texts)
    codes = run(codes_graph(prepared), text=[*texts, *(text.upper()[:MAX_CHARACTERS] for text in texts)])[0]
    assert [decoded(prepared, row) for row in codes[: len(texts)]] == [fold(text) for text in texts]


@pytest.mark.parametrize(
    ("character", "code"),
    [
        *((letter, LETTER) for letter in ("q", "ǆ", "字", "\u093f", "7")),
        *((sign, OTHER) for sign in "%😀"),
        *((space, SPACE) for space in "\u2003\n"),
    ],
)
def test_unseen_characters_are_letters_signs_or_spaces(character: str, code: int) -> None:
    assert run(codes_graph(fit_text_preparation(["ab"])), text=[character])[0].tolist() == [[code]]


def test_a_batch_may_be_empty_or_hold_only_empty_texts() -> None:
    graph = codes_graph(fit_text_preparation(["ab"]))
    assert run(graph, text=[])[0].shape[0] == 0
    assert not run(graph, text=["", ""])[0].any()


def test_a_text_of_a_megabyte_is_cut_at_the_stated_length() -> None:
    graph = codes_graph(fit_text_preparation(["héllo wor "]))
    codes = run(graph, text=["héllo wor " * 100_000, "hé"])[0]
    assert codes.shape == (2, MAX_CHARACTERS)
    assert (codes[0] != PAD).all()
    assert codes[1, 2:].max() == PAD


def test_no_more_letters_than_numbers() -> None:
    prepared = fit_text_preparation([chr(n) for n in range(0x3400, sys.maxunicode) if chr(n).isalpha()])
    assert prepared.n_codes == 2**15


def test_words_of_scripts_that_write_vowels_as_marks_stay_whole() -> None:
    assert all(is_letter(character) for character in "हिन्दी")
