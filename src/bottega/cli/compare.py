"""`bottega compare`: runs beside each other."""

from typing import Annotated, Any

import typer

from bottega.cli import terminal
from bottega.cli.axis import Estimate, axis_lines
from bottega.cli.gain import signed
from bottega.problem.refinement_records import ComparedRun, CompareRecord, PairedTest

__all__ = ["compare"]

MOST_DIFFERENCES, MOST_EPOCHS = 12, 7
NAME, NAME_OF_CURVE = 27, 22  # columns


def compare(
    runs: Annotated[
        list[str],
        typer.Argument(metavar="RUN RUN...", help="Folders of finished runs; the others are held against the first."),
    ],
    html: Annotated[
        str | None,
        typer.Option(metavar="FILE", show_default=False, help="Write a page with the curves in one picture."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")] = False,
) -> int:
    """Say in what runs differ, and which one is better."""
    from bottega.workflow.compare import compare as run

    record = run(runs, html=html)
    if json:
        terminal.say_json(record)
    else:
        terminal.say(*_lines(record), *([] if html is None else terminal.fold("Page", terminal.escape(html))))
    return 0


def _lines(record: CompareRecord) -> list[str]:
    lines = [line for one in record.tests for line in _test_lines(one)]
    return [*lines, "", *_score_lines(record.runs), *_curve_lines(record.runs), *_difference_lines(record)]


def _test_lines(one: PairedTest) -> list[str]:
    run, against = terminal.escape(one.run), terminal.escape(one.against)
    if one.gain is None:
        return [f"cannot tell  {run} from {against}", *terminal.fold("", one.why)]
    joining = {"better": "than", "worse": "than", "cannot tell": "from"}[one.verdict]
    lines = [f"{one.verdict:<11}  {run} {joining} {against}"]
    lines += terminal.fold("", f"{signed(one.gain, one.metric)} on {terminal.count(one.n, 'shared test example')}")
    return lines + (terminal.fold("", one.why) if one.why else [])


def _score_lines(runs: tuple[ComparedRun, ...]) -> list[str]:
    """Each run on its own test part."""
    if any(one.metric != runs[0].metric for one in runs):
        return [f"  {terminal.escape(one.run_dir):<{NAME}} {one.metric} {one.test['score']:.4g}" for one in runs] + [""]
    rows = [
        Estimate(
            terminal.escape(one.run_dir),
            one.test["score"],
            one.test["low"],
            one.test["high"],
            f"{terminal.escape(one.chosen)}, {terminal.duration(one.seconds)}",
        )
        for one in runs
    ]
    return [*axis_lines(rows, metric=runs[0].metric, name_width=NAME, axis_width=16), ""]


def _curve_lines(runs: tuple[ComparedRun, ...]) -> list[str]:
    """What each network scored on validation after some of its epochs."""
    drawn = [one for one in runs if one.curve]
    if not drawn:
        return []
    last = max(one.curve[-1].epoch for one in drawn)
    epochs = sorted({max(1, round(last ** (i / (MOST_EPOCHS - 1)))) for i in range(MOST_EPOCHS)})
    lines = [f"  {'Validation after epoch':<{NAME_OF_CURVE}}" + "".join(f"{epoch:>7}" for epoch in epochs) + "   best"]
    for one in drawn:
        by_epoch = {round(line.epoch): line.val_score for line in one.curve if line.epoch == round(line.epoch)}
        cells = "".join(f"{by_epoch[epoch]:>7.3f}" if epoch in by_epoch else f"{'':>7}" for epoch in epochs)
        name = _cell(one.run_dir, NAME_OF_CURVE)
        lines.append(f"  {name}{cells}{one.best_epoch or 0:>7g}")
    return [*lines, ""]


def _difference_lines(record: CompareRecord) -> list[str]:
    if not record.differences:
        return terminal.fold("The same", "their recipes don't differ: what differs is chance, or the machine")
    shown = record.differences[:MOST_DIFFERENCES]
    width = max(len(one.key) for one in shown)
    room = (terminal.WIDTH - 4 - width) // len(record.runs) - 2
    names = "  ".join(_cell(one.run_dir.rpartition("/")[2], room) for one in record.runs)
    lines = [f"  {one.key:<{width}}  " + "  ".join(_cell(value, room) for value in one.values) for one in shown]
    rest = len(record.differences) - len(shown)
    return [
        f"{'They differ in':<{width + 2}}  {names}".rstrip(),
        *(line.rstrip() for line in lines),
        *([f"  and {rest} more: --json"] if rest else []),
    ]


def _cell(value: Any, room: int) -> str:
    shown = "–" if value is None else f"{value:g}" if isinstance(value, float) else terminal.escape(value)
    return f"{shown if len(shown) <= room else shown[: max(1, room - 1)] + '…':<{room}}"
