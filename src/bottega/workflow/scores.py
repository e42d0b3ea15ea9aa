"""What `evaluate` says beside its scores: classes one by one, what training has seen, the bar."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from bottega.errors import found_in, nearest_name
from bottega.problem.records import Score, Suspect

__all__ = ["confusion_of", "leak_of", "passed", "per_class_of", "unknown_labels_of"]


def unknown_labels_of(names: Sequence[str], labels: Sequence[str], noun: str = "picture") -> list[Suspect]:
    """Labels that the model never saw, as a suspect."""
    counts = Counter(name for name in names if name not in labels)
    if not counts:
        return []
    near = {name: nearest_name(name, labels) for name in counts}
    hint = next((f"; is {a!r} meant to be {b!r}?" for a, b in near.items() if b), "")
    evidence = (
        f"{sum(counts.values()):,} of {len(names):,} {noun}s have a label that the model never saw "
        f"({found_in(sorted(counts))}): each counts as an error"
    )
    rename = "rename the folders" if noun == "picture" else "rename them"
    fix = f"{rename} to the model's labels ({found_in(labels)}), or take them out{hint}"
    return [Suspect("unknown label", found_in(sorted(counts)), evidence, fix)]


def leak_of(seen: npt.NDArray[np.bool_], where: str, noun: str = "picture") -> Suspect:
    """What training has seen of these, as a suspect."""
    n = int(seen.sum())
    rest = len(seen) - n
    which = f"{n:,} of these {len(seen):,} {noun}s" if rest else f"every one of these {noun}s"
    evidence = f"the model was trained on {which} ({100 * n / len(seen):.3g} %)"
    fix = f"believe the score of the {rest:,} unseen {noun}s" if rest else f"evaluate on {noun}s it never saw"
    return Suspect("leak", where, evidence, fix)


def per_class_of(
    y: npt.NDArray[np.int64],
    probabilities: npt.NDArray[np.float32],
    groups: npt.NDArray[Any],
    labels: Sequence[str],
) -> dict[str, dict[str, Any]]:
    """For each label: N, and precision and recall with their intervals."""
    from bottega.evaluation.intervals import proportion

    answered = probabilities.argmax(1)
    table = {}
    for k, label in enumerate(labels):
        is_k, said_k = y == k, answered == k
        table[label] = {
            "n": int(is_k.sum()),
            "precision": proportion(is_k[said_k], groups[said_k]),
            "recall": proportion(said_k[is_k], groups[is_k]),
        }
    return table


def confusion_of(
    y: npt.NDArray[np.int64], probabilities: npt.NDArray[np.float32], n_classes: int
) -> tuple[tuple[int, ...], ...]:
    """Counts [true class][answer]; pictures of unknown labels are not in it."""
    known = y >= 0
    counts = np.zeros((n_classes, n_classes), np.int64)
    np.add.at(counts, (y[known], probabilities[known].argmax(1)), 1)
    return tuple(tuple(int(n) for n in row) for row in counts)


def passed(score: Score, at_least: float | None, at_most: float | None) -> bool | None:
    """A bar is judged at the end of the interval that is worst for it; an undefined score meets none."""
    if at_least is None and at_most is None:
        return None
    return bool((at_least is None or score.low >= at_least) and (at_most is None or score.high <= at_most))
