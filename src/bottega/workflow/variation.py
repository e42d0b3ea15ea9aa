"""How much the seed matters: the same network, data and split, trained again and again."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bottega.evaluation.calibration import apply_temperature
from bottega.evaluation.metrics import METRICS
from bottega.problem.records import SeedSpread
from bottega.workflow.candidates import Developed, Material, answer
from bottega.workflow.own_network import OwnNetwork

__all__ = ["Rows", "seed_spread"]


@dataclass(frozen=True)
class Rows:
    """The rows of each part, as the run had them."""

    train: npt.NDArray[np.int64]
    val: npt.NDArray[np.int64]
    test: npt.NDArray[np.int64]


def seed_spread(
    material: Material,
    own: OwnNetwork,
    developed: Developed,
    rows: Rows,
    *,
    n_seeds: int,
    tell: Callable[[str], None],
) -> SeedSpread | None:
    """Train the chosen network with other seeds on the same rows, and score each on the same test part.

    The spread is what a second training would have given; the interval of one score is what other test pictures would
    have given. Neither holds the other.

    Args:
        n_seeds: in all, the one that ships among them.
    Returns:
        None where another candidate ships.
    """
    chosen, options = developed.chosen, own.options
    if chosen.spec.view != own.spec().view or n_seeds < 2:
        return None
    x, y = material.views[chosen.spec.view], material.y
    metric = METRICS[options.metric]

    def score(form: object) -> float:
        logits = answer(form, x[rows.test], material.n_classes)  # type: ignore[arg-type]
        return float(metric.function(y[rows.test], apply_temperature(logits, developed.temperature)))

    scores = [score(chosen.form)]
    for number in range(1, n_seeds):
        tell(f"{own.architecture.name} with seed {number + 1} of {n_seeds}")
        spec = own.spec(options.seed + number)
        if developed.out_of_fold:
            both = np.sort(np.concatenate([rows.train, rows.val]))
            form = spec.fit(x[both], y[both], chosen.setting)
        else:
            select = developed.rows[developed.half == "select"]
            form = spec.tune(x[rows.train], y[rows.train], x[select], y[select])[1] or chosen.form
        scores.append(score(form))
    return SeedSpread(
        metric.name,
        tuple(range(options.seed, options.seed + n_seeds)),
        tuple(scores),
        float(np.mean(scores)),
        float(np.std(scores, ddof=1)),
    )
