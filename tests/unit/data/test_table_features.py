"""Made features: what each kind gives, what it learns, and that awkward rows follow one stated rule."""

import numpy as np
import pytest

from bottega.data.table_features import BY_WORDS, OF_TARGET, MadeFeature, features_graph, learn_features
from bottega.workflow.features import engine

NAN, INF = np.nan, np.inf
N_CODES = 4  # two levels, missing, unknown


def made(features, x, y=None):
    x = np.asarray(x, np.float32)
    y = np.zeros(len(x)) if y is None else np.asarray(y)
    wide = run(learn_features(features, x, y), x)
    np.testing.assert_array_equal(wide[:, : x.shape[1]], x)
    return wide[:, x.shape[1] :]


def run(features, x):
    x = np.asarray(x, np.float32)
    return engine(features_graph(features, x.shape[1]), threads=1).run(None, {"x": x})[0]


@pytest.mark.parametrize(("kind", "expected"), [("sum", 8.0), ("difference", 4.0), ("product", 12.0), ("ratio", 3.0)])
def test_two_columns_are_combined(kind, expected):
    assert made([MadeFeature(kind, (0, 1), "")], [[6, 2]]).tolist() == [[expected]]


@pytest.mark.parametrize("kind", ["sum", "difference", "product", "ratio"])
@pytest.mark.parametrize("row", [(NAN, 1), (1, NAN), (INF, 1), (3e38, -INF)])
def test_what_has_no_finite_result_is_missing(kind, row):
    found = made([MadeFeature(kind, (0, 1), "")], [row])
    assert np.isnan(found).all() or (kind == "ratio" and row[1] == -INF and found == 0)


def test_a_division_by_zero_is_missing_and_so_is_what_overflows():
    ratio, product = MadeFeature("ratio", (0, 1), ""), MadeFeature("product", (0, 1), "")
    assert np.isnan(made([ratio], [[1, 0], [0, 0], [-1, -0.0], [1, 1e-45]])).all()
    assert np.isnan(made([product], [[3e38, 10]])).all()


def test_logarithms_of_what_is_not_positive_are_missing():
    plain, shifted = MadeFeature("logarithm", (0,), ""), MadeFeature("logarithm", (0,), "", 1.0)
    found = made([plain, shifted], [[np.e], [0], [-1], [-2], [NAN], [INF]])
    np.testing.assert_allclose(found[:2], [[1, np.log(1 + np.e)], [NAN, 0]], rtol=1e-6)
    assert np.isnan(found[2:]).all()


def test_waves_go_round_once_a_period_and_the_other_half_a_quarter_earlier():
    sine, cosine = MadeFeature("wave", (0,), "", 8.0), MadeFeature("wave", (0,), "", -8.0)
    found = made([sine, cosine], [[0], [2], [4], [8], [NAN]])
    np.testing.assert_allclose(found[:4], [[0, 1], [1, 0], [0, -1], [0, 1]], atol=1e-6)
    assert np.isnan(found[4]).all()


def test_a_weekend_begins_on_saturday_and_no_date_has_none():
    found = made([MadeFeature("at least", (0,), "", 5.0)], [[0], [4], [5], [6], [NAN]])
    np.testing.assert_array_equal(found[:, 0], [0, 0, 1, 1, NAN])


def test_a_number_inside_one_category_is_zero_outside():
    found = made([MadeFeature("where", (0, 1), "", 1.0)], [[7, 1], [7, 0], [NAN, 1], [NAN, 3]])
    np.testing.assert_array_equal(found[:, 0], [7, 0, NAN, 0])


def test_means_by_category_are_drawn_towards_the_mean_of_all():
    x = [[10.0, 0]] * 30 + [[20.0, 1]] * 10
    mean, less, over = (
        MadeFeature(kind, (0, 1), "", n_codes=N_CODES)
        for kind in ("mean by category", "difference from mean", "ratio to mean")
    )
    found = made([mean, less, over], x)
    first, second = (30 * 10 + 12.5) / 31, (10 * 20 + 12.5) / 11
    np.testing.assert_allclose(found[0], [first, 10 - first, 10 / first], rtol=1e-5)
    np.testing.assert_allclose(found[-1], [second, 20 - second, 20 / second], rtol=1e-5)


def test_a_category_that_training_did_not_have_gets_the_mean_of_all():
    x = np.array([[10.0, 0]] * 30 + [[20.0, 1]] * 10, np.float32)
    features = [MadeFeature("mean by category", (0, 1), "", n_codes=N_CODES)]
    learned = learn_features(features, x, np.zeros(40))
    np.testing.assert_allclose(run(learned, [[1, 2], [1, 3], [NAN, 3]])[:, 2], 12.5)


def test_missing_numbers_do_not_count_in_a_mean():
    x = [[10.0, 0]] * 30 + [[NAN, 0]] * 30
    assert made([MadeFeature("mean by category", (0, 1), "", n_codes=N_CODES)], x)[0] == 10


def test_the_share_of_rows_and_the_means_of_the_target():
    x, y = np.array([[0]] * 30 + [[1]] * 10, np.float32), np.array([1] * 30 + [2] * 10)
    rows, value, share = (
        MadeFeature("rows by category", (0,), "", n_codes=N_CODES),
        MadeFeature(OF_TARGET, (0,), "", -1.0, n_codes=N_CODES),
        MadeFeature(OF_TARGET, (0,), "", 2.0, n_codes=N_CODES),
    )
    found = made([rows, value, share], x, y)
    np.testing.assert_allclose(found[0], [0.75, (30 + 10 * 1.25) / 40, 10 * 0.25 / 40], rtol=1e-6)
    np.testing.assert_allclose(found[-1], [0.25, (20 + 10 * 1.25) / 20, (10 + 10 * 0.25) / 20], rtol=1e-6)


def test_features_stand_in_the_order_of_the_list_whatever_their_kinds():
    ratio, total = MadeFeature("ratio", (0, 1), ""), MadeFeature("sum", (0, 1), "")
    logarithm = MadeFeature("logarithm", (0,), "")
    np.testing.assert_allclose(made([logarithm, ratio, total, ratio], [[6, 2]]), [[np.log(6), 3, 8, 3]], rtol=1e-6)


def test_one_row_gets_the_bits_that_it_gets_among_others():
    rng = np.random.default_rng(0)
    x = np.exp(rng.normal(size=(200, 2))).astype(np.float32)
    kinds = [("logarithm", (0,), 0.0), ("wave", (1,), 365.2425), ("ratio", (0, 1), 0.0)]
    features = [MadeFeature(kind, columns, "", number) for kind, columns, number in kinds]
    together = run(features, x)
    alone = np.concatenate([run(features, row[None]) for row in x])
    assert together.tobytes() == alone.tobytes()


def test_no_rows_get_no_features():
    assert run([MadeFeature("ratio", (0, 1), "")], np.zeros((0, 2))).shape == (0, 3)


def test_words_of_a_text_are_counted_and_looked_for():
    features = [
        MadeFeature("has word", (2, 3), "", 2.0),
        MadeFeature("number of words", (1,), ""),
        MadeFeature("has word", (2, 3), "", 3.0),
    ]
    x = [[7, 3, 3, 2], [7, 2, 3, 0], [7, 0, 0, 0]]
    assert made(features, x).tolist() == [[1, 3, 1], [0, 2, 1], [0, 0, 0]]


def test_words_of_two_texts_keep_their_order():
    features = [MadeFeature("has word", (place,), "", 1.0) for place in (1, 0, 1)]
    assert made(features, [[1, 0], [0, 1], [1, 1]]).tolist() == [[0, 1, 0], [1, 0, 1], [1, 1, 1]]


@pytest.mark.parametrize(("number", "y"), [(-1.0, [10.0, 10, 30, 30]), (2.0, [0, 1, 2, 2])])
def test_what_words_say_lies_above_or_below_the_mean_and_without_words_there(number, y):
    one = MadeFeature(BY_WORDS, (0, 1), "", number, n_codes=4)
    (learned,) = learn_features([one], np.array([[1, 3], [1, 0], [2, 3], [2, 0]], np.float32), np.array(y))
    assert learned.learns_target
    found = run([learned], [[1, 3], [2, 3], [2, 0], [0, 0], [3, 0]])[:, 2]
    assert found[0] < 0 < found[1] < found[2]
    assert found[3] == 0
    assert abs(found[4]) < 1e-6 * abs(found[2])


def test_models_see_the_first_columns_and_what_is_made_of_the_others():
    x = np.array([[5, 3, 1], [6, 1, 0]], np.float32)
    features = [MadeFeature("has word", (2,), "", 1.0)]
    for made_of, expected in ((features, [[5, 1], [6, 0]]), ([], [[5], [6]])):
        graph = features_graph(made_of, 3, 1)
        assert engine(graph, threads=1).run(None, {"x": x})[0].tolist() == expected
