"""The language of a text: right where it is said, unclear elsewhere."""

import pytest

from bottega.data.text_languages import LANGUAGES, UNCLEAR, language_of, language_shares


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("I would have liked it if they had not been so slow", "English"),
        ("Je ne suis pas content, mais la livraison est dans le salon", "French"),
        ("Ich bin nicht zufrieden, aber die Lieferung ist da", "German"),
        ("No estoy contento, pero la entrega ya está en el salón", "Spanish"),
        ("Não estou contente, mas a entrega já está na sala", "Portuguese"),
        ("Non sono contento, ma la consegna è già nel salone", "Italian"),
        ("Ik ben niet tevreden, maar de levering is er al", "Dutch"),
        ("Доставка пришла поздно", "Cyrillic script"),
        ("وصل الطرد متأخرا", "Arabic script"),
        ("包裹迟到了", "CJK script"),
        ("win 10 now", UNCLEAR),
        ("", UNCLEAR),
        ("😀 !!! 123", UNCLEAR),
    ],
)
def test_sentences_of_each_language(text: str, language: str) -> None:
    assert language_of(text) == language


def test_shares_are_of_all_texts() -> None:
    found = language_shares(["the cat is on the mat", "it was as it is", "le chat est sur la table", "hm"])
    assert found == {"English": 0.5, "French": 0.25, UNCLEAR: 0.25}
    assert language_shares([]) == {}


def test_no_word_is_listed_twice_in_a_language() -> None:
    for words in LANGUAGES.values():
        assert len(words.split()) == len(set(words.split()))
