"""Plans built in torch: fresh weights, and that they learn."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor, nn
from torch.nn import functional

from bottega.models.networks import build
from bottega.models.plans import STANDARD, standard
from bottega.problem.layers import ACTIVATIONS, Layer
from bottega.problem.network import Network, steps


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("kind", STANDARD)
def test_names_and_shapes_are_the_plans(kind: str) -> None:
    plan = standard(kind, (3, 33, 20), width=0.25)
    network = build(plan, 7, seeded()).eval()
    assert [name for name, _ in network.named_children()] == [*(step.name for step in steps(plan)), "answer"]
    x = torch.zeros(2, *plan.input)
    with torch.no_grad():
        for step in steps(plan):
            x = network.get_submodule(step.name)(x)
            assert tuple(x.shape) == (2, *step.out)
        assert network.answer(x).shape == (2, 7)


def test_weights_come_from_the_generator_alone() -> None:
    plan = standard("resnet", (1, 8, 8), width=0.25)
    torch.manual_seed(1)
    first = build(plan, 3, seeded(5)).state_dict()
    torch.manual_seed(2)
    again = build(plan, 3, seeded(5)).state_dict()
    other = build(plan, 3, seeded(6)).state_dict()
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["answer.weight"], other["answer.weight"])


def test_residuals_begin_as_the_way_around_them() -> None:
    plan = standard("resnet", (1, 8, 8), width=0.25, depth=2)
    network = build(plan, 3, seeded())
    x = torch.randn(4, 8, 8, 8, generator=seeded())
    same = network.get_submodule("residual1")
    assert torch.equal(same(x), x)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_signals_keep_their_size_through_many_layers(activation: str) -> None:
    layers = (Layer("dense", {"units": 256}), Layer(activation)) * 8
    network = build(Network("deep", (256,), layers), 10, seeded())
    x = torch.randn(256, 256, generator=seeded(1))
    with torch.no_grad():
        spread = float(network[:-1](x).std())
    assert 0.01 < spread < 10


def accuracy_on_digits(network: nn.Module, *, epochs: int, rate: float) -> float:
    """A plain loop with Adam by hand, on a fixed split."""
    x, y = load_digits(return_X_y=True)
    inputs = torch.from_numpy(x.astype(np.float32) / 16 - 0.3).reshape(-1, 1, 8, 8)
    x_train, x_test, y_train, y_test = train_test_split(inputs, torch.from_numpy(y), test_size=400, random_state=0)
    parameters = list(network.parameters())
    means, squares = ([torch.zeros_like(p) for p in parameters] for _ in range(2))
    generator, n_steps = seeded(1), 0
    for epoch in range(epochs):
        for rows in torch.randperm(len(x_train), generator=generator).split(64):
            loss = functional.cross_entropy(network(x_train[rows]), y_train[rows])
            gradients = torch.autograd.grad(loss, parameters)
            n_steps += 1
            _adam(parameters, gradients, means, squares, rate * (1 - epoch / epochs), n_steps)
    network.eval()
    with torch.no_grad():
        return float((network(x_test).argmax(1) == y_test).float().mean())


def _adam(
    parameters: list[nn.Parameter],
    gradients: tuple[Tensor, ...],
    means: list[Tensor],
    squares: list[Tensor],
    rate: float,
    n: int,
) -> None:
    with torch.no_grad():
        for p, g, mean, square in zip(parameters, gradients, means, squares, strict=True):
            mean.lerp_(g, 0.1)
            square.lerp_(g * g, 0.01)
            p.addcdiv_(mean / (1 - 0.9**n), (square / (1 - 0.99**n)).sqrt() + 1e-8, value=-rate)


@pytest.mark.parametrize(("kind", "depth", "bar"), [("cnn", 2, 0.98), ("resnet", 1, 0.97), ("mlp", 2, 0.97)])
def test_they_learn_digits(kind: str, depth: int, bar: float) -> None:
    torch.manual_seed(0)  # dropout
    network = build(standard(kind, (1, 8, 8), depth=depth), 10, seeded())
    assert accuracy_on_digits(network, epochs=5, rate=3e-3) >= bar
