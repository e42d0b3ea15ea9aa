"""`bottega evaluate`: a model's score on labelled pictures, the answer first."""

import math
from typing import Annotated

import typer

from bottega.cli import terminal
from bottega.cli.axis import IN_PERCENT, number
from bottega.cli.class_lines import by_lines, class_lines
from bottega.cli.drift_lines import drift_lines
from bottega.cli.target_flags import Target
from bottega.cli.terminal import count, escape, fold
from bottega.problem.records import EvaluateRecord, Score

__all__ = ["evaluate"]

OTHERS = ("balanced_accuracy", "f1_macro", "roc_auc", "log_loss", "rmse", "mae", "r2", "coverage")


def evaluate(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A model file, as in runs/flowers-1/model.onnx.")],
    data: Annotated[str, typer.Argument(metavar="DATA", help="Labelled pictures: a folder, zip, CSV ...; or a table.")],
    metric: Annotated[
        str | None, typer.Option(metavar="METRIC", show_default=False, help="What is judged; by default the model's.")
    ] = None,
    at_least: Annotated[
        float | None,
        typer.Option(metavar="X", show_default=False, help="Exit 3 unless the interval's lower end reaches X."),
    ] = None,
    at_most: Annotated[
        float | None,
        typer.Option(metavar="X", show_default=False, help="Exit 3 unless the upper end stays at or under X."),
    ] = None,
    by: Annotated[
        str | None,
        typer.Option(metavar="COL", show_default=False, help="Also score each value of this column of a table."),
    ] = None,
    target: Target = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")] = False,
) -> int:
    """Score a model on labelled examples, with intervals."""
    from bottega.workflow.evaluate import evaluate as run
    from bottega.workflow.predict import models_by_target, open_model

    loaded = open_model(model)
    with terminal.live() as progress:
        bars = {"at_least": at_least, "at_most": at_most}
        records = {
            name: run(one, data, metric=metric, by=by, progress=progress, **bars)
            for name, one in models_by_target(loaded, target).items()
        }
    if json:
        terminal.say_json({"targets": records} if len(records) > 1 else next(iter(records.values())))
    else:
        bar = " and ".join(f"{name.replace('_', ' ')} {value}" for name, value in bars.items() if value is not None)
        noun = {"tables": "row", "texts": "text"}.get(loaded.card.modality, "picture")
        for i, (name, record) in enumerate(records.items()):
            heading = [*([""] if i else []), f"{escape(name)}:"] if len(records) > 1 else []
            terminal.say(*heading, *_lines(record, bar, noun))
    return 3 if any(record.passed is False for record in records.values()) else 0


def _lines(record: EvaluateRecord, bar: str, noun: str) -> list[str]:
    part = next((suspect for suspect in record.suspects if suspect.kind == "part"), None)
    what = f"{'test ' if part else ''}{noun}{'' if record.n == 1 else 's'}"
    score = Score(record.n, record.score, record.low, record.high)
    lines = [f"{_in_words(score, record.metric)}  of {record.n:,} {what}, {_ends(score, record.metric)}"]
    if record.passed is not None:
        lines.append(f"{'meets' if record.passed else 'does not meet'} the bar: {bar}, judged at the interval's end")
    if record.seen_in_training > 0:
        lines += _seen_lines(record)
    elif math.isnan(record.seen_in_training):
        lines += fold("", "the file carries no filter: it cannot tell whether it was trained on these")
    lines += ["", *by_lines(record), *class_lines(record)]
    others = [name for name in OTHERS if name in record.metrics and name != record.metric]
    told = [_named(name, record.metrics[name]) for name in others if math.isfinite(record.metrics[name].score)]
    lines += fold("Also", " · ".join(told)) if told else []
    lines += drift_lines(record.drift) if noun == "row" else []
    for suspect in record.suspects[:3]:
        lines += fold("Look first", escape(f"{suspect.evidence}; {suspect.fix}"), max_lines=4)
    if record.rejected:
        first = record.rejected[0]
        more = f", and {len(record.rejected) - 1:,} more (--json)" if len(record.rejected) > 1 else ""
        lines += fold("Left out", escape(f"{first.path}: {first.reason}") + more)
    return lines


def _seen_lines(record: EvaluateRecord) -> list[str]:
    share = f"{100 * record.seen_in_training:.3g} %"
    if record.unseen is None:
        return [f"trained on {share} of these: this is no test"]
    unseen = record.unseen
    rest = f"{_in_words(unseen, record.metric)} of the {count(unseen.n, 'unseen one')}"
    return [f"trained on {share} of these; {rest}, {_ends(unseen, record.metric)}"]


def _in_words(score: Score, metric: str) -> str:
    value = number(score.score, metric, score.high - score.low)
    return f"{value} %" if metric == "accuracy" else _unit(value, metric)


def _unit(value: str, metric: str) -> str:
    return f"{value} % {metric.replace('_', ' ')}" if metric in IN_PERCENT else f"{metric} {value}"


def _named(name: str, score: Score) -> str:
    return _unit(number(score.score, name, score.high - score.low), name)


def _ends(score: Score, metric: str) -> str:
    width = score.high - score.low
    return f"{number(score.low, metric, width)} … {number(score.high, metric, width)}"
