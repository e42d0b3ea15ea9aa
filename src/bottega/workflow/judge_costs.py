"""What the answers of a model cost on the test part, beside what simpler rules would have cost."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bottega.evaluation.intervals import difference, interval
from bottega.evaluation.metrics import MEAN_COST
from bottega.evaluation.wording import number, percent, shortened
from bottega.workflow.candidates import Developed, Material

if TYPE_CHECKING:
    from bottega.workflow.judge import Tested

__all__ = ["cost_words", "judge_costs"]


def judge_costs(material: Material, tested: "Tested", developed: Developed) -> dict[str, Any]:
    """Score the answers by cost, the most probable ones, and one answer for all; nothing where no costs are stated.

    The answer for all is the cheapest one on the rows that the model was chosen by.

    Returns:
        `classes`, `matrix` [truth][answer], `threshold` (of the second class; None for more than two), and the mean
        costs `by_cost`, `most_probable`, `saved` (the second less the first, paired) and `always` (`label`, `score`).
    """
    costs = material.costs
    if costs is None:
        return {}
    y, groups = material.y[tested.rows], material.groups[tested.rows]
    weights = None if material.weights is None else material.weights[tested.rows]
    spent = replace(MEAN_COST, prepare=lambda y, told: costs.mean_cost_of(y, told.argmax(1))).under(None, weights)
    one_hot = np.eye(material.n_classes)
    by_cost, plain = costs.told(tested.predictions), one_hot[tested.predictions.argmax(1)]
    best = _cheapest(material, developed)
    always = np.tile(one_hot[best], (len(y), 1))

    def score(told: npt.NDArray[Any]) -> Any:
        return replace(interval(spent, y, told, groups), n=tested.n)

    return {
        "classes": list(material.classes),
        "matrix": [list(row) for row in costs.matrix],
        "threshold": costs.threshold,
        "by_cost": score(by_cost),
        "most_probable": score(plain),
        "saved": replace(difference(spent, y, plain, by_cost, groups), n=tested.n),
        "always": {"label": material.classes[best], "score": score(always)},
    }


def _cheapest(material: Material, developed: Developed) -> int:
    """The one answer that would cost least on the rows that chose."""
    y = material.y[developed.rows]
    weights = np.ones(len(y)) if material.weights is None else material.weights[developed.rows]
    shares = np.bincount(y[y >= 0], weights[y >= 0], material.n_classes)
    return int((shares @ material.costs.table).argmin()) if material.costs is not None else 0


def cost_words(found: dict[str, Any]) -> list[str]:
    """What was found, in sentences; none where no costs are stated."""
    if not found:
        return []
    own, plain, always = found["by_cost"], found["most_probable"], found["always"]
    ends = own.low, own.high
    said = [
        f"By its answers a row costs {number(own.score, *ends)} on average ({number(own.low, *ends)} … "
        f"{number(own.high, *ends)}); always giving the most probable class would cost {number(plain.score, *ends)}, "
        f"always saying {shortened(always['label'], 40)} {number(always['score'].score, *ends)}."
    ]
    return [*said, *threshold_words(found)]


def threshold_words(found: dict[str, Any]) -> list[str]:
    """From where on the class is said that a miss overlooks; of two classes only."""
    share = found["threshold"]
    if share is None:
        return []
    name, share = (found["classes"][1], share) if share <= 0.5 else (found["classes"][0], 1 - share)
    return [f"It says {shortened(name, 40)} from a probability of {percent(share, 0.0, 0.05)} on, as the costs ask."]
