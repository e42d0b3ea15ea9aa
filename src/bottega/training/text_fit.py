"""Training a network of texts from scratch: AdamW, texts of about one length together, the best epoch kept."""

import copy
import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from bottega.data.text_tokens import PADDING, UNKNOWN
from bottega.evaluation.text_forms import Filters, Recurrent, TextNetwork
from bottega.models.text_plans import BATCH, TextPlan, planned_epochs
from bottega.models.texts import TextNet
from bottega.training.optimiser import Adam, decays
from bottega.training.text_steps import batches_by_length, forbid_absent, rate_share

__all__ = ["FittedText", "HeldTexts", "fit_text_network"]

Integers = NDArray[np.int64]
Floats = NDArray[np.float32]
WARM_UP = 0.05
WEIGHT_DECAY = 1e-2
PATIENCE = 4  # epochs without a better validation loss
FORGOTTEN = 0.1  # share of the words that an epoch replaces by the unknown one, so that this one learns something
ANSWERED = 256  # texts at once


class HeldTexts(NamedTuple):
    """A validation part: (M, T) tokens and their classes."""

    tokens: Integers
    y: Integers


@dataclass(frozen=True)
class FittedText:
    """What was learned at the best epoch, and its validation loss where there was one."""

    form: TextNetwork
    epoch: int
    epochs: int
    loss: float


def fit_text_network(
    tokens: Integers, y: Integers, plan: TextPlan, n_tokens: int, *, n_classes: int, seed: int, until: HeldTexts | int
) -> FittedText:
    """Fit one network.

    Args:
        tokens: (N, T), 0 for none.
        y: (N,) class indices.
        n_tokens: how many numbers a token may have.
        until: the validation part that picks the epoch, or the epoch to stop at; the rates are those of all epochs.
    """
    epochs = planned_epochs(plan, len(tokens), int((tokens != PADDING).sum()))
    with torch.random.fork_rng(devices=[]):  # dropout draws from torch's global generator
        torch.manual_seed(seed % 2**63)
        network = TextNet(plan, n_tokens, n_classes)
        best, loss = _train(network, _packed(tokens), torch.from_numpy(y), plan, epochs, until)
        forbid_absent(network.head, y)
    return FittedText(_to_form(network), best, epochs, loss)


def _train(
    network: TextNet, tokens: Tensor, y: Tensor, plan: TextPlan, epochs: int, until: HeldTexts | int
) -> tuple[int, float]:
    """Train `network`, and leave it as it was at its best epoch."""
    held = (_packed(until.tokens), torch.from_numpy(until.y)) if isinstance(until, HeldTexts) else None
    optimiser = Adam([(p, decay) for _, p, decay in decays(network)], WEIGHT_DECAY, apart=True)
    lengths = (tokens != PADDING).sum(1)
    n_steps, n_done = epochs * math.ceil(len(tokens) / BATCH), 0
    best, loss, state = 0, math.inf, None
    for epoch in range(1, (until if isinstance(until, int) else epochs) + 1):
        network.train()
        for rows in batches_by_length(lengths, BATCH):
            network.zero_grad()
            logits = network(_forgetful(tokens[rows, : max(1, int(lengths[rows].max()))]))
            functional.cross_entropy(logits, y[rows]).backward()  # type: ignore[no-untyped-call]
            optimiser.step(plan.learning_rate * rate_share(n_done / n_steps, WARM_UP))
            n_done += 1
        if held is not None:
            new = _held_out_loss(network, *held)
            if new < loss:
                best, loss, state = epoch, new, copy.deepcopy(network.state_dict())
            elif epoch - best >= PATIENCE:
                break
    if state is not None:
        network.load_state_dict(state)
    network.eval()
    return best or epoch, loss


def _forgetful(tokens: Tensor) -> Tensor:
    """Some of the words made unknown."""
    return torch.where((torch.rand(tokens.shape) < FORGOTTEN) & (tokens != PADDING), UNKNOWN, tokens)


def _packed(tokens: Integers) -> Tensor:
    """Rows with what is no token behind the rest, no wider than needed."""
    order = np.argsort(tokens == PADDING, axis=1, kind="stable")
    packed = np.take_along_axis(tokens, order, 1)
    return torch.from_numpy(packed[:, : max(1, int((tokens != PADDING).sum(1).max(initial=1)))])


@torch.inference_mode()
def _held_out_loss(network: TextNet, tokens: Tensor, y: Tensor) -> float:
    network.eval()
    order = (tokens != PADDING).sum(1).argsort(stable=True)
    losses = []
    for rows in torch.split(order, ANSWERED):
        width = max(1, int((tokens[rows] != PADDING).sum(1).max()))
        losses.append(functional.cross_entropy(network(tokens[rows, :width]), y[rows], reduction="sum"))
    return float(torch.stack(losses).sum()) / len(y)


def _to_form(network: TextNet) -> TextNetwork:
    """What was learned, as arrays."""
    body: Filters | Recurrent | None = None
    if network.plan.body == "filters":
        layers = list(network.body)
        body = Filters(tuple(_array(one.weight) for one in layers), tuple(_array(one.bias) for one in layers))
    elif network.plan.body == "recurrent":
        body = _recurrent(network.body)
    return TextNetwork(_array(network.embedding.weight), body, _array(network.head.weight.T), _array(network.head.bias))


def _recurrent(lstm: Any) -> Recurrent:
    def gates(name: str) -> list[Floats]:
        parts = (_array(getattr(lstm, f"{name}_l0{end}")) for end in ("", "_reverse"))
        return [_reordered(part) for part in parts]

    bias = [np.concatenate(both) for both in zip(gates("bias_ih"), gates("bias_hh"), strict=True)]
    return Recurrent(np.stack(gates("weight_ih")), np.stack(gates("weight_hh")), np.stack(bias))


def _reordered(gates: Floats) -> Floats:
    """From torch's order (input, forget, cell, output) to that of ONNX (input, output, forget, cell)."""
    i, f, c, o = np.split(gates, 4)
    return np.concatenate([i, o, f, c])


def _array(tensor: Any) -> Floats:
    array: Floats = tensor.detach().numpy().astype(np.float32, copy=True)
    return array
