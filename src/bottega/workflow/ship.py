"""From a chosen candidate to the file: built, replayed on raw pictures, sealed with its card."""

import hashlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bottega.data.profile import ImageSet
from bottega.data.splits import Split
from bottega.errors import BottegaError
from bottega.evaluation.intervals import difference, interval
from bottega.evaluation.metrics import METRICS
from bottega.models.pretrained import Pretrained
from bottega.problem.records import Candidate, Score
from bottega.shipping import bloom
from bottega.shipping.check import make_golden
from bottega.shipping.export import classifier_graph, shrink
from bottega.shipping.model_file import (
    Baseline,
    Card,
    DataCard,
    Golden,
    Thresholds,
    Weights,
    class_outputs,
    seal,
)
from bottega.shipping.predictor import ask, open_session
from bottega.shipping.snippets import snippets
from bottega.workflow.candidates import Developed, Material
from bottega.workflow.judge import Judged
from bottega.workflow.options import TrainOptions
from bottega.workflow.pictures import PREPARED
from bottega.workflow.recipe import Recipe

__all__ = ["Shipped", "Small", "ship", "ship_small", "usage"]

TOLERANCE = 1e-4  # of a probability: float32 through a hundred layers, summed in another order
SMALL_TOLERANCE = 2e-2  # of the int8 variant, whose rounding differs between processors
N_REAL_GOLDEN = 6
N_CALIBRATION = 64  # pictures that set the ranges of the int8 variant
MAX_BATCH = 8
Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Shipped:
    """A sealed file, and how far its answers on raw pictures were from those that were judged."""

    data: bytes
    graph: bytes
    card: Card
    largest_difference: float
    has_network: bool


@dataclass(frozen=True)
class Small:
    """The int8 variant: its own score on the test part, and what was lost (full minus small)."""

    data: bytes
    score: Score
    loss: Score


def ship(
    images: ImageSet,
    material: Material,
    developed: Developed,
    judged: Judged,
    layers: tuple[Any, Sequence[Any], Pretrained | None],
    *,
    options: TrainOptions,
    recipe: Recipe,
    verdict: str,
    candidates: Sequence[Candidate],
    split: Split,
    fingerprint: str,
    threads: int,
) -> Shipped:
    """Build the file and prove it.

    Raises:
        BottegaError: the file does not answer as the judged model did: nothing ships.
    """
    backbone, views, weights = layers
    finite = np.isfinite(developed.sure.threshold)
    threshold = float(np.float32(developed.sure.threshold)) if finite else None
    graph = classifier_graph(
        developed.chosen.form,
        material.classes,
        temperature=developed.temperature,
        threshold=threshold,
        backbone=backbone,
        views=views,
    )
    rows = judged.tested.rows[judged.tested.once]
    expected = judged.tested.probabilities[judged.tested.once]
    if split.source == "cv":  # the folds were answered by other models: compare the one that ships with its own answers
        expected = _final_answers(material, developed, rows)
    largest = _replay(graph, images, rows, expected, material.classes, threads)
    card = Card(
        task="classification",
        modality="images",
        labels=material.classes,
        outputs=class_outputs(material.n_classes),
        thresholds=Thresholds(threshold, developed.sure.why, developed.sure.sure_at),
        temperature=developed.temperature,
        metric=options.metric,
        metrics=judged.metrics,
        test_source=split.source,
        baselines=tuple(Baseline(one.name, one.kind, one.test, one.relation) for one in candidates),
        chosen=developed.choice.name,
        verdict=verdict,
        data=_data_card(material, split, fingerprint),
        recipe=recipe.card(),
        versions=dict(recipe.versions),
        weights=() if weights is None else (Weights(weights.name, weights.licence, weights.sha256, weights.source),),
        golden=_golden(graph, images, rows, material, options),
        tolerance=TOLERANCE,
        filter=bloom.build(images.hashes[_used(split)]) if options.filter else None,
    )
    return Shipped(seal(graph, card), graph, card, largest, backbone is not None)


def ship_small(
    shipped: Shipped, images: ImageSet, material: Material, judged: Judged, *, metric: str, threads: int
) -> Small | None:
    """The int8 variant with its measured loss on the test part; None where there is no network to shrink."""
    if not shipped.has_network:
        return None
    rows = judged.tested.rows[judged.tested.once]
    outside = np.setdiff1d(np.arange(len(images)), rows)
    samples = outside if len(outside) else rows
    picked = samples[np.unique(np.linspace(0, len(samples) - 1, min(N_CALIBRATION, len(samples))).astype(np.int64))]
    graph = shrink(shipped.graph, [images.pixels(int(i))[None] for i in picked])
    probabilities, _ = _answers(graph, images, rows, material.n_classes, threads)
    y, groups = material.y[rows], material.groups[rows]
    measure = METRICS[metric]
    score = interval(measure, y, probabilities, groups, 0)
    loss = difference(measure, y, judged.tested.probabilities[judged.tested.once], probabilities, groups)
    card = replace(
        shipped.card,
        metrics={metric: score},
        golden=make_golden(graph, n_classes=material.n_classes),
        tolerance=SMALL_TOLERANCE,
        recipe={**shipped.card.recipe, "variant": "int8"},
    )
    return Small(seal(graph, card), score, loss)


def usage(shipped: Shipped, path: Path, classes: Sequence[str]) -> dict[str, Any]:
    """What the report says about the file: code in five languages, its size and hash, what it does inside."""
    code: Mapping[str, str] = snippets(str(path), classes)
    view = "a frozen pretrained network and a head" if shipped.has_network else "a small model"
    return {
        "snippets": {"Command line": f"bottega predict {path} photo.jpg", **code},
        "model_file": {"bytes": len(shipped.data), "sha256": hashlib.sha256(shipped.data).hexdigest()},
        "prepared": f"Raw pixels of any size go in: {PREPARED['resize']}; {PREPARED['scale']}; {view}; "
        "probabilities, label and `sure` come out.",
    }


def _final_answers(material: Material, developed: Developed, rows: npt.NDArray[np.int64]) -> Numbers:
    from bottega.evaluation.calibration import apply_temperature
    from bottega.workflow.candidates import answer

    chosen = developed.chosen
    logits = answer(chosen.form, material.views[chosen.spec.view][rows], material.n_classes)
    return apply_temperature(logits, developed.temperature)


def _replay(
    graph: bytes,
    images: ImageSet,
    rows: npt.NDArray[np.int64],
    expected: Numbers,
    classes: Sequence[str],
    threads: int,
) -> float:
    """Ask the file for every test picture, from raw pixels; returns the largest difference of a probability.

    Raises:
        BottegaError: it is over the tolerance, or a label differs that the tolerance doesn't explain.
    """
    probabilities, labels = _answers(graph, images, rows, len(classes), threads)
    gaps = np.abs(probabilities - expected).max(1) if len(rows) else np.zeros(0)
    said = np.array([classes.index(label) for label in labels], dtype=np.int64)
    places = np.arange(len(rows))
    lost = expected.max(1) - expected[places, said] if len(rows) else np.zeros(0)
    bad = np.flatnonzero((gaps > TOLERANCE) | (lost > 2 * TOLERANCE))
    if len(bad):
        worst = int(bad[np.argmax(gaps[bad])])
        raise BottegaError(
            found=f"{len(bad)} of {len(rows)} test pictures get another answer from the file than in training, "
            f"by up to {gaps[worst]:.2g}",
            expected=f"probabilities within {TOLERANCE:g}",
            fix="nothing shipped; this is a fault of ours: please report it with the run's recipe.toml",
            where=images.names[int(rows[worst])],
        )
    return float(gaps.max(initial=0.0))


def _answers(
    graph: bytes, images: ImageSet, rows: npt.NDArray[np.int64], n_classes: int, threads: int
) -> tuple[Numbers, list[str]]:
    """Probabilities (T, C) and labels of the whole file on decoded raw pictures."""
    session = open_session(graph, threads=1)
    by_size: dict[tuple[int, int], list[int]] = {}
    for place, i in enumerate(rows.tolist()):
        by_size.setdefault((int(images.sizes[i, 0]), int(images.sizes[i, 1])), []).append(place)
    jobs = [m[start : start + MAX_BATCH] for m in by_size.values() for start in range(0, len(m), MAX_BATCH)]

    def work(places: list[int]) -> tuple[list[str], Any]:
        labels, probabilities, _ = ask(session, np.stack([images.pixels(int(rows[p])) for p in places]), n_classes)
        return list(labels), probabilities

    found = np.zeros((len(rows), n_classes))
    said = [""] * len(rows)
    with ThreadPoolExecutor(threads) as pool:
        for places, (labels, probabilities) in zip(jobs, pool.map(work, jobs), strict=True):
            found[places] = probabilities
            for place, label in zip(places, labels, strict=True):
                said[place] = label
    return found, said


def _used(split: Split) -> npt.NDArray[np.bool_]:
    """Examples that training saw, to fit or to choose."""
    return np.ones(len(split.part), bool) if split.source == "cv" else split.part != "test"


def _data_card(material: Material, split: Split, fingerprint: str) -> DataCard:
    per_part = {part: int((split.part == part).sum()) for part in ("train", "val", "test")}
    per_class = {name: int((material.y == number).sum()) for number, name in enumerate(material.classes)}
    return DataCard(fingerprint, per_part, per_class)


def _golden(
    graph: bytes, images: ImageSet, rows: npt.NDArray[np.int64], material: Material, options: TrainOptions
) -> tuple[Golden, ...]:
    if options.golden == "made-up":
        return make_golden(graph, n_classes=material.n_classes)
    picked = rows[np.unique(np.linspace(0, len(rows) - 1, min(N_REAL_GOLDEN, len(rows))).astype(np.int64))]
    return make_golden(graph, n_classes=material.n_classes, pictures=[images.pixels(int(i)) for i in picked])
