"""Training on a table: one input per column, rivals and networks on the same encoded rows."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bottega.data.table_preparation import TablePreparation, encoder_graph, fit_preparation, graph_inputs
from bottega.errors import BottegaError, found_in, nearest_name
from bottega.evaluation.evidence import Evidence
from bottega.evaluation.table_models import fit_dense
from bottega.problem.records import Candidate
from bottega.workflow.account import Account
from bottega.workflow.candidates import Developed, Material, Rules
from bottega.workflow.features import engine
from bottega.workflow.illustrate import Use
from bottega.workflow.illustrate_table import gather_rows
from bottega.workflow.judge import Tested
from bottega.workflow.last_value import last_value
from bottega.workflow.run_folder import RunFolder
from bottega.workflow.ship import Shipped
from bottega.workflow.ship_table import ship_table, table_usage
from bottega.workflow.table_account import account_of_table
from bottega.workflow.table_specs import VIEW, TableTask, table_specs
from bottega.workflow.table_trial import LookedTable, look_at_rows
from bottega.workflow.training_run import Contest, Training
from bottega.workflow.trial import Trial

__all__ = ["TableTraining"]

WORTH_REFITTING = 0.01  # share of rows that repeat another: from here on a careless split's claim is worth knowing


class TableTraining(Training[LookedTable]):
    """One training on the rows of a table."""

    prepared: TablePreparation  # both are there once the table was looked at
    _contest: Contest
    packages = ("polars", "rtdl_num_embeddings", "tabm")
    instant = ("most frequent class", "mean")
    finish_seconds = 4.0  # less than for pictures: there is nothing to decode and no network to embed

    def look(self) -> LookedTable:
        """Read the table, divide its rows and make numbers of them: what can't be is refused before a run begins."""
        looked = look_at_rows(self.data, self.options, progress=self.progress)
        self.options = self.options.settled(looked.look.task.kind)
        self.tell("preparing columns")
        self._contest = self._prepare(looked)
        return looked

    def describe(self, looked: LookedTable) -> tuple[dict[str, Any], dict[str, Any]]:
        """Which column is taken for what, and which no model is given."""
        return {}, {"columns": dict(looked.taken.kinds), "left_out": dict(looked.taken.left_out)}

    def enter(self, _: LookedTable, __: RunFolder) -> Contest:
        """The encoded rows, and who competes on them."""
        return self._contest

    def _prepare(self, looked: LookedTable) -> Contest:
        """Fit the preparation on training rows, encode all rows by its operators, and name the candidates."""
        taken, divided = looked.taken, looked.split
        train = np.arange(len(looked.y)) if divided.source == "cv" else divided.rows("train")
        self.prepared = fit_preparation(taken.cells, taken.kinds, train, taken.formats)
        inputs = graph_inputs(self.prepared, taken.cells)
        x = engine(encoder_graph(self.prepared), threads=1).run(None, inputs)[0]
        material = Material({VIEW: x}, looked.y, looked.groups, divided.group_names, looked.labels, looked.classes)
        task = TableTask(self.prepared.n_codes, len(looked.classes) or None, self.options.seed, self.threads)
        n_dense = fit_dense(x[train], self.prepared.n_codes).width
        specs, left_out = table_specs(task, len(train), n_dense)
        self._require_name([spec.name for spec in specs])
        return Contest(material, specs, left_out)

    def _require_name(self, names: Sequence[str]) -> None:
        ship = self.options.ship
        if ship in ("best", "network", *names):
            return
        near = nearest_name(ship, ["best", "network", *names])
        raise BottegaError(
            found=f"--ship {ship!r}",
            expected=f"best, network or one of {found_in(names, limit=12)}",
            fix=f"--ship {near!r}" if near else "--ship best",
        )

    def refits(self, looked: LookedTable, developed: Developed) -> bool:
        """Where enough rows repeat others; a mixture is several fits, and its claim would be no other."""
        n, n_groups = len(looked.y), len(np.unique(looked.groups))
        return (
            looked.split.source == "held-out"
            and not len(looked.moments)
            and n - n_groups >= WORTH_REFITTING * n
            and "weights" not in developed.chosen.setting
        )

    def outsiders(self, looked: LookedTable, material: Material, tested: Tested) -> tuple[Candidate, ...]:
        """Under a split by time, the last value."""
        if not len(looked.moments):
            return ()
        found = last_value(material, tested, looked.moments, metric=self.options.metric)
        return () if found is None else (found,)

    def account(self, trial: Trial[LookedTable], _: RunFolder, __: Any, ___: Rules) -> Account:
        """The run in words."""
        return account_of_table(trial)

    def ship(self, trial: Trial[LookedTable]) -> Shipped:
        """The file, asked for every test row."""
        return ship_table(trial, self.prepared)

    def usage(self, shipped: Shipped, path: Path, _: Trial[LookedTable]) -> dict[str, Any]:
        """How to ask the file."""
        return table_usage(shipped, path)

    def evidence(self, trial: Trial[LookedTable], use: Use) -> Evidence:
        """Counts, curves and the largest errors."""
        return gather_rows(trial, use)

    def answers(self, trial: Trial[LookedTable]) -> tuple[list[str], Iterable[Sequence[str]]]:
        """Label and probabilities, or value and interval, of each test row."""
        looked, tested = trial.looked, trial.judged.tested
        if tested.ends is None:
            return trial.class_answers()
        once = tested.once
        rows = zip(tested.rows[once].tolist(), tested.predictions[once], tested.ends[once], strict=True)
        return ["input", "target", "value", "lower", "upper"], (
            [looked.names[i], *(f"{one:.7g}" for one in (looked.y[i], value, *ends))] for i, value, ends in rows
        )
