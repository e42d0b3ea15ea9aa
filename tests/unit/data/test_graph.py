"""The builder of graphs: what it closes is valid, the same every time, and takes other models in unharmed."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from onnxruntime import InferenceSession

from bottega.data.graph import IR_VERSION, OPSETS, GraphBuilder


def doubled() -> bytes:
    g = GraphBuilder()
    x = g.input("x", TensorProto.FLOAT, ["N", 2])
    g.output(g.op("Mul", x, g.constant(2.0)), "y", TensorProto.FLOAT, ["N", 2])
    return g.model()


def run(model: bytes, **inputs: np.ndarray) -> list[np.ndarray]:
    return InferenceSession(model, providers=["CPUExecutionProvider"]).run(None, inputs)


def test_the_same_calls_give_the_same_bytes() -> None:
    assert doubled() == doubled()
    model = onnx.load_from_string(doubled())
    assert {opset.domain: opset.version for opset in model.opset_import} == OPSETS
    assert model.ir_version == IR_VERSION


def test_constants_keep_their_kind() -> None:
    g = GraphBuilder()
    at = g.input("at", TensorProto.INT64, ["N"])
    g.output(g.op("Gather", g.constant(["räd", "\u200f", ""]), at), "label", TensorProto.STRING, ["N"])
    g.output(g.op("Gather", g.constant([2**53 + 1], np.int64), at), "number", TensorProto.INT64, ["N"])
    labels, numbers = run(g.model(), at=np.array([0], np.int64))
    assert labels.tolist() == ["räd"]
    assert numbers.tolist() == [2**53 + 1]  # never by way of a float


def test_included_twice_under_other_names() -> None:
    g = GraphBuilder()
    x = g.input("x", TensorProto.FLOAT, ["N", 2])
    (once,) = g.include(doubled(), {"x": x})
    (twice,) = g.include(doubled(), {"x": once})
    g.output(twice, "y", TensorProto.FLOAT, ["N", 2])
    model = g.model()
    assert run(model, x=np.array([[1, -3]], np.float32))[0].tolist() == [[4, -12]]
    assert b"doc_string" not in model


def test_another_opset_is_refused() -> None:
    other = onnx.load_from_string(doubled())
    del other.opset_import[:]
    other.opset_import.append(helper.make_opsetid("", 13))
    with pytest.raises(ValueError, match="opset '' 13 is not 20"):
        GraphBuilder().include(other.SerializeToString(), {"x": "x"})


def test_a_graph_that_means_nothing_is_not_closed() -> None:
    g = GraphBuilder()
    g.output(g.op("Mul", "nowhere", g.constant(2.0)), "y", TensorProto.FLOAT, ["N"])
    with pytest.raises(onnx.checker.ValidationError, match="nowhere"):
        g.model()
