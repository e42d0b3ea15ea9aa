"""The evidence of a report: small pictures, counts and curves, gathered from a finished run."""

import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from bottega.data.profile import ImageSet
from bottega.evaluation.abstention import coverage_curve
from bottega.evaluation.calibration import reliability
from bottega.evaluation.evidence import (
    Confusion,
    CoveragePoint,
    Curve,
    CurvePoint,
    Evidence,
    Learning,
    Member,
    Mistake,
    ReliabilityBin,
    Thumbnail,
    Unlabelled,
)
from bottega.evaluation.wording import in_words
from bottega.problem.records import Twin
from bottega.workflow.candidates import Answered, Material
from bottega.workflow.illustrate_training import epoch_curve, learning
from bottega.workflow.judge import Judged
from bottega.workflow.own_network import VIEW, OwnNetwork
from bottega.workflow.trial import Looked, Trial

__all__ = ["Outside", "Use", "chosen_point", "coverage_points", "gather", "reliability_bins", "table_of_answers"]

SIDE = 96  # px
N_MISTAKES = 12
N_GROUPS = 12  # conflicts and twins that are shown with pictures
N_MEMBERS = 6
N_CELLS = 60  # confusion cells with an example picture
N_OUTSIDE = 8


@dataclass(frozen=True)
class Outside:
    """Answers on pictures outside the classes: indices in the whole set, probabilities (U, C), sure (U,)."""

    rows: npt.NDArray[np.int64]
    probabilities: npt.NDArray[np.float64]
    sure: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Use:
    """What the report says about the file and how it came to be."""

    snippets: Mapping[str, str] = field(default_factory=dict)
    reproduce: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    recipe: str = ""
    model_file: Mapping[str, object] = field(default_factory=dict)
    prepared: str = ""


def gather(trial: Trial[Looked], outside: Outside | None, use: Use, own: OwnNetwork | None = None) -> Evidence:
    """Collect what the report shows beside the record.

    Args:
        own: the network that was trained, if one was.
    """
    images, everything, look = trial.looked.images, trial.looked.everything, trial.looked.look
    material, developed, judged = trial.material, trial.developed, trial.judged
    metric = trial.options.metric
    album = _Album(images)
    tested = judged.tested
    once = tested.once
    rows, probabilities = tested.rows[once], tested.predictions[once]
    y, groups = material.y[rows], material.groups[rows]
    return replace(
        shared_evidence(trial, use),
        confusion=_confusion(album, material, rows, probabilities),
        mistakes=tuple(_mistakes(album, material, developed.chosen, rows, probabilities)),
        conflicts=tuple(_groups(album, [twin for twin in look.twins if twin.is_conflict])),
        twins=tuple(_groups(album, [twin for twin in look.twins if not twin.is_conflict])),
        reliability=reliability_bins(y, probabilities, groups),
        ece=judged.metrics.get("ece"),
        coverage=coverage_points(y, probabilities, groups),
        chosen_coverage=chosen_point(judged),
        curve=_strengths(developed.chosen),
        history=epoch_curve(own.learned, metric) if own is not None and own.learned else None,
        learning=_learning(trial, own),
        unlabelled=_unlabelled(everything, material, outside) if outside is not None else None,
    )


def shared_evidence(trial: Trial[Any], use: Use) -> Evidence:
    """What every report shows beside the record, of pictures, rows and texts."""
    looked, judged, metric = trial.looked, trial.judged, trial.options.metric
    return Evidence(
        data_name=looked.name,
        n_pictures=len(looked.names),
        noun=looked.noun,
        n_per_class=looked.look.n_per_class,
        naive=judged.naive,
        grouped=judged.metrics[metric],
        without_twins=judged.metrics.get(f"{metric}_without_twins"),
        snippets=use.snippets,
        reproduce=use.reproduce,
        versions=use.versions,
        recipe=use.recipe,
        model_file=use.model_file,
        prepared=use.prepared,
    )


def reliability_bins(
    y: npt.NDArray[np.int64], probabilities: npt.NDArray[np.float64], groups: npt.NDArray[np.int64]
) -> tuple[ReliabilityBin, ...]:
    """Stated against true."""
    bins = reliability(y, probabilities, groups)
    columns = bins.confidence, bins.accuracy, bins.low, bins.high, bins.n
    return tuple(ReliabilityBin(*values) for values in zip(*columns, strict=True))


def coverage_points(
    y: npt.NDArray[np.int64],
    probabilities: npt.NDArray[np.float64],
    groups: npt.NDArray[np.int64],
    said: npt.NDArray[np.int64] | None = None,
) -> tuple[CoveragePoint, ...]:
    """Accuracy against the share answered; `said` (N,) where that isn't the most probable answer."""
    curve = coverage_curve(y, probabilities, groups, said=said)
    columns = curve.coverage, curve.accuracy, curve.low, curve.high, curve.threshold
    return tuple(CoveragePoint(*point) for point in zip(*columns, strict=True))


def _learning(trial: Trial[Looked], own: OwnNetwork | None) -> Learning | None:
    if own is None:
        return None
    seen = np.setdiff1d(np.arange(len(trial.material.y)), trial.judged.tested.rows)
    pixels = trial.material.views[VIEW]
    return learning(own, pixels[seen] if len(seen) else pixels)


class _Album:
    """Thumbnails, each made once."""

    def __init__(self, images: ImageSet) -> None:
        self.images = images
        self.index = {name: i for i, name in enumerate(images.names)}
        self._made: dict[int, Thumbnail] = {}

    def picture(self, i: int) -> Thumbnail:
        if i not in self._made:
            self._made[i] = _thumbnail(self.images.pixels(i), self.images.labels[i] or "", self.images.names[i])
        return self._made[i]

    def member(self, name: str, label: str) -> Member:
        i = self.index.get(name)
        return Member(None if i is None else self.picture(i), label, name)


def _thumbnail(pixels: npt.NDArray[np.uint8], label: str, name: str) -> Thumbnail:
    """A JPEG, or a PNG where that is smaller (drawings, tiny pictures)."""
    from PIL import Image

    image = Image.fromarray(pixels)
    if max(image.size) > SIDE:
        image.thumbnail((SIDE, SIDE))
    encoded = []
    for kind, options in (("JPEG", {"quality": 82}), ("PNG", {})):
        buffer = io.BytesIO()
        image.save(buffer, kind, **options)
        encoded.append(buffer.getvalue())
    alt = f"{name}, labelled {label}" if label else name
    return Thumbnail(min(encoded, key=len), image.width, image.height, alt)


def _confusion(
    album: _Album, material: Material, rows: npt.NDArray[np.int64], probabilities: npt.NDArray[np.float64]
) -> Confusion:
    labels, truth, matrix = table_of_answers(material, rows, probabilities)
    said = probabilities.argmax(1)
    cells = sorted(
        ((i, j) for i, j in zip(*np.nonzero(matrix), strict=True)), key=lambda c: (c[0] == c[1], -matrix[c], c)
    )
    examples = {}
    for i, j in cells[:N_CELLS]:
        inside = np.flatnonzero((truth == i) & (said == j))
        surest = inside[probabilities[inside, j].argmax()]
        examples[int(i), int(j)] = album.picture(int(rows[surest]))
    return Confusion.from_matrix(labels, matrix.tolist(), examples)


def table_of_answers(
    material: Material, rows: npt.NDArray[np.int64], probabilities: npt.NDArray[np.float64]
) -> tuple[tuple[str, ...], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Labels, the true one of each row by its place among them, and counts [truth][answer].

    Labels that only the test part has come last.
    """
    n, said = material.n_classes, material.said(probabilities)
    y = material.y[rows]
    strangers = sorted({material.labels[i] for i in rows[y < 0].tolist()})
    truth = y.copy()
    for place in np.flatnonzero(y < 0).tolist():
        truth[place] = n + strangers.index(material.labels[int(rows[place])])
    matrix = np.zeros((n + len(strangers), n + len(strangers)), np.int64)
    np.add.at(matrix, (truth, said), 1)
    return (*material.classes, *strangers), truth, matrix


def _mistakes(
    album: _Album,
    material: Material,
    chosen: Answered,
    rows: npt.NDArray[np.int64],
    probabilities: npt.NDArray[np.float64],
) -> list[Mistake]:
    """The surest wrong answers, each with the picture outside the test part that it resembles most."""
    said, sureness = probabilities.argmax(1), probabilities.max(1)
    wrong = np.flatnonzero(said != material.y[rows])
    wrong = wrong[np.argsort(-sureness[wrong], kind="stable")][:N_MISTAKES]
    vectors = material.views[chosen.spec.view]
    vectors = vectors if vectors.ndim == 2 else material.views["plain"]  # pixels lie far apart when a picture moves
    seen = np.setdiff1d(np.arange(len(material.y)), rows)
    found = []
    for place in wrong.tolist():
        i = int(rows[place])
        others = seen if len(seen) else np.flatnonzero(material.groups != material.groups[i])
        near = int(others[_nearest(vectors, i, others)]) if len(others) else None
        found.append(
            Mistake(
                picture=album.picture(i),
                truth=material.labels[i],
                answer=material.classes[int(said[place])],
                probability=float(sureness[place]),
                name=album.images.names[i],
                nearest=None if near is None else album.picture(near),
                nearest_label="" if near is None else material.labels[near],
                nearest_name="" if near is None else album.images.names[near],
            )
        )
    return found


def _nearest(vectors: npt.NDArray[np.float32], i: int, others: npt.NDArray[np.int64]) -> int:
    """Index into `others` of the vector with the greatest cosine."""
    lengths = np.linalg.norm(vectors[others], axis=1) + 1e-12
    return int(np.argmax(vectors[others] @ vectors[i] / lengths))


def _groups(album: _Album, twins: Sequence[Twin]) -> list[tuple[Member, ...]]:
    ordered = sorted(twins, key=lambda twin: (twin.kind != "exact", -len(twin.members)))
    return [
        tuple(
            album.member(name, label) for name, label in list(zip(twin.members, twin.labels, strict=True))[:N_MEMBERS]
        )
        for twin in ordered[:N_GROUPS]
    ]


def chosen_point(judged: Judged) -> CoveragePoint | None:
    """Where `sure` stands."""
    sure = judged.sure
    if sure["threshold"] is None or sure["accuracy"] is None:
        return None
    accuracy = sure["accuracy"]
    return CoveragePoint(sure["coverage"], accuracy.score, accuracy.low, accuracy.high, sure["threshold"])


def _strengths(chosen: Answered) -> Curve | None:
    """Validation loss against the strength of the penalty, for the linear heads."""
    tried: list[list[float]] = chosen.setting.get("tried", [])
    if len(tried) < 2:
        return None
    points = tuple(CurvePoint(math.log10(strength), f"{strength:g}", None, loss) for strength, loss in tried)
    best = min(tried, key=lambda pair: pair[1])
    ends = best[0] in (tried[0][0], tried[-1][0])
    rest = "weaker ones begin to learn the training pictures by heart."
    if ends:
        rest = f"it is the {'strongest' if best[0] == max(tried)[0] else 'weakest'} one tried."
    sentence = (
        f"Of {in_words(len(tried))} strengths of the penalty that keeps the weights small, {best[0]:g} had the least "
        f"validation loss ({best[1]:.3f}); {rest}"
    )
    return Curve(points, sentence, "strength of the penalty", "log loss", math.log10(best[0]))


def _unlabelled(everything: ImageSet, material: Material, outside: Outside) -> Unlabelled:
    surest = outside.rows[np.argsort(-outside.probabilities.max(1), kind="stable")][:N_OUTSIDE]
    said = dict(zip(outside.rows.tolist(), outside.probabilities.argmax(1).tolist(), strict=True))
    members = tuple(
        Member(
            _thumbnail(everything.pixels(i), "", everything.names[i]),
            material.classes[said[i]],
            everything.names[i],
        )
        for i in surest.tolist()
    )
    return Unlabelled(len(outside.rows), int(outside.sure.sum()), "", members)
