"""A run that is finished is told again, from its record."""

from pathlib import Path

import pytest

from bottega.errors import BottegaError
from bottega.workflow.record_file import read_record


@pytest.mark.parametrize("text", ["{", "3", "[1]", '{"run_dir": "runs/a"}', '{"targets": 3}'])
def test_a_record_that_was_damaged_is_refused_with_a_way_on(tmp_path: Path, text: str) -> None:
    path = tmp_path / "record.json"
    path.write_text(text, "utf-8")
    with pytest.raises(BottegaError, match=r"record\.json can't be read.*\n.*\nfix: delete .*record\.json: --resume"):
        read_record(path)
