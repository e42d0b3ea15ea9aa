"""What is stated about a table that is trained on: its columns, and the parts that it comes in."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from bottega.data.table_names import TABLE_SUFFIXES, is_table, is_text_folder
from bottega.errors import BottegaError
from bottega.problem.table import TableChoices, table_choices
from bottega.workflow.question import Bar, merged, read_bar, read_costs, read_question
from bottega.workflow.table_costs import COST_KEYWORDS, StatedCosts, stated_costs

__all__ = ["COLUMN_KEYWORDS", "FILES", "PARTS", "TableOptions", "part_files", "table_options"]

COLUMN_KEYWORDS = (
    "target", "type", "ignore", "group", "time_column", "weight", "missing", "test", "val", "split_column",
    "text", "also", "vectors", "features", *COST_KEYWORDS,
)  # fmt: skip
FILES = ("test", "val", "vectors")  # stated by their paths
PLACES = (*FILES, "split_column")
PARTS = {"train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val", "dev": "val",
         "test": "test"}  # fmt: skip


@dataclass(frozen=True)
class TableOptions:
    """The stated use of a table.

    Attributes:
        test, val: files of these parts; None where they are drawn, or stand in DATA.
        split_column: whose values name the part of each row.
        text: columns of texts that are joined and learned from; () where that was not stated.
        also: columns that are learned from beside the texts.
        vectors: a file of word vectors, to be tried as features of the texts.
        costs: of wrong answers; None where each counts the same.
        targets: of a run of several; `choices.target` is then the one that is trained now, None for all of them.
        features: whether features are made of the columns, and kept where they are proved to help.
    """

    choices: TableChoices = field(default_factory=TableChoices)
    test: str | None = None
    val: str | None = None
    split_column: str | None = None
    vectors: str | None = None
    text: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    costs: StatedCosts | None = None
    features: bool = False

    def to_recipe(self) -> dict[str, Any]:
        """What was stated, as the recipe holds it."""
        return {key: value for key, value in {**asdict(self.choices), **self._parts()}.items() if value}

    def _parts(self) -> dict[str, Any]:
        places = {"test": self.test, "val": self.val, "split_column": self.split_column, "vectors": self.vectors}
        costs = None if self.costs is None else self.costs.to_recipe()
        several = {"text": list(self.text), "also": list(self.also), "targets": list(self.targets)}
        return {**places, **several, "costs": costs, "features": self.features}

    @classmethod
    def from_recipe(cls, stated: Mapping[str, Any]) -> "TableOptions":
        """The same again.

        Raises:
            BottegaError: it isn't what training wrote.
        """
        parts = {key: stated[key] for key in (*PLACES, "features") if key in stated}
        parts |= {key: tuple(_several(stated[key])) for key in ("text", "also", "targets") if key in stated}
        rest = {key: value for key, value in stated.items() if key not in (*parts, "costs")}
        for key in ("ignore", "missing"):
            rest[key] = tuple(rest.get(key, ()))
        rest["missing_in"] = {name: tuple(codes) for name, codes in rest.get("missing_in", {}).items()}
        try:
            costs = StatedCosts(**stated["costs"]) if "costs" in stated else None
            return cls(TableChoices(**rest), **parts, costs=costs)
        except TypeError as error:
            raise BottegaError(
                found=f"in a recipe the table is {dict(stated)!r}",
                expected="the columns as training wrote them",
                fix="put back what training wrote",
            ) from error


def table_options(
    data: str | os.PathLike[str] | None, keywords: Mapping[str, Any]
) -> tuple[TableOptions | None, Bar | None]:
    """Read what is stated about columns, on the command line and in `bottega.toml`.

    Args:
        keywords: those of `COLUMN_KEYWORDS` that were stated.
    Returns:
        None for data that are no table; and the metric and bar of the file, if there is one about these data.
    Raises:
        BottegaError: columns are stated for what is no table, or contradict each other.
    """
    stated = {key: value for key, value in keywords.items() if value}
    if data is None:
        return None, None
    path = os.fspath(data)
    if not (is_table(path) or part_files(path) or is_text_folder(path) or (stated and os.path.isfile(path))):
        if stated:
            key, value = next(iter(stated.items()))
            shown = "" if value is True else f" {value!r}"
            raise BottegaError(
                found=f"--{key.replace('_', '-')}{shown} for {path!r}, which is no table",
                expected="columns stated for a CSV, TSV, Parquet, JSON lines, .xlsx or SQLite file",
                fix="leave it out, or give the file",
            )
        return None, None
    parts = {key: stated.get(key) for key in PLACES}
    target, targets = _one_or_several(stated.get("target"))
    choices = table_choices(
        target=target,
        types=_typed(stated.get("type", ())),
        ignore=_several(stated.get("ignore", ())),
        group=stated.get("group"),
        time_column=stated.get("time_column"),
        weight=stated.get("weight"),
        missing=_several(stated.get("missing", ())),
    )
    choices = merged(choices, read_question(path))
    choices = replace(choices, target=None) if targets else choices  # of several, the file's one is not meant
    places: dict[str, Any] = {key: None if value is None else os.fspath(value) for key, value in parts.items()}
    text, also = (tuple(_several(stated.get(key, ()))) for key in ("text", "also"))
    asked = {key: keywords[key] for key in COST_KEYWORDS if keywords.get(key) is not None}
    costs = stated_costs(asked or read_costs(path))
    features = _is_true(stated.get("features", False))
    read = TableOptions(choices, **places, text=text, also=also, targets=targets, costs=costs, features=features)
    return read, read_bar(path)


def part_files(data: str) -> dict[str, str]:
    """The files of a folder that are named train, val or dev, test: by part; nothing where there is no train."""
    folder = Path(data)
    if not folder.is_dir():
        return {}
    found: dict[str, str] = {}
    for path in sorted(folder.iterdir()):
        part = PARTS.get(path.stem.lower())
        if part is not None and path.suffix.lower() in TABLE_SUFFIXES and path.is_file():
            if part in found:
                raise BottegaError(
                    found=f"{Path(found[part]).name} and {path.name}, both for the part {part!r}",
                    expected="one file for each part",
                    fix="move one of them away",
                    where=data,
                )
            found[part] = str(path)
    return found if "train" in found else {}


def _one_or_several(stated: Any) -> tuple[str | None, tuple[str, ...]]:
    """One column, or a list of them as Python users write it; `a,b` is read once the columns are known."""
    if stated is None or isinstance(stated, str):
        return stated, ()
    names = tuple(stated)
    if not all(isinstance(name, str) for name in names) or len(set(names)) != len(names):
        raise BottegaError(
            found=f"target {stated!r}",
            expected="one column, or a list of different ones",
            fix="target=['price', 'kind']",
        )
    return (names[0], ()) if len(names) == 1 else (None, names)


def _several(value: Any) -> Sequence[str]:
    return (value,) if isinstance(value, str) else tuple(value)


def _is_true(value: Any) -> bool:
    if not isinstance(value, bool):
        raise BottegaError(found=f"features {value!r}", expected="True or False", fix="features=True")
    return value


def _typed(value: Any) -> Sequence[str]:
    """`COL=KIND` as the command line has it, or a mapping as Python users write it."""
    if isinstance(value, Mapping):
        return tuple(f"{name}={kind}" for name, kind in value.items())
    return _several(value)
