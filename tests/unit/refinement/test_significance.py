import numpy as np
import pytest

from bottega.refinement.significance import (
    at_least,
    at_most,
    falling,
    holm,
    mean_above,
    means_differ,
    share_difference,
)

stats = pytest.importorskip("scipy.stats")


@pytest.mark.parametrize(("seen", "n", "share"), [(0, 10, 0.1), (3, 10, 0.1), (60, 100, 0.5), (999, 1000, 0.99)])
def test_binomial_tails(seen, n, share):
    assert at_least(seen, n, share) == pytest.approx(stats.binom.sf(seen - 1, n, share), rel=1e-9)
    assert at_most(seen, n, share) == pytest.approx(stats.binom.cdf(seen, n, share), rel=1e-9)


def test_binomial_tails_at_the_ends():
    assert at_least(1, 10, 0.0) == 0.0
    assert at_least(0, 10, 0.0) == 1.0
    assert at_least(10, 10, 1.0) == 1.0
    assert at_most(10, 10, 1.0) == 1.0
    assert at_most(9, 10, 1.0) == 0.0


def test_student_tests_agree_with_scipy():
    rng = np.random.default_rng(0)
    values, others = rng.normal(0.4, 1, 30), rng.normal(0, 2, 12)
    assert mean_above(values, 0.0) == pytest.approx(
        stats.ttest_1samp(values, 0, alternative="greater").pvalue, rel=0.01
    )
    welch = stats.ttest_ind(values, others, equal_var=False, alternative="greater").pvalue
    assert means_differ(values, others, n_effective=(30, 12)) == pytest.approx(welch, rel=0.01)
    slope = stats.linregress(np.arange(12), others - 0.3 * np.arange(12), alternative="less").pvalue
    assert falling(others - 0.3 * np.arange(12)) == pytest.approx(slope, rel=0.05)


def test_groups_are_worth_fewer_examples():
    values = np.random.default_rng(0).normal(0.3, 1, 100)
    assert mean_above(values, 0.0, n_effective=10) > 10 * mean_above(values, 0.0)


def test_values_that_never_vary_prove_by_their_distance():
    assert mean_above(np.ones(5), 0.5) == 0.0
    assert mean_above(np.ones(5), 2.0) == 1.0
    assert means_differ(np.ones(5), np.zeros(5), n_effective=(5, 5)) == 0.0
    assert falling(np.array([4.0, 3.0, 2.0, 1.0])) == 0.0


def test_too_few_values_prove_nothing():
    assert mean_above(np.ones(1), 0.0) == 1.0
    assert means_differ(np.ones(1), np.zeros(9), n_effective=(1, 9)) == 1.0
    assert falling(np.array([3.0, 2.0, 1.0])) == 1.0
    assert falling(np.array([3.0, 2.0, np.nan, 0.0])) == 1.0


def test_all_of_few_is_no_certainty():
    assert share_difference(1.0, 5, 0.8, 5) > 0.05
    assert share_difference(1.0, 500, 0.8, 500) < 1e-6


def test_holm_counts_the_rules_that_found_nothing():
    assert holm([0.004], 1, 0.01) == [True]
    assert holm([0.004], 20, 0.01) == [False]
    assert holm([0.0, 0.0006], 18, 0.01) == [True, False]
    assert holm([], 20, 0.01) == []


@pytest.mark.parametrize("n", [30, 300])
def test_false_alarms_are_as_rare_as_they_say(n):
    rng = np.random.default_rng(1)
    alarms = [mean_above(rng.normal(size=n), 0.0) < 0.01 for _ in range(2000)]
    assert np.mean(alarms) < 0.02
