"""The verdict of a training on the terminal."""

from dataclasses import replace

import pytest

from bottega.cli.verdict import verdict_lines
from bottega.problem.records import Candidate, Rejected, Score, Suspect, Task, TrainRecord, Twin


def candidate(name: str, score: float, relation: str | None = None) -> Candidate:
    return Candidate(name, "baseline", None, Score(539, score, score - 0.013, score + 0.009), 1.0, None, relation)


RECORD = TrainRecord(
    run_dir="runs/digits-1",
    model_path="runs/digits-1/model.onnx",
    report_path="runs/digits-1/report.html",
    task=Task("classification", "images", None, ("a", "b"), ""),
    chosen="pretrained + linear",
    metric="accuracy",
    verdict="Of 100 new pictures like these it names at least 96 rightly, clearly better than its rivals.",
    test={"n": 539, "n_groups": 443, "score": 0.974, "low": 0.961, "high": 0.983, "source": "held-out"},
    metrics={},
    candidates=(candidate("random forest", 0.933, "worse"), candidate("pretrained + linear", 0.974)),
    findings=(),
    rejected=(Rejected("96.jpg", "a style sheet"),),
    suspects=(Suspect("shortcut", "sizes", "a", "b"),),
    seconds={"total": 130.2},
    twins=(Twin("near", ("a", "b"), ("x", "y")), Twin("exact", ("c", "d", "e"), ("x", "x", "x"))),
    next_steps=("Add pictures of 8.", "Read the conflict.", "A third that waits."),
)


def test_the_answer_comes_first() -> None:
    lines = verdict_lines(RECORD)
    assert lines[0] == "97.4 %  of 539 test pictures in 443 groups, 96.1 … 98.3"
    assert lines[1].startswith("Of 100 new pictures like these it names at least 96 rightly")
    place = lines.index("Look first   1 label conflict · 1 rejected file · 3 twins in 1 group · 1 suspect")
    assert lines[place + 1] == " " * 13 + "(shortcut)"
    assert "Next         bottega predict runs/digits-1/model.onnx photo.jpg" in lines
    assert "Then         Add pictures of 8." in lines
    assert "Report       runs/digits-1/report.html" in lines


def test_rivals_stand_by_score() -> None:
    rivals = [line for line in verdict_lines(RECORD) if "●" in line]
    assert rivals[0].startswith("  pretrained + linear ")
    assert rivals[0].endswith("ships")
    assert rivals[1].endswith("worse")


@pytest.mark.parametrize(
    ("rival", "source", "said"),
    [
        (0.99, "held-out", "  The choice was made on validation, before the test part was read."),
        (0.93, "held-out", None),
        (0.93, "cv", "  The score above also pays for choosing among these anew in each fold."),
    ],
)
def test_what_would_puzzle_is_explained(rival: float, source: str, said: str | None) -> None:
    record = replace(
        RECORD,
        test={**RECORD.test, "score": 0.974 if source == "held-out" else 0.97, "source": source},
        candidates=(candidate("random forest", rival, "worse"), candidate("pretrained + linear", 0.974)),
    )
    assert [line for line in verdict_lines(record) if line.startswith("  The ")] == ([said] if said else [])


@pytest.mark.parametrize("n_rivals", [0, 1, 7, 30])
def test_it_fits_the_screen(n_rivals: int) -> None:
    rivals = tuple(candidate(f"rival number {i}", 0.99 - i / 100, "tied") for i in range(n_rivals))
    full = replace(
        RECORD,
        candidates=(*rivals, candidate("pretrained + linear", 0.3)),
        verdict="many words " * 80,
        next_steps=("many words " * 80,) * 9,
    )
    lines = verdict_lines(full)
    assert len(lines) <= 25
    assert max(map(len, lines)) <= 80
    assert any(line.endswith("ships") for line in lines)


def test_a_bar_not_met() -> None:
    lines = verdict_lines(replace(RECORD, model_path=None))
    assert "Not shipped  the bar was not met; run and report are kept" in lines
    assert not any("bottega predict" in line for line in lines)
    assert not any(line.endswith("ships") for line in lines)


def test_lower_is_better_turns_the_order() -> None:
    loss = {"n": 539, "n_groups": 539, "score": 0.31, "low": 0.29, "high": 0.33, "source": "cv"}
    scores = [Score(539, 0.5, 0.4, 0.6, False), Score(539, 0.31, 0.29, 0.33, False)]
    rivals = tuple(Candidate(str(i), "baseline", None, score, 1.0) for i, score in enumerate(scores))
    lines = verdict_lines(replace(RECORD, metric="log_loss", test=loss, candidates=rivals, chosen="1"))
    assert lines[0] == "log loss 0.310  of 539 cross-validated pictures, 0.290 … 0.330"
    assert next(line for line in lines if "●" in line).startswith("  1 ")


def test_names_cannot_redraw_the_screen() -> None:
    hostile = replace(
        RECORD,
        verdict="a\x1b[2Jb",
        model_path="runs/a b\n/model.onnx",
        chosen="x\u202e",
        candidates=(candidate("x\u202e", 0.9),),
    )
    text = "\n".join(verdict_lines(hostile))
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "bottega predict 'runs/a b\\n/model.onnx' photo.jpg" in text


def test_nothing_to_look_at() -> None:
    clean = replace(RECORD, twins=(), rejected=(), suspects=())
    assert "Look first   nothing: no picture was rejected, doubled or suspicious" in verdict_lines(clean)


def test_copies_are_told_with_what_a_split_that_ignores_them_would_claim() -> None:
    torn = {"twins_split": Score(539, 0.991, 0.979, 0.996)}
    text = " ".join(" ".join(verdict_lines(replace(RECORD, metrics=torn))).split())
    assert "3 twins in 1 group (a split that ignores them claims 99.1 %) · 1 suspect" in text
