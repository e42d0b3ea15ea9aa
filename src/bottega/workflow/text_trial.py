"""The texts of a run as a training sees them: looked at, divided."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from bottega.data.splits import PARTS as PART_NAMES
from bottega.data.splits import Split, split
from bottega.data.table_content import codes_of, table_digests
from bottega.data.table_like import Cells
from bottega.data.text_characters import MAX_CHARACTERS
from bottega.data.text_checks import require_trainable_texts
from bottega.data.texts import TextSet, digests, text_groups
from bottega.errors import BottegaError
from bottega.problem.records import LookRecord, Progress, Rejected
from bottega.workflow.look_texts import text_record
from bottega.workflow.options import TrainOptions
from bottega.workflow.refusal import with_refusal
from bottega.workflow.table_options import TableOptions
from bottega.workflow.text_reading import ReadTexts, read_texts
from bottega.workflow.trial import in_folds, numbered

__all__ = ["LookedTexts", "look_at_text_data", "look_at_texts"]

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class LookedTexts:
    """The labelled texts of a run, in the order of their contents.

    Attributes:
        texts: as much of each as is read.
        y: (N,) class indices, -1 for a label that only the test part has.
        groups: (N,) equal for texts that are the same without case, numbers and punctuation, or of one stated group.
        read: as it was read, all of it.
        cells, frame: the columns of texts, and those that are learned from beside them, as a model takes them and as
            they were read.
    """

    source: TextSet
    texts: tuple[str, ...]
    look: LookRecord
    split: Split
    names: tuple[str, ...]
    labels: tuple[str, ...]
    classes: tuple[str, ...]
    y: Integers
    groups: Integers
    hashes: npt.NDArray[np.uint8]
    fingerprint: str
    read: ReadTexts
    cells: Cells
    frame: pl.DataFrame
    group_column: str | None = None
    noun = "text"
    is_varied = False

    @property
    def name(self) -> str:
        """Of the data."""
        return self.source.name

    @property
    def n_per_part(self) -> dict[str, int]:
        """Texts in each part of the split."""
        return {part: int((self.split.part == part).sum()) for part in PART_NAMES}

    @property
    def facts(self) -> dict[str, Any]:
        """How texts were kept together."""
        twins = {"twins": "the same without case, numbers and punctuation"}
        return twins if self.group_column is None else {**twins, "group_column": self.group_column}


def look_at_text_data(data: str, stated: TableOptions, *, progress: Progress | None = None) -> LookRecord:
    """The record of `bottega look` at texts.

    Raises:
        BottegaError: they cannot be read.
    """
    read = read_texts(data, stated, progress=progress)
    record = text_record(read.texts, tuple(read.also.kinds))
    return with_refusal(record, lambda: require_trainable_texts(read.texts))


def look_at_texts(data: str, options: TrainOptions, *, progress: Progress | None) -> LookedTexts:
    """Read texts and divide them; nothing is learned yet.

    Raises:
        BottegaError: they cannot be read, or no training can use them.
    """
    stated = options.table or TableOptions()
    read = read_texts(data, stated, progress=progress)
    source = read.texts
    look = text_record(source, tuple(read.also.kinds))
    require_trainable_texts(source, look.suspects)
    every_hash, every_group = digests(source.texts), text_groups(source.texts)
    known = [i for i, label in enumerate(source.labels) if label is not None]
    keys = [(every_hash[i].tobytes(), str(source.labels[i]), source.parts[i] or "", i) for i in known]
    order = [key[-1] for key in sorted(keys)]
    labels = tuple(str(source.labels[i]) for i in order)
    parts = [source.parts[i] for i in order]
    hashes, groups = every_hash[order], numbered(every_group[order])
    if stated.choices.group is not None and read.table is not None:
        groups = _connected(groups, codes_of(read.table.frame[stated.choices.group])[0][order], stated.choices.group)
    cells = {name: np.array(values, object)[order] for name, values in zip(read.inputs, source.cells, strict=True)}
    cells |= {name: values[order] for name, values in read.also.cells.items()}
    frame = pl.DataFrame({"text": source.texts}) if read.table is None else read.table.frame
    frame = frame.select(list(cells))[order]
    divided = split(hashes, labels, groups, given=parts, split_seed=options.split_seed)
    divided = divided if options.cv is None else in_folds(divided, options.cv, "text")
    fitted = range(len(order)) if divided.source == "cv" else np.flatnonzero(divided.part != "test").tolist()
    classes = tuple(sorted({labels[i] for i in fitted}))
    index = {name: number for number, name in enumerate(classes)}
    left_out = tuple(Rejected(source.names[i], "no target") for i, label in enumerate(source.labels) if label is None)
    return LookedTexts(
        source=source,
        texts=tuple(source.texts[i][:MAX_CHARACTERS] for i in order),
        look=replace(look, n_per_part={}, rejected=(*look.rejected, *left_out)),
        split=divided,
        names=tuple(source.names[i] for i in order),
        labels=labels,
        classes=classes,
        y=np.array([index.get(label, -1) for label in labels], np.int64),
        groups=groups,
        hashes=hashes,
        fingerprint=_fingerprint(_contents(hashes, frame.select(list(read.also.kinds))), labels, parts),
        read=read,
        cells=cells,
        frame=frame,
        group_column=stated.choices.group,
    )


def _connected(twins: Integers, stated: Integers, column: str) -> Integers:
    """(N,) equal for what near duplicates and the values of a column connect; 0 stands for no value."""
    from scipy.sparse import coo_array  # type: ignore[import-untyped]
    from scipy.sparse.csgraph import connected_components  # type: ignore[import-untyped]

    rows = np.flatnonzero(stated > 0)
    n, size = len(twins), int(twins.max()) + 1
    places = size + stated[rows] - 1
    total = size + int(stated.max())
    graph = coo_array((np.ones(len(rows)), (twins[rows], places)), shape=(total, total))
    found = numbered(connected_components(graph, directed=False)[1][:size][twins].astype(np.int64))
    if n and found.max() == 0:
        raise BottegaError(
            found=f"one group of texts by the column {column!r}",
            expected="several groups, so that some can be kept for the test",
            fix="leave --group out, or name another column",
        )
    return found


def _contents(hashes: npt.NDArray[np.uint8], beside: pl.DataFrame) -> list[bytes]:
    """Of each text, and of the cells beside it where there are such."""
    if not beside.width:
        return [digest.tobytes() for digest in hashes]
    return [digest.tobytes() + one for digest, one in zip(hashes, table_digests(beside, beside.columns), strict=True)]


def _fingerprint(contents: Sequence[bytes], labels: Sequence[str], parts: Sequence[str | None]) -> str:
    lines = sorted(
        content + label.encode("utf-8", "surrogateescape") + b"\0" + (part or "").encode()
        for content, label, part in zip(contents, labels, parts, strict=True)
    )
    return hashlib.sha256(b"".join(lines)).hexdigest()
