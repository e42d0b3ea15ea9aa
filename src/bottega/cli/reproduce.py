"""`bottega reproduce`: train a run again, and say whether the same file comes out."""

from typing import Annotated

import typer

from bottega.cli import terminal
from bottega.problem.records import ReproduceRecord

__all__ = ["reproduce"]

MAX_DIFFERENCES = 20


def reproduce(
    run: Annotated[str, typer.Argument(metavar="RUN", help="The folder of a finished run, as in runs/flowers-1.")],
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")] = False,
) -> int:
    """Train a run again and compare the two files."""
    from bottega.workflow.threads import calm_threads

    calm_threads()
    from bottega.workflow.reproduce import reproduce as run_again

    with terminal.live() as progress:
        record = run_again(run, progress=progress)
    if json:
        terminal.say_json(record)
    else:
        terminal.say(*_lines(run, record))
    return 3 if record.verdict == "different" else 0


def _lines(run: str, record: ReproduceRecord) -> list[str]:
    meaning = {
        "identical": "byte for byte the same file",
        "within tolerance": "the bytes differ, the answers agree within the stated tolerance",
        "different": "the answers differ",
    }
    lines = [f"{record.verdict}  {terminal.escape(run)} trained again: {meaning[record.verdict]}"]
    lines += [f"  {terminal.escape(difference)}" for difference in record.differences[:MAX_DIFFERENCES]]
    rest = len(record.differences) - MAX_DIFFERENCES
    return lines + ([f"  and {rest} more"] if rest > 0 else [])
