"""Which words of a file of vectors texts have, whatever their script and case; and what is learned from them."""

from pathlib import Path

import numpy as np
import pytest

from bottega.data.text_characters import fit_text_preparation
from bottega.errors import BottegaError
from bottega.workflow.candidates import answer
from bottega.workflow.text_features import character_codes, term_counts, token_keys
from bottega.workflow.text_specs import CODES, TextTask, text_specs
from bottega.workflow.text_vectors import (
    VECTORS,
    VECTORS_AND_WORDS,
    FoundWords,
    KnownWords,
    find_words,
    known_words,
    vectors_sha256,
)
from text_material import made_up_texts
from word_material import as_text

SAID = ["Rome is WARM, isn't it!", "नमस्ते दुनिया, ROME", "NATO _x_ 東京"]
WORDS = ["rome", "Rome", "Warm", "NATO", "!", "नमस्ते", "isn't", "_x_", "absent", "is"]


def written(path: Path, words: list[str], n_dims: int = 4) -> tuple[str, np.ndarray]:
    rows = np.random.default_rng(0).normal(size=(len(words), n_dims)).astype(np.float32)
    path.write_bytes(as_text(words, rows))
    return str(path), rows


def test_words_are_found_in_any_script_and_case(tmp_path: Path) -> None:
    path, rows = written(tmp_path / "vectors.txt", WORDS)
    prepared = fit_text_preparation(SAID)
    found = known_words(find_words(path, SAID), prepared)
    wanted = ["rome", "Warm", "NATO", "!", "नमस्ते", "_x_", "is"]  # "rome" before "Rome"; "isn't" is three tokens
    keys = token_keys(character_codes(wanted, prepared), prepared).max(1)
    assert found.keys.tolist() == sorted(keys.tolist())
    for word, key in zip(wanted, keys.tolist(), strict=True):
        np.testing.assert_array_equal(found.rows[found.keys.tolist().index(key)], rows[WORDS.index(word)])


def test_vectors_of_another_language_are_refused(tmp_path: Path) -> None:
    path, _ = written(tmp_path / "vectors.txt", ["parola", "bottega", "un"])
    with pytest.raises(BottegaError, match=r"no word of the texts in vectors\.txt"):
        find_words(path, SAID)


def test_words_that_are_several_to_the_graph_are_no_help() -> None:
    found = FoundWords("vectors.txt", ("isn't",), np.ones((1, 2), np.float32))
    with pytest.raises(BottegaError, match=r"no word of the texts in vectors\.txt"):
        known_words(found, fit_text_preparation(SAID))


def test_the_hash_is_that_of_the_file(tmp_path: Path) -> None:
    path, _ = written(tmp_path / "vectors.txt", WORDS)
    before = vectors_sha256(path)
    assert before == vectors_sha256(path)
    Path(path).write_bytes(Path(path).read_bytes() + b"more 1 2 3 4\n")
    assert vectors_sha256(path) != before
    with pytest.raises(BottegaError, match="did you mean"):
        vectors_sha256(str(tmp_path / "vector.txt"))


def task_with(known: KnownWords | None) -> tuple[TextTask, np.ndarray]:
    texts, labels = made_up_texts(200)
    prepared = fit_text_preparation(texts)
    codes = character_codes(texts, prepared)
    y = np.array([label == "praise" for label in labels]).astype(np.int64)
    return TextTask(prepared, codes, term_counts(codes, prepared), 2, vectors=known, wanted="bag"), y


def test_only_words_of_the_fitted_texts_count() -> None:
    task, y = task_with(None)
    keys = np.unique(task.token_keys[task.token_keys != 0])
    rows = np.random.default_rng(0).normal(size=(len(keys), 24)).astype(np.float32)
    task, _ = task_with(KnownWords(keys, rows))
    specs = {spec.name: spec for spec in text_specs(task, [CODES])[0]}
    new = np.setdiff1d(task.token_keys[100:], task.token_keys[:20])
    row = 100 + int(np.flatnonzero(np.isin(task.token_keys[100:], new[new != 0]).any(1))[0])
    changed = task_with(KnownWords(keys, np.where(np.isin(keys, new)[:, None], rows + 5, rows)))[0]
    others = {spec.name: spec for spec in text_specs(changed, [CODES])[0]}
    for name in (VECTORS, VECTORS_AND_WORDS):
        setting, form = specs[name].tune(task.codes[:100], y[:100], task.codes[100:], y[100:])
        assert form is not None
        scores = answer(form, task.codes[100:], 2)
        assert (scores.argmax(1) == y[100:]).mean() > 0.7, name
        again = answer(specs[name].fit(task.codes[:100], y[:100], setting), task.codes[100:], 2)
        np.testing.assert_allclose(again, scores, atol=0.05, rtol=0)  # tuning starts from its neighbour
        fitted = [one[name].fit(task.codes[:20], y[:20], setting) for one in (specs, others)]
        first, second = (answer(form, task.codes[row : row + 1], 2) for form in fitted)
        np.testing.assert_array_equal(first, second)


def test_one_class_is_answered_always() -> None:
    task, y = task_with(None)
    keys = np.unique(task.token_keys[task.token_keys != 0])
    task, _ = task_with(KnownWords(keys, np.ones((len(keys), 2), np.float32)))
    rows = np.flatnonzero(y == 1)[:10]
    for spec in text_specs(task, [CODES])[0]:
        if spec.name in (VECTORS, VECTORS_AND_WORDS):
            setting, form = spec.tune(task.codes[rows], y[rows], task.codes[rows], y[rows])
            assert form is None
            scores = answer(spec.fit(task.codes[rows], y[rows], setting), task.codes[:30], 2)
            assert (scores.argmax(1) == 1).all()
