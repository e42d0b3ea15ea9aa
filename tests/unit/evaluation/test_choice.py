import numpy as np
import pytest

from bottega.errors import BottegaError
from bottega.evaluation.choice import Contender, choose, default_margin
from bottega.evaluation.metrics import METRICS


@pytest.fixture(autouse=True)
def fewer_resamples(monkeypatch):
    monkeypatch.setattr("bottega.evaluation.intervals.N_RESAMPLES", 1000)


ACCURACY = METRICS["accuracy"]


def contender(name, right, *, sure=0.9, kind="baseline"):
    """A candidate that is right where `right` says so, and always `sure` of it; the true class is 1."""
    right = np.asarray(right, dtype=bool)
    return Contender(name, kind, np.where(right[:, None], [1 - sure, sure], [sure, 1 - sure]))


def wrong_at(n, rows):
    right = np.ones(n, dtype=bool)
    right[rows] = False
    return right


def pick(*contenders, **options):
    n = len(contenders[0].predictions)
    return choose(contenders, np.ones(n, dtype=int), ACCURACY, **options)


def test_a_clear_winner_ships():
    choice = pick(
        contender("majority", wrong_at(1000, range(500))),
        contender("forest", wrong_at(1000, range(100))),
        contender("network", wrong_at(1000, range(30)), kind="network"),
    )
    assert choice.name == "network"
    assert choice.relations == {"majority": "worse", "forest": "worse", "network": "ships"}
    assert choice.why == "network ships: it is the best in accuracy beyond doubt"
    assert choice.differences["forest"].score == pytest.approx(0.07)
    assert 0.05 < choice.differences["forest"].low < 0.07 < choice.differences["forest"].high < 0.09
    assert "network" not in choice.differences


def test_the_simplest_of_the_tied_ships():
    choice = pick(
        contender("majority", wrong_at(5000, range(2500))),
        contender("nearest", wrong_at(5000, range(200, 415))),
        contender("forest", wrong_at(5000, range(200, 405))),
        contender("network", wrong_at(5000, range(200, 400)), kind="network"),
    )
    assert choice.name == "nearest"
    assert choice.best == "network"
    assert choice.relations == {"majority": "worse", "nearest": "ships", "forest": "tied", "network": "tied"}
    assert choice.why == "nearest ships: it is the simplest of those within 1 point of network in accuracy"


def test_a_real_but_small_difference_is_a_tie():
    simple, network = wrong_at(20_000, range(60)), wrong_at(20_000, [])
    choice = pick(contender("simple", simple), contender("network", network, kind="network"))
    assert choice.differences["simple"].low > 0
    assert choice.name == "simple"
    strict = pick(contender("simple", simple), contender("network", network, kind="network"), margin=0.001)
    assert strict.name == "network"
    assert strict.relations["simple"] == "worse"


def test_few_examples_cannot_tell_and_the_lower_loss_ships():
    choice = pick(
        contender("simple", wrong_at(60, [1, 2]), sure=0.6), contender("network", wrong_at(60, [1, 3]), kind="network")
    )
    assert choice.name == "network"
    assert choice.relations == {"simple": "cannot tell", "network": "ships"}
    assert "least validation loss; the examples are too few to tell it in accuracy from 'simple'" in choice.why


@pytest.mark.parametrize(("n", "relation"), [(30, "cannot tell"), (350, "cannot tell"), (400, "ships")])
def test_never_having_differed_is_no_proof_on_few_examples(n, relation):
    choice = pick(
        contender("simple", wrong_at(n, [0])), contender("network", wrong_at(n, [0]), sure=0.91, kind="network")
    )
    assert choice.relations["simple"] == relation


def test_groups_of_copies_prove_no_more_than_one():
    same = [contender("simple", wrong_at(4000, []), sure=0.8), contender("network", wrong_at(4000, []), kind="network")]
    assert pick(*same).name == "simple"
    assert pick(*same, groups=np.arange(4000) // 40).relations["simple"] == "cannot tell"


def test_the_best_loss_gives_way_to_a_proved_better_accuracy():
    choice = pick(
        contender("cautious", wrong_at(2000, range(200)), sure=0.7),
        contender("votes", wrong_at(2000, range(100)), sure=1 - 1e-9),  # a few mistakes, each made with certainty
    )
    assert choice.best == "votes"
    assert choice.name == "votes"
    assert choice.relations["cautious"] == "worse"


def test_holm_needs_more_proof_among_many():
    rng = np.random.default_rng(0)
    pair = (
        contender("rival", wrong_at(1000, range(35))),  # 14 mistakes of its own, p = .008
        contender("best", wrong_at(1000, [*range(14, 35), 990, 991, 992])),  # 3 of its own
    )
    crowd = [contender(f"c{i}", wrong_at(1000, rng.choice(1000, 26, replace=False))) for i in range(20)]
    assert pick(*pair).relations["rival"] == "worse"
    among = pick(*pair, *crowd)
    assert among.best == "best"
    assert among.relations["rival"] == "cannot tell"


def test_what_was_asked_for_ships():
    trio = (
        contender("forest", wrong_at(1000, range(30))),
        contender("small network", wrong_at(1000, range(200)), kind="network"),
        contender("large network", wrong_at(1000, range(100)), kind="network"),
    )
    network = pick(*trio, ship="network")
    assert network.name == "large network"
    assert network.relations == {"forest": "better", "small network": "worse", "large network": "ships"}
    assert network.why.startswith("of the networks, large network ships")
    named = pick(*trio, ship="small network")
    assert named.name == "small network"
    assert named.why == "small network ships because it was asked for; 'forest', 'large network' did better"
    assert pick(*trio).name == "forest"


def test_an_unknown_name_is_refused():
    with pytest.raises(
        BottegaError, match=r"(?s)found: --ship 'forrest'.*best, network or one of 'forest'.*fix: --ship forest"
    ):
        pick(contender("forest", wrong_at(10, [])), ship="forrest")
    with pytest.raises(BottegaError, match=r"(?s)found: --ship 'network'.*fix: --ship best"):
        pick(contender("forest", wrong_at(10, [])), ship="network")


def test_a_single_candidate_ships():
    assert pick(contender("only", wrong_at(10, []))).why == "only ships: it is the only candidate"


def test_values_are_compared_within_two_percent():
    rng = np.random.default_rng(0)
    y = rng.normal(0, 10, 20_000)
    noise = rng.normal(0, 1, 20_000)
    trio = (
        Contender("mean", "baseline", np.zeros(20_000)),
        Contender("linear", "baseline", y + 1.004 * noise),
        Contender("network", "network", y + noise),
    )
    rmse = METRICS["rmse"]
    choice = choose(trio, y, rmse)
    assert choice.margin == pytest.approx(default_margin(rmse, 1.0), rel=0.05)
    assert choice.best == "network"
    assert choice.relations == {"mean": "worse", "linear": "ships", "network": "tied"}
    assert choice.differences["mean"].score < 0  # the rmse of the best is lower
    assert not choice.differences["mean"].higher_is_better


def test_the_same_examples_and_seed_give_the_same_choice():
    rng = np.random.default_rng(0)
    pair = [contender(name, rng.random(300) < 0.9) for name in "ab"]
    assert pick(*pair, seed=4) == pick(*pair, seed=4)
