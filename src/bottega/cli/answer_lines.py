"""Answers for the terminal: labels with their probability, values with their interval."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from bottega.cli.terminal import escape

__all__ = ["MAX_LINES", "label_lines", "value_lines"]

MAX_LINES = 20


def label_lines(answers: Sequence[dict[str, Any]], top: int) -> list[str]:
    """The label, its probability, and whether it is sure; of one answer the likeliest classes.

    Args:
        top: how many classes of a single answer.
    """
    if len(answers) == 1:
        return _one(answers[0], top)
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
    return lines + ([f"and {rest:,} more: --csv or --json prints them all"] if rest > 0 else [])


def value_lines(answers: Sequence[dict[str, Any]]) -> list[str]:
    """Values with the interval that each is promised to lie in."""
    lines = []
    for answer in answers[:MAX_LINES]:
        value, lower, upper = (f"{answer[key]:,.5g}" for key in ("value", "lower", "upper"))
        lines.append(f"{value:>12}  {f'{lower} … {upper}':<27}  {escape(answer['input'])}")
    rest = len(answers) - MAX_LINES
    return lines + ([f"and {rest:,} more: --csv or --json prints them all"] if rest > 0 else [])


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
