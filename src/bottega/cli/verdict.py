"""What a training came to, in at most 25 lines: the answer, its rivals, what to look at, what to do next."""

import shlex
import textwrap
from typing import Any

from bottega.cli.axis import IN_PERCENT, Estimate, axis_lines, number
from bottega.cli.terminal import WIDTH, count, duration, escape, fold
from bottega.problem.records import Candidate, Score, SeedSpread, SmallFile, TrainRecord

__all__ = ["headline", "verdict_lines"]

MAX_RIVALS = 7
MAX_LINES = 25
NOUN = {"images": "picture", "tables": "row", "texts": "text", "series": "window"}
EXAMPLE = {"tables": "new.csv", "texts": "new.csv"}
PART = {"held-out": "test ", "given": "given test ", "cv": "cross-validated "}
KIND = {  # in the words of who has pictures, or rows
    "images": {"few": "few pictures of a class", "group": "perhaps one scene or subject"},
    "tables": {"few": "few rows of a class", "group": "rows that belong together"},
    "texts": {"few": "few texts of a class"},
}
REJECTED = {"row": "row without a target", "text": "text without a label"}
REMARK = {"tied": "tied", "worse": "worse", "better": "better", "cannot tell": "cannot tell"}


def verdict_lines(record: TrainRecord) -> list[str]:
    """Lay a finished training out for the terminal.

    Returns:
        Lines of at most 80 columns, what came from the data escaped.
    """
    lines = [headline(record), *textwrap.wrap(escape(record.verdict), WIDTH, max_lines=5, placeholder=" …"), ""]
    lines += _rival_lines(record)
    lines += fold("Costs", _costs(record.costs), max_lines=3) if record.costs else []
    lines += fold("Features", escape(record.features.said), max_lines=3) if record.features is not None else []
    lines += fold("Look first", " · ".join(_look_first(record)), max_lines=3)
    if record.model_path is not None:
        example = EXAMPLE.get(record.task.modality, "photo.jpg")
        lines += fold("Next", f"bottega predict {escape(shlex.quote(record.model_path))} {example}", max_lines=3)
    else:
        lines += fold("Not shipped", "the bar was not met; run and report are kept")
    if record.small is not None:
        lines += fold("Small", _small(record.small, record.metric), max_lines=2)
    if record.seeds is not None:
        lines += fold("Seeds", _seeds(record.seeds), max_lines=2)
    room = MAX_LINES - len(lines) - 4  # for the report's path and the time
    for step in record.next_steps[:2]:
        lines += fold("Then", escape(step), max_lines=min(3, max(1, room // 2)))
    if record.report_path is not None:
        lines += fold("Report", escape(record.report_path))
    total = record.seconds.get("total")
    return lines + (fold("Time", duration(total)) if total is not None else [])


def _small(small: SmallFile, metric: str) -> str:
    """The int8 file: its size, and what it lost on the test part."""
    unit, scale = (" points", 100) if metric in IN_PERCENT else ("", 1)
    lost, low, high = (f"{scale * value:.1f}" for value in (small.loss.score, small.loss.low, small.loss.high))
    return f"{escape(small.path)}, {small.bytes / 1e6:.1f} MB: loses {lost}{unit} ({low} … {high})"


def _seeds(spread: SeedSpread) -> str:
    """What another seed would have given."""
    low, high = (number(end(spread.scores), spread.metric, 1.0) for end in (min, max))
    unit, scale = (" points", 100) if spread.metric in IN_PERCENT else ("", 1)
    deviation = f"{scale * spread.standard_deviation:.2g}{unit}"
    return f"{len(spread.seeds)} seeds gave {low} … {high}, standard deviation {deviation}, on the same test part"


def _costs(found: dict[str, Any]) -> str:
    """How the answer is chosen by cost, and what simpler rules would have cost."""
    plain, always, own = found["most_probable"], found["always"], found["by_cost"]
    width = own.high - own.low
    rest = (
        f"always the most probable class would cost {number(plain.score, 'mean_cost', width)}, "
        f"always {escape(always['label'])} {number(always['score'].score, 'mean_cost', width)}"
    )
    share, classes = found["threshold"], found["classes"]
    if share is None:
        return f"the cheapest answer is said; {rest}"
    name, share = (classes[1], share) if share <= 0.5 else (classes[0], 1 - share)
    return f"{escape(name)} is said from a probability of {100 * share:.3g} % on; {rest}"


def headline(record: TrainRecord) -> str:
    """The score with its unit, how many rows or pictures it is of, and its interval."""
    test, metric = record.test, record.metric
    width = test["high"] - test["low"]
    score, low, high = (number(test[key], metric, width) for key in ("score", "low", "high"))
    what = f"{score} %" if metric in IN_PERCENT else f"{metric.replace('_', ' ')} {score}"
    if metric in IN_PERCENT and metric != "accuracy":
        what = f"{score} % {metric.replace('_', ' ')}"
    part = PART.get(str(test["source"]), "")
    noun = NOUN[record.task.modality]
    groups = test.get("n_groups")
    grouped = f" in {groups:,} groups" if groups and groups != test["n"] else ""
    return f"{what}  of {test['n']:,} {part}{noun}{'' if test['n'] == 1 else 's'}{grouped}, {low} … {high}"


def _rival_lines(record: TrainRecord) -> list[str]:
    scored = [(candidate, score) for candidate in record.candidates if (score := _score(candidate)) is not None]
    if not scored:
        return []
    scored.sort(key=lambda pair: pair[1].score, reverse=scored[0][1].higher_is_better)
    shown = scored[:MAX_RIVALS]
    if not any(candidate.name == record.chosen for candidate, _ in shown):
        shown[-1:] = [pair for pair in scored if pair[0].name == record.chosen] or shown[-1:]
    rows = [
        Estimate(escape(candidate.name), score.score, score.low, score.high, _remark(candidate, record))
        for candidate, score in shown
    ]
    lines = axis_lines(rows, metric=record.metric, name_width=27, axis_width=24)
    rest = len(scored) - len(shown)
    lines += [f"  and {count(rest, 'more', 'more')}"] if rest else []
    lines += _explained(scored, record)
    return [*lines, ""]


def _explained(scored: list[tuple[Candidate, Score]], record: TrainRecord) -> list[str]:
    """What would puzzle a reader of the rivals: a row that doesn't agree with the headline, or with what ships."""
    own = next((score for candidate, score in scored if candidate.name == record.chosen), None)
    if own is None:
        return []
    if record.test["source"] == "cv" and own.score != record.test["score"]:
        return ["  The score above also pays for choosing among these anew in each fold."]
    if scored[0][1].score != own.score:
        return ["  The choice was made on validation, before the test part was read."]
    return []


def _score(candidate: Candidate) -> Score | None:
    return candidate.test or candidate.val


def _remark(candidate: Candidate, record: TrainRecord) -> str:
    if candidate.name == record.chosen:
        return "ships" if record.model_path is not None else "best"
    if candidate.dropped:
        return "dropped"
    return REMARK.get(candidate.relation or "", "")


def _suspects(record: TrainRecord) -> str:
    """How many there are, and of which kinds: a bare number makes nobody look."""
    kinds = dict.fromkeys(suspect.kind for suspect in record.suspects)
    words = KIND.get(record.task.modality, {})
    return f"{count(len(record.suspects), 'suspect')} ({', '.join(escape(words.get(kind, kind)) for kind in kinds)})"


def _torn(record: TrainRecord) -> str:
    """What a split that ignores twins would have claimed."""
    naive = record.metrics.get("twins_split")
    if naive is None:
        return ""
    unit = " %" if record.metric in IN_PERCENT else ""
    return f" (a split that ignores them claims {number(naive.score, record.metric, naive.high - naive.low)}{unit})"


def _look_first(record: TrainRecord) -> list[str]:
    conflicts = [twin for twin in record.twins if twin.is_conflict]
    near = [twin for twin in record.twins if not twin.is_conflict]
    noun = NOUN[record.task.modality]
    parts = [
        (len(conflicts), count(len(conflicts), "label conflict")),
        (len(record.rejected), count(len(record.rejected), REJECTED.get(noun, "rejected file"))),
        (
            len(near),
            f"{count(sum(len(t.members) for t in near), 'twin')} in {count(len(near), 'group')}{_torn(record)}",
        ),
        (len(record.suspects), _suspects(record)),
    ]
    return [text for n, text in parts if n] or [f"nothing: no {noun} was rejected, doubled or suspicious"]
