"""What `train` would say to data that `look` was asked about: a look never ends with advice that is refused."""

from collections.abc import Callable
from dataclasses import replace

from bottega.errors import BottegaError
from bottega.problem.records import LookRecord

__all__ = ["with_refusal"]


def with_refusal(record: LookRecord, require: Callable[[], None]) -> LookRecord:
    """The record with the refusal of a training among its facts, where there is one.

    Args:
        require: raises what training would raise on the data.
    """
    try:
        require()
    except BottegaError as error:
        refused = {"found": error.found, "expected": error.expected, "fix": error.fix}
        return replace(record, facts={**record.facts, "refused": refused})
    return record
