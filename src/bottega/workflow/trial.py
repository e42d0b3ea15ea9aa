"""What one training knows: the data once they were looked at and divided, and then what was learned and judged."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from bottega.data.checks import labelled, require_trainable
from bottega.data.layout import UNLABELLED
from bottega.data.profile import ImageSet, RowStore, profile, select
from bottega.data.sources import open_source
from bottega.data.splits import PARTS, Split, split
from bottega.data.twins import group_by_name
from bottega.errors import BottegaError, found_in
from bottega.problem.records import Candidate, LookRecord, Progress, SeedSpread
from bottega.workflow.account import Account
from bottega.workflow.candidates import Developed, Material
from bottega.workflow.judge import Judged
from bottega.workflow.look import look_record
from bottega.workflow.options import TrainOptions
from bottega.workflow.recipe import Recipe

__all__ = ["Examples", "Looked", "Seen", "Trial", "in_folds", "look_at", "numbered", "split_facts"]


class Examples(Protocol):
    """What a training asks of its data once they were looked at and divided, be they pictures or rows."""

    @property
    def noun(self) -> str:
        """What one example is called."""

    @property
    def name(self) -> str:
        """Of the data."""

    @property
    def names(self) -> Sequence[str]:
        """(N,) of each example, as a person finds it again."""

    @property
    def labels(self) -> Sequence[str]:
        """(N,) what each one is, as text."""

    @property
    def hashes(self) -> npt.NDArray[np.uint8]:
        """(N, 32) of contents, without the label."""

    @property
    def look(self) -> LookRecord:
        """What was found."""

    @property
    def split(self) -> Split:
        """The part of each example."""

    @property
    def classes(self) -> tuple[str, ...]:
        """What may be answered; () for values."""

    @property
    def fingerprint(self) -> str:
        """SHA-256 of contents, labels and given parts; names and order don't count."""

    @property
    def n_per_part(self) -> dict[str, int]:
        """Examples in each part of the split."""

    @property
    def is_varied(self) -> bool:
        """Whether unrelated examples look different, so that a look-alike means something."""

    @property
    def facts(self) -> dict[str, Any]:
        """What the recipe states about the split beside the counts."""


Seen = TypeVar("Seen", bound=Examples)
LOOK_ALIKE = 0.9  # twin thresholds above it: even unrelated pictures look alike (data/twins.py)


@dataclass(frozen=True)
class Looked:
    """The pictures of a run, looked at and divided.

    Attributes:
        everything: all readable pictures, the unlabelled ones too.
        rows: (N,) places in `everything` of the labelled ones, in the order of their contents: names don't count.
        images: the labelled ones; row by row as all that follows.
        classes: what may be answered: the labels outside the test part.
        y: (N,) indices of the classes; -1 for a label that only the test part has.
        groups: (N,) equal for twins, or as `--group-by` says.
        fingerprint: SHA-256 of contents, labels and given parts; names and order don't count.
    """

    everything: ImageSet
    rows: npt.NDArray[np.int64]
    images: ImageSet
    look: LookRecord
    split: Split
    classes: tuple[str, ...]
    y: npt.NDArray[np.int64]
    groups: npt.NDArray[np.int64]
    fingerprint: str

    noun = "picture"

    @property
    def name(self) -> str:
        """Of the data."""
        return self.images.name

    @property
    def names(self) -> Sequence[str]:
        """Path of each labelled picture inside the data."""
        return self.images.names

    @property
    def hashes(self) -> npt.NDArray[np.uint8]:
        """(N, 32) of the contents."""
        return self.images.hashes

    @property
    def is_varied(self) -> bool:
        """True for photos, not for digits."""
        return self.everything.twin_threshold < LOOK_ALIKE

    @property
    def facts(self) -> dict[str, Any]:
        """From which likeness on pictures counted as twins."""
        return {"twin_threshold": self.everything.twin_threshold}

    @property
    def labels(self) -> list[str]:
        """The label of each labelled picture."""
        return [str(label) for label in self.images.labels]

    @property
    def outside(self) -> npt.NDArray[np.int64]:
        """Places in `everything` of the pictures that are looked at only."""
        return np.flatnonzero([part == UNLABELLED for part in self.everything.parts])

    @property
    def n_per_part(self) -> dict[str, int]:
        """Pictures in each part of the split."""
        return {part: int((self.split.part == part).sum()) for part in PARTS}

    def material(self, vectors: Mapping[str, npt.NDArray[np.float32]]) -> Material:
        """What candidates are fitted on, from vectors of `everything`."""
        views = {name: x[self.rows] for name, x in vectors.items()}
        return Material(views, self.y, self.groups, self.split.group_names, self.labels, self.classes)


@dataclass(frozen=True)
class Trial(Generic[Seen]):
    """A training that was judged: what goes into the record, the file and the report."""

    options: TrainOptions
    recipe: Recipe
    looked: Seen
    material: Material
    developed: Developed
    judged: Judged
    candidates: tuple[Candidate, ...]
    account: Account
    seeds: SeedSpread | None = None

    @property
    def threads(self) -> int:
        """Workers, as the recipe says."""
        return int(self.recipe.training["threads"])

    def class_answers(self) -> tuple[list[str], Iterator[list[str]]]:
        """Head and lines of predictions.csv: one for each test example."""
        looked, tested = self.looked, self.judged.tested
        once = tested.once
        found, said = tested.predictions[once], self.material.said(tested.predictions[once]).tolist()
        rows = zip(tested.rows[once].tolist(), found, tested.sure[once], said, strict=True)
        return ["input", "label", "answer", "sure", *looked.classes], (
            [
                looked.names[i],
                looked.labels[i],
                looked.classes[said],
                "true" if sure else "false",
                *(f"{one:.6g}" for one in p.tolist()),
            ]
            for i, p, sure, said in rows
        )


def look_at(data: str, options: TrainOptions, *, store: RowStore, progress: Progress | None) -> Looked:
    """Read DATA and divide it; nothing is learned yet.

    Raises:
        BottegaError: it cannot be opened, or no training can use it.
    """
    everything = profile(open_source(data), progress=progress, store=store)
    require_trainable(everything)
    chosen = _in_order_of_content(everything)
    images = select(everything, chosen)
    groups = images.twin_groups
    if options.group_by is not None:
        groups = group_by_name(images.names, groups, options.group_by)
        _require_groups(images, groups, options.group_by)
    labels = [str(label) for label in images.labels]
    groups = numbered(groups)
    divided = split(images.hashes, labels, groups, given=images.parts, split_seed=options.split_seed)
    divided = divided if options.cv is None else in_folds(divided, options.cv, "picture")
    rows = np.arange(len(labels)) if divided.source == "cv" else np.flatnonzero(divided.part != "test")
    classes = tuple(sorted({labels[i] for i in rows}))
    index = {name: number for number, name in enumerate(classes)}
    y = np.array([index.get(label, -1) for label in labels], np.int64)
    look = look_record(everything, group_by=options.group_by)
    return Looked(everything, chosen, images, look, divided, classes, y, groups, _fingerprint(images, labels))


def in_folds(divided: Split, k: int, noun: str) -> Split:
    """Judged by folds because that was asked for.

    Raises:
        BottegaError: a test part came with the data, or there are too few groups.
    """
    if divided.source == "given":
        raise BottegaError(
            found="--cv with a test part that came with the data",
            expected="one way to judge: the given part, or folds",
            fix=f"leave out --cv, or move the {noun}s of the test part to the others",
        )
    if divided.n_groups < k:
        raise BottegaError(
            found=f"--cv {k} with {divided.n_groups} groups of {noun}s",
            expected="at least one group for each fold",
            fix=f"--cv {max(2, divided.n_groups)}",
        )
    note = f"every {noun} was answered once, in {k} folds, as --cv asked"
    return replace(divided, source="cv", notes=(*divided.notes, note))


def _in_order_of_content(everything: ImageSet) -> npt.NDArray[np.int64]:
    """Places of the labelled pictures: sums and draws go through them in an order that no renaming changes."""
    keys = [
        (everything.hashes[i].tobytes(), str(everything.labels[i]), everything.parts[i] or "", i)
        for i in labelled(everything).tolist()
    ]
    return np.array([key[-1] for key in sorted(keys)], np.int64)


def _require_groups(images: ImageSet, groups: npt.NDArray[np.int64], pattern: str) -> None:
    """Refuse a `--group-by` that makes one group of a whole class: it could only be trained on or tested on."""
    labels = np.array([str(label) for label in images.labels])
    alone = [name for name in np.unique(labels).tolist() if len(np.unique(groups[labels == name])) < 2]
    if alone:
        raise BottegaError(
            found=f"--group-by {pattern!r} puts all pictures of {found_in(alone)} into one group",
            expected="several groups in each class, each a shot or a subject",
            fix="match more of the path than the class, as in --group-by '^[^/]+/([^_]+)_'",
        )


def numbered(groups: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The same groups, numbered as they first appear: intervals draw them by their numbers."""
    _, first, index = np.unique(groups, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[index]


def split_facts(looked: Examples) -> dict[str, Any]:
    """The split as the recipe states it."""
    divided = looked.split
    return {
        "source": divided.source,
        **looked.n_per_part,
        "n_groups": divided.n_groups,
        "by_rank": divided.by_rank,
        **looked.facts,
    }


def _fingerprint(images: ImageSet, labels: list[str]) -> str:
    lines = sorted(
        images.hashes[i].tobytes()
        + labels[i].encode("utf-8", "surrogateescape")
        + b"\0"
        + (images.parts[i] or "").encode()
        for i in range(len(labels))
    )
    return hashlib.sha256(b"".join(lines)).hexdigest()
