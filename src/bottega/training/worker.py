"""The live side of a training: the network with its optimiser and average, one step, one evaluation, one snapshot."""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bottega.errors import BottegaError
from bottega.problem.history import LayerReading
from bottega.training.acceptance import accept_outputs, accept_weights, out_of_memory, own_words
from bottega.training.examples import Batch, Data, Examples, Feeder, drawn, fit_sample
from bottega.training.goal import Goal
from bottega.training.optimiser import make_optimiser
from bottega.training.precision import autocast
from bottega.training.readings import LayerReader
from bottega.training.settings import Settings

__all__ = ["NotFiniteError", "Tally", "Worker"]

Rows = NDArray[np.int64]
N_PROBE = 128  # examples that the units answer to, once a part
MOST_SCORED = 50_000  # training answers of a part that are kept for its score


class NotFiniteError(ArithmeticError):
    """The loss or the gradient is no number any more; `place` says where numbers end."""

    def __init__(self, step: int, place: str) -> None:
        self.step, self.place = step, place
        super().__init__(f"step {step}, {place}")


@dataclass
class Tally:
    """What the steps of one part added up to."""

    losses: list[float] = field(default_factory=list)
    weights: list[int] = field(default_factory=list)
    norms: list[float] = field(default_factory=list)
    n_clipped: int = 0
    rate: float = 0.0
    outputs: list[Tensor] = field(default_factory=list)
    targets: list[Tensor] = field(default_factory=list)
    n_scored: int = 0

    def loss(self) -> float:
        """Mean over the examples."""
        return float(np.average(self.losses, weights=self.weights))

    def keep(self, outputs: Tensor, y: Tensor) -> None:
        """Keep answers for the score, as far as there is room."""
        if self.n_scored < MOST_SCORED:
            self.outputs.append(outputs.detach())
            self.targets.append(y)
            self.n_scored += len(y)


class Worker:
    """A network in training on a device.

    Args:
        module: it is trained in place.
    Raises:
        BottegaError: network and examples don't fit each other.
    """

    def __init__(self, module: nn.Module, data: Data, settings: Settings, goal: Goal) -> None:
        self.n_pieces = 1  # a batch goes through in so many, when memory is short
        self.fit_rows = fit_sample(len(data.train), settings.seed)
        self._data, self._settings, self._goal = data, settings, goal
        self._feeder = Feeder(data, settings)
        self._module = module
        self._probe = next(self._feeder.plain(data.train, self.fit_rows[:N_PROBE]))
        module.to(settings.device)
        self._try_out()
        accept_weights(module)
        if self._probe.ndim == 4:
            module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        weights = settings.class_weights
        self._class_weights = None if weights is None else torch.tensor(weights, device=settings.device)
        self._parameters = [p for p in module.parameters() if p.requires_grad]
        self._own = dict([*module.named_parameters(), *module.named_buffers()])
        floats = {name: t for name, t in self._own.items() if t.is_floating_point()} if settings.average else {}
        self._averaged = {name: tensor.detach().clone() for name, tensor in floats.items()}
        self._optimiser = make_optimiser(
            settings.optimiser, module, weight_decay=settings.weight_decay, momentum=settings.momentum
        )

    def _try_out(self) -> None:
        """One batch, so that what doesn't fit is said before anything else; lazy layers get their shape."""
        self._module.eval()
        with own_words(), torch.no_grad(), self._cast():
            outputs = self._module(self._probe)
        accept_outputs(
            outputs, len(self._probe), self._data, self._settings, classes=self._goal.objective.ends_in_softmax
        )

    def reader(self, n_steps: int) -> LayerReader:
        """A reader of the layers for a part of so many steps."""
        return LayerReader(self._module, n_steps)

    def step(self, rows: Rows, number: int, rate: float, tally: Tally, reader: LayerReader | None = None) -> None:
        """Learn from one batch.

        Args:
            number: of the step in the whole training, from 0; decides the draws.
            reader: is shown the gradients, and what they do to the weights.
        Raises:
            NotFiniteError: loss or gradient is no number; the weights are as before the step.
        """
        batch = self._feeder.for_step(rows, number)
        loss, outputs = self._descend(batch, number)
        gradients = [p.grad for p in self._parameters if p.grad is not None]
        norm = torch.stack(torch._foreach_norm(gradients)).norm() if gradients else torch.zeros(())
        loss_value, norm_value = torch.stack([loss, norm.to(loss.device)]).tolist()  # one wait for the device
        if not math.isfinite(loss_value) or not math.isfinite(norm_value):
            raise NotFiniteError(number + 1, self._first_broken(batch))
        clip = self._settings.clip
        if clip is not None and norm_value > clip:
            torch._foreach_mul_(gradients, clip / norm_value)
            tally.n_clipped += 1
        if reader:
            reader.before_step()
        self._optimiser.step(rate)
        if reader:
            reader.after_step()
        self._average(number)
        tally.losses.append(loss_value)
        tally.weights.append(len(rows))
        tally.norms.append(norm_value)
        tally.rate = rate
        tally.keep(outputs, batch.y)

    def _descend(self, batch: Batch, number: int) -> tuple[Tensor, Tensor]:
        """Gradients of a batch; where memory is short, in twice as many pieces, which add up to the same step."""
        while True:
            try:
                return self._gradients(batch, number)
            except (RuntimeError, MemoryError) as error:
                if not out_of_memory(error):
                    raise
                if self.n_pieces >= len(batch.y):
                    raise BottegaError(
                        found="not enough memory for a single example",
                        expected="a network that fits this machine",
                        fix="make the network or the pictures smaller",
                    ) from error
                self.n_pieces *= 2

    def _gradients(self, batch: Batch, number: int) -> tuple[Tensor, Tensor]:
        self._module.train()
        self._reseed(number)
        for parameter in self._parameters:
            parameter.grad = None
        if self.n_pieces == 1:
            return self._piece(batch, 1.0)
        n = len(batch.y)
        losses, outputs = [], []
        for rows in torch.arange(n, device=batch.y.device).chunk(self.n_pieces):
            partner = None if batch.partner is None else batch.partner[rows]
            loss, output = self._piece(Batch(batch.x[rows], batch.y[rows], partner, batch.share), len(rows) / n)
            losses.append(loss)
            outputs.append(output)
        return torch.stack(losses).sum(), torch.cat(outputs)

    def _piece(self, batch: Batch, weight: float) -> tuple[Tensor, Tensor]:
        with own_words():
            with self._cast():
                outputs = self._module(batch.x).float()  # (B, C)
            loss = self._loss(outputs, batch.y) * (weight * batch.share)
            if batch.partner is not None:
                loss = loss + self._loss(outputs, batch.partner) * (weight * (1 - batch.share))
            torch.autograd.backward(loss)
        return loss.detach(), outputs

    def _loss(self, outputs: Tensor, y: Tensor) -> Tensor:
        return self._goal.objective.loss(outputs, y, self._class_weights, self._settings.label_smoothing)

    def _cast(self) -> Any:
        return autocast(self._settings.precision, self._settings.device)

    def _reseed(self, number: int) -> None:
        """Dropout draws from torch's global generators: they are set anew for each step."""
        seed = drawn(self._settings.seed, "dropout", number).initial_seed()
        torch.default_generator.manual_seed(seed)
        if self._settings.device.startswith("cuda"):
            torch.cuda.manual_seed(seed)

    @torch.no_grad()
    def _average(self, number: int) -> None:
        if not self._averaged:
            return
        decay = min(self._settings.average, (1 + number) / (10 + number))  # the first weights are soon forgotten
        torch._foreach_lerp_(list(self._averaged.values()), [self._own[name] for name in self._averaged], 1 - decay)

    def _first_broken(self, batch: Batch) -> str:
        """Where numbers end: in a layer on the way forward, or else on the way back, or only in the loss."""
        broken: list[str] = []

        def seen(name: str) -> Callable[..., None]:
            def look(_module: nn.Module, _inputs: Any, output: object) -> None:
                if isinstance(output, Tensor) and output.is_floating_point() and not bool(output.isfinite().all()):
                    broken.append(name)

            return look

        leaves = [(name, m) for name, m in self._module.named_modules() if not list(m.children())]
        handles = [m.register_forward_hook(seen(name or type(m).__name__)) for name, m in leaves]
        try:
            with torch.no_grad(), self._cast():
                self._module(batch.x)
        finally:
            for handle in handles:
                handle.remove()
        gradients = {name: p.grad for name, p in self._module.named_parameters() if p.grad is not None}
        backward = [name.rpartition(".")[0] or name for name, g in gradients.items() if not bool(g.isfinite().all())]
        named = [*broken, *backward[::-1]]
        return f"layer {named[0]!r}" if named else "the loss"

    @contextmanager
    def judged(self) -> Iterator[nn.Module]:
        """The network in evaluation mode with the weights that are judged: the averaged ones, if they are kept."""
        names = list(self._averaged)
        own = [self._own[name] for name in names]
        kept = [tensor.detach().clone() for tensor in own]
        self._module.eval()
        with torch.no_grad():
            if names:
                torch._foreach_copy_(own, [self._averaged[name] for name in names])
            try:
                yield self._module
            finally:
                if names:
                    torch._foreach_copy_(own, kept)

    def evaluate(self, examples: Examples, rows: Rows | None = None) -> tuple[float, float]:
        """Plain loss (nothing smoothed or weighted) and score; call within `judged`."""
        with own_words(), torch.inference_mode(), self._cast():
            outputs = torch.cat([self._module(x).float() for x in self._feeder.plain(examples, rows)])
        return self.assess(outputs, examples.y if rows is None else examples.y[rows])

    def assess(self, outputs: Tensor, y: NDArray[Any]) -> tuple[float, float]:
        """Loss and score of outputs that were kept."""
        objective = self._goal.objective
        targets = torch.from_numpy(np.ascontiguousarray(y)).to(outputs.device)
        loss = float(objective.loss(outputs, targets, None, 0.0))
        if not bool(outputs.isfinite().all()):
            return math.nan, math.nan
        return loss, float(self._goal.score(y, objective.answers(outputs)))

    def train_score(self, tally: Tally) -> float:
        """Score of the answers that were given while learning."""
        return self.assess(torch.cat(tally.outputs), torch.cat(tally.targets).cpu().numpy())[1]

    def read(self, reader: LayerReader) -> dict[str, LayerReading]:
        """What the layers did; call within `judged`."""
        with self._cast():
            return reader.readings(self._probe, ends_in_softmax=self._goal.objective.ends_in_softmax)

    def best(self) -> dict[str, NDArray[Any]]:
        """A copy of what `state_dict` holds; call within `judged`."""
        state = self._module.state_dict()
        return {name: t.detach().cpu().numpy().copy() for name, t in state.items() if isinstance(t, Tensor)}

    def snapshot(self) -> dict[str, Tensor]:
        """A copy of all that the next step depends on."""
        return {name: tensor.detach().clone() for name, tensor in self._tensors().items()}

    @torch.no_grad()
    def restore(self, snapshot: Mapping[str, Tensor]) -> None:
        """Be as at a snapshot."""
        for name, tensor in self._tensors().items():
            tensor.copy_(snapshot[name])

    def _tensors(self) -> dict[str, Tensor]:
        parts = {"network": self._own, "average": self._averaged, "optimiser": self._optimiser.state()}
        return {f"{part}/{name}": tensor for part, named in parts.items() for name, tensor in named.items()}
