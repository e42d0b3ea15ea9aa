"""`train`: from raw examples to one proved file, a report and a record."""

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bottega.data.store import Store
from bottega.errors import BottegaError, StoppedError
from bottega.evaluation.calibration import apply_temperature
from bottega.evaluation.report import write_report
from bottega.problem.records import Progress, Score, SeedSpread, SmallFile, Suspect, TrainRecord, to_json
from bottega.workflow.account import give_account
from bottega.workflow.candidates import FEWEST_VALIDATION, Material, Rules, answer, develop
from bottega.workflow.choose_network import OwnChoice, choose_network, own_names
from bottega.workflow.clock import Clock, TimeBudget
from bottega.workflow.features import cores_at_hand
from bottega.workflow.illustrate import Outside, Use, gather
from bottega.workflow.judge import (
    INNER_K,
    N_REPEATS,
    Judged,
    candidate_records,
    cross_validated,
    held_out,
    judge,
    naive_score,
)
from bottega.workflow.options import TrainOptions
from bottega.workflow.own_network import VIEW, Bench, OwnNetwork
from bottega.workflow.pictures import PREPARED, PRESETS, PictureViews
from bottega.workflow.readings import keep, take_reading
from bottega.workflow.recipe import Recipe, versions
from bottega.workflow.run_folder import CHECKPOINT, MODEL, RECIPE, RECORD, REPORT, SMALL, RunFolder
from bottega.workflow.ship import Shipped, ship, ship_small, usage
from bottega.workflow.specs import missing_specs, picture_specs, require_name
from bottega.workflow.trial import Looked, Trial, look_at, split_facts
from bottega.workflow.variation import Rows, seed_spread

__all__ = ["train", "train_recipe"]

LOOK_ALIKE = 0.9  # twin thresholds above it: even unrelated pictures look alike (data/twins.py)
FINISH_SECONDS = 8.0  # what fitting one more candidate, the export and the report may take together
Vectors = Mapping[str, npt.NDArray[Any]]


def train(
    data: str | None, options: TrainOptions, *, progress: Progress | None = None, network: Any = None
) -> TrainRecord:
    """Train on labelled pictures, judge the result, write the run folder.

    Args:
        data: as `data.sources.open_source` takes it; None to resume `options.resume`.
        progress: called as the work goes on.
        network: a torch class or module of the user's own, for `options.network` of the form module:Class.
    Returns:
        The record, `model_path` None where a stated bar was not met.
    Raises:
        BottegaError: the data or a choice cannot be used; nothing was left half written.
        StoppedError: the user stopped between candidates: the best so far has shipped, the run can be resumed.
        KeyboardInterrupt: stopped before any candidate was fitted; vectors are kept, the run can be resumed.
    """
    if options.resume is None:
        if data is None:
            raise BottegaError(found="no data", expected="a folder of pictures", fix="bottega train FOLDER")
        return _Training(data, options, progress, network=network).run(None)
    folder = RunFolder.open(options.resume)
    recipe = folder.recipe()
    if folder.file(RECORD).exists():
        return _read_record(folder.file(RECORD))
    folder.hold().tidy()
    return train_recipe(recipe, folder, progress=progress)


def train_recipe(recipe: Recipe, folder: RunFolder, *, progress: Progress | None = None) -> TrainRecord:
    """Train as a recipe says, into a folder that holds it.

    Raises:
        BottegaError: the data have changed since.
    """
    return _Training(recipe.source, recipe.options(), progress, begun=recipe).run(folder)


class _Training:
    """One training; `run` reads as the list of its steps."""

    def __init__(
        self,
        data: str,
        options: TrainOptions,
        progress: Progress | None,
        *,
        begun: Recipe | None = None,
        network: Any = None,
    ) -> None:
        self.data = data
        self.options = options
        self.begun = begun
        self.network = network
        self.clock = Clock(options.time_seconds)
        self.store = Store()
        self.threads = int(begun.training["threads"]) if begun is not None else cores_at_hand()
        self.progress = progress
        self.chosen: OwnChoice | None = None  # known once the data were looked at
        self.seconds: dict[str, float] = {}
        self._mark = 0.0

    def run(self, folder: RunFolder | None) -> TrainRecord:
        """Look, divide, describe, fit, choose, judge, ship, report."""
        views = PRESETS[self.options.preset]
        require_name(self.options.ship, views, own_names(self.options))
        looked = look_at(self.data, self.options, store=self.store, progress=self.progress)
        recipe = self._recipe(looked)
        own_name = [] if self.chosen is None else [self.chosen.architecture.name]
        require_name(self.options.ship, [] if own_name else views, own_name)  # now that it is known what is trained
        folder = self._folder(folder, recipe, looked)
        self._lap("look")
        pictures = PictureViews(looked.everything, self.store, self.threads, self.progress)
        own = self._own_network(looked, folder)
        wanted = [] if own is not None else pictures.choose(self.options, self.clock, folder)
        vectors: dict[str, npt.NDArray[Any]] = {name: pictures.vectors(name) for name in ["plain", *wanted]}
        if self.chosen is not None:
            vectors[VIEW] = pictures.pixels(self.chosen.frame)
        self._lap("features")
        trial = self._try(recipe, looked, looked.material(vectors), pictures, folder, own)
        self._lap("candidates")
        trial = replace(trial, seeds=self._seeds(trial, folder))
        shipped, small = self._ship(trial, pictures, folder)
        self._lap("export")
        record = replace(self._report(trial, vectors, shipped, folder), small=small)
        if trial.developed.interrupted:
            raise _stopped(trial, folder)
        folder.write(RECORD, json.dumps(to_json(record), allow_nan=False))
        shutil.rmtree(folder.file(CHECKPOINT), ignore_errors=True)  # nothing is left to go on with
        folder.tell("finished", total=record.seconds["total"])
        return record

    def _own_network(self, looked: Looked, folder: RunFolder) -> OwnNetwork | None:
        """The network of one's own, where that is what is trained."""
        if self.chosen is None:
            return None
        n_fits = self._n_fits(looked)
        bench = Bench(
            threads=self.threads,
            device=self.chosen.device,
            checkpoint_dir=folder.file(CHECKPOINT),
            budget=TimeBudget(self.clock, folder, n_fits=n_fits),
            keeps_best=n_fits == 1,
            tell=lambda name, fit, line: folder.tell("epoch", network=name, fit=fit, **asdict(line)),
            progress=self.progress or (lambda *_: None),
        )
        return OwnNetwork(self.chosen.architecture, self.options, len(looked.classes), bench)

    def _n_fits(self, looked: Looked) -> int:
        """About how often the network will be trained: once, once more for each fold, or for the folds of each fold."""
        divided = looked.split
        if divided.source == "cv":
            return self._n_repeats() * 5 * (INNER_K + 2) + 6
        return 1 if len(divided.rows("val")) >= FEWEST_VALIDATION else 6

    def _recipe(self, looked: Looked) -> Recipe:
        stated = {key: value for key, value in vars(self.options).items() if key not in ("resume", "name")}
        if self.begun is not None and self.begun.data.get("fingerprint") != looked.fingerprint:
            raise BottegaError(
                found=f"other data in {self.data!r} than this run was begun with",
                expected=f"the same {self.begun.data.get('n')} pictures under the same labels",
                fix=f"put the pictures back as they were, or begin anew: bottega train {self.data}",
            )
        self.chosen = chosen = choose_network(
            self.options, looked.everything, None if self.begun is None else self.begun.training, self.network
        )
        return Recipe(
            source=self.data,
            data={"name": looked.images.name, "fingerprint": looked.fingerprint, "n": len(looked.images)},
            split=split_facts(looked),
            training={**stated, "threads": self.threads, **(chosen.facts() if chosen is not None else {})},
            preparation=PREPARED if chosen is None else chosen.preparation(),
            versions=versions(),
        )

    def _folder(self, folder: RunFolder | None, recipe: Recipe, looked: Looked) -> RunFolder:
        if folder is None:
            folder = RunFolder.make(looked.images.name, self.options.name).hold()
            folder.write(RECIPE, recipe.to_toml())
        folder.tell("looked", n=len(looked.images), rejected=len(looked.look.rejected), split=dict(recipe.split))
        return folder

    def _try(
        self,
        recipe: Recipe,
        looked: Looked,
        material: Material,
        views: PictureViews,
        folder: RunFolder,
        own: OwnNetwork | None,
    ) -> Trial:
        """Fit and choose without the test part, then read it once."""
        options, divided, metric = self.options, looked.split, self.options.metric
        specs = picture_specs(
            [*material.views], material.n_classes, metric=metric, seed=options.seed, threads=self.threads
        )
        specs += [own.spec()] if own is not None else []
        rules = Rules(
            metric,
            options.margin,
            options.ship,
            options.sure_at,
            options.split_seed,
            k=options.cv or 5,
            threads=self.threads,
        )
        tell = self._teller(folder)
        everyone = np.arange(len(material.y))
        train, val = divided.rows("train"), divided.rows("val")
        if divided.source == "cv":
            train, val = everyone, everyone[:0]
        may_begin = self._budget(folder, own)
        with own.stopped_by_interrupt() if own is not None else nullcontext():
            developed = develop(material, specs, train, val, rules, tell=tell, may_begin=may_begin)
        developed.interrupted |= own is not None and own.is_stopped
        developed.skipped += missing_specs(views.unaffordable)
        folder.tell("chosen", name=developed.choice.name, why=developed.choice.why)
        naive = None
        if divided.source == "cv":
            fitted = [spec for spec in specs if spec.name in developed.answered]
            tested = cross_validated(material, fitted, rules, n_repeats=self._n_repeats(), tell=tell)
        else:
            tested = held_out(material, developed, divided.rows("test"))
        if divided.source == "held-out" and developed.chosen.spec.view != VIEW:  # training it again takes too long
            hashes, seed = looked.images.hashes, options.split_seed
            naive = naive_score(material, developed.chosen, hashes, metric=metric, seed=seed, threads=self.threads)
        varied = looked.everything.twin_threshold < LOOK_ALIKE
        judged = judge(material, tested, developed, metric=metric, naive=naive, varied=varied)
        candidates = candidate_records(material, developed, tested, metric=metric)
        account = give_account(looked.look, judged, developed, candidates, metric=metric, source=divided.source)
        reading = None if own is None else take_reading(material, own, developed, train, rules)
        if reading is not None:
            reading = replace(reading, others=account.findings)
            keep(folder, reading)
            account = replace(account, findings=reading.findings())
        return Trial(options, recipe, looked, material, developed, judged, candidates, account, own)

    def _seeds(self, trial: Trial, folder: RunFolder) -> SeedSpread | None:
        """How much the seed matters, where that was asked for."""
        divided = trial.looked.split
        if trial.own is None or self.options.seeds < 2 or divided.source == "cv":
            return None
        rows = Rows(divided.rows("train"), divided.rows("val"), divided.rows("test"))
        n_seeds, tell = self.options.seeds, self._teller(folder)
        return seed_spread(trial.material, trial.own, trial.developed, rows, n_seeds=n_seeds, tell=tell)

    def _ship(self, trial: Trial, views: PictureViews, folder: RunFolder) -> tuple[Shipped | None, SmallFile | None]:
        """Write the file, unless a stated bar was not met; and the int8 file with its loss, when it was asked for."""
        if not _passes(trial.judged.metrics[self.options.metric], self.options):
            return None, None
        self._tell("exporting, and replaying the test part")
        frame = self.chosen.frame if self.chosen is not None else None
        shipped = ship(trial, views.below(trial.developed.chosen.spec.view, frame))
        folder.write(MODEL, shipped.data)
        folder.tell("shipped", sha256=hashlib.sha256(shipped.data).hexdigest(), largest=shipped.largest_difference)
        small = ship_small(shipped, trial) if self.options.small else None
        if small is None:
            return shipped, None
        path = folder.write(SMALL, small.data)
        return shipped, SmallFile(str(path), len(small.data), small.score, small.loss)

    def _report(self, trial: Trial, vectors: Vectors, shipped: Shipped | None, folder: RunFolder) -> TrainRecord:
        """Predictions, report, and the record with its times."""
        looked, tested = trial.looked, trial.judged.tested
        once = tested.once
        answers = zip(tested.rows[once], tested.probabilities[once], tested.sure[once], strict=True)
        folder.write_predictions(
            looked.classes,
            (
                (looked.images.names[i], looked.labels[i], looked.classes[int(p.argmax())], p.tolist(), bool(sure))
                for i, p, sure in answers
            ),
        )
        use = Use(
            reproduce=(f"bottega reproduce {folder.path}",),
            versions={name: str(value) for name, value in trial.recipe.versions.items()},
            recipe=trial.recipe.to_toml(),
        )
        if shipped is not None:
            use = replace(use, **usage(shipped, folder.file(MODEL), looked.classes))
        record = _record(trial, shipped, folder)
        write_report(record, gather(trial, _outside(trial, vectors), use), folder.file(REPORT))
        self._lap("report")
        return replace(record, seconds={**self.seconds, "total": round(self.clock.elapsed(), 3)})

    def _teller(self, folder: RunFolder) -> Callable[[str], None]:
        def tell(name: str) -> None:
            self._tell(f"training: {name}")
            folder.tell("fitting", name=name)

        return tell

    def _budget(self, folder: RunFolder, own: OwnNetwork | None) -> Callable[[str], bool]:
        """Whether a candidate may begin under `--time`; journalled before it is used, replayed after."""
        decided = folder.decisions()

        def may_begin(name: str) -> bool:
            if own is not None and own.is_stopped:
                return False
            if self.clock.limit_seconds is None:
                return True
            what = f"fit {name}"
            if what not in decided:
                decided[what] = self.clock.left() > FINISH_SECONDS
                folder.tell("decided", what=what, value=decided[what])
            return bool(decided[what])

        return may_begin

    def _n_repeats(self) -> int:
        """Of the cross-validation: one when time is short, or when the folds were asked for by number."""
        return N_REPEATS if self.clock.limit_seconds is None and self.options.cv is None else 1

    def _tell(self, step: str) -> None:
        if self.progress is not None:
            self.progress(step, 0, None)

    def _lap(self, step: str) -> None:
        now = self.clock.elapsed()
        self.seconds[step] = round(now - self._mark, 3)
        self._mark = now


def _outside(trial: Trial, vectors: Vectors) -> Outside | None:
    """How the model answers pictures that carry no label."""
    rows, developed = trial.looked.outside, trial.developed
    if len(rows) == 0:
        return None
    chosen = developed.chosen
    logits = answer(chosen.form, vectors[chosen.spec.view][rows], trial.material.n_classes)
    probabilities = apply_temperature(logits, developed.temperature)
    return Outside(rows, probabilities, probabilities.max(1) >= developed.sure.threshold)


def _record(trial: Trial, shipped: Shipped | None, folder: RunFolder) -> TrainRecord:
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
    )


def _measured_suspects(judged: Judged) -> list[Suspect]:
    """What only training could see."""
    found = judged.lookalikes.suspect() if judged.lookalikes is not None else None
    return [found] if found is not None else []


def _passes(score: Score, options: TrainOptions) -> bool:
    if options.at_least is not None and score.low < options.at_least:
        return False
    return options.at_most is None or score.high <= options.at_most


def _stopped(trial: Trial, folder: RunFolder) -> StoppedError:
    best = trial.developed.choice.name
    return StoppedError(
        found=f"interrupted: {len(trial.developed.answered)} candidates were fitted, of which {best} is the best",
        expected="all candidates, so that the choice is a fair one",
        fix=f"use {folder.path} as it is, or go on: bottega train --resume {folder.path}",
    )


def _read_record(path: Path) -> TrainRecord:
    from bottega.shipping.document import from_document

    record: TrainRecord = from_document(TrainRecord, json.loads(path.read_text(encoding="utf-8")), "")
    return record
