"""The optimisers are those of torch.optim, step for step; norms and biases don't decay."""

from typing import Any

import pytest
import torch
from torch import nn

from bottega.training.optimiser import decays, make_optimiser

N_STEPS = 25


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, bias=False), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 3)
    )


def reference(kind: str, module: nn.Module, weight_decay: float) -> torch.optim.Optimizer:
    groups: list[dict[str, Any]] = [
        {"params": [p for _, p, decaying in decays(module) if decaying == wanted], "weight_decay": decay}
        for wanted, decay in ((True, weight_decay), (False, 0.0))
    ]
    if kind == "sgd":
        return torch.optim.SGD(groups, momentum=0.9)
    return (torch.optim.AdamW if kind == "adamw" else torch.optim.Adam)(groups)


@pytest.mark.parametrize("kind", ["adamw", "adam", "sgd"])
def test_steps_are_those_of_torch(kind: str) -> None:
    ours, theirs = network(), network()
    mine, other = make_optimiser(kind, ours, weight_decay=0.1, momentum=0.9), reference(kind, theirs, 0.1)
    x, y = torch.rand(16, 1, 8, 8), torch.arange(16) % 3
    for number in range(N_STEPS):
        rate = 0.01 * (1 + number % 3)  # it may change from step to step
        for module in (ours, theirs):
            module.zero_grad()
            torch.autograd.backward(nn.functional.cross_entropy(module(x), y))
        mine.step(rate)
        for group in other.param_groups:
            group["lr"] = rate
        other.step()
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


def test_what_decays() -> None:
    module = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm((2, 4)), nn.BatchNorm1d(4), nn.Embedding(5, 2))
    assert {name for name, _, decaying in decays(module) if decaying} == {"0.weight", "3.weight"}


def test_a_weight_without_gradient_or_frozen_stays() -> None:
    module = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3), nn.Linear(3, 3))
    module[2].requires_grad_(False)
    before = [p.detach().clone() for p in module.parameters()]
    optimiser = make_optimiser("adamw", module, weight_decay=0.1, momentum=0.9)
    torch.autograd.backward(module[0](torch.ones(2, 3)).sum())
    optimiser.step(0.1)
    moved = [not torch.equal(a, b) for a, b in zip(before, module.parameters(), strict=True)]
    assert moved == [True, True, False, False, False, False]
