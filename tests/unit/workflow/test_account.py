"""A run in words: each sentence follows from numbers, and turns when they turn."""

from dataclasses import replace
from typing import Any

import pytest

from bottega.problem.records import Candidate, LookRecord, Score, Suspect, Task, Twin
from bottega.workflow.account import Account, give_account
from bottega.workflow.candidates import Developed, develop
from bottega.workflow.judge import Judged, held_out, judge
from digits_material import NAMES, RULES, digits, parts, specs

SHIPS, RIVAL = "pretrained + linear", "linear on thumbnails"
LOOK = LookRecord(Task("classification", "images", "the folder", NAMES[:4], "folders"), 300, {}, (), (), (), None)


@pytest.fixture(scope="module")
def run() -> tuple[Developed, Judged]:
    material = digits(300, n_classes=4)
    train, val, test = parts(material, 160, 210)
    one = develop(material, [specs(material)[2], specs(material)[4]], train, val, replace(RULES, ship="network"))
    return one, judge(material, held_out(material, one, test), one, metric="accuracy", naive=None)


def score(value: float, low: float, high: float, *, higher_is_better: bool = True) -> Score:
    return Score(100, value, low, high, higher_is_better, 100)


def against(low: float, high: float, *, higher_is_better: bool = True) -> tuple[Candidate, ...]:
    """What ships, and one rival that it differs from by that interval on the test part."""
    gap = score((low + high) / 2, low, high, higher_is_better=higher_is_better)
    some = score(0.9, 0.8, 0.95, higher_is_better=higher_is_better)
    return (
        Candidate(SHIPS, "network", some, some, 1.0, None, "ships", None),
        Candidate(RIVAL, "baseline", some, some, 1.0, None, "cannot tell", gap),
    )


def account(
    run: tuple[Developed, Judged],
    candidates: tuple[Candidate, ...],
    *,
    look: LookRecord = LOOK,
    metric: str = "accuracy",
    source: str = "held-out",
    **changes: Any,
) -> Account:
    developed, judged = run
    return give_account(look, replace(judged, **changes), developed, candidates, metric=metric, source=source)


@pytest.mark.parametrize(
    ("low", "high", "end"),
    [
        (0.02, 0.1, ", and clearly better than simpler methods."),
        (-0.1, -0.02, f", but a simpler method does better: {RIVAL}."),
        (-0.02, 0.1, "; whether it beats simpler methods cannot be told from these pictures."),
    ],
)
def test_verdict(low: float, high: float, end: str, run: tuple[Developed, Judged]) -> None:
    found = account(run, against(low, high), metrics={"accuracy": score(0.97, 0.934, 0.99)})
    assert found.verdict == f"It is right at least 93 times in 100{end}"  # the lower end, rounded down


def test_verdict_where_lower_is_better(run: tuple[Developed, Judged]) -> None:
    loss = {"log_loss": score(0.2, 0.1, 0.34, higher_is_better=False)}
    found = account(run, against(-0.3, -0.1, higher_is_better=False), metric="log_loss", metrics=loss)
    assert found.verdict == "Its log loss is 0.34 or less, and clearly better than simpler methods."


def test_small_data_are_said(run: tuple[Developed, Judged]) -> None:
    found = account(run, against(0.02, 0.1), source="cv")
    assert "cross-validation" in found.verdict
    assert found.doubt[0].startswith("The score is of models like the one that ships")


@pytest.mark.parametrize(("source", "least"), [("given", 70), ("held-out", 93)])
def test_twins_across_given_parts_lead_the_verdict(source: str, least: int, run: tuple[Developed, Judged]) -> None:
    metrics = {"accuracy": score(0.97, 0.93, 0.99), "accuracy_without_twins": score(0.8, 0.7, 0.88)}
    found = account(run, against(0.02, 0.1), source=source, metrics=metrics)
    assert found.verdict.startswith(f"It is right at least {least} times in 100")


def test_why_there_is_no_test_part_is_said_as_it_is(run: tuple[Developed, Judged]) -> None:
    many = replace(run[1].metrics["accuracy"], n=900, n_groups=900)
    facts = {name: {**row, "n": 200} for name, row in run[1].per_class.items()}
    said = account(run, against(0.02, 0.1), source="cv", metrics={"accuracy": many}, per_class=facts).verdict
    assert " This comes from training on parts of the data" in said
    rare = {**facts, next(iter(facts)): {**next(iter(facts.values())), "n": 5}}
    said = account(run, against(0.02, 0.1), source="cv", metrics={"accuracy": many}, per_class=rare).verdict
    assert f" Of {next(iter(facts))} there are only 5, so this comes from training" in said


def test_sure(run: tuple[Developed, Judged]) -> None:
    sure = {"threshold": 0.9, "coverage": 0.6, "accuracy": score(0.99, 0.95, 1.0), "why": "", "sure_at": 0.95}
    assert any("Where it says sure, 60" in text for text in account(run, against(0.02, 0.1), sure=sure).believe)
    never = {"threshold": None, "coverage": 0.0, "accuracy": None, "why": "too few to tell", "sure_at": 0.95}
    found = account(run, against(0.02, 0.1), sure=never)
    assert "That it knows when it is unsure: too few to tell." in found.doubt
    assert not any("says sure" in text for text in found.believe)


def test_a_candidate_that_was_asked_for_although_the_network_is_better() -> None:
    material = digits(300, n_classes=4)
    train, val, test = parts(material, 160, 210)
    rules = replace(RULES, ship=RIVAL)
    developed = develop(material, [specs(material)[2], specs(material)[4]], train, val, rules)
    judged = judge(material, held_out(material, developed, test), developed, metric="accuracy", naive=None)
    some, gap = score(0.9, 0.8, 0.95), score(-0.3, -0.4, -0.2)
    candidates = (
        Candidate(RIVAL, "baseline", some, some, 1.0, None, "ships", None),
        Candidate(SHIPS, "network", some, some, 1.0, None, "better", gap),
    )
    verdict = account((developed, judged), candidates).verdict
    assert verdict.endswith(f": {developed.choice.name} was asked for, and the network does clearly better.")


def test_what_to_do_next(run: tuple[Developed, Judged]) -> None:
    twin = Twin("exact", ("a/1.png", "b/2.png"), ("a", "b"))
    recalls = {"a": 0.9, "b\n\u202e": 0.5, "c": 1.0}
    per_class = {
        name: {"n": 10, "recall": score(value, 0.0, 1.0), "precision": score(1, 0, 1)}
        for name, value in recalls.items()
    }
    found = account(run, against(0.02, 0.1), look=replace(LOOK, twins=(twin,)), per_class=per_class)
    first, second, last = found.next_steps
    assert first.startswith("Look at the labels that contradict each other: 1 group of pictures has")
    assert "5 of its 10 test pictures" in second
    assert last.startswith("For half the interval, test on about ")
    (finding,) = found.findings
    assert (finding.name, finding.sure) == ("labels that contradict each other", "high")


def test_all_right_means_no_class_is_blamed(run: tuple[Developed, Judged]) -> None:
    per_class = {name: {"n": 10, "recall": score(1, 0.7, 1), "precision": score(1, 0.7, 1)} for name in "ab"}
    found = account(run, against(0.02, 0.1), per_class=per_class)
    assert not any(text.startswith("Add pictures of") for text in found.next_steps)
    assert [finding.name for finding in found.findings] == ["nothing to mend"]


def test_a_class_that_is_never_predicted(run: tuple[Developed, Judged]) -> None:
    per_class = {"a": {"n": 10, "recall": score(0, 0, 0.3), "precision": None}}
    (finding,) = account(run, against(0.02, 0.1), per_class=per_class).findings
    assert (finding.name, finding.sure) == ("a class that is never predicted", "high")
    assert finding.evidence.startswith("a: ")


def test_at_most_three_doubts(run: tuple[Developed, Judged]) -> None:
    suspects = tuple(Suspect(kind, "x", f"evidence of {kind}", "fix") for kind in ("shortcut", "leak", "group", "leak"))
    found = account(run, against(0.02, 0.1), look=replace(LOOK, suspects=suspects), source="cv")
    assert len(found.doubt) == 3
    assert "That it looks at the thing itself: evidence of shortcut" in found.doubt
    assert account(run, against(0.02, 0.1)).doubt[-1].startswith("That it works on other cameras")


def test_a_rival_alone_is_no_rival(run: tuple[Developed, Judged]) -> None:
    found = account(run, against(0.02, 0.1)[:1], metrics={"accuracy": score(0.97, 0.93, 0.99)})
    assert found.verdict == "It is right at least 93 times in 100."
    assert found.believe
