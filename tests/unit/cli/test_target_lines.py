"""What several targets came to, and what they are answered with, on the terminal and as CSV."""

import csv
import io
from dataclasses import replace
from typing import Any

from bottega.cli.answer_lines import target_lines
from bottega.cli.spreadsheet import csv_bytes
from bottega.cli.target_lines import trained_lines
from bottega.cli.verdict import verdict_lines
from bottega.evaluation.report_targets import render_targets
from bottega.problem.records import Score, TargetsRecord, Task, TrainRecord

SCORE = Score(70, 0.9, 0.8, 0.95)
RECORD = TrainRecord(
    run_dir="runs/cells-1/2-kind",
    model_path="runs/cells-1/2-kind/model.onnx",
    report_path="runs/cells-1/2-kind/report.html",
    task=Task("classification", "tables", "kind", ("b", "m"), ""),
    chosen="ridge",
    metric="accuracy",
    verdict="It is right at least 80 times in 100.",
    test={"n": 70, "n_groups": 70, "score": 0.9, "low": 0.8, "high": 0.95, "source": "held-out"},
    metrics={"accuracy": SCORE},
    candidates=(),
    findings=(),
    rejected=(),
    suspects=(),
    seconds={"total": 1.0},
)
BOTH = TargetsRecord(
    run_dir="runs/cells-1",
    model_path="runs/cells-1/model.onnx",
    report_path="runs/cells-1/report.html",
    verdict="",
    targets={"<b>area": replace(RECORD, model_path=None), "kind": RECORD},
    seconds={"total": 2.0},
)
ANSWERS: list[dict[str, Any]] = [
    {
        "input": "row 2",
        "targets": {
            "area": {"value": -1234.5, "lower": 2.0, "upper": 3.25},
            "kind": {"label": "=m", "probabilities": {"=m": 0.75, "b": 0.25}, "sure": False},
        },
    }
]


def test_each_target_has_its_score_and_its_sentence() -> None:
    lines = trained_lines(BOTH)
    assert lines[0].startswith("<b>area: 90 %  of 70 test rows, 80 … 95")
    assert any("right at least 80 times" in line for line in lines)
    assert any("bottega predict runs/cells-1/model.onnx new.csv" in line for line in lines)
    assert max(map(len, lines)) <= 80
    assert trained_lines(RECORD) == verdict_lines(RECORD)


def test_a_bar_that_was_missed_is_said() -> None:
    lines = "\n".join(trained_lines(replace(BOTH, model_path=None)))
    assert "Not shipped  the bar was not met for <b>area; runs and report are kept" in lines
    assert "bottega predict" not in lines


def test_answers_stand_under_their_row() -> None:
    assert target_lines(ANSWERS) == ["row 2", "  area  -1,234.5  2 … 3.25", "  kind  =m  75.0 %  not sure"]
    many = target_lines(ANSWERS * 25)
    assert (len(many), many[-1]) == (61, "and 5 more: --csv or --json prints them all")


def test_csv_has_the_columns_of_each_target_and_runs_nothing() -> None:
    data, n_escaped = csv_bytes(ANSWERS, ())
    head, row = csv.reader(io.StringIO(data.decode()))
    assert head[1:6] == ["area.value", "area.lower", "area.upper", "kind.label", "kind.sure"]
    assert head[6:] == ["kind.probability of =m", "kind.probability of b"]
    assert row == ["row 2", "'-1234.5", "2", "3.25", "'=m", "false", "0.75", "0.25"]
    assert n_escaped == 2


def test_the_page_leads_to_the_reports_and_runs_no_name() -> None:
    page = render_targets("cells", BOTH, {"<b>area": "1-b-area/report.html", "kind": "2-kind/report.html"})
    assert 'href="1-b-area/report.html"' in page
    assert "<b>area" not in page
    assert "&lt;b&gt;area" in page
    assert "bottega predict runs/cells-1/model.onnx new.csv --csv" in page
    unmet = render_targets("cells", replace(BOTH, model_path=None), {"<b>area": "1", "kind": "2"})
    assert "No file of all targets was made" in unmet
    assert "bottega predict" not in unmet
