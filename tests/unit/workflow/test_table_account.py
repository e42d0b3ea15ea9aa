"""A run on a table in words: each sentence follows from numbers."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import load_diabetes

from bottega.problem.records import Candidate, Score, Suspect
from bottega.workflow.account import Account
from bottega.workflow.candidates import Rules, develop
from bottega.workflow.judge import candidate_records, held_out, judge
from bottega.workflow.last_value import LAST
from bottega.workflow.options import train_options
from bottega.workflow.recipe import Recipe
from bottega.workflow.table_account import account_of_table
from bottega.workflow.table_trial import LookedTable
from bottega.workflow.train_table import TableTraining
from bottega.workflow.trial import Trial
from bottega.workflow.value_before import BEFORE


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Trial[LookedTable]:
    """Diabetes, with the mean and a ridge regression."""
    x, y = load_diabetes(return_X_y=True, scaled=False)
    path = tmp_path_factory.mktemp("table") / "diabetes.csv"
    lines = [",".join(f"{value:g}" for value in (*row[:4], target)) for row, target in zip(x, y, strict=True)]
    path.write_text("\n".join(["age,sex,bmi,bp,progress", *lines]), "utf-8")
    options = train_options(str(path), {"target": "progress"}).settled("regression")
    training = TableTraining(str(path), options, None)
    looked = training.look()
    contest = training.enter(looked, None)  # type: ignore[arg-type]
    rules = Rules("rmse", None, "best", 0.95, 0, k=3)
    divided, material = looked.split, contest.material
    developed = develop(material, contest.specs[:2], divided.rows("train"), divided.rows("val"), rules)
    tested = held_out(material, developed, divided.rows("test"))
    judged = judge(material, tested, developed, metric="rmse", naive=None)
    candidates = candidate_records(material, developed, tested, metric="rmse")
    recipe = Recipe("", {}, {}, {"threads": 1}, {}, {})
    return Trial(options, recipe, looked, material, developed, judged, candidates, Account("", (), (), (), ()))


def test_the_verdict_is_true_at_the_worse_end(trial: Trial[LookedTable]) -> None:
    said = account_of_table(trial)
    score = trial.judged.metrics["rmse"]
    assert said.verdict.startswith(
        f"It is off by {score.high:.0f} or less on average (RMSE), where always giving the mean"
    )
    assert any(line.startswith("Its 90\u202f% intervals held ") for line in said.believe)
    assert any("in each group of rows" in line for line in said.doubt)
    assert "picture" not in " ".join((said.verdict, *said.believe, *said.doubt, *said.next_steps))


def test_nothing_learned_is_said(trial: Trial[LookedTable]) -> None:
    choice = replace(trial.developed.choice, name="mean", best="mean")
    said = account_of_table(replace(trial, developed=replace(trial.developed, choice=choice)))
    assert said.verdict.startswith(
        "Nothing was learned: nothing that was tried is proved better than always giving the"
    )


@pytest.mark.parametrize(
    ("low", "high", "end"),
    [
        (-9.0, -4.0, None),
        (-2.0, 3.0, " It is not proved better than saying "),
        (1.0, 3.0, " It is worse than saying "),
    ],
)
@pytest.mark.parametrize(("name", "words"), [(LAST, "the same as last time."), (BEFORE, "the value before again.")])
def test_the_last_value_must_be_beaten(
    trial: Trial[LookedTable], name: str, words: str, low: float, high: float, end: str | None
) -> None:
    score = Score(60, 60.0, 50.0, 70.0, False)
    last = Candidate(name, "baseline", None, score, 0.0, None, None, Score(60, (low + high) / 2, low, high, False))
    said = account_of_table(replace(trial, candidates=(*trial.candidates, last))).verdict
    assert said.endswith(end + words) if end else words not in said


def test_that_nothing_beats_the_value_before_is_the_verdict(trial: Trial[LookedTable]) -> None:
    choice = replace(trial.developed.choice, name=BEFORE, best=BEFORE)
    ridge = trial.developed.chosen
    developed = replace(trial.developed, choice=choice, answered={**trial.developed.answered, BEFORE: ridge})
    windows = Suspect("windows", "a … c", "the rows are overlapping windows: saying 'c' again explains 99 %; and", "")
    looked = replace(trial.looked, look=replace(trial.looked.look, suspects=(windows,)))
    own = replace(next(one for one in trial.candidates if one.name == ridge.spec.name), name=BEFORE)
    said = account_of_table(replace(trial, looked=looked, developed=developed, candidates=(*trial.candidates, own)))
    assert said.verdict.startswith(
        "Nothing that was tried is proved better than saying the value before again. It is off by "
    )
    assert "Settle" not in said.verdict


def test_suspects_that_may_make_the_score_untrue_are_doubts(trial: Trial[LookedTable]) -> None:
    leak = Suspect("leak", "bmi", "'bmi' alone explains 99 % of the target", "leave it out")
    look = replace(trial.looked.look, suspects=(leak, Suspect("constant", "sex", "one value", "")))
    said = account_of_table(replace(trial, looked=replace(trial.looked, look=look)))
    assert "That the score holds on new rows: 'bmi' alone explains 99 % of the target." in said.doubt
    assert not any("one value" in line for line in said.doubt)
    assert said.verdict.endswith(" Settle this before you repeat it: 'bmi' alone explains 99 % of the target.")


def test_windows_are_no_doubt_where_the_split_is_by_time(trial: Trial[LookedTable]) -> None:
    windows = Suspect("windows", "a … c", "the rows are overlapping windows: saying 'c' again explains 99 %; and", "")
    looked = replace(trial.looked, look=replace(trial.looked.look, suspects=(windows,)))
    by_lot = account_of_table(replace(trial, looked=looked))
    assert by_lot.verdict.endswith(": the rows are overlapping windows: saying 'c' again explains 99 %.")
    by_time = account_of_table(replace(trial, looked=replace(looked, moments=np.arange(len(looked.y)))))
    assert "windows" not in " ".join((by_time.verdict, *by_time.doubt))


def test_copies_are_worth_another_fit_in_folds_too_if_there_is_time(trial: Trial[LookedTable]) -> None:
    copied = replace(trial.looked, groups=np.minimum(trial.looked.groups, 400))
    folds = replace(copied, split=replace(copied.split, source="cv"))
    assert TableTraining("x.csv", trial.options, None).refits(folds, trial.developed)
    short = replace(trial.options, time_seconds=1.0)
    assert not TableTraining("x.csv", short, None).refits(folds, trial.developed)
    assert TableTraining("x.csv", short, None).refits(copied, trial.developed)
    few = replace(folds, groups=np.minimum(trial.looked.groups, 250))
    assert not TableTraining("x.csv", trial.options, None).refits(few, trial.developed)
    assert not TableTraining("x.csv", trial.options, None).refits(trial.looked, trial.developed)


def test_free_text_that_no_model_reads_is_a_next_step(trial: Trial[LookedTable]) -> None:
    taken = replace(trial.looked.taken, left_out={"notes": "free text"})
    said = account_of_table(replace(trial, looked=replace(trial.looked, taken=taken)))
    assert said.next_steps[0] == "Try --features: without it notes is not read, since it is free text."


def test_what_the_time_cut_short_is_a_next_step(trial: Trial[LookedTable]) -> None:
    one = trial.developed.chosen
    cut = replace(one, setting={**one.setting, "most_iterations": 41})
    developed = replace(trial.developed, answered={**trial.developed.answered, "gradient boosting": cut})
    said = account_of_table(replace(trial, developed=developed)).next_steps
    assert said[0] == "Gradient boosting had time for 41 iterations at most: --time 5m, or none, lets it have more."
    assert not any("iterations" in line for line in account_of_table(trial).next_steps)
