"""`bottega.toml`: the question, the metric and the bar, written before anything is trained; and the columns' use."""

import json
import os
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bottega.errors import BottegaError, found_in, nearest_name
from bottega.problem.records import LookRecord
from bottega.problem.table import TableChoices

__all__ = ["FILE", "Bar", "merged", "read_bar", "read_costs", "read_question", "write_question"]

FILE = "bottega.toml"
_KEYS = ("data", "question", "target", "metric", "at_least", "at_most", "ignore", "group", "time_column", "weight")
_COSTS = ("false_alarm_cost", "miss_cost", "positive", "costs")
_TABLES = ("types", "missing")
_METRIC = {"classification": "accuracy", "regression": "rmse"}


@dataclass(frozen=True)
class Bar:
    """The measure and what is good enough, as they were written before training; None where left open."""

    metric: str | None = None
    at_least: float | None = None
    at_most: float | None = None


def read_bar(data: str, folder: Path | None = None) -> Bar | None:
    """Metric and bar of `bottega.toml`, when it is about this DATA; else None.

    Raises:
        BottegaError: as `read_question`, or a bar that is no number.
    """
    stated = _stated(data, folder)
    if stated is None:
        return None
    bars = {}
    for key in ("at_least", "at_most"):
        value = stated.get(key)
        if value is not None and (isinstance(value, bool) or not isinstance(value, (int, float))):
            raise _wrong_kind(key, value, "a number")
        bars[key] = value
    return Bar(_word(stated, "metric"), **bars)


def read_costs(data: str, folder: Path | None = None) -> dict[str, Any]:
    """What wrong answers cost by `bottega.toml`, when it is about this DATA: the keys that it states.

    Raises:
        BottegaError: as `read_question`.
    """
    stated = _stated(data, folder) or {}
    return {key: stated[key] for key in _COSTS if key in stated}


def read_question(data: str, folder: Path | None = None) -> TableChoices | None:
    """The choices of `bottega.toml` in the working directory, when it is about this DATA; else None.

    Raises:
        BottegaError: it is no TOML, or has a key that means nothing.
    """
    stated = _stated(data, folder)
    if stated is None:
        return None
    codes = {name: tuple(map(str, some)) for name, some in _table(stated, "missing").items() if name != "everywhere"}
    return TableChoices(
        target=_word(stated, "target"),
        types={name: str(kind) for name, kind in _table(stated, "types").items()},
        ignore=tuple(map(str, _list(stated, "ignore"))),
        group=_word(stated, "group"),
        time_column=_word(stated, "time_column"),
        weight=_word(stated, "weight"),
        missing=tuple(map(str, _table(stated, "missing").get("everywhere", ()))),
        missing_in=codes,
    )


def _stated(data: str, folder: Path | None) -> dict[str, Any] | None:
    """The keys of the file; None where there is no such file, or it is about other data."""
    path = (folder or Path()) / FILE
    try:
        stated = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BottegaError(
            found=f"{error}", expected="TOML", fix="mend the line, or delete the file", where=FILE
        ) from error
    known = (*_KEYS, *_COSTS, *_TABLES)
    for key in stated:
        if key not in known:
            near = nearest_name(key, known)
            fix = f"did you mean {near}?" if near else "remove it"
            raise BottegaError(
                found=f"the key {key!r}", expected=f"one of {found_in(known, limit=12)}", fix=fix, where=FILE
            )
    return stated if _is_about(stated.get("data", ""), data) else None


def merged(stated: TableChoices, written: TableChoices | None) -> TableChoices:
    """What was stated on the command line, and for all else what the file has."""
    if written is None:
        return stated
    return TableChoices(
        target=stated.target or written.target,
        types={**written.types, **stated.types},
        ignore=stated.ignore or written.ignore,
        group=stated.group or written.group,
        time_column=stated.time_column or written.time_column,
        weight=stated.weight or written.weight,
        missing=stated.missing or written.missing,
        missing_in={**written.missing_in, **stated.missing_in},
    )


def write_question(record: LookRecord, data: str, choices: TableChoices, folder: Path | None = None) -> Path:
    """Leave `bottega.toml` beside the work: what was asked, what is known of each column, and room for the bar.

    Raises:
        BottegaError: there is one about other data, which is not overwritten.
    """
    path = (folder or Path()) / FILE
    if path.exists() and read_question(data, folder) is None:
        raise BottegaError(
            found=f"a {FILE} about other data",
            expected="one folder for one question",
            fix=f"move {FILE} away, or work in another folder",
            where=str(path),
        )
    text = "\n".join(
        [*_head(record, data), "", *_use(choices), "", *_types(record, choices), "", *_missing(choices), ""]
    )
    draft = path.with_name(f"{FILE}.part")
    draft.write_text(text, encoding="utf-8")
    os.replace(draft, path)
    return path


def _head(record: LookRecord, data: str) -> list[str]:
    task = record.task
    target = task.target or ""
    question = f"What is {target}, given the other columns?" if target else "Which column is to be predicted?"
    metric = _METRIC.get(task.kind or "", "accuracy")
    bar, key = _naive(record), "at_most" if metric == "rmse" else "at_least"
    return [
        "# The question, the measure and the bar, before anything is trained.",
        "# `bottega look` and `bottega train` read this file in the folder they are started in.",
        f"data = {_text(data)}",
        f"question = {_text(question)}",
        f"target = {_text(target)}" if target else '# target = "COLUMN"',
        f"metric = {_text(metric)}",
        f"# {key} = 0.0  # good enough to be used; {bar}" if bar else f"# {key} = 0.0  # good enough to be used",
    ]


def _naive(record: LookRecord) -> str:
    """What the bar must clear to mean anything."""
    if record.n_per_class:
        label, n = next(iter(record.n_per_class.items()))
        return _comment(f"always answering {label!r} has an accuracy of {n / sum(record.n_per_class.values()):.3f}")
    return ""


def _use(choices: TableChoices) -> list[str]:
    lines = [f"ignore = [{', '.join(map(_text, choices.ignore))}]"]
    for key, value in (("group", choices.group), ("time_column", choices.time_column), ("weight", choices.weight)):
        lines.append(f"{key} = {_text(value)}" if value else f'# {key} = "COLUMN"')
    return lines


def _types(record: LookRecord, choices: TableChoices) -> list[str]:
    lines = ["[types]  # take the # away to state a kind: number, category, yes/no, date, text, identifier"]
    for column in record.facts.get("columns", ()):
        name, stated = column["name"], choices.types.get(column["name"])
        mark = "" if stated else "# "
        lines.append(f"{mark}{_text(name)} = {_text(stated or column['kind'])}  # {_comment(column['why'])}")
    return lines


def _missing(choices: TableChoices) -> list[str]:
    lines = ["[missing]  # codes that stand for a missing value, besides the usual ones; or those of one column"]
    lines.append(f"everywhere = [{', '.join(map(_text, choices.missing))}]")
    return lines + [f"{_text(name)} = [{', '.join(map(_text, some))}]" for name, some in choices.missing_in.items()]


def _text(value: str) -> str:
    """A TOML string; JSON's escapes are TOML's too, but for DEL and for what lies beyond 16 bits, kept as it is."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _comment(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text)


def _is_about(written: Any, data: str) -> bool:
    return isinstance(written, str) and (written == data or os.path.abspath(written) == os.path.abspath(data))


def _word(stated: dict[str, Any], key: str) -> str | None:
    value = stated.get(key)
    if value is not None and not isinstance(value, str):
        raise _wrong_kind(key, value, "a name in quotes")
    return value or None


def _list(stated: dict[str, Any], key: str) -> Sequence[Any]:
    value = stated.get(key, [])
    if not isinstance(value, list):
        raise _wrong_kind(key, value, '["a", "b"]')
    return value


def _table(stated: dict[str, Any], key: str) -> dict[str, Any]:
    value = stated.get(key, {})
    if not isinstance(value, dict) or (key == "missing" and any(not isinstance(v, list) for v in value.values())):
        raise _wrong_kind(key, value, "a table of lists" if key == "missing" else "a table")
    return value


def _wrong_kind(key: str, value: Any, expected: str) -> BottegaError:
    return BottegaError(found=f"{key} = {value!r}", expected=expected, fix="mend the line", where=FILE)
