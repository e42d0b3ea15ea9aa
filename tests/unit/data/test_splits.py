import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.data.splits import Split, folds, naive_split, split
from bottega.errors import BottegaError

HELD = ("val", "test")


def contents(n, start=0):
    raw = b"".join(hashlib.sha256(b"content %d" % i).digest() for i in range(start, start + n))
    return np.frombuffer(raw, dtype=np.uint8).reshape(n, 32)


def data(n, n_classes=2, group_size=1, start=0):
    """Hashes, labels and groups of n examples, groups and classes dealt by number."""
    numbers = np.arange(start, start + n) // group_size
    return contents(n, start), [f"class {number % n_classes}" for number in numbers], numbers.astype(np.int64)


def test_the_rule_is_the_documented_arithmetic():
    hashes, labels, groups = data(400)
    result = split(hashes, labels, groups, split_seed=3)
    for row in range(400):
        once = hashlib.sha256((3).to_bytes(8, "little") + hashes[row].tobytes()).digest()
        u = int.from_bytes(hashlib.sha256(once).digest()[:8], "little") / 2**64
        assert result.unit[row] == pytest.approx(u, abs=1e-15)
        assert result.part[row] == ("test" if u < 0.15 else "val" if u < 0.30 else "train")
    assert not result.by_rank
    assert result.source == "held-out"
    assert result.notes == ()


def test_shares_are_right_and_halves_are_halves():
    result = split(*data(20_000, n_classes=4))
    assert np.mean(result.part == "test") == pytest.approx(0.15, abs=0.01)
    assert np.mean(result.part == "val") == pytest.approx(0.15, abs=0.01)
    assert np.mean(result.half[result.part == "val"] == "select") == pytest.approx(0.5, abs=0.03)
    assert set(result.half[result.part != "val"]) == {""}
    assert len(result.rows("val", "calibrate")) + len(result.rows("val", "select")) == len(result.rows("val"))


def test_another_seed_is_an_independent_split():
    first, second = (split(*data(5_000), split_seed=seed) for seed in (0, 1))
    assert np.mean((first.part == "test") & (second.part == "test")) == pytest.approx(0.15**2, abs=0.01)


@settings(max_examples=40, deadline=None)
@given(
    n=st.integers(1, 150),
    n_classes=st.integers(1, 6),
    group_size=st.integers(1, 5),
    order=st.randoms(use_true_random=False),
    seed=st.integers(0, 5),
)
def test_reordering_and_renumbering_move_nothing(n, n_classes, group_size, order, seed):
    hashes, labels, groups = data(n, n_classes, group_size)
    before = split(hashes, labels, groups, split_seed=seed)
    rows = list(range(n))
    order.shuffle(rows)
    after = split(hashes[rows], [labels[r] for r in rows], 1000 - groups[rows], split_seed=seed)
    assert (after.part == before.part[rows]).all()
    assert (after.half == before.half[rows]).all()
    assert after.notes == before.notes


@settings(max_examples=40, deadline=None)
@given(n=st.integers(1, 200), n_classes=st.integers(1, 6), group_size=st.integers(1, 6), seed=st.integers(0, 3))
def test_groups_never_straddle(n, n_classes, group_size, seed):
    hashes, labels, groups = data(n, n_classes, group_size)
    result = split(hashes, labels, groups, split_seed=seed)
    for group in np.unique(groups):
        assert len(set(result.part[groups == group])) == 1
        assert len(set(result.half[groups == group])) == 1
    assert result.n_groups == len(np.unique(groups))


@settings(max_examples=20, deadline=None)
@given(n_more=st.integers(1, 300))
def test_adding_examples_moves_only_groups_that_are_joined(n_more):
    hashes, labels, groups = data(400)
    before = split(hashes, labels, groups)
    more, more_labels, more_groups = data(n_more, start=400)
    more_groups[0] = 7  # a new near twin of example 7
    after = split(np.concatenate([hashes, more]), labels + more_labels, np.concatenate([groups, more_groups]))
    moved = np.flatnonzero(after.part[:400] != before.part)
    assert set(moved) <= {7}
    assert not before.by_rank


def test_a_group_is_named_by_its_smallest_hash():
    hashes, labels, groups = data(30, group_size=3)
    result = split(hashes, labels, groups)
    for group in range(10):
        members = [h.tobytes() for h in hashes[groups == group]]
        assert {name.tobytes() for name in result.group_names[groups == group]} == {min(members)}


def test_small_classes_are_dealt_by_rank_and_the_others_by_hash():
    hashes, labels, groups = data(1000)
    labels = ["rare" if i < 25 else "common" for i in range(1000)]
    result = split(hashes, labels, groups)
    plain = split(hashes, ["common"] * 1000, groups)
    rare = np.array(labels) == "rare"
    assert result.by_rank
    assert [int((result.part[rare] == part).sum()) for part in ("train", "val", "test")] == [17, 4, 4]
    assert (result.part[~rare] == plain.part[~rare]).all()
    assert "'rare'" in result.notes[-1]
    assert "adding examples may move old ones" in result.notes[-1]
    tests_first = result.unit[rare & (result.part == "test")].max() < result.unit[rare & (result.part != "test")].min()
    assert tests_first
    assert sorted(result.half[rare & (result.part == "val")]) == ["calibrate"] * 2 + ["select"] * 2


@pytest.mark.parametrize(("n", "expected"), [(1, ["train"]), (2, ["test", "train"]), (3, ["test", "train", "val"])])
def test_the_smallest_classes_still_train(n, expected):
    result = split(*data(n, n_classes=1))
    assert sorted(result.part) == expected


def test_small_data_is_said():
    few = split(*data(200))
    assert few.small
    assert few.source == "cv"
    assert "200 independent examples, under 300" in few.notes[0]
    hashes, _, groups = data(1000)
    rare = split(hashes, ["rare" if i < 19 else "common" for i in range(1000)], groups)
    assert rare.small
    assert "19 independent examples of class 'rare', under 20" in rare.notes[0]
    assert split(*data(300, group_size=2)).small  # 150 groups
    assert not split(*data(1000)).small


def test_given_parts_are_never_changed():
    hashes, labels, groups = data(1000)
    given_parts = ["train" if i < 600 else "val" if i < 800 else "test" for i in range(1000)]
    result = split(hashes, labels, groups, given=given_parts)
    assert result.part.tolist() == given_parts
    assert result.source == "given"
    assert not result.by_rank


@pytest.mark.parametrize("missing", HELD)
def test_a_missing_part_is_hashed_out_of_train(missing):
    hashes, labels, groups = data(2000)
    kept = ({*HELD} - {missing}).pop()
    given_parts = ["train" if i < 1500 else kept for i in range(2000)]
    result = split(hashes, labels, groups, given=given_parts)
    assert (result.part[1500:] == kept).all()
    assert set(result.part[:1500]) == {"train", missing}
    assert np.mean(result.part[:1500] == missing) == pytest.approx(0.15, abs=0.03)
    plain = split(hashes, labels, groups)
    assert (result.part[:1500] == missing).tolist() == (plain.part[:1500] == missing).tolist()
    assert result.source == ("given" if kept == "test" else "held-out")


def test_examples_without_a_part_are_divided_like_train():
    hashes, labels, groups = data(1000)
    loose = split(hashes, labels, groups, given=["test" if i < 300 else None for i in range(1000)])
    named = split(hashes, labels, groups, given=["test" if i < 300 else "train" for i in range(1000)])
    assert (loose.part == named.part).all()


def test_twins_across_given_parts_are_told():
    hashes, labels, groups = data(1000)
    groups[999] = 0
    result = split(
        hashes, labels, groups, given=["train" if i < 700 else "val" if i < 850 else "test" for i in range(1000)]
    )
    assert "1 group of twins lies both in the training part and in a held-out part" in result.notes[-1]


def test_nothing_to_train_on_is_an_error():
    with pytest.raises(
        BottegaError, match=r"(?s)in the given parts 'test', 'val'.*some examples to train on.*named train"
    ):
        split(*data(4), given=["val", "val", "test", "test"])


def test_mismatched_lengths_are_refused():
    with pytest.raises(ValueError, match="3 hashes, 2 labels"):
        split(contents(3), ["a", "b"], np.arange(3))


def test_folds_are_grouped_even_and_stratified():
    hashes, labels, groups = data(600, n_classes=3, group_size=2)
    names = split(hashes, labels, groups).group_names
    fold = folds(names, labels, k=5)
    assert np.bincount(fold).tolist() == [120] * 5
    for label in set(labels):
        assert np.ptp(np.bincount(fold[np.array(labels) == label], minlength=5)) <= 2  # one group of two
    for group in np.unique(groups):
        assert len(set(fold[groups == group])) == 1


def test_each_class_is_dealt_to_all_folds():
    hashes, labels, _ = data(21, n_classes=3)  # 7 groups of each class
    fold = folds(hashes, labels, k=5)
    for label in set(labels):
        assert sorted(np.bincount(fold[np.array(labels) == label], minlength=5)) == [1, 1, 1, 2, 2]


@settings(max_examples=25, deadline=None)
@given(n=st.integers(5, 100), n_classes=st.integers(1, 4), order=st.randoms(use_true_random=False))
def test_folds_do_not_depend_on_order(n, n_classes, order):
    hashes, labels, _ = data(n, n_classes)
    rows = list(range(n))
    order.shuffle(rows)
    assert (folds(hashes[rows], [labels[r] for r in rows]) == folds(hashes, labels)[rows]).all()


def test_repeats_and_seeds_deal_folds_anew():
    hashes, labels, _ = data(500)
    first = folds(hashes, labels)
    assert 0.1 < np.mean(first == folds(hashes, labels, repeat=1)) < 0.3
    assert 0.1 < np.mean(first == folds(hashes, labels, split_seed=1)) < 0.3


def test_more_folds_than_groups_is_an_error():
    with pytest.raises(BottegaError, match="found: 3 groups of examples\nexpected: at least 5"):
        folds(contents(3), ["a"] * 3)


def test_a_naive_split_tears_twins_apart():
    hashes = np.repeat(contents(500), 4, axis=0)  # four exact copies of each
    labels, groups = ["a"] * 2000, np.repeat(np.arange(500), 4)
    naive = naive_split(hashes).reshape(500, 4)
    assert np.mean(naive == "test") == pytest.approx(0.15, abs=0.03)
    assert np.mean([len(set(row)) > 1 for row in naive]) > 0.5
    kept = split(hashes, labels, groups).part.reshape(500, 4)
    assert all(len(set(row)) == 1 for row in kept)
    unique = contents(500)
    assert (naive_split(unique) == split(unique, ["a"] * 500, np.arange(500)).part).all()


def test_a_split_is_frozen():
    result = split(*data(5))
    assert isinstance(result, Split)
    with pytest.raises(AttributeError):
        result.small = False
