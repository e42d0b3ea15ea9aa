"""`bottega look`: parse, look, show what was found."""

from typing import Annotated

import typer

from bottega.cli import terminal

__all__ = ["look"]


def look(
    data: Annotated[
        str,
        typer.Argument(
            metavar="DATA",
            show_default=False,
            help="A folder with one sub-folder a class; a zip, tar, .npz or CSV of one; or `digits`.",
        ),
    ],
    group_by: Annotated[
        str | None,
        typer.Option(
            metavar="REGEX", show_default=False, help="On the path inside DATA: equal matches are one shot or subject."
        ),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="List every class, file and suspect.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")] = False,
) -> int:
    """Say what the data are, and what is wrong with them."""
    from bottega.workflow.look import look as run

    with terminal.live() as progress:
        record = run(data, group_by=group_by, progress=progress)
    if json:
        terminal.say_json(record)
    else:
        from bottega.cli.overview import look_lines

        terminal.say(*look_lines(record, data, everything=everything))
    return 0
