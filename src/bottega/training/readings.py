"""What each layer is doing: its weights, gradients and changes on a few steps, its units on a probe once an epoch."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from bottega.problem.history import LayerReading

__all__ = ["LayerReader", "weighted_layers"]

N_READ = 4  # steps of an epoch whose gradients and changes are read: a fixed cost, however long the epoch
FLAT = 0.01  # an answer this near an end of a sigmoid's or tanh's range passes on next to no gradient
_CAN_DIE = (nn.ReLU, nn.ReLU6)
_FLAT_ENDS = {nn.Sigmoid: (0.0, 1.0), nn.Tanh: (-1.0, 1.0), nn.Softmax: (0.0, 1.0)}


def weighted_layers(module: nn.Module) -> list[tuple[str, nn.Module]]:
    """Convolutions, dense layers and embeddings, in the order of the network; norms have scales, not weights."""
    found = []
    for name, layer in module.named_modules():
        weights = [p for p in layer.parameters(recurse=False) if p.ndim > 1 and p.requires_grad]
        if weights:
            found.append((name or type(layer).__name__, layer))
    return found


class LayerReader:
    """Reads the layers of one network, part by part of its training.

    Args:
        module: what is trained.
        n_steps: of the part that is read.
    """

    def __init__(self, module: nn.Module, n_steps: int) -> None:
        self._module = module
        self._layers = [(name, list(layer.parameters(recurse=False))) for name, layer in weighted_layers(module)]
        self._read_at = {round(i * (n_steps - 1) / (N_READ - 1)) for i in range(N_READ)}
        self._n_seen = 0
        self._before: list[list[Tensor]] = []
        self._gradients: list[list[float]] = [[] for _ in self._layers]
        self._updates: list[list[float]] = [[] for _ in self._layers]

    def before_step(self) -> None:
        """Read the gradients and keep the weights, if this step of the part is one that is read."""
        self._n_seen += 1
        if self._n_seen - 1 not in self._read_at:
            return
        for (_, parameters), gradients in zip(self._layers, self._gradients, strict=True):
            gradients.append(_norm([p.grad for p in parameters if p.grad is not None]))
        self._before = [[p.detach().clone() for p in parameters] for _, parameters in self._layers]

    def after_step(self) -> None:
        """Read how far the weights went."""
        if not self._before:
            return
        for (_, parameters), before, updates in zip(self._layers, self._before, self._updates, strict=True):
            change = _norm([p.detach() - old for p, old in zip(parameters, before, strict=True)])
            size = _norm(before)
            updates.append(change / size if size > 0 else 0.0)
        self._before = []

    def readings(self, probe: Tensor, *, ends_in_softmax: bool) -> dict[str, LayerReading]:
        """One reading for each layer.

        Args:
            probe: a prepared batch that is shown to the network in evaluation mode.
            ends_in_softmax: whether the last layer's outputs are the logits of classes.
        """
        units = _Units(self._module, probe, ends_in_softmax=ends_in_softmax)
        rows = zip(self._layers, self._gradients, self._updates, strict=True)
        return {
            name: LayerReading(
                weight=_norm([p.detach() for p in parameters]),
                gradient=_mean(gradients),
                update=_mean(updates),
                dead=units.dead.get(name),
                saturated=units.saturated.get(name),
            )
            for (name, parameters), gradients, updates in rows
        }


class _Units:
    """What the units answer to the probe: an activation's answers count for the last layer with weights before it."""

    def __init__(self, module: nn.Module, probe: Tensor, *, ends_in_softmax: bool) -> None:
        self.dead: dict[str, float] = {}
        self.saturated: dict[str, float] = {}
        self._last: str | None = None
        self._names = {id(layer): name for name, layer in weighted_layers(module)}
        with self._hooks(module), torch.no_grad():
            logits = module(probe)
        if ends_in_softmax:
            largest = torch.softmax(logits.float(), 1).amax(1)
            self._note(self.saturated, largest > 1 - FLAT)

    @contextmanager
    def _hooks(self, module: nn.Module) -> Iterator[None]:
        watched = [m for m in module.modules() if id(m) in self._names or isinstance(m, (*_CAN_DIE, *_FLAT_ENDS))]
        handles = [layer.register_forward_hook(self._seen) for layer in watched]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _seen(self, layer: nn.Module, _: Any, output: Tensor) -> None:
        if id(layer) in self._names:
            self._last = self._names[id(layer)]
        elif isinstance(layer, _CAN_DIE):
            highest = output.movedim(1, -1).flatten(0, -2).amax(0)  # (B, units, ...) -> (units,)
            self._note(self.dead, highest <= 0)
        else:
            low, high = next(ends for kind, ends in _FLAT_ENDS.items() if isinstance(layer, kind))
            room = FLAT * (high - low)
            self._note(self.saturated, (output < low + room) | (output > high - room))

    def _note(self, shares: dict[str, float], holds: Tensor) -> None:
        if self._last is not None:
            shares.setdefault(self._last, float(holds.float().mean()))


def _norm(tensors: Sequence[Tensor]) -> float:
    if not tensors:
        return 0.0
    return float(torch.stack(torch._foreach_norm(list(tensors))).norm())


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values) if values else 0.0
