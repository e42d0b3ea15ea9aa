"""Training a network of a table: AdamW under one cycle for a fixed number of steps, the best epoch kept."""

import copy
import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from bottega.evaluation.table_forms import Dense, TableNetwork, Unfolding
from bottega.models.table_plans import Layout, TablePlan
from bottega.models.tables import TableNet, number_edges
from bottega.training.optimiser import Adam, decays

__all__ = ["FittedNetwork", "Held", "fit_table_network", "layout_of", "to_form"]

Floats = NDArray[np.float32]
Targets = NDArray[np.float32] | NDArray[np.int64]
STEPS = 1500  # of a training, whatever its rows; so small tables are gone through more often
MIN_EPOCHS, MAX_EPOCHS = 12, 200
BATCH = 256
WEIGHT_DECAY = 1e-2
WARM_UP = 0.1
PATIENCE = 0.25  # share of all epochs that may pass without a better validation loss
ANSWER_ROWS = 2048
FAR = 1e30


class Held(NamedTuple):
    """Dense rows (M, D), their targets (M,), and how much each counts (M,), None for all the same."""

    z: Floats
    y: Targets
    weights: NDArray[np.float64] | None = None


@dataclass(frozen=True)
class FittedNetwork:
    """What was learned at the best epoch, and its validation loss where there was one."""

    form: TableNetwork
    epoch: int
    epochs: int
    loss: float


def layout_of(stage: Dense) -> Layout:
    """How the dense matrix is divided."""
    _, sizes = np.unique(stage.category, return_counts=True)
    return Layout(len(stage.number), (*[1] * len(stage.marked), *(int(size) for size in sizes)))


def fit_table_network(
    rows: Held,
    plan: TablePlan,
    layout: Layout,
    *,
    n_classes: int | None,
    seed: int,
    until: Held | int,
) -> FittedNetwork:
    """Fit one network.

    Args:
        rows: to be learned from; class indices, or standardised values where `n_classes` is None.
        until: the validation part that picks the epoch, or the epoch to stop at; the rates are those of all epochs.
    """
    epochs = min(max(math.ceil(STEPS / math.ceil(len(rows.z) / BATCH)), MIN_EPOCHS), MAX_EPOCHS)
    with torch.random.fork_rng(devices=[]):  # the blocks and dropout draw from torch's global generator
        torch.manual_seed(seed % 2**63)
        network = TableNet(plan, layout, n_classes or 1, number_edges(rows.z[:, : layout.n_number]))
        best, loss = _train(network, rows, plan, epochs, until)
    form = to_form(network, is_share=n_classes is not None)
    return FittedNetwork(form, best, epochs, loss)


def _train(network: TableNet, rows: Held, plan: TablePlan, epochs: int, until: Held | int) -> tuple[int, float]:
    """Train `network`, and leave it as it was at its best epoch."""
    z, targets, weights = _tensors(rows)
    held = _tensors(until) if isinstance(until, Held) else None
    optimiser = Adam([(p, decay) for _, p, decay in decays(network)], WEIGHT_DECAY, apart=True)
    n_batches = max(1, round(len(z) / BATCH))
    n_steps, n_done = epochs * n_batches, 0
    best, loss, state = 0, math.inf, None
    for epoch in range(1, (until if isinstance(until, int) else epochs) + 1):
        network.train()
        for batch in torch.tensor_split(torch.randperm(len(z)), n_batches):
            network.zero_grad()
            share = None if weights is None else weights[batch]
            _loss(network(z[batch]), targets[batch], share).backward()  # type: ignore[no-untyped-call]
            optimiser.step(plan.learning_rate * _share(n_done / n_steps))
            n_done += 1
        if held is not None:
            new = _held_out_loss(network, *held)
            if new < loss:
                best, loss, state = epoch, new, copy.deepcopy(network.state_dict())
            elif epoch - best > PATIENCE * epochs:
                break
    if state is not None:
        network.load_state_dict(state)
    network.eval()
    return best or epoch, loss


def _share(done: float) -> float:
    """Of the highest rate: up a line, down a cosine."""
    if done < WARM_UP:
        return (done + 1e-3) / (WARM_UP + 1e-3)
    return (1 + math.cos(math.pi * (done - WARM_UP) / (1 - WARM_UP))) / 2


def _targets(y: Targets) -> Tensor:
    return torch.from_numpy(y.astype(np.int64 if y.dtype.kind in "iu" else np.float32))


def _tensors(rows: Held) -> tuple[Tensor, Tensor, Tensor | None]:
    """Weights with a mean of 1, so that rates and decay keep their meaning."""
    weights = rows.weights
    share = None if weights is None else torch.from_numpy((weights / weights.mean()).astype(np.float32))
    return torch.from_numpy(rows.z), _targets(rows.y), share


def _loss(members: Tensor, y: Tensor, weights: Tensor | None) -> Tensor:
    """The mean of the members' own losses: each must be right alone."""
    if weights is not None:
        return (_each_loss(members, y).mean(1) * weights).mean()
    if y.dtype == torch.int64:
        return functional.cross_entropy(members.flatten(0, 1), y.repeat_interleave(members.shape[1]))
    return (members[..., 0] - y[:, None]).square().mean()


def _each_loss(members: Tensor, y: Tensor) -> Tensor:
    """Of each member on each row: (B, k, C) -> (B, k)."""
    if y.dtype == torch.int64:
        several = y.repeat_interleave(members.shape[1])
        return functional.cross_entropy(members.flatten(0, 1), several, reduction="none").view(members.shape[:2])
    return (members[..., 0] - y[:, None]).square()


@torch.inference_mode()
def _held_out_loss(network: nn.Module, z: Tensor, y: Tensor, weights: Tensor | None) -> float:
    """Of the members' common answer."""
    network.eval()
    members = torch.cat([network(chunk) for chunk in torch.split(z, ANSWER_ROWS)])
    if y.dtype != torch.int64:
        losses = (members[..., 0].mean(1) - y).square()
    else:
        losses = functional.nll_loss(torch.log(members.softmax(2).mean(1).clamp_min(1e-7)), y, reduction="none")
    return float((losses if weights is None else losses * weights).mean())


def to_form(network: TableNet, *, is_share: bool) -> TableNetwork:
    """What was learned, as arrays."""
    layers = [block[0] for block in network.body.blocks]  # type: ignore[union-attr]
    head: Any = network.head
    weight = tuple(_array(layer.weight.T) for layer in layers)
    if network.k == 1:
        before = tuple(np.ones((1, len(w)), np.float32) for w in weight)
        after = tuple(np.ones((1, w.shape[1]), np.float32) for w in weight)
        bias = tuple(_array(layer.bias)[None] for layer in layers)
        last, last_bias = _array(head.weight.T)[None], _array(head.bias)[None]
    else:
        before, after, bias = (tuple(_array(getattr(layer, name)) for layer in layers) for name in ("r", "s", "bias"))
        last, last_bias = _array(head.weight), _array(head.bias)
    unfolding = None if network.unfold is None else _unfolding_arrays(network.unfold)
    n = network.layout.n_number
    return TableNetwork(n, unfolding, before, weight, after, bias, last, last_bias, is_share=is_share)


def _unfolding_arrays(module: Any) -> Unfolding:
    if hasattr(module, "periodic"):
        frequency, weight, bias = (
            _array(t) for t in (module.periodic.weight, module.linear.weight, module.linear.bias)
        )
        none = np.zeros((len(frequency), 0), np.float32)
        direct = np.zeros((len(weight), 1, weight.shape[2]), np.float32)
        return Unfolding(frequency, none, none, none, none, np.concatenate([direct, weight], 1), bias, relu=True)
    slope, offset = _array(module.impl.weight), _array(module.impl.bias)
    low, high = np.zeros_like(slope), np.ones_like(slope)
    low[:, 0], high[:, -1] = -FAR, FAR  # the first and the last step go on beyond the data
    single = module.impl.single_bin_mask
    if single is not None:
        low[single.numpy(), -1] = -FAR
    direct = _array(module.linear0.weight)[:, None]  # (P, 1, E)
    weight = np.concatenate([direct, _array(module.linear.weight)], 1)
    none = np.zeros((len(slope), 0), np.float32)
    return Unfolding(none, slope, offset, low, high, weight, _array(module.linear0.bias), relu=False)


def _array(tensor: Any) -> Floats:
    array: Floats = tensor.detach().numpy().astype(np.float32, copy=True)
    return array
