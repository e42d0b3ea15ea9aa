"""What a diagnosis reads of a run: gathered where its network is trained, kept in the run folder."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from bottega.errors import BottegaError
from bottega.evaluation.calibration import apply_temperature
from bottega.problem.history import Epoch, LayerReading
from bottega.problem.layers import Layer
from bottega.problem.records import Finding
from bottega.refinement.diagnosis import HEALTHY, diagnose
from bottega.refinement.reading import Answers, Reading
from bottega.training.checkpoint import Checkpoint
from bottega.workflow.candidates import Developed, Material, Rules, _folds, answer
from bottega.workflow.own_network import VIEW, OwnNetwork
from bottega.workflow.run_folder import RunFolder

__all__ = ["READINGS", "KeptReading", "all_findings", "keep", "kept", "take_reading"]

Integers = npt.NDArray[np.int64]
READINGS = "readings.npz"
ADVICE = frozenset(  # no faults: what they speak of does no harm to the file that ships
    {"best epoch is the last", "calibration drift", "noisy validation", "plateau"}
)
_FACTS = ("settings", "n_train", "n_parameters", "best_epoch", "stopped", "metric", "rival", "rival_accuracy")


@dataclass(frozen=True)
class KeptReading:
    """A reading, and where it comes from.

    Attributes:
        network: name of the one that was trained.
        train_rows, val_rows: of the first fit, as places among the labelled pictures in the order of their contents.
        others: findings about labels and answers that weren't read from the training.
    """

    reading: Reading
    network: str
    train_rows: Integers
    val_rows: Integers
    others: tuple[Finding, ...] = ()

    def findings(self) -> tuple[Finding, ...]:
        """All that was found, by name once."""
        return all_findings(self.others, diagnose(self.reading))


def all_findings(others: Sequence[Finding], read: Sequence[Finding]) -> tuple[Finding, ...]:
    """Findings from both sides; `nothing to mend` alone where there are none, and advice never as a sure fault."""
    told = {one.name: one for one in (*read, *others) if one.name != HEALTHY.name}
    return tuple(
        replace(one, sure="medium") if one.name in ADVICE and one.sure == "high" else one for one in told.values()
    ) or (HEALTHY,)


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
        tuned = _folds(material, developed.rows, rules) == 0
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


def keep(folder: RunFolder, found: KeptReading) -> None:
    """Write it into the run folder, whole or not at all.

    Raises:
        BottegaError: the disk is full.
    """
    reading = found.reading
    arrays: dict[str, npt.NDArray[Any]] = {"train_rows": found.train_rows, "val_rows": found.val_rows}
    for part, answers in (("train", reading.train), ("val", reading.val)):
        arrays |= {f"{part}/y": answers.y, f"{part}/probabilities": answers.probabilities}
        arrays |= {} if answers.groups is None else {f"{part}/groups": answers.groups}
    facts = {name: getattr(reading, name) for name in _FACTS}
    more = {"history": [asdict(line) for line in reading.history], "classes": reading.classes, "network": found.network}
    Checkpoint(folder.file(READINGS)).save(arrays, {**facts, **more, "others": [asdict(one) for one in found.others]})


def kept(folder: RunFolder) -> KeptReading | None:
    """What `keep` wrote; None where it wrote nothing.

    Raises:
        BottegaError: the file is damaged, or of another version.
    """
    try:
        found = Checkpoint(folder.file(READINGS)).load()
        return None if found is None else _from(*found)
    except (KeyError, TypeError, ValueError) as error:  # a BottegaError is a ValueError
        raise BottegaError(
            found=f"{READINGS} can't be read: {getattr(error, 'found', error)}",
            expected="the file as training wrote it",
            fix="train again, with another --name",
            where=str(folder.file(READINGS)),
        ) from error


def _from(arrays: Mapping[str, npt.NDArray[Any]], facts: Mapping[str, Any]) -> KeptReading:
    history = tuple(
        Epoch(**{**line, "layers": {name: LayerReading(**layer) for name, layer in line["layers"].items()}})
        for line in facts["history"]
    )
    train, val = (
        Answers(arrays[f"{part}/y"], arrays[f"{part}/probabilities"], arrays.get(f"{part}/groups"))
        for part in ("train", "val")
    )
    reading = Reading(
        history=history,
        classes=tuple(facts["classes"]),
        train=train,
        val=val,
        **{name: facts[name] for name in _FACTS},
    )
    others = tuple(Finding(**one) for one in facts["others"])
    return KeptReading(reading, facts["network"], arrays["train_rows"], arrays["val_rows"], others)
