import numpy as np
import pytest
from gensim.models import KeyedVectors

from bottega.errors import BottegaError
from bottega.vectors.algebra import ask, find_words, odd_one_out
from bottega.vectors.convert import open_vectors
from bottega.vectors.expression import ExpressionError, Term, parse
from word_material import CAPITALS, as_text, planted

WORDS, ROWS = planted()


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("v") / "v.txt"
    path.write_bytes(as_text(WORDS, ROWS))
    return path


@pytest.fixture(scope="module")
def file(path):
    return open_vectors(path)


@pytest.fixture(scope="module")
def reference(path):
    return KeyedVectors.load_word2vec_format(path)


def top(answer, rule="cosadd", side="without"):
    return answer.rules[rule][side][0].word


@pytest.mark.parametrize("country", ["France", "Spain", "Peru"])
def test_capitals(file, country):
    answer = ask(file, f"Rome - Italy + {country}")
    assert top(answer) == top(answer, "cosmul") == CAPITALS[country]


def test_with_and_without_the_words_of_the_question(file):
    answer = ask(file, "doctor - man + woman", k=5)
    own = {"doctor", "man", "woman"}
    for sides in answer.rules.values():
        assert [len(side) for side in sides.values()] == [5, 5]
        assert not own & {one.word for one in sides["without"]}
        kept = [one for one in sides["with"] if one.word not in own]
        assert kept == list(sides["without"])[: len(kept)]
    assert top(answer, side="with") == "doctor"


@pytest.mark.filterwarnings("ignore:Call to deprecated `init_sims`:DeprecationWarning")  # gensim's own
@pytest.mark.parametrize(
    "question", ["Rome - Italy + France", "king - man + woman", "doctor - he + she", "Rome + Paris"]
)
def test_numbers_are_those_of_gensim(file, reference, question):
    terms = parse(question)
    positive = [term.word for term in terms if term.weight > 0]
    negative = [term.word for term in terms if term.weight < 0]
    answer = ask(file, question, k=10)
    for rule, theirs in (
        ("cosadd", reference.most_similar(positive, negative, topn=10)),
        ("cosmul", reference.most_similar_cosmul(positive, negative, topn=10)),
    ):
        ours = answer.rules[rule]["without"]
        assert [one.word for one in ours] == [word for word, _ in theirs]
        assert [one.similarity for one in ours] == pytest.approx([value for _, value in theirs], abs=2e-6)


def test_weights_are_factors_in_a_sum_and_exponents_in_a_product(file, reference):
    answer = ask(file, "2*Rome - 0.5*Italy", k=3)
    theirs = reference.most_similar([("Rome", 2.0)], [("Italy", -0.5)], topn=3)
    assert [one.word for one in answer.rules["cosadd"]["without"]] == [word for word, _ in theirs]
    units = file.units(np.arange(len(WORDS)))
    moved = (1 + units @ units[[WORDS.index("Rome"), WORDS.index("Italy")]].T) / 2
    scores = moved[:, 0] ** 2 / (moved[:, 1] ** 0.5 + 1e-6)
    scores[[WORDS.index("Rome"), WORDS.index("Italy")]] = -1
    best = answer.rules["cosmul"]["without"][0]
    assert best.word == WORDS[int(scores.argmax())]
    assert best.similarity == pytest.approx(scores.max())


def test_the_pulls_add_up(file):
    for one in ask(file, "Rome - 0.5*Italy + France").explained:
        assert sum(one.pulls.values()) == pytest.approx(one.similarity)
        assert list(one.pulls) == ["Rome", "Italy", "France"]


def test_another_case_is_used_when_it_is_the_only_one(file):
    (known,) = find_words(file, [Term("ROME", 1, 0)])
    assert (known.word, known.asked) == ("Rome", "ROME")
    with pytest.raises(ExpressionError, match="fix: did you mean Rome"):
        find_words(file, [Term("ROME", 1, 0)], case_sensitive=True)


def test_several_case_variants_are_left_to_the_user(tmp_path):
    path = tmp_path / "v.txt"
    path.write_bytes(as_text(["Turkey", "turkey", "other"], ROWS[:3]))
    with pytest.raises(ExpressionError, match="did you mean Turkey or turkey"):
        find_words(open_vectors(path), [Term("TURKEY", 1, 0)])
    assert find_words(open_vectors(path), [Term("turkey", 1, 0)])[0].row == 1


def test_a_phrase_is_found_with_its_underscore(file):
    assert find_words(file, parse('"New York"'))[0].word == "New_York"
    assert find_words(file, parse('"new york"'))[0].word == "New_York"


@pytest.mark.parametrize(
    ("question", "message", "column"),
    [
        ("Rome - Itlay", "the word 'Itlay' is not among .*\n.*\nfix: did you mean Italy", 7),
        ("Rome-Italy + France", "put spaces around the -: Rome - Italy", 0),
        ("France + -man", "put spaces around the -: - man", 9),
        ("xxqq + zzqq", r"the words 'xxqq', 'zzqq' are", 0),
        ("doctor + 東亰", "fix: did you mean 東京", 9),
    ],
)
def test_unknown_words(file, question, message, column):
    with pytest.raises(ExpressionError, match=message) as caught:
        ask(file, question)
    assert caught.value.column == column


def test_what_points_nowhere_is_refused(file, tmp_path):
    with pytest.raises(BottegaError, match="cancel each other"):
        ask(file, "king - king")
    path = tmp_path / "v.txt"
    path.write_bytes(as_text(["a", "b", "zero"], np.array([[1, 2], [2, 1], [0, 0]], np.float32)))
    with pytest.raises(BottegaError, match="the vector of 'zero' is all zeros"):
        ask(open_vectors(path), "a - zero")


def test_odd_one_out_is_that_of_gensim(file, reference):
    words = ["Rome", "Paris", "Madrid", "doctor"]
    found = odd_one_out(file, find_words(file, [Term(word, 1, 0) for word in words]))
    assert found[0].word == reference.doesnt_match(words) == "doctor"
    assert [one.similarity for one in found] == sorted(one.similarity for one in found)


def test_spellings_and_completion(file):
    assert file.vocabulary.nearest("Pairs")[0] == "Paris"
    assert file.vocabulary.nearest("x" * 100) == []
    assert file.vocabulary.complete("act") == ["actor", "actress"]
    assert file.vocabulary.complete("noise39")[:2] == ["noise39", "noise390"]
    assert file.vocabulary.row("noise") is None
    assert [file.vocabulary.row(word) for word in WORDS] == list(range(len(WORDS)))
