"""The int8 variant of a text file: products and embeddings of the sentence network in 8 bits, the rest as it was."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

__all__ = ["shrink_texts"]

LEAST = 100_000  # numbers of a matrix that is worth it
EMBEDDED = 10_000  # rows of a table that is looked up: word pieces
# Seven bits: two products of such a weight and a byte stay within 16 bits, so processors without a unit for bytes,
# whose sums are cut off there, answer as the others do (ONNX Runtime's page on quantization, `reduce_range`).
LARGEST = 63
MIDDLE, SPREAD = 128, 127  # of a byte that is 0, and of the largest number
Floats = npt.NDArray[np.float32]


def shrink_texts(graph: bytes) -> bytes:
    """Write large matrices as 8-bit numbers with a scale for each column, tables with one for each row.

    What a matrix is multiplied by is rounded with a scale for each word piece: nothing is calibrated, and an answer
    doesn't depend on the other texts of a batch. The operators are stock ones.

    Raises:
        ValueError: there is no such matrix.
    """
    model = onnx.load_from_string(graph)
    large = {one.name: one for one in model.graph.initializer if _is_large(one)}
    writer = _Writer()
    for node in model.graph.node:
        if node.op_type == "MatMul" and node.input[1] in large:
            writer.product(node, numpy_helper.to_array(large[node.input[1]]))
        elif node.op_type == "Gather" and node.input[0] in large and large[node.input[0]].dims[0] >= EMBEDDED:
            writer.lookup(node, numpy_helper.to_array(large[node.input[0]]))
        else:
            writer.nodes.append(node)
    if not writer.constants:
        raise ValueError("the file has no matrix that is large enough")
    used = {name for node in writer.nodes for name in node.input}
    kept = [one for one in model.graph.initializer if one.name in used]
    inside = helper.make_graph(
        writer.nodes, model.graph.name, list(model.graph.input), list(model.graph.output), [*kept, *writer.constants]
    )
    opsets = list(model.opset_import)
    small = helper.make_model(
        inside, opset_imports=opsets, ir_version=model.ir_version, producer_name=model.producer_name
    )
    onnx.checker.check_model(small)
    return bytes(small.SerializeToString(deterministic=True))


class _Writer:
    """Nodes in their order, some of them replaced by several."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[TensorProto] = []
        self._n = 0

    def product(self, node: onnx.NodeProto, weight: Floats) -> None:
        """Of rows (..., K) and a matrix (K, M)."""
        numbers, scale = _rounded(weight, axis=0)
        x = node.input[0]
        largest = self._op("ReduceMax", self._op("Abs", x), self._constant(np.array([-1], np.int64)), keepdims=1)
        step = self._op("Mul", self._op("Max", largest, self._number(1e-12)), self._number(1 / SPREAD))
        whole = self._op("Add", self._op("Round", self._op("Div", x, step)), self._number(MIDDLE))
        x = self._op("Cast", whole, to=TensorProto.UINT8)
        zero = self._constant(np.array(MIDDLE, np.uint8))
        total = self._op("Cast", self._op("MatMulInteger", x, self._constant(numbers), zero), to=TensorProto.FLOAT)
        # one scale after the other: of their product ONNX Runtime 1.31 takes the first row for all of them
        by_column = self._op("Mul", total, self._constant(scale))
        self.nodes.append(helper.make_node("Mul", [by_column, step], list(node.output)))

    def lookup(self, node: onnx.NodeProto, table: Floats) -> None:
        """Of rows of a table (K, M)."""
        numbers, scale = _rounded(table, axis=1)
        found = self._op("Cast", self._op("Gather", self._constant(numbers), node.input[1]), to=TensorProto.FLOAT)
        step = self._op("Gather", self._constant(scale), node.input[1])
        self.nodes.append(helper.make_node("Mul", [found, step], list(node.output)))

    def _op(self, kind: str, *inputs: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(kind, inputs, [self._name()], **attributes))
        return str(self.nodes[-1].output[0])

    def _constant(self, value: npt.NDArray[Any]) -> str:
        self.constants.append(numpy_helper.from_array(value, self._name()))
        return str(self.constants[-1].name)

    def _number(self, value: float) -> str:
        return self._constant(np.array(value, np.float32))

    def _name(self) -> str:
        self._n += 1
        return f"small_{self._n}"


def _rounded(weight: Floats, axis: int) -> tuple[npt.NDArray[np.int8], Floats]:
    """Whole numbers -63 … 63, and what each column (axis 0) or row (axis 1) of them is multiplied by."""
    scale = np.maximum(np.abs(weight).max(axis, keepdims=True), 1e-12) / LARGEST
    numbers = np.rint(weight / scale).astype(np.int8)
    return numbers, (scale if axis else scale[0]).astype(np.float32)


def _is_large(tensor: TensorProto) -> bool:
    return tensor.data_type == TensorProto.FLOAT and len(tensor.dims) == 2 and math.prod(tensor.dims) >= LEAST
