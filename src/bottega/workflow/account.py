"""The run in words: the verdict, what to believe, what to doubt, what to do next. Sentences are built from numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

from bottega.data.splits import SMALL_CLASS_GROUPS, SMALL_GROUPS
from bottega.evaluation.intervals import examples_for_half_the_interval
from bottega.evaluation.metrics import MEAN_COST, metric_named
from bottega.evaluation.wording import joined, percent, percent_range, points, shortened
from bottega.problem.records import Candidate, Finding, LookRecord, Score
from bottega.workflow.candidates import Developed
from bottega.workflow.enough import LITTLE_LEFT
from bottega.workflow.judge import Judged

__all__ = [
    "MAJORITY",
    "Account",
    "against",
    "believe",
    "best_rival",
    "findings",
    "give_account",
    "in_folds",
    "more_time",
    "next_steps",
    "verdict",
]

MAJORITY = "most frequent class"


@dataclass(frozen=True)
class Account:
    """What the record says in sentences."""

    verdict: str
    believe: tuple[str, ...]
    doubt: tuple[str, ...]
    next_steps: tuple[str, ...]
    findings: tuple[Finding, ...]


def give_account(
    look: LookRecord, judged: Judged, developed: Developed, candidates: Sequence[Candidate], *, metric: str, source: str
) -> Account:
    """Put a run into words.

    Args:
        metric: what was judged.
        source: "held-out", "given" or "cv".
    """
    score = judged.metrics[metric]
    rival = best_rival(candidates, developed.choice.name)
    return Account(
        verdict=verdict(rival, developed, metric, source, judged),
        believe=tuple(believe(rival, judged, metric)),
        doubt=tuple(_doubt(look, judged, source)),
        next_steps=(*more_time(developed), *next_steps(look, judged, score, metric)),
        findings=findings(look, judged),
    )


def best_rival(candidates: Sequence[Candidate], chosen: str) -> Candidate | None:
    """The baseline, or the network where a baseline ships, that came nearest on the test part."""
    kinds = {candidate.name: candidate.kind for candidate in candidates}
    rivals = [c for c in candidates if c.kind != kinds[chosen] and c.test is not None]
    if not rivals:
        return None
    return max(rivals, key=lambda c: _sign(c.test) * (c.test.score if c.test else 0.0))


def _sign(score: Score | None) -> float:
    return 1.0 if score is None or score.higher_is_better else -1.0


def verdict(
    rival: Candidate | None, developed: Developed, metric: str, source: str, judged: Judged, noun: str = "picture"
) -> str:
    """What may be repeated: true at the lower end of the interval."""
    if developed.choice.name == MAJORITY and developed.choice.best == MAJORITY:
        return (
            "Nothing was learned: nothing that was tried is proved better than always giving the most frequent answer."
        )
    if developed.choice.name == MAJORITY and judged.costs:
        always = judged.costs["always"]["label"]
        return f"Nothing was learned: nothing that was tried is proved cheaper than always saying {always}."
    lead = score = judged.metrics[metric]
    without = judged.metrics.get(f"{metric}_without_twins")
    if source == "given" and without is not None and (without.score < score.low or without.score > score.high):
        lead = without  # copies of training pictures in the given test part flatter the score
    if metric_named(metric).is_share and metric == "accuracy":
        least = int(100 * lead.low + 1e-9)
        text = f"It is right at least {least} times in 100"
    elif metric == MEAN_COST.name:
        text = f"By its answers a row costs {lead.high:.3g} or less on average"
    else:
        bound = lead.low if lead.higher_is_better else lead.high
        text = f"Its {metric.replace('_', ' ')} is {bound:.3g} or {'more' if lead.higher_is_better else 'less'}"
    text += against(rival, developed, noun)
    if source == "cv":
        text += in_folds(judged, metric)
    return text


def in_folds(judged: Judged, metric: str) -> str:
    """That there was no test part, and why: few examples, few of a class, or because it was asked for."""
    n = judged.metrics[metric].n_groups or judged.metrics[metric].n
    rare = min(judged.per_class, key=lambda one: int(judged.per_class[one]["n"]), default=None)
    how = "comes from training on parts of the data again and again (cross-validation)."
    if n < SMALL_GROUPS:
        return f" The data are few, so this {how}"
    if rare is not None and judged.per_class[rare]["n"] < SMALL_CLASS_GROUPS:
        return f" Of {shortened(rare, 30)} there are only {judged.per_class[rare]['n']}, so this {how}"
    return f" This {how}"


def against(rival: Candidate | None, developed: Developed, noun: str = "picture") -> str:
    """How it stands to the best rival of another kind: the end of the verdict."""
    is_network = developed.chosen.spec.kind == "network"
    gap = rival.difference if rival is not None else None
    if rival is None or gap is None:
        tried = {one.spec.kind for one in developed.answered.values()}
        if is_network and developed.skipped and "baseline" not in tried:
            return ". Simpler methods were not tried: the time was too short for them."
        untried = [why for spec, why in developed.skipped if spec.kind == "network" and "network" not in tried]
        if not untried:
            return "."
        reason = "the report says why"
        if any(not why.startswith("not tried") for why in untried):
            reason = "the time was too short for it"
        elif any(LITTLE_LEFT in why for why in untried):
            reason = "little was left to gain"
        return f". The network was not tried: {reason}."
    better = gap.low > 0 if gap.higher_is_better else gap.high < 0
    worse = gap.high < 0 if gap.higher_is_better else gap.low > 0
    if is_network and better:
        return ", and clearly better than simpler methods."
    if is_network and worse:
        return f", but a simpler method does better: {rival.name}."
    if is_network:
        return f"; whether it beats simpler methods cannot be told from these {noun}s."
    if better:
        return f": {developed.choice.name} beats the network."
    if worse:  # only where --ship asked for it
        return f": {developed.choice.name} was asked for, and the network does clearly better."
    setting, name = developed.chosen.setting, developed.choice.name
    if "trials" in setting:  # the tuned one may be a network
        return f": {name} ({setting['kind']}) does it, and an untuned network is not proved better."
    alone = " alone" if "weights" in setting else ""  # a mixture may hold networks
    return f": {name} does it, and a network{alone} is not proved better."


def believe(rival: Candidate | None, judged: Judged, metric: str, noun: str = "picture") -> list[str]:
    """What the test part proves."""
    said = []
    if rival is not None and rival.difference is not None and metric_named(metric).is_share:
        gap = rival.difference
        verb = "beats" if gap.low > 0 else "is behind" if gap.high < 0 else "differs from"
        said.append(
            f"It {verb} its best rival of another kind, {rival.name}, by {points(abs(gap.score), gap.low, gap.high)} "
            f"(95 % interval {100 * gap.low:.1f} … {100 * gap.high:.1f}), judged on the same {noun}s."
        )
    sure = judged.sure
    if sure["threshold"] is not None and sure["accuracy"] is not None:
        accuracy = sure["accuracy"]
        said.append(
            f"Where it says sure, {percent(sure['coverage'])} of the test {noun}s, it was right "
            f"{percent(accuracy.score, accuracy.low, accuracy.high)} of the time "
            f"({percent_range(accuracy.low, accuracy.high)})."
        )
    return said or [f"The score, within its interval, for {noun}s like these."]


def _doubt(look: LookRecord, judged: Judged, source: str) -> list[str]:
    said = []
    if source == "cv":
        said.append("The score is of models like the one that ships; that one was fitted on all pictures.")
    if judged.sure["threshold"] is None:
        said.append(f"That it knows when it is unsure: {judged.sure['why'].removeprefix('nothing is sure: ')}.")
    alike = judged.lookalikes
    if alike is not None and alike.suspect() is not None:
        without = alike.without
        said.append(
            f"That it does as well on new scenes and things: {percent(alike.share)} of the test pictures have a "
            f"look-alike in training; without them it scores {percent(without.score, without.low, without.high)} "
            f"({percent_range(without.low, without.high)})."
        )
    leaks = [suspect for suspect in look.suspects if suspect.kind in ("leak", "shortcut")]
    said += [f"That it looks at the thing itself: {leak.evidence}" for leak in leaks[:2]]
    if any(suspect.kind == "group" for suspect in look.suspects):
        said.append(
            "That it works on new subjects: sub-folders may be subjects, and were not kept together (--group-by)."
        )
    said.append("That it works on other cameras, places or times: all pictures come from one source.")
    return said[:3]


def more_time(developed: Developed) -> list[str]:
    """What `--time` left out."""
    left_out = [spec.name for spec, why in developed.skipped if not why.startswith("not tried")]
    if not left_out:
        return []
    return [f"Give it more time (--time 5m, or none): {joined(left_out)} could not be tried."]


def next_steps(look: LookRecord, judged: Judged, score: Score, metric: str, noun: str = "picture") -> list[str]:
    """What would help, the surest gain first."""
    steps = []
    conflicts = [twin for twin in look.twins if twin.is_conflict]
    if conflicts:
        many = f"1 group of {noun}s has" if len(conflicts) == 1 else f"{len(conflicts)} groups of {noun}s have"
        steps.append(f"Look at the labels that contradict each other: {many} the same content under different labels.")
    weakest = min(
        (item for item in judged.per_class.items() if item[1]["recall"] is not None),
        key=lambda item: item[1]["recall"].score,
        default=None,
    )
    if weakest is not None and weakest[1]["recall"].score < 1 and not judged.costs:  # costs may ask for that
        name, facts = weakest
        wrong = round(facts["n"] * (1 - facts["recall"].score))
        steps.append(
            f"Add {noun}s of {shortened(name, 40)}: {wrong} of its {facts['n']} test {noun}s "
            f"{'was' if wrong == 1 else 'were'} taken for something else, a larger share than of any other class."
        )
    more = examples_for_half_the_interval(score, is_share=metric_named(metric).is_share)
    steps.append(f"For half the interval, test on about {more:,} more {noun}s.")
    return steps


def findings(look: LookRecord, judged: Judged, noun: str = "picture") -> tuple[Finding, ...]:
    """What is wrong with labels and answers; `nothing to mend` where nothing is."""
    found = []
    never = [name for name, facts in judged.per_class.items() if facts["precision"] is None and facts["n"] > 0]
    if never and not judged.costs:
        names = ", ".join(shortened(name, 40) for name in never[:5])
        found.append(
            Finding(
                "a class that is never predicted",
                f"{names}: no test {noun} got this answer",
                "it is too rare, or looks like another one",
                f"add {noun}s of it, or --metric balanced_accuracy",
                "high",
            )
        )
    conflicts = sum(twin.is_conflict for twin in look.twins)
    if conflicts:
        found.append(
            Finding(
                "labels that contradict each other",
                ("one group" if conflicts == 1 else f"{conflicts} groups")
                + f" of the same or nearly the same {noun} under different labels",
                "at least one label of each group is wrong",
                "look at them in the report and move the pictures"
                if noun == "picture"
                else "look at these rows and mend them",
                "high" if any(t.is_conflict and t.kind == "exact" for t in look.twins) else "medium",
            )
        )
    if found:
        return tuple(found)
    return (
        Finding(
            "nothing to mend",
            "none of the checks on labels and answers found a fault",
            "the run is healthy",
            "none",
            "high",
        ),
    )
