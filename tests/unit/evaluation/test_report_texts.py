"""The mistakes of a report on texts: marked without colour alone, escaped, with what they resemble."""

from dataclasses import replace

from bottega.evaluation.evidence import Evidence, NearText, TextMistake, TextPart
from bottega.evaluation.report_texts import listed_texts

MISTAKE = TextMistake(
    parts=(TextPart("win", 0.3), TextPart("<b>now</b>", 0.04, space=True), TextPart("please", -0.2, space=True)),
    truth="ham",
    answer="spam",
    probability=0.91,
    name="row 7",
    flip=("win", "ham"),
    nearest=(NearText("win <i>more</i>", "spam", "row 9"),),
)
EVIDENCE = Evidence("messages", 100, noun="text", text_mistakes=(MISTAKE,))


def test_words_that_drove_a_mistake_are_marked_by_weight() -> None:
    page = listed_texts(EVIDENCE)
    assert '<mark class="strong" title="30 points less without it">win</mark>' in page
    assert '<mark class="weak"' in page
    assert "<mark" not in page.partition("please")[2]
    assert "falls by 2 points or more, without what is bold by 10" in page
    assert "Without “<bdi>win</bdi>” it would have said <b><bdi>ham</bdi></b>" in page


def test_everything_of_others_is_escaped() -> None:
    page = listed_texts(EVIDENCE)
    assert "&lt;b&gt;now&lt;/b&gt;" in page
    assert "&lt;i&gt;more&lt;/i&gt;" in page
    assert "<i>" not in page


def test_alike_texts_under_the_answer_are_pointed_out() -> None:
    assert "where it is labelled as it said" in listed_texts(EVIDENCE)
    other = replace(MISTAKE, nearest=(NearText("win", "ham", "row 9"),))
    assert "Nearest in training:" in listed_texts(replace(EVIDENCE, text_mistakes=(other,)))
    alone = replace(MISTAKE, nearest=())
    assert "No training text resembles it" in listed_texts(replace(EVIDENCE, text_mistakes=(alone,)))


def test_without_a_file_to_ask_nothing_is_said_about_words() -> None:
    plain = replace(MISTAKE, parts=tuple(replace(part, weight=0.0) for part in MISTAKE.parts), flip=None)
    page = listed_texts(replace(EVIDENCE, text_mistakes=(plain,)))
    assert "taken out" not in page
    assert "No single word" not in page


def test_a_mistake_that_no_word_drove_says_so_beside_others() -> None:
    plain = replace(MISTAKE, parts=(TextPart("hm", 0.001),), flip=None)
    assert "No single word drove it" in listed_texts(replace(EVIDENCE, text_mistakes=(MISTAKE, plain)))
    empty = replace(MISTAKE, parts=(), flip=None)
    assert "(an empty text)" in listed_texts(replace(EVIDENCE, text_mistakes=(MISTAKE, empty)))
