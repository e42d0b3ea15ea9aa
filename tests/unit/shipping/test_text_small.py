"""The int8 variant of a text file: small, near the full one, and the same whatever else is in the batch."""

import numpy as np
import onnx
import pytest

from bottega.shipping.minilm import minilm_graph
from bottega.shipping.text_small import shrink_texts
from text_material import made_up_weights, run


def test_it_is_a_quarter_of_the_size_and_answers_nearly_the_same():
    full = minilm_graph(made_up_weights(10_000))
    small = shrink_texts(full)
    assert len(small) < 0.3 * len(full)
    rng = np.random.default_rng(0)
    pieces = np.where(np.arange(12) < rng.integers(2, 13, (20, 1)), rng.integers(1, 10_000, (20, 12)), 0)
    found, expected = (run(graph, pieces=pieces)[0] for graph in (small, full))
    nearness = (found * expected).sum(1) / np.linalg.norm(found, axis=1) / np.linalg.norm(expected, axis=1)
    assert nearness.min() > 0.99
    alone = run(small, pieces=pieces[3:4])[0]
    assert np.abs(alone - found[3]).max() < 1e-3
    assert {one.domain for one in onnx.load_from_string(small).opset_import} == {"", "ai.onnx.ml"}


def test_a_file_without_large_matrices_is_no_smaller():
    from bottega.data.graph import GraphBuilder

    g = GraphBuilder()
    x = g.input("x", onnx.TensorProto.FLOAT, ["N", 4])
    g.output(g.op("MatMul", x, g.constant(np.eye(4))), "y", onnx.TensorProto.FLOAT, ["N", 4])
    with pytest.raises(ValueError, match="no matrix that is large enough"):
        shrink_texts(g.model())
