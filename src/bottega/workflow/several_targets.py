"""Which targets of a table are asked for at once, and what can't be asked for beside several."""

from dataclasses import replace

from bottega.errors import BottegaError
from bottega.problem.table import column_named
from bottega.workflow.options import TrainOptions
from bottega.workflow.table_options import TableOptions
from bottega.workflow.table_trial import read_parts
from bottega.workflow.text_reading import holds_texts

__all__ = ["refuse_beside_targets", "targets_of", "with_target"]


def targets_of(data: str, stated: TableOptions) -> tuple[str, ...]:
    """The columns that are to be predicted where these are several, else none.

    A column may have a comma in its name: `a,b` is two targets only where no column is called so.

    Raises:
        BottegaError: one of them is no column, or is named twice.
    """
    target = stated.choices.target
    if target is None and not stated.targets:
        return ()
    if stated.targets and target is not None:  # one of several, trained now
        return ()
    if target is not None and "," not in target:
        return ()
    choices = replace(stated.choices, target=None)
    table, _ = read_parts(data, replace(stated, choices=choices, targets=()), None)
    names = table.frame.columns
    if target is not None and target in names:
        return ()
    several = stated.targets if target is None else tuple(part.strip() for part in target.split(","))
    for one in several:
        column_named(one, names, table.name)
    if len(set(several)) != len(several):
        raise BottegaError(
            found=f"--target {','.join(several)}: one column twice", expected="different columns", fix="name each once"
        )
    return several


def with_target(options: TrainOptions, target: str, targets: tuple[str, ...]) -> TrainOptions:
    """The choices for one of several targets: the others are no feature of it, and the time is shared."""
    table = options.table or TableOptions()
    others = tuple(one for one in targets if one != target and one not in table.choices.ignore)
    choices = replace(table.choices, target=target, ignore=(*table.choices.ignore, *others))
    seconds = None if options.time_seconds is None else options.time_seconds / len(targets)
    return replace(
        options, table=replace(table, choices=choices, targets=targets), time_seconds=seconds, name=None, resume=None
    )


def refuse_beside_targets(data: str, options: TrainOptions, targets: tuple[str, ...]) -> None:
    """Choices and data that mean one target.

    Raises:
        BottegaError: one was stated, or DATA are texts.
    """
    table = options.table or TableOptions()
    alone = f"leave it out, or train that target alone: --target {targets[0]}"
    if holds_texts(data, with_target(options, targets[0], targets).table or table):
        raise BottegaError(found="texts with several targets", expected="one target for texts", fix=alone)
    if table.costs is not None:
        raise BottegaError(
            found="costs of wrong answers with several targets", expected="costs with one target of classes", fix=alone
        )
    if options.ship not in ("best", "network"):
        raise BottegaError(
            found=f"--ship {options.ship!r} with several targets",
            expected="best or network: targets have different candidates",
            fix=alone,
        )
