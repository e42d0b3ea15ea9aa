"""`bottega look`: parse, look, show what was found."""

import sys
from typing import Annotated, Any

import typer

from bottega.cli import terminal, text_flags

__all__ = ["look"]


def _option(metavar: str, help: str) -> Any:
    return typer.Option(metavar=metavar, show_default=False, help=help)


Target = Annotated[str | None, _option("COL", "The column of a table to be predicted.")]
Kinds = Annotated[
    list[str] | None,
    _option("COL=KIND", "State what a column is: number, category, yes/no, date, text, identifier."),
]
Ignored = Annotated[list[str] | None, _option("COL", "Leave a column out.")]
Group = Annotated[str | None, _option("COL", "Rows with the same value belong together.")]
Time = Annotated[str | None, _option("COL", "Later rows are predicted from earlier ones.")]
Weight = Annotated[str | None, _option("COL", "How much each row counts.")]
Missing = Annotated[list[str] | None, _option("CODE", "Stands for a missing value; COL=CODE in that column alone.")]
GroupBy = Annotated[
    str | None, _option("REGEX", "On a picture's path inside DATA: equal matches are one shot or subject.")
]


def look(
    data: Annotated[
        str,
        typer.Argument(
            metavar="DATA",
            show_default=False,
            help="Pictures: a folder with one sub-folder a class; a zip, tar, .npz or CSV of one; or `digits`. "
            "A table, or texts and labels in one: CSV, TSV, Parquet, JSON lines, .xlsx, FILE.db::TABLE, or - for "
            "standard input. Texts: a folder with one sub-folder of .txt files a class.",
        ),
    ],
    target: Target = None,
    text: text_flags.Text = None,
    also: text_flags.Also = None,
    type: Kinds = None,
    ignore: Ignored = None,
    group: Group = None,
    time_column: Time = None,
    weight: Weight = None,
    missing: Missing = None,
    group_by: GroupBy = None,
    write: Annotated[
        bool, typer.Option("--write", help="Leave bottega.toml with the question, and look.html with plots.")
    ] = False,
    everything: Annotated[bool, typer.Option("--all", help="List every class, column, file and suspect.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")] = False,
) -> int:
    """Say what the data are, and what is wrong with them."""
    from bottega.problem.table import table_choices
    from bottega.workflow.look import look as run
    from bottega.workflow.table_options import TableOptions

    choices = table_choices(
        target=target,
        types=type or (),
        ignore=ignore or (),
        group=group,
        time_column=time_column,
        weight=weight,
        missing=missing or (),
    )
    with terminal.live() as progress:
        options = TableOptions(choices, text=tuple(text or ()), also=tuple(also or ()))
        record = run(data, choices=options, group_by=group_by, progress=progress)
    if write:
        from bottega.workflow.look_table import write_look

        terminal.say(f"written: {', '.join(write_look(record, data, choices))}", stream=sys.stderr)
    if json:
        terminal.say_json(record)
    elif record.task.modality == "tables":
        from bottega.cli.column_flags import column_flags
        from bottega.cli.table_overview import table_lines

        terminal.say(*table_lines(record, data, stated=column_flags(choices), everything=everything))
    elif record.task.modality == "texts":
        from bottega.cli.text_overview import text_lines

        terminal.say(*text_lines(record, data, everything=everything))
    else:
        from bottega.cli.overview import look_lines

        terminal.say(*look_lines(record, data, everything=everything))
    return 0
