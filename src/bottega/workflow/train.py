"""`train`: from raw examples to one proved file, a report and a record."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bottega.data.checks import labelled, require_trainable
from bottega.data.layout import UNLABELLED
from bottega.data.profile import ImageSet, profile, select
from bottega.data.sources import open_source
from bottega.data.splits import Split, split
from bottega.data.store import Store
from bottega.data.twins import group_by_name
from bottega.errors import BottegaError, StoppedError
from bottega.evaluation.calibration import apply_temperature
from bottega.evaluation.evidence import Evidence
from bottega.evaluation.report import write_report
from bottega.problem.records import Candidate, LookRecord, Progress, Score, TrainRecord, to_json
from bottega.workflow.account import Account, give_account
from bottega.workflow.candidates import Developed, Material, Rules, Spec, answer, develop
from bottega.workflow.clock import Clock
from bottega.workflow.features import cores_at_hand
from bottega.workflow.illustrate import Outside, Use, gather
from bottega.workflow.judge import Judged, candidate_records, cross_validated, held_out, judge, naive_score
from bottega.workflow.look import look_record
from bottega.workflow.options import TrainOptions
from bottega.workflow.pictures import PREPARED, PictureViews
from bottega.workflow.recipe import Recipe, versions
from bottega.workflow.run_folder import MODEL, PREDICTIONS, RECIPE, RECORD, REPORT, SMALL, RunFolder
from bottega.workflow.ship import Shipped, ship, ship_small, usage
from bottega.workflow.specs import picture_specs

__all__ = ["train", "train_recipe"]

Integers = npt.NDArray[np.int64]


def train(data: str | None, options: TrainOptions, *, progress: Progress | None = None) -> TrainRecord:
    """Train on labelled pictures, judge the result, write the run folder.

    Args:
        data: as `data.sources.open_source` takes it; None to resume `options.resume`.
        progress: called as the work goes on.
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
        return _Training(data, options, progress).run(None)
    folder = RunFolder.open(options.resume)
    finished = folder.file(RECORD)
    recipe = folder.recipe()
    if finished.exists():
        return _read_record(finished)
    return train_recipe(recipe, folder, progress=progress)


def train_recipe(recipe: Recipe, folder: RunFolder, *, progress: Progress | None = None) -> TrainRecord:
    """Train as a recipe says, into a folder that holds it.

    Raises:
        BottegaError: the data have changed since.
    """
    return _Training(recipe.source, recipe.options(), progress, begun=recipe).run(folder)


@dataclass(frozen=True)
class _Looked:
    """The data of a run, looked at and divided."""

    everything: ImageSet
    images: ImageSet
    look: LookRecord
    split: Split
    classes: tuple[str, ...]
    y: Integers
    groups: Integers
    fingerprint: str


class _Training:
    """One training, step by step; the steps are read in `run`."""

    def __init__(
        self, data: str, options: TrainOptions, progress: Progress | None, *, begun: Recipe | None = None
    ) -> None:
        self.data = data
        self.options = options
        self.begun = begun
        self.clock = Clock(options.time_seconds)
        self.store = Store()
        self.threads = int(begun.training["threads"]) if begun is not None else cores_at_hand()
        self.seconds: dict[str, float] = {}
        self._progress = progress
        self._mark = 0.0

    def run(self, folder: RunFolder | None) -> TrainRecord:
        """Look, divide, describe, fit, choose, judge, ship, report."""
        looked = self._look()
        recipe = self._recipe(looked)
        folder = self._folder(folder, recipe, looked)
        self._lap("look")
        views = PictureViews(looked.everything, self.store, self.threads, self._progress)
        wanted = views.choose(self.options, self.clock, folder)
        material, outside_views = self._describe(looked, views, wanted)
        self._lap("features")
        developed, judged = self._judge(looked, material, wanted, folder)
        self._lap("candidates")
        account, candidates = self._account(looked, material, developed, judged)
        outside = self._outside(looked, material, developed, outside_views)
        shipped = self._ship(looked, material, developed, judged, account, candidates, recipe, views, folder)
        self._lap("export")
        record = self._record(looked, developed, judged, account, candidates, shipped, folder)
        evidence = self._evidence(looked, material, developed, judged, outside, shipped, recipe, folder)
        record = self._write(record, evidence, looked, material, judged, folder)
        if developed.interrupted:
            raise StoppedError(
                found=f"interrupted: {len(developed.answered)} candidates were fitted, {developed.choice.name} is the best",
                expected="all candidates, so that the choice is a fair one",
                fix=f"use {folder.path} as it is, or go on: bottega train --resume {folder.path}",
            )
        folder.write(RECORD, json.dumps(to_json(record), ensure_ascii=True, allow_nan=False))
        folder.tell("finished", predictions=PREDICTIONS, total=record.seconds["total"])
        return record

    # -- the steps, in order ------------------------------------------------------------------------------------------

    def _look(self) -> _Looked:
        everything = profile(open_source(self.data), progress=self._progress, store=self.store)
        require_trainable(everything)
        chosen = labelled(everything)
        images = select(everything, chosen)
        look = look_record(everything, group_by=self.options.group_by)
        groups = images.twin_groups
        if self.options.group_by is not None:
            groups = group_by_name(images.names, groups, self.options.group_by)
        labels = [str(label) for label in images.labels]
        divided = split(images.hashes, labels, groups, given=images.parts, split_seed=self.options.split_seed)
        rows = np.arange(len(labels)) if divided.source == "cv" else np.flatnonzero(divided.part != "test")
        classes = tuple(sorted({labels[i] for i in rows}))
        index = {name: number for number, name in enumerate(classes)}
        y = np.array([index.get(label, -1) for label in labels], np.int64)
        fingerprint = _fingerprint(images, labels)
        return _Looked(everything, images, look, divided, classes, y, groups, fingerprint)

    def _recipe(self, looked: _Looked) -> Recipe:
        stated = {key: value for key, value in vars(self.options).items() if key not in ("resume", "name")}
        divided = looked.split
        n_per_part = {part: int((divided.part == part).sum()) for part in ("train", "val", "test")}
        recipe = Recipe(
            source=self.data,
            data={"name": looked.images.name, "fingerprint": looked.fingerprint, "n": len(looked.images)},
            split={"source": divided.source, **n_per_part, "n_groups": divided.n_groups, "by_rank": divided.by_rank, "twin_threshold": looked.everything.twin_threshold},
            training={**stated, "threads": self.threads},
            preparation=PREPARED,
            versions=versions(),
        )
        if self.begun is not None and self.begun.data.get("fingerprint") != looked.fingerprint:
            raise BottegaError(
                found=f"other data in {self.data!r} than this run was begun with",
                expected=f"{self.begun.data.get('n')} pictures with the fingerprint "
                f"{str(self.begun.data.get('fingerprint'))[:12]}…",
                fix=f"put the pictures back as they were, or begin anew: bottega train {self.data}",
            )
        return recipe

    def _folder(self, folder: RunFolder | None, recipe: Recipe, looked: _Looked) -> RunFolder:
        if folder is None:
            folder = RunFolder.make(looked.images.name, self.options.name)
            folder.write(RECIPE, recipe.to_toml())
        folder.tell("looked", n=len(looked.images), rejected=len(looked.look.rejected), split=dict(recipe.split))
        return folder

    def _describe(
        self, looked: _Looked, views: PictureViews, wanted: list[str]
    ) -> tuple[Material, dict[str, npt.NDArray[np.float32]]]:
        """Vectors of the labelled pictures, and of the unlabelled ones."""
        rows = labelled(looked.everything)
        others = np.flatnonzero([part == UNLABELLED for part in looked.everything.parts])
        vectors = {name: views.vectors(name) for name in ["plain", *wanted]}
        labels = [str(label) for label in looked.images.labels]
        material = Material(
            {name: x[rows] for name, x in vectors.items()},
            looked.y,
            looked.groups,
            looked.split.group_names,
            labels,
            looked.classes,
        )
        return material, {name: x[others] for name, x in vectors.items()}

    def _judge(
        self, looked: _Looked, material: Material, wanted: list[str], folder: RunFolder
    ) -> tuple[Developed, Judged]:
        """Fit and choose without the test part, then read it once."""
        import torch

        torch.set_num_threads(self.threads)
        options, divided = self.options, looked.split
        specs = picture_specs(
            wanted, material.n_classes, metric=options.metric, seed=options.seed, threads=self.threads
        )
        rules = Rules(options.metric, options.margin, options.ship, options.sure_at, options.split_seed)
        tell = self._teller(specs, folder)
        if divided.source == "cv":
            everyone = np.arange(len(material.y))
            developed = develop(material, specs, everyone, everyone[:0], rules, tell=tell)
            folder.tell("chosen", name=developed.choice.name, why=developed.choice.why)
            tested = cross_validated(material, specs, rules, tell=tell)
            naive = None
        else:
            developed = develop(material, specs, divided.rows("train"), divided.rows("val"), rules, tell=tell)
            folder.tell("chosen", name=developed.choice.name, why=developed.choice.why)
            tested = held_out(material, developed, divided.rows("test"))
            naive = None
            if divided.source == "held-out":
                naive = naive_score(
                    material, developed.chosen, looked.images.hashes, metric=options.metric, seed=options.split_seed
                )
        return developed, judge(material, tested, developed, metric=options.metric, naive=naive)

    def _account(
        self, looked: _Looked, material: Material, developed: Developed, judged: Judged
    ) -> tuple[Account, tuple[Candidate, ...]]:
        metric = self.options.metric
        candidates = candidate_records(material, developed, judged.tested, metric=metric)
        account = give_account(
            looked.look, judged, developed, candidates, metric=metric, source=looked.split.source
        )
        return account, candidates

    def _outside(
        self, looked: _Looked, material: Material, developed: Developed, views: dict[str, npt.NDArray[np.float32]]
    ) -> Outside | None:
        """How the model answers pictures that carry no label."""
        rows = np.flatnonzero([part == UNLABELLED for part in looked.everything.parts])
        if len(rows) == 0:
            return None
        chosen = developed.chosen
        logits = answer(chosen.form, views[chosen.spec.view], material.n_classes)
        probabilities = apply_temperature(logits, developed.temperature)
        return Outside(rows, probabilities, probabilities.max(1) >= developed.sure.threshold)

    def _ship(
        self,
        looked: _Looked,
        material: Material,
        developed: Developed,
        judged: Judged,
        account: Account,
        candidates: tuple[Candidate, ...],
        recipe: Recipe,
        views: PictureViews,
        folder: RunFolder,
    ) -> Shipped | None:
        """Write the file, unless a stated bar was not met."""
        if not _passes(judged.metrics[self.options.metric], self.options):
            return None
        self._tell("exporting and replaying the test part", 0)
        shipped = ship(
            looked.images,
            material,
            developed,
            judged,
            views.layers(developed.chosen.spec.view),
            options=self.options,
            recipe=recipe,
            verdict=account.verdict,
            candidates=candidates,
            split=looked.split,
            fingerprint=looked.fingerprint,
            threads=self.threads,
        )
        folder.write(MODEL, shipped.data)
        folder.tell("shipped", sha256=hashlib.sha256(shipped.data).hexdigest(), largest=shipped.largest_difference)
        if self.options.small:
            small = ship_small(shipped, looked.images, material, judged, metric=self.options.metric, threads=self.threads)
            if small is not None:
                folder.write(SMALL, small.data)
                folder.tell("small", bytes=len(small.data), score=to_json(small.score), loss=to_json(small.loss))
        return shipped

    def _record(
        self,
        looked: _Looked,
        developed: Developed,
        judged: Judged,
        account: Account,
        candidates: tuple[Candidate, ...],
        shipped: Shipped | None,
        folder: RunFolder,
    ) -> TrainRecord:
        score = judged.metrics[self.options.metric]
        divided = looked.split
        test = {
            "n": score.n,
            "n_groups": score.n_groups if score.n_groups is not None else score.n,
            "score": score.score,
            "low": score.low,
            "high": score.high,
            "higher_is_better": score.higher_is_better,
            "source": divided.source,
        }
        return TrainRecord(
            run_dir=str(folder.path),
            model_path=str(folder.file(MODEL)) if shipped is not None else None,
            report_path=str(folder.file(REPORT)),
            task=looked.look.task,
            chosen=developed.choice.name,
            metric=self.options.metric,
            verdict=account.verdict,
            test=test,
            metrics=judged.metrics,
            candidates=candidates,
            findings=account.findings,
            rejected=looked.look.rejected,
            suspects=looked.look.suspects,
            seconds={},
            twins=looked.look.twins,
            per_class=judged.per_class,
            believe=account.believe,
            doubt=account.doubt,
            next_steps=account.next_steps,
            sure=judged.sure,
            split={
                "seed": self.options.split_seed,
                "source": divided.source,
                "counts": {part: int((divided.part == part).sum()) for part in ("train", "val", "test")},
                "n_groups": divided.n_groups,
                "by_rank": divided.by_rank,
                "chosen_by": "out-of-fold predictions" if developed.out_of_fold else "the validation part",
                "why": developed.choice.why,
                "notes": list(divided.notes),
            },
        )

    def _evidence(
        self,
        looked: _Looked,
        material: Material,
        developed: Developed,
        judged: Judged,
        outside: Outside | None,
        shipped: Shipped | None,
        recipe: Recipe,
        folder: RunFolder,
    ) -> Evidence:
        use = Use(
            reproduce=(f"bottega reproduce {folder.path}",),
            versions={name: str(value) for name, value in recipe.versions.items()},
            recipe=recipe.to_toml(),
        )
        if shipped is not None:
            use = replace(use, **usage(shipped, folder.file(MODEL), looked.classes))
        return gather(
            looked.images,
            looked.everything,
            material,
            developed,
            judged,
            looked.look,
            metric=self.options.metric,
            outside=outside,
            use=use,
        )

    def _write(
        self,
        record: TrainRecord,
        evidence: Evidence,
        looked: _Looked,
        material: Material,
        judged: Judged,
        folder: RunFolder,
    ) -> TrainRecord:
        """Predictions and report; the record with its times."""
        tested = judged.tested
        rows = (
            (looked.images.names[i], material.labels[i], material.classes[int(p.argmax())], p.tolist(), bool(sure))
            for i, p, sure in zip(
                tested.rows[tested.once], tested.probabilities[tested.once], tested.sure[tested.once], strict=True
            )
        )
        folder.write_predictions(material.classes, rows)
        write_report(record, evidence, folder.file(REPORT))
        self._lap("report")
        seconds = {**self.seconds, "total": round(self.clock.elapsed(), 3)}
        return replace(record, seconds=seconds)

    # -- telling ------------------------------------------------------------------------------------------------------

    def _teller(self, specs: list[Spec], folder: RunFolder) -> Callable[[str], None]:
        done = {"n": 0}

        def tell(name: str) -> None:
            self._tell(f"training: {name}", done["n"])
            folder.tell("fitting", name=name)
            done["n"] += 1

        return tell

    def _tell(self, step: str, done: int) -> None:
        if self._progress is not None:
            self._progress(step, done, None)

    def _lap(self, step: str) -> None:
        now = self.clock.elapsed()
        self.seconds[step] = round(now - self._mark, 3)
        self._mark = now


def _fingerprint(images: ImageSet, labels: list[str]) -> str:
    """SHA-256 over contents, labels and given parts, in the order of the contents: names and order don't count."""
    parts = images.parts
    lines = sorted(
        images.hashes[i].tobytes() + labels[i].encode("utf-8", "surrogateescape") + b"\0" + (parts[i] or "").encode()
        for i in range(len(labels))
    )
    return hashlib.sha256(b"".join(lines)).hexdigest()


def _passes(score: Score, options: TrainOptions) -> bool:
    if options.at_least is not None and score.low < options.at_least:
        return False
    return options.at_most is None or score.high <= options.at_most


def _read_record(path: Path) -> TrainRecord:
    from bottega.shipping.document import from_document

    record: TrainRecord = from_document(TrainRecord, json.loads(path.read_text(encoding="utf-8")), "")
    return record
