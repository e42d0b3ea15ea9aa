import numpy as np

from bottega.data.text_codes import CodedTexts, coded_texts


def made() -> CodedTexts:
    """Of the texts [], [5], [7, 8], [1, 2, 3]; coded in another order."""
    parts = [np.array([[0, 0], [7, 8]], np.uint16), np.array([[5, 0, 0], [1, 2, 3]], np.uint16)]
    return coded_texts(parts, np.array([0, 2, 1, 3]))


def test_rows_come_back_in_their_order_as_wide_as_the_longest() -> None:
    assert made().numbers().tolist() == [[0, 0, 0], [5, 0, 0], [7, 8, 0], [1, 2, 3]]
    assert made()[1:3].numbers().tolist() == [[5, 0], [7, 8]]


def test_rows_of_rows_know_which_of_all_texts_they_are() -> None:
    some = made()[np.array([3, 1, 2])][np.array([True, False, True])]
    assert some.rows.tolist() == [3, 2]
    assert some.numbers().tolist() == [[1, 2, 3], [7, 8, 0]]


def test_features_stay_with_their_texts() -> None:
    both = made().beside(np.arange(8.0).reshape(4, 2))[np.array([2, 0])]
    assert both.matrix().tolist() == [[7, 8, 4, 5], [0, 0, 0, 1]]
    assert both.matrix().dtype == np.float32


def test_texts_of_about_one_length_go_together_within_bounds() -> None:
    lengths = np.array([900, 1, 1, 30, 2] + [1] * 100)
    flat = np.ones(lengths.sum(), np.uint16)
    texts = CodedTexts(flat, np.cumsum(lengths) - lengths, lengths, np.arange(105))
    jobs = texts.by_length(64)
    assert sorted(np.concatenate(jobs).tolist()) == list(range(105))
    assert jobs[-1].tolist() == [0]
    for job in jobs:
        assert len(job) == 1 or len(job) * lengths[job].max() <= 64


def test_no_texts() -> None:
    none = coded_texts([], np.zeros(0, np.int64))
    assert none.numbers().shape == (0, 1)
    assert none.by_length(64) == []
