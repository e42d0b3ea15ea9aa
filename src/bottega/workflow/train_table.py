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
from bottega.workflow.candidates import FEWEST_VALIDATION, Developed, Material, Rules, Spec
from bottega.workflow.explain_run import drivers_of_run, seconds_for_drivers
from bottega.workflow.feature_run import Budget, feature_recipe, search_features, without_features
from bottega.workflow.features import engine
from bottega.workflow.illustrate import Use
from bottega.workflow.illustrate_table import gather_rows
from bottega.workflow.judge import Tested
from bottega.workflow.last_value import last_value
from bottega.workflow.mixture import MIXTURE
from bottega.workflow.run_folder import RunFolder
from bottega.workflow.ship import Shipped
from bottega.workflow.ship_table import ship_table, table_usage
from bottega.workflow.table_account import account_of_table
from bottega.workflow.table_pace import BoostingPace
from bottega.workflow.table_specs import VIEW, TableTask, is_skewed, table_specs
from bottega.workflow.table_trial import LookedTable, look_at_rows
from bottega.workflow.table_tuned import NAME as TUNED
from bottega.workflow.table_tuning import Outer, TrialBudget
from bottega.workflow.table_words import WITH_WORDS, numbers_of_words, read_words
from bottega.workflow.training_run import Contest, Training
from bottega.workflow.trial import Trial
from bottega.workflow.value_before import BEFORE, end_of_window, value_before

__all__ = ["TableTraining"]

UNPROVED = "free text: nothing made of its words is proved to help"
NO_TIME_FOR_WORDS = "free text: no time was left for its words"
JUDGING_SECONDS, JUDGING_A_ROW = 2.5, 6e-4  # after the last fit: intervals, proofs, the file; for each test row
REPORT_SHARE = 0.02  # of the time limit: asking the file what drives it, which takes more where more is left
WORTH_REFITTING = 0.01  # share of rows that repeat another: from here on a careless split's claim is worth knowing


class TableTraining(Training[LookedTable]):
    """One training on the rows of a table."""

    prepared: TablePreparation  # both are there once the table was looked at
    _contest: Contest
    given: LookedTable | None = None  # where the rows were looked at before this training began
    pace: BoostingPace | None = None  # of gradient boosting; there with --time
    trials: TrialBudget | None = None  # of tuning; there with --time, or where more work was asked for
    _shipped: Shipped | None = None
    _texts: tuple[str, ...] = ()  # columns of which features were made
    packages = ("optuna", "polars", "rtdl_num_embeddings", "tabm")
    instant = ("most frequent class", "mean", BEFORE)
    slow: Mapping[str, float] = {
        "random forest": 1.0,
        "MLP": 1.0,
        "MLP on waves": 1.0,
        "TabM": 2.5,
        MIXTURE: 0.5,  # what took long to fit takes long to be answered, written and replayed
        TUNED: 0.5,
    }
    folds_work = 3.0  # folds fit fewer rows and fewer times, and not those who were dropped at once
    finish_seconds = 4.0  # less than for pictures: there is nothing to decode and no network to embed

    def look(self) -> LookedTable:
        """Read the table, divide its rows and make numbers of them: what can't be is refused before a run begins."""
        looked = self.given or look_at_rows(self.data, self.options, progress=self.progress)
        self.options = self.options.settled(looked.look.task.kind)
        self.tell("preparing columns")
        self._contest = self._prepare(looked)
        return self._with_words_told(looked)

    def describe(self, looked: LookedTable) -> tuple[dict[str, Any], dict[str, Any]]:
        """Which column is taken for what, and which no model is given."""
        made = {} if self.features is None else {"features": feature_recipe(self.features)}
        columns = {"columns": dict(looked.taken.kinds), "left_out": dict(looked.taken.left_out)}
        return {"preset": self.options.preset}, {**columns, **made}

    def enter(self, _: LookedTable, folder: RunFolder) -> Contest:
        """The encoded rows, and who competes on them."""
        if self.trials is not None:
            self.trials.begin(folder)
        if self.pace is not None:
            self.pace.begin(folder)
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
        trials, self.pace = self._trials(looked), self._pace(looked)
        task = TableTask(self.prepared.n_codes, n_classes, seed, self.threads, trials, self.pace)
        n_dense = fit_dense(x[train], self.prepared.n_codes).width
        specs, left_out = table_specs(task, len(train), n_dense)
        if self.options.table is not None and self.options.table.features:
            material, specs = self._with_features(looked, material, task, specs)
        specs = self._with_window(looked, specs)
        self._require_name([spec.name for spec in specs])
        return Contest(material, specs, left_out)

    def _with_window(self, looked: LookedTable, specs: list[Spec]) -> list[Spec]:
        """Where rows are windows over one series, saying the end of the window again is among the rivals."""
        end = end_of_window(looked)
        places = [feature.name for feature in self.prepared.features]
        return specs if end is None else [specs[0], value_before(places.index(end)), *specs[1:]]

    def _with_words(self, looked: LookedTable, material: Material, budget: Budget) -> Material | None:
        """Columns of texts as numbers of words, behind the encoded rows; None where reading them takes too long."""
        texts, divided = looked.taken.texts, looked.split
        if not texts or budget.is_out:
            return material
        self.tell("reading words")
        train = np.arange(len(looked.y)) if divided.source == "cv" else divided.rows("train")
        self.prepared = read_words(self.prepared, texts, train)
        if not self.prepared.texts:
            return material
        words = numbers_of_words(self.prepared, texts, threads=self.threads, most_seconds=budget.most_seconds)
        if words is None:
            return None
        return replace(material, views={**material.views, WITH_WORDS: np.hstack([material.views[VIEW], words])})

    def _with_words_told(self, looked: LookedTable) -> LookedTable:
        """Columns of texts are left out only where nothing was made of them; and then that is said."""
        if not looked.taken.texts:
            return looked
        said = UNPROVED if self.features is not None and self.features.n_rows else NO_TIME_FOR_WORDS
        why = {name: said for name in looked.taken.texts if name not in self._texts}
        others = {name: why for name, why in looked.taken.left_out.items() if name not in looked.taken.texts}
        return replace(looked, taken=replace(looked.taken, left_out=others | why))

    def _with_features(
        self, looked: LookedTable, material: Material, task: TableTask, specs: list[Spec]
    ) -> tuple[Material, list[Spec]]:
        """Candidates that make features of the columns; what is kept for the file is known from here on."""
        decided = None if self.begun is None else self.begun.preparation.get("features")
        budget = Budget(self.clock, decided, self.n_repeats(), self.options.cv or 5)
        target = looked.look.task.target or "the target"
        worded = self._with_words(looked, material, budget)
        if worded is None:
            found = without_features(specs)
        else:
            self.tell("trying features")
            found = search_features(task, self.prepared, target, worded, looked.split, specs, budget)
        self.features, self._texts = found.record, found.texts
        return worded or material, found.specs

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
        seconds = self.options.time_seconds
        if self.options.preset != "accurate" and seconds is None:
            return None
        divided, k = looked.split, self.options.cv or 5
        by_folds, n_refits = divided.source == "cv", self._n_refits(looked)
        n_tested = len(looked.y) if by_folds else len(divided.rows("test"))
        kept = JUDGING_SECONDS + JUDGING_A_ROW * n_tested + REPORT_SHARE * (seconds or 0.0)
        n_folds, work = (self.n_repeats() * k, self.folds_work) if by_folds else (0, 0.0)
        self.trials = TrialBudget(self.clock, Outer(n_refits, n_folds, work, kept), self.tell)
        return self.trials

    def _n_refits(self, looked: LookedTable) -> int:
        """How often a candidate is fitted after it was tuned: not at all, or for each other fold and on all rows."""
        divided = looked.split
        held_out = divided.source != "cv" and len(divided.rows("val")) >= FEWEST_VALIDATION
        return 0 if held_out else self.options.cv or 5

    def _pace(self, looked: LookedTable) -> BoostingPace | None:
        if self.options.time_seconds is None:
            return None
        work = self.folds_work if looked.split.source == "cv" else 0.0
        n_scales = 2 if looked.is_value and is_skewed(looked.y) else 1
        return BoostingPace(self.clock, n_scales, self._n_refits(looked), work)

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
