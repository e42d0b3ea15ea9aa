"""The model file: one ONNX model with its card inside (docs/model-file.md is the written contract).

The card is one JSON document under the metadata key `bottega`; `bottega_sha256` beside it is its SHA-256. Reading
executes and unpickles nothing, and all of the file is checked before an engine sees a byte.
"""

import hashlib
import json
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bottega.errors import BottegaError, found_in
from bottega.problem.records import Score
from bottega.problem.table import ColumnSpec
from bottega.shipping import wire
from bottega.shipping.bloom import MAX_BYTES, Bloom
from bottega.shipping.document import from_document, refuse_key, to_document

__all__ = [
    "FORMAT_VERSION",
    "Baseline",
    "Card",
    "DataCard",
    "Golden",
    "GoldenRow",
    "InputSpec",
    "OutputSpec",
    "TableCard",
    "Thresholds",
    "Weights",
    "class_outputs",
    "read",
    "seal",
    "target_outputs",
    "value_outputs",
]

FORMAT_VERSION = 1
KEY, DIGEST_KEY = "bottega", "bottega_sha256"
MAX_DOCUMENT_BYTES = 128 << 20  # a filter of a million pictures takes 5 MB
MAX_GOLDEN_PIXELS = 4 << 20
ROUNDED = 0.01  # by which shares of six digits may miss 1 at most
HEXADECIMAL = frozenset("0123456789abcdef")
TASKS = {
    ("classification", "images"),
    ("classification", "tables"),
    ("classification", "texts"),
    ("regression", "tables"),
    ("several", "tables"),
}
ELEMENT_TYPES = {"float32": 1, "uint8": 2, "string": 8, "bool": 9}  # as the numbers of TensorProto.DataType


@dataclass(frozen=True)
class InputSpec:
    """One graph input; `height` and `width` are None where any size is taken."""

    name: str = "image"
    kind: str = "image"
    dtype: str = "uint8"
    layout: str = "NHWC"
    channels: str = "RGB"
    height: int | None = None
    width: int | None = None


@dataclass(frozen=True)
class OutputSpec:
    """One graph output; the axis `N` is the batch."""

    name: str
    dtype: str
    shape: tuple[str | int, ...]


@dataclass(frozen=True)
class Thresholds:
    """Where `sure` becomes true: the largest probability is at least `sure`; never, where that is None."""

    sure: float | None
    sure_why: str
    sure_at: float  # the accuracy that the sure answers were to reach, by its 95 % lower bound


@dataclass(frozen=True)
class Baseline:
    """A rival that was tried, with its score on the test part in the card's metric."""

    name: str
    kind: str  # network | baseline
    test: Score | None
    relation: str | None = None


@dataclass(frozen=True)
class DataCard:
    """What the model was trained on: a fingerprint and counts, no names of files."""

    fingerprint: str  # SHA-256 in hexadecimal
    n_per_part: dict[str, int]
    n_per_class: dict[str, int]


@dataclass(frozen=True)
class Weights:
    """Pretrained weights inside the graph, and whose they are."""

    name: str
    licence: str
    sha256: str
    source: str


@dataclass(frozen=True)
class Golden:
    """One replayable example: RGB pixels, row by row, and what the model answered when it was made."""

    height: int
    width: int
    pixels: bytes
    label: str
    probabilities: tuple[float, ...]
    sure: bool


@dataclass(frozen=True)
class GoldenRow:
    """One replayable row, and what the model answered when it was made; what it doesn't answer is null or empty.

    Attributes:
        cells: by column: numbers, texts, null where missing.
    """

    cells: dict[str, str | float | None]
    label: str | None = None
    probabilities: tuple[float, ...] = ()
    sure: bool | None = None
    value: float | None = None
    lower: float | None = None
    upper: float | None = None


@dataclass(frozen=True)
class TableCard:
    """What a model of a table knows beside its inputs.

    Attributes:
        unused: columns that training had and the model does not take; new data may have them.
        coverage: share of new rows whose interval holds the true value; None for classes.
        guarantee: "split": promised when new rows come as the old ones did; "cv": measured only; "" for classes.
        held: what the intervals held on the test part.
        costs: of each answer (column) for each true class (row), both in the order of the labels: the label is the
            answer with the least expected cost; None where it is the most probable one.
        weight: the column that said how much each row of training counts; None where all counted the same.
    """

    target: str
    unused: tuple[str, ...]
    coverage: float | None = None
    guarantee: str = ""
    held: Score | None = None
    costs: tuple[tuple[float, ...], ...] | None = field(default=None, metadata={"optional": True})
    weight: str | None = field(default=None, metadata={"optional": True})


@dataclass(frozen=True)
class Card:
    """Everything the file says about its model. It holds no time, path or run name: same recipe, same bytes."""

    task: str  # classification, regression; several: of several targets, each with a card of its own
    modality: str  # images, tables, texts
    labels: tuple[str, ...]  # () for values
    outputs: tuple[OutputSpec, ...]
    thresholds: Thresholds | None  # None for values
    temperature: float
    metric: str
    metrics: dict[str, Score]
    test_source: str  # held-out | given | cv
    baselines: tuple[Baseline, ...]
    chosen: str
    verdict: str
    data: DataCard
    recipe: dict[str, Any]
    versions: dict[str, str]
    weights: tuple[Weights, ...]
    golden: tuple[Golden | GoldenRow, ...]
    tolerance: float  # the largest difference of a probability that still counts as the same answer
    filter: Bloom | None = None
    inputs: tuple[InputSpec | ColumnSpec, ...] = field(default=(InputSpec(),))
    table: TableCard | None = field(default=None, metadata={"optional": True})  # absent for pictures
    targets: "tuple[Card, ...] | None" = field(default=None, metadata={"optional": True})  # only where task is several
    graph_sha256: str = ""  # filled in by `seal`
    format_version: int = FORMAT_VERSION

    def to_json(self) -> str:
        """The canonical JSON document: sorted keys, no spaces, no NaN; the same card gives the same text."""
        try:
            document = to_document(self)
            return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        except (TypeError, ValueError, RecursionError) as error:
            raise BottegaError(
                found=f"a card that has no JSON form: {error}",
                expected="texts, finite numbers, true, false, null, lists and objects",
                fix="look at `recipe` first: it is the part without a fixed shape",
            ) from error

    @classmethod
    def from_json(cls, text: str) -> "Card":
        """Read a document strictly.

        Raises:
            BottegaError: another format version, or a key that is missing, of the wrong type or out of its range.
        """
        try:
            document = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            raise _damaged(f"a card that is no JSON document ({error})") from error
        if not isinstance(document, dict):
            raise _damaged(f"a card that is a {type(document).__name__}, not an object")
        _check_version(document.get("format_version"))
        card: Card = from_document(cls, document, "")
        _check(card)
        return card


def class_outputs(n_classes: int) -> tuple[OutputSpec, ...]:
    """The three outputs of a classifier."""
    return (
        OutputSpec("label", "string", ("N",)),
        OutputSpec("probabilities", "float32", ("N", n_classes)),
        OutputSpec("sure", "bool", ("N",)),
    )


def value_outputs() -> tuple[OutputSpec, ...]:
    """The three outputs of a regression."""
    return tuple(OutputSpec(name, "float32", ("N",)) for name in ("value", "lower", "upper"))


def target_outputs(targets: Sequence[Card]) -> tuple[OutputSpec, ...]:
    """The outputs of a file of several targets: those of each, with its name and a point before theirs."""
    return tuple(
        replace(one, name=f"{card.table.target}.{one.name}")
        for card in targets
        if card.table is not None
        for one in card.outputs
    )


def seal(model: bytes, card: Card) -> bytes:
    """Put the card into a model; its other metadata are dropped, its graph stays as it is.

    Returns:
        The bytes of the file: the model, then the two metadata records. Equal arguments give equal bytes.
    Raises:
        BottegaError: the model may not ship (docs/model-file.md), or the card contradicts it.
    """
    bare = wire.without_metadata(model)
    card = replace(card, graph_sha256=hashlib.sha256(bare).hexdigest())
    _check(card)
    _check_contract(card, wire.scan(bare))
    text = card.to_json()
    Card.from_json(text)  # what is written can be read: wrong types meet their error here
    try:
        digest = hashlib.sha256(text.encode()).hexdigest()
    except UnicodeEncodeError as error:
        raise BottegaError(
            found=f"a text without a UTF-8 form in the card: {error.object[max(0, error.start - 20) : error.end]!r}",
            expected="texts of whole Unicode characters",
            fix="rename the class that it comes from",
        ) from error
    return wire.with_metadata(bare, {KEY: text, DIGEST_KEY: digest})


def read(source: str | os.PathLike[str] | bytes) -> tuple[Card, bytes]:
    """Open a model file and check all of it, without running anything.

    Args:
        source: the path of a model file, or its bytes.
    Returns:
        The card, and the bytes of the whole file.
    Raises:
        BottegaError: no such file, no model file, a damaged one, or one of another format version.
    """
    data = source if isinstance(source, bytes) else _read_bounded(Path(source))
    try:
        info = wire.scan(data)
        return _card_of(data, info), data
    except BottegaError as error:
        if isinstance(source, bytes):
            raise
        raise BottegaError(
            found=error.found, expected=error.expected, fix=error.fix, where=os.fspath(source)
        ) from error


def _card_of(data: bytes, info: wire.ModelInfo) -> Card:
    text = info.metadata.get(KEY)
    if text is None:
        raise BottegaError(
            found="an ONNX model without a card (metadata key 'bottega')",
            expected="a model file that `bottega train` wrote",
            fix="run it with ONNX Runtime directly, or train one: bottega train FOLDER",
        )
    if len(text) > MAX_DOCUMENT_BYTES:
        raise _damaged(f"a card of {len(text):,} characters, above the limit of {MAX_DOCUMENT_BYTES:,}")
    # The version comes first: a later one may well be sealed differently.
    card = Card.from_json(text)
    if info.metadata.get(DIGEST_KEY) != hashlib.sha256(text.encode()).hexdigest():
        raise _damaged("a card that was changed after training: its SHA-256 differs")
    if card.graph_sha256 != wire.graph_sha256(data):
        raise _damaged("a graph that was changed after training: its SHA-256 differs from the card's")
    _check_contract(card, info)
    return card


def _read_bounded(path: Path) -> bytes:
    """The bytes of a regular file, its size checked before and while reading."""
    expected = "the path of a model file (.onnx)"
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            inside = path / "model.onnx"
            fix = f"name the file in it: {inside}" if inside.is_file() else "name the model.onnx of a run"
            raise BottegaError(found=f"the folder {str(path)!r}", expected=expected, fix=fix)
        if not stat.S_ISREG(status.st_mode):
            raise BottegaError(found=f"{str(path)!r}, which is no regular file", expected=expected, fix="name a file")
        if status.st_size > wire.MAX_FILE_BYTES:
            raise BottegaError(
                found=f"{str(path)!r} with {status.st_size:,} bytes",
                expected=f"at most {wire.MAX_FILE_BYTES:,} bytes",
                fix="name the model.onnx of a run",
            )
        with path.open("rb") as file:
            return file.read(wire.MAX_FILE_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL inside the path
        if isinstance(error, BottegaError):
            raise
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise BottegaError(
            found=f"{str(path)!r} cannot be read: {reason}",
            expected=expected,
            fix="check the path, or train: bottega train FOLDER",
        ) from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("a key twice in one object")
    return document


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def _damaged(found: str) -> BottegaError:
    return BottegaError(
        found=found,
        expected="the file as `bottega train` wrote it",
        fix="copy or download the file again, or train again",
    )


def _check_version(version: object) -> None:
    if type(version) is not int:
        refuse_key("format_version", version, "a whole number")
    if version != FORMAT_VERSION:
        fix = "upgrade: pip install -U bottega" if version > FORMAT_VERSION else "train again: bottega train FOLDER"
        raise BottegaError(found=f"format version {version}", expected=f"format version {FORMAT_VERSION}", fix=fix)


def _check(card: Card) -> None:
    """The rules that a type cannot say."""
    if card.format_version != FORMAT_VERSION:
        _check_version(card.format_version)
    if (card.task, card.modality) not in TASKS:
        raise BottegaError(
            found=f"a model for {card.task!r} of {card.modality!r}",
            expected=f"one for {', '.join(f'{task} of {modality}' for task, modality in sorted(TASKS))}",
            fix="upgrade: pip install -U bottega",
        )
    if card.task == "several" or card.targets is not None:
        _check_targets(card)
        return
    _check_answers(card)
    _check_inputs(card)
    if card.metric not in card.metrics:
        refuse_key("metric", card.metric, "the name of one of the metrics")
    thresholds = card.thresholds
    for key, value, most in (
        ("thresholds.sure", None if thresholds is None else thresholds.sure, 1.0),
        ("thresholds.sure_at", None if thresholds is None else thresholds.sure_at, 1.0),
        ("tolerance", card.tolerance, 0.1),
    ):
        if value is not None and not 0 <= value <= most:
            refuse_key(key, value, f"a number from 0 to {most}")
    if card.temperature <= 0:
        refuse_key("temperature", card.temperature, "a number above 0")
    digests = [("graph_sha256", card.graph_sha256), ("data.fingerprint", card.data.fingerprint)]
    digests += [(f"weights[{i}].sha256", w.sha256) for i, w in enumerate(card.weights)]
    for key, digest in digests:
        if len(digest) != 64 or not set(digest) <= HEXADECIMAL:
            refuse_key(key, digest[:80], "64 hexadecimal digits")
    _check_golden(card)
    bloom = card.filter
    if bloom is not None and not (0 < len(bloom.bits) <= MAX_BYTES and 0 < bloom.n_positions <= 64):
        refuse_key("filter", f"{len(bloom.bits)} bytes, {bloom.n_positions} positions", "a filter within its limits")


def _check_targets(card: Card) -> None:
    """Each target has a whole card; the outer one has what they share."""
    targets = card.targets or ()
    if card.task != "several" or not targets:
        refuse_key("targets", f"{len(targets)} targets", "a card for each target, in a file of several", verbatim=True)
    for one in targets:
        if one.task == "several" or one.modality != "tables":
            refuse_key("targets", f"{one.task} of {one.modality}", "classification or regression of tables")
        _check(one)
        if not set(_inputs(one)) <= set(_inputs(card)):
            refuse_key("inputs", [spec.name for spec in card.inputs], "the columns of every target")
    names = [one.table.target for one in targets if one.table is not None]
    if len(set(names)) != len(names):
        refuse_key("targets", names, "different targets")
    if card.outputs != target_outputs(targets):
        refuse_key("outputs", [o.name for o in card.outputs], "those of each target, after its name and a point")
    if card.metric not in card.metrics:
        refuse_key("metric", card.metric, "the name of one of the metrics")
    for key, digest in (("graph_sha256", card.graph_sha256), ("data.fingerprint", card.data.fingerprint)):
        if len(digest) != 64 or not set(digest) <= HEXADECIMAL:
            refuse_key(key, digest[:80], "64 hexadecimal digits")


def _inputs(card: Card) -> list[tuple[str, str]]:
    """Name and type of each input."""
    return [(one.name, one.dtype) for one in card.inputs]


def _check_answers(card: Card) -> None:
    labels = card.labels
    if card.task == "regression":
        if labels or card.thresholds is not None:
            refuse_key("labels", f"{found_in(labels)}", "no labels and no thresholds for values", verbatim=True)
        if card.outputs != value_outputs():
            refuse_key("outputs", [o.name for o in card.outputs], "value, lower and upper")
        return
    if not labels or "" in labels or len(set(labels)) != len(labels):
        refuse_key("labels", f"{found_in(labels) or 'none'}", "one or more different names", verbatim=True)
    if card.thresholds is None:
        refuse_key("thresholds", None, "an object")
    costs = None if card.table is None else card.table.costs
    if costs is not None and not _is_square(costs, len(labels)):
        refuse_key("table.costs", costs, "a row of numbers from 0 for each label, one number a label")
    if card.table is not None and costs is None and card.metric == "mean_cost":
        refuse_key("metric", card.metric, "another metric where there is no table.costs")
    if card.outputs != class_outputs(len(labels)):
        refuse_key("outputs", [o.name for o in card.outputs], "label, probabilities and sure, one probability a label")


def _is_square(costs: Sequence[Sequence[float]], n: int) -> bool:
    return len(costs) == n and all(len(row) == n and min(row) >= 0 for row in costs) and any(map(any, costs))


def _check_inputs(card: Card) -> None:
    names = [one.name for one in card.inputs]
    if card.modality == "images":
        if card.inputs != (InputSpec(),):
            refuse_key("inputs", names, "one image, uint8, NHWC, RGB, of any height and width")
        return
    if card.table is None:
        refuse_key("table", None, "an object, in a model of a table")
    if not names or len(set(names)) != len(names):
        refuse_key("inputs", names, "one or more different columns")
    for one in card.inputs:
        dtype = {"number": "float32", "category": "string", "date": "string", "text": "string"}.get(one.kind)
        if not isinstance(one, ColumnSpec) or one.dtype != dtype:
            refuse_key("inputs", one.name, "columns: number (float32), category, date or text (string)")
        _check_summary(one)


def _check_summary(one: ColumnSpec) -> None:
    """As many shares as there are bins, none negative; with the missing cells they are all."""
    if one.summary is None:
        return
    n_shares = 1 + (len(one.levels) if one.kind == "category" else len(one.summary.edges))
    shares = (*one.summary.shares, one.summary.missing)
    if len(shares) != n_shares + 1 or one.summary.n < 1 or min(shares) < 0 or abs(sum(shares) - 1) > ROUNDED:
        refuse_key(f"inputs.{one.name}.summary", shares, f"{n_shares} shares of one cell or more, adding up to 1")
    if list(one.summary.edges) != sorted(one.summary.edges):
        refuse_key(f"inputs.{one.name}.summary", one.summary.edges, "ascending edges")


def _check_golden(card: Card) -> None:
    if not card.golden:
        refuse_key("golden", [], "one example or more")
    for i, golden in enumerate(card.golden):
        where = f"golden[{i}]"
        if isinstance(golden, GoldenRow) != (card.modality != "images"):
            refuse_key(where, type(golden).__name__, f"an example of {card.modality}")
        if isinstance(golden, GoldenRow):
            _check_row(card, golden, where)
            continue
        if not (
            0 < golden.height <= 4096 and 0 < golden.width <= 4096 and golden.height * golden.width <= MAX_GOLDEN_PIXELS
        ):
            refuse_key(where, f"{golden.height} x {golden.width} pixels", "a small picture")
        if len(golden.pixels) != golden.height * golden.width * 3:
            refuse_key(f"{where}.pixels", f"{len(golden.pixels)} bytes", "height x width x 3 bytes")
        if golden.label not in card.labels:
            refuse_key(f"{where}.label", golden.label, "one of the labels")
        if len(golden.probabilities) != len(card.labels):
            refuse_key(f"{where}.probabilities", len(golden.probabilities), "one number for each label")


def _check_row(card: Card, golden: GoldenRow, where: str) -> None:
    columns = {one.column for one in card.inputs if isinstance(one, ColumnSpec)}
    if set(golden.cells) != columns:
        refuse_key(f"{where}.cells", sorted(golden.cells)[:5], "a cell for each column")
    if card.task == "regression":
        if golden.value is None:
            refuse_key(f"{where}.value", None, "a number")
        return
    if golden.label not in card.labels:
        refuse_key(f"{where}.label", golden.label, "one of the labels")
    if len(golden.probabilities) != len(card.labels) or golden.sure is None:
        refuse_key(f"{where}.probabilities", len(golden.probabilities), "one number for each label, and sure")


def _check_contract(card: Card, info: wire.ModelInfo) -> None:
    """The graph has the inputs and outputs that the card promises."""
    promised = [(s.name, ELEMENT_TYPES.get(s.dtype), 4 if isinstance(s, InputSpec) else 1) for s in card.inputs]
    promised += [(s.name, ELEMENT_TYPES.get(s.dtype), len(s.shape)) for s in card.outputs]
    there = [(t.name, t.elem_type, len(t.shape or ())) for t in (*info.inputs, *info.outputs)]
    if promised != there:
        raise BottegaError(
            found=f"a graph with the inputs and outputs {_signature(there)}",
            expected=f"{_signature(promised)}, of the card's types",
            fix="export it again with `bottega train`",
        )


def _signature(tensors: Sequence[tuple[str, int | None, int]]) -> str:
    return ", ".join(f"{name!r} (type {kind}, rank {rank})" for name, kind, rank in tensors)
