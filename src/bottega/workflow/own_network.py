"""A network that starts from nothing, as one candidate among the others."""

import copy
import hashlib
import math
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from bottega.errors import BottegaError
from bottega.evaluation.forms import Form, Graph
from bottega.evaluation.metrics import METRICS
from bottega.models.pretrained import Pretrained
from bottega.problem.history import Epoch
from bottega.problem.network import Network, network_from_toml, read_network, shape_text
from bottega.problem.network_summary import summarise
from bottega.training.settings import Settings
from bottega.workflow.candidates import Setting, Spec
from bottega.workflow.network_options import OWN, stated_settings
from bottega.workflow.options import TrainOptions
from bottega.workflow.pictures import SMALL_SIDE

__all__ = [
    "Architecture",
    "Bench",
    "Budget",
    "Learned",
    "OwnNetwork",
    "Planned",
    "VIEW",
    "WITH_VIEWS",
    "UserClass",
    "architecture_of",
    "default_settings",
    "stated_shape",
]

Pixels = npt.NDArray[Any]
Integers = npt.NDArray[np.int64]
IMBALANCE = 3.0  # largest class over smallest: from here on classes are weighted, where the metric weighs them too
CLASSES_COUNT_ALIKE = ("balanced_accuracy", "f1_macro")
VIEW = "pixels"
WORTH_SHARING = 500_000_000  # multiply-adds of a batch
ENOUGH_TO_AVERAGE = 2000  # steps: an average over the last two hundred is then of weights that are nearly settled
SIGN_EPOCHS = 20
SPARKS = 12  # epochs that the live line shows
WITH_VIEWS = 5  # axes of examples: N, views, C, H, W
MEASURED = 2  # marks that a probe needs
N_PROBE = 5  # steps that tell how long an epoch takes


class Architecture(Protocol):
    """A network before it has weights."""

    @property
    def name(self) -> str:
        """Of the candidate."""

    @property
    def input(self) -> tuple[int, ...]:
        """Shape of one picture, (C, H, W)."""

    @property
    def plan(self) -> Network | None:
        """Its layers, where they are known."""

    @property
    def weights(self) -> Pretrained | None:
        """Where it starts from, if not from nothing."""

    @property
    def scale_words(self) -> str:
        """How pixels are scaled, for the recipe and the report."""

    def suited(self, settings: Settings, n_train: int) -> Settings:
        """The settings that suit it, of those that suit so many examples."""

    def scaled(self, train: Any, val: Any) -> Any:
        """The examples with the constants that scale them (`training.examples.Data`)."""

    def begin(self, module: Any, data: Any, settings: Settings) -> None:
        """What is done to fresh weights before the training proper."""

    def build(self, n_classes: int, seed: int) -> Any:
        """The network with fresh weights: a torch module, (B, C, H, W) scaled pictures -> (B, n_classes) logits."""

    def graph(self, module: Any, arrays: Mapping[str, Any], mean: Pixels, scale: Pixels) -> bytes:
        """The trained network as a model: `x` float32 [N, C, H, W], 0 … 255 -> `logits` [N, n_classes]."""


def architecture_of(options: TrainOptions, shape: tuple[int, int, int], written: str | None = None) -> Architecture:
    """The network that was asked for.

    Args:
        shape: of one picture, (C, H, W).
        written: the plan as TOML, where a recipe has it: a file may have changed since.
    Raises:
        BottegaError: the file is no network or another one than the pictures need.
    """
    from bottega.models.plans import standard

    kind = options.network
    if written is not None:
        return Planned(network_from_toml(written, shape))
    if kind.endswith(".toml"):
        return Planned(read_network(kind, shape))
    kind = kind if kind in OWN else "cnn"
    return Planned(standard(kind, shape, width=options.width, depth=options.depth, dropout=options.dropout))


def stated_shape(network: str) -> tuple[int, int, int] | None:
    """The size of picture that a TOML file was written for; None where it leaves that to the data.

    Raises:
        BottegaError: the file is no network, or one for something else than square pictures.
    """
    if not network.endswith(".toml"):
        return None
    try:
        shape = read_network(network).input
    except BottegaError as error:
        if error.found == "no input":
            return None
        raise
    if len(shape) != 3 or shape[1] != shape[2] or shape[0] not in (1, 3):
        raise BottegaError(
            found=f"a network for {shape_text(shape)}",
            expected="square pictures in grey or colour, as in 28x28x1 or 64x64x3",
            fix="write another input, or delete the line: the pictures decide then",
            where=network,
        )
    return shape[0], shape[1], shape[2]


class FromNothing:
    """What networks have in common that no pretrained weights bind: standardised inputs and no beginning."""

    weights = None
    scale_words = "mean 0 and spread 1 for each channel of the training pictures"

    def suited(self, settings: Settings, n_train: int) -> Settings:  # noqa: ARG002
        """As they are."""
        return settings

    def scaled(self, train: Any, val: Any) -> Any:
        """With mean 0 and spread 1 for each channel."""
        from bottega.training.loop import Data

        return Data.standardised(train, val)

    def begin(self, module: Any, data: Any, settings: Settings) -> None:
        """Nothing is known yet."""


@dataclass(frozen=True)
class Planned(FromNothing):
    """A network that is written down layer by layer."""

    plan: Network

    def suited(self, settings: Settings, n_train: int) -> Settings:
        """Digits, letters and drawn signs are learned in fewer passes than photos."""
        usual = _usual_epochs(n_train)
        if self.input[0] > 1 or max(self.input[1:]) > SMALL_SIDE or usual <= SIGN_EPOCHS:
            return settings
        epochs = settings.epochs * SIGN_EPOCHS // usual
        return replace(settings, epochs=epochs, patience=epochs // 2)

    @property
    def name(self) -> str:
        """Of the candidate."""
        return self.plan.name

    @property
    def input(self) -> tuple[int, ...]:
        """Shape of one picture, (C, H, W)."""
        return self.plan.input

    def build(self, n_classes: int, seed: int) -> Any:
        """Fresh weights, drawn from the seed."""
        from bottega.models.networks import build_seeded

        return build_seeded(self.plan, n_classes, seed)

    def graph(self, module: Any, arrays: Mapping[str, Any], mean: Pixels, scale: Pixels) -> bytes:  # noqa: ARG002
        """Its layers as operators."""
        from bottega.shipping.network import network_graph

        return network_graph(self.plan, arrays, mean.ravel(), scale.ravel())


@dataclass(frozen=True)
class UserClass(FromNothing):
    """A network of the user's own making: a torch module class, or one that is built already.

    Attributes:
        source: "module:Class", a class, or a module.
    """

    source: Any
    input: tuple[int, ...]
    plan: Network | None = None

    @property
    def name(self) -> str:
        """Of the candidate: that of the class."""
        if isinstance(self.source, str):
            return self.source.rpartition(":")[2]
        return getattr(self.source, "__name__", type(self.source).__name__)

    def build(self, n_classes: int, seed: int) -> Any:
        """Fresh weights; the class draws them from torch's global generator, which is seeded for it."""
        from bottega.models.own import user_network

        made = not isinstance(self.source, str | type)  # its weights are the user's: each fit begins with them anew
        return user_network(copy.deepcopy(self.source) if made else self.source, self.input, n_classes, seed=seed)

    def graph(self, module: Any, arrays: Mapping[str, Any], mean: Pixels, scale: Pixels) -> bytes:  # noqa: ARG002
        """By torch's exporter, after the scaling."""
        from bottega.shipping.export import export_scaled

        return export_scaled(module, self.input, mean, scale)


class Budget(Protocol):
    """How much time a fit may take, and what is decided because of it: a resumed run decides the same."""

    def seconds(self) -> float | None:
        """For one fit, from now on; None for no limit."""

    def decide(self, what: str, make: Callable[[], int]) -> int:
        """A number that depends on the time: made once, journalled, and the same ever after."""


@dataclass(frozen=True)
class Bench:
    """Where a network is trained: the folder that keeps it, and who is told.

    Attributes:
        checkpoint_dir: holds what a killed run needs to go on.
        keeps_best: whether one training is all there is, so that Ctrl-C may end it with the best so far.
        tell: takes the network's name, the mark of the fit, and each line of its history.
        settled: takes the same two and the facts of a fit that had a validation part: its settings with the learning
            rate that was found, and the mean and scale of each channel of its training pictures.
        progress: takes the step in words, steps done, steps in all.
    """

    threads: int
    device: str
    checkpoint_dir: Path
    budget: Budget
    keeps_best: bool = False
    tell: Callable[[str, str, Epoch], None] = lambda *_: None
    settled: Callable[[str, str, Mapping[str, Any]], None] = lambda *_: None
    progress: Callable[[str, int, int | None], None] = lambda *_: None


@dataclass(frozen=True)
class Learned:
    """How one fit went, for the report.

    Attributes:
        range_test: rates and losses of the learning-rate range test, where one was made.
        notes: what happened on the way, as sentences.
        form: with the weights that were kept.
        fit_rows: rows of the training examples behind `fit_loss`, as places in what was given to the fit.
        n_parameters: numbers that training could change.
    """

    settings: Settings
    history: tuple[Epoch, ...]
    best: Epoch
    stopped: str
    range_test: Any
    notes: tuple[str, ...]
    augmented: str  # why these augmentations
    form: Form
    fit_rows: Integers
    n_parameters: int


class OwnNetwork:
    """The candidate: `spec` hands it to those who compare.

    Args:
        n_classes: answers.
    """

    def __init__(self, architecture: Architecture, options: TrainOptions, n_classes: int, bench: Bench) -> None:
        self.architecture = architecture
        self.options = options
        self.n_classes = n_classes
        self.bench = bench
        self.learned: Learned | None = None  # of the first fit, which has a validation part to be judged on
        self.is_stopped = False
        self._alone = threading.Lock()

    @contextmanager
    def stopped_by_interrupt(self) -> Iterator[None]:
        """Let Ctrl-C end a training in whatever thread it runs, at its next step."""

        def stop(number: int, frame: Any) -> None:
            self.is_stopped = True
            signal.default_int_handler(number, frame)

        if threading.current_thread() is not threading.main_thread():  # signals are the main thread's
            yield
            return
        before = signal.signal(signal.SIGINT, stop)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    def spec(self, seed: int | None = None) -> Spec:
        """The candidate under its name; another seed makes another candidate of the same kind."""
        options = self.options if seed is None else replace(self.options, seed=seed)

        def tune(x: Pixels, y: Integers, x_val: Pixels, y_val: Integers) -> tuple[Setting, Form]:
            settings, why = self._settings(x, y, options)
            form, learned = self._fit((x, y), (x_val, y_val), settings, why)
            if self.learned is None:
                self.learned = learned
            rate = learned.settings.learning_rate
            return {"epochs": max(1, round(learned.best.epoch)), "learning_rate": rate}, form

        def fit(x: Pixels, y: Integers, setting: Setting) -> Form:
            settings, why = self._settings(x, y, options)
            settings = replace(
                settings, epochs=setting["epochs"], learning_rate=setting["learning_rate"], patience=None
            )
            return self._fit((x, y), None, settings, why)[0]

        return Spec(self.architecture.name, "network", VIEW, fit, tune, alone=True)

    def _settings(self, x: Pixels, y: Integers, options: TrainOptions) -> tuple[Settings, str]:
        """What suits the rows that it is fitted on, and why they are augmented so."""
        suited = default_settings(len(y), options, threads=self.bench.threads, device=self.bench.device)
        settings = replace(self.architecture.suited(suited, len(y)), **stated_settings(options))
        settings = replace(settings, threads=self._threads(settings.batch_size))
        counts = np.bincount(y, minlength=self.n_classes)
        if options.metric in CLASSES_COUNT_ALIKE and counts.max() >= IMBALANCE * counts.min():
            weights = len(y) / (self.n_classes * np.maximum(counts, 1))
            settings = replace(settings, class_weights=tuple(float(weight) for weight in weights))
        if x.ndim == WITH_VIEWS:
            return settings, f"{x.shape[1]} views of each picture: whole, mirrored, and cut at the corners"
        if options.augment != "auto" or x.ndim != 4:
            return settings, "as stated"
        from bottega.training.augmentation import mirror_probe, suggest

        mirrored = mirror_probe(x, y, seed=options.seed)
        suggestion = suggest(min(x.shape[2:]), x.shape[1], mirrored=mirrored)
        return replace(settings, augment=suggestion.names), suggestion.why

    def _threads(self, batch_size: int) -> int:
        """One thread where a step is little work: two would wait for each other more than they compute."""
        plan = self.architecture.plan
        if plan is None:
            return self.bench.threads
        work = summarise(plan, self.n_classes).multiply_adds * batch_size
        return self.bench.threads if work >= WORTH_SHARING else 1

    def _fit(
        self,
        train: tuple[Pixels, Integers],
        val: tuple[Pixels, Integers] | None,
        settings: Settings,
        why: str,
    ) -> tuple[Form, Learned]:
        """Train once. Fits that are asked for side by side wait for each other: torch has one set of threads, and its
        exporter is kept quiet by turning the whole process's output away.
        """
        from bottega.training.loop import Examples, Goal
        from bottega.training.precision import best_precision

        metric = METRICS[self.options.metric]
        goal = Goal(metric.function, metric.higher_is_better)
        data = self.architecture.scaled(Examples(*train), None if val is None else Examples(*val))
        with self._alone:
            module = self.architecture.build(self.n_classes, settings.seed)
            settings = replace(settings, precision=best_precision(module, settings.device))
            self.architecture.begin(module, data, settings)
            mark = _mark(train, val, settings)
            settings = self._in_time(module, data, settings, goal, mark)
            fitted = self._train(module, data, settings, goal, mark)
            if self.is_stopped and not (self.bench.keeps_best and val is not None):
                raise KeyboardInterrupt  # a fold that wasn't finished answers nothing
            form = Graph(self.architecture.graph(module, fitted.arrays, data.mean, data.scale))
        rate = settings.learning_rate if fitted.range_test is None else fitted.range_test.chosen
        settings = replace(settings, learning_rate=rate)
        if val is not None:
            facts = {"mean": data.mean.ravel().tolist(), "scale": data.scale.ravel().tolist()}
            self.bench.settled(self.architecture.name, mark, {**asdict(settings), **facts})
        n_parameters = sum(int(weights.numel()) for weights in module.parameters() if weights.requires_grad)
        learned = Learned(
            settings,
            fitted.history,
            fitted.best,
            fitted.stopped,
            fitted.range_test,
            fitted.notes,
            why,
            form,
            fitted.fit_rows,
            n_parameters,
        )
        return form, learned

    def _train(self, module: Any, data: Any, settings: Settings, goal: Any, mark: str) -> Any:
        from bottega.training.checkpoint import Checkpoint
        from bottega.training.loop import Callbacks, fit

        name, step, said = self.architecture.name, f"training {self.architecture.name}", ""
        scores: list[float] = []

        def tell(line: Epoch) -> None:
            nonlocal said
            self.bench.tell(name, mark, line)
            scores.append(line.val_score)
            said = f" · epoch {line.epoch:g} {sparkline(scores)} {line.val_score:.3f}"

        callbacks = Callbacks(
            tell, lambda done, total: self.bench.progress(step + said, done, total), lambda *_: not self.is_stopped
        )
        self.bench.checkpoint_dir.mkdir(exist_ok=True)
        checkpoint = Checkpoint(self.bench.checkpoint_dir / f"{mark}.npz")
        return fit(module, data, settings, goal=goal, callbacks=callbacks, checkpoint=checkpoint)

    def _in_time(self, module: Any, data: Any, settings: Settings, goal: Any, mark: str) -> Settings:
        """With as many epochs as the time has room for, by a few steps that are thrown away.

        A schedule that comes to its end is worth more than more epochs of one that is cut short.
        """
        allowed = self.bench.budget.seconds()
        if allowed is None or settings.patience is None:  # without patience the epochs are settled already
            return settings

        def affordable() -> int:
            from bottega.training.loop import Callbacks, fit

            untouched, marks = copy.deepcopy(module), [time.perf_counter()]
            probe = replace(settings, learning_rate=1e-3, epochs=1)
            watch = Callbacks(
                progress=lambda *_: marks.append(time.perf_counter()),
                may_continue=lambda done, _: done < N_PROBE,
            )
            fit(untouched, data, probe, goal=goal, callbacks=watch)
            judging = time.perf_counter() - marks[-1]
            steps = marks[1:] if len(marks) > MEASURED else marks  # the first one also sets up what all others use
            n_steps = math.ceil(len(data.train) / settings.batch_size)
            each = (steps[-1] - steps[0]) / (len(steps) - 1) * n_steps + judging
            return max(1, min(settings.epochs, int(allowed / each)))

        return replace(
            settings, epochs=self.bench.budget.decide(f"epochs of {self.architecture.name} {mark}", affordable)
        )


def sparkline(values: Sequence[float]) -> str:
    """The last values as a line of blocks, the lowest to the highest.

    Example:
        >>> sparkline([0.1, 0.5, 0.9, 0.95])
        '▁▄██'
    """
    shown = [value for value in values[-SPARKS:] if math.isfinite(value)]
    low, high = min(shown, default=0.0), max(shown, default=0.0)
    span = (high - low) or 1.0
    return "".join("▁▂▃▄▅▆▇█"[min(7, int(8 * (value - low) / span))] for value in shown)


def _mark(train: tuple[Pixels, Integers], val: tuple[Pixels, Integers] | None, settings: Settings) -> str:
    """A name for one fit among those of a run: its rows and settings."""
    digest = hashlib.sha256(repr((settings, val is None)).encode())
    for x, y in [train] + ([] if val is None else [val]):
        digest.update(np.ascontiguousarray(y).tobytes())
        digest.update(np.ascontiguousarray(x[:: max(1, len(x) // 64)]).tobytes())
    return digest.hexdigest()[:12]


def _usual_epochs(n_train: int) -> int:
    return 60 if n_train < 1000 else 40 if n_train < 8000 else 15


def default_settings(n_train: int, options: TrainOptions, *, threads: int, device: str) -> Settings:
    """What suits so many examples."""
    thorough = options.preset == "accurate"
    batch_size = 32 if n_train < 1000 else 64 if n_train < 8000 else 256
    epochs = _usual_epochs(n_train) * (2 if thorough else 1)
    n_steps = epochs * math.ceil(n_train / batch_size)
    return Settings(
        epochs=epochs,
        batch_size=batch_size,
        average=0.995 if n_steps >= ENOUGH_TO_AVERAGE else 0.0,
        patience=max(10, epochs // 3),
        seed=options.seed,
        threads=threads,
        device=device,
    )
