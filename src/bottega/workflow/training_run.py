"""One training from looking to the report, whatever the examples are; `run` reads as the list of its steps."""

import hashlib
import json
import shutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Generic

import numpy as np

from bottega.errors import BottegaError, StoppedError
from bottega.evaluation.evidence import Evidence
from bottega.evaluation.report import write_report
from bottega.problem.records import (
    Candidate,
    FeatureRecord,
    Progress,
    Score,
    SeedSpread,
    SmallFile,
    Suspect,
    TrainRecord,
    to_json,
)
from bottega.workflow.account import Account
from bottega.workflow.candidates import Developed, Material, Rules, Spec, develop
from bottega.workflow.clock import Clock
from bottega.workflow.features import cores_at_hand
from bottega.workflow.illustrate import Use
from bottega.workflow.judge import (
    N_REPEATS,
    Judged,
    Tested,
    candidate_records,
    cross_validated,
    held_out,
    judge,
    naive_score,
)
from bottega.workflow.options import TrainOptions
from bottega.workflow.recipe import Recipe, versions
from bottega.workflow.run_folder import CHECKPOINT, MODEL, RECIPE, RECORD, REPORT, SMALL, RunFolder
from bottega.workflow.ship import Shipped, Small
from bottega.workflow.trial import Seen, Trial, split_facts

__all__ = ["Contest", "Training"]


@dataclass(frozen=True)
class Contest:
    """Who competes on what; `left_out` stay listed with the reason."""

    material: Material
    specs: list[Spec]
    left_out: list[tuple[Spec, str]] = field(default_factory=list)


class Training(ABC, Generic[Seen]):
    """One training; what the examples are, pictures or rows, is the matter of a subclass.

    Args:
        data: DATA as it was given.
        begun: the recipe of a run that goes on, or is reproduced.
    """

    packages: tuple[str, ...] = ()  # that decide the last bits beside those that always do
    features: FeatureRecord | None = None  # what was made of the columns of a table, where that was asked for
    instant: tuple[str, ...] = ()  # candidates that take no time worth counting
    slow: Mapping[str, float] = {}  # candidates that may take as many times the slowest one before them
    folds_work = 4.0  # times what the contest took so far: what cross-validation will take on top of it
    finish_seconds = 8.0  # what fitting one more candidate, the export and the report may take together

    def __init__(
        self, data: str, options: TrainOptions, progress: Progress | None, *, begun: Recipe | None = None
    ) -> None:
        self.data = data
        self.options = options
        self.begun = begun
        self.clock = Clock(options.time_seconds)
        self.threads = int(begun.training["threads"]) if begun is not None else cores_at_hand()
        self.progress = progress
        self.seconds: dict[str, float] = {}
        self._mark = 0.0

    def run(self, folder: RunFolder | None) -> TrainRecord:
        """Look, divide, describe, fit, choose, judge, ship, report.

        Args:
            folder: of a run that goes on; None for a new one.
        """
        looked = self.look()
        recipe = self._recipe(looked)
        folder = self._folder(folder, recipe, looked)
        self._lap("look")
        with closing(folder):
            return self._run(looked, recipe, folder)

    def _run(self, looked: Seen, recipe: Recipe, folder: RunFolder) -> TrainRecord:
        contest = self.enter(looked, folder)
        self._lap("features")
        trial = self._try(recipe, looked, contest, folder)
        self._lap("candidates")
        trial = replace(trial, seeds=self.repeat(trial, folder))
        shipped, small = self._ship(trial, folder)
        self._lap("export")
        record = replace(self._report(trial, shipped, folder), small=small)
        if trial.developed.interrupted:
            raise _stopped(trial, folder)
        folder.write(RECORD, json.dumps(to_json(record), allow_nan=False))
        shutil.rmtree(folder.file(CHECKPOINT), ignore_errors=True)  # nothing is left to go on with
        folder.tell("finished", total=record.seconds["total"])
        return record

    @abstractmethod
    def look(self) -> Seen:
        """Read DATA and divide it; a choice that can't be followed is refused."""

    @abstractmethod
    def describe(self, looked: Seen) -> tuple[dict[str, Any], dict[str, Any]]:
        """What was resolved for training, and what happens to a raw example: both for the recipe."""

    @abstractmethod
    def enter(self, looked: Seen, folder: RunFolder) -> Contest:
        """Make numbers of the examples, and name the candidates."""

    @abstractmethod
    def account(self, trial: Trial[Seen], folder: RunFolder, train: Any, rules: Rules) -> Account:
        """Put the judged run into words.

        Args:
            train: rows that were fitted on.
        """

    @abstractmethod
    def ship(self, trial: Trial[Seen]) -> Shipped:
        """Build the file and prove it on the raw test examples."""

    @abstractmethod
    def usage(self, shipped: Shipped, path: Path, trial: Trial[Seen]) -> dict[str, Any]:
        """What the report says about the file: fields of `Use`."""

    @abstractmethod
    def evidence(self, trial: Trial[Seen], use: Use) -> Evidence:
        """What the report shows beside the record."""

    @abstractmethod
    def answers(self, trial: Trial[Seen]) -> tuple[list[str], Iterable[Sequence[str]]]:
        """The head and the lines of predictions.csv, one for each test example."""

    def refits(self, looked: Seen, _: Developed) -> bool:
        """Whether the chosen one is worth fitting again, to tell what a split that ignores twins would claim."""
        return looked.split.source == "held-out"

    def outsiders(self, _: Seen, __: Material, ___: Tested) -> tuple[Candidate, ...]:
        """Rivals that no file could hold, scored on the same test part."""
        return ()

    def settled(self, _: Seen, __: Developed, tested: Tested) -> Tested:
        """The answers on test examples as the file gives them, where it holds back more than candidates do."""
        return tested

    def repeat(self, _: Trial[Seen], __: RunFolder) -> SeedSpread | None:
        """How much the seed matters, where that was asked for."""
        return None

    def shrink(self, _: Shipped, __: Trial[Seen]) -> Small | None:
        """The small file, where it was asked for and there is one."""
        return None

    def stoppable(self) -> AbstractContextManager[object]:
        """Around the contest: lets a long fit end early and orderly when the user interrupts."""
        return nullcontext()

    @property
    def is_stopped(self) -> bool:
        """Whether the user interrupted a fit that ended orderly."""
        return False

    def _recipe(self, looked: Seen) -> Recipe:
        if self.begun is not None and self.begun.data.get("fingerprint") != looked.fingerprint:
            raise BottegaError(
                found=f"other data in {self.data!r} than this run was begun with",
                expected=f"the same {self.begun.data.get('n')} {looked.noun}s under the same labels",
                fix=f"put the {looked.noun}s back as they were, or begin anew: bottega train {self.data}",
            )
        facts, preparation = self.describe(looked)
        return Recipe(
            source=self.data,
            data={"name": looked.name, "fingerprint": looked.fingerprint, "n": len(looked.names)},
            split=split_facts(looked),
            training={**self.options.stated(), "threads": self.threads, **facts},
            preparation=preparation,
            versions=versions(self.packages),
        )

    def _folder(self, folder: RunFolder | None, recipe: Recipe, looked: Seen) -> RunFolder:
        if folder is None:
            folder = RunFolder.make(looked.name, self.options.name).hold()
        if not folder.file(RECIPE).exists():
            folder.write(RECIPE, recipe.to_toml())
        folder.tell("looked", n=len(looked.names), rejected=len(looked.look.rejected), split=dict(recipe.split))
        return folder

    def _try(self, recipe: Recipe, looked: Seen, contest: Contest, folder: RunFolder) -> Trial[Seen]:
        """Fit and choose without the test part, then read it once."""
        options, divided, metric, material = self.options, looked.split, self.options.metric, contest.material
        rules = Rules(
            metric,
            options.margin,
            options.ship,
            options.sure_at,
            options.split_seed,
            k=options.cv or 5,
            threads=self.threads,
        )
        tell = self.teller(folder)
        everyone = np.arange(len(material.y))
        train, val = divided.rows("train"), divided.rows("val")
        if divided.source == "cv":
            train, val = everyone, everyone[:0]
        may_begin = self._budget(folder, work=self.folds_work if divided.source == "cv" else 0.0)
        with self.stoppable():
            developed = develop(material, contest.specs, train, val, rules, tell=tell, may_begin=may_begin)
        developed.interrupted |= self.is_stopped
        developed.skipped += contest.left_out
        folder.tell("chosen", name=developed.choice.name, why=developed.choice.why)
        naive = None
        if divided.source == "cv":
            fitted = [spec for spec in contest.specs if spec.name in developed.answered]
            tested = cross_validated(material, fitted, rules, n_repeats=self.n_repeats(), tell=tell)
        else:
            tested = held_out(material, developed, divided.rows("test"))
        tested = self.settled(looked, developed, tested)
        if self.refits(looked, developed):
            hashes, seed = looked.hashes, options.split_seed
            naive = naive_score(material, developed.chosen, hashes, metric=metric, seed=seed, threads=self.threads)
        judged = judge(material, tested, developed, metric=metric, naive=naive, varied=looked.is_varied)
        candidates = candidate_records(material, developed, tested, metric=metric)
        candidates += self.outsiders(looked, material, tested)
        trial = Trial(options, recipe, looked, material, developed, judged, candidates, Account("", (), (), (), ()))
        return replace(trial, account=self.account(trial, folder, train, rules))

    def _ship(self, trial: Trial[Seen], folder: RunFolder) -> tuple[Shipped | None, SmallFile | None]:
        """Write the file, unless a stated bar was not met; and the int8 file with its loss, when it was asked for."""
        if not _passes(trial.judged.metrics[self.options.metric], self.options):
            return None, None
        self.tell("exporting, and replaying the test part")
        shipped = self.ship(trial)
        folder.write(MODEL, shipped.data)
        folder.tell("shipped", sha256=hashlib.sha256(shipped.data).hexdigest(), largest=shipped.largest_difference)
        small = self.shrink(shipped, trial) if self.options.small else None
        if small is None:
            return shipped, None
        path = folder.write(SMALL, small.data)
        return shipped, SmallFile(str(path), len(small.data), small.score, small.loss)

    def _report(self, trial: Trial[Seen], shipped: Shipped | None, folder: RunFolder) -> TrainRecord:
        """Predictions, report, and the record with its times."""
        folder.write_predictions(*self.answers(trial))
        use = Use(
            reproduce=(f"bottega reproduce {folder.path}",),
            versions={name: str(value) for name, value in trial.recipe.versions.items()},
            recipe=trial.recipe.to_toml(),
        )
        if shipped is not None:
            use = replace(use, **self.usage(shipped, folder.file(MODEL), trial))
        evidence = self.evidence(trial, use)
        record = replace(_record(trial, shipped, folder), drivers=evidence.drivers, features=self.features)
        write_report(record, evidence, folder.file(REPORT))
        self._lap("report")
        return replace(record, seconds={**self.seconds, "total": round(self.clock.elapsed(), 3)})

    def teller(self, folder: RunFolder) -> Callable[[str], None]:
        """Says what is being fitted, to the user and to the history."""

        def tell(name: str) -> None:
            self.tell(f"training: {name}")
            folder.tell("fitting", name=name)

        return tell

    def tell(self, step: str) -> None:
        """Say what goes on."""
        if self.progress is not None:
            self.progress(step, 0, None)

    def n_repeats(self) -> int:
        """Of the cross-validation: one when time is short, or when the folds were asked for by number."""
        return N_REPEATS if self.clock.limit_seconds is None and self.options.cv is None else 1

    def _budget(self, folder: RunFolder, *, work: float) -> Callable[[str], bool]:
        """Whether a candidate may begin under `--time`; journalled before it is used, replayed after.

        Args:
            work: to come after the contest, as a multiple of what that took.
        """
        decided, begun = folder.decisions(), self.clock.elapsed()
        last, slowest = begun, 0.0

        def may_begin(name: str) -> bool:
            nonlocal last, slowest
            if self.is_stopped:
                return False
            now = self.clock.elapsed()
            last, slowest = now, max(slowest, now - last)
            if self.clock.limit_seconds is None or name in self.instant:
                return True
            what = f"fit {name}"
            if what not in decided:
                owed = work * (now - begun) + slowest * self.slow.get(name, 0.0)
                decided[what] = self.clock.left() > self.finish_seconds + owed
                folder.tell("decided", what=what, value=decided[what])
            return bool(decided[what])

        return may_begin

    def _lap(self, step: str) -> None:
        now = self.clock.elapsed()
        self.seconds[step] = round(now - self._mark, 3)
        self._mark = now


def _record(trial: Trial[Any], shipped: Shipped | None, folder: RunFolder) -> TrainRecord:
    looked, judged, developed, account = trial.looked, trial.judged, trial.developed, trial.account
    metric = trial.options.metric
    score = judged.metrics[metric]
    return TrainRecord(
        run_dir=str(folder.path),
        model_path=str(folder.file(MODEL)) if shipped is not None else None,
        report_path=str(folder.file(REPORT)),
        task=looked.look.task,
        chosen=developed.choice.name,
        metric=metric,
        verdict=account.verdict,
        test={
            "n": score.n,
            "n_groups": score.n if score.n_groups is None else score.n_groups,
            "score": score.score,
            "low": score.low,
            "high": score.high,
            "higher_is_better": score.higher_is_better,
            "source": looked.split.source,
        },
        metrics=judged.metrics,
        candidates=trial.candidates,
        findings=account.findings,
        rejected=looked.look.rejected,
        suspects=(*looked.look.suspects, *_measured_suspects(judged)),
        seconds={},
        twins=looked.look.twins,
        per_class=judged.per_class,
        believe=account.believe,
        doubt=account.doubt,
        next_steps=account.next_steps,
        sure=judged.sure,
        split={
            "seed": trial.options.split_seed,
            "counts": looked.n_per_part,
            **split_facts(looked),
            "chosen_by": "out-of-fold predictions" if developed.out_of_fold else "the validation part",
            "why": developed.choice.why,
            "notes": list(looked.split.notes),
        },
        seeds=trial.seeds,
        interval=judged.interval,
        costs=judged.costs,
    )


def _measured_suspects(judged: Judged) -> list[Suspect]:
    """What only training could see."""
    found = judged.lookalikes.suspect() if judged.lookalikes is not None else None
    return [found] if found is not None else []


def _passes(score: Score, options: TrainOptions) -> bool:
    if options.at_least is not None and score.low < options.at_least:
        return False
    return options.at_most is None or score.high <= options.at_most


def _stopped(trial: Trial[Any], folder: RunFolder) -> StoppedError:
    best = trial.developed.choice.name
    return StoppedError(
        found=f"interrupted: {len(trial.developed.answered)} candidates were fitted, of which {best} is the best",
        expected="all candidates, so that the choice is a fair one",
        fix=f"use {folder.path} as it is, or go on: bottega train --resume {folder.path}",
    )
