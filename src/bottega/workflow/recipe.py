"""The recipe of a run: every choice, resolved, as TOML that a person can read and `reproduce` can follow."""

import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from bottega.errors import BottegaError, nearest_name
from bottega.workflow.options import TrainOptions
from bottega.workflow.table_options import FILES, TableOptions

__all__ = ["Recipe", "read_recipe", "versions"]

FORMAT = 1
MOST_THREADS = 1024  # the system refuses to start many more, and an engine that is refused threads crashes
PACKAGES = ("bottega", "numpy", "onnx", "onnxruntime", "Pillow", "scikit-learn", "torch")


@dataclass(frozen=True)
class Recipe:
    """What a run is made from; two runs of one recipe give one file.

    Attributes:
        source: DATA as it was given; a path relative to the working directory of the run.
        data: name, fingerprint, counts: nothing of it is a path.
        split: seed, rule and counts.
        training: the stated and the resolved choices, `threads` among them.
        preparation: what happens to a raw picture, in words and numbers.
        versions: of the packages that decide the last bits.
    """

    source: str
    data: Mapping[str, Any]
    split: Mapping[str, Any]
    training: Mapping[str, Any]
    preparation: Mapping[str, Any]
    versions: Mapping[str, Any]
    format: int = FORMAT

    def card(self) -> dict[str, Any]:
        """The part that travels in the model file: no path, no name of the data."""
        record = {key: value for key, value in asdict(self).items() if key not in ("source", "versions")}
        record["data"] = {key: value for key, value in record["data"].items() if key != "name"}
        if record["training"].get("table"):
            stated = {key: value for key, value in record["training"]["table"].items() if key not in FILES}
            record["training"] = {**record["training"], "table": stated}
        return record

    def to_toml(self) -> str:
        """The recipe as TOML; `read_recipe` reads it back."""
        lines = ["# What this run was made from. `bottega reproduce` follows it.", f"format = {self.format}"]
        lines.append(f"source = {_toml(self.source)}")
        for table in ("data", "split", "training", "preparation", "versions"):
            lines += ["", f"[{table}]"]
            lines += [f"{key} = {_toml(value)}" for key, value in getattr(self, table).items() if value is not None]
        return "\n".join(lines) + "\n"

    def options(self, **changes: Any) -> TrainOptions:
        """The choices that this recipe was begun with."""
        known = {f.name for f in fields(TrainOptions)}
        stated = {key: value for key, value in self.training.items() if key in known}
        if "table" in stated:
            stated["table"] = TableOptions.from_recipe(stated["table"])
        return TrainOptions(**{**stated, **changes})


def read_recipe(path: Path) -> Recipe:
    """Read a run's recipe strictly.

    Raises:
        BottegaError: there is none, it is no TOML, a key is unknown (the nearest is named) or missing.
    """
    fix = "name the folder of a run, as in runs/flowers-1"
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8", errors="surrogateescape"))
    except OSError as error:
        raise BottegaError(
            found=f"no recipe that can be read: {error.strerror}", expected="a run folder", fix=fix, where=str(path)
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise BottegaError(
            found=f"a recipe that is no TOML: {error}",
            expected="recipe.toml as training wrote it",
            fix=fix,
            where=str(path),
        ) from error
    known = [f.name for f in fields(Recipe)]
    _refuse_unknown(document, known, path)
    missing = [name for name in known if name not in document]
    if missing or document["format"] != FORMAT:
        what = f"no {missing[0]!r}" if missing else f"recipe format {document['format']!r}"
        raise BottegaError(found=what, expected=f"a recipe of format {FORMAT}", fix="train again", where=str(path))
    _refuse_other_kinds(document, path)
    _refuse_unknown(document["training"], [*_TRAINING], path)
    recipe = Recipe(**document)
    try:
        recipe.options()
    except BottegaError as error:  # it speaks of command line options, of which a resumed run takes none
        fix = "put back what training wrote"
        raise BottegaError(found=error.found, expected=error.expected, fix=fix, where=str(path)) from error
    return recipe


_FACTS = {"threads", "input", "plan", "beside", "views"}
_TRAINING = {f.name for f in fields(TrainOptions)} - {"resume", "name"} | _FACTS


def _refuse_other_kinds(document: Mapping[str, Any], path: Path) -> None:
    threads = document["training"].get("threads") if isinstance(document["training"], dict) else None
    kinds = {name: dict for name in document if name not in ("source", "format")} | {"source": str}
    wrong = [
        (key, document[key], "a table" if kind is dict else "a text")
        for key, kind in kinds.items()
        if not isinstance(document[key], kind)
    ]
    if not wrong and (type(threads) is not int or not 1 <= threads <= MOST_THREADS):
        wrong = [("threads", threads, f"a whole number from 1 to {MOST_THREADS}")]
    for key, value, expected in wrong:
        raise BottegaError(
            found=f"in a recipe {key!r} is {value!r}",
            expected=expected,
            fix="put back what training wrote",
            where=str(path),
        )


def _refuse_unknown(table: Mapping[str, Any], known: list[str], path: Path) -> None:
    for key in table:
        if key not in known:
            near = nearest_name(key, known)
            raise BottegaError(
                found=f"unknown key {key!r} in a recipe",
                expected=f"one of {', '.join(sorted(known))}",
                fix=f"did you mean {near!r}?" if near else "remove it",
                where=str(path),
            )


def versions(others: Iterable[str] = ()) -> dict[str, str]:
    """Versions of the packages that decide the last bits; those that aren't installed are left out.

    Args:
        others: packages that matter beside those that always do.
    """
    found = {}
    for name in dict.fromkeys((*PACKAGES, *others)):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _toml(value: Any) -> str:
    """A value as TOML: JSON's numbers and lists are TOML's too, and its texts once nothing is written as surrogates."""
    if isinstance(value, Mapping):
        inside = ", ".join(f"{_key(key)} = {_toml(item)}" for key, item in value.items() if item is not None)
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    return json.dumps(value, allow_nan=False, ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(name: object) -> str:
    text = str(name)
    return text if re.fullmatch(r"[A-Za-z0-9_-]+", text) else _toml(text)
