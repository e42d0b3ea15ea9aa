"""The help pages in the docs are what the command prints."""

from importlib import import_module

import pytest

from bottega.cli.main import HELP
from make_help import FOLDER, help_pages


def test_pages_are_up_to_date() -> None:
    written = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.md")}
    assert written == help_pages(), "run `make docs`"


@pytest.mark.parametrize("verb", HELP)
def test_the_table_of_verbs_repeats_each_docstring(verb: str) -> None:
    function = getattr(import_module(f"bottega.cli.{verb}"), verb)
    assert HELP[verb] == function.__doc__.strip().splitlines()[0]


def test_pages_fit_the_terminal() -> None:
    for name, text in help_pages().items():
        assert max(map(len, text.splitlines())) <= 80, name
