"""The page of a run of several targets: what each came to, with the way to its own report."""

from collections.abc import Mapping
from urllib.parse import quote

from bottega.evaluation.markup import Html, attribute, code, lines, name, nest, text
from bottega.evaluation.page import document, paragraph, section, table
from bottega.evaluation.report_score import test_score
from bottega.evaluation.wording import metric_name, plural, score_range, score_text
from bottega.problem.records import TargetsRecord, TrainRecord

__all__ = ["render_targets"]

HEAD = ("Target", "Metric", "Score", "95 % interval", "Test rows", "Ships")


def render_targets(data_name: str, record: TargetsRecord, places: Mapping[str, str]) -> str:
    """The page as text.

    Args:
        places: by target, the path of its own report from the folder that this page lies in.
    """
    shown = nest("span", Html(f"{name(data_name, 40)} · {text(plural(len(record.targets), 'target'))}"))
    rows = [_row(target, one, places[target]) for target, one in record.targets.items()]
    parts = [
        nest("header", nest("b", Html("bottega")), shown, class_="top"),
        nest("h1", text(f"{plural(len(record.targets), 'target')} of one table")),
        table(HEAD, rows, label="Scores by target", numbers=(2, 3, 4)),
    ]
    if record.model_path is None:
        parts.append(paragraph("No file of all targets was made: a score doesn't reach the bar set for it.", "notice"))
    parts += [
        section(
            f"target-{number}",
            f"{target}: {one.verdict}",
            nest("p", _link(places[target], f"The whole report of {target}")),
        )
        for number, (target, one) in enumerate(record.targets.items(), start=1)
    ]
    parts.append(_use(record))
    return document(f"{data_name}: report", Html(nest("main", lines(parts))))


def _row(target: str, one: TrainRecord, place: str) -> tuple[Html, ...]:
    score = test_score(one)
    return (
        _link(place, target),
        text(metric_name(one.metric)),
        text(score_text(one.metric, score)),
        text(score_range(one.metric, score)),
        text(f"{score.n:,}"),
        name(one.chosen if one.model_path is not None else "nothing"),
    )


def _link(place: str, words: str) -> Html:
    return Html(f'<a href="{attribute(quote(place))}">{name(words)}</a>')


def _use(record: TargetsRecord) -> Html:
    if record.model_path is None:
        return Html("")
    target, one = next(iter(record.targets.items()))
    end = "label" if one.task.classes else "value"
    lines_of_code = f"bottega predict {record.model_path} new.csv --csv\n\n" + (
        f"import bottega\n\nmodel = bottega.load({record.model_path!r})\n"
        f"for answer in model('new.csv'):\n    print(answer[{target!r}].{end})"
    )
    said = "One file answers every target: one input for each column, and outputs named after target and answer."
    return section("use", "Use it", paragraph(said), nest("pre", nest("code", code(lines_of_code))))
