"""Frozen records to and from JSON, strictly, by their type annotations: bytes travel as base64."""

import base64
import dataclasses
import math
import types
from functools import lru_cache
from typing import Any, Literal, NoReturn, Union, get_args, get_origin, get_type_hints

from bottega.errors import BottegaError
from bottega.problem.records import Score

__all__ = ["from_document", "refuse_key", "to_document"]

WORDS = {str: "a text", int: "a whole number", float: "a finite number", bool: "true or false", bytes: "base64"}
SCORE_KEYS = {"n", "score", "low", "high", "higher_is_better"}


def to_document(value: Any) -> Any:
    """What `json.dumps` takes; an undefined score (NaN) becomes null."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = [f for f in dataclasses.fields(value) if not _is_left_out(f, value)]
        out = {f.name: to_document(getattr(value, f.name)) for f in fields}
        if isinstance(value, Score):
            out = {key: None if isinstance(x, float) and not math.isfinite(x) else x for key, x in out.items()}
        return out
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                raise TypeError(f"the key {key!r} is no text")
        return {key: to_document(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_document(item) for item in value]
    return value


def _is_left_out(part: Any, value: Any) -> bool:
    """Optional parts that are not there have no key, so that what came before them keeps its bytes."""
    return bool(part.metadata.get("optional")) and getattr(value, part.name) is None


def from_document(kind: Any, value: Any, where: str) -> Any:
    """Build a value of an annotated type from parsed JSON.

    Args:
        kind: a frozen dataclass, `str`, `int`, `float`, `bool`, `bytes`, `Any`, or `tuple[X, ...]`, `dict[str, X]`,
            `Literal`, unions of these.
        where: the key so far, for the message: `thresholds.sure`.
    Raises:
        BottegaError: a key is missing or of the wrong type. Keys that are not known are left alone: a later version of
            the same format may add some.
    """
    origin = get_origin(kind)
    if kind is Any:
        return _untyped(value, where)
    if dataclasses.is_dataclass(kind):
        return _record(kind, value, where)
    if origin in (Union, types.UnionType):
        return _one_of(get_args(kind), value, where)
    if origin is Literal:
        if value not in get_args(kind) or isinstance(value, bool):
            refuse_key(where, value, f"one of {', '.join(map(repr, get_args(kind)))}")
        return value
    if origin is tuple:
        if not isinstance(value, list):
            refuse_key(where, value, "a list")
        item = get_args(kind)[0]
        return tuple(from_document(item, x, f"{where}[{i}]") for i, x in enumerate(value))
    if origin is dict:
        if not isinstance(value, dict):
            refuse_key(where, value, "an object")
        return {key: from_document(get_args(kind)[1], x, f"{where}.{key}") for key, x in value.items()}
    return _scalar(kind, value, where)


def _untyped(value: Any, where: str) -> Any:
    """A value without an annotation as it is, but for the scores in it: they were records when they were written."""
    if isinstance(value, list):
        return [_untyped(item, where) for item in value]
    if not isinstance(value, dict):
        return value
    if SCORE_KEYS <= value.keys() <= SCORE_KEYS | {"n_groups"}:
        return _record(Score, value, where)
    return {key: _untyped(item, f"{where}.{key}") for key, item in value.items()}


@lru_cache(maxsize=64)
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _record(kind: Any, value: Any, where: str) -> Any:
    if not isinstance(value, dict):
        refuse_key(where or "the card", value, "an object")
    hints = _hints(kind)
    arguments = {}
    for part in dataclasses.fields(kind):
        key = f"{where}.{part.name}" if where else part.name
        if part.name not in value and part.metadata.get("optional"):
            continue
        if part.name not in value:
            raise BottegaError(
                found=f"no key {key!r} in the card",
                expected="a card with every key of its format version",
                fix="train again: bottega train FOLDER",
            )
        item = value[part.name]
        if kind is Score and item is None and hints[part.name] is float:
            item_value: Any = math.nan
        else:
            item_value = from_document(hints[part.name], item, key)
        arguments[part.name] = item_value
    return kind(**arguments)


def _one_of(kinds: tuple[Any, ...], value: Any, where: str) -> Any:
    if value is None and type(None) in kinds:
        return None
    rest = [kind for kind in kinds if kind is not type(None)]
    records = [kind for kind in rest if dataclasses.is_dataclass(kind)]
    if len(records) > 1 and isinstance(value, dict):  # the one whose keys are there
        return _record(max(records, key=lambda kind: _n_shared(kind, value)), value, where)
    for kind in rest[:-1]:
        if isinstance(kind, type) and type(value) is kind:
            return value
    return from_document(rest[-1], value, where)


def _n_shared(kind: Any, value: dict[str, Any]) -> float:
    names = [part.name for part in dataclasses.fields(kind)]
    return sum(name in value for name in names) / len(names)


def _scalar(kind: type, value: Any, where: str) -> Any:
    if kind is bytes:
        try:
            return base64.b64decode(value, validate=True)
        except (TypeError, ValueError):
            refuse_key(where, value, WORDS[bytes])
    if kind is float and type(value) in (int, float):
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if math.isfinite(number):
            return number
    elif type(value) is kind:
        return value
    refuse_key(where, value, WORDS[kind])


def refuse_key(key: str, value: object, expected: str, *, verbatim: bool = False) -> NoReturn:
    """Raise the error for one key of a card; a long value is cut."""
    shown = str(value) if verbatim else repr(value)
    if len(shown) > 80:
        shown = shown[:77] + "..."
    raise BottegaError(
        found=f"the card's key {key!r} is {shown}", expected=expected, fix="train again: bottega train FOLDER"
    )
