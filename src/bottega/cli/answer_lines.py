"""Answers for the terminal: labels with their probability, values with their interval."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from bottega.cli.terminal import escape

__all__ = ["MAX_LINES", "label_lines", "target_lines", "value_lines"]

MAX_LINES = 20


def label_lines(answers: Sequence[dict[str, Any]], top: int) -> list[str]:
    """The label, its probability, and whether it is sure; of one answer the likeliest classes.

    Args:
        top: how many classes of a single answer.
    """
    if len(answers) == 1:
        return [*_one(answers[0], top), *_by_cost(answers)]
    lines = []
    if len(answers) > MAX_LINES:
        counts = Counter(escape(answer["label"]) for answer in answers).most_common(8)
        lines.append(" · ".join(f"{label} {n:,}" for label, n in counts))
        n_sure = sum(bool(answer["sure"]) for answer in answers)
        lines += [f"sure of {n_sure:,} of {len(answers):,}", ""]
    width = min(24, max(len(escape(answer["label"])) for answer in answers))
    for answer in answers[:MAX_LINES]:
        doubt = "" if answer["sure"] else "not sure"
        label = _cut(escape(answer["label"]), width)
        lines.append(f"{label:<{width}} {_percent(answer):>5} %  {doubt:<8}  {escape(answer['input'])}")
    rest = len(answers) - MAX_LINES
    lines += [f"and {rest:,} more: --csv or --json prints them all"] if rest > 0 else []
    return lines + _by_cost(answers)


def _by_cost(answers: Sequence[dict[str, Any]]) -> list[str]:
    """Why an answer is not the likeliest one: only costs do that."""
    n = sum(max(one["probabilities"].values()) > one["probabilities"][one["label"]] for one in answers)
    if not n:
        return []
    which = "the answer" if len(answers) == 1 else f"{n:,} of the {len(answers):,} answers"
    return [f"{which} {'is' if n == 1 else 'are'} the cheapest by the file's costs, not the likeliest"]


def value_lines(answers: Sequence[dict[str, Any]]) -> list[str]:
    """Values with the interval that each is promised to lie in."""
    lines = []
    for answer in answers[:MAX_LINES]:
        value, lower, upper = (f"{answer[key]:,.5g}" for key in ("value", "lower", "upper"))
        lines.append(f"{value:>12}  {f'{lower} … {upper}':<27}  {escape(answer['input'])}")
    rest = len(answers) - MAX_LINES
    return lines + ([f"and {rest:,} more: --csv or --json prints them all"] if rest > 0 else [])


def target_lines(answers: Sequence[dict[str, Any]]) -> list[str]:
    """Of several targets: a line for each under the row that it is about."""
    lines = []
    width = min(24, max(len(escape(target)) for target in answers[0]["targets"]))
    for answer in answers[:MAX_LINES]:
        lines.append(escape(answer["input"]))
        for target, one in answer["targets"].items():
            lines.append(f"  {_cut(escape(target), width):<{width}}  {_said(one)}")
    rest = len(answers) - MAX_LINES
    return lines + ([f"and {rest:,} more: --csv or --json prints them all"] if rest > 0 else [])


def _said(one: dict[str, Any]) -> str:
    if "label" in one:
        return f"{_cut(escape(one['label']), 24)}  {_percent(one)} %{'' if one['sure'] else '  not sure'}"
    value, lower, upper = (f"{one[key]:,.5g}" for key in ("value", "lower", "upper"))
    return f"{value}  {lower} … {upper}"


def _one(answer: dict[str, Any], top: int) -> list[str]:
    sure = "sure" if answer["sure"] else "not sure"
    head = f"{escape(answer['label'])}  {_percent(answer)} %  {sure}  {escape(answer['input'])}"
    ranked = sorted(answer["probabilities"].items(), key=lambda pair: -pair[1])[:top]
    bars = [f"  {_cut(escape(label), 24):<24} {100 * p:5.1f}  {'█' * round(30 * p)}".rstrip() for label, p in ranked]
    return [head, "", *bars, ""]


def _percent(answer: dict[str, Any]) -> str:
    return f"{100 * answer['probabilities'][answer['label']]:.1f}"


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
