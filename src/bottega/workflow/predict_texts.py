"""`predict` with a model of texts: texts, files, folders, tables, or lines on standard input."""

import glob
import io
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from bottega.data.text_files import UnreadableTextError, read_text_file, text_files_below
from bottega.evaluation.wording import opening
from bottega.problem.records import Progress, Rejected
from bottega.shipping.text_predictor import TextModel, names_text_file

if TYPE_CHECKING:
    from bottega.shipping.predictor import Answer

__all__ = ["predict_texts"]

WINDOW = 64  # texts asked at once
SHOWN = 60  # characters of a text, as the name of its answer
STANDARD_INPUT = "-"


def predict_texts(
    model: TextModel, inputs: Sequence[str | os.PathLike[str]], progress: Progress | None
) -> "tuple[list[Answer], list[Rejected]]":
    """Answer for every text.

    Args:
        inputs: texts; .txt files, and folders of such; tables; `-` for one text a line on standard input (for a model
            of several columns: a table).
    Returns:
        The answers in the order of the inputs, those of a folder by name; and the files that can't be read.
    Raises:
        BottegaError: a table that can't be read.
    """
    answers: list[Answer] = []
    rejected: list[Rejected] = []
    for names, texts in _windows(model, inputs, rejected, answers):
        answers += model.texts(names, texts)
        if progress is not None:
            progress("texts", len(answers), None)
    return answers, rejected


def _windows(
    model: TextModel,
    inputs: Sequence[str | os.PathLike[str]],
    rejected: list[Rejected],
    answers: "list[Answer]",
) -> Iterator[tuple[list[str], list[str]]]:
    """Texts with their names, some at a time; a table between them is answered on the way."""
    names: list[str] = []
    texts: list[str] = []
    for name, text in _named(model, inputs, rejected):
        if text is None or len(texts) == WINDOW:
            if texts:
                yield names, texts
            names, texts = [], []
        if text is not None:
            names.append(name)
            texts.append(text)
            continue
        before = f"{name}: " if len(inputs) > 1 else ""
        found = model.answers(*model.read(name))
        answers += [replace(answer, input=f"{before}{answer.input}") for answer in found]
    if texts:
        yield names, texts


def _named(
    model: TextModel, inputs: Sequence[str | os.PathLike[str]], rejected: list[Rejected]
) -> Iterator[tuple[str, str | None]]:
    """Each text with its name; None in place of the text for a table."""
    for one in inputs:
        path = os.fspath(one)
        if path == STANDARD_INPUT and len(model.columns) == 1:
            yield from _lines()
        elif path == STANDARD_INPUT:
            yield path, None
        elif files := _text_files(path):
            for file in files:
                try:
                    yield file, read_text_file(file)[0]
                except UnreadableTextError as error:
                    rejected.append(Rejected(file, error.reason))
        elif os.path.isdir(path):
            rejected.append(Rejected(path, "a folder without .txt files"))
        elif names_text_file(path) and len(path.split()) == 1:
            rejected.append(Rejected(path, "no file matches" if glob.has_magic(path) else "no such file"))
        else:
            yield (opening(path, SHOWN), path) if model.is_bare(one) else (path, None)


def _text_files(path: str) -> list[str]:
    """The text files that a path, a folder or a pattern stands for."""
    if "\0" in path:
        return []
    if os.path.isdir(path):
        return text_files_below(path)
    if not names_text_file(path):
        return []
    if glob.has_magic(path) and not os.path.lexists(path):
        return sorted(file for file in glob.glob(path, recursive=True) if os.path.isfile(file))
    return [path] if os.path.lexists(path) else []


def _lines() -> Iterator[tuple[str, str]]:
    """Lines as an editor counts them: of a text's own characters such as U+2028 none ends it."""
    data = io.StringIO(sys.stdin.buffer.read().decode("utf-8-sig", "replace"), newline=None)
    for number, line in enumerate(data, start=1):
        yield f"line {number}", line.removesuffix("\n")
