import numpy as np
import pytest
from gensim.models import KeyedVectors

from bottega.errors import BottegaError
from bottega.vectors.convert import open_vectors
from bottega.vectors.scoring import correlations, ranks, read_analogies, read_pairs, solve
from bottega.workflow.words_scores import analogies, pairs
from word_material import CAPITALS, as_text, planted

WORDS, ROWS = planted()


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("v")
    (home / "v.txt").write_bytes(as_text(WORDS, ROWS))
    lines = [": capitals"]
    for country, capital in CAPITALS.items():
        lines += [f"{capital} {country} {other} {land}" for land, other in CAPITALS.items() if land != country]
    lines += [": family", "man woman king queen", "KING QUEEN he SHE", "man woman brother sister", "he she actor king"]
    (home / "questions.txt").write_text("\n".join(lines))
    rng = np.random.default_rng(0)
    some = rng.choice(WORDS, (40, 2))
    rows = [f"{a}\t{b}\t{rng.uniform(0, 10):.2f}" for a, b in some] + ["king\tnowhere\t5", "king\tKING\t10"]
    (home / "pairs.tsv").write_text("# people said\nword 1\tword 2\tmean\n" + "\n".join(rows))
    return home


@pytest.fixture(scope="module")
def file(home):
    return open_vectors(home / "v.txt")


@pytest.fixture(scope="module")
def reference(home):
    return KeyedVectors.load_word2vec_format(home / "v.txt")


def test_analogies_are_those_of_gensim(file, reference, home):
    record = analogies(file, home / "questions.txt")
    for skipping, which in ((True, "usual"), (False, "all")):
        score, sections = reference.evaluate_word_analogies(home / "questions.txt", dummy4unknown=not skipping)
        theirs = {s["section"]: (len(s["correct"]), len(s["correct"]) + len(s["incorrect"])) for s in sections}
        ours = {
            one.name: (round(getattr(one, which).score * getattr(one, which).n), getattr(one, which).n)
            for one in record.sections
            if (one.rule, one.words) == ("cosadd", "without")
        }
        assert ours == {name: theirs[name] for name in ours}
        assert getattr(record.total[0], which).score == pytest.approx(score)


def test_unknown_words_and_the_words_of_the_question(file, home):
    record = analogies(file, home / "questions.txt")
    assert (record.n, record.n_unknown) == (34, 1)
    add, own = record.total[0], record.total[1]
    assert (add.rule, add.words, own.words) == ("cosadd", "without", "with")
    assert (add.usual.n, add.all.n) == (33, 34)
    assert add.usual.score > add.all.score > own.all.score
    assert add.all.low < add.all.score < add.all.high


def test_words_beyond_the_limit_are_unknown(file, home):
    asked = read_analogies(home / "questions.txt")
    solved = solve(file, asked, n_searched=4)  # Italy, Rome, France, Paris
    assert solved.n_searched == 4
    assert solved.known.sum() == 2
    assert solved.right["cosadd", "without"].sum() == 2  # nothing else is left to answer


def test_pairs_are_those_of_gensim(file, reference, home):
    record = pairs(file, home / "pairs.tsv")
    clean = home / "clean.tsv"  # gensim takes a line of column names for words
    clean.write_text("\n".join(line for line in (home / "pairs.tsv").read_text().splitlines() if "word 1" not in line))
    pearson, spearman, share_unknown = reference.evaluate_word_pairs(clean)
    assert record.pearson.score == pytest.approx(pearson.statistic, abs=1e-6)
    assert record.spearman.score == pytest.approx(spearman.statistic, abs=1e-6)
    assert record.n_unknown / record.n * 100 == pytest.approx(share_unknown)
    _, spearman, _ = reference.evaluate_word_pairs(clean, dummy4unknown=True)
    assert record.spearman_unknown_zero.score == pytest.approx(spearman.statistic, abs=1e-6)
    assert record.spearman.low < record.spearman.score < record.spearman.high


def test_ranks_share_ties():
    assert ranks(np.array([3.0, 1.0, 3.0, 2.0])).tolist() == [3.5, 1, 3.5, 2]


def test_the_same_word_has_similarity_one(file, home):
    values, known = correlations(file, read_pairs(home / "pairs.tsv"))
    assert values[-1] == pytest.approx(1)
    assert (values[~known] == 0).all()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no question"),
        (": a\none two three\n", r"3 words .*line 2"),
        ("one two three four\n", r"before the first section .*line 1"),
    ],
)
def test_bad_questions(tmp_path, text, message):
    (tmp_path / "q.txt").write_text(text)
    with pytest.raises(BottegaError, match=message):
        read_analogies(tmp_path / "q.txt")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "no pair with a number"),
        (b"a\tb\t1\n", "1 pair with a number"),
        (b"a\tb\t1\nc\td\tlots\n", r"lots' .*line 2"),
        (b"a\tb\n", r"'a\\tb' .*line 1"),
        (b"\xff\xfe\x00", "no UTF-8"),
    ],
)
def test_bad_pairs(tmp_path, data, message):
    (tmp_path / "p.tsv").write_bytes(data)
    with pytest.raises(BottegaError, match=message):
        read_pairs(tmp_path / "p.tsv")
    with pytest.raises(BottegaError, match="no file"):
        read_pairs(tmp_path / "nothing.tsv")
