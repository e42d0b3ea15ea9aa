"""The record of a finished run, read back."""

import json
from pathlib import Path

from bottega.errors import BottegaError
from bottega.problem.records import TargetsRecord, TrainRecord
from bottega.shipping.document import from_document
from bottega.workflow.run_folder import RECORD

__all__ = ["read_record"]


def read_record(path: Path) -> TrainRecord | TargetsRecord:
    """The record of a finished run.

    Raises:
        BottegaError: it isn't as training wrote it.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        kind = TargetsRecord if "targets" in document else TrainRecord
        record: TrainRecord | TargetsRecord = from_document(kind, document, "")
    except (TypeError, ValueError) as error:  # a BottegaError is a ValueError, and speaks of a card
        raise BottegaError(
            found=f"a run whose {RECORD} can't be read: {getattr(error, 'found', error)}",
            expected="the file as training wrote it",
            fix=f"delete {path}: --resume then finishes the run again",
        ) from error
    return record
