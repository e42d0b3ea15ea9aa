"""Golden examples: make them when a model is exported, replay them wherever it runs."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from bottega.problem.records import CheckRecord
from bottega.shipping.golden import golden_pictures
from bottega.shipping.model_file import Golden
from bottega.shipping.predictor import Model, PictureModel, ask, open_session

__all__ = ["make_golden", "replay"]


def make_golden(
    model: bytes,
    *,
    n_classes: int,
    seed: int = 0,
    threads: int = 1,
    pictures: Sequence[npt.NDArray[np.uint8]] | None = None,
) -> tuple[Golden, ...]:
    """Answer the made-up pictures, or given ones, with a model that has no card yet.

    Args:
        model: its bytes, with the inputs and outputs of docs/model-file.md.
        seed: of the made-up pictures.
        pictures: uint8 (H, W, 3) each; None for the made-up ones.
    """
    session = open_session(model, threads=threads)
    examples = []
    for picture in golden_pictures(seed) if pictures is None else pictures:
        labels, probabilities, sure = ask(session, picture[None], n_classes)
        # The shortest decimal that gives the same float32 back: short in the file, exact when read.
        numbers = tuple(float(str(p)) for p in probabilities[0])
        height, width = picture.shape[:2]
        examples.append(Golden(height, width, picture.tobytes(), labels[0], numbers, bool(sure[0])))
    return tuple(examples)


def replay(model: Model) -> CheckRecord:
    """Answer the golden examples again and compare.

    Returns:
        CheckRecord: `passed` when every probability is within the card's tolerance and every label and `sure` is the
        same; where two labels or a threshold lie nearer to each other than the tolerance, either side is right.
    """
    if not isinstance(model, PictureModel):
        from bottega.shipping.table_check import replay_rows
        from bottega.shipping.table_predictor import TableModel
        from bottega.shipping.targets_predictor import TargetsModel

        if isinstance(model, TargetsModel):
            found = [replay_rows(one) for one in model.targets.values()]
            largest = float(np.max([one.largest_difference for one in found]))  # a NaN stays
            tolerance = max(one.tolerance for one in found)
            return CheckRecord(all(one.passed for one in found), sum(one.n for one in found), largest, tolerance)
        if isinstance(model, TableModel):
            return replay_rows(model)
        raise TypeError(f"no golden examples are known for {type(model).__name__}")
    card = model.card
    largest = 0.0
    passed = True
    for golden in card.golden:
        if not isinstance(golden, Golden):
            raise TypeError("a model of pictures with rows for examples")
        picture = np.frombuffer(golden.pixels, np.uint8).reshape(golden.height, golden.width, 3)
        labels, probabilities, sure = model.predict_batch([picture])
        then = np.array(golden.probabilities, np.float32)
        difference = float(np.abs(probabilities[0] - then).max())
        largest = difference if not difference <= largest else largest  # a NaN stays
        top = float(then.max())
        both = then[[card.labels.index(labels[0]), card.labels.index(golden.label)]]
        same_label = labels[0] == golden.label or float(np.ptp(both)) <= 2 * card.tolerance
        threshold = None if card.thresholds is None else card.thresholds.sure
        on_the_edge = threshold is not None and abs(top - threshold) <= card.tolerance
        same_sure = bool(sure[0]) == golden.sure or on_the_edge
        passed = passed and difference <= card.tolerance and same_label and same_sure
    return CheckRecord(passed, len(card.golden), largest, card.tolerance)
