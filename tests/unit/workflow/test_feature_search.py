"""The search for features: what the target is made of is found, noise is not, and no fold sees its own answers."""

from dataclasses import replace

import numpy as np
import pytest

from bottega.data.table_feature_ideas import TableColumns
from bottega.data.table_features import BY_WORDS, OF_TARGET, MadeFeature
from bottega.data.table_preparation import Encoding, TablePreparation
from bottega.data.table_words import TextEncoding
from bottega.evaluation.table_forms import Widened
from bottega.workflow.candidates import Material, answer
from bottega.workflow.feature_search import FEWEST_ROWS, FeatureSearch, wide_for_training, widened
from bottega.workflow.feature_specs import Searched, with_features
from bottega.workflow.table_specs import TableTask, table_specs

TOWNS = tuple(f"town {i}" for i in range(20))
PREPARED = TablePreparation(
    (Encoding("price", "number"), Encoding("area", "number"), Encoding("town", "category", TOWNS))
)
TASK = TableTask(PREPARED.n_codes, None, seed=0, threads=1)


def rows(n, seed=0):
    rng = np.random.default_rng(seed)
    x = np.stack([rng.uniform(1, 10, n), rng.uniform(0.5, 5, n), rng.integers(0, len(TOWNS), n)], 1)
    return x.astype(np.float32), rng.normal(size=n)


def search_of(x, task=TASK, classes=(), groups=None):
    groups = range(len(x)) if groups is None else groups
    columns = TableColumns.of(PREPARED, "rent", classes)
    return FeatureSearch(task, columns, {row.tobytes(): int(group) for row, group in zip(x, groups, strict=True)})


def words(found):
    return [one.feature.words for one in found.kept]


@pytest.fixture(scope="module")
def ratio():
    x, noise = rows(200, seed=1)
    return x, x[:, 0] / x[:, 1] + 0.2 * noise


@pytest.fixture(scope="module")
def found(ratio):
    x, y = ratio
    return search_of(x).find(x, y)


def test_a_ratio_is_found_and_its_gain_told(ratio, found):
    x, _ = ratio
    assert words(found)[0] == "price ÷ area"
    gain = found.kept[0].gain
    assert 0 < gain.low < gain.score < gain.high
    assert found.n_rows == 200
    assert found.n_tried > 10
    np.testing.assert_array_equal(found.wide, widened(found.features, x))


def test_a_deviation_from_its_group_is_found():
    x, noise = rows(300, seed=1)
    level = np.random.default_rng(2).normal(size=len(TOWNS)) * 20
    x[:, 0] = level[x[:, 2].astype(int)] + noise
    found = search_of(x).find(x, noise + 0.1 * np.random.default_rng(3).normal(size=300))
    assert words(found)[0] == "price − mean price by town"


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("n_classes", [None, 2])
def test_nothing_is_kept_of_noise(seed, n_classes):
    x, y = rows(150, seed)
    y = y if n_classes is None else (y > 0).astype(np.int64)
    task = replace(TASK, n_classes=n_classes)
    found = search_of(x, task, () if n_classes is None else ("no", "yes")).find(x, y)
    assert not found.features
    assert found.wide is x


def test_copies_of_rows_prove_nothing():
    x, y = (np.tile(one, (6, *[1] * (one.ndim - 1))) if one.ndim > 1 else np.tile(one, 6) for one in rows(30))
    found = search_of(x, groups=np.tile(np.arange(30), 6)).find(x, y)
    assert not found.kept


def test_few_rows_are_not_searched():
    x, y = rows(FEWEST_ROWS - 1)
    found = search_of(x).find(x, y)
    assert (found.n_tried, found.n_rows, found.kept) == (0, FEWEST_ROWS - 1, ())


def test_a_mean_of_the_target_leaves_out_the_row_itself():
    x, y = rows(200)
    feature = MadeFeature(OF_TARGET, (2,), "", -1.0, n_codes=len(TOWNS) + 2)
    fold = np.arange(200) % 5
    told = wide_for_training([feature], x, y, fold)[:, 3]
    moved = y.copy()
    moved[7] += 1000
    again = wide_for_training([feature], x, moved, fold)[:, 3]
    assert told[7] == again[7]
    assert (told[fold == 7 % 5] == again[fold == 7 % 5]).all()
    assert (told != again).any()


def test_a_search_that_would_take_too_long_is_given_up(ratio):
    assert search_of(ratio[0]).find(*ratio, most_seconds=0.0) is None


def test_the_same_rows_get_the_same_features(ratio, found):
    again = search_of(ratio[0]).find(*ratio)
    assert words(again) == words(found)
    assert [one.gain for one in again.kept] == [one.gain for one in found.kept]
    assert again.wide.tobytes() == found.wide.tobytes()


def test_a_candidate_makes_what_its_own_rows_speak_for(ratio):
    x, y = ratio
    specs = [spec for spec in table_specs(TASK, len(x), 30)[0] if spec.name == "ridge regression"]
    searched = Searched(TASK, search_of(x), specs)
    [spec] = with_features(specs, searched)
    assert spec.alone
    setting, form = spec.tune(x[:150], y[:150], x[150:], y[150:])
    again = spec.fit(x[:150], y[:150], setting)
    assert isinstance(form, Widened)
    assert "price ÷ area" in [one.words for one in form.features]
    np.testing.assert_array_equal(answer(form, x, 1), answer(again, x, 1))
    _, plain = specs[0].tune(x[:150], y[:150], x[150:], y[150:])
    errors = [np.abs(answer(one, x[150:], 1)[:, 0] - y[150:]).mean() for one in (form, plain)]
    assert errors[0] < 0.5 * errors[1]


def test_where_nothing_helps_a_candidate_is_the_plain_one():
    x, y = rows(150)
    specs = [spec for spec in table_specs(TASK, len(x), 30)[0] if spec.name == "ridge regression"]
    [spec] = with_features(specs, Searched(TASK, search_of(x), specs))
    form, plain = (one.fit(x, y, {"strength": 0.1, "log": False}) for one in (spec, specs[0]))
    assert not isinstance(form, Widened)
    np.testing.assert_array_equal(answer(form, x, 1), answer(plain, x, 1))


@pytest.fixture(scope="module")
def worded():
    """Rents that hang on three words of an advert, of which each row has a few of twelve; (N, 3 + 1 + 4)."""
    x, noise = rows(200, seed=2)
    rng = np.random.default_rng(3)
    numbers = np.array([rng.permutation(12)[:4] + 1 for _ in x])
    numbers[rng.random(numbers.shape) < 0.2] = 0
    wide = np.hstack([x, (numbers > 0).sum(1, keepdims=True), numbers]).astype(np.float32)
    return wide, sum(2.0 * (numbers == one).any(1) for one in (1, 2, 3)) + 0.3 * noise


def words_of_adverts(x):
    advert = TextEncoding("advert", "abcdefghijkl", tuple("abcdefghijkl"), 4)
    columns = TableColumns.of(replace(PREPARED, texts=(advert,)), "rent", ())
    return FeatureSearch(TASK, columns, {row.tobytes(): number for number, row in enumerate(x)})


def test_what_words_say_is_found_and_models_see_no_numbers_of_words(worded):
    found = words_of_adverts(worded[0]).find(*worded)
    assert words(found)[0] == "what the words of advert say of rent"
    assert found.wide.shape == (200, 3 + len(found.features))
    np.testing.assert_array_equal(found.wide[:, :3], worded[0][:, :3])


def test_words_that_say_nothing_are_not_kept(worded):
    x, _ = worded
    found = words_of_adverts(x).find(x, np.random.default_rng(5).normal(size=len(x)))
    assert not found.features
    np.testing.assert_array_equal(found.wide, x[:, :3])


def test_no_row_has_a_say_in_what_its_own_words_say(worded):
    x, y = worded
    feature = MadeFeature(BY_WORDS, (4, 5, 6, 7), "", -1.0, n_codes=13)
    fold = np.arange(len(x)) % 5
    moved = y.copy()
    moved[7] += 1000
    told, again = (wide_for_training([feature], x, one, fold, 3)[:, 3] for one in (y, moved))
    np.testing.assert_array_equal(told[fold == 2], again[fold == 2])
    assert (told != again).any()


def test_a_candidate_of_words_sees_the_whole_row_and_its_model_the_part(worded):
    x, y = worded
    specs = [spec for spec in table_specs(TASK, len(x), 30)[0] if spec.name == "ridge regression"]
    searched = Searched(TASK, words_of_adverts(x), specs, "with words")
    [spec] = with_features(specs, searched)
    form = spec.tuned(Material({"with words": x}, y, np.arange(200), np.zeros((200, 32), np.uint8), [""] * 200, ()),
                      np.arange(150), np.arange(150, 200))[1]  # fmt: skip
    assert isinstance(form, Widened)
    assert form.n_seen == 3
    said = answer(form, x[150:], 1)[:, 0]
    assert np.mean((said - y[150:]) ** 2) < 0.5 * y[150:].var()
