"""Training on the upper layers of the sentence network, over states of the layer below that were computed once."""

import copy
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from bottega.models.encoder import UpperLayers
from bottega.training.optimiser import Adam, decays
from bottega.training.text_steps import batches_by_length, forbid_absent, rate_share

__all__ = ["FittedUpper", "HeldStates", "States", "fit_upper_layers"]

Integers = NDArray[np.int64]
Floats = NDArray[np.float32]
States = Sequence[NDArray[np.float16]]  # one (pieces, 384) for each text
EPOCHS = 3
BATCH = 32
RATE = 1e-4
HEAD_RATE = 1e-3
WEIGHT_DECAY = 1e-2
WARM_UP = 0.1


class HeldStates(NamedTuple):
    """A validation part: states of each text, and the classes."""

    states: States
    y: Integers


@dataclass(frozen=True)
class FittedUpper:
    """What was learned at the best epoch.

    Attributes:
        weights: of the trained layers, by the published names.
        head, bias: (384, C), (C,).
    """

    weights: Mapping[str, Floats]
    head: Floats
    bias: Floats
    epoch: int
    losses: tuple[float, ...]


def fit_upper_layers(
    states: States,
    y: Integers,
    published: Mapping[str, NDArray[Any]],
    n_layers: int,
    *,
    n_classes: int,
    until: HeldStates | int,
) -> FittedUpper:
    """Train the last `n_layers` layers and a linear layer on their mean.

    Draws from torch's global generator, which the caller seeds.

    Args:
        states: one (pieces, 384) for each text, of the layer below, without padding.
        y: (N,) class indices.
        published: the state that training starts from.
        until: the validation part that picks the epoch, or the epoch to stop at; the rates are those of all epochs.
    """
    network = UpperLayers(published, n_layers, n_classes)
    named = decays(network)
    shares = [HEAD_RATE / RATE if name.startswith("head.") else 1.0 for name, _, _ in named]
    optimiser = Adam([(p, decay) for _, p, decay in named], WEIGHT_DECAY, apart=True, shares=shares)
    targets, lengths = torch.from_numpy(y), torch.tensor([len(one) for one in states])
    n_steps, n_done = EPOCHS * math.ceil(len(states) / BATCH), 0
    best, kept = 0, None
    losses: list[float] = []
    for epoch in range(1, (until if isinstance(until, int) else EPOCHS) + 1):
        network.train()
        for rows in batches_by_length(lengths, BATCH):
            network.zero_grad()
            logits = network(*_padded([states[i] for i in rows.tolist()]))
            functional.cross_entropy(logits, targets[rows]).backward()  # type: ignore[no-untyped-call]
            optimiser.step(RATE * rate_share(n_done / n_steps, WARM_UP))
            n_done += 1
        if isinstance(until, HeldStates):
            losses.append(_held_out_loss(network, until))
            if losses[-1] == min(losses):
                best, kept = epoch, copy.deepcopy(network.state_dict())
    if kept is not None:
        network.load_state_dict(kept)
    forbid_absent(network.head, y)
    head, bias = (parameter.detach().numpy().copy() for parameter in (network.head.weight.T, network.head.bias))
    return FittedUpper(network.learned(), head, bias, best or epoch, tuple(losses))


def _padded(states: States) -> tuple[Tensor, Tensor]:
    """(B, T, 384) and which places (B, T) are inside a text."""
    lengths = torch.tensor([len(one) for one in states])
    padded = torch.nn.utils.rnn.pad_sequence([torch.from_numpy(one).float() for one in states], batch_first=True)
    return padded, torch.arange(padded.shape[1]) < lengths[:, None]


@torch.inference_mode()
def _held_out_loss(network: UpperLayers, held: HeldStates) -> float:
    network.eval()
    order = sorted(range(len(held.y)), key=lambda i: len(held.states[i]))
    total, targets = 0.0, torch.from_numpy(held.y)
    for start in range(0, len(order), BATCH):
        rows = order[start : start + BATCH]
        logits = network(*_padded([held.states[i] for i in rows]))
        total += float(functional.cross_entropy(logits, targets[rows], reduction="sum"))
    return total / len(order)
