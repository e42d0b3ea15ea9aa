"""A small, bounded reader of ONNX bytes: it says what is inside before any engine sees them.

An engine would follow external data to other files, and take any operator that its build knows. So the bytes are
walked here first, in the protobuf wire format, and refused by name; payloads are skipped, not copied.
Source: the wire format of Protocol Buffers, and the field numbers of `onnx-ml.proto`.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NoReturn

from bottega.errors import BottegaError

__all__ = ["ModelInfo", "TensorInfo", "graph_sha256", "scan", "with_metadata", "without_metadata"]

MAX_FILE_BYTES = 512 << 20  # protobuf itself ends at 2 GiB; a shipped picture model has 14 MB
MAX_RECORDS = 3_000_000  # about one second of walking; a forest of 100,000 nodes has far fewer outside of lists
MAX_DEPTH = 16  # subgraph in subgraph
ALLOWED_DOMAINS = frozenset({"", "ai.onnx", "ai.onnx.ml", "com.microsoft"})
SOME_BYTES = 256  # by which a text is told from a model, which begins with small numbers
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5  # wire types

# The contributed operators that ONNX Runtime's CPU package has carried since 1.20 (its list of CPU kernels).
MICROSOFT_OPERATORS = frozenset(
    """
    Attention AttnLSTM BeamSearch BiasGelu CDist ConvTransposeWithDynamicPads CropAndResize
    DecoderMaskedMultiHeadAttention DequantizeLinear DynamicQuantizeLSTM DynamicQuantizeMatMul DynamicTimeWarping
    EmbedLayerNormalization ExpandDims FastGelu FusedConv FusedGemm FusedMatMul GatherND Gelu GreedySearch GridSample
    GroupQueryAttention Inverse MatMulBnb4 MatMulFpQ4 MatMulInteger16 MatMulIntegerToFloat MatMulNBits MaxpoolWithMask
    MoE MultiHeadAttention MurmurHash3 NGramRepeatBlock NhwcMaxPool Pad QAttention QEmbedLayerNormalization QGemm
    QLinearAdd QLinearAveragePool QLinearConcat QLinearConv QLinearGlobalAveragePool QLinearLeakyRelu QLinearMul
    QLinearSigmoid QLinearSoftmax QLinearWhere QMoE QuantizeLinear QuickGelu Range RotaryEmbedding Sampling
    SkipLayerNormalization SkipSimplifiedLayerNormalization SparseAttention SparseToDenseMatMul Tokenizer
    TransposeMatMul Trilu Unique UnfoldTensor WhisperBeamSearch WordConvEmbedding
    """.split()
)

# A list in an attribute is written one record an item: floats, integers, and strings of 4 or 10 bytes (a forest's
# LEAF and BRANCH_LEQ) are skipped in C. A forest has a million; `*+` keeps no way back, so memory stays flat.
_ITEM_RUN = re.compile(rb"(?:\x3d.{4}|\x40[\x80-\xff]{0,9}[\x00-\x7f]|\x4a(?:\x04.{4}|\x0a.{10}))*+", re.DOTALL)

_AGAIN = "copy or download the file again, or export it again with `bottega train`"


@dataclass(frozen=True)
class TensorInfo:
    """One input or output of the graph: `elem_type` is ONNX's number; a free axis is its name or None."""

    name: str
    elem_type: int
    shape: tuple[int | str | None, ...] | None


@dataclass(frozen=True)
class ModelInfo:
    """What the bytes of a model say about themselves."""

    ir_version: int
    opsets: dict[str, int]
    inputs: tuple[TensorInfo, ...]
    outputs: tuple[TensorInfo, ...]
    metadata: dict[str, str]
    n_nodes: int


def scan(data: bytes) -> ModelInfo:
    """Walk a whole model, and refuse what must not reach the engine.

    Returns:
        ModelInfo with `opsets` by domain ("" is ai.onnx), graph inputs without the initialisers, and the metadata.
    Raises:
        BottegaError: the bytes are truncated or no ONNX model, too many or too deep, point to external data, hold
            operators outside of the stock ones, or a training graph.
    """
    if len(data) > MAX_FILE_BYTES:
        raise BottegaError(
            found=f"{len(data):,} bytes",
            expected=f"a model file of at most {MAX_FILE_BYTES:,} bytes",
            fix="train with a smaller network (`--preset fast`)",
        )
    _refuse_other_formats(data)
    return _Scanner(data).model()


def graph_sha256(data: bytes) -> str:
    """SHA-256, in hexadecimal, of the model's bytes without its metadata records."""
    digest = hashlib.sha256()
    for start, stop in _kept_spans(data):
        digest.update(memoryview(data)[start:stop])
    return digest.hexdigest()


def without_metadata(data: bytes) -> bytes:
    """The model's bytes without the records of `metadata_props`, all else untouched."""
    return b"".join(data[start:stop] for start, stop in _kept_spans(data))


def with_metadata(data: bytes, entries: Mapping[str, str]) -> bytes:
    """Append metadata to a model, sorted by key, so that equal entries give equal bytes.

    Args:
        data: the bytes of a model.
        entries: what to append; a key that the model already has is refused.
    Raises:
        BottegaError: a key is there already, or a text has no UTF-8 form.
    """
    known = scan(data).metadata
    records = []
    for key, value in sorted(entries.items()):
        if key in known:
            raise BottegaError(
                found=f"the metadata key {key!r} is in the model already",
                expected="a key that is not",
                fix="remove it first",
            )
        try:
            pair = _length_delimited(1, key.encode()) + _length_delimited(2, value.encode())
        except UnicodeEncodeError as error:
            raise BottegaError(
                found=f"a text without a UTF-8 form under {key!r}: {error.object[error.start : error.end]!r}",
                expected="texts of whole Unicode characters",
                fix="rename the class or file that it comes from",
            ) from error
        records.append(_length_delimited(14, pair))
    return data + b"".join(records)


def _length_delimited(field: int, payload: bytes) -> bytes:
    return _varint_bytes(field << 3 | BYTES) + _varint_bytes(len(payload)) + payload


def _varint_bytes(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _kept_spans(data: bytes) -> list[tuple[int, int]]:
    """Byte ranges of the model that are no metadata records, joined where they touch."""
    spans: list[tuple[int, int]] = []
    scanner = _Scanner(data)
    start = 0
    for field, wire, _, stop in scanner.fields(0, len(data), "the model"):
        if not (field == 14 and wire == BYTES):
            if spans and spans[-1][1] == start:
                spans[-1] = (spans[-1][0], stop)
            else:
                spans.append((start, stop))
        start = stop
    return spans


def _refuse_other_formats(data: bytes) -> None:
    """Name the usual mistakes; whatever else is not a model falls over in the walk."""
    kinds = {
        b"PK\x03\x04": "a zip archive",
        b"PK\x05\x06": "an empty zip archive",
        b"\x89PNG": "a PNG picture",
        b"\xff\xd8\xff": "a JPEG picture",
        b"GIF8": "a GIF picture",
        b"\x1f\x8b": "a gzip archive",
        b"BZh": "a bzip2 archive",
        b"\xfd7zXZ": "an xz archive",
        b"version https://git-lfs": "a pointer of Git LFS in place of the file",
    }
    kind = next((name for sign, name in kinds.items() if data.startswith(sign)), None)
    if not data:
        kind = "an empty file"
    elif data[:1] == b"\x80" and data[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        kind = "a Python pickle, which is never opened"
    elif data[4:8] == b"ORTM":  # the engine would take such bytes for its own format, past this reader
        kind = "a model in ONNX Runtime's own format (.ort)"
    elif kind is None and all(byte >= ord(" ") or byte in b"\t\n\r" for byte in data[:SOME_BYTES]):
        kind = "a text or a table: MODEL comes before the data"
    if kind:
        raise BottegaError(found=kind, expected="a model file (.onnx)", fix="name the model.onnx of a run")


def _malformed(what: str) -> NoReturn:
    raise BottegaError(found=what, expected="a whole ONNX model", fix=_AGAIN)


class _Scanner:
    """Walks one model; counts what it meets, so that a hostile file cannot keep it busy."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.left = MAX_RECORDS
        self.n_nodes = 0

    def varint(self, pos: int, end: int, where: str) -> tuple[int, int]:
        """Value and next position; at most ten bytes, as everywhere in protobuf."""
        value = shift = 0
        data = self.data
        while True:
            if pos >= end:
                _malformed(f"bytes that break off inside {where}")
            byte = data[pos]
            pos += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value, pos
            shift += 7
            if shift >= 70:
                _malformed(f"a number of more than ten bytes inside {where}")

    def fields(self, pos: int, end: int, where: str) -> Iterator[tuple[int, int, int, int]]:
        """Yield (field, wire type, value or start, stop) for each record of one message.

        The third is a varint's value, else where the payload starts; `stop` is where the record ends.
        """
        data = self.data
        while pos < end:
            self.left -= 1
            if self.left < 0:
                raise BottegaError(
                    found=f"more than {MAX_RECORDS:,} records in the model",
                    expected="a model whose weights are in tensors",
                    fix="export it again with `bottega train`",
                )
            first = data[pos]
            if first < 0x80:
                key, pos = first, pos + 1
            else:
                start = pos
                key, pos = self.varint(pos, end, where)
                # Readers differ in what they make of longer or padded keys; none is written by a real encoder.
                if pos - start > 5 or key < 1 << 7 * (pos - start - 1):
                    _malformed(f"a padded field number inside {where}")
            wire = key & 7
            if wire == BYTES:
                size, pos = self.varint(pos, end, where)
                if size > end - pos:
                    _malformed(f"bytes that break off inside {where}: {size:,} announced, {end - pos:,} there")
                yield key >> 3, BYTES, pos, pos + size
                pos += size
            elif wire == VARINT:
                value, pos = self.varint(pos, end, where)
                yield key >> 3, VARINT, value, pos
            elif wire in (FIXED32, FIXED64):
                start, pos = pos, pos + (4 if wire == FIXED32 else 8)
                if pos > end:
                    _malformed(f"bytes that break off inside {where}")
                yield key >> 3, wire, start, pos
            else:
                _malformed(f"a record of wire type {wire} inside {where}")
            if key < 8:
                _malformed(f"field number 0 inside {where}")

    def text(self, start: int, stop: int, where: str) -> str:
        try:
            return self.data[start:stop].decode()
        except UnicodeDecodeError:
            _malformed(f"a text that is not UTF-8 inside {where}")

    def model(self) -> ModelInfo:
        metadata: dict[str, str] = {}
        opsets: dict[str, int] = {}
        graphs: list[tuple[tuple[TensorInfo, ...], tuple[TensorInfo, ...]]] = []
        ir_version = 0
        for field, wire, value, stop in self.fields(0, len(self.data), "the model"):
            if field == 1 and wire == VARINT:
                ir_version = value
            elif field == 7 and wire == BYTES:
                graphs.append(self.graph(value, stop, 0))
            elif field == 8 and wire == BYTES:
                self.opset(value, stop, opsets)
            elif field == 14 and wire == BYTES:
                key, text = self.pair(value, stop)
                if key in metadata:
                    _malformed(f"the metadata key {key!r} twice")
                metadata[key] = text
            elif field == 20:
                raise BottegaError(
                    found="a training graph inside the model",
                    expected="a model that only answers",
                    fix="export it again without training information",
                )
            elif field == 25 and wire == BYTES:
                self.function(value, stop)
        if len(graphs) != 1 or not opsets or not ir_version:
            _malformed(f"bytes with {len(graphs)} graphs, {len(opsets)} operator sets and ir_version {ir_version}")
        return ModelInfo(ir_version, opsets, *graphs[0], metadata, self.n_nodes)

    def opset(self, start: int, stop: int, opsets: dict[str, int]) -> None:
        domain, version = "", 0
        for field, wire, value, end in self.fields(start, stop, "an operator set"):
            if field == 1 and wire == BYTES:
                domain = self.text(value, end, "an operator set")
                _check_domain(domain, None)
            elif field == 2 and wire == VARINT:
                version = value
        opsets["" if domain == "ai.onnx" else domain] = version

    def pair(self, start: int, stop: int) -> tuple[str, str]:
        """Key and value of one metadata record."""
        found = {1: "", 2: ""}
        for field, wire, value, end in self.fields(start, stop, "the metadata"):
            if field in found and wire == BYTES:
                found[field] = self.text(value, end, "the metadata")
        return found[1], found[2]

    def function(self, start: int, stop: int) -> None:
        for field, wire, value, end in self.fields(start, stop, "a function"):
            if field == 7 and wire == BYTES:
                self.node(value, end, 1)
            elif field == 9 and wire == BYTES:
                self.opset(value, end, {})
            elif field == 10 and wire == BYTES:
                _check_domain(self.text(value, end, "a function"), None)
            elif field == 11 and wire == BYTES:
                self.attribute(value, end, 1)

    def graph(self, start: int, stop: int, depth: int) -> tuple[tuple[TensorInfo, ...], tuple[TensorInfo, ...]]:
        """Inputs and outputs of a graph, after all in it has been walked."""
        if depth > MAX_DEPTH:
            _malformed(f"graphs nested more than {MAX_DEPTH} deep")
        values: dict[int, list[TensorInfo]] = {11: [], 12: []}
        initialisers = set()
        for field, wire, value, end in self.fields(start, stop, "a graph"):
            if wire != BYTES:
                continue
            if field == 1:
                self.node(value, end, depth)
            elif field == 5:
                initialisers.add(self.tensor(value, end))
            elif field == 15:
                self.sparse_tensor(value, end)
            elif field in values and depth == 0:
                values[field].append(self.value_info(value, end))
        inputs = tuple(info for info in values[11] if info.name not in initialisers)
        return inputs, tuple(values[12])

    def node(self, start: int, stop: int, depth: int) -> None:
        self.n_nodes += 1
        domains, operators = [], []
        for field, wire, value, end in self.fields(start, stop, "a node"):
            if wire != BYTES:
                continue
            if field == 4:
                operators.append(self.text(value, end, "a node"))
            elif field == 5:
                self.attribute(value, end, depth)
            elif field == 7:
                domains.append(self.text(value, end, "a node"))
        if len(operators) != 1 or len(domains) > 1:
            _malformed("a node without one operator")
        _check_domain(domains[0] if domains else "", operators[0])

    def attribute(self, start: int, stop: int, depth: int) -> None:
        pos = start
        while pos < stop:
            for field, wire, value, end in self.fields(pos, stop, "an attribute"):
                pos = end
                if field in (7, 8, 9):
                    run = _ITEM_RUN.match(self.data, pos, stop)
                    if run is not None and run.end() > pos:
                        pos = run.end()
                        break  # walk on behind the run
                elif wire == BYTES and field in (5, 10):
                    self.tensor(value, end)
                elif wire == BYTES and field in (6, 11):
                    self.graph(value, end, depth + 1)
                elif wire == BYTES and field in (22, 23):
                    self.sparse_tensor(value, end)

    def sparse_tensor(self, start: int, stop: int) -> None:
        for field, wire, value, end in self.fields(start, stop, "a sparse tensor"):
            if field in (1, 2) and wire == BYTES:
                self.tensor(value, end)

    def tensor(self, start: int, stop: int) -> str:
        """The tensor's name; external data are refused."""
        name = ""
        external = False
        for field, wire, value, end in self.fields(start, stop, "a tensor"):
            if field == 8 and wire == BYTES:
                name = self.text(value, end, "a tensor")
            elif field == 13 or (field == 14 and value != 0):
                external = True
        if external:
            raise BottegaError(
                found=f"the tensor {name!r} points to data outside of the file",
                expected="a model with everything inside one file",
                fix="export it again with `bottega train`; external data are never opened",
            )
        return name

    def value_info(self, start: int, stop: int) -> TensorInfo:
        name, elem_type = "", 0
        shape: tuple[int | str | None, ...] | None = None
        where = "a graph's input or output"
        for field, wire, value, end in self.fields(start, stop, where):
            if field == 1 and wire == BYTES:
                name = self.text(value, end, where)
            elif field == 2 and wire == BYTES:
                for kind, kind_wire, inner, inner_end in self.fields(value, end, where):
                    if kind == 1 and kind_wire == BYTES:  # a tensor; sequences and maps keep elem_type 0
                        elem_type, shape = self.tensor_type(inner, inner_end)
        return TensorInfo(name, elem_type, shape)

    def tensor_type(self, start: int, stop: int) -> tuple[int, tuple[int | str | None, ...] | None]:
        elem_type, shape = 0, None
        for field, wire, value, end in self.fields(start, stop, "a tensor's type"):
            if field == 1 and wire == VARINT:
                elem_type = value
            elif field == 2 and wire == BYTES:
                axes = self.fields(value, end, "a shape")
                shape = tuple(self.axis(a, z) for number, kind, a, z in axes if number == 1 and kind == BYTES)
        return elem_type, shape

    def axis(self, start: int, stop: int) -> int | str | None:
        size: int | str | None = None
        for field, wire, value, end in self.fields(start, stop, "an axis"):
            if field == 1 and wire == VARINT:
                size = value
            elif field == 2 and wire == BYTES:
                size = self.text(value, end, "an axis")
        return size


def _check_domain(domain: str, operator: str | None) -> None:
    """Refuse operators that ONNX Runtime's CPU package would not have built in."""
    stock = domain in ALLOWED_DOMAINS
    if stock and (domain != "com.microsoft" or operator is None or operator in MICROSOFT_OPERATORS):
        return
    name = f"the operator {operator!r} of the domain {domain!r}" if operator else f"the operator domain {domain!r}"
    raise BottegaError(
        found=name,
        expected="stock operators: ai.onnx, ai.onnx.ml, and com.microsoft as built into ONNX Runtime's CPU package",
        fix="export the model with stock operators only; no extension is ever loaded",
    )
