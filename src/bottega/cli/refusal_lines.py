"""What stands in place of the next command when `train` would refuse the data."""

from bottega.cli.terminal import escape, fold
from bottega.problem.records import LookRecord

__all__ = ["refusal_lines"]


def refusal_lines(record: LookRecord) -> list[str]:
    """Why no training can use the data, and what to do; nothing where one can."""
    refused = record.facts.get("refused")
    if refused is None:
        return []
    said = f"{refused['found']}; train expects {refused['expected']}"
    return [*fold("Not yet", escape(said)), *fold("Next", escape(refused["fix"]))]
