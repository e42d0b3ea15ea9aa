"""What a diagnosis reads of a run, as the run folder keeps it: plain arrays and JSON, read without torch."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from bottega.errors import BottegaError
from bottega.problem.history import Epoch, LayerReading
from bottega.problem.records import Finding
from bottega.refinement.diagnosis import HEALTHY, diagnose
from bottega.refinement.reading import Answers, Reading
from bottega.training.checkpoint import Checkpoint
from bottega.workflow.run_folder import RunFolder

__all__ = ["READINGS", "KeptReading", "all_findings", "keep", "kept"]

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
