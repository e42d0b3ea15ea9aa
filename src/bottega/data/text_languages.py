"""In which language texts are written, guessed from the commonest words of some languages of the Latin script.

Only to be told: nothing is decided by it. A text that has too few such words, or is in another language, is unclear;
of other scripts the script is told, which several languages may share.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterable

from bottega.data.text_characters import fold, is_letter

__all__ = ["LANGUAGES", "UNCLEAR", "language_of", "language_shares"]

UNCLEAR = "unclear"
READ = 500  # characters
LANGUAGES = {
    "English": "the of and a to in is that it for was on are as with this be at by not you i have my but they me so "
    "what your just we if he she do like from or an his her will all there been has would when who up out no u im t s",
    "French": "le la les de des et en un une du que qui est pas pour dans je sur au ce il elle avec nous vous sont "
    "mais plus ne se tu cette ses aux par leur mon ton c d l j n s qu être fait tout comme ça on",
    "German": "der die das und ist in zu den nicht von mit sich des auf für ein eine dem es ich sie er wir wie auch "
    "aus als an war hat bei nach wird noch nur oder aber um am im zum zur du mich mir",
    "Spanish": "el la los las de que y en un una por con no para es se lo del su al como más pero me si ya muy mi este "
    "esta te le son qué hay ser yo todo está fue cuando sin sobre también",
    "Portuguese": "o a os as de que e do da em um uma para com não é por no na se mais foi eu mas você dos tem meu "
    "muito isso ao das à pra só vai nos minha ele ela quando ser está já como",
    "Italian": "il la le di che e un una per in non è sono con del della si lo gli al anche come ma mi ho questo più i "
    "da dei nel alla ha se ci io ti cosa tutto molto perché",
    "Dutch": "de het een en van ik te dat die in is niet zijn op met voor aan er om hij ze maar ook bij wat naar als "
    "je nog was dan heb mijn wel deze uit kan over we",
}
LEAST, LEAD = 1.0, 0.5  # of the votes; a word that several languages share is a part of a vote for each
_VOTES: dict[str, dict[str, float]] = {}
for _language, _words in LANGUAGES.items():
    for _word in _words.split():
        _VOTES.setdefault(_word, {})[_language] = 1.0
for _shared in _VOTES.values():
    for _language in _shared:
        _shared[_language] = 1.0 / len(_shared)


def language_of(text: str) -> str:
    """The language of one text, by its beginning.

    Example:
        >>> language_of("The cat is on the mat"), language_of("ok 17"), language_of("Привет, мир")
        ('English', 'unclear', 'Cyrillic script')
    """
    text = fold(text[:READ])
    letters = Counter(unicodedata.name(one, UNCLEAR).split()[0] for one in text if one.isalpha())
    if letters and letters.most_common(1)[0][0] != "LATIN":
        script = letters.most_common(1)[0][0]
        return f"{script if script == 'CJK' else script.capitalize()} script"
    votes: dict[str, float] = {}
    for word in "".join(one if is_letter(one) else " " for one in text).split():
        for language, share in _VOTES.get(word, {}).items():
            votes[language] = votes.get(language, 0.0) + share
    ranked = sorted(votes.items(), key=lambda item: -item[1])[:2]
    if not ranked or ranked[0][1] < LEAST:
        return UNCLEAR
    return ranked[0][0] if len(ranked) < 2 or ranked[0][1] - ranked[1][1] >= LEAD else UNCLEAR


def language_shares(texts: Iterable[str]) -> dict[str, float]:
    """Share of the texts by language, the largest first."""
    counts = Counter(map(language_of, texts))
    total = max(1, counts.total())
    return {language: round(n / total, 4) for language, n in counts.most_common()}
