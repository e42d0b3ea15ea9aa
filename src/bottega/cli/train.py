"""`bottega train`: parse, train, show the verdict."""

from typing import Annotated, Any

import typer

from bottega.cli import terminal

__all__ = ["train"]

Flag = typer.Option


def train(
    data: Annotated[
        str | None,
        typer.Argument(
            metavar="DATA",
            show_default=False,
            help="A folder with one sub-folder a class; a zip, tar, .npz or CSV of one; or `digits`.",
        ),
    ] = None,
    preset: Annotated[
        str, Flag(metavar="fast|accurate", help="How much work: one view a picture, or several and a larger network.")
    ] = "fast",
    time: Annotated[
        str | None,
        Flag(metavar="DURATION", show_default=False, help="Wall time that may be used, as in 90s, 5m or 1h30m."),
    ] = None,
    name: Annotated[
        str | None,
        Flag(metavar="NAME", show_default=False, help="Of the run folder under runs/; by default <data>-<n>."),
    ] = None,
    seed: Annotated[int, Flag(metavar="N", help="Drives training.")] = 0,
    split_seed: Annotated[int, Flag(metavar="N", help="Drives the split into train, val and test.")] = 0,
    metric: Annotated[str, Flag(metavar="METRIC", help="What is optimised and judged.")] = "accuracy",
    at_least: Annotated[
        float | None,
        Flag(metavar="X", show_default=False, help="Ship nothing (exit 3) unless the interval's lower end reaches X."),
    ] = None,
    at_most: Annotated[
        float | None,
        Flag(
            metavar="X",
            show_default=False,
            help="Ship nothing (exit 3) unless the interval's upper end stays at or under X.",
        ),
    ] = None,
    group_by: Annotated[
        str | None,
        Flag(
            metavar="REGEX", show_default=False, help="On the path inside DATA: equal matches are one shot or subject."
        ),
    ] = None,
    ship: Annotated[str, Flag(metavar="best|network|NAME", help="Which candidate becomes the file.")] = "best",
    margin: Annotated[
        float | None,
        Flag(metavar="X", show_default=False, help="Candidates closer than this are tied: the simplest ships."),
    ] = None,
    sure_at: Annotated[float, Flag(metavar="X", help="Accuracy that answers marked as sure must reach.")] = 0.95,
    small: Annotated[bool, Flag("--small", help="Also write the int8 file, with its measured loss.")] = False,
    resume: Annotated[
        str | None, Flag(metavar="RUN", show_default=False, help="Finish the run in this folder; takes no DATA.")
    ] = None,
    no_filter: Annotated[
        bool, Flag("--no-filter", help="Leave the filter of training examples out of the file.")
    ] = False,
    golden: Annotated[
        str, Flag(metavar="made-up|real", help="The examples inside the file that `bottega check` replays.")
    ] = "made-up",
    json: Annotated[bool, Flag("--json", help="Print one JSON document on standard output.")] = False,
) -> int:
    """Train on DATA, judge the result, and ship it as one file."""
    stated = {k: v for k, v in locals().items() if k not in ("data", "no_filter", "json")}
    return _train(data, {**stated, "filter": not no_filter}, as_json=json)


def _train(data: str | None, keywords: dict[str, Any], *, as_json: bool) -> int:
    from bottega.workflow.options import train_options
    from bottega.workflow.threads import calm_threads

    calm_threads()
    options = train_options(data, keywords)  # before torch is imported: a misspelt option needn't wait for it
    from bottega.workflow.train import train as run

    with terminal.live() as progress:
        record = run(data, options, progress=progress)
    if as_json:
        terminal.say_json(record)
    else:
        from bottega.cli.verdict import verdict_lines

        terminal.say(*verdict_lines(record))
    return 0 if record.model_path is not None else 3
