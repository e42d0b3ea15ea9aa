"""`bottega check`: replay a model file's own examples on this machine."""

from typing import Annotated

import typer

from bottega.cli import terminal

__all__ = ["check"]


def check(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A model file, as in runs/flowers-1/model.onnx.")],
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")] = False,
) -> int:
    """Replay the examples inside a model file and compare."""
    from bottega.workflow.check import check as run

    record = run(model)
    if json:
        terminal.say_json(record)
    else:
        answer = "same answers" if record.passed else "other answers"
        examples = terminal.count(record.n, "example")
        terminal.say(
            f"{answer}  {terminal.escape(model)} replayed {examples} on this machine",
            f"largest difference {record.largest_difference:.2g}, tolerance {record.tolerance:.2g}",
        )
        if not record.passed:
            terminal.say(*terminal.fold("Look first", "the file's own ONNX Runtime version, then this processor"))
    return 0 if record.passed else 3
