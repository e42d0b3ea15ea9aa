"""Networks written as graphs: every layer against torch, folded norms, and a batch of any size."""

from collections import Counter

import numpy as np
import numpy.typing as npt
import onnx
import pytest
import torch
from onnx import TensorProto
from onnxruntime import InferenceSession
from torch import nn

from bottega.data.graph import GraphBuilder
from bottega.evaluation.forms import Graph, form_bytes
from bottega.models.networks import build
from bottega.models.plans import STANDARD, lite_plan, standard
from bottega.problem.layers import ACTIVATIONS, KINDS, Layer
from bottega.problem.network import Network
from bottega.shipping.network import network_graph
from bottega.shipping.tails import add_tail

Floats = npt.NDArray[np.float32]
PICTURE = (3, 11, 8)  # odd and unequal sides find a wrong padding
POOL = Layer("global_pool")

PLANS = {
    "conv": [Layer("conv", {"channels": 4}), POOL],
    "conv with stride": [Layer("conv", {"channels": 4, "kernel": 5, "stride": 3}), Layer("flatten")],
    "conv valid, groups": [
        Layer("conv", {"channels": 6, "kernel": 2, "padding": "valid", "groups": 3}),
        Layer("batch_norm"),
        Layer("flatten"),
    ],
    "depthwise_conv": [Layer("depthwise_conv", {"stride": 2}), Layer("flatten")],
    "norms": [Layer("batch_norm"), Layer("conv", {"channels": 4}), Layer("batch_norm"), Layer("batch_norm"), POOL],
    "norm after an activation": [Layer("conv", {"channels": 4}), Layer("relu"), Layer("batch_norm"), Layer("flatten")],
    "max_pool": [Layer("max_pool"), Layer("max_pool", {"kernel": 3, "stride": 2, "padding": "same"}), Layer("flatten")],
    "avg_pool": [Layer("avg_pool", {"kernel": 3, "stride": 2, "padding": "same"}), Layer("flatten")],
    "avg_pool valid": [Layer("avg_pool", {"kernel": 2, "stride": 3}), Layer("flatten")],
    "global_pool by max": [Layer("global_pool", {"by": "max"})],
    "flatten, dense, dropout": [
        Layer("flatten"),
        Layer("dense", {"units": 7}),
        Layer("batch_norm"),
        Layer("relu"),
        Layer("dropout", {"rate": 0.5}),
        Layer("dense", {"units": 5}),
    ],
    "residual": [Layer("residual", {}, (Layer("conv", {"channels": 3}), Layer("batch_norm"))), POOL],
    "residual that is projected": [
        Layer("residual", {}, (Layer("conv", {"channels": 5, "stride": 2}), Layer("relu"))),
        Layer("residual", {}, (Layer("max_pool", {"kernel": 3, "stride": 3, "padding": "same"}),)),
        Layer("flatten"),
        Layer("residual", {}, (Layer("dense", {"units": 6}), Layer("batch_norm"))),
    ],
    "residual in a residual": [
        Layer("residual", {}, (Layer("residual", {}, (Layer("conv", {"channels": 4}),)), Layer("relu"))),
        POOL,
    ],
    **{kind: [Layer("conv", {"channels": 4}), Layer(kind), Layer("flatten")] for kind in ACTIVATIONS},
}


def lived_in(network: nn.Module, generator: torch.Generator) -> nn.Module:
    """Norms and biases as after a training: fresh ones do nothing, and would hide a mistake."""
    for name, tensor in [*network.named_parameters(), *network.named_buffers()]:
        if tensor.is_floating_point() and tensor.ndim == 1:
            with torch.no_grad():
                low, high = (0.5, 2.0) if name.endswith("running_var") else (-1.0, 1.0)
                tensor.uniform_(low, high, generator=generator)
    return network.eval()


def both(plan: Network, *, n: int = 5) -> tuple[Floats, Floats, bytes]:
    """What torch and the graph answer to the same inputs."""
    generator = torch.Generator().manual_seed(3)
    network = lived_in(build(plan, 4, generator), generator)
    x = torch.randint(0, 256, (n, *plan.input), generator=generator).float()
    mean, scale = np.linspace(100, 140, plan.input[0]), np.linspace(50, 60, plan.input[0])
    shape = (-1, *[1] * (len(plan.input) - 1))
    prepared = (x - torch.tensor(mean).reshape(shape)) / torch.tensor(scale).reshape(shape)
    with torch.no_grad():
        expected = network(prepared.float()).numpy()
    arrays = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
    graph = network_graph(plan, arrays, mean, scale)
    session = InferenceSession(graph, providers=["CPUExecutionProvider"])
    found: Floats = session.run(["logits"], {"x": x.numpy()})[0]
    alone = session.run(["logits"], {"x": x[:1].numpy()})[0]
    np.testing.assert_allclose(alone, found[:1], atol=1e-5, rtol=1e-5)
    return found, expected, graph


@pytest.mark.parametrize("layers", PLANS.values(), ids=PLANS.keys())
def test_every_layer_is_what_torch_computes(layers: list[Layer]) -> None:
    found, expected, _ = both(Network("one", PICTURE, tuple(layers)))
    assert np.std(expected) > 1e-3
    np.testing.assert_allclose(found, expected, atol=1e-5, rtol=1e-5)


def test_no_kind_is_forgotten() -> None:
    def kinds(layers: list[Layer]) -> set[str]:
        return {layer.kind for layer in layers}.union(*(kinds(list(layer.layers)) for layer in layers))

    assert set(KINDS) == set().union(*(kinds(layers) for layers in PLANS.values()))


@pytest.mark.parametrize("kind", STANDARD)
def test_whole_networks(kind: str) -> None:
    found, expected, graph = both(standard(kind, (1, 28, 28), width=0.25))
    np.testing.assert_allclose(found, expected, atol=1e-4, rtol=1e-5)
    written = Counter(node.op_type for node in onnx.load_from_string(graph).graph.node)
    assert not {"BatchNormalization", "Mul", "Dropout"} & written.keys()  # folded, and gone


def test_a_table() -> None:
    found, expected, _ = both(standard("mlp", (30,), width=0.125))
    np.testing.assert_allclose(found, expected, atol=1e-5, rtol=1e-5)


def test_efficientnet_from_its_plan() -> None:
    found, expected, _ = both(lite_plan("efficientnet_lite0", 32), n=2)
    np.testing.assert_allclose(found, expected, atol=1e-4, rtol=1e-4)


def test_the_same_arrays_give_the_same_bytes_and_a_missing_one_is_noticed() -> None:
    plan = standard("cnn", (1, 8, 8), width=0.125)
    arrays = {name: t.numpy() for name, t in build(plan, 3, torch.Generator().manual_seed(0)).state_dict().items()}
    assert network_graph(plan, arrays, 0.0, 1.0) == network_graph(plan, dict(reversed(arrays.items())), 0.0, 1.0)
    del arrays["batch_norm2.running_var"]
    with pytest.raises(KeyError, match="batch_norm2.running_var"):
        network_graph(plan, arrays, 0.0, 1.0)


def test_as_the_tail_of_a_model() -> None:
    plan = standard("cnn", (1, 8, 8), width=0.125)
    arrays = {name: t.numpy() for name, t in build(plan, 3, torch.Generator().manual_seed(0)).state_dict().items()}
    form = Graph(network_graph(plan, arrays, 127.0, 64.0))
    assert form_bytes(form) == len(form.data)
    g = GraphBuilder()
    x = g.input("x", TensorProto.FLOAT, ["N", *plan.input])
    g.output(add_tail(g, form, x), "logits", TensorProto.FLOAT, ["N", 3])
    inputs = {"x": np.random.default_rng(0).integers(0, 256, (4, 1, 8, 8)).astype(np.float32)}
    whole, alone = (InferenceSession(model, providers=["CPUExecutionProvider"]) for model in (g.model(), form.data))
    np.testing.assert_array_equal(whole.run(None, inputs)[0], alone.run(None, inputs)[0])
