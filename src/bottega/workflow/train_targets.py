"""Several targets of one table: a contest for each on one split, and one file, one report, one record for all."""

import csv
import hashlib
import json
from collections.abc import Callable, Mapping
from contextlib import closing

import numpy as np

from bottega.data.table_like import Cells
from bottega.errors import BottegaError, StoppedError
from bottega.evaluation.report_targets import render_targets
from bottega.evaluation.wording import joined
from bottega.problem.records import Progress, TargetsRecord, TrainRecord, to_json
from bottega.shipping.model_file import Card, DataCard, read, seal, target_outputs
from bottega.shipping.predictor import load, open_session
from bottega.shipping.table_check import differences
from bottega.shipping.table_predictor import TableModel
from bottega.shipping.targets_graph import merge_targets
from bottega.shipping.targets_predictor import TargetsModel
from bottega.workflow.clock import Clock
from bottega.workflow.features import cores_at_hand
from bottega.workflow.options import TrainOptions, refuse_networks_of_rows
from bottega.workflow.recipe import Recipe, versions
from bottega.workflow.record_file import read_record
from bottega.workflow.run_folder import MODEL, PREDICTIONS, RECIPE, RECORD, REPORT, RunFolder
from bottega.workflow.several_targets import refuse_beside_targets, with_target
from bottega.workflow.table_trial import LookedTable, look_at_rows
from bottega.workflow.train_table import TableTraining

__all__ = ["TargetsTraining"]


class TargetsTraining:
    """One training for each of several targets.

    Args:
        targets: their columns, two or more.
        begun: the recipe of a run that goes on, or is reproduced.
    """

    def __init__(
        self,
        data: str,
        options: TrainOptions,
        progress: Progress | None,
        *,
        targets: tuple[str, ...],
        begun: Recipe | None = None,
    ) -> None:
        self.data = data
        self.options = options
        self.progress = progress
        self.targets = targets
        self.begun = begun
        self.clock = Clock()
        self._tested: dict[str, Cells] = {}
        self.threads = int(begun.training["threads"]) if begun is not None else cores_at_hand()

    def run(self, folder: RunFolder | None) -> TargetsRecord:
        """Look at each target before a run begins, train one after the other, put their files together.

        Args:
            folder: of a run that goes on; None for a new one.
        Raises:
            StoppedError: the user stopped; finished targets and the begun one are kept, the run can be resumed.
        """
        refuse_networks_of_rows(self.options)
        refuse_beside_targets(self.data, self.options, self.targets)
        looked = {target: self._look(target) for target in self.targets}
        recipe = self._recipe(looked)
        self._tested = {target: _test_cells(one) for target, one in looked.items()}
        if folder is None:
            folder = RunFolder.make(looked[self.targets[0]].name, self.options.name).hold()
            folder.write(RECIPE, recipe.to_toml())
        with closing(folder):
            records = {}
            for number, target in enumerate(self.targets, start=1):
                folder.tell("target", name=target)
                records[target] = self._train(folder, number, looked.pop(target))
            return self._finish(folder, recipe, records)

    def _look(self, target: str) -> LookedTable:
        options = with_target(self.options, target, self.targets)
        looked = look_at_rows(self.data, options, progress=self._progress(target))
        try:
            options.settled(looked.look.task.kind)  # what can't judge this target is refused before a run begins
        except BottegaError as error:
            where = f"target {target!r}"
            raise BottegaError(found=error.found, expected=error.expected, fix=error.fix, where=where) from error
        return looked

    def _recipe(self, looked: Mapping[str, LookedTable]) -> Recipe:
        first = looked[self.targets[0]]
        together = hashlib.sha256("".join(one.fingerprint for one in looked.values()).encode()).hexdigest()
        if self.begun is not None and self.begun.data.get("fingerprint") != together:
            raise BottegaError(
                found=f"other data in {self.data!r} than this run was begun with",
                expected=f"the same {self.begun.data.get('n')} rows with the same targets",
                fix=f"put the rows back as they were, or begin anew: bottega train {self.data}",
            )
        stated = self.options.stated()
        stated["table"] = {**stated.get("table", {}), "targets": list(self.targets)}
        stated["table"].pop("target", None)
        return Recipe(
            source=self.data,
            data={"name": first.name, "fingerprint": together, "n": len(first.table)},
            split={"n_targets": len(self.targets)},
            training={**stated, "threads": self.threads},
            preparation={},
            versions=versions(TableTraining.packages),
        )

    def _train(self, folder: RunFolder, number: int, looked: LookedTable) -> TrainRecord:
        """The whole training of one target, in a folder of its own; one that has finished is read."""
        target = self.targets[number - 1]
        place = folder.part(number, target)
        if place.file(RECORD).exists():
            record = read_record(place.file(RECORD))
            if isinstance(record, TrainRecord):
                return record
        begun = place.recipe() if place.file(RECIPE).exists() else None
        place.hold().tidy()
        options = with_target(self.options, target, self.targets)
        training = TableTraining(self.data, options, self._progress(target), begun=begun)
        training.threads = self.threads
        training.given = looked
        if number > 1:  # the first has paid for starting and looking
            training.clock = Clock.from_now(options.time_seconds)
        try:
            return training.run(place)
        except StoppedError as error:
            raise StoppedError(
                found=f"{target}: {error.found}",
                expected=f"all {len(self.targets)} targets, for one file",
                fix=f"go on: bottega train --resume {folder.path}",
            ) from error

    def _finish(self, folder: RunFolder, recipe: Recipe, records: dict[str, TrainRecord]) -> TargetsRecord:
        unmet = [target for target, record in records.items() if record.model_path is None]
        verdict = " ".join(f"{target}: {_sentence(record.verdict)}" for target, record in records.items())
        if not unmet:
            self._tell("putting the files together")
            data = _merged(folder, self._tested, recipe, verdict)
            folder.write(MODEL, data)
            folder.tell("shipped", sha256=hashlib.sha256(data).hexdigest())
        else:
            verdict = f"Nothing shipped for all: {joined(unmet)} did not meet the bar. {verdict}"
        folder.write_predictions(*_predictions(folder, self.targets))
        places = {t: f"{folder.part(i, t).path.name}/{REPORT}" for i, t in enumerate(self.targets, start=1)}
        record = TargetsRecord(
            run_dir=str(folder.path),
            model_path=None if unmet else str(folder.file(MODEL)),
            report_path=str(folder.file(REPORT)),
            verdict=verdict,
            targets=records,
            seconds={"total": round(self.clock.elapsed(), 3)},
        )
        folder.write(REPORT, render_targets(str(recipe.data.get("name", "")), record, places))
        folder.write(RECORD, json.dumps(to_json(record), allow_nan=False))
        folder.tell("finished", total=record.seconds["total"])
        return record

    def _progress(self, target: str) -> Progress | None:
        if self.progress is None:
            return None
        tell: Callable[[str, int, int | None], None] = self.progress
        return lambda step, done, n: tell(f"{target}: {step}", done, n)

    def _tell(self, step: str) -> None:
        if self.progress is not None:
            self.progress(step, 0, None)


def _test_cells(looked: LookedTable) -> Cells:
    """Cells by column of the rows that judge this target; of all rows where folds do."""
    rows = np.arange(len(looked.y)) if looked.split.source == "cv" else looked.split.rows("test")
    return {name: cells[rows] for name, cells in looked.taken.everything.items()}


def _merged(folder: RunFolder, tested: Mapping[str, Cells], recipe: Recipe, verdict: str) -> bytes:
    """The file of all targets, asked for every test row of each.

    Args:
        tested: by target, cells by column of its test rows.
    """
    targets = tuple(tested)
    files = [folder.part(i, target).file(MODEL).read_bytes() for i, target in enumerate(targets, start=1)]
    graph, columns, cards = merge_targets(files)
    first, each = cards[0], list(zip(targets, cards, strict=True))
    card = Card(
        task="several",
        modality="tables",
        labels=(),
        outputs=target_outputs(cards),
        thresholds=None,
        temperature=1.0,
        metric=f"{targets[0]}.{first.metric}",
        metrics={f"{t}.{name}": score for t, one in each for name, score in one.metrics.items()},
        test_source=first.test_source,
        baselines=(),
        chosen=", ".join(f"{target}: {one.chosen}" for target, one in each),
        verdict=verdict,
        data=DataCard(str(recipe.data["fingerprint"]), dict(first.data.n_per_part), {}),
        recipe=recipe.card(),
        versions=first.versions,
        weights=(),
        golden=(),
        tolerance=max(one.tolerance for one in cards),
        inputs=columns,
        targets=cards,
    )
    data = seal(graph, card)
    _require_same(data, dict(zip(targets, files, strict=True)), tested)
    return data


def _require_same(data: bytes, files: Mapping[str, bytes], tested: Mapping[str, Cells]) -> None:
    """Compare with what each target's own file answers on its test rows.

    Raises:
        BottegaError: the file of all answers otherwise.
    """
    several = TargetsModel(read(data)[0], open_session(data, threads=1))
    for target, cells in tested.items():
        own = load(files[target], threads=1)
        if not isinstance(own, TableModel):
            raise TypeError(f"a {type(own).__name__} for a column of a table")
        then, found = own.predict_batch(cells), several.targets[target].predict_batch(cells)
        gaps = differences(found, then)
        if "label" in then:
            gaps[found["label"] != then["label"]] = np.inf
        n_bad = int((~(gaps <= own.card.tolerance)).sum())
        if n_bad:
            raise BottegaError(
                found=f"{n_bad} of {len(gaps)} test rows get another answer for {target!r} than from its own file",
                expected=f"answers within {own.card.tolerance:g}",
                fix="nothing shipped; this is a fault of ours: please report it with the run's recipe.toml",
            )


def _predictions(folder: RunFolder, targets: tuple[str, ...]) -> tuple[list[str], list[list[str]]]:
    """The head and the lines of predictions.csv: the columns of each target's own, empty where it has no such row."""
    head, widths = ["input"], list[int]()
    found: dict[str, list[list[str]]] = {}
    for number, target in enumerate(targets, start=1):
        with folder.part(number, target).file(PREDICTIONS).open(encoding="utf-8", newline="") as file:
            own, *rows = csv.reader(file)
        for row in rows:
            found.setdefault(row[0], [[""] * width for width in widths]).append(row[1:])
        head += [f"{target}.{name}" for name in own[1:]]
        widths.append(len(own) - 1)
        for cells in found.values():
            if len(cells) < number:
                cells.append([""] * widths[-1])
    return head, [[name, *(cell for part in cells for cell in part)] for name, cells in found.items()]


def _sentence(words: str) -> str:
    return words if words.endswith((".", "!", "?")) else f"{words}."
