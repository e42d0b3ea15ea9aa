"""`diagnose --try`: what may mend a run, trained beside the run as it was, on the same rows with the same seeds."""

import math
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bottega.data.store import Store
from bottega.errors import BottegaError
from bottega.evaluation.calibration import apply_temperature, fit_temperature
from bottega.evaluation.metrics import METRICS
from bottega.problem.records import Progress
from bottega.problem.refinement_records import Proof, RemedyTrial, Verdict
from bottega.refinement.proof import paired_gain
from bottega.refinement.remedies import RESHAPES, Remedy
from bottega.workflow.candidates import answer
from bottega.workflow.choose_network import OwnChoice, choose_network
from bottega.workflow.clock import Clock
from bottega.workflow.command import train_command
from bottega.workflow.options import TrainOptions
from bottega.workflow.own_network import Bench, OwnNetwork
from bottega.workflow.pictures import PictureViews
from bottega.workflow.readings import KeptReading
from bottega.workflow.recipe import Recipe
from bottega.workflow.trial import look_at

__all__ = ["prove"]

Numbers = npt.NDArray[np.float64]
FEWEST_SEEDS = 3  # with two, an interval over seeds is too wide to show anything
FINISH_SECONDS = 2.0  # for the intervals and the report


@dataclass
class _Way:
    """One way of training, and what it has answered so far.

    Attributes:
        remedy: None for the training as it was.
        answers: (V, C) probabilities for the validation examples, one for each seed.
        why: it is not tried.
    """

    remedy: Remedy | None
    options: TrainOptions
    answers: list[Numbers] = field(default_factory=list)
    seconds: float = 0.0
    why: str = ""

    @property
    def name(self) -> str:
        """As people read it."""
        return "as it was" if self.remedy is None else self.remedy.name

    @property
    def work(self) -> float:
        """Times the work of the training as it was."""
        return 1.0 if self.remedy is None else self.remedy.work

    @property
    def reshapes(self) -> bool:
        """Whether it trains another network."""
        return self.remedy is not None and not set(self.remedy.changes).isdisjoint(RESHAPES)


def prove(
    recipe: Recipe,
    found: KeptReading,
    tried: Sequence[Remedy],
    *,
    clock: Clock,
    n_seeds: int,
    progress: Progress | None = None,
) -> Proof:
    """Train with each remedy and without any, on the run's own training rows; compare on its validation rows.

    The test part is not read: what is chosen by it can't be judged by it any more.

    Args:
        tried: the likeliest first; the last ones are left out where the time is short.
        n_seeds: trainings of each, with the run's seed and those that follow it; fewer, but at least three, where the
            time is short.
    Raises:
        BottegaError: the data have changed since the run.
    """
    start = time.perf_counter()
    options = as_it_was(recipe.options(), found)
    base, ways = _Way(None, options), [_Way(one, replace(options, **one.changes)) for one in tried]
    bench = _Trainer(recipe, found, clock, progress)
    seeds, stopped = [options.seed + number for number in range(n_seeds)], False
    try:
        bench.train(base, seeds[0], f"as it was, seed 1 of {n_seeds}")  # tells how long one takes
        seeds = seeds[: _affordable(ways, n_seeds, base.seconds, clock.left() - FINISH_SECONDS)]
        for way in ways if not seeds else ():
            needed = base.seconds * FEWEST_SEEDS * (1 + way.work)
            way.why = f"too little time, alone it needs about {math.ceil(needed)} s"
        for way in (base, *ways) if seeds else ():
            _train_all(way, base, seeds, bench)
    except KeyboardInterrupt:
        stopped = clock.left() > 0  # else it was the clock
    for way in ways:
        if len(way.answers) < max(FEWEST_SEEDS, len(seeds)) and not way.why:
            way.why = "stopped before its turn was over" if stopped else "too little time"
    n_compared = sum(not way.why for way in ways)
    trials = tuple(_trial(way, base, bench, n_compared, recipe.source) for way in ways)
    used = tuple(seeds) if n_compared else ()
    return Proof(used, len(bench.y_val), trials, round(time.perf_counter() - start, 1), stopped)


def as_it_was(options: TrainOptions, found: KeptReading) -> TrainOptions:
    """The run's choices, with the epochs that it came to have where `--time` decided about them."""
    if options.time_seconds is None:
        return options
    return replace(options, time_seconds=None, epochs=int(found.reading.settings["epochs"]))


def _affordable(ways: Sequence[_Way], n_seeds: int, each: float, left: float) -> int:
    """How many seeds there is time for; rather fewer remedies than too few seeds; 0 where not one remedy can be tried.

    Args:
        each: seconds of one training as it was; one is done.
        left: seconds.
    """
    n_trainings = left / each + 1
    if n_trainings < FEWEST_SEEDS * (1 + ways[0].work):
        return 0
    return int(min(n_seeds, max(FEWEST_SEEDS, n_trainings / (1 + sum(way.work for way in ways)))))


def _train_all(way: _Way, base: _Way, seeds: Sequence[int], bench: "_Trainer") -> None:
    """Train one way with every seed, unless it would take longer than there is time for."""
    for number, seed in enumerate(seeds, 1):
        if number <= len(way.answers):
            continue
        known = way if way.answers else base
        each = known.seconds / len(known.answers) * way.work / known.work
        needed = each * (len(seeds) - number + 1)
        if needed > bench.clock.left() - FINISH_SECONDS:
            way.why = f"too little time, it needs about {math.ceil(needed)} s more"
            return
        bench.train(way, seed, f"{way.name}, seed {number} of {len(seeds)}")


class _Trainer:
    """Trains the run's network anew, changed or as it was."""

    def __init__(self, recipe: Recipe, found: KeptReading, clock: Clock, progress: Progress | None) -> None:
        self.recipe = recipe
        self.clock = clock
        self.progress = progress or (lambda *_: None)
        self.threads = int(recipe.training["threads"])
        store = Store()
        looked = look_at(recipe.source, recipe.options(), store=store, progress=progress)
        _require_same(recipe, looked.fingerprint)
        self.images, self.n_classes = looked.everything, len(looked.classes)
        chosen = self._choice(recipe.options(), reshaped=False)
        views = PictureViews(looked.everything, store, self.threads, progress)
        pixels: npt.NDArray[Any] = views.pixels(chosen.frame)[looked.rows]
        self.train_part = pixels[found.train_rows], looked.y[found.train_rows]
        self.x_val, self.y_val = pixels[found.val_rows], looked.y[found.val_rows]
        self.groups = looked.groups[found.val_rows]

    def train(self, way: _Way, seed: int, words: str) -> None:
        """Train once more, and answer the validation examples.

        Raises:
            KeyboardInterrupt: the user stopped it, or the time is up.
        """
        import bottega.training.loop  # noqa: F401  # the import of torch is not this training's time

        start = time.perf_counter()
        chosen = self._choice(way.options, reshaped=way.reshapes)

        def tell(step: str, done: int, total: int | None) -> None:
            own.is_stopped |= self.clock.left() <= 0
            self.progress(words + step[step.find(" · ") :] if " · " in step else words, done, total)

        with tempfile.TemporaryDirectory(
            prefix="bottega-"
        ) as place:  # one for each: networks may differ in shape alone
            bench = Bench(self.threads, chosen.device, Path(place), _NoBudget(), progress=tell)
            own = OwnNetwork(chosen.architecture, way.options, self.n_classes, bench)
            with own.stopped_by_interrupt():
                _, form = own.spec(seed).tune(*self.train_part, self.x_val, self.y_val)
        if form is None:
            raise RuntimeError("a network of one's own was tuned without being fitted")
        logits = answer(form, self.x_val, self.n_classes)
        way.answers.append(apply_temperature(logits, fit_temperature(logits, self.y_val)))  # as a file's would be
        way.seconds += time.perf_counter() - start

    def _choice(self, options: TrainOptions, *, reshaped: bool) -> OwnChoice:
        """The run's network, or the one of another shape that the options ask for."""
        begun = {key: value for key, value in self.recipe.training.items() if not (reshaped and key == "plan")}
        chosen = choose_network(options, self.images, begun)
        if chosen is None:
            raise RuntimeError("a run with a reading trained a network of its own")
        return chosen


class _NoBudget:
    """Trainings that are compared all get the epochs that they ask for."""

    def seconds(self) -> None:
        """No limit."""

    def decide(self, what: str, make: Any) -> int:  # noqa: ARG002
        """Nothing depends on the time."""
        return int(make())


def _require_same(recipe: Recipe, fingerprint: str) -> None:
    if recipe.data.get("fingerprint") != fingerprint:
        raise BottegaError(
            found=f"other data in {recipe.source!r} than this run was made from",
            expected=f"the same {recipe.data.get('n')} pictures under the same labels",
            fix=f"put the pictures back as they were, or train anew: bottega train {recipe.source}",
        )


def _trial(way: _Way, base: _Way, bench: _Trainer, n_compared: int, source: str) -> RemedyTrial:
    remedy, metric = way.remedy, METRICS[way.options.metric]
    if remedy is None:
        raise RuntimeError("the training as it was is no remedy")
    changes, command = dict(remedy.changes), train_command(source, replace(way.options, device="auto"))
    if way.why:
        return RemedyTrial(remedy.name, remedy.finding, changes, command, metric.name, "not tried", why=way.why)
    n = min(len(way.answers), len(base.answers))
    gain = paired_gain(metric, bench.y_val, way.answers[:n], base.answers[:n], bench.groups, n_compared=n_compared)
    before, after = (
        float(np.mean([metric.function(bench.y_val, answers) for answers in one.answers[:n]])) for one in (base, way)
    )
    verdict: Verdict = "proved" if gain.low > 0 else "worse" if gain.high < 0 else "no gain proved"
    seconds = round(way.seconds, 1)
    return RemedyTrial(
        remedy.name, remedy.finding, changes, command, metric.name, verdict, before, after, gain, seconds
    )
