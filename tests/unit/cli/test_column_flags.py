"""Stated columns as flags of the next command."""

import shlex

from bottega.cli.column_flags import column_flags
from bottega.problem.table import TableChoices


def test_everything_that_was_stated_is_there_again() -> None:
    stated = TableChoices(
        target="price",
        types={"zip": "category"},
        ignore=("a b", "c"),
        group="owner",
        time_column="day",
        weight="n",
        missing=("?",),
        missing_in={"age": ("-9",)},
    )
    words = "--type zip=category --ignore 'a b' --ignore c --group owner --time-column day --weight n".split("'")
    wanted = [*words[0].split(), "a b", *words[2].split(), "--missing", "?", "--missing", "age=-9"]
    assert shlex.split(column_flags(stated)) == wanted
    assert column_flags(TableChoices(target="price")) == ""
