"""`bottega predict`: one answer for each picture."""

import sys
import time
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from bottega.cli import terminal
from bottega.cli.answer_lines import MAX_LINES, label_lines, target_lines, value_lines
from bottega.cli.terminal import count, escape
from bottega.errors import BottegaError
from bottega.problem.records import Rejected

__all__ = ["predict"]


def predict(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A model file, as in runs/flowers-1/model.onnx.")],
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH...",
            help="Pictures, folders, patterns in quotes; - for a list on standard input. For a model of a table its "
            "files: CSV, JSON, JSON lines, Parquet; - for CSV on standard input. For a model of texts also texts in "
            "quotes, .txt files and folders of such; - for one text a line.",
        ),
    ],
    top: Annotated[int, typer.Option(metavar="K", min=1, help="Classes to show for one picture.")] = 3,
    csv: Annotated[bool, typer.Option("--csv", help="Print one line for each answer, as CSV.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")] = False,
) -> int:
    """Answer for pictures or rows, and say how sure that is."""
    from bottega.workflow.predict import open_model
    from bottega.workflow.predict import predict as run

    if csv and json:
        raise BottegaError(found="--csv and --json", expected="one of them", fix="leave one out")
    loaded = open_model(model)
    is_table = loaded.card.modality in ("tables", "texts")
    inputs = [name for path in paths for name in (_listed() if path == "-" and not is_table else [path])]
    started = time.perf_counter()
    with terminal.live(quiet=len(inputs) < 2 and not sys.stderr.isatty()) as progress:
        answered, rejected = run(loaded, inputs, progress=progress)
    seconds = (time.perf_counter() - started) / len(answered)
    answers = [answer.to_json() for answer in answered]
    if json:
        each = "seconds_per_row" if is_table else "seconds_per_picture"
        terminal.say_json({"model": model, "answers": answers, "rejected": rejected, each: seconds})
        return 0
    if csv:
        _say_csv(answers, loaded.labels)
    else:
        if "targets" in answers[0]:
            terminal.say(*target_lines(answers))
        else:
            terminal.say(*(label_lines(answers, top) if loaded.labels else value_lines(answers)))
        noun = {"tables": "row", "texts": "text"}.get(loaded.card.modality, "picture")
        terminal.say(f"{count(len(answers), noun)}, {1000 * seconds:.3g} ms each, reading included")
    _say_rejected(rejected, stream=sys.stderr if csv else sys.stdout)
    return 0


def _listed() -> list[str]:
    """Paths on standard input, one a line, or ended by NUL as `find -print0` writes them."""
    data = sys.stdin.buffer.read()
    parts = data.split(b"\0") if b"\0" in data else data.splitlines()
    return [part.decode(sys.getfilesystemencoding(), "surrogateescape") for part in parts if part]


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
