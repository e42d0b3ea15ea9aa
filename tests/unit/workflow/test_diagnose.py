"""Reading a run out: what is found, what it can't read, and what is kept of a proof."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bottega.errors import BottegaError, StoppedError
from bottega.evaluation.report_proofs import PLACE
from bottega.problem.records import Finding, Score
from bottega.problem.refinement_records import Proof, RemedyTrial
from bottega.workflow import prove as prove_module
from bottega.workflow.diagnose import diagnose
from bottega.workflow.run_folder import RECORD, REPORT
from run_material import answers, make_run, reading

GAIN = Score(300, 0.02, 0.005, 0.035)
TRIAL = RemedyTrial(
    "dropout 0.2", "overfitting", {"dropout": 0.2}, "bottega train pets --dropout 0.2", "accuracy", "proved", 0.9, 0.92,
    GAIN, 3.0,
)  # fmt: skip


def answer_with(proof: Proof, monkeypatch: pytest.MonkeyPatch) -> None:
    """Proofs by training are tested end to end; here it is what becomes of one."""

    def prove(*_: Any, **__: Any) -> Proof:
        return proof

    monkeypatch.setattr(prove_module, "prove", prove)


def test_a_healthy_run(tmp_path: Path) -> None:
    record = diagnose(make_run(tmp_path / "run", found=reading()))
    assert [one.name for one in record.findings] == ["nothing to mend"]
    assert (record.n_remedies, record.proof) == (0, None)


def test_a_gap_is_told_with_its_remedies(tmp_path: Path) -> None:
    record = diagnose(make_run(tmp_path / "run", found=reading(train=1.0, val=0.8)))
    assert record.findings[0].name == "overfitting"
    assert record.n_remedies == 3  # it is augmented already


def test_a_network_of_the_users_own_is_not_reshaped(tmp_path: Path) -> None:
    training = {"network": "nets:Mine"}
    record = diagnose(make_run(tmp_path / "run", found=reading(train=1.0, val=0.8), training=training))
    assert record.n_remedies == 1  # weight decay alone


def test_what_training_found_beside_the_curve_is_told_too(tmp_path: Path) -> None:
    conflict = Finding("labels that contradict each other", "one group", "one is wrong", "look at them", "high")
    healthy = Finding("nothing to mend", "none", "", "none", "high")
    record = diagnose(make_run(tmp_path / "run", found=reading(), others=[conflict, healthy]))
    assert record.findings == (conflict,)


def test_advice_is_never_sure(tmp_path: Path) -> None:
    few = answers(16, right=0.9, seed=3)
    record = diagnose(make_run(tmp_path / "run", found=replace(reading(), val=few)))
    assert [(one.name, one.sure) for one in record.findings] == [("noisy validation", "medium")]


def test_a_run_without_a_network_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(BottegaError, match="trained no network of its own") as caught:
        diagnose(make_run(tmp_path / "run"))
    assert "bottega train pets --network cnn" in caught.value.fix


def test_a_run_on_a_table(tmp_path: Path) -> None:
    with pytest.raises(BottegaError, match="a run on a table") as caught:
        diagnose(make_run(tmp_path / "run", training={"table": {"target": "price"}}))
    assert "report.html" in caught.value.fix


def test_a_run_that_is_not_finished(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", found=reading())
    (run / RECORD).unlink()
    with pytest.raises(BottegaError, match="isn't finished") as caught:
        diagnose(run)
    assert caught.value.fix == f"bottega train --resume {run}"


def test_a_run_whose_time_was_too_short_for_its_network(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", found=reading())
    (run / "readings.npz").unlink()
    with pytest.raises(BottegaError, match="not trained to its end"):
        diagnose(run)


def test_a_damaged_reading_is_refused(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", found=reading())
    whole = (run / "readings.npz").read_bytes()
    (run / "readings.npz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BottegaError, match=r"readings\.npz can't be read"):
        diagnose(run)


@pytest.mark.parametrize(("seeds", "time"), [(2, None), (51, None), (True, None), (3, "soon"), (3, -1.0)])
def test_choices_are_checked_first(tmp_path: Path, seeds: int, time: str | float | None) -> None:
    with pytest.raises(BottegaError, match=r"seeds|time"):
        diagnose(tmp_path / "none", seeds=seeds, time=time)


def test_a_proof_is_kept_beside_earlier_ones_and_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(tmp_path / "run", found=reading(train=1.0, val=0.8))
    (run / REPORT).write_text(f"<main>\n{PLACE}\n</main>", "utf-8")
    answer_with(Proof((0, 1, 2), 300, (TRIAL,), 12.0), monkeypatch)
    assert diagnose(run, prove=True).proof == Proof((0, 1, 2), 300, (TRIAL,), 12.0)
    answer_with(Proof((5, 6, 7), 300, (TRIAL,), 11.0), monkeypatch)
    diagnose(run, prove=True)
    proofs = json.loads((run / "remedies.json").read_text("utf-8"))["proofs"]
    assert [one["seeds"] for one in proofs] == [[0, 1, 2], [5, 6, 7]]
    assert diagnose(run).proof == Proof((5, 6, 7), 300, (TRIAL,), 11.0)
    page = (run / REPORT).read_text("utf-8")
    assert page.count("2.0 points (0.5 … 3.5)") == 1  # the last one, instead of the one before
    assert page.startswith("<main>")
    assert page.endswith("</main>")


def test_what_was_proved_before_an_interrupt_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(tmp_path / "run", found=reading(train=1.0, val=0.8))
    answer_with(Proof((0, 1, 2), 300, (TRIAL,), 12.0, stopped=True), monkeypatch)
    with pytest.raises(StoppedError, match="interrupted after 1 of 3 remedies; what they gave is kept"):
        diagnose(run, prove=True)
    proof = diagnose(run).proof
    assert proof is not None
    assert proof.stopped


def test_an_interrupt_before_anything_was_tried_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(tmp_path / "run", found=reading(train=1.0, val=0.8))
    untried = replace(TRIAL, verdict="not tried", gain=None)
    answer_with(Proof((), 300, (untried,), 1.0, stopped=True), monkeypatch)
    with pytest.raises(StoppedError, match="interrupted after 0 of 3 remedies\n"):
        diagnose(run, prove=True)
    assert not (run / "remedies.json").exists()


def test_a_damaged_proof_is_refused(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", found=reading())
    for text in ("{", "[]", '{"format": 2, "proofs": []}', '{"format": 1, "proofs": [{}]}', '{"format": 1}'):
        (run / "remedies.json").write_text(text, "utf-8")
        with pytest.raises(BottegaError, match=r"remedies\.json can't be read"):
            diagnose(run)
