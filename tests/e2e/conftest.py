"""What several end-to-end tests begin with."""

from pathlib import Path

import pytest

from bottega.models import sentence


@pytest.fixture
def home(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory of a test file's own data and run, with no sentence network at hand."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sentence, "PACKAGE", "not_installed")
    return folder
