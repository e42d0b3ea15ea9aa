"""A small builder of ONNX graphs: names are made here, shapes are said by whoever calls."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

__all__ = ["IR_VERSION", "OPSETS", "GraphBuilder"]

# ONNX Runtime has read opset 20 since 1.17; ir_version 9 is what such runtimes accept.
OPSETS = {"": 20, "ai.onnx.ml": 3}
IR_VERSION = 9


class GraphBuilder:
    """Collects nodes and constants, and closes them into one model.

    Example:
        >>> g = GraphBuilder()
        >>> x = g.input("x", TensorProto.FLOAT, ["N", 2])
        >>> g.output(g.op("Mul", x, g.constant([2.0, 3.0])), "y", TensorProto.FLOAT, ["N", 2])
        >>> [node.op_type for node in onnx.load_from_string(g.model()).graph.node]
        ['Mul', 'Identity']
    """

    opsets: Mapping[str, int] = OPSETS  # of its models, by domain

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[TensorProto] = []
        self._inputs: list[onnx.ValueInfoProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []
        self._n_names = 0

    def input(self, name: str, dtype: int, shape: Sequence[int | str]) -> str:
        """Declare a graph input and return its name."""
        self._inputs.append(helper.make_tensor_value_info(name, dtype, shape))
        return name

    def output(self, value: str, name: str, dtype: int, shape: Sequence[int | str]) -> None:
        """Declare that `value` leaves the graph as `name`."""
        self._nodes.append(helper.make_node("Identity", [value], [name]))
        self._outputs.append(helper.make_tensor_value_info(name, dtype, shape))

    def constant(self, value: npt.ArrayLike, dtype: npt.DTypeLike = np.float32) -> str:
        """Add a constant and return its name; strings are kept as strings."""
        name = self._name("c")
        array = np.asarray(value)
        if array.dtype.kind in "UO":
            texts: list[Any] = [str(item).encode() for item in array.ravel()]
            tensor = helper.make_tensor(name, TensorProto.STRING, array.shape, texts)
        else:
            tensor = numpy_helper.from_array(np.ascontiguousarray(array, dtype=dtype), name)
        self._constants.append(tensor)
        return name

    def op(self, kind: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """Add a node with one output and return the output's name."""
        return self.ops(kind, *inputs, n_outputs=1, domain=domain, **attributes)[0]

    def ops(self, kind: str, *inputs: str, n_outputs: int, domain: str = "", **attributes: Any) -> list[str]:
        """Add a node with several outputs and return their names."""
        outputs = [self._name(kind.lower()) for _ in range(n_outputs)]
        self._nodes.append(helper.make_node(kind, inputs, outputs, domain=domain, **attributes))
        return outputs

    def include(self, model: bytes, inputs: Mapping[str, str]) -> list[str]:
        """Put another model's nodes in here and return the names of its outputs.

        Args:
            model: a serialised model of the same opsets.
            inputs: what each of its inputs is fed with: its name -> a name in here.
        Raises:
            ValueError: the other model uses another opset.
        """
        other = onnx.load_from_string(model)
        for opset in other.opset_import:
            if self.opsets.get(opset.domain) != opset.version:
                raise ValueError(f"opset {opset.domain!r} {opset.version} is not {self.opsets.get(opset.domain)}")
        renamed = dict(inputs)
        for tensor in other.graph.initializer:
            renamed[tensor.name] = self._name("c")
            tensor.name = renamed[tensor.name]
            self._constants.append(tensor)
        for node in other.graph.node:
            for output in node.output:
                renamed[output] = self._name("v")
            node.input[:] = [renamed[name] if name else "" for name in node.input]
            node.output[:] = [renamed[name] for name in node.output]
            node.ClearField("name")
            node.ClearField("doc_string")
            node.ClearField("metadata_props")
            self._nodes.append(node)
        return [renamed[output.name] for output in other.graph.output]

    def model(self, *, name: str = "bottega") -> bytes:
        """Close the graph: checked, serialised, and the same bytes for the same calls."""
        graph = helper.make_graph(self._nodes, name, self._inputs, self._outputs, self._constants)
        opsets = [helper.make_opsetid(domain, version) for domain, version in self.opsets.items()]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="bottega")
        onnx.checker.check_model(model)
        return bytes(model.SerializeToString(deterministic=True))

    def _name(self, stem: str) -> str:
        self._n_names += 1
        return f"{stem}_{self._n_names}"
