import pytest

from bottega.problem.records import Finding
from bottega.refinement.diagnosis import EXPLAINS, RULES
from bottega.refinement.remedies import _FOR, remedies
from bottega.workflow.options import TrainOptions

NOW = {
    "learning_rate": 0.01,
    "rate_is_stated": False,
    "batch_size": 64,
    "epochs": 20,
    "weight_decay": 0.01,
    "schedule": "cosine",
    "augment": ("shift",),
    "class_weights": None,
    "dropout": 0.1,
    "width": None,
    "network": "cnn",
    "n_train": 1000,
}


def found(*names):
    return [Finding(name, "", "", "", "high") for name in names]


def names(*findings, can_reshape=True, at_most=4, **changed):
    return [
        one.name for one in remedies(found(*findings), {**NOW, **changed}, can_reshape=can_reshape, at_most=at_most)
    ]


def test_each_finding_gets_its_first_remedy_before_any_gets_a_second():
    assert names("overfitting", "learning rate too high") == [
        "dropout 0.3",
        "learning rate 0.001",
        "weight decay 0.1",
        "learning rate 0.0001",
    ]


def test_what_is_done_already_is_not_tried():
    assert names("overfitting", augment=())[0] == "augmentation"
    assert names("overfitting", dropout=0.6, weight_decay=1.0, width=0.125) == []
    assert names("a class that is never predicted", class_weights=(1.0, 2.0)) == ["60 epochs"]


def test_a_stated_rate_is_first_left_to_the_range_test():
    assert names("learning rate too high", rate_is_stated=True)[0] == "rate by range test"


def test_a_network_of_ones_own_keeps_its_shape():
    assert names("underfitting", can_reshape=False) == ["60 epochs", "no augmentation"]


def test_heavy_dropout_is_halved_before_anything_else():
    assert names("underfitting", dropout=0.9)[0] == "dropout 0.5"


def test_nothing_for_what_only_other_data_mend():
    assert names("nothing to mend", "noisy validation", "labels look random") == []


@pytest.mark.parametrize("name", _FOR)
def test_every_remedy_is_a_choice_that_train_takes(name):
    tried = remedies(found(name), {**NOW, "dropout": 0.9, "rate_is_stated": True}, can_reshape=True, at_most=9)
    assert tried
    for one in tried:
        TrainOptions(**{"network": "cnn", **one.changes})
        assert one.finding == name
        assert one.work > 0


def test_remedies_are_for_findings_that_there_are():
    known = {name for explained in EXPLAINS.values() for name in explained} | {*EXPLAINS}
    assert {*_FOR} <= known
    assert len(_FOR) < len(RULES)
