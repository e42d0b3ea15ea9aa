"""What of a pretrained network learns on, and that it begins as it was published."""

import numpy as np
import pytest
import torch

from bottega.models.finetune import Finetuned, finetuned
from bottega.models.lite import LITE, lower_shape, n_lower
from bottega.models.pretrained import find_weights
from bottega.shipping.lite import lower_graph
from bottega.training.optimiser import make_optimiser
from bottega.workflow.features import engine
from lite_reference import load_efficientnet_lite

NAME = "efficientnet_lite0"
SIDE = 96


@pytest.fixture
def network() -> Finetuned:
    return finetuned(NAME, find_weights(NAME).path, 3)


def pictures(n: int) -> torch.Tensor:
    """(n, 3, SIDE, SIDE), as the weights expect them: smooth, as photos are."""
    coarse = torch.rand(n, 3, 6, 6, generator=torch.Generator().manual_seed(0))
    return torch.nn.functional.interpolate(2 * coarse - 1, size=(SIDE, SIDE), mode="bicubic").clamp(-1, 1)


def states(x: torch.Tensor) -> torch.Tensor:
    """What the blocks that stay make of them."""
    weights = torch.load(find_weights(NAME).path, map_location="cpu", weights_only=True)
    graph = lower_graph(NAME, {key: value.numpy() for key, value in weights.items()}, SIDE)
    found = engine(graph, threads=1).run(["states"], {"x": x.numpy()})[0]
    assert found.shape[1:] == lower_shape(NAME, SIDE)
    return torch.from_numpy(found)


def test_it_describes_pictures_as_the_published_network_does(network: Finetuned) -> None:
    x = pictures(3)
    weights = torch.load(find_weights(NAME).path, map_location="cpu", weights_only=True)
    with torch.no_grad():
        expected = load_efficientnet_lite(NAME, weights)(x)
        found = network.eval().features(states(x))
    assert network.n_features == expected.shape[1]
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-3)


def test_it_begins_with_a_layer_that_knows_nothing(network: Finetuned) -> None:
    assert not network.eval()(torch.randn(2, *lower_shape(NAME, SIDE))).any()


def test_filters_of_single_channels_stay_and_all_else_learns(network: Finetuned) -> None:
    drawn = np.random.default_rng(0).normal(0, 0.01, (network.n_features, 3))
    head = {"mean": np.zeros(network.n_features), "scale": np.ones(network.n_features), "bias": np.zeros(3)}
    network.start_from({name: value.astype(np.float32) for name, value in {**head, "weight": drawn}.items()})
    start = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    network.train()
    torch.nn.functional.cross_entropy(network(states(pictures(4))), torch.tensor([0, 1, 2, 0])).backward()
    make_optimiser("adamw", network, weight_decay=0.0, momentum=0.9).step(1e-3)
    stayed = {name for name, tensor in network.state_dict().items() if torch.equal(tensor, start[name])}
    n_blocks = len(network.blocks)
    assert n_blocks + n_lower(LITE[NAME]) == 16
    assert stayed == {f"blocks.{i}.depthwise.weight" for i in range(n_blocks)} | {"mean", "scale"}


def test_half_precision_gives_nearly_the_same(network: Finetuned) -> None:
    x = states(pictures(3))
    with torch.no_grad():
        exact = network.eval().features(x)
        with torch.autocast("cpu", torch.bfloat16):
            rough = network.features(x)
    assert float((rough - exact).abs().mean() / exact.abs().mean()) < 0.05
