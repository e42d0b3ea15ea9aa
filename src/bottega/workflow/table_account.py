"""A run on a table in words: what to believe, what to doubt, what to do next; sentences are built from numbers."""

from bottega.data.table_weights import worth
from bottega.evaluation.intervals import examples_for_half_the_interval
from bottega.evaluation.metrics import metric_named
from bottega.evaluation.wording import count, joined, number, percent, percent_range, shortened, typical
from bottega.problem.records import Candidate, Score
from bottega.workflow.account import (
    MAJORITY,
    Account,
    against,
    believe,
    best_rival,
    findings,
    in_folds,
    more_time,
    next_steps,
    verdict,
)
from bottega.workflow.judge_costs import cost_words
from bottega.workflow.last_value import LAST
from bottega.workflow.table_trial import LookedTable
from bottega.workflow.table_tuned import NAME as TUNED
from bottega.workflow.trial import Trial
from bottega.workflow.value_before import BEFORE

__all__ = ["account_of_table"]

MEAN, BOOSTING = "mean", "gradient boosting"
SAID = {LAST: "the same as last time", BEFORE: "the value before again"}
NAMED = ("leak", "windows", "time", "group", "drift")  # suspects that may make the score itself untrue
MOST = 3  # of each list
IN_WORDS = {"rmse": "off by {} on average (RMSE)", "mae": "off by {} on average (mean error)"}


def account_of_table(trial: Trial[LookedTable]) -> Account:
    """Put a run into words."""
    looked, judged, developed = trial.looked, trial.judged, trial.developed
    metric, source = trial.options.metric, looked.split.source
    chosen = developed.choice.name
    rival = best_rival([one for one in trial.candidates if one.name == chosen or one.name not in SAID], chosen)
    if looked.classes:
        said = verdict(rival, developed, metric, source, judged, "row")
        proved = [*cost_words(judged.costs), *believe(rival, judged, metric, "row")]
        steps = next_steps(looked.look, judged, judged.metrics[metric], metric, "row")
    else:
        said, proved, steps = _verdict(trial, rival), _believe(trial, rival), _next_steps(trial)
    return Account(
        verdict=said + _beside_last(trial) + _unsettled(trial),
        believe=(*proved, *_tuned(trial), *_weighted(trial)),
        doubt=tuple(_doubt(trial)),
        next_steps=(*_left_out(trial), *more_time(developed), *_cut(trial), *steps)[:MOST],
        findings=findings(looked.look, judged, "row"),
    )


def _verdict(trial: Trial[LookedTable], rival: Candidate | None) -> str:
    """True at the worse end of the interval."""
    developed, metric = trial.developed, trial.options.metric
    if developed.choice.name == MEAN and developed.choice.best == MEAN:
        return "Nothing was learned: nothing that was tried is proved better than always giving the mean."
    score = trial.judged.metrics[metric]
    bound = score.low if score.higher_is_better else score.high
    shown = number(bound, score.low, score.high)
    if metric in IN_WORDS:
        text = f"It is {IN_WORDS[metric].format(f'{shown} or less')}{_beside_mean(trial, metric)}"
    else:
        text = f"Its {metric.replace('_', ' ')} is {shown} or {'more' if score.higher_is_better else 'less'}"
    if developed.choice.name == BEFORE and trial.options.ship == "best":
        return f"Nothing that was tried is proved better than saying the value before again. {text}."
    text += against(rival, developed, "row")
    if trial.looked.split.source == "cv":
        text += in_folds(trial.judged, metric)
    return text


def _beside_last(trial: Trial[LookedTable]) -> str:
    """Under a split by time, whether knowing the last value is as good; of windows, the last one of the window."""
    last = next((one for one in trial.candidates if one.name in SAID), None)
    gap = None if last is None else last.difference
    if last is None or gap is None or (gap.low > 0 if gap.higher_is_better else gap.high < 0):
        return ""
    worse = gap.high < 0 if gap.higher_is_better else gap.low > 0
    return f" It is {'worse' if worse else 'not proved better'} than saying {SAID[last.name]}."


def _unsettled(trial: Trial[LookedTable]) -> str:
    """What may make the whole score untrue: a column that holds the answer, or windows over one series split by lot."""
    kinds = ("leak",) if len(trial.looked.moments) else ("leak", "windows")
    told = next((one for one in trial.looked.look.suspects if one.kind in kinds), None)
    if told is None or trial.developed.choice.name in (MEAN, MAJORITY, BEFORE):
        return ""
    return f" Settle this before you repeat it: {told.evidence.partition(';')[0]}."


def _beside_mean(trial: Trial[LookedTable], metric: str) -> str:
    """What knowing nothing comes to."""
    mean = next((one for one in trial.candidates if one.name == MEAN and one.test is not None), None)
    if mean is None or mean.test is None or trial.developed.choice.name == MEAN or metric not in IN_WORDS:
        return ""
    return f", where always giving the mean is off by {number(mean.test.score, mean.test.low, mean.test.high)}"


def _believe(trial: Trial[LookedTable], rival: Candidate | None) -> list[str]:
    said = []
    gap = rival.difference if rival is not None else None
    if rival is not None and gap is not None:
        better = gap.low > 0 if gap.higher_is_better else gap.high < 0
        worse = gap.high < 0 if gap.higher_is_better else gap.low > 0
        verb = "beats" if better else "is behind" if worse else "differs from"
        size = number(abs(gap.score), gap.low, gap.high)
        said.append(
            f"It {verb} its best rival of another kind, {rival.name}, by {size} "
            f"(95 % interval {number(gap.low, gap.low, gap.high)} … {number(gap.high, gap.low, gap.high)}), "
            "judged on the same rows."
        )
    return [*said, *_interval(trial)] or ["The score, within its interval, for rows like these."]


def _interval(trial: Trial[LookedTable]) -> list[str]:
    found = trial.judged.interval
    held: Score | None = found.get("held")
    if held is None:
        return []
    width: Score | None = found.get("width")
    wide = "" if width is None else f"; they are {typical(width)} wide on average"
    share = percent(held.score, held.low, held.high)
    return [
        f"Its {percent(found['coverage'])} intervals held {share} of the true values "
        f"of the test rows ({percent_range(held.low, held.high)}), all rows taken together{wide}."
    ]


def _doubt(trial: Trial[LookedTable]) -> list[str]:
    looked, judged = trial.looked, trial.judged
    said = []
    if looked.split.source == "cv":
        said.append("The score is of models like the one that ships; that one was fitted on all rows.")
    if looked.classes and judged.sure["threshold"] is None:
        said.append(f"That it knows when it is unsure: {judged.sure['why'].removeprefix('nothing is sure: ')}.")
    told = [suspect for suspect in looked.look.suspects if suspect.kind in NAMED]
    if len(looked.moments):  # the split is by time, as windows need it
        told = [suspect for suspect in told if suspect.kind != "windows"]
    said += [f"That the score holds on new rows: {suspect.evidence}." for suspect in told[:2]]
    if judged.interval:
        said.append("That its intervals hold as often in each group of rows: the promise is for all rows together.")
    said.append("That it works on rows from elsewhere or later: all rows come from one table.")
    return said[:MOST]


def _tuned(trial: Trial[LookedTable]) -> list[str]:
    """How much the tuned candidate was tuned, and what it is."""
    one = trial.developed.answered.get(TUNED)
    if one is None:
        return []
    trials: dict[str, int] = one.setting["trials"]
    if not any(trials.values()):
        return ["There was no time for a single trial of tuning: what is called tuned is the best one as it was."]
    kinds = joined([f"{n} of {name}" for name, n in trials.items()])
    best = one.setting["kind"]
    return [f"Tuned in {sum(trials.values())} trials ({kinds}), on training rows alone: {best} did best."]


def _cut(trial: Trial[LookedTable]) -> list[str]:
    """What a time limit cut short."""
    one = trial.developed.answered.get(BOOSTING)
    most = None if one is None else one.setting.get("most_iterations")
    if most is None:
        return []
    return [f"Gradient boosting had time for {most} iterations at most: --time 5m, or none, lets it have more."]


def _weighted(trial: Trial[LookedTable]) -> list[str]:
    """What rows count, where they don't all count the same."""
    facts, tested = trial.looked.facts, trial.judged.tested
    if trial.looked.weights is None:
        return []
    rows = tested.rows[tested.once]
    said = (
        f"Rows count by {shortened(facts['weight_column'], 40)}: for a mean the {count(len(rows))} test rows are worth "
        f"{worth(trial.looked.weights[rows]):,.0f} that count the same."
    )
    without = [one.spec.name for one in trial.developed.answered.values() if not one.spec.weighs]
    return [said, *([f"Fitted without the weights, which it cannot take: {joined(without)}."] if without else [])]


def _next_steps(trial: Trial[LookedTable]) -> list[str]:
    metric = trial.options.metric
    score = trial.judged.metrics[metric]
    more = examples_for_half_the_interval(score, is_share=metric_named(metric).is_share)
    return [f"For half the interval, test on about {more:,} more rows."]


def _left_out(trial: Trial[LookedTable]) -> list[str]:
    """Columns that no model was given though they may say something."""
    left_out = [name for name in trial.looked.taken.left_out if name not in trial.looked.taken.texts]
    if not left_out:
        return []
    names = ", ".join(shortened(name, 30) for name in left_out[:3])
    rest = f" and {count(len(left_out) - 3)} more" if len(left_out) > 3 else ""
    return [f"Try --features: without it {names}{rest} is not read, since it is free text."]
