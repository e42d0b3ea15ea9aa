"""Training on a table: one input per column, rivals and networks on the same encoded rows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from bottega.data.splits import SMALL_GROUPS
from bottega.data.table_preparation import TablePreparation, encoder_graph, fit_preparation, graph_inputs
from bottega.errors import BottegaError, found_in, nearest_name
from bottega.evaluation.evidence import Evidence
from bottega.evaluation.table_models import fit_dense
from bottega.problem.records import Candidate
from bottega.workflow.account import Account
from bottega.workflow.candidates import Developed, Material, Rules, Spec
from bottega.workflow.explain_run import drivers_of_run, seconds_for_drivers
from bottega.workflow.feature_run import Budget, feature_recipe, search_features
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
from bottega.workflow.table_tuned import NAME as TUNED
from bottega.workflow.table_tuning import TrialBudget
from bottega.workflow.training_run import FOLDS_WORK, Contest, Training
from bottega.workflow.trial import Trial

__all__ = ["TableTraining"]

WORTH_REFITTING = 0.01  # share of rows that repeat another: from here on a careless split's claim is worth knowing


class TableTraining(Training[LookedTable]):
    """One training on the rows of a table."""

    prepared: TablePreparation  # both are there once the table was looked at
    _contest: Contest
    given: LookedTable | None = None  # where the rows were looked at before this training began
    trials: TrialBudget | None = None  # of tuning; there with --time, or where more work was asked for
    _shipped: Shipped | None = None
    packages = ("optuna", "polars", "rtdl_num_embeddings", "tabm")
    instant = ("most frequent class", "mean")
    slow: Mapping[str, float] = {"random forest": 1.0, "MLP": 1.0, "MLP on waves": 1.0, "TabM": 2.5, TUNED: 0.5}
    finish_seconds = 4.0  # less than for pictures: there is nothing to decode and no network to embed

    def look(self) -> LookedTable:
        """Read the table, divide its rows and make numbers of them: what can't be is refused before a run begins."""
        looked = self.given or look_at_rows(self.data, self.options, progress=self.progress)
        self.options = self.options.settled(looked.look.task.kind)
        self.tell("preparing columns")
        self._contest = self._prepare(looked)
        return looked

    def describe(self, looked: LookedTable) -> tuple[dict[str, Any], dict[str, Any]]:
        """Which column is taken for what, and which no model is given."""
        made = {} if self.features is None else {"features": feature_recipe(self.features)}
        columns = {"columns": dict(looked.taken.kinds), "left_out": dict(looked.taken.left_out)}
        return {"preset": self.options.preset}, {**columns, **made}

    def enter(self, _: LookedTable, folder: RunFolder) -> Contest:
        """The encoded rows, and who competes on them."""
        if self.trials is not None:
            self.trials.begin(folder)
        return self._contest

    def _prepare(self, looked: LookedTable) -> Contest:
        """Fit the preparation on training rows, encode all rows by its operators, and name the candidates."""
        taken, divided = looked.taken, looked.split
        train = np.arange(len(looked.y)) if divided.source == "cv" else divided.rows("train")
        self.prepared = fit_preparation(taken.cells, taken.kinds, train, taken.formats)
        inputs = graph_inputs(self.prepared, taken.cells)
        x = engine(encoder_graph(self.prepared), threads=1).run(None, inputs)[0]
        material = self._material(looked, x)
        n_classes, seed = len(looked.classes) or None, self.options.seed
        task = TableTask(self.prepared.n_codes, n_classes, seed, self.threads, self._trials(looked))
        n_dense = fit_dense(x[train], self.prepared.n_codes).width
        specs, left_out = table_specs(task, len(train), n_dense)
        self._require_name([spec.name for spec in specs])
        if self.options.table is not None and self.options.table.features:
            specs = self._with_features(looked, material, task, specs)
        return Contest(material, specs, left_out)

    def _with_features(self, looked: LookedTable, material: Material, task: TableTask, specs: list[Spec]) -> list[Spec]:
        """Candidates that make features of the columns; what is kept for the file is known from here on."""
        self.tell("trying features")
        decided = None if self.begun is None else self.begun.preparation.get("features")
        budget = Budget(self.clock, decided, self.n_repeats(), self.options.cv or 5)
        target = looked.look.task.target or "the target"
        found = search_features(task, self.prepared, target, material, looked.split, specs, budget)
        self.features = found.record
        return found.specs

    def _material(self, looked: LookedTable, x: Any) -> Material:
        """The encoded rows with their targets, what mistakes cost, and how much each row counts."""
        stated = None if self.options.table is None else self.options.table.costs
        return Material(
            {VIEW: x},
            looked.y,
            looked.groups,
            looked.split.group_names,
            looked.labels,
            looked.classes,
            costs=None if stated is None else stated.of(looked.classes, looked.look.task.classes),
            weights=looked.weights,
        )

    def _trials(self, looked: LookedTable) -> TrialBudget | None:
        if self.options.preset != "accurate" and self.options.time_seconds is None:
            return None
        n_again = self.n_repeats() * (self.options.cv or 5) if looked.split.source == "cv" else 0
        work = FOLDS_WORK if n_again else 0.0
        self.trials = TrialBudget(self.clock, n_again, work, self.finish_seconds, self.tell)
        return self.trials

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
            (looked.split.source == "held-out" or (looked.split.source == "cv" and self._has_time(developed)))
            and n_groups >= SMALL_GROUPS  # with fewer rows the claim of one test part says nothing
            and not len(looked.moments)
            and n - n_groups >= WORTH_REFITTING * n
            and "weights" not in developed.chosen.setting
        )

    def _has_time(self, developed: Developed) -> bool:
        """Whether one more fit ends in time, after folds that took as long as they did; it changes no choice."""
        fit_seconds = developed.chosen.seconds / ((self.options.cv or 5) + 1)
        return self.clock.left() > self.finish_seconds + fit_seconds

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
        self._shipped = ship_table(trial, self.prepared)
        return self._shipped

    def usage(self, shipped: Shipped, path: Path, _: Trial[LookedTable]) -> dict[str, Any]:
        """How to ask the file."""
        return table_usage(shipped, path)

    def evidence(self, trial: Trial[LookedTable], use: Use) -> Evidence:
        """Counts, curves, the largest errors, and which columns drive the file that shipped."""
        evidence = gather_rows(trial, use)
        if self._shipped is None:
            return evidence
        self.tell("asking the file what drives it")
        return replace(evidence, drivers=drivers_of_run(trial, self._shipped, seconds_for_drivers(self.clock)))

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
