"""The package's front door: every name is there, none is loaded before it is used."""

import subprocess
import sys

import pytest

import bottega


@pytest.mark.parametrize("name", bottega.__all__)
def test_every_name_loads(name: str) -> None:
    value = getattr(bottega, name)
    assert value.__name__ == name
    assert value.__doc__


def test_the_import_loads_nothing() -> None:
    code = "import sys, bottega; print(sorted(m for m in sys.modules if m.startswith(('bottega.', 'numpy', 'typer'))))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"


def test_dir_lists_the_names() -> None:
    assert set(bottega.__all__) <= set(dir(bottega))
    assert bottega.__all__ == sorted(bottega.__all__)


def test_an_unknown_name() -> None:
    with pytest.raises(AttributeError, match="module 'bottega' has no attribute 'trian'"):
        bottega.trian  # noqa: B018


def test_the_version() -> None:
    assert bottega.__version__.count(".") == 2


def test_an_unknown_keyword_names_the_nearest() -> None:
    with pytest.raises(bottega.BottegaError, match=r"found: train has no option 'sed'\n.*\nfix: did you mean 'seed'\?"):
        bottega.train("x", sed=3)  # type: ignore[call-arg]


def test_data_that_are_no_place() -> None:
    with pytest.raises(bottega.BottegaError, match="found: a list in place of data"):
        bottega.train([1, 2])  # type: ignore[arg-type]
