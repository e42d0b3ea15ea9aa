"""Words that are taken out, of a model that counts known words."""

import numpy as np
import numpy.typing as npt
import pytest

from bottega.understanding.occlusion import MAX_WORDS, common_words, text_words, without, words_of


def ask(texts: list[str]) -> npt.NDArray[np.float64]:
    """'free' speaks for spam, 'mum' against it."""
    total = np.array([text.lower().count("free") - text.lower().count("mum") for text in texts], float)
    spam = 1 / (1 + np.exp(-total))
    return np.stack([1 - spam, spam], axis=1)


def test_the_word_that_matters_comes_first_with_the_loss_of_probability() -> None:
    found = text_words(ask, "A FREE phone, free for you", ("ham", "spam"))
    assert (found[0].word, found[0].label) == ("free", "spam")
    assert found[0].change == pytest.approx(1 / (1 + np.exp(-2)) - 0.5)  # both of them are gone at once
    assert [one.change for one in found[1:]] == [0.0] * 4


def test_a_word_against_the_answer_has_a_change_below_nothing() -> None:
    found = {one.word: one.change for one in text_words(ask, "free free free from mum", ("ham", "spam"))}
    assert found["free"] > 0 > found["mum"]


def test_over_many_texts_each_word_has_the_label_that_it_speaks_for() -> None:
    texts = [f"{word} number {i}" for i in range(4) for word in ("free", "mum")]
    found = common_words([(ask, text) for text in texts], ("ham", "spam"))
    assert {(one.word, one.label, one.n_texts) for one in found[:2]} == {("free", "spam", 4), ("mum", "ham", 4)}
    assert [one.word for one in found[2:]] == ["number"]  # the numbers stand in two texts each
    assert found[2].change == pytest.approx(0.0)


def test_words_in_any_script_and_with_apostrophes_are_whole() -> None:
    assert words_of("Don't — l'été, état-major! 東京 Don't") == ["don't", "l'été", "état-major", "東京"]
    assert without("état, ÉTAT, étatiste", "état") == ", , étatiste"
    assert words_of("") == []
    assert text_words(ask, "!!!", ("ham", "spam")) == ()
    assert text_words(ask, "", ("ham", "spam")) == ()


def test_marks_belong_to_their_letters_and_scripts_without_spaces_are_cut() -> None:
    assert words_of("हिन्दी दुनिया, e\u0301te\u0301") == ["हिन्दी", "दुनिया", "e\u0301te\u0301"]
    assert words_of("free我喜欢它") == ["free", "我喜", "欢它"]
    assert without("हिन्दी दुनिया", "हिन्दी") == " दुनिया"
    assert without("free我喜欢它", "我喜") == "free欢它"


def test_of_a_long_text_a_bounded_number_of_words_is_taken_out() -> None:
    asked: list[int] = []

    def counted(texts: list[str]) -> npt.NDArray[np.float64]:
        asked.append(len(texts))
        return ask(texts)

    found = text_words(counted, " ".join(f"w{i}" for i in range(5 * MAX_WORDS)), ("ham", "spam"))
    assert {one.word for one in found} == {f"w{i}" for i in range(MAX_WORDS)}
    assert asked == [MAX_WORDS + 1]
