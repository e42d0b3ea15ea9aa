from collections.abc import Callable
from dataclasses import replace

import pytest

from bottega.data.text_checks import require_trainable_texts, text_suspects
from bottega.data.texts import TextSet, digests, text_groups
from bottega.errors import BottegaError
from text_material import made_up_texts


def texts(n: int = 200) -> TextSet:
    said, labels = made_up_texts(n)
    names = tuple(f"row {i + 2}" for i in range(n))
    return TextSet("made-up", tuple(said), tuple(labels), (None,) * n, names, ("said",), "label", "CSV")


def changed(found: TextSet, at: dict[int, str]) -> TextSet:
    return replace(found, texts=tuple(at.get(i, text) for i, text in enumerate(found.texts)))


def marked(found: TextSet, label: str, change: Callable[[int, str], str]) -> TextSet:
    """The texts of one class changed."""
    pairs = zip(found.texts, found.labels, strict=True)
    return replace(found, texts=tuple(change(i, text) if own == label else text for i, (text, own) in enumerate(pairs)))


def told(found: TextSet) -> dict[str, str]:
    suspects = text_suspects(found, text_groups(found.texts), digests(found.texts))
    return {one.kind: one.evidence for one in suspects}


def test_honest_texts_give_no_alarm() -> None:
    assert told(texts()) == {}


def test_a_label_word_in_each_text_is_a_leak() -> None:
    found = texts()
    evidence = told(marked(found, "praise", lambda _, text: f"praise: {text}"))["leak"]
    assert "the word 'praise' (the label itself) stands in 100 % of the texts of 'praise' and in 0 of the" in evidence


def test_a_word_that_other_classes_have_too_is_no_leak() -> None:
    found = marked(texts(), "praise", lambda _, text: f"Dear shop, {text}")
    assert "leak" in told(found)
    assert "leak" not in told(marked(found, "complaint", lambda i, text: text if i % 3 else f"Dear shop, {text}"))


def test_an_opening_that_half_of_a_class_shares_is_a_leak() -> None:
    said = told(marked(texts(), "praise", lambda i, text: f"Sent from desk: {text}" if i % 3 else text))["leak"]
    assert "the opening 'sent from desk' stands in" in said


def test_the_length_can_give_the_class_away() -> None:
    assert "alone tells" in told(marked(texts(), "praise", lambda _, text: text + " and so on" * 9))["shortcut"]


def test_one_text_under_two_labels_is_a_conflict() -> None:
    evidence = told(changed(texts(), {0: "The same text.", 1: "The  same text."}))["conflict"]
    assert evidence == "1 text stands under several labels: row 2 is 'complaint', row 3 is 'praise'"


def test_test_texts_that_training_has_are_told() -> None:
    found = changed(texts(), {0: "Call 123 now", 198: "call 456 NOW!"})
    parts = (None,) * 180 + ("test",) * 20
    assert "1 of 20 test texts (5.0 %) stand in train" in told(replace(found, parts=parts))["leak"]


def test_copies_empty_long_and_broken_texts_are_told() -> None:
    found = changed(
        texts(), {3: "Twice, as is.", 5: "Twice, as is.", 7: " ", 9: "x " * 6000, 11: "cafÃ© and â€™ so on"}
    )
    said = told(found)
    assert "1 of 200 texts repeat an earlier one" in said["duplicates"]
    assert said["empty"] == "1 of 200 texts are empty (row 9)"
    assert "1 text is longer than 10,000 characters, up to 12,000" in said["long"]
    assert "1 text looks wrongly decoded, as in 'Ã©' (row 13)" in said["encoding"]


def test_uneven_and_small_classes_are_told() -> None:
    found = texts()
    labels = tuple("rare" if i < 6 else "usual" for i in range(200))
    said = told(replace(found, labels=labels))
    assert "'usual' has 194 texts, 'rare' 6: always saying 'usual' is 97 % right" in said["imbalance"]
    assert "'rare' has 6 texts" in said["few"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"target": None}, r"texts without a target.*--target"),
        ({"labels": ("a",) * 200}, r"one class, 'a'.*at least two"),
        ({"labels": tuple(map(str, range(200)))}, r"200 different labels for 200 texts.*choose another --target"),
        ({"labels": (None,) * 190 + ("a", "b") * 5}, r"10 texts with a label.*at least 20"),
        ({"texts": (" ",) * 200}, r"only empty texts.*--text"),
        ({"texts": tuple(f"Room {i}!" for i in range(200))}, r"fewer than 5 different texts.*aren't copies"),
    ],
)
def test_what_no_training_can_use_is_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(BottegaError, match=f"(?s){message}"):
        require_trainable_texts(replace(texts(), **change))  # type: ignore[arg-type]
