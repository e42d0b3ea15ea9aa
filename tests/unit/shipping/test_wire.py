"""What the wire reader finds, and what it refuses."""

from collections.abc import Callable

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from artefacts.make_v1 import graph
from bottega.errors import BottegaError
from bottega.shipping import wire


@pytest.fixture(scope="module")
def model() -> bytes:
    return graph()


def changed(model: bytes, change: Callable[[onnx.ModelProto], object]) -> bytes:
    proto = onnx.load_from_string(model)
    change(proto)
    return proto.SerializeToString()


def external(tensor: TensorProto) -> TensorProto:
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")
    return tensor


def weights(name: str = "secret") -> TensorProto:
    return numpy_helper.from_array(np.zeros(3, np.float32), name)


def branch(*nodes: onnx.NodeProto) -> onnx.GraphProto:
    return helper.make_graph(list(nodes), "branch", [], [])


def test_what_a_model_says_about_itself(model: bytes) -> None:
    info = wire.scan(model)
    proto = onnx.load_from_string(model)
    assert info.ir_version == proto.ir_version
    assert info.opsets == {"": 20, "ai.onnx.ml": 3}
    assert info.inputs == (wire.TensorInfo("image", TensorProto.UINT8, ("N", "H", "W", 3)),)
    assert [output.name for output in info.outputs] == ["label", "probabilities", "sure"]
    assert info.n_nodes == len(proto.graph.node)
    assert info.metadata == {}


def test_metadata_are_read_back_by_onnx(model: bytes) -> None:
    entries = {"b": "räd \u200f \n", "a": "x" * 300}
    data = wire.with_metadata(model, entries)
    assert {p.key: p.value for p in onnx.load_from_string(data).metadata_props} == entries
    assert wire.scan(data).metadata == entries
    assert wire.without_metadata(data) == model
    assert wire.graph_sha256(data) == wire.graph_sha256(model)


def test_a_hash_survives_being_written_again_by_onnx(model: bytes) -> None:
    again = onnx.load_from_string(wire.with_metadata(model, {"a": "b"})).SerializeToString(deterministic=True)
    assert wire.graph_sha256(again) == wire.graph_sha256(model)


def test_a_key_that_is_there_already(model: bytes) -> None:
    with pytest.raises(BottegaError, match="'a' is in the model already"):
        wire.with_metadata(wire.with_metadata(model, {"a": "1"}), {"a": "2"})


def test_a_text_without_utf_8(model: bytes) -> None:
    with pytest.raises(BottegaError, match="without a UTF-8 form under 'a'"):
        wire.with_metadata(model, {"a": "\ud800"})


PLACES: dict[str, Callable[[onnx.ModelProto], object]] = {
    "initialiser": lambda m: m.graph.initializer.append(external(weights())),
    "tensor attribute": lambda m: m.graph.node.append(
        helper.make_node("Constant", [], ["x"], value=external(weights()))
    ),
    "tensors attribute": lambda m: m.graph.node[0].attribute.append(
        onnx.AttributeProto(name="t", type=onnx.AttributeProto.TENSORS, tensors=[external(weights())])
    ),
    "sparse initialiser": lambda m: m.graph.sparse_initializer.append(
        onnx.SparseTensorProto(values=external(weights()), indices=weights(), dims=[3])
    ),
    "sparse attribute": lambda m: m.graph.node[0].attribute.append(
        onnx.AttributeProto(
            name="s",
            type=onnx.AttributeProto.SPARSE_TENSOR,
            sparse_tensor=onnx.SparseTensorProto(values=weights(), indices=external(weights("indices")), dims=[3]),
        )
    ),
    "subgraph": lambda m: m.graph.node[0].attribute.append(
        helper.make_attribute("then_branch", branch(helper.make_node("Constant", [], ["x"], value=external(weights()))))
    ),
    "function": lambda m: m.functions.append(
        helper.make_function(
            "", "f", [], ["x"], [helper.make_node("Constant", [], ["x"], value=external(weights()))], []
        )
    ),
    "location alone": lambda m: setattr(m.graph.initializer[0], "data_location", TensorProto.EXTERNAL),
    "path alone": lambda m: m.graph.initializer[0].external_data.add(key="location", value="../x"),
}


@pytest.mark.parametrize("place", PLACES)
def test_external_data_anywhere(model: bytes, place: str) -> None:
    with pytest.raises(BottegaError, match="points to data outside of the file"):
        wire.scan(changed(model, PLACES[place]))


OPERATORS: dict[str, tuple[Callable[[onnx.ModelProto], object], str]] = {
    "opset": (lambda m: m.opset_import.append(helper.make_opsetid("evil", 1)), "domain 'evil'"),
    "node": (
        lambda m: m.graph.node.append(helper.make_node("Run", [], [], domain="evil")),
        "'Run' of the domain 'evil'",
    ),
    "node in a subgraph": (
        lambda m: m.graph.node[0].attribute.append(
            helper.make_attribute("body", branch(helper.make_node("Run", [], [], domain="evil")))
        ),
        "'Run' of the domain 'evil'",
    ),
    "function": (lambda m: m.functions.append(helper.make_function("evil", "f", [], [], [], [])), "domain 'evil'"),
    "node in a function": (
        lambda m: m.functions.append(
            helper.make_function("", "f", [], [], [helper.make_node("Run", [], [], domain="evil")], [])
        ),
        "'Run' of the domain 'evil'",
    ),
    "graphics card only": (
        lambda m: m.graph.node.append(helper.make_node("EPContext", [], [], domain="com.microsoft")),
        "'EPContext' of the domain 'com.microsoft'",
    ),
}


@pytest.mark.parametrize("place", OPERATORS)
def test_operators_that_are_not_stock(model: bytes, place: str) -> None:
    change, found = OPERATORS[place]
    with pytest.raises(BottegaError, match=found):
        wire.scan(changed(model, change))


def test_stock_operators_of_microsoft_pass(model: bytes) -> None:
    node = helper.make_node("Tokenizer", ["x"], ["y"], domain="com.microsoft")
    assert wire.scan(changed(model, lambda m: m.graph.node.append(node))).n_nodes == wire.scan(model).n_nodes + 1


def test_two_domains_in_one_node(model: bytes) -> None:
    """The last one counts in protobuf; a reader that looks at the first would be fooled."""
    node = b"\x22\x03Run" + b"\x3a\x00" + b"\x3a\x04evil"
    graph_record = b"\x0a" + bytes([len(node)]) + node
    with pytest.raises(BottegaError, match="a node without one operator"):
        wire.scan(b"\x08\x09" + b"\x42\x02\x10\x14" + b"\x3a" + bytes([len(graph_record)]) + graph_record)


def test_a_second_graph(model: bytes) -> None:
    with pytest.raises(BottegaError, match="2 graphs"):
        wire.scan(model + b"\x3a\x00")


def test_training_information(model: bytes) -> None:
    with pytest.raises(BottegaError, match="a training graph"):
        wire.scan(changed(model, lambda m: m.training_info.add()))


def test_nesting(model: bytes) -> None:
    inner = branch()
    for _ in range(20):
        node = helper.make_node("If", ["c"], [])
        node.attribute.append(helper.make_attribute("then_branch", inner))
        inner = branch(node)
    with pytest.raises(BottegaError, match="nested more than 16 deep"):
        wire.scan(changed(model, lambda m: m.graph.node.extend(inner.node)))


def test_too_many_records(model: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "MAX_RECORDS", 100)
    with pytest.raises(BottegaError, match="more than 100 records"):
        wire.scan(model + b"\x30\x00" * 100)


def test_too_large(model: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "MAX_FILE_BYTES", len(model) - 1)
    with pytest.raises(BottegaError, match=f"{len(model):,} bytes"):
        wire.scan(model)


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"", "an empty file"),
        (b"PK\x03\x04rest", "a zip archive"),
        ("größe;farbe\n1;rot\n".encode(), "a text or a table: MODEL comes before the data"),
        (b"\x80\x04\x95rest", "a Python pickle"),
        (b"\x08\x00\x00\x00ORTM", r"\(\.ort\)"),
        (b"\xff\xd8\xff\xe0", "a JPEG picture"),
        (b"\x0b\x0c", "wire type 3"),
        (b"\x00\x00", "field number 0"),
        (b"\x88\x00\x01", "a padded field number"),
        (b"\x08" + b"\xff" * 11, "more than ten bytes"),
        (b"\x08\xff", "break off"),
        (b"\x3a\x7f\x00", "127 announced, 1 there"),
        (b"\x08\x09", "0 graphs"),
        (b"\x3a\x05\x12\x03abc\x42\x02\x0a\xff", "break off|UTF-8"),
    ],
)
def test_malformed(data: bytes, found: str) -> None:
    with pytest.raises(BottegaError, match=found):
        wire.scan(data)


def test_long_lists_are_skipped_whole(model: bytes) -> None:
    """A run of list items ends exactly where the next field begins, whatever the numbers look like."""
    numbers = [0, 1, -1, 127, 128, 0x4040, 2**62, -(2**62)] * 50
    floats = [0.0, -1.5, 3e38] * 50
    strings = ["LEAF", "BRANCH_LEQ", "", "\x0a\x04", "x" * 200] * 50
    evil = external(weights())
    for values in (numbers, floats, strings):
        node = helper.make_node("TreeEnsembleRegressor", [], [], domain="ai.onnx.ml", values=values)
        assert wire.scan(changed(model, lambda m, node=node: m.graph.node.append(node))).n_nodes
        node.attribute[0].t.CopyFrom(evil)  # field 5, written before the list
        node.attribute[0].tensors.append(evil)  # field 10, written behind it
        node.attribute[0].ClearField("t")
        with pytest.raises(BottegaError, match="points to data outside"):
            wire.scan(changed(model, lambda m, node=node: m.graph.node.append(node)))
