"""From trained parts to ONNX graphs: the one file of shipping that may import torch and onnx."""

import contextlib
import io
import logging
import os
import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto

from bottega.data.graph import OPSETS, GraphBuilder
from bottega.data.preparation import N_PLAIN, image_input, network_input, plain
from bottega.evaluation.forms import Form
from bottega.shipping.tails import add_tail

if TYPE_CHECKING:
    from pathlib import Path

    import torch

__all__ = [
    "Backbone",
    "View",
    "classifier_graph",
    "export_network",
    "export_pretrained",
    "features_graph",
    "n_outputs",
    "plain_graph",
    "shrink",
]


@dataclass(frozen=True)
class View:
    """One way to hold a picture before the network: the middle `crop` of each side, mirrored or not."""

    crop: float = 1.0
    flip: bool = False


@dataclass(frozen=True)
class Backbone:
    """A frozen network as a graph: `x` float32 [N, 3, size, size] -> `features` float32 [N, n_features]."""

    name: str
    graph: bytes
    size: int
    n_features: int


def export_pretrained(name: str, weights_path: "Path") -> bytes:
    """Export a pretrained network with torch's exporter; batch norms are folded into the convolutions.

    Args:
        name: a key of `models.images.LITE`.
        weights_path: its published weights, already proved by their SHA-256.
    """
    import torch

    from bottega.models.images import load_efficientnet_lite

    weights = torch.load(weights_path, map_location="cpu", weights_only=True)
    network = load_efficientnet_lite(name, weights)
    return export_network(network, (3, network.size, network.size))


def export_network(network: "torch.nn.Module", shape: Sequence[int]) -> bytes:
    """Export a network in evaluation mode: `x` float32 [N, *shape] -> `features` float32 [N, D]."""
    import torch

    example = torch.zeros(2, *shape)
    with warnings.catch_warnings(), _silence():  # the exporter talks of packages that it doesn't need
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            network,
            (example,),
            dynamo=True,
            opset_version=OPSETS[""],
            input_names=["x"],
            output_names=["features"],
            dynamic_shapes=({0: torch.export.Dim("N", min=1)},),
            verbose=False,
            external_data=False,
        )
    if program is None:
        raise RuntimeError("torch's exporter gave no program")
    data: bytes = program.model_proto.SerializeToString(deterministic=True)
    return data


def n_outputs(graph: bytes) -> int:
    """Width of a network's output: the D of `features` [N, D]."""
    return int(onnx.load_from_string(graph).graph.output[0].type.tensor_type.shape.dim[1].dim_value)


def features_graph(backbone: Backbone, views: Sequence[View]) -> bytes:
    """`image` uint8 [N, H, W, 3] -> `features` float32 [N, n_features], the mean over the views."""
    g = GraphBuilder()
    features = _features(g, image_input(g), backbone, views)
    g.output(features, "features", TensorProto.FLOAT, ["N", backbone.n_features])
    return g.model()


def plain_graph() -> bytes:
    """`image` uint8 [N, H, W, 3] -> `features` float32 [N, 832]: what the simple rivals see."""
    g = GraphBuilder()
    g.output(plain(g, image_input(g)), "features", TensorProto.FLOAT, ["N", N_PLAIN])
    return g.model()


def classifier_graph(
    form: Form,
    labels: Sequence[str],
    *,
    temperature: float,
    threshold: float | None,
    backbone: Backbone | None,
    views: Sequence[View] = (),
) -> bytes:
    """The whole model: raw pictures in, `label`, `probabilities` and `sure` out.

    Args:
        form: what the chosen candidate learned.
        temperature: scores are divided by it before the softmax.
        threshold: of `sure`; None when nothing is sure.
        backbone: the network below the form; None when the form answers from plain thumbnails.
    """
    g = GraphBuilder()
    pixels = image_input(g)
    x = plain(g, pixels) if backbone is None else _features(g, pixels, backbone, views)
    scores = g.op("Div", add_tail(g, form, x), g.constant(temperature))
    probabilities = g.op("Softmax", scores, axis=1)
    best = g.op("ArgMax", probabilities, axis=1, keepdims=0)  # -> (N,)
    label = g.op("Gather", g.constant(list(labels)), best, axis=0)
    highest = g.op("ReduceMax", probabilities, g.constant([1], np.int64), keepdims=0)
    sure = g.op("GreaterOrEqual", highest, g.constant(2.0 if threshold is None else threshold))
    g.output(label, "label", TensorProto.STRING, ["N"])
    g.output(probabilities, "probabilities", TensorProto.FLOAT, ["N", len(labels)])
    g.output(sure, "sure", TensorProto.BOOL, ["N"])
    return g.model()


def shrink(graph: bytes, pictures: Sequence[npt.NDArray[np.uint8]]) -> bytes:
    """The int8 variant of a classifier: convolutions in 8 bits, everything else as it was.

    Args:
        pictures: uint8 (1, H, W, 3) each; they set the ranges of the activations.
    """
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self.rest = iter(pictures)

        def get_next(self) -> dict[str, Any] | None:
            picture = next(self.rest, None)
            return None if picture is None else {"image": picture}

    with tempfile.TemporaryDirectory() as folder, _silence():
        path = os.path.join(folder, "small.onnx")
        quantize_static(
            onnx.load_from_string(graph),
            path,
            Reader(),
            quant_format=QuantFormat.QDQ,
            # with their clips: ranges taken before a ReLU6 waste most of the 256 steps on what it cuts off,
            # and half of the answers change
            op_types_to_quantize=["Conv", "Clip"],
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
        model = onnx.load(path)
    return bytes(model.SerializeToString(deterministic=True))


def _features(g: GraphBuilder, pixels: str, backbone: Backbone, views: Sequence[View]) -> str:
    outputs = []
    for view in views:
        x = network_input(g, pixels, backbone.size, crop=view.crop, flip=view.flip)
        outputs += g.include(backbone.graph, {"x": x})
    if len(outputs) == 1:
        return outputs[0]
    return g.op("Mean", *outputs)


@contextlib.contextmanager
def _silence():  # type: ignore[no-untyped-def]
    """Keep the exporter's remarks off the user's screen."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir", "torch.export")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
