"""The training loop: one function, read from top to bottom."""

import dataclasses
import hashlib
import itertools
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from bottega.errors import BottegaError
from bottega.problem.history import Epoch, LayerReading
from bottega.training.acceptance import accept_data, accept_device
from bottega.training.checkpoint import Checkpoint
from bottega.training.examples import Data, Examples, epoch_batches
from bottega.training.goal import Goal
from bottega.training.precision import working
from bottega.training.range_test import RangeTest, n_range_steps, run_range_test
from bottega.training.readings import LayerReader
from bottega.training.schedule import factor_at, plateau_factor
from bottega.training.settings import Settings
from bottega.training.worker import NotFiniteError, Tally, Worker

__all__ = ["Callbacks", "Data", "Examples", "Fitted", "Goal", "Settings", "fit"]

SLOWED = 0.3  # of the rate, after a step that ended in NaN
Stopped = Literal["epochs", "patience", "time", "interrupted"]


@dataclass(frozen=True)
class Callbacks:
    """Who is told, and who may end it.

    Attributes:
        tell: each line of the history as soon as it is there; a resumed training tells only new ones.
        progress: steps done and steps in all, after each step.
        may_continue: asked before each step with the steps and the epochs done; False ends the training with what it
            has. At least one step is made.
    """

    tell: Callable[[Epoch], None] = lambda _: None
    progress: Callable[[int, int], None] = lambda *_: None
    may_continue: Callable[[int, float], bool] = lambda *_: True


@dataclass(frozen=True)
class Fitted:
    """What a training leaves.

    Attributes:
        arrays: the best weights and buffers, by their name in the network; the network itself holds them too.
        best: the line of the history that they belong to.
        history: every line.
        stopped: what ended it.
        range_test: rates that were tried; None where a rate was given.
        notes: what didn't go as stated, in sentences.
        fit_rows: the training rows behind `fit_loss` and `fit_score`.
    """

    arrays: Mapping[str, NDArray[Any]]
    best: Epoch
    history: tuple[Epoch, ...]
    stopped: Stopped
    range_test: RangeTest | None
    notes: tuple[str, ...]
    fit_rows: NDArray[np.int64]


@dataclass
class _Run:
    """How far a training has come: with the worker's tensors, all that a resumed one needs."""

    rate: float
    range_test: RangeTest | None = None
    step: int = 0
    seconds: float = 0.0
    slowed: float = 1.0
    best: int = -1
    n_pieces: int = 1
    history: list[Epoch] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    arrays: dict[str, NDArray[Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class _Course:
    """What stays the same from the first step to the last."""

    worker: Worker
    data: Data
    settings: Settings
    goal: Goal
    callbacks: Callbacks

    @property
    def n_steps(self) -> int:
        """Steps of an epoch."""
        return math.ceil(len(self.data.train) / self.settings.batch_size)

    @property
    def n_total(self) -> int:
        return self.n_steps * self.settings.epochs

    def part_end(self, step: int) -> int:
        """Where the part of an epoch ends that `step` belongs to: the next line of the history."""
        epoch, inside = divmod(step, self.n_steps)
        n_parts = math.ceil(self.n_steps / self.settings.report_steps)
        ends = (round(part * self.n_steps / n_parts) for part in range(1, n_parts + 1))
        return epoch * self.n_steps + next(end for end in ends if end > inside)


def fit(
    module: nn.Module,
    data: Data,
    settings: Settings,
    *,
    goal: Goal,
    callbacks: Callbacks | None = None,
    checkpoint: Checkpoint | None = None,
) -> Fitted:
    """Train a network and keep the weights of its best epoch, judged on validation by the stated metric.

    Same network, data and settings give the same bytes on the same kind of processor, however many cores are free, and
    whether it was interrupted or not. Ctrl-C ends it with the best so far, once there is one.

    Args:
        module: takes a float32 batch (B, ...), scaled, and gives (B, n_classes) logits or (B, 1) values. It is trained
            in place, and left in evaluation mode with the best weights.
        goal: what is minimised, and what is judged.
        checkpoint: where to keep the training, and to take it up from if it is there.
    Raises:
        BottegaError: examples, network, settings and checkpoint don't fit each other; or numbers became NaN or infinite
            twice.
        KeyboardInterrupt: Ctrl-C before there was anything to keep.
    """
    accept_device(settings.device)
    accept_data(data)
    with working(settings.threads, settings.seed):
        worker = Worker(module, data, settings, goal)
        course = _Course(worker, data, settings, goal, callbacks or Callbacks())
        mark = _fingerprint(module, data, settings)
        run = _resumed(worker, checkpoint, mark) or _begun(course)
        clock = time.perf_counter() - run.seconds
        stopped = _ended(course, run)
        try:
            while stopped is None:
                good = worker.snapshot()
                try:
                    line, may_continue = _train_part(course, run, clock)
                except NotFiniteError as fault:
                    _step_back(run, fault)
                    worker.restore(good)
                    continue
                if line is not None:
                    _keep(course, run, line)
                    course.callbacks.tell(line)
                stopped = _ended(course, run) if may_continue else "time"
                run.seconds = time.perf_counter() - clock
                if checkpoint and may_continue and (stopped or checkpoint.is_due()):
                    _save(worker, run, checkpoint, mark)
        except KeyboardInterrupt:
            if not run.arrays:
                raise
            stopped = "interrupted"
        _load(module, run.arrays)
        best, history, notes = run.history[run.best], tuple(run.history), tuple(run.notes)
        return Fitted(run.arrays, best, history, stopped, run.range_test, notes, worker.fit_rows)


def _begun(course: _Course) -> _Run:
    """A new training, with the rate that was given or that a range test finds."""
    settings, worker = course.settings, course.worker
    if settings.learning_rate is not None:
        return _Run(settings.learning_rate)
    n = n_range_steps(course.n_total)
    batches = itertools.cycle(epoch_batches(len(course.data.train), settings.batch_size, settings.seed, epoch=-1))
    tally = Tally()
    before = worker.snapshot()

    def step(number: int, rate: float) -> float:
        try:
            worker.step(next(batches), number, rate, tally)
        except NotFiniteError:
            return math.nan
        return tally.losses[-1]

    tested = run_range_test(step, n, settings.optimiser)
    worker.restore(before)
    return _Run(tested.chosen, tested)


def _train_part(course: _Course, run: _Run, clock: float) -> tuple[Epoch | None, bool]:
    """Steps up to the next line of the history, and that line.

    Returns:
        The line, None where no step was made; and whether training may continue.
    Raises:
        NotFiniteError: a loss or gradient is no number.
    """
    worker, settings, callbacks = course.worker, course.settings, course.callbacks
    first, end = run.step, course.part_end(run.step)
    epoch, at = divmod(first, course.n_steps)
    batches = epoch_batches(len(course.data.train), settings.batch_size, settings.seed, epoch)
    highest = run.rate * run.slowed
    if settings.schedule == "plateau":
        highest *= plateau_factor([line.val_loss for line in run.history])
    tally, reader, step, may_continue = Tally(), worker.reader(end - first), first, True
    start = time.perf_counter()
    for rows in batches[at : at + end - first]:
        may_continue = step == 0 or callbacks.may_continue(step, step / course.n_steps)
        if not may_continue:
            break
        rate = highest * factor_at(settings.schedule, step / course.n_total, settings.warm_up)
        worker.step(rows, step, rate, tally, reader)
        step += 1
        callbacks.progress(step, course.n_total)
    if step == first:
        return None, may_continue
    seconds = time.perf_counter() - start
    return _line(course, step, tally, reader, seconds=seconds, clock=clock), may_continue


def _line(course: _Course, step: int, tally: Tally, reader: LayerReader, *, seconds: float, clock: float) -> Epoch:
    """Evaluate, and write down what happened."""
    worker, data = course.worker, course.data
    with worker.judged():
        fit_loss, fit_score = worker.evaluate(data.train, worker.fit_rows)
        val_loss, val_score = (fit_loss, fit_score) if data.val is None else worker.evaluate(data.val)
        if not math.isfinite(val_loss):
            raise NotFiniteError(step, "the evaluation after it")
        layers = worker.read(reader)
    return Epoch(
        epoch=step / course.n_steps,
        step=step,
        train_loss=tally.loss(),
        train_score=worker.train_score(tally),
        fit_loss=fit_loss,
        fit_score=fit_score,
        val_loss=val_loss,
        val_score=val_score,
        learning_rate=tally.rate,
        gradient_norm=math.fsum(tally.norms) / len(tally.norms),
        largest_gradient_norm=max(tally.norms),
        seconds=time.perf_counter() - clock,
        examples_per_second=sum(tally.weights) / seconds,
        n_clipped=tally.n_clipped,
        layers=layers,
    )


def _keep(course: _Course, run: _Run, line: Epoch) -> None:
    """Add a line, and keep its weights if they are the best: by the judged metric, ties by the loss."""
    run.step = line.step
    run.history.append(line)
    if run.best < 0 or course.data.val is None or _rank(line, course.goal) > _rank(run.history[run.best], course.goal):
        run.best = len(run.history) - 1
        with course.worker.judged():
            run.arrays = course.worker.best()
    if course.worker.n_pieces > run.n_pieces:
        run.n_pieces = course.worker.n_pieces
        run.notes.append(
            f"memory was too small for {course.settings.batch_size} examples at once: since step {line.step} at the "
            f"latest, each batch goes through in {run.n_pieces} pieces that add up to one step; batch norm sees pieces"
        )


def _rank(line: Epoch, goal: Goal) -> tuple[float, float]:
    score = line.val_score if goal.higher_is_better else -line.val_score
    return (-math.inf if math.isnan(score) else score, -line.val_loss)


def _ended(course: _Course, run: _Run) -> Stopped | None:
    """Whether the training is over of itself, and why."""
    if run.step >= course.n_total:
        return "epochs"
    patience = course.settings.patience
    if patience and run.history and run.history[-1].epoch - run.history[run.best].epoch >= patience:
        return "patience"
    return None


def _step_back(run: _Run, fault: NotFiniteError) -> None:
    """Go on from the last good state with a smaller rate, once.

    Raises:
        BottegaError: it is the second time.
    """
    if run.slowed < 1:
        raise BottegaError(
            found=f"NaN or infinite numbers a second time, at step {fault.step}, first in {fault.place}",
            expected="a loss that stays finite, at the latest with a smaller learning rate",
            fix=f"state a learning rate below {run.rate * SLOWED:.2g}, and look for inputs of enormous size",
        ) from fault
    run.slowed = SLOWED
    run.notes.append(
        f"NaN or infinite numbers at step {fault.step}, first in {fault.place}: "
        f"back to step {run.step}, with {SLOWED:g} times the learning rate"
    )


def _fingerprint(module: nn.Module, data: Data, settings: Settings) -> str:
    """Of all that must be the same for a training to be taken up again."""
    digest = hashlib.sha256(repr(settings).encode())
    shapes = {name: tuple(t.shape) for name, t in [*module.named_parameters(), *module.named_buffers()]}
    digest.update(repr(shapes).encode())
    for examples in data.parts.values():
        digest.update(repr((examples.x.shape, str(examples.x.dtype))).encode())
        digest.update(np.ascontiguousarray(examples.y).tobytes())
        digest.update(np.ascontiguousarray(examples.x[:: max(1, len(examples) // 256)]).tobytes())
    for constants in (data.mean, data.scale):
        digest.update(constants.tobytes())
    return digest.hexdigest()


def _save(worker: Worker, run: _Run, checkpoint: Checkpoint, mark: str) -> None:
    arrays = {name: tensor.cpu().numpy() for name, tensor in worker.snapshot().items()}
    best = {f"best/{name}": array for name, array in run.arrays.items()}
    facts = {name: value for name, value in dataclasses.asdict(run).items() if name != "arrays"}
    checkpoint.save({**arrays, **best}, {**facts, "mark": mark})


def _resumed(worker: Worker, checkpoint: Checkpoint | None, mark: str) -> _Run | None:
    """The training that a checkpoint holds, with the worker as it was then."""
    kept = checkpoint.load() if checkpoint else None
    if kept is None:
        return None
    arrays, facts = kept
    if facts["mark"] != mark:
        raise BottegaError(
            found="a checkpoint of another training: settings, network or data differ",
            expected="the ones it was begun with",
            fix="resume with those, or train in a new folder",
            where=checkpoint.path.name if checkpoint else None,
        )
    worker.restore({name: torch.from_numpy(array) for name, array in arrays.items() if not name.startswith("best/")})
    run = _Run(**{name: value for name, value in facts.items() if name not in ("mark", "format")})
    run.history = [
        Epoch(**{**line, "layers": {name: LayerReading(**reading) for name, reading in line["layers"].items()}})
        for line in facts["history"]
    ]
    run.range_test = RangeTest.from_facts(facts["range_test"]) if facts["range_test"] else None
    run.arrays = {name.removeprefix("best/"): array for name, array in arrays.items() if name.startswith("best/")}
    worker.n_pieces = run.n_pieces
    return run


def _load(module: nn.Module, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Leave the network with the best weights."""
    state = module.state_dict()
    with torch.no_grad():
        for name, array in arrays.items():
            state[name].copy_(torch.from_numpy(array))
    module.eval()
