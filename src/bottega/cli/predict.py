"""`bottega predict`: one answer for each picture."""

import sys
import time
from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from bottega.cli import terminal
from bottega.cli.terminal import count, escape
from bottega.errors import BottegaError
from bottega.problem.records import Rejected

__all__ = ["predict"]

MAX_LINES = 20


def predict(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A model file, as in runs/flowers-1/model.onnx.")],
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH...", help="Pictures, folders, patterns in quotes; - for a list on standard input."
        ),
    ],
    top: Annotated[int, typer.Option(metavar="K", min=1, help="Classes to show for one picture.")] = 3,
    csv: Annotated[bool, typer.Option("--csv", help="Print one line a picture, as CSV.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")] = False,
) -> int:
    """Answer for pictures, and say whether the model is sure."""
    from bottega.workflow.predict import open_model
    from bottega.workflow.predict import predict as run

    if csv and json:
        raise BottegaError(found="--csv and --json", expected="one of them", fix="leave one out")
    loaded = open_model(model)
    inputs = [name for path in paths for name in (_listed() if path == "-" else [path])]
    started = time.perf_counter()
    with terminal.live(quiet=len(inputs) < 2 and not sys.stderr.isatty()) as progress:
        answered, rejected = run(loaded, inputs, progress=progress)
    seconds = (time.perf_counter() - started) / len(answered)
    answers = [answer.to_json() for answer in answered]
    if json:
        terminal.say_json({"model": model, "answers": answers, "rejected": rejected, "seconds_per_picture": seconds})
        return 0
    if csv:
        _say_csv(answers, loaded.labels)
    else:
        terminal.say(*_lines(answers, top))
        terminal.say(f"{count(len(answers), 'picture')}, {1000 * seconds:.3g} ms each, reading included")
    _say_rejected(rejected, stream=sys.stderr if csv else sys.stdout)
    return 0


def _listed() -> list[str]:
    """Paths on standard input, one a line, or ended by NUL as `find -print0` writes them."""
    data = sys.stdin.buffer.read()
    parts = data.split(b"\0") if b"\0" in data else data.splitlines()
    return [part.decode(sys.getfilesystemencoding(), "surrogateescape") for part in parts if part]


def _lines(answers: Sequence[dict[str, Any]], top: int) -> list[str]:
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


def _one(answer: dict[str, Any], top: int) -> list[str]:
    sure = "sure" if answer["sure"] else "not sure"
    head = f"{escape(answer['label'])}  {_percent(answer)} %  {sure}  {escape(answer['input'])}"
    ranked = sorted(answer["probabilities"].items(), key=lambda pair: -pair[1])[:top]
    bars = [f"  {_cut(escape(label), 24):<24} {100 * p:5.1f}  {'█' * round(30 * p)}".rstrip() for label, p in ranked]
    return [head, "", *bars, ""]


def _say_rejected(rejected: Sequence[Rejected], *, stream: Any) -> None:
    for item in rejected[:MAX_LINES]:
        terminal.say(f"left out  {escape(item.path)}: {escape(item.reason)}", stream=stream)
    rest = len(rejected) - MAX_LINES
    if rest > 0:
        terminal.say(f"left out  {rest:,} more: --json lists them", stream=stream)


def _say_csv(answers: Sequence[dict[str, Any]], labels: Sequence[str]) -> None:
    from bottega.cli.spreadsheet import csv_bytes

    data, n_escaped = csv_bytes(answers, labels)
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
    if n_escaped:
        note = f"{count(n_escaped, 'cell')} began like a formula and got a leading ' (= + - @, tab, return)"
        terminal.say(note, stream=sys.stderr)


def _percent(answer: dict[str, Any]) -> str:
    return f"{100 * answer['probabilities'][answer['label']]:.1f}"


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
