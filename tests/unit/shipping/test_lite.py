"""EfficientNet-Lite written as a graph, against the network in torch on real photos."""

from collections import Counter

import numpy as np
import numpy.typing as npt
import onnx
import pytest
import torch
from onnxruntime import InferenceSession
from PIL import Image
from sklearn.datasets import load_sample_images

from bottega.models.finetune import finetuned
from bottega.models.pretrained import find_weights
from bottega.shipping.export import export_pretrained
from bottega.shipping.lite import lite_graph
from bottega.workflow.features import engine
from bottega.workflow.finetune import FineTuned
from lite_reference import LITE, load_efficientnet_lite


def photos(size: int) -> npt.NDArray[np.float32]:
    """Two photos, one of them upside down as well, and one picture without anything: (4, 3, size, size)."""
    loaded = [np.array(Image.fromarray(photo).resize((size, size))) for photo in load_sample_images().images]
    pixels = np.stack([*loaded, loaded[0][::-1], np.full((size, size, 3), 127)])
    return ((pixels - np.float32(127)) / np.float32(128)).astype(np.float32).transpose(0, 3, 1, 2)


@pytest.mark.parametrize("name", ["efficientnet_lite0", "efficientnet_lite2"])
def test_equal_to_the_network(name: str) -> None:
    path = find_weights(name).path
    network = load_efficientnet_lite(name, torch.load(path, map_location="cpu", weights_only=True))
    x = photos(network.size)
    with torch.no_grad():
        expected = network(torch.from_numpy(x)).numpy()
    session = InferenceSession(export_pretrained(name, path), providers=["CPUExecutionProvider"])
    found = session.run(["features"], {"x": x})[0]
    assert found.shape == (4, network.n_features)
    np.testing.assert_allclose(found, expected, atol=2e-5, rtol=1e-5)
    alone = session.run(["features"], {"x": x[1:2]})[0]
    np.testing.assert_allclose(alone, found[1:2], atol=2e-5, rtol=1e-5)


def test_norms_are_folded_and_bytes_are_the_same_again() -> None:
    path = find_weights("efficientnet_lite0").path
    graph = export_pretrained("efficientnet_lite0", path)
    assert graph == export_pretrained("efficientnet_lite0", path)
    kinds = Counter(node.op_type for node in onnx.load_from_string(graph).graph.node)
    assert kinds["Conv"] == 49
    assert "BatchNormalization" not in kinds
    assert "Pad" not in kinds


def test_a_fine_tuned_network_answers_by_the_first_view() -> None:
    weights = find_weights("efficientnet_lite0")
    network = finetuned(weights.name, weights.path, 5)
    rng = np.random.default_rng(0)
    n = network.n_features
    drawn = {"mean": rng.normal(0, 1, n), "scale": rng.uniform(1, 2, n), "weight": rng.normal(0, 1, (n, 5))}
    network.start_from({name: value.astype(np.float32) for name, value in {**drawn, "bias": np.arange(5)}.items()})
    architecture = FineTuned((3, 96, 96), weights, epochs=1, n_views=2)
    lower = engine(architecture.kept.graph(), threads=1).run(["states"], {"x": photos(96)})[0]
    with torch.no_grad():
        expected = network.eval()(torch.from_numpy(lower)).numpy()
    arrays = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
    graph = architecture.graph(network, arrays, *(np.zeros((3, 1, 1)),) * 2)
    session = InferenceSession(graph, providers=["CPUExecutionProvider"])
    for views in (lower[:, None], np.stack([lower, np.zeros_like(lower)], 1)):
        np.testing.assert_allclose(session.run(["logits"], {"x": views})[0], expected, atol=1e-3, rtol=1e-4)


def test_weights_of_another_network_are_noticed() -> None:
    weights = torch.load(find_weights("efficientnet_lite0").path, map_location="cpu", weights_only=True)
    with pytest.raises(KeyError, match="_blocks"):
        lite_graph("efficientnet_lite2", {key: value.numpy() for key, value in weights.items()})
    assert LITE["efficientnet_lite2"].size == 260
