"""What the layers say of themselves, on networks whose state is known."""

import pytest
import torch
from torch import Tensor, nn

from bottega.problem.history import LayerReading
from bottega.training.readings import N_READ, LayerReader, weighted_layers


def trained(module: nn.Module, x: Tensor, *, n_steps: int, rate: float = 0.1) -> dict[str, LayerReading]:
    """Plain gradient descent on the sum of squares, read as the loop reads it."""
    reader = LayerReader(module, n_steps)
    for _ in range(n_steps):
        module.zero_grad()
        torch.autograd.backward(module(x).square().mean())
        reader.before_step()
        with torch.no_grad():
            for p in module.parameters():
                p.sub_(rate * p.grad)  # type: ignore[operator]
        reader.after_step()
    return reader.readings(x, ends_in_softmax=False)


def test_norms_are_those_of_the_layer() -> None:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 1))
    x = torch.rand(8, 4)
    before = torch.cat([p.detach().flatten() for p in module[0].parameters()])
    readings = trained(module, x, n_steps=1)
    gradient = torch.cat([p.grad.flatten() for p in module[0].parameters() if p.grad is not None])
    assert list(readings) == ["0", "2"]
    assert readings["0"].gradient == pytest.approx(float(gradient.norm()))
    assert readings["0"].update == pytest.approx(0.1 * float(gradient.norm() / before.norm()), rel=1e-4)
    assert readings["0"].weight == pytest.approx(
        float(torch.cat([p.detach().flatten() for p in module[0].parameters()]).norm())
    )


def test_few_steps_are_read_however_many_there_are() -> None:
    module = nn.Linear(4, 1)
    reader = LayerReader(module, 1000)
    assert len(reader._read_at) == N_READ
    assert {0, 999} <= reader._read_at
    assert list(trained(module, torch.rand(2, 4), n_steps=3)) == ["Linear"]


def test_dead_units_are_counted_where_units_can_die() -> None:
    module = nn.Sequential(nn.Conv2d(1, 4, 1), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(16, 2), nn.Tanh())
    with torch.no_grad():
        module[1].bias.copy_(torch.tensor([-100.0, -100.0, -100.0, 100.0]))
        module[4].bias.copy_(torch.tensor([50.0, 0.0]))
        module[4].weight.zero_()
    module.eval()
    readings = LayerReader(module, 1).readings(torch.rand(5, 1, 2, 2), ends_in_softmax=False)
    assert readings["0"].dead == 0.75  # of the convolution's units, although the norm killed them
    assert readings["0"].saturated is None
    assert readings["4"].dead is None
    assert readings["4"].saturated == 0.5


def test_the_softmax_of_the_loss_may_be_flat_too() -> None:
    module = nn.Linear(2, 3)
    with torch.no_grad():
        module.weight.zero_()
        module.bias.copy_(torch.tensor([20.0, 0.0, 0.0]))
    assert LayerReader(module, 1).readings(torch.rand(4, 2), ends_in_softmax=True)["Linear"].saturated == 1.0


def test_norms_have_no_reading_and_hooks_are_taken_away() -> None:
    module = nn.Sequential(nn.Linear(2, 2), nn.LayerNorm(2), nn.ReLU())
    LayerReader(module, 1).readings(torch.rand(3, 2), ends_in_softmax=False)
    assert [name for name, _ in weighted_layers(module)] == ["0"]
    assert not any(m._forward_hooks for m in module.modules())
