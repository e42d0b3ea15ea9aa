"""What wrong answers cost, as it is stated: two numbers for two classes, or a table of every answer's cost."""

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bottega.errors import BottegaError, found_in, nearest_name
from bottega.evaluation.costs import Costs

__all__ = ["COST_KEYWORDS", "StatedCosts", "stated_costs"]

COST_KEYWORDS = ("false_alarm_cost", "miss_cost", "positive", "costs")
OBVIOUS = {"yes": "no", "y": "n", "true": "false", "t": "f", "1": "0", "1.0": "0.0", "positive": "negative",
           "pos": "neg", "present": "absent"}  # fmt: skip
MAX_BYTES = 1 << 20  # of a table of costs
FIRST_COLUMN = 2  # of the costs in such a file, counted from 1


@dataclass(frozen=True)
class StatedCosts:
    """Costs before the classes are known.

    Attributes:
        false_alarm_cost: of saying the positive class where the other one is true.
        miss_cost: of saying the other one where the positive class is true.
        positive: the class that a miss overlooks; None where its name says it (yes, true, 1).
        table: cost by true class and answer; empty where the two numbers are stated.
    """

    false_alarm_cost: float | None = None
    miss_cost: float | None = None
    positive: str | None = None
    table: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def to_recipe(self) -> dict[str, Any]:
        """What was stated, as the recipe holds it."""
        return {key: value for key, value in vars(self).items() if value not in (None, {})}

    def positive_of(self, classes: Sequence[str]) -> str | None:
        """Which of two classes a miss overlooks; None where a table of costs says all.

        Raises:
            BottegaError: there aren't two classes, no class is called so, or neither name says which.
        """
        if self.table:
            return None
        if len(classes) != 2:
            raise BottegaError(
                found=f"costs of a miss and a false alarm for {len(classes)} classes",
                expected="two classes, or the cost of each answer for each true class",
                fix="--costs FILE.csv, with the classes as rows (true) and columns (said)",
            )
        if self.positive is not None:
            _require_class(self.positive, classes, "--positive")
            return self.positive
        words = [name.strip().lower() for name in classes]
        named = [
            name for name, word, other in zip(classes, words, words[::-1], strict=True) if OBVIOUS.get(word) == other
        ]
        if not named:
            raise BottegaError(
                found=f"costs of a miss and a false alarm, and the classes {found_in(classes)}",
                expected="the class that a miss overlooks to be named, since the names do not tell",
                fix=f"--positive {classes[1]!r}, or --positive {classes[0]!r}",
            )
        return named[0]

    def of(self, classes: Sequence[str], known: Sequence[str] = ()) -> Costs:
        """The costs in the order of the classes.

        Args:
            classes: that can be answered.
            known: those and others that rows may have; a table may name them too.
        Raises:
            BottegaError: as `positive_of`; a class is missing in the table or strange; one answer is always cheapest.
        """
        positive = self.positive_of(classes)
        if positive is None:
            costs = Costs(self._matrix(classes, known))
        else:
            alarm, miss = self.false_alarm_cost or 0.0, self.miss_cost or 0.0
            costs = Costs(((0.0, alarm), (miss, 0.0)) if classes[1] == positive else ((0.0, miss), (alarm, 0.0)))
        _require_decision(costs, classes)
        return costs

    def _matrix(self, classes: Sequence[str], known: Sequence[str]) -> tuple[tuple[float, ...], ...]:
        for name in self.table:
            _require_class(name, [*dict.fromkeys((*classes, *known))], "a cost table with the class")
        missing = [name for name in classes if name not in self.table]
        if missing:
            raise BottegaError(
                found=f"a cost table without {found_in(missing)}",
                expected=f"a row and a column for each of {found_in(classes)}",
                fix="add the costs of that class",
            )
        return tuple(tuple(self.table[true][said] for said in classes) for true in classes)


def stated_costs(keywords: Mapping[str, Any]) -> StatedCosts | None:
    """Read what is stated; None where nothing is.

    Args:
        keywords: those of COST_KEYWORDS; `costs` is a path, or a mapping from true classes to answers to costs.
    Raises:
        BottegaError: costs are negative, no numbers, all zero, one without the other, or stated in two ways.
    Example:
        >>> stated_costs({"false_alarm_cost": 1, "miss_cost": 20}).of(("no", "yes")).threshold
        0.047619047619047616
    """
    given = {key: keywords[key] for key in COST_KEYWORDS if keywords.get(key) is not None}
    if not given:
        return None
    table = given.pop("costs", None)
    if table is not None:
        if given:
            raise BottegaError(
                found=f"--costs and {_flags(given)}",
                expected="costs stated in one way",
                fix=f"leave {_flags(given)} out",
            )
        where = None if isinstance(table, Mapping) else str(table)
        return StatedCosts(table=_checked(table if isinstance(table, Mapping) else _read(Path(table)), where))
    lacking = [key for key in ("false_alarm_cost", "miss_cost") if key not in given]
    if lacking:
        raise BottegaError(
            found=f"{_flags(given)} without {_flags(lacking)}",
            expected="both costs, in one unit",
            fix=f"add {_flags(lacking)} with its number",
        )
    alarm, miss = (_cost(given[key], f"--{key.replace('_', '-')}") for key in ("false_alarm_cost", "miss_cost"))
    positive = given.get("positive")
    return StatedCosts(alarm, miss, None if positive is None else str(positive))


def _flags(keys: Any) -> str:
    return " and ".join(f"--{key.replace('_', '-')}" for key in keys)


def _cost(value: Any, what: str, where: str | None = None) -> float:
    try:
        cost = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        cost = math.nan
    if not math.isfinite(cost) or cost < 0:
        raise BottegaError(
            found=f"{what} {value!r}",
            expected="a cost of 0 or more, as a plain number",
            fix="state what a mistake costs; a right answer costs 0",
            where=where,
        )
    return cost


def _read(path: Path) -> dict[str, dict[str, str]]:
    """The cells of a CSV by true class and answer."""
    where = str(path)
    try:
        data = path.read_bytes()[: MAX_BYTES + 1]
        text = data.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise BottegaError(
            found=f"{where!r} cannot be read: {reason}", expected="a CSV of costs in UTF-8", fix="check the path"
        ) from error
    if len(data) > MAX_BYTES:
        raise BottegaError(
            found=f"{where!r} of more than {MAX_BYTES:,} bytes", expected="a CSV of costs", fix="check the path"
        )
    delimiter = max(",;\t", key=text.partition("\n")[0].count)
    try:
        read = list(csv.reader(io.StringIO(text), delimiter=delimiter))
    except csv.Error as error:
        raise BottegaError(
            found=f"{where!r} is no CSV: {error}", expected="a CSV of costs", fix="check the path"
        ) from error
    lines = [line for line in read if any(cell.strip() for cell in line)]
    head = [cell.strip() for cell in lines[0][1:]] if lines else []
    found: dict[str, dict[str, str]] = {}
    for number, line in enumerate(lines[1:], start=2):
        name = line[0].strip()
        if len(line) != len(head) + 1 or name in found:
            n = len(line) - 1
            what = "a class twice" if name in found else f"{n} cost{'' if n == 1 else 's'}"
            raise BottegaError(
                found=f"{what} for the true class {name!r}",
                expected=f"one row a class, with one cost for each of {found_in(head)}",
                fix="mend the row",
                where=f"{where}, row {number}",
            )
        found[name] = {said: cell.strip() for said, cell in zip(head, line[1:], strict=True)}
    return found


def _checked(table: Mapping[Any, Any], where: str | None) -> dict[str, dict[str, float]]:
    """Costs as numbers; every class both a row and a column."""
    rows = {str(true): row for true, row in table.items()}
    bad = next((name for name, row in rows.items() if not isinstance(row, Mapping)), None)
    said = found_in([] if bad is not None or not rows else [str(name) for name in next(iter(rows.values()))])
    if bad is not None or not rows or any({str(name) for name in row} != set(rows) for row in rows.values()):
        raise BottegaError(
            found=f"costs for the true classes {found_in(list(rows)) or '(none)'}, the answers {said or '(none)'}",
            expected="a square: each class as a row (true) and as a column (said)",
            fix="a first line such as `true,good,bad`, then `good,0,1` and `bad,20,0`",
            where=where,
        )
    return {
        true: {
            str(name): _cost(cost, f"the cost of saying {str(name)!r} for {true!r}:", where)
            for name, cost in row.items()
        }
        for true, row in rows.items()
    }


def _require_class(name: str, classes: Sequence[str], what: str) -> None:
    if name in classes:
        return
    near = nearest_name(name, classes)
    raise BottegaError(
        found=f"{what} {name!r}",
        expected=f"one of {found_in(classes)}",
        fix=f"did you mean {near!r}?" if near else "take the name from the target's column",
    )


def _require_decision(costs: Costs, classes: Sequence[str]) -> None:
    """Refuse costs under which nothing is to be learned: one answer is the cheapest whatever is true."""
    table = costs.table
    if not table.any():
        raise BottegaError(
            found="costs that are all 0",
            expected="mistakes that cost something",
            fix="--false-alarm-cost 1, or leave them out",
        )
    for true, row in zip(classes, costs.matrix, strict=True):
        right, least = row[classes.index(true)], min(row)
        if least < right:
            raise BottegaError(
                found=f"a cost of {right:g} for saying {true!r} rightly, and of {least:g} for saying "
                f"{classes[row.index(least)]!r} in its place",
                expected="no wrong answer that is cheaper than the right one",
                fix="rows are true classes and columns answers: see that the two are not swapped",
            )
    cheapest = (table <= table.min(axis=1, keepdims=True)).all(axis=0)
    if cheapest.any():
        name = classes[int(cheapest.argmax())]
        raise BottegaError(
            found=f"costs by which saying {name!r} is never dearer than any other answer",
            expected="for each answer a true class that makes it the cheapest",
            fix=f"state what it costs to say {name!r} wrongly",
        )
