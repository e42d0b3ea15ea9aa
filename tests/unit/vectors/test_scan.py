import numpy as np
import pytest

from bottega.vectors import convert, scan
from bottega.vectors.rules import CosAdd, CosMul
from bottega.vectors.scan import nearest_to_each, search
from bottega.vectors.vector_file import BLOCK, open_file

N, D = 2 * BLOCK + 777, 40


def made(folder, *, coded, skewed=False):
    """Random rows; skewed ones lie in a narrow cone, where many scores are nearly equal."""
    rng = np.random.default_rng(3)
    rows = rng.standard_normal((N, D)).astype(np.float32)
    if skewed:
        rows = (rows * 0.05 + np.abs(rng.standard_normal(D))).astype(np.float32)
    rows[17] = 0
    rows[4000] = rows[50]  # equal scores: the smaller row comes first
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(convert, "CODES_FROM", 0 if coded else 10**12)
        convert.write_vectors([f"w{i}" for i in range(N)], rows, folder / "v.bottega", {"name": "v"})
    return open_file(folder / "v.bottega")


@pytest.fixture(scope="module", params=["codes", "codes, skewed", "rows", "rows, skewed"])
def file(request, tmp_path_factory):
    return made(tmp_path_factory.mktemp("v"), coded="codes" in request.param, skewed="skewed" in request.param)


def brute(file, units, rule, k):
    """All scores in float64, sorted: what the scan must find."""
    cosines = np.einsum("td,nd->tn", units, file.units(slice(None)))
    scores = rule.score(cosines)
    scores[np.asarray(file.hidden, dtype=int)] = -np.inf
    return [(int(row), float(scores[row])) for row in np.lexsort((np.arange(N), -scores))[:k]]


@pytest.mark.parametrize("weights", [(1.0,), (1.0, -1.0, 1.0), (0.5, -1.0, 2.0, -0.25), (-1.0,), (1.0, -0.99)])
def test_the_scan_leaves_out_no_answer(file, weights):
    rng = np.random.default_rng(len(weights))
    for _ in range(3):
        w = np.array(weights)
        units = file.units(rng.choice(np.arange(100, N), len(w), replace=False))
        rules = [CosAdd(w, float(np.linalg.norm(w @ units))), CosMul(w)]
        for rule, hits in zip(rules, search(file, units, rules, 25), strict=True):
            assert [(hit.row, hit.score) for hit in hits] == brute(file, units, rule, 25)


def test_equal_scores_come_in_the_order_of_the_file(file):
    units = file.units(np.array([50]))
    hits = search(file, units, [CosAdd(np.ones(1), 1.0)], 2)[0]
    assert [hit.row for hit in hits] == [50, 4000]
    assert hits[0].score == pytest.approx(1)


def test_few_codes_pass_the_scan(tmp_path, monkeypatch):
    file = made(tmp_path, coded=True)
    passed = []
    real = scan._exact

    def counted(file, units, rule, keeper, k):
        passed.append(len(keeper.survivors()))
        return real(file, units, rule, keeper, k)

    monkeypatch.setattr(scan, "_exact", counted)
    units = file.units(np.array([200, 300, 400]))
    w = np.array([1.0, -1.0, 1.0])
    search(file, units, [CosAdd(w, float(np.linalg.norm(w @ units))), CosMul(w)], 10)
    assert 10 <= passed[0] < N / 50
    assert 10 <= passed[1] < N / 10


def test_a_question_of_two_bytes_is_near_to_itself():
    units = np.random.default_rng(0).standard_normal((5, 300))
    units /= np.linalg.norm(units, axis=1, keepdims=True)
    question = scan._Question(units)
    assert question.codes.min() >= 1
    assert question.codes.max() <= 127
    assert question.errors.max() < 2e-4


def test_many_at_once_are_as_one_by_one(file):
    rng = np.random.default_rng(5)
    targets = rng.standard_normal((60, D))
    targets /= np.linalg.norm(targets, axis=1, keepdims=True)
    excluded = [[row] for row in rng.integers(0, N, 60).tolist()]
    found = nearest_to_each(file, targets, 5, without=excluded)
    for target, hits, own in zip(targets, found, excluded, strict=True):
        alone = [hit for hit in search(file, target[None], [CosAdd(np.ones(1), 1.0)], 6)[0] if hit.row not in own]
        assert [hit.row for hit in hits] == [hit.row for hit in alone[:5]]


def test_asking_for_more_than_there_is_gives_all(tmp_path):
    convert.write_vectors(["a", "b"], np.eye(2, dtype=np.float32), tmp_path / "v.bottega", {"name": "v"})
    file = open_file(tmp_path / "v.bottega")
    assert len(search(file, file.units(np.array([0])), [CosAdd(np.ones(1), 1.0)], 50)[0]) == 2
