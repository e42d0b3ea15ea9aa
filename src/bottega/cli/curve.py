"""`bottega curve`: parse, train on growing parts, say what more pictures would give."""

import textwrap
from typing import Annotated

import typer

from bottega.cli import terminal
from bottega.cli import train_flags as flags
from bottega.cli.axis import IN_PERCENT, Estimate, axis_lines
from bottega.problem.curve_records import CurveRecord

__all__ = ["curve"]

AXIS = 40
SCORED = {
    "held-out": "test pictures, the same at every size",
    "given": "pictures of the given test part, the same at every size",
    "cv": "pictures, each in its fold",
}


def curve(
    data: Annotated[str, typer.Argument(metavar="DATA", show_default=False, help="As of bottega train.")],
    network: flags.Network = "auto",
    metric: flags.Metric = "accuracy",
    epochs: flags.Epochs = None,
    seed: flags.Seed = 0,
    split_seed: flags.SplitSeed = 0,
    group_by: flags.GroupBy = None,
    time: flags.Time = None,
    device: flags.Device = "auto",
    json: flags.Json = False,
) -> int:
    """Say whether more pictures would help, and by how much."""
    keywords = {key: value for key, value in locals().items() if key not in ("data", "json")}
    from bottega.workflow.threads import calm_threads

    calm_threads()
    from bottega.workflow.curve import curve as run

    with terminal.live() as progress:
        record = run(data, progress=progress, **keywords)
    if json:
        terminal.say_json(record)
    else:
        terminal.say(*curve_lines(record))
    return 0


def curve_lines(record: CurveRecord) -> list[str]:
    """The answer, and the scores that it comes from, the most pictures first."""
    doubled, points = record.doubled, record.points[::-1]
    rows = [Estimate(f"{doubled.n:>9,}", doubled.score, doubled.low, doubled.high, "expected")]
    rows += [Estimate(f"{p.n:>9,}", p.score.score, p.score.low, p.score.high) for p in points]
    draws = len(points[1].scores)
    unit = f"{record.metric} in %" if record.metric in IN_PERCENT else record.metric
    scored = f"{record.n_test:,} {SCORED[record.source]}: {unit}"
    return [
        *textwrap.wrap(record.sentence, terminal.WIDTH),
        "",
        f"  {'pictures':>9}",
        *axis_lines(rows, metric=record.metric, name_width=9, axis_width=AXIS),
        *terminal.fold("Trained", terminal.escape(record.candidate) + (f", {draws} draws a size" if draws > 1 else "")),
        *terminal.fold("Scored on", scored),
        *(terminal.fold("Left out", record.stopped) if record.stopped else []),
        *terminal.fold("Time", terminal.duration(record.seconds)),
    ]
