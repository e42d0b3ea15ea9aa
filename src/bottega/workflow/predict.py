"""`predict`: answers for files, folders and patterns; what cannot be read is listed, and the others go on."""

import glob
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bottega.errors import BottegaError
from bottega.problem.records import Progress, Rejected
from bottega.workflow.extras import missing_extra

if TYPE_CHECKING:
    from bottega.shipping.predictor import Answer, Model, Pixels

__all__ = ["models_by_target", "open_model", "predict"]

WINDOW = 64  # pictures held at once
WINDOW_PIXELS = 16 << 20  # ... and their pixels, 48 MB; one larger picture goes alone
N_DECODERS = 4


def predict(
    model: "Model | str | os.PathLike[str]",
    inputs: Any,
    *,
    progress: Progress | None = None,
) -> "tuple[list[Answer], list[Rejected]]":
    """Answer for every picture, or for every row.

    Args:
        model: a loaded model, or the path of its file.
        inputs: files, folders (to the bottom, hidden files passed over) and patterns such as `photos/**/*.jpg`; for a
            model of a table its files, a mapping from columns to values, a list of them, or a data frame.
        progress: called as pictures are answered.
    Returns:
        The answers in the order of the inputs, those of a folder by name; and what was left out, with the reason.
    Raises:
        BottegaError: nothing could be read at all; `rejected` says why, file by file.
    """
    from bottega.shipping.predictor import Model, PictureModel

    if not isinstance(model, Model):
        model = open_model(model)
    if not isinstance(model, PictureModel):
        return _texts_or_rows(model, inputs, progress)
    names = [inputs] if isinstance(inputs, (str, os.PathLike)) else list(inputs)
    paths, rejected = _expand([os.fspath(name) for name in names])
    answers: list[Answer] = []
    for window_paths, pictures in _windows(paths, rejected):
        answers += model.answers(window_paths, pictures)
        if progress is not None:
            progress("predict", len(answers) + len(rejected), len(paths))
    if not answers:
        raise _nothing_read(names, rejected)
    return answers, rejected


def _texts_or_rows(model: "Model", inputs: Any, progress: Progress | None) -> "tuple[list[Answer], list[Rejected]]":
    from bottega.shipping.text_predictor import TextModel

    if not isinstance(model, TextModel) or not (_are_paths(inputs) or isinstance(inputs, (str, os.PathLike))):
        return _rows(model, inputs, progress), []
    from bottega.workflow.predict_texts import predict_texts

    several = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
    try:
        answers, rejected = predict_texts(model, several, progress)
    except ModuleNotFoundError as error:
        if (missing := missing_extra(error)) is not None:
            raise missing from error
        raise
    if not answers:
        raise BottegaError(
            found=f"no text: {rejected[0].path!r}: {rejected[0].reason}" if rejected else "no text",
            expected="one text at least",
            fix="give a text, a .txt file, a folder of such, or a table",
            rejected=[{"path": r.path, "reason": r.reason} for r in rejected],
        )
    return answers, rejected


def _rows(model: "Model", inputs: Any, progress: Progress | None) -> "list[Answer]":
    """Answers for the rows of files, one after the other, or for rows that are given as they are."""
    answers: list[Answer] = []
    several = _are_paths(inputs)
    for one in inputs if several else [inputs]:
        if progress is not None:
            progress("reading rows", len(answers), None)
        try:
            found = model(one)
        except ModuleNotFoundError as error:
            if (missing := missing_extra(error)) is not None:
                raise missing from error
            raise
        before = f"{os.fspath(one)}: " if several and len(inputs) > 1 else ""
        found = found if isinstance(found, list) else [found]
        answers += [replace(answer, input=f"{before}{answer.input}") for answer in found]
    if not answers:
        raise BottegaError(found="no row", expected="one row at least", fix="check the file, or give the model a row")
    return answers


def _are_paths(inputs: Any) -> bool:
    return isinstance(inputs, (list, tuple)) and all(isinstance(one, (str, os.PathLike)) for one in inputs)


def open_model(model: str | os.PathLike[str]) -> "Model":
    """Open a model file once, to ask it often.

    Raises:
        BottegaError: no such file, damaged, or of another format version.
    """
    from bottega.shipping.predictor import load

    return load(model)


def models_by_target(model: "Model", target: str | None = None) -> "dict[str, Model]":
    """The models of single targets: of one that is named, of all of several, or the model itself.

    Raises:
        BottegaError: it has no such target.
    """
    if target is None and model.card.task != "several":
        return {"": model}
    from bottega.shipping.targets_predictor import TargetsModel, of_target

    if target is None and isinstance(model, TargetsModel):
        return {**model.targets}
    return {target or "": of_target(model, target)}


def _expand(names: Sequence[str]) -> tuple[list[str], list[Rejected]]:
    paths: list[str] = []
    rejected: list[Rejected] = []
    for name in names:
        if Path(name).is_dir():
            paths += _files_below(name, rejected)
        elif os.path.lexists(name) or not glob.has_magic(name):
            paths.append(name)  # one that is not there is listed when it is read
        else:
            # Path.glob takes no absolute pattern, and patterns are the user's as typed
            found = sorted(path for path in glob.glob(name, recursive=True) if not Path(path).is_dir())
            paths += found
            if not found:
                rejected.append(Rejected(name, "no file matches this pattern"))
    return paths, rejected


def _files_below(folder: str, rejected: list[Rejected]) -> list[str]:
    """Every file that is not hidden, by name; links that lead out of the folder are listed, not followed."""
    root = Path(folder).resolve()
    paths = []
    for at, folders, files in os.walk(folder, onerror=lambda e: rejected.append(_no_entry(e))):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(name for name in files if not name.startswith(".")):
            path = Path(at, name)
            if path.is_symlink() and (why := _refused_link(path, root)) is not None:
                rejected.append(Rejected(str(path), why))
            else:
                paths.append(str(path))
    return paths


def _refused_link(path: Path, root: Path) -> str | None:
    """Why a link isn't followed; None where it leads to something inside `root`."""
    try:
        target = path.resolve(strict=True)
    except (OSError, RuntimeError):  # a link to itself is the one or the other, by the version of Python
        return "a link to nothing"
    return None if target.is_relative_to(root) else "a link that leads out of the folder"


def _no_entry(error: OSError) -> Rejected:
    return Rejected(os.fspath(error.filename), error.strerror or str(error))


def _windows(paths: Sequence[str], rejected: list[Rejected]) -> "Iterator[tuple[list[str], list[Pixels]]]":
    """Decode ahead in threads, and hand on as many pictures as memory allows, in order."""
    from bottega.data.images import UnreadableError
    from bottega.shipping.predictor import pixels_of

    kept: list[str] = []
    pictures: list[Pixels] = []
    n_pixels = 0
    for path, pixels_now in _ahead(paths, pixels_of):
        try:
            pixels = pixels_now()
        except UnreadableError as error:
            rejected.append(Rejected(path, error.reason))
            continue
        kept.append(path)
        pictures.append(pixels)
        n_pixels += pixels.shape[0] * pixels.shape[1]
        if len(kept) >= WINDOW or n_pixels >= WINDOW_PIXELS:
            yield kept, pictures
            kept, pictures, n_pixels = [], [], 0
    if kept:
        yield kept, pictures


def _ahead(paths: Sequence[str], decode: "Callable[[str], Pixels]") -> "Iterator[tuple[str, Callable[[], Pixels]]]":
    """Each path with what gives its pixels; a few are decoded while the engine works on those before."""
    if len(paths) == 1:  # starting threads would cost more than it gains
        yield paths[0], partial(decode, paths[0])
        return
    with ThreadPoolExecutor(N_DECODERS) as pool:
        waiting: deque[tuple[str, Future[Pixels]]] = deque()
        for path in paths:
            waiting.append((path, pool.submit(decode, path)))
            if len(waiting) > 2 * N_DECODERS:
                first, future = waiting.popleft()
                yield first, future.result
        for first, future in waiting:
            yield first, future.result


def _nothing_read(names: Sequence[object], rejected: Sequence[Rejected]) -> BottegaError:
    if rejected:
        first = rejected[0]
        more = f", and {len(rejected) - 1:,} more" if len(rejected) > 1 else ""
        found = f"no picture could be read: {first.path!r}: {first.reason}{more}"
    else:
        found = f"no file in {', '.join(repr(str(name)) for name in names[:5]) or 'an empty list'}"
    return BottegaError(
        found=found,
        expected="one readable picture at least: JPEG, PNG, WebP, GIF, BMP, TIFF or PPM",
        fix="check the paths; bottega look FOLDER lists what is wrong with each file",
        rejected=[{"path": r.path, "reason": r.reason} for r in rejected],
    )
