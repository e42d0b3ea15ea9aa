import json
from itertools import combinations

import numpy as np
import pytest

from bottega.errors import BottegaError
from bottega.vectors.bias import project, read_lists, weat
from bottega.vectors.convert import open_vectors
from bottega.workflow.words_scores import bias
from word_material import as_text, planted

WORDS, ROWS = planted()


@pytest.fixture
def file(tmp_path):
    (tmp_path / "v.txt").write_bytes(as_text(WORDS, ROWS))
    return open_vectors(tmp_path / "v.txt")


def units(rng, n, towards=None, strength=0.0):
    rows = rng.standard_normal((n, 20)) + (0 if towards is None else strength * towards)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_a_planted_association_is_found_and_its_absence_too():
    rng = np.random.default_rng(0)
    a, b = units(rng, 1)[0], units(rng, 1)[0]
    near_a, near_b = units(rng, 8, a, 8), units(rng, 8, b, 8)
    found = weat(units(rng, 8, a, 4), units(rng, 8, b, 4), near_a, near_b)
    assert found.effect > 1.5
    assert found.p_value < 0.001
    assert found.low > 0.5
    nothing = weat(units(rng, 8), units(rng, 8), near_a, near_b)
    assert nothing.p_value > 0.01
    assert nothing.low < 0 < nothing.high


def test_the_permutation_test_counts_every_partition():
    rng = np.random.default_rng(1)
    x, y, a, b = (units(rng, 4) for _ in range(4))
    found = weat(x, y, a, b)
    both = np.concatenate([x, y])
    s = (both @ a.T).mean(1) - (both @ b.T).mean(1)
    real = s[:4].mean() - s[4:].mean()
    as_large = [s[list(c)].mean() - np.delete(s, c).mean() >= real - 1e-12 for c in combinations(range(8), 4)]
    assert (found.is_exact, found.n_permutations) == (True, 70)
    assert found.p_value == pytest.approx(np.mean(as_large))
    assert found.effect == pytest.approx(real / s.std(ddof=1))


def test_many_targets_are_drawn_and_a_seed_repeats():
    rng = np.random.default_rng(2)
    sets = [units(rng, 12) for _ in range(4)]
    found = weat(*sets)
    assert (found.is_exact, found.n_permutations) == (False, 10_000)
    assert weat(*sets) == found
    assert weat(*sets, seed=1).p_value == pytest.approx(found.p_value, abs=0.03)


def test_words_between_two_ends(file):
    row = file.vocabulary.row
    pairs = [(row("man"), row("woman")), (row("king"), row("queen")), (row("he"), row("she"))]
    found = project(file, [row("actress"), row("doctor"), row("actor")], pairs)
    values = {one.word: one for one in found}
    assert [one.value for one in found] == sorted(one.value for one in found)
    assert values["actress"].value > values["actor"].value
    assert all(one.low <= one.value <= one.high for one in found)


def test_lists_of_ones_own_and_a_plot(file, tmp_path):
    lists = {
        "tests": [
            {
                "name": "rulers & <others>",
                "targets": {"m": ["man", "king", "he"], "f": ["woman", "queen", "SHE"]},
                "attributes": {"a": ["actor", "noise1", "noise2"], "b": ["actress", "noise3", "noise4", "unheard"]},
            }
        ],
        "pairs": [["man", "woman"], ["king", "queen"], ["he", "she"]],
        "words": ["actor", "actress", "doctor", "unheard"],
    }
    (tmp_path / "lists.json").write_text(json.dumps(lists))
    for name in ("b.html", "b.svg"):
        record = bias(file, lists=tmp_path / "lists.json", plot=tmp_path / name)
        assert (tmp_path / name).read_text().count("actress") >= 1
        assert "<svg" in (tmp_path / name).read_text()
    (test,) = record.tests
    assert test.unknown == ("unheard",)
    assert test.is_exact
    assert test.effect.low <= test.effect.score <= test.effect.high
    assert {one.word for one in record.projections} == {"actor", "actress", "doctor"}
    assert "not among the vectors: unheard" in record.notes


def test_lists_of_which_nothing_is_known(file):
    with pytest.raises(BottegaError, match="too few of the lists' words are known"):
        bias(file)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", r"no JSON \(Expecting property name"),
        ("[]", "JSON of another shape"),
        ("{}", "no test"),
        ('{"tests": [{"name": 1}]}', "another shape"),
        ('{"pairs": [["she"]], "words": ["nurse"]}', "another shape"),
    ],
)
def test_bad_lists(tmp_path, text, message):
    (tmp_path / "l.json").write_text(text)
    with pytest.raises(BottegaError, match=message):
        read_lists(tmp_path / "l.json")


def test_a_plot_needs_an_ending(file, tmp_path):
    with pytest.raises(BottegaError, match=r"\.html or \.svg"):
        bias(file, plot=tmp_path / "b.png")
