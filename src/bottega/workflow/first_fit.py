"""What a diagnosis reads of a run, gathered from the first fit of its network: the one with a validation part."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt

from bottega.evaluation.calibration import apply_temperature
from bottega.problem.layers import Layer
from bottega.refinement.reading import Answers, Reading
from bottega.workflow.candidates import Developed, Material, Rules, answer, dealt_folds
from bottega.workflow.own_network import VIEW, OwnNetwork
from bottega.workflow.readings import KeptReading

__all__ = ["take_reading"]

Integers = npt.NDArray[np.int64]


def take_reading(
    material: Material, own: OwnNetwork, developed: Developed, train: Integers, rules: Rules
) -> KeptReading | None:
    """Read the first fit, the one that had a validation part; None where the network was not tried.

    Args:
        train: the rows that it was fitted on, where validation was held out.
    """
    learned, name = own.learned, own.architecture.name
    if learned is None or name not in developed.answered:
        return None
    if developed.out_of_fold:
        tuned = dealt_folds(material, developed.rows, rules) == 0
        train = developed.rows[~tuned]
    else:
        tuned = developed.half == "select"
    seen, val = train[learned.fit_rows], developed.rows[tuned]
    seen_logits = answer(learned.form, material.views[VIEW][seen], material.n_classes)
    rival, rival_accuracy = _rival(developed, material.y[val], tuned)
    reading = Reading(
        history=learned.history,
        settings={**asdict(learned.settings), **_dropout(own)},
        classes=material.classes,
        train=_answers(material, seen, seen_logits),
        val=_answers(material, val, developed.answered[name].logits[tuned]),
        n_train=len(train),
        n_parameters=learned.n_parameters,
        best_epoch=learned.best.epoch,
        stopped=learned.stopped,  # type: ignore[arg-type]
        metric=own.options.metric,
        rival=rival,
        rival_accuracy=rival_accuracy,
    )
    return KeptReading(reading, name, train, val)


def _answers(material: Material, rows: Integers, logits: npt.NDArray[Any]) -> Answers:
    probabilities = apply_temperature(logits, 1.0).astype(np.float32)  # as the bare network says it
    return Answers(material.y[rows], probabilities, material.groups[rows])


def _rival(developed: Developed, y: Integers, tuned: npt.NDArray[np.bool_]) -> tuple[str, float | None]:
    """The baseline that is right most often on the same rows."""
    found = {
        name: float((one.logits[tuned].argmax(1) == y).mean())
        for name, one in developed.answered.items()
        if one.spec.kind == "baseline" and np.isfinite(one.logits[tuned]).all()
    }
    best = max(found, key=lambda name: found[name], default="")
    return best, found.get(best)


def _dropout(own: OwnNetwork) -> dict[str, float]:
    """The largest rate of the plan, which is no setting of the training; nothing where there is no plan."""
    plan = own.architecture.plan
    if plan is None:
        return {}
    return {"dropout": max((float(one["rate"]) for one in _all(plan.layers) if one.kind == "dropout"), default=0.0)}


def _all(layers: Sequence[Layer]) -> Iterator[Layer]:
    for layer in layers:
        yield layer
        yield from _all(layer.layers)
