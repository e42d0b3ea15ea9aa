"""What a training of several targets came to, one after the other."""

import shlex

from bottega.cli.terminal import duration, escape, fold
from bottega.cli.verdict import headline, verdict_lines
from bottega.problem.records import TargetsRecord, TrainRecord

__all__ = ["trained_lines"]


def trained_lines(record: TrainRecord | TargetsRecord) -> list[str]:
    """The verdict of one target, or of each: its score, its sentence, where to read more."""
    if isinstance(record, TrainRecord):
        return verdict_lines(record)
    lines = []
    for target, one in record.targets.items():
        lines += [f"{escape(target)}: {headline(one)}", *fold("", escape(one.verdict), max_lines=4)]
        lines += [*fold("Chosen", escape(one.chosen)), ""]
    if record.model_path is not None:
        lines += fold("Next", f"bottega predict {escape(shlex.quote(record.model_path))} new.csv", max_lines=3)
    else:
        unmet = [target for target, one in record.targets.items() if one.model_path is None]
        lines += fold("Not shipped", escape(f"the bar was not met for {', '.join(unmet)}; runs and report are kept"))
    lines += fold("Report", escape(record.report_path))
    return lines + fold("Time", duration(record.seconds["total"]))
