"""The flags that state what columns are, as a command to copy repeats them."""

import shlex

from bottega.problem.table import TableChoices

__all__ = ["column_flags"]


def column_flags(choices: TableChoices) -> str:
    """Every stated choice but the target, each with a blank before it.

    Example:
        >>> column_flags(TableChoices(target="price", time_column="day sold", missing=("?",)))
        " --time-column 'day sold' --missing '?'"
    """
    flags = [("--type", f"{name}={kind}") for name, kind in choices.types.items()]
    flags += [("--ignore", name) for name in choices.ignore]
    for flag, name in (
        ("--group", choices.group),
        ("--time-column", choices.time_column),
        ("--weight", choices.weight),
    ):
        flags += [] if name is None else [(flag, name)]
    flags += [("--missing", code) for code in choices.missing]
    flags += [("--missing", f"{name}={code}") for name, codes in choices.missing_in.items() for code in codes]
    return "".join(f" {flag} {shlex.quote(value)}" for flag, value in flags)
