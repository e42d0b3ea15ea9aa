"""Columns of texts beside the others, for `train --features`: read as words, and shipped where a model uses them."""

import math
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from bottega.data.table_features import MadeFeature
from bottega.data.table_preparation import TablePreparation, encoder_graph, graph_inputs
from bottega.data.table_words import TextEncoding, fit_text_column
from bottega.evaluation.forms import Form
from bottega.evaluation.table_forms import Widened
from bottega.workflow.features import engine

__all__ = ["WITH_WORDS", "numbers_of_words", "read_words", "without_unused"]

WITH_WORDS = "encoded, with words"
AT_ONCE = 64  # rows: the engine makes megabytes of each long text
N_TIMED = 4  # batches
Floats = npt.NDArray[np.float32]


def read_words(
    prepared: TablePreparation, texts: Mapping[str, npt.NDArray[Any]], rows: npt.NDArray[np.int64]
) -> TablePreparation:
    """The preparation with its columns of texts, their words numbered on training rows.

    Args:
        texts: (N,) cells by column, "" where missing.
        rows: numbers of the training rows.
    """
    found = (fit_text_column(name, cells[rows].tolist(), n_rows=len(cells)) for name, cells in texts.items())
    return replace(prepared, texts=tuple(one for one in found if one is not None))


def numbers_of_words(
    prepared: TablePreparation,
    texts: Mapping[str, npt.NDArray[Any]],
    *,
    threads: int = 1,
    most_seconds: float = math.inf,
) -> Floats | None:
    """(N, W) what the texts of all rows become, by the operators that ship; cells of about one length together.

    Args:
        threads: batches that are read side by side.
        most_seconds: that it may take; judged by the longest batches, which come first.
    Returns:
        None where it would take longer.
    """
    alone = TablePreparation((), prepared.texts)
    cells = [texts[one.name] for one in prepared.texts]
    lengths = np.array([sum(map(len, row)) for row in zip(*cells, strict=True)], np.int64)
    order = np.argsort(-lengths, kind="stable")
    session = engine(encoder_graph(alone), threads=1)
    numbers = np.zeros((len(order), alone.width), np.float32)

    def read(rows: npt.NDArray[np.int64]) -> None:
        numbers[rows] = session.run(None, graph_inputs(alone, {name: texts[name][rows] for name in texts}))[0]

    batches = [order[start : start + AT_ONCE] for start in range(0, len(order), AT_ONCE)]
    begun = time.perf_counter()
    for rows in batches[:N_TIMED]:
        read(rows)
    share = lengths[np.concatenate(batches[:N_TIMED])].sum() / max(1, lengths.sum()) if batches else 1.0
    if time.perf_counter() - begun > most_seconds * max(share, 1e-9) * threads:
        return None
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(read, batches[N_TIMED:]))
    return numbers


def without_unused(prepared: TablePreparation, form: Form) -> tuple[TablePreparation, Form]:
    """The preparation and the form of a file that takes only the columns of texts that the form reads."""
    if not prepared.texts or not isinstance(form, Widened):
        return replace(prepared, texts=()), form
    kept: list[TextEncoding] = []
    moved: dict[int, int] = {}
    start = now = len(prepared.features)
    for text in prepared.texts:
        places = range(start, start + text.width)
        if any(one.columns[0] in places for one in form.features):
            kept.append(text)
            moved |= {place: now + i for i, place in enumerate(places)}
            now += text.width
        start += text.width
    features = tuple(_moved(one, moved) for one in form.features)
    return replace(prepared, texts=tuple(kept)), replace(form, features=features)


def _moved(feature: MadeFeature, moved: Mapping[int, int]) -> MadeFeature:
    return replace(feature, columns=tuple(moved.get(place, place) for place in feature.columns))
