"""What is known of a table before anything is learnt from it: its columns, how it was read, what the user stated."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

from bottega.errors import BottegaError, found_in, nearest_name
from bottega.problem.records import Task

__all__ = [
    "MISSING_CODES",
    "Column",
    "ColumnSpec",
    "ColumnSummary",
    "Kind",
    "Reading",
    "Role",
    "TableChoices",
    "column_named",
    "table_choices",
    "table_task",
]

Kind = Literal["number", "category", "yes/no", "date", "text", "identifier", "constant"]
Role = Literal["feature", "target", "ignored", "group", "time", "weight"]

MISSING_CODES = (
    "? NA N/A n/a na NaN nan NAN null NULL Null None NONE - -- . #N/A #NA #VALUE! #REF! #DIV/0! #NULL! <NA> nil "
    "missing Missing MISSING"
).split()
STATABLE = ("number", "category", "yes/no", "date", "text", "identifier")
MAX_CLASSES = 20  # different whole numbers that are taken for classes rather than for an amount


@dataclass(frozen=True)
class Column:
    """One column of a table: what it is taken for, and why.

    Attributes:
        why: the reason for `kind`, as a sentence for the user.
        missing: what stood in the empty cells, each with its count; a blank is "".
        n_distinct: different values among those that are there.
        format: how a cell is written where that isn't plain: a date format, "decimal comma", "in kg".
        whole: a number without fractions in every cell.
        unreadable: (row, cell) of cells that are not of the kind, the first few; they count as missing.
        infinite: rows of infinite numbers, the first few; counted in `n_infinite`.
    """

    name: str
    kind: Kind
    why: str
    role: Role = "feature"
    n_missing: int = 0
    missing: Mapping[str, int] = field(default_factory=dict)
    n_distinct: int = 0
    format: str = ""
    whole: bool = False
    n_unreadable: int = 0
    unreadable: tuple[tuple[int, str], ...] = ()
    n_infinite: int = 0
    infinite: tuple[int, ...] = ()
    stated: bool = False  # the kind was chosen by the user


@dataclass(frozen=True)
class ColumnSummary:
    """How the cells of a column were spread in training; all shares together are 1.

    Attributes:
        n: cells.
        edges: of a number, ascending: the i-th bin holds what is at most `edges[i]`, the last one the rest.
        shares: of a number those of the bins; of a category those of the levels, and of all other categories last.
        missing: share of missing cells.
    """

    n: int
    edges: tuple[float, ...]
    shares: tuple[float, ...]
    missing: float


@dataclass(frozen=True)
class ColumnSpec:
    """One column that a model takes, as its file states it.

    Attributes:
        name: of the graph's input: the column's own, with an underscore where the graph uses that name itself.
        kind: number, category or date.
        dtype: float32 for numbers, string for the others.
        levels: categories that training knew, in the order of their codes.
        format: of a date as the graph reads it.
        written: of a date as training's file had it.
        missing: what stands for a missing cell beside an empty one.
        rare: share of training's cells that are none of the levels: seen once, or beyond the most frequent ones.
        summary: how training's cells were spread; None of a date, and in older files.
    """

    name: str
    kind: str
    dtype: str
    column: str
    levels: tuple[str, ...] = ()
    format: str = ""
    written: str = ""
    missing: tuple[str, ...] = ()
    rare: float = 0.0
    summary: ColumnSummary | None = field(default=None, metadata={"optional": True})


@dataclass(frozen=True)
class Reading:
    """How the bytes became rows: everything that was decided, to be said.

    Attributes:
        format: CSV, TSV, Parquet, JSON lines, Excel, SQLite.
        notes: decisions and remarks, one sentence each.
    """

    format: str
    n_bytes: int = 0
    delimiter: str = ""
    encoding: str = ""
    header: bool = True
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class TableChoices:
    """What the user stated about a table; whatever stays open is inferred and said.

    Attributes:
        types: kind of a column, or "date:%d/%m/%Y" with its format.
        missing: codes that stand for a missing value in every column.
        missing_in: the codes of one column, in place of the usual ones.
    """

    target: str | None = None
    types: Mapping[str, str] = field(default_factory=dict)
    ignore: tuple[str, ...] = ()
    group: str | None = None
    time_column: str | None = None
    weight: str | None = None
    missing: tuple[str, ...] = ()
    missing_in: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, kind in self.types.items():
            if kind.partition(":")[0] not in STATABLE:
                near = nearest_name(kind, STATABLE)
                raise BottegaError(
                    found=f"the type {kind!r} for the column {name!r}",
                    expected=f"one of {', '.join(STATABLE)}; a date may carry its format, date:%d/%m/%Y",
                    fix=f"did you mean {near}?" if near else "choose one of these",
                )
        stated = [("target", self.target), ("group", self.group), ("weight", self.weight)]
        stated += [("time-column", self.time_column)] if self.time_column == self.target else []
        stated += [("ignore", name) for name in self.ignore]
        seen: dict[str, str] = {}
        for what, column in stated:
            if column is not None and seen.setdefault(column, what) != what:
                raise BottegaError(
                    found=f"the column {column!r} stated as {seen[column]} and as {what}",
                    expected="one use for a column",
                    fix=f"leave one of --{seen[column]} and --{what} out",
                )

    def role(self, name: str) -> Role:
        """What a column is for."""
        if name == self.target:
            return "target"
        roles: tuple[tuple[Role, str | None], ...] = (
            ("group", self.group),
            ("time", self.time_column),
            ("weight", self.weight),
        )
        return next((r for r, stated in roles if stated == name), "ignored" if name in self.ignore else "feature")

    def names(self) -> list[str]:
        """Every column that is named."""
        single = [name for name in (self.target, self.group, self.time_column, self.weight) if name is not None]
        return [*single, *self.types, *self.ignore, *self.missing_in]


def table_choices(
    *,
    target: str | None = None,
    types: Sequence[str] = (),
    ignore: Sequence[str] = (),
    group: str | None = None,
    time_column: str | None = None,
    weight: str | None = None,
    missing: Sequence[str] = (),
) -> TableChoices:
    """Read the choices as they are typed: `COL=KIND` for a type, `CODE` or `COL=CODE` for a missing value.

    Raises:
        BottegaError: a type without `=`, an unknown kind, one column for two uses.
    Example:
        >>> table_choices(types=["zip=category"], missing=["?", "age=0"]).missing_in
        {'age': ('0',)}
    """
    kinds: dict[str, str] = {}
    for words in types:
        name, sign, kind = words.rpartition("=") if not _is_dated(words) else words.partition("=")
        if not sign:
            raise BottegaError(
                found=f"--type {words!r}", expected="COL=KIND", fix=f"write --type {words}=category, for instance"
            )
        kinds[name] = kind
    everywhere = tuple(code for code in missing if "=" not in code)
    codes: dict[str, tuple[str, ...]] = {}
    for words in missing:
        if "=" in words:
            name, _, code = words.rpartition("=")
            codes[name] = (*codes.get(name, ()), code)
    return TableChoices(target, kinds, tuple(ignore), group, time_column, weight, everywhere, codes)


def _is_dated(words: str) -> bool:
    return "=date:" in words


def column_named(name: str, names: Sequence[str], where: str | None = None) -> str:
    """The name when it is one of the columns.

    Raises:
        BottegaError: it isn't; the nearest name is suggested.
    """
    if name in names:
        return name
    several = [part.strip() for part in name.split(",")]
    if len(several) > 1 and set(several) <= set(names):
        raise BottegaError(
            found=f"{len(several)} columns: {found_in(several)}",
            expected="one column; `bottega train` on a table takes several targets, other verbs one",
            fix=f"--target {several[0]}",
            where=where,
        )
    near = nearest_name(name, names) or next((n for n in names if n.strip().lower() == name.strip().lower()), None)
    raise BottegaError(
        found=f"no column {name!r}",
        expected=f"one of {found_in(list(names))}",
        fix=f"did you mean {near!r}?" if near else "`bottega look` on the file lists its columns",
        where=where,
    )


def table_task(target: Column | None, n_rows: int, classes: Sequence[str], *, time_column: str | None = None) -> Task:
    """Infer the task from the target column alone.

    Args:
        target: None where none was named or found.
        n_rows: rows of the table that have a target.
        classes: its different values as text, sorted; needed where there are few.
    Returns:
        A Task whose `kind` is None where nothing can be learnt; `why` says what is missing.
    Example:
        >>> wine = Column("quality", "number", "", n_distinct=7, whole=True)
        >>> table_task(wine, 6497, tuple("3456789")).why
        '7 different whole numbers, 3 to 9, taken as classes; --type quality=number to predict an amount'
    """
    if target is None:
        return Task(None, "tables", None, (), "undecided: name the column to be predicted with --target")
    name, n = target.name, target.n_distinct
    if n == 0 or n_rows == 0:
        return Task(None, "tables", name, (), f"undecided: {name!r} has no value in any row")
    if n == 1:
        return Task(None, "tables", name, tuple(classes), f"undecided: {name!r} has one value in every row")
    if target.kind == "number" and not _are_classes(target, n_rows):
        by_time = f", later rows by earlier ones of {time_column!r}" if time_column else ""
        return Task("regression", "tables", name, (), f"{n:,} different numbers in {name!r}{by_time}")
    if target.kind == "date":
        return Task(None, "tables", name, (), f"undecided: {name!r} is a date; predict a number or a class")
    if target.kind in ("text", "identifier"):
        why = f"undecided: {name!r} has {n:,} different values in {n_rows:,} rows, nothing that repeats"
        return Task(None, "tables", name, (), why)
    if target.kind == "number":
        shown = f"{classes[0]} to {classes[-1]}" if classes else "few"
        why = f"{n} different whole numbers, {shown}, taken as classes; --type {name}=number to predict an amount"
        return Task("classification", "tables", name, tuple(classes), why)
    if 2 * n > n_rows:
        why = f"undecided: {n:,} classes for {n_rows:,} rows; a class needs rows to be learnt from"
        return Task(None, "tables", name, (), why)
    return Task("classification", "tables", name, tuple(classes), f"{n:,} classes in {name!r}")


def _are_classes(target: Column, n_rows: int) -> bool:
    return target.whole and not target.stated and target.n_distinct <= min(MAX_CLASSES, n_rows / 20)


KINDS: tuple[str, ...] = get_args(Kind)
