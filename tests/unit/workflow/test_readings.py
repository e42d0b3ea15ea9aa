"""What a diagnosis reads stays the same in the run folder."""

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from bottega.errors import BottegaError
from bottega.problem.records import Finding
from bottega.refinement.diagnosis import HEALTHY
from bottega.workflow.readings import READINGS, KeptReading, all_findings, keep, kept
from bottega.workflow.run_folder import RunFolder
from run_material import reading

FAULT = Finding("dead units", "80 %", "no gradient", "leaky ReLU", "high")


def test_a_reading_comes_back_as_it_was(tmp_path: Path) -> None:
    folder, found = RunFolder(tmp_path), reading()
    assert kept(folder) is None
    keep(folder, KeptReading(found, "cnn", np.arange(3), np.arange(3, 5), (FAULT,)))
    again = kept(folder)
    assert again is not None
    assert (again.network, again.others) == ("cnn", (FAULT,))
    assert again.train_rows.tolist() == [0, 1, 2]
    for field in fields(found):
        before, after = getattr(found, field.name), getattr(again.reading, field.name)
        if field.name in ("train", "val"):
            assert (before.y == after.y).all()
            assert (before.probabilities == after.probabilities).all()
        else:
            assert before == after


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    np.savez(folder.file(READINGS), facts=np.frombuffer(b'{"format": 1}', np.uint8))
    with pytest.raises(BottegaError, match=r"readings\.npz can't be read"):
        kept(folder)


def test_nothing_to_mend_stands_alone() -> None:
    assert all_findings((HEALTHY,), (HEALTHY,)) == (HEALTHY,)
    assert all_findings((HEALTHY,), (FAULT,)) == (FAULT,)
    assert all_findings((FAULT,), (FAULT, HEALTHY)) == (FAULT,)
