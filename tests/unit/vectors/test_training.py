import gzip
from dataclasses import replace

import numpy as np
import pytest

from bottega.errors import BottegaError
from bottega.vectors.training import Recipe, train_vectors
from bottega.vectors.vector_file import open_file
from bottega.workflow.words import Words
from bottega.workflow.words_train import train_words

SMALL = Recipe(n_dims=16, epochs=3, min_count=2, buckets=500)
LONGER = replace(SMALL, epochs=25)


@pytest.fixture
def corpus(tmp_path):
    """Two kinds of sentences: words of a kind stand together."""
    rng = np.random.default_rng(0)
    kinds = ["bread soup apple cheese honey".split(), "hammer nail saw plank screw".split()]
    lines = [" ".join(rng.choice(kinds[i % 2], 8)) for i in range(600)]
    path = tmp_path / "text.txt"
    path.write_text("\n".join(lines))
    return path


def test_words_of_a_kind_come_together(corpus, tmp_path):
    (tmp_path / "q.txt").write_text(": kinds\nbread soup hammer nail\n")
    (tmp_path / "p.tsv").write_text("bread\tsoup\t9\nbread\tsaw\t1\nnail\tsaw\t9\nhoney\tplank\t1\n")
    record = train_words(
        corpus, tmp_path / "own.bottega", recipe=LONGER, analogies=tmp_path / "q.txt", pairs=tmp_path / "p.tsv"
    )
    assert (record.n_words, record.n_dims, record.n_tokens) == (10, 16, 4800)
    assert [sorted(one) for one in record.scores] == [["analogies", "epoch", "pairs"]] * 25
    assert record.scores[-1]["pairs"] > 0.5
    words = Words(tmp_path / "own.bottega")
    assert {one.word for one in words.near("bread", k=4).answers} == {"soup", "apple", "cheese", "honey"}
    assert sorted(path.name for path in tmp_path.glob("*.bottega")) == ["own.bottega"]
    with pytest.raises(BottegaError, match="a new name"):
        train_words(corpus, tmp_path / "own.bottega")


def test_a_seed_repeats_and_another_differs(corpus, tmp_path):
    packed = tmp_path / "text.gz"
    packed.write_bytes(gzip.compress(corpus.read_bytes()))
    first = train_vectors(corpus, SMALL)
    assert np.array_equal(train_vectors(packed, SMALL).rows, first.rows)
    assert not np.array_equal(train_vectors(corpus, replace(SMALL, seed=1)).rows, first.rows)
    assert first.recipe["model"] == "fastText skip-gram"


def test_the_file_holds_its_recipe(corpus, tmp_path):
    train_words(corpus, tmp_path / "own.bottega", recipe=SMALL)
    card = open_file(tmp_path / "own.bottega").card
    assert card["source"]["recipe"]["epochs"] == 3
    assert card["source"]["corpus"] == "text.txt"


def test_a_short_text_is_gone_over_more_often(corpus, tmp_path):
    assert [Recipe().n_epochs(n) for n in (1_000, 500_000, 5_000_000, 10**9)] == [40, 10, 5, 5]
    assert Recipe(epochs=3).n_epochs(1_000) == 3
    record = train_words(corpus, tmp_path / "own.bottega", recipe=SMALL)
    assert record.mean_cosine > 0.9
    assert any("too little was learnt yet; train longer (--epochs 40)" in note for note in record.notes)
    apart = train_words(corpus, tmp_path / "longer.bottega", recipe=LONGER)
    assert apart.mean_cosine < 0.6
    assert not any("too little" in note for note in apart.notes)


@pytest.mark.parametrize(
    ("recipe", "message"),
    [(Recipe(n_dims=0), "dims 0"), (Recipe(epochs=0), "epochs 0"), (Recipe(seed=-1), "seed -1")],
)
def test_sizes_that_cannot_be(corpus, tmp_path, recipe, message):
    with pytest.raises(BottegaError, match=f"found: {message}"):
        train_words(corpus, tmp_path / "own.bottega", recipe=recipe)


def test_ten_words_are_too_few(tmp_path):
    (tmp_path / "t.txt").write_text("one two three four five six seven eight nine ten")
    with pytest.raises(BottegaError, match="a text of 10 words, of which 0 occur 5 times"):
        train_words(tmp_path / "t.txt", tmp_path / "v.bottega")
    with pytest.raises(BottegaError, match="no file"):
        train_words(tmp_path / "nothing.txt", tmp_path / "v.bottega")
    with pytest.raises(BottegaError, match=r"ends in \.bottega"):
        train_words(tmp_path / "t.txt", tmp_path / "v.txt")
    (tmp_path / "cut.gz").write_bytes(gzip.compress(b"word " * 9999)[:-9])
    with pytest.raises(BottegaError, match="cannot be unpacked"):
        train_words(tmp_path / "cut.gz", tmp_path / "v.bottega")
