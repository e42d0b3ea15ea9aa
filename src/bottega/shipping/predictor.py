"""Load a model file and ask it: paths, bytes, PIL pictures or arrays in, answers out. No torch, no training code."""

import io
import os
import stat
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import numpy.typing as npt

from bottega.errors import BottegaError
from bottega.shipping.model_file import Card, read

if TYPE_CHECKING:
    from typing import Self

    from onnxruntime import InferenceSession
    from PIL.Image import Image

__all__ = ["Answer", "Model", "PictureModel", "ask", "engine_errors", "load", "open_session", "pixels_of"]

Pixels = npt.NDArray[np.uint8]

OUTPUTS = ["label", "probabilities", "sure"]
MAX_BATCH = 8  # pictures; 32 of 240 x 320 took 10.4 ms each on two cores, 8 took 6.4: they stay in its cache
MAX_BATCH_PIXELS = 4 << 20  # as float32 in two layouts at most 100 MB
MAX_THREADS = 8
MAX_PICTURE_BYTES = 256 << 20  # an uncompressed picture at the pixel limit has 192 MB
PNG_MODES = frozenset({"1", "L", "LA", "P", "RGB", "RGBA", "I;16"})
TIFF_MODES = frozenset({"CMYK", "F", "I"})


@dataclass(frozen=True)
class Answer:
    """What a model says about one input: a label, its probabilities and `sure`; or a value and its interval."""

    input: str
    label: str | None
    probabilities: dict[str, float]
    sure: bool | None
    value: float | None = None
    lower: float | None = None
    upper: float | None = None

    @property
    def probability(self) -> float:
        """The probability of the label."""
        return self.probabilities[self.label] if self.label is not None else float("nan")

    def to_json(self) -> dict[str, Any]:
        """The answer as it stands in `predict --json` (docs/json.md)."""
        if self.label is None:
            return {"input": self.input, "value": self.value, "lower": self.lower, "upper": self.upper}
        return {"input": self.input, "label": self.label, "probabilities": self.probabilities, "sure": self.sure}


class Model(ABC):
    """A loaded model file: call it with one input or a list of them.

    It may be used from several threads at once.
    """

    def __init__(self, card: Card, session: "InferenceSession") -> None:
        self.card = card
        self._session = session

    def under(self, card: Card) -> "Self":
        """The same graph under another card: to replay that one's examples."""
        return type(self)(card, self._session)

    @property
    def labels(self) -> tuple[str, ...]:
        """The names it can answer, in the order of `probabilities`; () where it answers values."""
        return self.card.labels

    def __repr__(self) -> str:
        score = self.card.metrics[self.card.metric]
        names = ", ".join(self.labels[:5]) + (", …" if len(self.labels) > 5 else "")
        what = f"{len(self.labels)} classes ({names})" if self.labels else "values"
        return f"<Model of {what}: {self.card.metric} {score.score:.3f}, n = {score.n}>"

    @overload
    def __call__(self, x: "str | os.PathLike[str] | bytes | Image | Pixels | Mapping[str, Any]") -> Answer: ...
    @overload
    def __call__(self, x: list[Any] | tuple[Any, ...]) -> list[Answer]: ...
    @abstractmethod
    def __call__(self, x: Any) -> Answer | list[Answer]:
        """Answer for one input, or for each of a list."""


class PictureModel(Model):
    """A model of pictures: paths, bytes, PIL pictures or arrays go in."""

    @overload
    def __call__(self, x: "str | os.PathLike[str] | bytes | Image | Pixels | Mapping[str, Any]") -> Answer: ...
    @overload
    def __call__(self, x: list[Any] | tuple[Any, ...]) -> list[Answer]: ...
    def __call__(self, x: Any) -> Answer | list[Answer]:
        """Answer for one picture, or for each of a list.

        Args:
            x: a path, the bytes of a picture file, a PIL picture, an array uint8 (H, W, 3), (H, W) grey or (H, W, 4)
                with alpha; or a list or tuple of these.
        Returns:
            One Answer, or a list in the same order.
        Raises:
            BottegaError: the picture cannot be read, or is none of these.
        """
        if isinstance(x, (list, tuple)):
            return self.answers([_name(item, i) for i, item in enumerate(x)], [_pixels(item) for item in x])
        return self.answers([_name(x, 0)], [_pixels(x)])[0]

    def answers(self, names: Sequence[str], pictures: Sequence[Pixels]) -> list[Answer]:
        """Answers for decoded pictures, uint8 (H, W, 3) each, under these names."""
        labels, probabilities, sure = self.predict_batch(pictures)
        rows = zip(names, labels, probabilities.tolist(), sure.tolist(), strict=True)
        return [Answer(name, label, dict(zip(self.labels, row, strict=True)), s) for name, label, row, s in rows]

    def predict_batch(
        self, pictures: Sequence[Pixels]
    ) -> tuple[list[str], npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
        """Run decoded pictures; those of one size go together, in batches of bounded memory.

        Args:
            pictures: uint8 (H, W, 3) each, any sizes.
        Returns:
            labels (N), probabilities float32 (N, n_classes), sure bool (N).
        """
        labels = [""] * len(pictures)
        probabilities = np.zeros((len(pictures), len(self.labels)), np.float32)
        sure = np.zeros(len(pictures), bool)
        for rows in _batches([picture.shape for picture in pictures]):
            batch = np.stack([pictures[i] for i in rows])  # (B, H, W, 3)
            names, probabilities[rows], sure[rows] = ask(self._session, batch, len(self.labels))
            for i, name in zip(rows, names, strict=True):
                if name not in self.labels:
                    raise BottegaError(
                        found=f"the graph answers {name!r}",
                        expected="a label of its card",
                        fix="the file contradicts itself: train again",
                    )
                labels[i] = name
        return labels, probabilities, sure


def load(model: str | os.PathLike[str] | bytes, *, threads: int | None = None) -> Model:
    """Open a model file; all of it is checked before the engine sees it.

    Args:
        model: path of the file, or its bytes.
        threads: for one picture's arithmetic; the cores at hand (8 at most) by default.
    Raises:
        BottegaError: no such file, damaged, of another format version, or with a graph that the engine refuses.
    """
    card, data = read(model)
    session = open_session(data, threads=threads)
    if card.modality == "images":
        return PictureModel(card, session)
    if card.modality == "texts":
        from bottega.shipping.text_predictor import TextModel

        return TextModel(card, session)
    if card.task == "several":
        from bottega.shipping.targets_predictor import TargetsModel

        return TargetsModel(card, session)
    from bottega.shipping.table_predictor import TableModel

    return TableModel(card, session)


def open_session(data: bytes, *, threads: int | None = None) -> "InferenceSession":
    """An ONNX Runtime session over a model's bytes: quiet, on the processor, threads that sleep when idle."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or _cores()
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # what goes wrong is raised, and said once
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.load_model_format", "ONNX")
    options.enable_mem_pattern = False  # pictures come in any size
    with engine_errors("the model cannot be loaded"):
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])


def ask(
    session: "InferenceSession", batch: Pixels, n_classes: int
) -> tuple[list[str], npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    """Run one batch, uint8 (B, H, W, 3), and check the shapes of what comes back."""
    with engine_errors(f"the model cannot answer a batch of shape {batch.shape}"):
        label, probabilities, sure = session.run(OUTPUTS, {"image": np.ascontiguousarray(batch)})
    n = len(batch)
    if label.shape != (n,) or probabilities.shape != (n, n_classes) or sure.shape != (n,):
        raise BottegaError(
            found=f"answers of shapes {label.shape}, {probabilities.shape}, {sure.shape} for {n} pictures",
            expected=f"({n},), ({n}, {n_classes}), ({n},)",
            fix="the file contradicts its card: train again",
        )
    return [str(name) for name in label], probabilities, sure


def _pixels(x: Any) -> Pixels:
    """`pixels_of`, with the error that a user meets."""
    from bottega.data.images import UnreadableError

    try:
        return pixels_of(x)
    except UnreadableError as error:
        what = repr(os.fspath(x)) if isinstance(x, (str, os.PathLike)) else f"a value of type {type(x).__name__}"
        raise BottegaError(
            found=f"{what} cannot be read: {error.reason}",
            expected="a picture: JPEG, PNG, WebP, GIF, BMP, TIFF or PPM",
            fix="open it in a viewer and save it again",
        ) from error


def pixels_of(x: Any) -> Pixels:
    """Decode whatever a user may hold into uint8 (H, W, 3).

    Raises:
        UnreadableError: a file or bytes that hold no picture that is read here.
        BottegaError: neither a file, nor bytes, a PIL picture or an array of the shapes of `Model.__call__`.
    """
    from bottega.data import images

    if isinstance(x, (str, os.PathLike)):
        return images.decode(_file_bytes(Path(x))).pixels
    if isinstance(x, (bytes, bytearray, memoryview)):
        return images.decode(bytes(x)).pixels
    if isinstance(x, np.ndarray) and x.dtype == np.uint8 and x.size and _is_picture(x.shape):
        return images.from_array(x).pixels
    if type(x).__module__.startswith("PIL."):
        return images.decode(_encoded(x)).pixels
    raise BottegaError(
        found=f"an array of shape {x.shape} and type {x.dtype}" if isinstance(x, np.ndarray) else repr(type(x)),
        expected="a path, bytes, a PIL picture, or a uint8 array (H, W, 3), (H, W) or (H, W, 4)",
        fix="array.round().clip(0, 255).astype('uint8') makes one of numbers from 0 to 255",
    )


def _file_bytes(path: Path) -> bytes:
    """The bytes of a regular file within the size limit: a pipe would wait for ever, a film fill the memory."""
    from bottega.data.images import UnreadableError

    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise UnreadableError("a folder")
        if not stat.S_ISREG(status.st_mode):
            raise UnreadableError("no regular file")
        if status.st_size > MAX_PICTURE_BYTES:
            raise UnreadableError(f"{status.st_size:,} bytes, over the limit of {MAX_PICTURE_BYTES:,}")
        with path.open("rb") as file:
            return file.read(MAX_PICTURE_BYTES)
    except FileNotFoundError as error:
        raise UnreadableError("no such file") from error
    except OSError as error:
        raise UnreadableError(error.strerror or str(error)) from error
    except ValueError as error:  # a NUL inside the path
        raise error if isinstance(error, UnreadableError) else UnreadableError(str(error)) from error


def _encoded(image: Any) -> bytes:
    """A PIL picture as an uncompressed file, so that one place alone knows how modes and turns become RGB."""
    from bottega.data.images import UnreadableError

    buffer = io.BytesIO()
    try:
        if image.mode in PNG_MODES:
            image.save(buffer, "PNG", compress_level=0, exif=image.getexif())
        else:
            image = image if image.mode in TIFF_MODES else image.convert("RGB")
            image.save(buffer, "TIFF", exif=image.getexif())
    except (OSError, SyntaxError, ValueError, EOFError) as error:  # a picture that PIL opened but cannot load
        raise UnreadableError(str(error)) from error
    return buffer.getvalue()


def _is_picture(shape: tuple[int, ...]) -> bool:
    return len(shape) == 2 or (len(shape) == 3 and shape[2] in (3, 4))


def _batches(shapes: Sequence[tuple[int, ...]]) -> list[list[int]]:
    """Group row numbers by shape, each batch within its limits."""
    by_shape: dict[tuple[int, ...], list[int]] = {}
    for i, shape in enumerate(shapes):
        by_shape.setdefault(shape, []).append(i)
    batches = []
    for shape, rows in by_shape.items():
        size = max(1, min(MAX_BATCH, MAX_BATCH_PIXELS // max(1, shape[0] * shape[1])))
        batches += [rows[i : i + size] for i in range(0, len(rows), size)]
    return batches


def _name(x: Any, i: int) -> str:
    return os.fspath(x) if isinstance(x, (str, os.PathLike)) else f"picture {i + 1}"


def _cores() -> int:
    at_hand = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(at_hand, MAX_THREADS)


class engine_errors:  # noqa: N801 (used as `with engine_errors(...)`, reads as a function)
    """Turn what the engine raises into the user's error; its exceptions share no class but Exception."""

    def __init__(self, found: str) -> None:
        self.found = found

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if kind is None or error is None:
            return
        if kind.__module__.startswith("onnxruntime") or issubclass(kind, (MemoryError, RuntimeError, ValueError)):
            reason = " ".join(str(error).split())
            raise BottegaError(
                found=f"{self.found}: {reason[:300]}",
                expected="a model of stock operators that this machine's ONNX Runtime knows, and room in memory",
                fix="pip install -U onnxruntime, or train again: bottega train FOLDER",
            ) from error
