"""A diagnosis and a comparison on the terminal."""

from dataclasses import replace

from bottega.cli.compare import _lines as compare_lines
from bottega.cli.diagnose import _lines as diagnose_lines
from bottega.problem.records import Finding, Score
from bottega.problem.refinement_records import (
    ComparedRun,
    CompareRecord,
    CurveLine,
    DiagnoseRecord,
    PairedTest,
    Proof,
    RecipeDifference,
    RemedyTrial,
)

FINDING = Finding("overfitting", "since epoch 3: 100 % and 80 %", "it knows them by heart", "more examples", "high")
HEALTHY = Finding("nothing to mend", "none of 21 rules found a fault", "all went well", "none", "high")
RECORD = DiagnoseRecord("runs/my digits", "cnn", (FINDING,), 3)
PROVED = RemedyTrial(
    "dropout 0.3", "overfitting", {"dropout": 0.3}, "bottega train digits --network cnn --dropout 0.3", "accuracy",
    "proved", 0.9, 0.921, Score(300, 0.021, 0.004, 0.038), 3.0,
)  # fmt: skip
UNTRIED = RemedyTrial("resnet", "overfitting", {}, "", "accuracy", "not tried", why="too little time was left for it")


def test_a_finding_and_what_to_do_about_it() -> None:
    assert diagnose_lines(RECORD, tried=False) == [
        "1 finding in the training of cnn, runs/my digits",
        "",
        "overfitting (how sure: high)",
        "Evidence     since epoch 3: 100 % and 80 %",
        "Meaning      it knows them by heart",
        "Change       more examples",
        "",
        "Next         bottega diagnose 'runs/my digits' --try",
        "             trains with 3 changes, and says which one is proved to help",
    ]


def test_a_healthy_run_needs_nothing_more() -> None:
    lines = diagnose_lines(replace(RECORD, findings=(HEALTHY,), n_remedies=0), tried=True)
    assert lines == [
        "Nothing to mend in the training of cnn, runs/my digits",
        "             none of 21 rules found a fault: all went well",
    ]


def test_the_proved_change_is_a_line_to_copy() -> None:
    lines = diagnose_lines(replace(RECORD, proof=Proof((0, 1, 2), 300, (PROVED, UNTRIED), 9.0)), tried=True)
    assert "  dropout 0.3            +2.1 points (+0.4 … +3.8)        proved" in lines
    assert "  resnet                 not tried: too little time was left for it" in lines
    assert lines[-1] == f"Next         {PROVED.command}"


def test_without_a_proof_nothing_is_recommended() -> None:
    unproved = replace(PROVED, verdict="no gain proved", gain=Score(300, 0.01, -0.01, 0.03))
    lines = diagnose_lines(replace(RECORD, proof=Proof((0, 1, 2), 300, (unproved,), 9.0)), tried=True)
    assert not any("bottega train" in line for line in lines)
    assert any("none is proved to help" in line for line in lines)
    short = diagnose_lines(replace(RECORD, proof=Proof((), 300, (UNTRIED,), 9.0)), tried=True)
    assert "Not tried    the time was too short" in short


def test_what_only_the_data_can_mend() -> None:
    lines = diagnose_lines(replace(RECORD, n_remedies=0), tried=True)
    assert lines[-1] == "Not tried    what was found is mended in the data, not by an option of train"


def compared(name: str, score: float, n_epochs: int) -> ComparedRun:
    curve = tuple(CurveLine(epoch, 0.1, 0.2, 0.8 + epoch / 1000) for epoch in range(1, n_epochs + 1))
    test = {"score": score, "low": score - 0.02, "high": score + 0.01}
    return ComparedRun(name, "cnn", "accuracy", test, 12.0, "cnn", 7.0, curve)


def test_runs_beside_each_other() -> None:
    runs = (compared("runs/one", 0.97, 40), compared("runs/two", 0.95, 10))
    test = PairedTest("runs/two", "runs/one", "accuracy", 256, Score(256, -0.02, -0.035, -0.005), "worse")
    differences = (RecipeDifference("training.dropout", (0.1, 0.5)), RecipeDifference("training.width", (None, 2.0)))
    lines = compare_lines(CompareRecord(runs, differences, (test,)))
    assert lines[:2] == [
        "worse        runs/two than runs/one",
        "             −2.0 points (−3.5 … −0.5) on 256 shared test examples",
    ]
    assert any(
        line.split() == ["runs/one", *"0.801 0.802 0.803 0.806 0.812 0.822 0.840".split(), "7"] for line in lines
    )
    assert any(line.split() == ["runs/two", *"0.801 0.802 0.803 0.806".split(), "7"] for line in lines)
    assert lines[-1].split() == ["training.width", "–", "2"]
    assert all(len(line) <= 80 for line in lines)


def test_runs_of_one_recipe() -> None:
    record = CompareRecord((compared("a", 0.9, 1), compared("b", 0.9, 1)), (), ())
    assert any("don't differ" in line for line in compare_lines(record))
