"""From trained parts to ONNX graphs: the one file of shipping that may import torch and onnx."""

import contextlib
import io
import logging
import os
import tempfile
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper

from bottega.data.graph import OPSETS, GraphBuilder
from bottega.data.picture_view import View
from bottega.data.preparation import image_input, network_input, plain, small_picture
from bottega.evaluation.forms import Form
from bottega.shipping.lite import lite_graph, lower_graph
from bottega.shipping.tails import add_tail

if TYPE_CHECKING:
    from pathlib import Path

    import torch

__all__ = [
    "Backbone",
    "Prepare",
    "classifier_graph",
    "export_lower",
    "export_network",
    "export_pretrained",
    "export_scaled",
    "features_input",
    "n_outputs",
    "pixels_input",
    "plain_input",
    "shrink",
    "states_input",
    "vectors_graph",
]


Prepare = Callable[[GraphBuilder], str]
"""Declares the graph's inputs, adds what comes before the fitted part, and names its result."""


@dataclass(frozen=True)
class Backbone:
    """A frozen network as a graph: `x` float32 [N, 3, size, size] -> `features` float32 [N, n_features]."""

    name: str
    graph: bytes
    size: int
    n_features: int


def export_pretrained(name: str, weights_path: "Path") -> bytes:
    """Write a pretrained network as a graph; batch norms are folded into the convolutions.

    Args:
        name: a key of `models.lite.LITE`.
        weights_path: its published weights, already proved by their SHA-256.
    """
    import torch

    weights = torch.load(weights_path, map_location="cpu", weights_only=True)
    return lite_graph(name, {key: value.numpy() for key, value in weights.items()})


def export_lower(name: str, weights_path: "Path", side: int) -> bytes:
    """The blocks of a pretrained network that stay when it learns on: `x` [N, 3, side, side] -> `states` [N, C, H, W].

    Args:
        name: a key of `models.lite.LITE`.
        weights_path: its published weights, already proved by their SHA-256.
    """
    import torch

    weights = torch.load(weights_path, map_location="cpu", weights_only=True)
    return lower_graph(name, {key: value.numpy() for key, value in weights.items()}, side)


def export_network(network: "torch.nn.Module", shape: Sequence[int]) -> bytes:
    """Export a network of the user's own, in evaluation mode, with torch's exporter.

    Args:
        shape: of one example.
    Returns:
        `x` float32 [N, *shape] -> `features` float32 [N, D].
    """
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


def export_scaled(
    network: "torch.nn.Module", shape: Sequence[int], mean: npt.NDArray[Any], scale: npt.NDArray[Any]
) -> bytes:
    """A network of the user's own behind its scaling: `x` float32 [N, *shape] -> `logits` [N, n_classes]."""
    g = GraphBuilder()
    x = g.input("x", TensorProto.FLOAT, ["N", *shape])
    scaled = g.op("Div", g.op("Sub", x, g.constant(mean)), g.constant(scale))
    graph = export_network(network, shape)
    g.output(g.include(graph, {"x": scaled})[0], "logits", TensorProto.FLOAT, ["N", n_outputs(graph)])
    return g.model()


def n_outputs(graph: bytes) -> int:
    """Width of a network's output: the D of `features` [N, D]."""
    return int(onnx.load_from_string(graph).graph.output[0].type.tensor_type.shape.dim[1].dim_value)


def plain_input(g: GraphBuilder) -> str:
    """What the simple rivals see: float32 [N, 832]."""
    return plain(g, image_input(g))


def features_input(backbone: Backbone, views: Sequence[View]) -> Prepare:
    """What a head on a frozen network sees: float32 [N, n_features], the mean over the views."""
    return lambda g: _features(g, image_input(g), backbone, views)


def pixels_input(side: int, n_channels: int) -> Prepare:
    """What a network of one's own sees: float32 [N, n_channels, side, side], whole numbers 0 … 255."""
    return lambda g: small_picture(g, image_input(g), side, n_channels)


def states_input(lower: bytes, side: int, views: Sequence[View]) -> Prepare:
    """What the upper blocks of a network see that learns on: float32 [N, V, C, H, W], one of each view.

    The numbers are rounded to half precision, in which training keeps them.

    Args:
        lower: the blocks that stay, `x` float32 [N, 3, side, side] -> `states` [N, C, H, W].
    """
    return lambda g: _states(g, image_input(g), lower, side, views)


def vectors_graph(prepare: Prepare, shape: Sequence[int], *, dtype: npt.DTypeLike = np.float32) -> bytes:
    """The preparation alone: `image` uint8 [N, H, W, 3] -> `features` [N, *shape] of `dtype`."""
    g = GraphBuilder()
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    x = prepare(g)
    g.output(x if kind == TensorProto.FLOAT else g.op("Cast", x, to=kind), "features", kind, ["N", *shape])
    return g.model()


def classifier_graph(
    form: Form,
    labels: Sequence[str],
    *,
    temperature: float,
    threshold: float | None,
    prepare: Prepare,
) -> bytes:
    """The whole model: raw examples in, `label`, `probabilities` and `sure` out.

    Args:
        form: what the chosen candidate learned.
        temperature: scores are divided by it before the softmax.
        threshold: of `sure`; None when nothing is sure.
        prepare: declares the inputs and adds what stands between them and the form.
    """
    g = GraphBuilder()
    x = prepare(g)
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
        x = network_input(g, pixels, backbone.size, view)
        outputs += g.include(backbone.graph, {"x": x})
    if len(outputs) == 1:
        return outputs[0]
    return g.op("Mean", *outputs)


def _states(g: GraphBuilder, pixels: str, lower: bytes, side: int, views: Sequence[View]) -> str:
    axis = g.constant([1], np.int64)
    states = []
    for view in views:
        x = network_input(g, pixels, side, view)
        states.append(g.op("Unsqueeze", g.include(lower, {"x": x})[0], axis))
    joined = g.op("Concat", *states, axis=1)
    return g.op("Cast", g.op("Cast", joined, to=TensorProto.FLOAT16), to=TensorProto.FLOAT)


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
