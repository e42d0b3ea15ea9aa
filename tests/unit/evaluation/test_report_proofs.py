"""The part of a report that a proof is put into."""

from bottega.evaluation.report_proofs import PLACE, with_proof
from bottega.problem.records import Score
from bottega.problem.refinement_records import Proof, RemedyTrial

PROVED = RemedyTrial(
    "dropout 0.3", "overfitting", {"dropout": 0.3}, "bottega train 'a & b' --dropout 0.3", "accuracy", "proved", 0.9,
    0.921, Score(300, 0.021, 0.004, 0.038), 3.0,
)  # fmt: skip
LOSS = RemedyTrial(
    "20 epochs", "overfitting", {"epochs": 20}, "bottega train x", "log_loss", "no gain proved", 0.3, 0.31,
    Score(300, -0.01, -0.05, 0.03), 3.0,
)  # fmt: skip
UNTRIED = RemedyTrial("resnet", "overfitting", {}, "bottega train y", "accuracy", "not tried", why="no time was left")


def test_what_is_proved_is_said_with_its_command() -> None:
    page = with_proof(f"<i>before</i>{PLACE}<i>after</i>", Proof((0, 1, 2), 300, (PROVED, LOSS, UNTRIED), 9.0))
    assert "What mends it, proved" in page
    assert "2.1 points (0.4 … 3.8)" in page
    assert "90 → 92.1\u202f%" in page
    assert "−0.01 (−0.05 … 0.03)" in page
    assert "not tried: no time was left" in page
    assert "bottega train &#x27;a &amp; b&#x27; --dropout 0.3" in page
    assert "bottega train x" not in page
    assert page.startswith("<i>before</i>")
    assert page.endswith("<i>after</i>")


def test_no_proof_is_said_too() -> None:
    page = with_proof(PLACE, Proof((0, 1, 2), 300, (LOSS,), 9.0))
    assert "No gain is proved." in page
    assert "<pre" not in page


def test_a_later_proof_takes_the_place_of_an_earlier_one() -> None:
    once = with_proof(PLACE, Proof((0, 1, 2), 300, (LOSS,), 9.0))
    assert with_proof(once, Proof((0, 1, 2), 300, (PROVED,), 9.0)) == with_proof(
        PLACE, Proof((0, 1, 2), 300, (PROVED,), 9.0)
    )


def test_a_report_without_a_place_stays_as_it_is() -> None:
    assert with_proof("<p>old</p>", Proof((), 300, (PROVED,), 9.0)) == "<p>old</p>"
