"""What the tests share: a cache of their own, a folder of pictures, one trained run for the session."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from command import CHOICES, TrainedRun, run_bottega
from demo import write_digits


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keep the tests away from the user's cache, and the user's settings away from the tests."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BOTTEGA_CACHE", str(folder))
        patch.delenv("COLUMNS", raising=False)
        yield folder


@pytest.fixture(scope="session")
def digits_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four digits with 120 pictures each: enough for a held-out test part, quick enough for a session."""
    return write_digits(tmp_path_factory.mktemp("data") / "digits", labels=range(4), n_per_class=120, side=32)


@pytest.fixture(scope="session")
def trained_run(digits_dir: Path) -> TrainedRun:
    """`bottega train digits --ship network --json`, once a session, as a process: the largest graph that can ship."""
    home = digits_dir.parent
    outcome = run_bottega("train", digits_dir.name, *CHOICES, "--json", cwd=home)
    if outcome.status:
        pytest.fail(f"bottega train ended with {outcome.status}\n{outcome.out}\n{outcome.err}")
    record = outcome.document
    return TrainedRun(home, digits_dir, home / record["run_dir"], home / record["model_path"], record)
