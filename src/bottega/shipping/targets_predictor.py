"""Ask a model of several targets: a row in, an answer for each target out. No torch, no training code."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bottega.data.table_like import Cells
from bottega.errors import BottegaError, found_in, nearest_name
from bottega.problem.table import ColumnSpec
from bottega.shipping.model_file import Card, TableCard
from bottega.shipping.predictor import Answer, Model
from bottega.shipping.table_predictor import TableModel, ask_rows

__all__ = ["TargetAnswers", "TargetsModel", "of_target"]


@dataclass(frozen=True)
class TargetAnswers(Answer):
    """What a model of several targets says about one row: `answers["price"].value`, `answers["kind"].label`."""

    targets: Mapping[str, Answer] = field(default_factory=dict)

    def __getitem__(self, target: str) -> Answer:
        """The answer for one target."""
        if target not in self.targets:
            raise _no_target(target, tuple(self.targets))
        return self.targets[target]

    def __iter__(self) -> Iterator[str]:
        """The names of the targets."""
        return iter(self.targets)

    def __len__(self) -> int:
        return len(self.targets)

    def to_json(self) -> dict[str, Any]:
        """The answer as it stands in `predict --json` (docs/json.md)."""
        parts = {name: {k: v for k, v in one.to_json().items() if k != "input"} for name, one in self.targets.items()}
        return {"input": self.input, "targets": parts}


class TargetsModel(TableModel):
    """A model of several targets of a table; `targets` holds a model of each, over the same file."""

    def __init__(self, card: Card, session: Any) -> None:
        super().__init__(card, session)
        cards = {one.table.target: one for one in card.targets or () if one.table is not None}
        self.targets = {name: TableModel(one, _Part(session, name, card.inputs)) for name, one in cards.items()}

    def __repr__(self) -> str:
        return f"<Model of {len(self.targets)} targets: {', '.join(self.targets)}>"

    @property
    def table(self) -> TableCard:
        """Of one target: there is none of all."""
        raise BottegaError(
            found="a model of several targets",
            expected="a model of one",
            fix=f"model.targets[{next(iter(self.targets))!r}]",
        )

    @property
    def known(self) -> tuple[str, ...]:
        """Columns that rows may have beside those it takes."""
        taken = {one.column for one in self.columns}
        beside = (name for one in self.targets.values() for name in one.known)
        return tuple(name for name in dict.fromkeys(beside) if name not in taken)

    def answers(self, names: Sequence[str], cells: Cells) -> list[Answer]:
        """Answers for cells by column, (N,) each, under these names; the engine runs once for all targets."""
        found = ask_rows(self._session, cells, self.columns, [one.name for one in self.card.outputs])
        told = {}
        for name, model in self.targets.items():
            own = {one.name: found[f"{name}.{one.name}"] for one in model.card.outputs}
            told[name] = model.told(names, own)
        return [
            TargetAnswers(input=row, label=None, probabilities={}, sure=None, targets={t: told[t][i] for t in told})
            for i, row in enumerate(names)
        ]


class _Part:
    """The session of one target: its outputs by their plain names, columns of other targets filled with nothing."""

    def __init__(self, session: Any, target: str, inputs: Sequence[Any]) -> None:
        self._session = session
        self._target = target
        self._inputs = {one.name: one.dtype for one in inputs if isinstance(one, ColumnSpec)}

    def run(self, outputs: Sequence[str], inputs: Mapping[str, Any]) -> Any:
        """As `InferenceSession.run`."""
        n = len(next(iter(inputs.values())))
        blank = {"float32": np.full(n, np.nan, np.float32), "string": np.full(n, "", dtype=object)}
        whole = {name: inputs.get(name, blank[dtype]) for name, dtype in self._inputs.items()}
        return self._session.run([f"{self._target}.{name}" for name in outputs], whole)


def of_target(model: Model, target: str | None) -> Model:
    """The model of one target: a part of a model of several, or the model itself.

    Args:
        target: its column; None where the model has one target alone.
    Raises:
        BottegaError: the model has no such target, or several and none was named.
    """
    if isinstance(model, TargetsModel):
        if target is None:
            names = tuple(model.targets)
            raise BottegaError(
                found=f"a model of {len(names)} targets",
                expected=f"one of {found_in(names)}",
                fix=f"--target {names[0]}; from Python model.targets[{names[0]!r}]",
            )
        if target not in model.targets:
            raise _no_target(target, tuple(model.targets))
        return model.targets[target]
    own = model.card.table.target if model.card.table is not None else None
    if target is not None and target != own:
        raise _no_target(target, () if own is None else (own,))
    return model


def _no_target(target: str, names: Sequence[str]) -> BottegaError:
    near = nearest_name(target, names)
    return BottegaError(
        found=f"no target {target!r}",
        expected=f"one of {found_in(names)}" if names else "a model of a table",
        fix=f"did you mean {near!r}?" if near else "leave --target out, or name one of these",
    )
