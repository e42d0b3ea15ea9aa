"""Which parts of a pretrained network learn on, and how fast."""

import numpy as np
import pytest
import torch

from bottega.models.finetune import BODY_SHARE, Finetuned, finetuned
from bottega.models.pretrained import find_weights
from bottega.training.optimiser import make_optimiser

SIDE = 64


@pytest.fixture
def network() -> Finetuned:
    weights = find_weights("efficientnet_lite0")
    return finetuned(weights.name, weights.path, 3)


def stepped(network: Finetuned) -> dict[str, float]:
    """How far each tensor went in one step of AdamW at a rate of 1e-3."""
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    network.start_from(
        {
            "mean": np.zeros(network.body.n_features, np.float32),
            "scale": np.ones(network.body.n_features, np.float32),
            "weight": np.random.default_rng(0).normal(0, 0.01, (network.body.n_features, 3)).astype(np.float32),
            "bias": np.zeros(3, np.float32),
        }
    )
    start = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    network.train()
    x = torch.randn(4, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    torch.nn.functional.cross_entropy(network(x), torch.tensor([0, 1, 2, 0])).backward()
    make_optimiser("adamw", network, weight_decay=0.0, momentum=0.9).step(1e-3)
    assert before.keys() == start.keys()
    return {name: float((tensor - start[name]).abs().max()) for name, tensor in network.state_dict().items()}


def test_norms_and_the_first_stages_stay_and_the_body_is_slower(network: Finetuned) -> None:
    moved = stepped(network)
    norms = [name for name in moved if "_bn" in name]
    assert norms
    assert max(moved[name] for name in norms) == 0
    assert moved["body._conv_stem.weight"] == moved["body._blocks.4._project_conv.weight"] == 0
    assert moved["answer.weight"] == pytest.approx(1e-3, rel=0.01)
    assert moved["body._blocks.5._expand_conv.weight"] == pytest.approx(BODY_SHARE * 1e-3, rel=0.01)
    assert moved["body._conv_head.weight"] == pytest.approx(BODY_SHARE * 1e-3, rel=0.01)


def test_it_begins_with_a_layer_that_knows_nothing(network: Finetuned) -> None:
    network.eval()
    assert not network(torch.randn(2, 3, SIDE, SIDE)).any()


def test_norms_judge_a_picture_by_itself_also_in_training(network: Finetuned) -> None:
    network.train()
    x = torch.randn(3, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        torch.testing.assert_close(network.body(x)[:1], network.body(x[:1]), atol=2e-5, rtol=1e-4)
