"""The report of a table: it speaks of rows, and of values where there are no classes."""

from dataclasses import replace

from bottega.evaluation.evidence import Evidence, Miss, Mistake, Values
from bottega.evaluation.report import render
from bottega.problem.records import Candidate, Rejected, Score, Task, TrainRecord

SCORE = Score(80, 4.9, 4.1, 5.8, False, 78)
RECORD = TrainRecord(
    run_dir="runs/houses-1",
    model_path="runs/houses-1/model.onnx",
    report_path=None,
    task=Task("regression", "tables", "price", (), "numbers"),
    chosen="gradient boosting",
    metric="rmse",
    verdict="It is off by 5.8 or less on average (RMSE).",
    test={"n": 80, "n_groups": 78, "score": 4.9, "low": 4.1, "high": 5.8, "source": "held-out"},
    metrics={"rmse": SCORE, "mae": Score(80, 3.2, 2.8, 3.7, False)},
    candidates=(Candidate("gradient boosting", "baseline", SCORE, SCORE, 1.0, None, "ships"),),
    findings=(),
    rejected=(),
    suspects=(),
    seconds={"total": 3.0},
    interval={
        "coverage": 0.9, "held": Score(80, 0.89, 0.8, 0.95), "width": Score(80, 12.6116, 12.6116, 12.6116), "scale":
        "plain", "reach": 6.3, "n": 60, "guarantee": "split",
    },
)  # fmt: skip
EVIDENCE = Evidence(
    "houses",
    420,
    noun="row",
    values=Values("price", ((1.0, 1.5), (9.0, 7.0)), (Miss("row 17", 9.0, 7.0, 1.0, 13.0),)),
)


def test_values_have_a_plot_their_largest_errors_and_their_intervals() -> None:
    page = render(RECORD, EVIDENCE)
    assert "The rows that it is farthest off" in page
    assert "row 17" in page
    assert "predicted price" in page
    assert "How far its intervals can be trusted" in page
    assert "to hold the true one 90\u202f% of the time, set by 60 rows that it was not fitted on." in page
    assert "They are 12.6 wide on average." in page
    assert "label conflict" not in page
    assert "picture" not in page.partition("</style>")[2]


def test_out_of_fold_intervals_promise_nothing() -> None:
    page = render(replace(RECORD, interval={**RECORD.interval, "guarantee": "cv"}), EVIDENCE)
    assert "so that there is no proof for the one that ships" in page


def test_rows_that_were_left_out_and_mistakes_are_listed_by_name() -> None:
    record = replace(RECORD, rejected=(Rejected("row 5", "no target"),), interval={})
    mistake = Mistake(None, "no", "yes <b>", 0.97, "row 9")
    page = render(record, replace(EVIDENCE, values=None, mistakes=(mistake,)))
    assert "1 row without a target" in page
    assert "Rows that were left out" in page
    assert "The surest mistakes" in page
    assert "yes &lt;b&gt;" in page
    assert "no picture" not in page
