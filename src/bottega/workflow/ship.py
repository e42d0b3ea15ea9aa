"""From a chosen candidate to the file: built, replayed on raw pictures, sealed with its card."""

import hashlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bottega.data.splits import Split
from bottega.errors import BottegaError
from bottega.evaluation.calibration import apply_temperature
from bottega.evaluation.intervals import difference, interval
from bottega.evaluation.metrics import METRICS
from bottega.problem.records import Score
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
from bottega.workflow.candidates import Developed, answer
from bottega.workflow.features import batches
from bottega.workflow.pictures import Below
from bottega.workflow.trial import Looked, Trial

__all__ = ["Shipped", "Small", "card_facts", "ship", "ship_small", "thresholds_of", "usage", "used_rows"]

TOLERANCE = 1e-4  # of a probability: float32 through a hundred layers, summed in another order
SMALL_TOLERANCE = 2e-2  # of the int8 variant, whose rounding differs between processors
N_REAL_GOLDEN = 6
N_CALIBRATION = 64  # pictures that set the ranges of the int8 variant
Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Shipped:
    """A sealed file, and how far its answers on raw pictures were from those that were judged."""

    data: bytes
    graph: bytes
    card: Card
    largest_difference: float
    words: str  # what stands below the fitted part
    has_network: bool  # a pretrained one, whose products can be shrunk to 8 bits


@dataclass(frozen=True)
class Small:
    """The int8 variant: its own score on the test part, and what was lost (full minus small)."""

    data: bytes
    score: Score
    loss: Score


def ship(trial: Trial[Looked], below: Below) -> Shipped:
    """Build the file and prove it.

    Args:
        below: what stands below the candidate that was chosen.
    Raises:
        BottegaError: the file does not answer as the judged model did: nothing ships.
    """
    weights = below.weights
    material, developed, looked = trial.material, trial.developed, trial.looked
    thresholds = thresholds_of(developed)
    graph = classifier_graph(
        developed.chosen.form,
        material.classes,
        temperature=developed.temperature,
        threshold=thresholds.sure,
        prepare=below.prepare,
    )
    largest = _replay(graph, trial)
    card = Card(
        task="classification",
        modality="images",
        outputs=class_outputs(material.n_classes),
        thresholds=thresholds,
        weights=() if weights is None else (Weights(weights.name, weights.licence, weights.sha256, weights.source),),
        golden=_golden(graph, trial),
        tolerance=TOLERANCE,
        filter=bloom.build(looked.images.hashes[used_rows(looked.split)]) if trial.options.filter else None,
        **card_facts(trial),
    )
    return Shipped(seal(graph, card), graph, card, largest, below.words, weights is not None)


def card_facts(trial: Trial[Any]) -> dict[str, Any]:
    """What a card says whatever it is asked about: who was chosen from whom, how good, on which data, made how."""
    looked, developed = trial.looked, trial.developed
    per_class = {name: int((trial.material.y == number).sum()) for number, name in enumerate(looked.classes)}
    return {
        "labels": looked.classes,
        "temperature": developed.temperature,
        "metric": trial.options.metric,
        "metrics": trial.judged.metrics,
        "test_source": looked.split.source,
        "baselines": tuple(Baseline(one.name, one.kind, one.test, one.relation) for one in trial.candidates),
        "chosen": developed.choice.name,
        "verdict": trial.account.verdict,
        "data": DataCard(looked.fingerprint, looked.n_per_part, per_class),
        "recipe": trial.recipe.card(),
        "versions": dict(trial.recipe.versions),
    }


def thresholds_of(developed: Developed) -> Thresholds:
    """Where `sure` becomes true, as the graph compares it."""
    sure = developed.sure
    if sure is None:
        raise ValueError("values have intervals and no threshold")
    finite = np.isfinite(sure.threshold)
    return Thresholds(float(np.float32(sure.threshold)) if finite else None, sure.why, sure.sure_at)


def ship_small(shipped: Shipped, trial: Trial[Looked]) -> Small | None:
    """The int8 variant with its measured loss on the test part; None where there is no network to shrink."""
    if not shipped.has_network:
        return None
    images, material, tested = trial.looked.images, trial.material, trial.judged.tested
    rows = tested.rows[tested.once]
    outside = np.setdiff1d(np.arange(len(images)), rows)
    graph = shrink(
        shipped.graph, [images.pixels(i)[None] for i in _spread(outside if len(outside) else rows, N_CALIBRATION)]
    )
    probabilities, _ = _answers(graph, trial)
    y, groups = material.y[rows], material.groups[rows]
    measure = METRICS[trial.options.metric]
    score = interval(measure, y, probabilities, groups, 0)
    loss = difference(measure, y, _judged_answers(trial), probabilities, groups)
    card = replace(
        shipped.card,
        metrics={measure.name: score},
        golden=make_golden(graph, n_classes=material.n_classes),
        tolerance=SMALL_TOLERANCE,
        recipe={**shipped.card.recipe, "variant": "int8"},
    )
    return Small(seal(graph, card), score, loss)


def usage(shipped: Shipped, path: Path, classes: Sequence[str]) -> dict[str, Any]:
    """What the report says about the file: code in five languages, its size and hash, what it does inside."""
    code: Mapping[str, str] = snippets(str(path), classes)
    return {
        "snippets": {"Command line": f"bottega predict {path} photo.jpg", **code},
        "model_file": {"bytes": len(shipped.data), "sha256": hashlib.sha256(shipped.data).hexdigest()},
        "prepared": f"Raw pixels of any size go in: {shipped.words}; then {shipped.card.chosen!r}; "
        "probabilities, label and `sure` come out.",
    }


def _judged_answers(trial: Trial[Looked]) -> Numbers:
    """What the model that ships answers on the test rows, from the vectors that it was judged on (T, C).

    On small data the folds were answered by other models; then it is the final one's own answers.
    """
    tested, developed, material = trial.judged.tested, trial.developed, trial.material
    if trial.looked.split.source != "cv":
        return tested.predictions
    chosen = developed.chosen
    rows = tested.rows[tested.once]
    logits = answer(chosen.form, material.views[chosen.spec.view][rows], material.n_classes)
    return apply_temperature(logits, developed.temperature)


def _replay(graph: bytes, trial: Trial[Looked]) -> float:
    """Ask the file for every test picture, from raw pixels; returns the largest difference of a probability.

    Raises:
        BottegaError: it is over the tolerance, or a label differs that the tolerance doesn't explain.
    """
    expected, classes = _judged_answers(trial), trial.material.classes
    probabilities, labels = _answers(graph, trial)
    if not labels:
        return 0.0
    gaps = np.abs(probabilities - expected).max(1)
    said = [classes.index(label) for label in labels]
    lost = expected.max(1) - expected[np.arange(len(said)), said]
    bad = np.flatnonzero((gaps > TOLERANCE) | (lost > 2 * TOLERANCE))
    if len(bad):
        worst = int(bad[np.argmax(gaps[bad])])
        raise BottegaError(
            found=f"{len(bad)} of {len(said)} test pictures get another answer from the file than in training, "
            f"by up to {gaps[worst]:.2g}",
            expected=f"probabilities within {TOLERANCE:g}",
            fix="nothing shipped; this is a fault of ours: please report it with the run's recipe.toml",
            where=trial.looked.images.names[int(trial.judged.tested.rows[worst])],
        )
    return float(gaps.max())


def _answers(graph: bytes, trial: Trial[Looked]) -> tuple[Numbers, list[str]]:
    """Probabilities (T, C) and labels of the whole file on the decoded raw test pictures."""
    images, n_classes = trial.looked.images, trial.material.n_classes
    rows = trial.judged.tested.rows[trial.judged.tested.once]
    session = open_session(graph, threads=1)
    places = {int(i): place for place, i in enumerate(rows)}
    jobs = batches(images, rows)

    def work(members: list[int]) -> tuple[list[str], Any]:
        labels, probabilities, _ = ask(session, np.stack([images.pixels(i) for i in members]), n_classes)
        return list(labels), probabilities

    found = np.zeros((len(rows), n_classes))
    said = [""] * len(rows)
    with ThreadPoolExecutor(trial.threads) as pool:
        for members, (labels, probabilities) in zip(jobs, pool.map(work, jobs), strict=True):
            for i, label, row in zip(members, labels, probabilities, strict=True):
                found[places[i]], said[places[i]] = row, label
    return found, said


def used_rows(split: Split) -> npt.NDArray[np.bool_]:
    """Examples that training saw, to fit or to choose."""
    return np.ones(len(split.part), bool) if split.source == "cv" else split.part != "test"


def _golden(graph: bytes, trial: Trial[Looked]) -> tuple[Golden, ...]:
    n_classes = trial.material.n_classes
    if trial.options.golden == "made-up":
        return make_golden(graph, n_classes=n_classes)
    tested, images = trial.judged.tested, trial.looked.images
    picked = _spread(tested.rows[tested.once], N_REAL_GOLDEN)
    return make_golden(graph, n_classes=n_classes, pictures=[images.pixels(i) for i in picked])


def _spread(rows: npt.NDArray[np.int64], n: int) -> list[int]:
    """At most `n` of the rows, evenly spread."""
    places = np.unique(np.linspace(0, len(rows) - 1, min(n, len(rows))).astype(np.int64))
    return [int(i) for i in rows[places]]
