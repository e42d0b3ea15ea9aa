"""A training as the command line that begins it."""

import shlex
from dataclasses import fields

from bottega.workflow.options import TrainOptions

__all__ = ["train_command"]

NOT_SAID = ("name", "resume", "table")  # of one run, or of tables, whose networks are not diagnosed
NAMES = {"time_seconds": "time"}


def train_command(data: str, options: TrainOptions) -> str:
    """The line to be copied: only choices that differ from the defaults are in it.

    Example:
        >>> train_command("my photos", TrainOptions(dropout=0.3, filter=False))
        "bottega train 'my photos' --no-filter --dropout 0.3"
    """
    words = ["bottega", "train", data]
    for field in fields(options):
        value = getattr(options, field.name)
        if field.name in NOT_SAID or value == field.default:
            continue
        flag = NAMES.get(field.name, field.name).replace("_", "-")
        if isinstance(value, bool):
            words.append(f"--{flag}" if value else f"--no-{flag}")
        else:
            words += [f"--{flag}", f"{value:g}" if isinstance(value, float) else str(value)]
    return shlex.join(words)
