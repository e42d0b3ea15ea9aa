"""`explain` on texts: take words out, and ask the file again."""

import os
import time
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import numpy.typing as npt

from bottega.data.table_like import Cells
from bottega.data.text_files import text_files_below, text_of_file
from bottega.errors import BottegaError
from bottega.problem.records import Progress
from bottega.problem.understanding_records import Words
from bottega.shipping.text_predictor import TextModel, names_text_file
from bottega.understanding.occlusion import FEWEST_TEXTS, MAX_WORDS, common_words, text_words, words_of
from bottega.workflow.explain_table import Explained, place_of
from bottega.workflow.table_options import part_files

__all__ = ["explain_texts"]

SECONDS = 20.0  # about what taking words out may take
STEPS = (500, 200, 100, 50)  # texts
N_TIMED = 8
BETWEEN = "\x1f"  # a unit separator between the columns of one row; no word has it

Numbers = npt.NDArray[np.float64]


def explain_texts(
    model: TextModel, data: str, *, row: int | None, n_texts: int | None, seed: int, progress: Progress | None
) -> Explained:
    """The words that many answers hang on; or those of one text.

    Args:
        data: a table with the model's columns, a folder of .txt files, one such file, or a text itself.
        row: of the table.
    Raises:
        BottegaError: a column is missing, no row of this number, or too few texts to have words in common.
    """
    path = data if model.is_bare(data) else part_files(data).get("test", data)
    names, cells = _read(model, path)
    if not names:
        raise BottegaError(found="no text", expected="one text at least", fix="check the path", where=path)
    texts = _joined(model, cells)
    asks = [partial(_ask, model, cells, i) for i in range(len(texts))]
    target, labels = model.table.target, model.labels
    if row is not None or len(texts) == 1:
        place = 0 if row is None else _place_of(row, names, path)
        probabilities = asks[place]([texts[place]])[0]
        said = int(np.argmax(probabilities))
        words = text_words(asks[place], texts[place], labels)
        answer = labels[said], float(probabilities[said])
        return Explained(target, _cut([texts[place]]), words=Words(len(texts), 1, words, names[place], *answer))
    if len(texts) < FEWEST_TEXTS:
        raise BottegaError(
            found=f"{len(texts)} texts",
            expected=f"one text, or {FEWEST_TEXTS} and more to find the words that their answers have in common",
            fix="--row N for one of them" if names[0].startswith("row ") else f"name one of them: {names[0]}",
        )
    wanted = n_texts or _affordable(asks, texts)
    rows = np.arange(len(texts))
    if wanted < len(texts):
        rows = np.sort(np.random.default_rng([seed, 0x74657874]).choice(len(texts), wanted, replace=False))

    def tell(done: int) -> None:
        if progress is not None:
            progress("taking words out", done, len(rows))

    found = common_words([(asks[i], texts[i]) for i in rows.tolist()], labels, tell=tell)
    return Explained(target, _cut([texts[i] for i in rows.tolist()]), words=Words(len(texts), len(rows), found))


def _place_of(row: int, names: list[str], path: str) -> int:
    if names[0].startswith("row "):
        return place_of(row, names, path)
    raise BottegaError(
        found=f"--row {row} for {'a text' if len(names) == 1 else 'files'}, not for a table",
        expected="the number of a row of a table",
        fix="leave --row out" if len(names) == 1 else f"name one of the files, as in {names[0]}",
    )


def _cut(texts: Sequence[str]) -> tuple[str, ...]:
    """What is said about texts of which not every word was taken out."""
    n = sum(len(words_of(text)) > MAX_WORDS for text in texts)
    if not n:
        return ()
    of = "the text" if len(texts) == 1 else "1 text" if n == 1 else f"{n:,} texts"
    return (f"of {of} only the first {MAX_WORDS} different words were taken out",)


def _read(model: TextModel, data: str) -> tuple[list[str], Cells]:
    """Names and cells: of a table, of text files, or of what is no file but a text."""
    if model.is_bare(data):
        return ["the text"], {model.one_column(): np.array([data], object)}
    if os.path.isdir(data) or names_text_file(data):
        paths = text_files_below(data) if os.path.isdir(data) else [data]
        return paths, {model.one_column(): np.array([text_of_file(path) for path in paths], object)}
    return model.read(data)


def _columns_of_text(model: TextModel) -> list[str]:
    return [one.column for one in model.columns if one.kind == "text"]


def _joined(model: TextModel, cells: Cells) -> list[str]:
    """The columns of text of each row as one."""
    columns = [cells[name].tolist() for name in _columns_of_text(model)]
    return [BETWEEN.join(str(cell).replace(BETWEEN, " ") for cell in row) for row in zip(*columns, strict=True)]


def _ask(model: TextModel, cells: Cells, place: int, texts: list[str]) -> Numbers:
    """Probabilities (n, n_classes) of a row with other texts; its other cells stay."""
    asked = {name: np.repeat(column[place : place + 1], len(texts)) for name, column in cells.items()}
    columns = zip(*(text.split(BETWEEN) for text in texts), strict=True)
    asked |= {name: np.array(column, object) for name, column in zip(_columns_of_text(model), columns, strict=True)}
    return model.predict_batch(asked)["probabilities"].astype(np.float64)


def _affordable(asks: Sequence[Callable[[list[str]], Numbers]], texts: list[str]) -> int:
    """How many texts can be taken apart within the time: one of a few steps."""
    places = range(0, len(texts), max(1, len(texts) // N_TIMED))
    asks[0](texts[:1])
    began = time.perf_counter()
    for place in places:
        asks[place]([texts[place]] * N_TIMED)
    each = (time.perf_counter() - began) / (len(places) * N_TIMED)
    each *= 1 + float(np.mean([min(MAX_WORDS, len(words_of(texts[place]))) for place in places]))
    return next((step for step in STEPS if step * each <= SECONDS), STEPS[-1])
