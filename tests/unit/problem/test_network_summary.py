"""What a network costs: counted by hand, and against torch."""

import numpy as np
import pytest
import torch
from torch import nn

from bottega.errors import BottegaError
from bottega.models.networks import build
from bottega.models.plans import STANDARD, lite_plan, standard
from bottega.problem.layers import Layer
from bottega.problem.network import Network
from bottega.problem.network_summary import summarise


def counted(plan: Network, n_outputs: int) -> tuple[int, int]:
    """Parameters and multiply-adds of the network in torch: each layer's weights, times the places they are used at."""
    network = build(plan, n_outputs, torch.Generator().manual_seed(0)).eval()
    total = 0

    def add(module: nn.Module, _inputs: object, output: torch.Tensor) -> None:
        nonlocal total
        weight = module.get_parameter("weight")
        total += weight.numel() * int(np.prod(output.shape[2:]))

    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            module.register_forward_hook(add)
    with torch.no_grad():
        network(torch.zeros(1, *plan.input))
    return sum(p.numel() for p in network.parameters()), total


@pytest.mark.parametrize("shape", [(1, 8, 8), (1, 28, 28), (3, 33, 45), (3, 128, 128)])
@pytest.mark.parametrize("kind", STANDARD)
def test_counts_are_those_of_torch(kind: str, shape: tuple[int, int, int]) -> None:
    plan = standard(kind, shape, width=0.25, depth=2)
    summary = summarise(plan, 10)
    assert (summary.parameters, summary.multiply_adds) == counted(plan, 10)
    assert summary.parameter_bytes == 4 * summary.parameters


def test_the_published_sizes() -> None:
    """Tan & Le's code gives EfficientNet-Lite0 4.7 million parameters; torch counts the same operations as we do."""
    plan = lite_plan("efficientnet_lite0", 64)
    summary = summarise(plan, 1000)
    assert summary.parameters == 4_652_008
    assert (summary.parameters, summary.multiply_adds) == counted(plan, 1000)


def test_lines_of_a_small_network() -> None:
    layers = (
        Layer("conv", {"channels": 8, "kernel": 5}),
        Layer("batch_norm"),
        Layer("max_pool"),
        Layer("residual", {}, (Layer("conv", {"channels": 4, "stride": 2}), Layer("relu"))),
        Layer("global_pool"),
    )
    summary = summarise(Network("small", (1, 28, 28), layers), 3)
    assert [(line.name, line.depth, line.text) for line in summary.layers] == [
        ("conv1", 0, "conv 5×5, 8"),
        ("batch_norm1", 0, "batch norm"),
        ("max_pool1", 0, "max pool 2×2"),
        ("residual1", 0, "residual, projected, stride 2"),
        ("residual1.conv1", 1, "conv 3×3, 4, stride 2"),
        ("residual1.relu1", 1, "relu"),
        ("global_pool1", 0, "global pool, mean"),
        ("answer", 0, "dense, 3"),
    ]
    parameters = {line.name: line.parameters for line in summary.layers}
    assert parameters["conv1"] == 25 * 8  # no bias before a norm
    assert parameters["residual1"] == 8 * 4 + 2 * 4  # the projection and its norm
    assert parameters["residual1.conv1"] == 9 * 8 * 4 + 4
    fields = {line.name: line.receptive_field for line in summary.layers}
    assert fields == {
        "conv1": 5,
        "batch_norm1": 5,
        "max_pool1": 6,
        "residual1": 10,
        "residual1.conv1": 10,
        "residual1.relu1": 10,
        "global_pool1": None,
        "answer": None,
    }


def test_the_receptive_field_is_what_a_pixel_sees() -> None:
    """The gradient of one output pixel reaches as many input pixels as the summary says."""
    layers = (
        Layer("conv", {"channels": 2, "kernel": 5}),
        Layer("avg_pool"),
        Layer(
            "residual",
            {},
            (
                Layer("conv", {"channels": 2, "stride": 2}),
                Layer("avg_pool", {"kernel": 3, "stride": 1, "padding": "same"}),
            ),
        ),
        Layer("flatten"),
    )
    plan = Network("seen", (1, 64, 64), layers)
    network = build(plan, 2, torch.Generator().manual_seed(0)).eval()
    x = torch.zeros(1, 1, 64, 64, requires_grad=True)
    network[:3](x)[0, :, 8, 8].sum().backward()
    assert x.grad is not None
    rows = torch.nonzero(x.grad[0, 0].abs().sum(1)).flatten()
    assert rows[-1] - rows[0] + 1 == summarise(plan, 2).layers[2].receptive_field


def test_too_large_a_network_names_its_largest_layer() -> None:
    layers = (Layer("flatten"), Layer("dense", {"units": 16_384}))
    with pytest.raises(BottegaError, match=r"of them in dense1"):
        summarise(Network("vast", (3, 224, 224), layers), 10)
