"""`bottega eject`: a run as a script of plain PyTorch."""

from typing import Annotated

import typer

from bottega.cli import terminal

__all__ = ["eject"]


def eject(
    run: Annotated[str, typer.Argument(metavar="RUN", help="The folder of a finished run, as in runs/digits-1.")],
    output: Annotated[
        str | None,
        typer.Option("-o", "--output", metavar="FILE", show_default=False, help="Write it there; else it is printed."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")] = False,
) -> int:
    """Write a run's network as a plain PyTorch script that trains it."""
    from bottega.workflow.eject_run import eject as write

    ejected = write(run, output)
    n_lines = len(ejected.script.splitlines())
    if json:
        document = {"run": run, "path": output, "n_lines": n_lines, "differs": ejected.differs}
        terminal.say_json({**document, "script": ejected.script})
    elif output is None:
        terminal.say(*ejected.script.splitlines())
    else:
        terminal.say(
            f"{terminal.count(n_lines, 'line')} of plain PyTorch: the same layers, data and settings.",
            "Its weights are another draw, so its score differs as that of another seed would.",
            *(line for said in ejected.differs for line in terminal.fold("Differs", terminal.escape(said))),
            f"Next         python {terminal.escape(output)}",
        )
    return 0
